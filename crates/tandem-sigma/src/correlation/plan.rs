//! A rule set's correlations, ready to be run: which field of which event is what to which correlation.

use super::alternatives::{Alternative, alternatives};
use super::rule::{Correlation, CorrelationCondition, CorrelationKind, CorrelationRule};
use crate::hash::{HashKey, hash_text};
use crate::number::Number;
use crate::set::{Referred, RuleSet};

/// The correlations of a set in the order in which they feed each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CorrelationPlan {
    pub(super) nodes: Vec<Node>,
    /// For each plain rule the correlations that it feeds, each with the number of the slot.
    by_rule: Vec<Vec<(usize, usize)>>,
}

/// One correlation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) rule: CorrelationRule,
    pub(super) alerts: bool,
    pub(super) span_ms: i64,
    pub(super) slots: Vec<Slot>,
    /// Correlations that this one feeds, each with the number of the slot.
    pub(super) parents: Vec<(usize, usize)>,
    /// Names of what the crossing event must bring along for them.
    pub(super) carried: Vec<String>,
    pub(super) ways: Vec<Alternative>,
    /// More events than so many make no difference to the condition.
    pub(super) enough: usize,
    /// Changes when the correlation means something else.
    pub(super) fingerprint: u64,
}

/// What one referred rule brings to a correlation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    pub(super) keys: Vec<Source>,
    pub(super) values: Vec<Source>,
    pub(super) carried: Vec<Source>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A field of the event.
    Field(String),
    /// A part of the group of the correlation below.
    Group(usize),
    /// Something that the correlation below carries along.
    Carried(usize),
}

impl CorrelationPlan {
    /// The plan for a set.
    pub fn new(set: &RuleSet) -> Self {
        let mut nodes: Vec<Node> =
            set.correlations().iter().enumerate().map(|(number, rule)| node(set, number, rule)).collect();
        let mut by_rule = vec![Vec::new(); set.rules().len()];
        for number in 0..nodes.len() {
            for (slot, target) in set.referred(number).iter().enumerate() {
                match *target {
                    Referred::Rule(rule) => by_rule[rule].push((number, slot)),
                    Referred::Correlation(inner) => nodes[inner].parents.push((number, slot)),
                }
            }
        }
        // Outer ones first, so that what they need is known to those below.
        for number in (0..nodes.len()).rev() {
            for slot in 0..nodes[number].slots.len() {
                let correlation = nodes[number].rule.correlation.clone();
                let name = correlation.rules[slot].text.clone();
                let target = set.referred(number)[slot];
                let mut source = |wanted: &String| {
                    let field = resolved(set, number, &correlation, &name, target, wanted);
                    match target {
                        Referred::Rule(_) => Source::Field(field),
                        Referred::Correlation(inner) => source_below(&mut nodes[inner], field),
                    }
                };
                let keys = correlation.group_by.iter().map(&mut source).collect();
                let values = correlation.fields.iter().map(&mut source).collect();
                let wanted = nodes[number].carried.clone();
                let mut source = |wanted: &String| {
                    let field = resolved(set, number, &correlation, &name, target, wanted);
                    match target {
                        Referred::Rule(_) => Source::Field(field),
                        Referred::Correlation(inner) => source_below(&mut nodes[inner], field),
                    }
                };
                let carried = wanted.iter().map(&mut source).collect();
                nodes[number].slots[slot] = Slot { keys, values, carried };
            }
        }
        Self { nodes, by_rule }
    }

    /// How many correlations there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A correlation, by its number in the set.
    pub fn rule(&self, correlation: usize) -> Option<&CorrelationRule> {
        self.nodes.get(correlation).map(|node| &node.rule)
    }

    /// Whether hits of a plain rule are of interest to any correlation.
    pub fn needs_rule(&self, rule: usize) -> bool {
        self.by_rule.get(rule).is_some_and(|fed| !fed.is_empty())
    }

    pub(super) fn fed_by(&self, rule: usize) -> &[(usize, usize)] {
        self.by_rule.get(rule).map_or(&[], Vec::as_slice)
    }
}

