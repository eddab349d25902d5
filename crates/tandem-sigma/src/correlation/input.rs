//! From events and matches to changes of groups.

use std::borrow::Cow;

use super::group::Key;
use super::plan::{Node, Source};
use super::rule::CorrelationKind;
use super::state::{Add, Carried, Change, Changes, GroupKey};
use crate::event::Event;
use crate::hash::{HashKey, Hasher};
use crate::number::Number;
use crate::pattern::fold;
use crate::value::Value;

/// A plain rule that an event fires, with the event as that rule sees it.
#[derive(Clone, Copy)]
pub struct Hit<'e> {
    /// Number of the rule in [`RuleSet::rules`](crate::RuleSet::rules).
    pub rule: usize,
    /// The event.
    pub event: &'e dyn Event,
}

/// A match of a correlation, as those above see it.
#[derive(Clone, Copy)]
pub(super) struct Match<'m> {
    pub(super) group: &'m [Box<str>],
    pub(super) carried: &'m [Option<Box<str>>],
}

/// Values of one field that are looked at.
const VALUES_MAX: usize = 16;
/// Groups that one event can belong to, by fields with several values.
const GROUPS_MAX: usize = 16;
/// Longest value that is kept as it is.
const TEXT_BYTES_MAX: usize = 512;

/// Adds what an event brings to one slot; false if it lacks a field.
pub(super) fn of_event(
    node: &Node,
    number: usize,
    slot: usize,
    key: Key,
    event: &dyn Event,
    hash_key: HashKey,
    changes: &mut Changes,
) -> bool {
    let sources = &node.slots[slot];
    let mut groups: Vec<Vec<Box<str>>> = vec![Vec::new()];
    for source in &sources.keys {
        let texts = texts(event, source, hash_key);
        if texts.is_empty() {
            return false;
        }
        groups = groups
            .iter()
            .flat_map(|group| {
                texts.iter().map(|text| {
                    let mut group = group.clone();
                    group.push(text.as_str().into());
                    group
                })
            })
            .take(GROUPS_MAX)
            .collect();
    }
    let values = if node.keeps_slots() {
        vec![1 << slot]
    } else {
        let values: Vec<Vec<String>> = sources.values.iter().map(|source| texts(event, source, hash_key)).collect();
        values_of(node, &values, hash_key)
    };
    if values.is_empty() {
        return false;
    }
    let carried: Option<Carried> = (!sources.carried.is_empty()).then(|| {
        let first = |source: &Source| texts(event, source, hash_key).into_iter().next().map(String::into_boxed_str);
        sources.carried.iter().map(first).collect()
    });
    for group in groups {
        add(number, slot, key, &group, &values, carried.as_ref(), hash_key, changes);
    }
    true
}

/// Adds or takes back what a match of another correlation brings; false if it lacks a field.
#[expect(clippy::too_many_arguments, reason = "the counterpart of of_event")]
pub(super) fn of_match(
    node: &Node,
    number: usize,
    slot: usize,
    key: Key,
    Match { group, carried }: Match<'_>,
    is_added: bool,
    hash_key: HashKey,
    changes: &mut Changes,
) -> bool {
    let text = |source: &Source| match source {
        Source::Group(at) => group.get(*at).cloned(),
        Source::Carried(at) => carried.get(*at).cloned().flatten(),
        Source::Field(_) => None,
    };
    let sources = &node.slots[slot];
    let Some(own_group) = sources.keys.iter().map(text).collect::<Option<Vec<Box<str>>>>() else { return false };
    if !is_added {
        let change = change_of(number, &own_group, hash_key, changes);
        change.removes.push((key, slot));
        return true;
    }
    let values = if node.keeps_slots() {
        vec![1 << slot]
    } else {
        let values: Vec<Vec<String>> =
            sources.values.iter().map(|source| text(source).map(String::from).into_iter().collect()).collect();
        values_of(node, &values, hash_key)
    };
    if values.is_empty() {
        return false;
    }
    let brought: Option<Carried> = (!sources.carried.is_empty()).then(|| sources.carried.iter().map(text).collect());
    add(number, slot, key, &own_group, &values, brought.as_ref(), hash_key, changes);
    true
}

