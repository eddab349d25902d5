//! Everything that the crate promises to the outside, in one harness.

mod engine;
mod golden;
