//! What is wrong with a parser file, and where.

use std::fmt;

/// One mistake in a `parser.yaml`. All mistakes of all files are reported at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code, shared with documentation: `parser.syntax`, `parser.unknown_key`, `parser.shape`, `parser.pattern`,
    /// `parser.unknown_name`, `parser.twice`.
    pub code: &'static str,
    /// The file as it was named to the compiler.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// One sentence: what is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.file, self.line, self.message, self.code)
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    pub(crate) list: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    pub(crate) fn add(&mut self, code: &'static str, line: usize, message: impl Into<String>) {
        self.list.push(Problem { code, file: self.file.clone(), line, message: message.into() });
    }

    pub(crate) fn shape(&mut self, line: usize, message: impl Into<String>) {
        self.add("parser.shape", line, message);
    }
}
