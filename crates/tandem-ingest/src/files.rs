//! Files: followed while they grow, or imported as history.

mod follow;
mod identity;
mod tail;

pub use identity::Identity;
pub(crate) use tail::{Follower, follow};
pub use tail::{Position, Positions, Start, Tail};