fn node(set: &RuleSet, number: usize, rule: &CorrelationRule) -> Node {
    let correlation = &rule.correlation;
    let all = u64::MAX >> (64 - correlation.rules.len().clamp(1, 64));
    let ways = match &correlation.condition {
        CorrelationCondition::EveryRule => vec![Alternative { needed: all, absent: 0 }],
        CorrelationCondition::Boolean(condition) => alternatives(condition, &correlation.rules).unwrap_or_default(),
        CorrelationCondition::Compare(_) => Vec::new(),
    };
    let enough = match &correlation.condition {
        CorrelationCondition::Compare(comparisons) if correlation.kind.counts() => comparisons
            .iter()
            .filter_map(|(_, than)| match than {
                Number::Int(count) => usize::try_from(*count).ok(),
                Number::Float(_) => None,
            })
            .max()
            .map_or(usize::MAX, |most| most + 1),
        _ => usize::MAX,
    };
    // Positions in the text are no part of the meaning.
    let referred: Vec<&str> = set
        .referred(number)
        .iter()
        .map(|target| match *target {
            Referred::Rule(rule) => set.rules()[rule].identifier(),
            Referred::Correlation(rule) => set.correlations()[rule].heading.identifier(),
        })
        .collect();
    let aliases: Vec<_> = correlation
        .aliases
        .iter()
        .map(|alias| (&alias.name, alias.fields.iter().map(|(rule, field)| (&rule.text, field)).collect::<Vec<_>>()))
        .collect();
    let meaning = format!(
        "{:?}",
        (
            correlation.kind.as_str(),
            referred,
            &correlation.group_by,
            correlation.timespan.ms(),
            &correlation.condition,
            &correlation.fields,
            correlation.percentile,
            aliases
        )
    );
    Node {
        rule: rule.clone(),
        alerts: set.correlation_alerts(number),
        span_ms: i64::try_from(correlation.timespan.ms()).unwrap_or(i64::MAX),
        slots: vec![Slot::default(); correlation.rules.len()],
        parents: Vec::new(),
        carried: Vec::new(),
        ways,
        enough,
        fingerprint: hash_text(HashKey::default(), &meaning)[0],
    }
}

/// What a name of `group-by` or `field` is called in the events of one rule: its alias there, or itself.
fn resolved(
    set: &RuleSet,
    number: usize,
    correlation: &Correlation,
    reference: &str,
    target: Referred,
    wanted: &str,
) -> String {
    let Some(alias) = correlation.aliases.iter().find(|alias| alias.name == wanted) else { return wanted.to_owned() };
    let names = match target {
        Referred::Rule(rule) => (&set.rules()[rule].id, &set.rules()[rule].name),
        Referred::Correlation(rule) => (&set.correlations()[rule].heading.id, &set.correlations()[rule].heading.name),
    };
    debug_assert!(number < set.correlations().len());
    let is_meant = |text: &str| {
        text == reference
            || names.0.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(text))
            || names.1.as_deref() == Some(text)
    };
    let field = alias.fields.iter().find(|(rule, _)| is_meant(&rule.text));
    field.map_or_else(|| wanted.to_owned(), |(_, field)| field.clone())
}

fn source_below(inner: &mut Node, field: String) -> Source {
    if let Some(at) = inner.rule.correlation.group_by.iter().position(|name| *name == field) {
        return Source::Group(at);
    }
    if let Some(at) = inner.carried.iter().position(|name| *name == field) {
        return Source::Carried(at);
    }
    inner.carried.push(field);
    Source::Carried(inner.carried.len() - 1)
}

impl Node {
    pub(super) fn kind(&self) -> CorrelationKind {
        self.rule.correlation.kind
    }

    /// Whether each occurrence says which rules it is of, instead of a value.
    pub(super) fn keeps_slots(&self) -> bool {
        self.kind().is_temporal() || self.kind() == CorrelationKind::EventCount
    }
}
