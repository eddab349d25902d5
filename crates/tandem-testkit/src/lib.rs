//! For tests only: skipping with a reason, finding the corpora, and the program as a process.

pub mod program;
mod skip;

pub use skip::{corpora, skip};
