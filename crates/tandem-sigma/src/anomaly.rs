//! Anomalies: what is unusual for a host, a user, a pair, an hour.

mod memory;
mod parse;
mod rule;
mod snapshot;
mod state;

pub use rule::{Anomaly, AnomalyKind, AnomalyRule};
pub use state::{AnomalyCounters, AnomalyMatch, AnomalySettings, AnomalyState};

pub(crate) use parse::parse;
