//! What a reader of the store may see.

/// Applied by the store below every expression that a user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadScope {
    /// All events, all fields, raw text.
    Everything,
}
