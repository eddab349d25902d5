//! The built-in rules on real and typical records.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where, and prints its figures"
)]

mod corpora;
mod engine;
mod rule_tests;
mod samples;
mod site;
