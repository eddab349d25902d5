//! The state of correlations: groups in sliding windows of event time, in bounded memory.
//!
//! Nothing here reads a clock: time is what events say. For each correlation and each group the events of
//! the window are kept in the order of their time, however they arrive, and every change is judged anew from
//! its place on. What `docs/sigma.md` calls the line of a group divides what is final from what a late
//! event may still change.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use super::group::{Bounds, Group, Key, Occurrence};
use super::input::{Hit, Match, of_event, of_match};
use super::measure::Scratch;
use super::outcome::{Outcome, Withdrawal, found, named_group};
use super::plan::{CorrelationPlan, Node};
use crate::arrival::Arrival;
use crate::hash::{BuildAsIs, HashKey};

/// What the state may use, and how patient it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorrelationSettings {
    /// Events that come at most so much later than newer ones of their group change nothing in the outcome.
    pub lateness_ms: i64,
    /// An event that claims to happen longer than this after it was received is taken as happening then.
    pub future_ms: i64,
    /// After firing a group is silent for its timespan, but not longer than this.
    pub silence_ms_max: i64,
    /// Memory for all groups, by a count that is a little higher than what they take.
    pub memory_bytes_max: usize,
    /// Events of one group that are kept; a correlation that counts further keeps as many as it needs.
    pub events_per_group_max: usize,
}

impl Default for CorrelationSettings {
    /// Five minutes late, one hour silent, 512 MiB, 4096 events a group.
    fn default() -> Self {
        Self {
            lateness_ms: 5 * 60_000,
            future_ms: 5 * 60_000,
            silence_ms_max: 60 * 60_000,
            memory_bytes_max: 512 << 20,
            events_per_group_max: 4096,
        }
    }
}

/// What the state did besides firing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorrelationCounters {
    /// Groups that were forgotten because memory was full.
    pub evicted_groups: u64,
    /// Events that were left out since their group had too many.
    pub shortened_events: u64,
    /// Events that came behind the watermark.
    pub late_events: u64,
    /// Events so late that their group could not take them any more.
    pub too_late_events: u64,
    /// Hits that were not counted, since their event lacks a field of `group-by` or the counted field.
    pub without_field: u64,
    /// Events with a time in the future, taken as happening when they were received.
    pub future_events: u64,
}

/// The state of every correlation of a set.
#[derive(Clone, Debug)]
pub struct CorrelationState {
    pub(super) plan: Arc<CorrelationPlan>,
    pub(super) settings: CorrelationSettings,
    pub(super) hash_key: HashKey,
    pub(super) nodes: Vec<NodeState>,
    /// The clock of arrival: the latest instant at which an event was received.
    pub(super) now: i64,
    /// The latest time of an event.
    pub(super) newest: i64,
    pub(super) counters: CorrelationCounters,
    scratch: Scratch,
}

/// The groups of one correlation.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeState {
    pub(super) groups: HashMap<GroupKey, Group, BuildAsIs>,
    /// Groups since they came, with the arrival clock of then; and those that proved to be more than one event.
    pub(super) young: VecDeque<(i64, GroupKey)>,
    pub(super) kept: VecDeque<(i64, GroupKey)>,
    pub(super) carried: Vec<Option<Carried>>,
    pub(super) free: Vec<usize>,
    pub(super) occurrence_count: usize,
    pub(super) carried_bytes: usize,
    pub(super) evicted: u64,
}

/// Hash of the values of a group; the lowest two bits of the second word are its lane.
pub(super) type GroupKey = [u64; 2];

/// Values that a crossing event brings along for the correlations above.
pub(super) type Carried = Box<[Option<Box<str>>]>;

/// Events that are too late for a group go into a second one, and so on: whoever sends the log of a whole
/// night at once is judged by itself.
const LANES: u64 = 4;

/// What a group takes beside its events: its own 72 bytes, its place in the map and the queue.
const GROUP_BYTES: usize = 192;
const OCCURRENCE_BYTES: usize = size_of::<Occurrence>();

/// Changes of one group that belong together.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) group: Rc<[Box<str>]>,
    pub(super) adds: Vec<Add>,
    pub(super) removes: Vec<(Key, usize)>,
}

