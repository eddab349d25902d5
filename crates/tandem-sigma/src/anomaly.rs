//! Anomalies: what is unusual for a host, a user, a pair, an hour.

mod parse;
mod rule;

pub use rule::{Anomaly, AnomalyKind, AnomalyRule};

pub(crate) use parse::parse;
