//! What can go wrong, so that a caller can act on it.

use tandem_service::Refusal;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The database refused.
    #[error("the control database could not {doing}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: sqlx::Error,
    },
    /// There is no such thing.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// `case`, `user`…
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// The domain refused; code, because and hint are in it.
    #[error(transparent)]
    Refused(Refusal),
    /// Somebody else was faster: what they did.
    #[error("{because}")]
    Conflict {
        /// Who did what, and when.
        because: String,
        /// The version that is stored now.
        version: u64,
    },
    /// A value cannot be taken.
    #[error("{because}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// Why, and what would do.
        because: String,
    },
    /// A stored row cannot be read: damaged, or written by a newer program.
    #[error("a stored {what} cannot be read: {because}")]
    Stored {
        /// Of which kind.
        what: &'static str,
        /// Why.
        because: String,
    },
    /// A sealed value cannot be opened.
    #[error("a sealed value cannot be opened")]
    Seal(#[from] crate::SealError),
    /// A file could not be read or written.
    #[error("could not {doing} `{path}`")]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A backup cannot be used.
    #[error("the backup cannot be used: {because}")]
    Backup {
        /// Why.
        because: String,
    },
}

impl ControlError {
    /// What the domain refused, if it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// What to do, where something can be done.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) => Some(refusal.hint.clone()),
            Self::Conflict { .. } => Some("look at the case again, then repeat what you still want".into()),
            Self::Seal(_) => Some("the site key must be the one that the data was sealed with".into()),
            Self::Backup { .. } => Some("check the recovery key and that the file is complete".into()),
            _ => None,
        }
    }

    pub(crate) fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string().chars().take(80).collect() }
    }

    pub(crate) fn invalid(field: &'static str, because: impl Into<String>) -> Self {
        Self::Invalid { field, because: because.into() }
    }

    pub(crate) fn stored(what: &'static str, because: impl std::fmt::Display) -> Self {
        Self::Stored { what, because: because.to_string() }
    }
}

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Says what was being done when the database refused.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, ControlError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, ControlError> {
        self.map_err(|source| ControlError::Sql { doing, source })
    }
}