fn change_of<'c>(number: usize, group: &[Box<str>], hash_key: HashKey, changes: &'c mut Changes) -> &'c mut Change {
    let change = changes.entry(number).or_default().entry(group_key(group, hash_key)).or_default();
    if change.group.is_empty() && !group.is_empty() {
        change.group = group.into();
    }
    change
}

#[expect(clippy::too_many_arguments, reason = "all of it is different")]
fn add(
    number: usize,
    slot: usize,
    key: Key,
    group: &[Box<str>],
    values: &[u64],
    carried: Option<&Carried>,
    hash_key: HashKey,
    changes: &mut Changes,
) {
    let change = change_of(number, group, hash_key, changes);
    for (at, value) in values.iter().enumerate() {
        let carried = if at == 0 { carried.cloned() } else { None };
        change.adds.push(Add { key, slot, value: *value, carried });
    }
}

/// Whether values are texts that are equal or not, instead of numbers.
fn compares_texts(node: &Node) -> bool {
    let correlation = &node.rule.correlation;
    correlation.kind == CorrelationKind::ValueCount
        || (correlation.kind == CorrelationKind::ValuePercentile && correlation.percentile.is_none())
}

/// Hashes of tuples, or the bits of numbers.
fn values_of(node: &Node, values: &[Vec<String>], hash_key: HashKey) -> Vec<u64> {
    if !compares_texts(node) {
        let numbers = values.iter().flatten().filter_map(|text| Number::from_event_text(text));
        return numbers
            .map(|number| match number {
                Number::Int(int) => int as f64,
                Number::Float(float) => float,
            })
            .filter(|number| number.is_finite())
            .map(f64::to_bits)
            .collect();
    }
    let mut tuples: Vec<Vec<&str>> = vec![Vec::new()];
    for texts in values {
        tuples = tuples
            .iter()
            .flat_map(|tuple| texts.iter().map(|text| [tuple.as_slice(), &[text.as_str()]].concat()))
            .take(VALUES_MAX)
            .collect();
    }
    let mut hashes: Vec<u64> = tuples.iter().map(|tuple| hash_of(tuple.iter().copied(), hash_key)[0]).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn group_key(group: &[Box<str>], hash_key: HashKey) -> GroupKey {
    let [first, second] = hash_of(group.iter().map(|text| &**text), hash_key);
    // The lowest bits are for the lane.
    [first, second & !3]
}

/// Values are compared as all values of Sigma are: without case.
pub(crate) fn hash_of<'t>(texts: impl Iterator<Item = &'t str>, hash_key: HashKey) -> [u64; 2] {
    let mut hasher = Hasher::new(hash_key);
    for text in texts {
        if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            hasher.text(text);
        } else {
            hasher.text(&text.chars().map(fold).collect::<String>());
        }
    }
    hasher.finish()
}

/// The single values of a field as texts, each once; absent and null have none.
fn texts(event: &dyn Event, source: &Source, hash_key: HashKey) -> Vec<String> {
    let Source::Field(name) = source else { return Vec::new() };
    texts_of_field(event, name, hash_key)
}

/// The single values of a field as texts, each once; absent and null have none. Of a very long text the
/// beginning and a hash of the whole are taken.
pub(crate) fn texts_of_field(event: &dyn Event, name: &str, hash_key: HashKey) -> Vec<String> {
    let mut texts = Vec::new();
    let Some(value) = event.field(name) else { return texts };
    value.find_element::<()>(&mut |single: &Value<'_>| {
        if let Some(text) = single.text() {
            let text = bounded(text, hash_key);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        (texts.len() >= VALUES_MAX).then_some(())
    });
    texts
}

fn bounded(text: Cow<'_, str>, hash_key: HashKey) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.into_owned();
    }
    let [first, second] = hash_of(std::iter::once(&*text), hash_key);
    format!("{}…{first:016x}{second:016x}", &text[..text.floor_char_boundary(TEXT_BYTES_MAX)])
}
