//! The state of anomaly rules: what each group is used to, in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::memory::{Brought, Memory, Unusual, span, week_and_hour};
use super::rule::{Anomaly, AnomalyKind, AnomalyRule};
use crate::arrival::{Arrival, EventId};
use crate::correlation::{Hit, hash_of, texts_of_field};
use crate::event::Event;
use crate::hash::{BuildAsIs, HashKey};
use crate::number::Number;

/// What the state may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnomalySettings {
    /// Memory for all groups, by a count that is a little higher than what they take.
    pub memory_bytes_max: usize,
    /// Values of one group that are remembered.
    pub values_per_group_max: usize,
    /// An event that claims to happen longer than this after it was received is taken as happening then.
    pub future_ms: i64,
}

impl Default for AnomalySettings {
    /// 256 MiB, 20,000 values, five minutes.
    fn default() -> Self {
        Self { memory_bytes_max: 256 << 20, values_per_group_max: 20_000, future_ms: 5 * 60_000 }
    }
}

/// What the state did besides firing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnomalyCounters {
    /// Groups that were forgotten because memory was full.
    pub evicted_groups: u64,
    /// Values that were forgotten since their group had too many.
    pub forgotten_values: u64,
    /// Hits that were not looked at, since their event lacks a field.
    pub without_field: u64,
    /// Events with a time in the future, taken as happening when they were received.
    pub future_events: u64,
}

/// An event is unusual, and this is why. Rule and event together are the identity.
#[derive(Clone, Debug, PartialEq)]
pub struct AnomalyMatch {
    /// Number of the rule in [`RuleSet::anomalies`](crate::RuleSet::anomalies).
    pub anomaly: usize,
    /// The fields of `group-by` with their values, as the event has them.
    pub group: Vec<(String, String)>,
    /// The event.
    pub event: EventId,
    /// When it happened.
    pub time_ms: i64,
    /// The other event that it does not fit to (`impossible_travel`), and the event itself.
    pub events: Vec<EventId>,
    /// What was seen: a count, an amount, a speed in km/h; 1 where nothing is measured.
    pub value: f64,
    /// What it passes or does not reach.
    pub limit: f64,
    /// What was found and what is usual, as a sentence.
    pub words: String,
}

/// The state of every anomaly rule of a set.
#[derive(Clone, Debug)]
pub struct AnomalyState {
    pub(super) rules: Arc<[AnomalyRule]>,
    pub(super) settings: AnomalySettings,
    pub(super) hash_key: HashKey,
    pub(super) nodes: Vec<NodeState>,
    /// The clock of arrival.
    pub(super) now: i64,
    pub(super) counters: AnomalyCounters,
}

#[derive(Clone, Debug, Default)]
pub(super) struct NodeState {
    pub(super) groups: HashMap<[u64; 2], Group, BuildAsIs>,
    /// Groups by when they were looked at last.
    pub(super) queue: VecDeque<(i64, [u64; 2])>,
    pub(super) bytes: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// The time of the first event.
    pub(super) first: i64,
    /// When it last got an event, by the clock of arrival.
    pub(super) last_seen: i64,
    pub(super) memory: Memory,
}

const GROUP_BYTES: usize = 160;

impl Group {
    pub(super) fn bytes(&self) -> usize {
        GROUP_BYTES + self.memory.bytes()
    }
}

impl AnomalyState {
    /// An empty state for the anomaly rules of a set. `seed` makes hashes unforgeable: draw it at random,
    /// once; it stays with the snapshots.
    pub fn new(rules: &[AnomalyRule], settings: AnomalySettings, seed: [u64; 2]) -> Self {
        Self {
            rules: rules.into(),
            settings,
            hash_key: HashKey(seed[0], seed[1]),
            nodes: vec![NodeState::default(); rules.len()],
            now: i64::MIN,
            counters: AnomalyCounters::default(),
        }
    }

