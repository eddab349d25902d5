//! Correlations: rules over the events that other rules find.

mod parse;
mod rule;
mod timespan;
mod words;

pub use rule::{Alias, Comparison, Correlation, CorrelationCondition, CorrelationKind, CorrelationRule, Reference};
pub use timespan::Timespan;

pub(crate) use parse::{Section, parse, scalar};
