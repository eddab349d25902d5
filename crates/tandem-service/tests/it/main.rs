//! Behaviour of the domain, as data.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod desk;
mod grouping;
mod histories;
mod restarts;
mod rights;
mod steps;
mod volume;
