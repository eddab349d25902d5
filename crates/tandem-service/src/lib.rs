//! The agreement as pure functions: who may do what, cases, and the alert policy.
//!
//! State, an act and an instant go in; changes or a refusal come out. No IO, no clock.
//! The serde derives here serve the stored rows of `tandem-control`; what other programs see has
//! types of its own in `tandem-api`.

mod alert;
mod case;
mod micros;
mod rights;
mod words;

pub use alert::{
    AlertPolicy, Disposition, EntityKey, EntityKind, Grouper, Home, Infrastructure, JoinKey, Joining, Names, OpenRule,
    Opening, Outcome, Placed, PolicyError, Recalled, RiskRule, Sharing, SignalRule, Spreading,
};
pub use case::{
    ActNo, BULK_LIMIT, CASE_ENTITIES_MAX, CASE_KEYS_MAX, Case, CaseAct, CaseEntity, CaseId, CaseIdError, CaseKind,
    CaseRule, Change, Done, Gate, Gathered, GroupingReason, Instants, Note, Owner, Pin, Priority, Refusal, SpreadMark,
    State, UNDO_WINDOW, Undo, Verdict, act, change_text, ends_from, merge, open_by_person, promote, similar_text,
    split, transitions, undo,
};
pub use rights::{
    Activity, Actor, ActorKind, CaseFacts, Cell, Decision, Matrix, Object, ObjectKind, Party, Role, RoleSet, Scope,
    UserId, Verb, decide,
};
pub use words::WordError;
