//! Control data on a real SQLite file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acts;
mod backup;
mod cases;
mod killed;
mod own;
mod people;
mod pipeline;
mod seal;
mod sources;
mod world;
