//! Who may do what: actors, verbs, the matrix and the one function [`decide`].

mod actor;
mod decide;
mod matrix;
mod verb;

pub use actor::{Actor, ActorKind, Party, Role, RoleSet, Scope, UserId};
pub use decide::{CaseFacts, Decision, Object, ObjectKind, decide};
pub use matrix::{Activity, Cell, Matrix};
pub use verb::Verb;
