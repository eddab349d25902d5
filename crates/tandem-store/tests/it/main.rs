//! Tests of the store through its door.
#![expect(clippy::unwrap_used, reason = "tests")]

mod corpora;
mod crash;
mod keep;
mod meaning;
mod peers;
mod sample;
mod seal;
mod search;
mod sql;
