//! The Sigma specification: rules, modifiers, conditions, and an evaluator that gives reasons.
//!
//! This crate reads Sigma rules (specification 2.1), says what is wrong with them, and evaluates
//! them over events. It is written for clarity: what it answers is what a rule means, and faster
//! engines are compared with it. It stands alone: no files, no clock, no threads.
//!
//! ```
//! use tandem_sigma::{MapEvent, parse_rules};
//!
//! let (rules, problems) = parse_rules(
//!     "whoami.yml",
//!     r"
//! title: Whoami Execution
//! logsource:
//!     category: process_creation
//!     product: windows
//! detection:
//!     selection:
//!         Image|endswith: '\whoami.exe'
//!     condition: selection
//! level: high
//! ",
//! );
//! assert!(problems.is_empty());
//!
//! let event = MapEvent::new().with("Image", r"C:\Windows\System32\WhoAmI.exe");
//! let found = rules[0].evaluate(&event).expect("the rule fires");
//! assert_eq!(found.predicates[0].words, r"Image ends with '\whoami.exe'");
//! assert_eq!(found.predicates[0].span, Some((19, 30)));
//! ```
//!
//! What the specification leaves open is decided in `docs/sigma.md`.

#![warn(missing_docs)]

mod anomaly;
mod arrival;
mod bytes;
mod cidr;
mod compile;
mod condition;
mod correlation;
mod detection;
mod encode;
mod engine;
mod event;
mod explain;
mod filter;
mod hash;
mod heading;
mod ioc;
mod limits;
mod load;
mod logsource;
mod metadata;
mod modifier;
mod number;
mod pattern;
mod placeholder;
mod predicate;
mod problem;
mod regexp;
mod rule;
mod set;
mod suggest;
mod time;
mod value;
mod words;
mod yaml;

pub use anomaly::{Anomaly, AnomalyCounters, AnomalyKind, AnomalyMatch, AnomalyRule, AnomalySettings, AnomalyState};
pub use arrival::{Arrival, EventId};
pub use cidr::Network;
pub use condition::{Condition, Quantity, Target};
pub use correlation::{
    Alias, Comparison, Correlation, CorrelationCondition, CorrelationCounters, CorrelationKind, CorrelationMatch,
    CorrelationPlan, CorrelationRule, CorrelationSettings, CorrelationState, EVENTS_SHOWN_MAX, Hit, Outcome, Reference,
    Restored, SnapshotError, Timespan, Withdrawal,
};
pub use detection::{Block, Detection, Item, Link, Selection};
pub use engine::{
    Budget, Column, Disabled, Engine, EngineBuilder, EngineSlot, FastEvent, Field, Fields, LogType, Route, Row,
    RuleCost, Session,
};
pub use event::{Event, MapEvent, MapValue};
pub use explain::{Match, MatchedPredicate, PREDICATES_MAX, VALUE_BYTES_MAX};
pub use filter::{Filter, FilterRules};
pub use heading::Heading;
pub use ioc::{
    INDICATORS_MAX, Indicator, IndicatorError, IndicatorKind, IndicatorMatch, IndicatorSet, IndicatorSetBuilder,
};
pub use limits::Limits;
pub use load::{Documents, Loader, parse_rules};
pub use logsource::LogSource;
pub use number::Number;
pub use pattern::{Anchor, Case, DASHES, Element, Pattern, fold};
pub use placeholder::Placeholders;
pub use predicate::{Ordinal, Predicate};
pub use problem::{Code, PROBLEMS_MAX, Position, Problem, Severity};
pub use regexp::{RegexFlags, RegexPredicate};
pub use rule::{Level, Readiness, Related, Relation, Rule, Status};
pub use set::{Referred, RuleSet, RuleSetBuilder, has_errors};
pub use time::TimePart;
pub use value::Value;
pub use words::LIST_SHOWN_MAX;
