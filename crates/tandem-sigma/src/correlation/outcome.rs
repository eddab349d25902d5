//! What the correlation state answers.

use super::group::{Crossing, Occurrence};
use super::plan::Node;
use super::rule::{CorrelationCondition, CorrelationKind};
use crate::arrival::EventId;
use crate::number::Number;

/// Something that the state found, or takes back.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A correlation fired.
    Detected(CorrelationMatch),
    /// A late event showed that an earlier match was none.
    Withdrawn(Withdrawal),
}

/// A correlation fired, and this is why. Correlation, group and crossing event together are its identity:
/// evaluating the same events again gives the same ones.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrelationMatch {
    /// Number of the correlation in the set.
    pub correlation: usize,
    /// The fields of `group-by` with their values, as the event has them.
    pub group: Vec<(String, String)>,
    /// The event that crossed the threshold.
    pub crossing: EventId,
    /// When that event happened.
    pub time_ms: i64,
    /// Events that count, in the order of time, the crossing one last. At most [`EVENTS_SHOWN_MAX`].
    pub events: Vec<EventId>,
    /// How many events count; more than are listed, and at least so many where counting further makes no
    /// difference.
    pub event_count: usize,
    /// The number that was compared.
    pub value: Number,
    /// What was found and what was needed, as a sentence.
    pub words: String,
    /// Events did not come in the order of time, and this was found by looking again.
    pub late: bool,
    /// The crossing event of an earlier match of the same group, which this one takes the place of.
    pub replaces: Option<EventId>,
    /// The group had more events than are kept, so that the number may be too small.
    pub incomplete: bool,
}

/// A match that does not stand any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Number of the correlation in the set.
    pub correlation: usize,
    /// The fields of `group-by` with their values, as the late event has them.
    pub group: Vec<(String, String)>,
    /// The event that was taken for the crossing one.
    pub crossing: EventId,
    /// When that event happened.
    pub time_ms: i64,
}

/// Most contributing events listed.
pub const EVENTS_SHOWN_MAX: usize = 100;

pub(super) fn named_group(node: &Node, group: &[Box<str>]) -> Vec<(String, String)> {
    let names = &node.rule.correlation.group_by;
    names.iter().cloned().zip(group.iter().map(ToString::to_string)).collect()
}

pub(super) fn found(
    number: usize,
    node: &Node,
    group: &[Box<str>],
    crossing: &Crossing,
    occurrences: &[Occurrence],
) -> CorrelationMatch {
    let window = &occurrences[crossing.window.clone()];
    let (events, event_count) = contributing(node, window);
    CorrelationMatch {
        correlation: number,
        group: named_group(node, group),
        crossing: crossing.key.1,
        time_ms: crossing.key.0,
        events,
        event_count,
        value: crossing.measure.value,
        words: words(node, group, crossing, event_count),
        late: false,
        replaces: None,
        incomplete: false,
    }
}

/// The newest events of the window and at least one of each rule; and how many there are.
fn contributing(node: &Node, window: &[Occurrence]) -> (Vec<EventId>, usize) {
    let mut events = Vec::new();
    let mut count = 0;
    let mut last = None;
    let mut slots = 0;
    let reserved = if node.keeps_slots() { node.slots.len().min(EVENTS_SHOWN_MAX - 1) } else { 0 };
    for known in window.iter().rev() {
        if last.replace(known.key()) == Some(known.key()) {
            continue;
        }
        count += 1;
        let is_new_rule = node.keeps_slots() && known.value & !slots != 0;
        if events.len() < EVENTS_SHOWN_MAX - reserved || (is_new_rule && events.len() < EVENTS_SHOWN_MAX) {
            events.push(known.id());
        }
        if node.keeps_slots() {
            slots |= known.value;
        }
    }
    events.reverse();
    (events, count)
}

/// `12 events of failed_logon within 5 minutes for host = web1 (needed: at least 10)`.
fn words(node: &Node, group: &[Box<str>], crossing: &Crossing, event_count: usize) -> String {
    let correlation = &node.rule.correlation;
    let value = match crossing.measure.value {
        Number::Float(float) => format!("{}", (float * 1000.0).round() / 1000.0),
        int @ Number::Int(_) => int.to_string(),
    };
    let names: Vec<&str> = correlation.rules.iter().map(|rule| rule.text.as_str()).collect();
    let of = names.join(" or ");
    let fields = correlation.fields.join(" and ");
    let over = format!("over {event_count} events of {of}");
    let what = match correlation.kind {
        CorrelationKind::EventCount => format!("{value} events of {of}"),
        CorrelationKind::ValueCount => format!("{value} different values of {fields} in {event_count} events of {of}"),
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
            let present = names.iter().enumerate().filter(|(slot, _)| crossing.measure.slots & (1 << slot) != 0);
            let present: Vec<&str> = present.map(|(_, name)| *name).collect();
            let order = if correlation.kind == CorrelationKind::TemporalOrdered { " in this order" } else { "" };
            format!("events of {}{order}", present.join(" and "))
        }
        CorrelationKind::ValueSum => format!("a sum of {fields} of {value} {over}"),
        CorrelationKind::ValueAvg => format!("a mean of {fields} of {value} {over}"),
        CorrelationKind::ValueMedian => format!("a median of {fields} of {value} {over}"),
        CorrelationKind::ValueMin => format!("a smallest {fields} of {value} {over}"),
        CorrelationKind::ValueMax => format!("a largest {fields} of {value} {over}"),
        CorrelationKind::ValuePercentile => match correlation.percentile {
            Some(rank) => format!("a {rank}th percentile of {fields} of {value} {over}"),
            None => format!("a share of {value} per cent for the event's {fields} {over}"),
        },
    };
    let group = named_group(node, group);
    let of_whom = match group.len() {
        0 => String::new(),
        _ => {
            let pairs: Vec<String> = group.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            format!(" for {}", pairs.join(" and "))
        }
    };
    let needed = match &correlation.condition {
        CorrelationCondition::Compare(comparisons) => {
            let bounds = comparisons.iter().map(|(comparison, than)| format!("{} {than}", comparison.in_words()));
            bounds.collect::<Vec<_>>().join(" and ")
        }
        CorrelationCondition::EveryRule => "every one of them".to_owned(),
        CorrelationCondition::Boolean(condition) => condition.to_string(),
    };
    format!("{what} within {}{of_whom} (needed: {needed})", correlation.timespan)
}
