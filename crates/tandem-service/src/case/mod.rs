//! Cases: what they are, the only transitions, acts and what they change.

mod act;
mod apply;
mod gathered;
mod merge;
mod perform;
mod state;
mod types;
mod undo;

pub use act::{CaseAct, Refusal};
pub use apply::{Change, change_text};
pub use gathered::{
    CASE_ENTITIES_MAX, CASE_KEYS_MAX, CaseEntity, CaseRule, Gathered, GroupingReason, SpreadMark, similar_text,
};
pub use merge::{merge, open_by_person, promote, split};
pub use perform::{Done, act};
pub use state::{State, Verdict, ends_from, transitions};
pub use types::{ActNo, Case, CaseId, CaseIdError, CaseKind, Gate, Instants, Note, Owner, Pin, Priority};
pub use undo::{UNDO_WINDOW, Undo, undo};

/// How many cases one bulk act may name.
pub const BULK_LIMIT: usize = 500;
