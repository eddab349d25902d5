//! Everything that the crate promises to the outside, in one harness.

mod corpora;
mod engine;
mod golden;
