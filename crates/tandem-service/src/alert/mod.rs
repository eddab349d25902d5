//! The alert policy: whether a detection opens a case, joins one, or stays a signal (architecture §1.6).

mod address;
mod entity;
mod grouper;
mod hubs;
mod judge;
mod policy;
mod risk;
mod spread;
mod world;

pub use entity::{EntityKey, EntityKind, JoinKey, Names};
pub use grouper::{Grouper, Home, Outcome, Recalled};
pub use judge::Disposition;
pub use policy::{AlertPolicy, Infrastructure, OpenRule, PolicyError, RiskRule, Sharing, SignalRule, Spreading};
pub use world::{Joining, Opening, Placed};
