//! Tests of the store through its door.
#![expect(clippy::unwrap_used, reason = "tests")]

mod sample;
mod seal;
