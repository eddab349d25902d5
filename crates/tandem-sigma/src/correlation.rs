//! Correlations: rules over the events that other rules find.

mod alternatives;
mod group;
mod input;
mod measure;
mod outcome;
mod parse;
mod plan;
mod rule;
mod snapshot;
mod state;
mod timespan;
mod words;

pub use input::Hit;
pub use outcome::{CorrelationMatch, EVENTS_SHOWN_MAX, Outcome, Withdrawal};
pub use plan::CorrelationPlan;
pub use rule::{Alias, Comparison, Correlation, CorrelationCondition, CorrelationKind, CorrelationRule, Reference};
pub use snapshot::{Restored, SnapshotError};
pub use state::{CorrelationCounters, CorrelationSettings, CorrelationState};
pub use timespan::Timespan;

pub(crate) use input::{hash_of, texts_of_field};
pub(crate) use parse::{Section, parse, scalar};
