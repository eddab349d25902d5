//! Everything that the crate promises to the outside, in one harness.

mod containers;
mod corpora;
mod demo;
mod engine;
mod golden;
mod windows_corpora;
