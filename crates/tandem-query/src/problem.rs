//! What is wrong with a query, and where.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The query runs, but may not mean what was meant.
    Warning,
    /// The query must not run: a part of it could not be understood.
    Error,
}

/// One thing that is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// First byte of the part that is wrong.
    pub start: usize,
    /// Byte after the part that is wrong; a character boundary of the query, like `start`.
    pub end: usize,
    /// A stable word for programs and documentation, for instance `unclosed-quote`.
    pub code: &'static str,
    /// What is wrong, as one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

impl Problem {
    /// Whether the query must not run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
