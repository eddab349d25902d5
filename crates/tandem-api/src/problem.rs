//! Errors on the wire: RFC 9457 problem details with Tandem's extensions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `application/problem+json`. The text for people is in the console's catalogue, chosen by `type`;
/// `title`, `detail` and `hint` are the English fallback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable word such as `sign-in-failed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence: what failed.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What it means in this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The rule that decided, where access was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// How to get access, where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_get_access: Option<String>,
    /// What the log of the program calls this failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Places in a query that cannot be understood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<QueryProblem>,
}

/// One place in a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryProblem {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// `error` or `warning`.
    pub severity: String,
}

impl Problem {
    /// A problem of `kind` with a title.
    pub fn new(status: u16, kind: &str, title: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            title: title.into(),
            status,
            detail: None,
            hint: None,
            because: None,
            how_to_get_access: None,
            reference: None,
            problems: Vec::new(),
        }
    }

    /// With what it means.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the rule that decided and the way to get access.
    #[must_use]
    pub fn refused(mut self, because: impl Into<String>, how: impl Into<String>) -> Self {
        self.because = Some(because.into());
        self.how_to_get_access = Some(how.into());
        self
    }
}