    /// Takes an event with the anomaly rules that look at it (`Hit::rule` is the number of the anomaly rule):
    /// those of its log source whose detection it fires, or that have none.
    pub fn observe(&mut self, arrival: &Arrival, hits: &[Hit<'_>], out: &mut Vec<AnomalyMatch>) {
        let mut time = arrival.time_ms;
        if time > arrival.received_ms.saturating_add(self.settings.future_ms) {
            time = arrival.received_ms;
            self.counters.future_events += 1;
        }
        if arrival.received_ms > self.now {
            self.now = arrival.received_ms;
            self.forget_expired();
        }
        for hit in hits {
            self.take(hit, (time, arrival.id), out);
        }
        while self.memory_bytes() > self.settings.memory_bytes_max && self.forget_one() {
            self.counters.evicted_groups += 1;
        }
    }

    fn take(&mut self, hit: &Hit<'_>, key: (i64, EventId), out: &mut Vec<AnomalyMatch>) {
        let rules = Arc::clone(&self.rules);
        let Some(rule) = rules.get(hit.rule) else { return };
        let anomaly = &rule.anomaly;
        let first_text = |name: &String| texts_of_field(hit.event, name, self.hash_key).into_iter().next();
        let group: Option<Vec<String>> = anomaly.group_by.iter().map(first_text).collect();
        let brought = brought(anomaly, hit.event, self.hash_key);
        let (Some(group), false) = (group, brought.is_empty()) else {
            self.counters.without_field += 1;
            return;
        };
        let state = &mut self.nodes[hit.rule];
        let group_key = hash_of(group.iter().map(String::as_str), self.hash_key);
        let now = self.now;
        let queue = &mut state.queue;
        let known = state.groups.entry(group_key).or_insert_with(|| {
            queue.push_back((now, group_key));
            let group = Group { first: key.0, last_seen: now, memory: Memory::new(anomaly.kind) };
            state.bytes += group.bytes();
            group
        });
        if known.last_seen < now.saturating_sub(span(anomaly.window.ms())) {
            // It was gone for its whole window, and is only not swept away yet.
            state.bytes -= known.bytes();
            *known = Group { first: key.0, last_seen: now, memory: Memory::new(anomaly.kind) };
            state.bytes += known.bytes();
        }
        known.last_seen = now;
        known.first = known.first.min(key.0);
        let before = known.bytes();
        for (shown, brought) in brought {
            if let Some(unusual) = known.memory.take(anomaly, key, known.first, &brought) {
                let group = anomaly.group_by.iter().cloned().zip(group.iter().cloned()).collect();
                out.push(found(hit.rule, anomaly, group, key, &unusual, &shown));
            }
        }
        self.counters.forgotten_values += known.memory.bound(self.settings.values_per_group_max);
        state.bytes = state.bytes + known.bytes() - before;
    }

    /// A group without events for its whole window is forgotten, and learns anew when it comes back.
    fn forget_expired(&mut self) {
        for (rule, state) in self.rules.iter().zip(&mut self.nodes) {
            let oldest = self.now.saturating_sub(span(rule.anomaly.window.ms()));
            while let Some((queued, key)) = state.queue.front().copied() {
                if queued >= oldest {
                    break;
                }
                state.queue.pop_front();
                let Some(group) = state.groups.get(&key) else { continue };
                if group.last_seen < oldest {
                    state.forget(key);
                } else {
                    let last_seen = group.last_seen;
                    state.queue.push_back((last_seen, key));
                }
            }
        }
    }

    /// Where memory is full, the rule that takes most of it forgets the group that got no event for longest.
    fn forget_one(&mut self) -> bool {
        let Some(state) = self.nodes.iter_mut().max_by_key(|state| state.bytes) else { return false };
        while let Some((queued, key)) = state.queue.pop_front() {
            let Some(group) = state.groups.get(&key) else { continue };
            if group.last_seen > queued {
                let last_seen = group.last_seen;
                state.queue.push_back((last_seen, key));
                continue;
            }
            state.forget(key);
            return true;
        }
        false
    }

    /// Memory that groups take, a little overestimated.
    pub fn memory_bytes(&self) -> usize {
        self.nodes.iter().map(|state| state.bytes).sum()
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.nodes.iter().map(|state| state.groups.len()).sum()
    }

    /// What happened besides firing, since the beginning.
    pub fn counters(&self) -> AnomalyCounters {
        self.counters
    }
}

impl NodeState {
    fn forget(&mut self, key: [u64; 2]) {
        if let Some(group) = self.groups.remove(&key) {
            self.bytes -= group.bytes();
        }
    }
}

/// What the event brings, each with the words for it.
fn brought(anomaly: &Anomaly, event: &dyn Event, hash_key: HashKey) -> Vec<(String, Brought)> {
    let texts = |at: usize| anomaly.fields.get(at).map_or_else(Vec::new, |name| texts_of_field(event, name, hash_key));
    match anomaly.kind {
        AnomalyKind::UnusualTime => vec![(String::new(), Brought::Presence)],
        AnomalyKind::Volume if anomaly.fields.is_empty() => vec![(String::new(), Brought::Amount(1.0))],
        AnomalyKind::Volume => {
            let numbers: Vec<f64> = texts(0).iter().filter_map(|text| number_of(text)).collect();
            if numbers.is_empty() { Vec::new() } else { vec![(String::new(), Brought::Amount(numbers.iter().sum()))] }
        }
        AnomalyKind::FirstSeen | AnomalyKind::Rare => {
            let mut tuples: Vec<Vec<String>> = vec![Vec::new()];
            for at in 0..anomaly.fields.len() {
                let texts = texts(at);
                let longer = |tuple: &Vec<String>| {
                    texts.iter().map(|text| [tuple.as_slice(), std::slice::from_ref(text)].concat()).collect::<Vec<_>>()
                };
                tuples = tuples.iter().flat_map(longer).take(VALUES_MAX).collect();
            }
            tuples
                .into_iter()
                .map(|tuple| {
                    let hash = hash_of(tuple.iter().map(String::as_str), hash_key)[0];
                    (named(&anomaly.fields, &tuple), Brought::Value(hash))
                })
                .collect()
        }
        AnomalyKind::NewPair => {
            let (left, right) = (texts(0), texts(1));
            let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
            pairs
                .take(VALUES_MAX)
                .map(|(left, right)| {
                    let hash = |parts: &[&str]| hash_of(parts.iter().copied(), hash_key)[0];
                    let hashes = [hash(&["left", left]), hash(&["right", right]), hash(&["both", left, right])];
                    (named(&anomaly.fields, &[left.clone(), right.clone()]), Brought::Pair(hashes))
                })
                .collect()
        }
        AnomalyKind::ImpossibleTravel => {
            let coordinate = |at: usize, most: f64| {
                texts(at).first().and_then(|text| number_of(text)).filter(|degrees| degrees.abs() <= most)
            };
            match (coordinate(0, 90.0), coordinate(1, 180.0)) {
                // Nought and nought is what data bases say of addresses that they do not know.
                (Some(latitude), Some(longitude)) if latitude != 0.0 || longitude != 0.0 => {
                    vec![(format!("{latitude}, {longitude}"), Brought::Place(latitude, longitude))]
                }
                _ => Vec::new(),
            }
        }
    }
}

/// Values of one event that are looked at.
const VALUES_MAX: usize = 16;

fn number_of(text: &str) -> Option<f64> {
    let number = match Number::from_event_text(text)? {
        Number::Int(int) => int as f64,
        Number::Float(float) => float,
    };
    number.is_finite().then_some(number)
}

fn named(fields: &[String], values: &[String]) -> String {
    let pairs: Vec<String> = fields.iter().zip(values).map(|(field, value)| format!("{field} = {value}")).collect();
    pairs.join(" and ")
}

fn found(
    number: usize,
    anomaly: &Anomaly,
    group: Vec<(String, String)>,
    (time_ms, id): (i64, EventId),
    unusual: &Unusual,
    shown: &str,
) -> AnomalyMatch {
    let whom = if group.is_empty() {
        "here".to_owned()
    } else {
        let pairs: Vec<String> = group.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        format!("for {}", pairs.join(" and "))
    };
    let window = anomaly.window;
    let mut events = vec![id];
    let (value, limit, words) = match unusual {
        Unusual::New if anomaly.kind == AnomalyKind::NewPair => {
            (1.0, 0.0, format!("{shown} are both known {whom}, but were not seen together in the last {window}"))
        }
        Unusual::New => (1.0, 0.0, format!("{shown} was not seen {whom} in the last {window}")),
        Unusual::Rare { count, total } => (
            f64::from(*count),
            anomaly.share_percent * *total as f64 / 100.0,
            format!(
                "{shown} is in {count} of {total} events {whom} in the last {window}, at most {} %",
                anomaly.share_percent
            ),
        ),
        Unusual::Volume { amount, median, limit, weeks } => {
            let what = anomaly.fields.first().map_or_else(|| "events".to_owned(), |field| format!("of {field}"));
            let round = |number: f64| (number * 100.0).round() / 100.0;
            let words = format!(
                "{} {what} {whom} in this hour; in the same hour of {weeks} earlier weeks the median is {}, and up to {} is usual",
                round(*amount),
                round(*median),
                round(*limit)
            );
            (*amount, *limit, words)
        }
        Unusual::Hour { weeks } => {
            let (_, hour) = week_and_hour(time_ms);
            let day = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][hour / 24 % 7];
            let words = format!(
                "activity {whom} on {day} at {:02} h UTC, an hour of the week without any in the last {weeks} weeks, nor beside it",
                hour % 24
            );
            (1.0, 0.0, words)
        }
        Unusual::Travel { from, km, kmh } => {
            events.insert(0, from.id);
            let minutes = from.time.abs_diff(time_ms) / 60_000;
            let words = format!(
                "events {whom} at {}, {} and at {shown}, {km:.0} km apart, within {minutes} minutes: {kmh:.0} km/h, at most {} are possible",
                from.latitude, from.longitude, anomaly.speed_kmh
            );
            (*kmh, anomaly.speed_kmh, words)
        }
    };
    AnomalyMatch { anomaly: number, group, event: id, time_ms, events, value, limit, words }
}