#[derive(Clone, Debug)]
pub(super) struct Add {
    pub(super) key: Key,
    pub(super) slot: usize,
    pub(super) value: u64,
    pub(super) carried: Option<Carried>,
}

pub(super) type Changes = BTreeMap<usize, BTreeMap<GroupKey, Change>>;

impl CorrelationState {
    /// An empty state. `seed` makes the hashes of groups unforgeable: draw it at random, once; it stays with
    /// the snapshots.
    pub fn new(plan: Arc<CorrelationPlan>, settings: CorrelationSettings, seed: [u64; 2]) -> Self {
        let nodes = vec![NodeState::default(); plan.len()];
        Self {
            plan,
            settings,
            hash_key: HashKey(seed[0], seed[1]),
            nodes,
            now: i64::MIN,
            newest: i64::MIN,
            counters: CorrelationCounters::default(),
            scratch: Scratch::default(),
        }
    }

    /// What the state runs.
    pub fn plan(&self) -> &Arc<CorrelationPlan> {
        &self.plan
    }

    /// Takes an event with the plain rules that it fires, and appends what comes of it. Events that fire no
    /// rule may be given too: they only move the clock.
    pub fn observe(&mut self, arrival: &Arrival, hits: &[Hit<'_>], out: &mut Vec<Outcome>) {
        let (time, late) = self.advance(arrival);
        let plan = Arc::clone(&self.plan);
        let mut changes = Changes::new();
        for hit in hits {
            for (node, slot) in plan.fed_by(hit.rule) {
                let complete = of_event(
                    &plan.nodes[*node],
                    *node,
                    *slot,
                    (time, arrival.id),
                    hit.event,
                    self.hash_key,
                    &mut changes,
                );
                self.counters.without_field += u64::from(!complete);
            }
        }
        if changes.is_empty() {
            return;
        }
        self.counters.late_events += u64::from(late);
        while let Some((number, groups)) = changes.pop_first() {
            for (key, change) in groups {
                self.change(&plan, number, key, change, (arrival, late), &mut changes, out);
            }
        }
        self.forget_surplus();
    }

    /// Moves the clocks; answers the event's time and whether it is behind the watermark.
    fn advance(&mut self, arrival: &Arrival) -> (i64, bool) {
        let mut time = arrival.time_ms;
        if time > arrival.received_ms.saturating_add(self.settings.future_ms) {
            time = arrival.received_ms;
            self.counters.future_events += 1;
        }
        let late = self.watermark().is_some_and(|watermark| time < watermark);
        self.newest = self.newest.max(time);
        if arrival.received_ms > self.now {
            self.now = arrival.received_ms;
            self.forget_expired();
        }
        (time, late)
    }

    fn bounds(&self, node: &Node) -> Bounds {
        Bounds {
            silence_ms: node.span_ms.min(self.settings.silence_ms_max),
            lateness_ms: self.settings.lateness_ms,
            events_max: if node.enough == usize::MAX {
                self.settings.events_per_group_max
            } else {
                self.settings.events_per_group_max.max(node.enough.saturating_mul(2))
            },
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of one loop, split for reading")]
    fn change(
        &mut self,
        plan: &CorrelationPlan,
        number: usize,
        key: GroupKey,
        change: Change,
        (arrival, late): (&Arrival, bool),
        changes: &mut Changes,
        out: &mut Vec<Outcome>,
    ) {
        let node = &plan.nodes[number];
        let bounds = self.bounds(node);
        let joins = node.keeps_slots();
        let state = &mut self.nodes[number];
        // Lanes that changed, each with the first place of a change.
        let mut touched: BTreeMap<GroupKey, Key> = BTreeMap::new();
        let mut gone: Vec<(Key, Carried)> = Vec::new();
        let mut touch = |lane: GroupKey, at: Key| {
            touched.entry(lane).and_modify(|first| *first = at.min(*first)).or_insert(at);
        };
        for (at, slot) in change.removes {
            for lane in (0..LANES).map(|lane| in_lane(key, lane)) {
                let Some(group) = state.groups.get_mut(&lane) else { break };
                let before = group.occurrences.len();
                let removed = group.remove(at, slot, joins);
                state.occurrence_count -= before - group.occurrences.len();
                if removed.found {
                    touch(lane, at);
                    gone.extend(removed.carried.into_iter().filter_map(|place| Some((at, state.take_carried(place)?))));
                    break;
                }
            }
        }
        for add in change.adds {
            let lanes = (0..LANES).map(|lane| in_lane(key, lane));
            let lane = lanes.into_iter().find(|lane| state.groups.get(lane).is_none_or(|group| group.takes(add.key.0)));
            let Some(lane) = lane else {
                self.counters.too_late_events += 1;
                continue;
            };
            touch(lane, add.key);
            state.add(lane, add, joins, self.now, bounds.lateness_ms);
        }
        let names = &change.group;
        for (lane, from) in touched {
            let state = &mut self.nodes[number];
            let Some(group) = state.groups.get_mut(&lane) else { continue };
            let verdicts = group.judge(node, &bounds, from, &mut self.scratch);
            let mut replaced = verdicts.removed.iter().copied();
            for crossing in &verdicts.added {
                let replaces = replaced.next();
                if node.alerts {
                    let mut found = found(number, node, names, crossing, &group.occurrences);
                    found.late = late || lane != in_lane(lane, 0) || crossing.key.1 != arrival.id;
                    found.replaces = replaces.map(|key| key.1);
                    found.incomplete = group.shortened;
                    out.push(Outcome::Detected(found));
                }
            }
            if node.alerts {
                out.extend(replaced.map(|key| {
                    Outcome::Withdrawn(Withdrawal {
                        correlation: number,
                        group: named_group(node, names),
                        crossing: key.1,
                        time_ms: key.0,
                    })
                }));
            }
            let carried_at = |key: Key| {
                let from = group.occurrences.partition_point(|known| known.key() < key);
                let mut same = group.occurrences[from..].iter().take_while(|known| known.key() == key);
                let place = same.find_map(Occurrence::carried);
                let here = place.and_then(|place| state.carried.get(place)?.as_ref());
                here.or_else(|| gone.iter().find(|(at, _)| *at == key).map(|(_, carried)| carried))
            };
            for (parent, slot) in &node.parents {
                let parent_node = &plan.nodes[*parent];
                let mut feed = |key: Key, is_added: bool| {
                    let carried = carried_at(key).map_or(&[][..], |carried| carried);
                    of_match(
                        parent_node,
                        *parent,
                        *slot,
                        key,
                        Match { group: names, carried },
                        is_added,
                        self.hash_key,
                        changes,
                    )
                };
                for key in &verdicts.removed {
                    feed(*key, false);
                }
                for crossing in &verdicts.added {
                    let complete = feed(crossing.key, true);
                    self.counters.without_field += u64::from(!complete);
                }
            }
            let mut freed = Vec::new();
            let was_shortened = group.shortened;
            let before = group.occurrences.len();
            group.tidy(node, &bounds, &mut freed);
            let after = group.occurrences.len();
            if group.shortened && !was_shortened {
                self.counters.shortened_events += (before - after) as u64;
            }
            state.occurrence_count -= before - after;
            for place in freed {
                state.take_carried(place);
            }
        }
    }

    /// Groups in which nothing can happen any more: their last event lies further back than the window and
    /// the allowed lateness.
    fn forget_expired(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (node, state) in plan.nodes.iter().zip(&mut self.nodes) {
            let hold = node.span_ms.saturating_add(self.settings.lateness_ms).saturating_add(self.settings.future_ms);
            let oldest = self.now.saturating_sub(hold);
            for is_young in [true, false] {
                while let Some((queued, key)) = state.queue(is_young).front().copied() {
                    if queued >= oldest {
                        break;
                    }
                    state.queue(is_young).pop_front();
                    let Some(group) = state.groups.get(&key) else { continue };
                    if group.last_seen < oldest {
                        state.forget(key);
                    } else {
                        let last_seen = group.last_seen;
                        state.kept.push_back((last_seen, key));
                    }
                }
            }
        }
    }

    /// Where memory is full, the correlation that takes most of it gives way: first groups with a single
    /// event, oldest first, then the ones that got no event for longest.
    fn forget_surplus(&mut self) {
        while self.memory_bytes() > self.settings.memory_bytes_max {
            let Some(state) = self.nodes.iter_mut().max_by_key(|state| state.bytes()) else { return };
            if !state.forget_one() {
                return;
            }
            self.counters.evicted_groups += 1;
        }
    }

    /// Memory that groups take, a little overestimated.
    pub fn memory_bytes(&self) -> usize {
        self.nodes.iter().map(NodeState::bytes).sum()
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.nodes.iter().map(|state| state.groups.len()).sum()
    }

    /// Groups of one correlation, and how many of them were forgotten because memory was full.
    pub fn groups_of(&self, correlation: usize) -> (usize, u64) {
        self.nodes.get(correlation).map_or((0, 0), |state| (state.groups.len(), state.evicted))
    }

    /// What happened besides firing, since the beginning.
    pub fn counters(&self) -> CorrelationCounters {
        self.counters
    }

    /// Events before this time are late. `None` before the first event.
    pub fn watermark(&self) -> Option<i64> {
        (self.newest != i64::MIN).then(|| self.newest.saturating_sub(self.settings.lateness_ms))
    }
}

impl NodeState {
    pub(super) fn bytes(&self) -> usize {
        self.groups.len() * GROUP_BYTES + self.occurrence_count * OCCURRENCE_BYTES + self.carried_bytes
    }

    fn queue(&mut self, is_young: bool) -> &mut VecDeque<(i64, GroupKey)> {
        if is_young { &mut self.young } else { &mut self.kept }
    }

    fn add(&mut self, lane: GroupKey, add: Add, joins: bool, now: i64, lateness_ms: i64) {
        let carried = add.carried.map(|carried| self.put_carried(carried));
        let occurrence = Occurrence::new(add.key, add.slot, add.value, carried);
        let young = &mut self.young;
        let group = self.groups.entry(lane).or_insert_with(|| {
            young.push_back((now, lane));
            Group::new()
        });
        group.last_seen = now;
        group.see(add.key.0, lateness_ms);
        if group.insert(occurrence, joins) {
            self.occurrence_count += 1;
        } else if let Some(place) = carried {
            self.take_carried(place);
        }
    }

    pub(super) fn put_carried(&mut self, carried: Carried) -> usize {
        self.carried_bytes += bytes_of(&carried);
        match self.free.pop() {
            Some(place) => {
                self.carried[place] = Some(carried);
                place
            }
            None => {
                self.carried.push(Some(carried));
                self.carried.len() - 1
            }
        }
    }

    fn take_carried(&mut self, place: usize) -> Option<Carried> {
        let carried = self.carried.get_mut(place)?.take()?;
        self.carried_bytes -= bytes_of(&carried);
        self.free.push(place);
        Some(carried)
    }

    fn forget(&mut self, key: GroupKey) {
        let Some(group) = self.groups.remove(&key) else { return };
        self.occurrence_count -= group.occurrences.len();
        for place in group.occurrences.iter().filter_map(Occurrence::carried) {
            self.take_carried(place);
        }
    }

    fn forget_one(&mut self) -> bool {
        while let Some((_, key)) = self.young.pop_front() {
            let Some(group) = self.groups.get(&key) else { continue };
            if group.occurrences.len() > 1 || group.fired.is_some() {
                let last_seen = group.last_seen;
                self.kept.push_back((last_seen, key));
                continue;
            }
            self.forget(key);
            self.evicted += 1;
            return true;
        }
        while let Some((queued, key)) = self.kept.pop_front() {
            let Some(group) = self.groups.get(&key) else { continue };
            if group.last_seen > queued {
                let last_seen = group.last_seen;
                self.kept.push_back((last_seen, key));
                continue;
            }
            self.forget(key);
            self.evicted += 1;
            return true;
        }
        false
    }
}

fn bytes_of(carried: &Carried) -> usize {
    let texts: usize = carried.iter().flatten().map(|text| text.len()).sum();
    32 + carried.len() * 16 + texts
}

fn in_lane(key: GroupKey, lane: u64) -> GroupKey {
    [key[0], key[1] & !(LANES - 1) | lane]
}
