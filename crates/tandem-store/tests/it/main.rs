//! Tests of the store through its door.
#![expect(clippy::unwrap_used, reason = "tests")]

mod meaning;
mod sample;
mod seal;
mod search;
