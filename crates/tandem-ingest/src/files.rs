//! Files: followed while they grow, or imported as history.

mod follow;
mod identity;
mod import;
mod tail;
mod walk;

pub use identity::Identity;
pub use import::{
    Containers, Import, ImportError, ImportReport, ImportWith, Imports, Piece, Pieces, Progress, Readable, Taken,
    Unread, import,
};
pub(crate) use tail::{Follower, follow};
pub use tail::{NotNoted, Position, Positions, Start, Tail};
