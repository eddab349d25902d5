//! The built-in rules on real and typical records.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod corpora;
mod engine;
mod rule_tests;
mod samples;
mod site;
