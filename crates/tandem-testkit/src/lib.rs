//! For tests only: skipping with a reason, finding the corpora, a disk that fails, and the program as a process.

pub mod disk;
pub mod program;
mod skip;

pub use skip::{corpora, skip};
