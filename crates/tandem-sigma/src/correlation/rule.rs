//! A correlation rule as it is written.

use std::cmp::Ordering;
use std::fmt;

use super::timespan::Timespan;
use crate::condition::Condition;
use crate::heading::Heading;
use crate::number::Number;
use crate::problem::Position;

/// A correlation with what it says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrelationRule {
    /// Title, identifiers and so on.
    pub heading: Heading,
    /// What it counts, and when it fires.
    pub correlation: Correlation,
}

/// The `correlation` section.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    /// `type`
    pub kind: CorrelationKind,
    /// `rules`, in their order.
    pub rules: Vec<Reference>,
    /// `group-by`: fields or aliases that must have the same values.
    pub group_by: Vec<String>,
    /// `timespan`
    pub timespan: Timespan,
    /// `condition`
    pub condition: CorrelationCondition,
    /// `field` of the condition: what is counted or summed. Several fields are counted as tuples.
    pub fields: Vec<String>,
    /// `percentile` of the condition, from 0 to 100.
    pub percentile: Option<f64>,
    /// `aliases`
    pub aliases: Vec<Alias>,
    /// `generate`: whether the rules that it refers to alert by themselves too. `None` if not written,
    /// which means that they do not.
    pub generate: Option<bool>,
}

/// A rule that a correlation or filter refers to, by `id` or `name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The id or name as written.
    pub text: String,
    /// Where it stands.
    pub position: Position,
}

/// A name for fields that are called differently in the events of different rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name, to be used in `group-by` and `field`.
    pub name: String,
    /// For each rule (as `rules` refers to it) the field in its events.
    pub fields: Vec<(Reference, String)>,
}

/// When a correlation fires.
#[derive(Clone, Debug, PartialEq)]
pub enum CorrelationCondition {
    /// One comparison of the counted value, or two that make a range.
    Compare(Vec<(Comparison, Number)>),
    /// Every one of the rules (`temporal` without a condition).
    EveryRule,
    /// A condition over the names of the rules (`temporal` with a text as condition).
    Boolean(Condition),
}

impl CorrelationCondition {
    /// Whether a counted value fulfils the comparisons; true where there are none.
    pub fn accepts(&self, value: Number) -> bool {
        match self {
            Self::Compare(comparisons) => comparisons.iter().all(|(comparison, than)| comparison.holds(value, *than)),
            Self::EveryRule | Self::Boolean(_) => true,
        }
    }
}

/// What a correlation looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CorrelationKind {
    /// The number of events.
    EventCount,
    /// The number of distinct values of a field.
    ValueCount,
    /// Different rules within the span, in any order.
    Temporal,
    /// Different rules within the span, in the order of `rules`.
    TemporalOrdered,
    /// The sum of a field's numbers.
    ValueSum,
    /// The mean of a field's numbers.
    ValueAvg,
    /// A percentile of a field's numbers; without `percentile` the share of the event's own value among all
    /// values, in per cent.
    ValuePercentile,
    /// The median of a field's numbers.
    ValueMedian,
    /// The smallest of a field's numbers.
    ValueMin,
    /// The largest of a field's numbers.
    ValueMax,
}

impl CorrelationKind {
    /// Every type with the specification's word.
    pub const ALL: [(&'static str, Self); 10] = [
        ("event_count", Self::EventCount),
        ("value_count", Self::ValueCount),
        ("temporal", Self::Temporal),
        ("temporal_ordered", Self::TemporalOrdered),
        ("value_sum", Self::ValueSum),
        ("value_avg", Self::ValueAvg),
        ("value_percentile", Self::ValuePercentile),
        ("value_median", Self::ValueMedian),
        ("value_min", Self::ValueMin),
        ("value_max", Self::ValueMax),
    ];

    /// The specification's word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// `temporal` or `temporal_ordered`.
    pub fn is_temporal(self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    /// Whether it needs a `field`.
    pub fn needs_field(self) -> bool {
        !self.is_temporal() && self != Self::EventCount
    }

    /// Whether what is compared is a whole number.
    pub(crate) fn counts(self) -> bool {
        self.is_temporal() || matches!(self, Self::EventCount | Self::ValueCount)
    }
}

impl fmt::Display for CorrelationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a counted value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
    /// `eq`
    Equal,
    /// `neq`
    NotEqual,
}

impl Comparison {
    /// Every comparison with the specification's word.
    pub const ALL: [(&'static str, Self); 6] = [
        ("gt", Self::Greater),
        ("gte", Self::GreaterOrEqual),
        ("lt", Self::Less),
        ("lte", Self::LessOrEqual),
        ("eq", Self::Equal),
        ("neq", Self::NotEqual),
    ];

    /// Whether `value` compares so with `than`.
    pub fn holds(self, value: Number, than: Number) -> bool {
        let Some(order) = value.compare(than) else { return false };
        match self {
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
        }
    }

    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Greater => "more than",
            Self::GreaterOrEqual => "at least",
            Self::Less => "less than",
            Self::LessOrEqual => "at most",
            Self::Equal => "exactly",
            Self::NotEqual => "other than",
        }
    }

    pub(crate) fn is_lower_bound(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    pub(crate) fn is_upper_bound(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }
}

impl CorrelationRule {
    /// The correlation as an English sentence.
    pub fn in_words(&self) -> String {
        super::words::correlation_in_words(&self.correlation)
    }
}
