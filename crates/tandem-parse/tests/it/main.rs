//! Everything that the crate promises to the outside, in one harness.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests: helpers fail loudly, tables are printed")]

mod containers;
mod corpora;
mod demo;
mod engine;
mod golden;
mod windows_corpora;
mod windows_shapes;
