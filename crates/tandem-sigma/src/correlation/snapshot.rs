//! The state as bytes, and back.
//!
//! Version 1: a byte `1`; the two words of the seed; the clocks; the counters; for each correlation its
//! identifier, a fingerprint of its meaning, the names of what is carried, and its groups in the order of
//! their queues. Numbers are variable-length (seven bits a byte), hashes are eight bytes, little-endian. The
//! caller guards the bytes with a checksum, and stores them together with the position in the stream.

use std::collections::HashMap;
use std::sync::Arc;

use super::group::{Fired, Group, Key, Occurrence};
use super::plan::CorrelationPlan;
use super::state::{Carried, CorrelationCounters, CorrelationSettings, CorrelationState, GroupKey, NodeState};
use crate::arrival::EventId;
use crate::bytes::{Damaged, Reader, Writer};

const VERSION: u8 = 1;

/// Why bytes are no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Another version of the library wrote it.
    #[error("the snapshot has version {0}, and version 1 is read")]
    Version(u8),
    /// It was cut, or is something else.
    #[error("the snapshot is damaged")]
    Damaged,
}

impl From<Damaged> for SnapshotError {
    fn from(Damaged: Damaged) -> Self {
        Self::Damaged
    }
}

/// What became of the parts of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Identifiers of rules whose state is dropped, since they are gone or mean something else now.
    pub dropped: Vec<String>,
    /// Identifiers of rules that begin without state.
    pub fresh: Vec<String>,
}

impl CorrelationState {
    /// The whole state.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.0.push(VERSION);
        writer.word(self.hash_key.0);
        writer.word(self.hash_key.1);
        writer.signed(self.now);
        writer.signed(self.newest);
        let counters = &self.counters;
        for counter in [
            counters.evicted_groups,
            counters.shortened_events,
            counters.late_events,
            counters.too_late_events,
            counters.without_field,
            counters.future_events,
        ] {
            writer.number(counter);
        }
        writer.number(self.nodes.len() as u64);
        for (node, state) in self.plan.nodes.iter().zip(&self.nodes) {
            writer.text(node.rule.heading.identifier());
            writer.word(node.fingerprint);
            writer.number(node.carried.len() as u64);
            node.carried.iter().for_each(|name| writer.text(name));
            writer.number(state.evicted);
            for queue in [&state.young, &state.kept] {
                let live = || queue.iter().filter_map(|(queued, key)| Some((*queued, *key, state.groups.get(key)?)));
                writer.number(live().count() as u64);
                for (queued, key, group) in live() {
                    writer.signed(queued);
                    writer.word(key[0]);
                    writer.word(key[1]);
                    write_group(&mut writer, group, state);
                }
            }
        }
        writer.0
    }

    /// The state that `bytes` hold, for a plan that may differ from the one that wrote them: what means the
    /// same keeps its state.
    pub fn restore(
        plan: Arc<CorrelationPlan>,
        settings: CorrelationSettings,
        bytes: &[u8],
    ) -> Result<(Self, Restored), SnapshotError> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            VERSION => {}
            other => return Err(SnapshotError::Version(other)),
        }
        let mut state = Self::new(plan, settings, [reader.word()?, reader.word()?]);
        state.now = reader.signed()?;
        state.newest = reader.signed()?;
        state.counters = CorrelationCounters {
            evicted_groups: reader.number()?,
            shortened_events: reader.number()?,
            late_events: reader.number()?,
            too_late_events: reader.number()?,
            without_field: reader.number()?,
            future_events: reader.number()?,
        };
        let plan = Arc::clone(&state.plan);
        let mut known: HashMap<(&str, u64), usize> = HashMap::new();
        for (number, node) in plan.nodes.iter().enumerate() {
            known.insert((node.rule.heading.identifier(), node.fingerprint), number);
        }
        let mut restored = Restored::default();
        for _ in 0..reader.count(12)? {
            let identifier = reader.text()?;
            let fingerprint = reader.word()?;
            let names = (0..reader.count(1)?).map(|_| reader.text()).collect::<Result<Vec<_>, _>>()?;
            let place = known.remove(&(identifier, fingerprint));
            // For each name that is carried now, where it stood.
            let carried: Vec<Option<usize>> = place.map_or_else(Vec::new, |number| {
                let now = plan.nodes[number].carried.iter();
                now.map(|name| names.iter().position(|known| known == name)).collect()
            });
            let mut node = NodeState { evicted: reader.number()?, ..NodeState::default() };
            for is_young in [true, false] {
                for _ in 0..reader.count(20)? {
                    let queued = reader.signed()?;
                    let key: GroupKey = [reader.word()?, reader.word()?];
                    let group = read_group(&mut reader, names.len(), &carried, &mut node)?;
                    node.occurrence_count += group.occurrences.len();
                    if node.groups.insert(key, group).is_some() {
                        return Err(SnapshotError::Damaged);
                    }
                    let queue = if is_young { &mut node.young } else { &mut node.kept };
                    queue.push_back((queued, key));
                }
            }
            match place {
                Some(number) => state.nodes[number] = node,
                None => restored.dropped.push(identifier.to_owned()),
            }
        }
        if !reader.0.is_empty() {
            return Err(SnapshotError::Damaged);
        }
        restored.fresh = known.into_keys().map(|(identifier, _)| identifier.to_owned()).collect();
        restored.fresh.sort_unstable();
        Ok((state, restored))
    }

    /// The state for another plan, such as that of a changed rule set: what means the same keeps its state.
    #[must_use]
    pub fn with_plan(self, plan: Arc<CorrelationPlan>) -> (Self, Restored) {
        let settings = self.settings;
        let bytes = self.snapshot();
        drop(self);
        Self::restore(plan, settings, &bytes).expect("a snapshot just written can be read")
    }
}

fn write_key(writer: &mut Writer, key: Key, before: &mut i64) {
    writer.signed(key.0.wrapping_sub(*before));
    *before = key.0;
    writer.number(key.1.epoch);
    writer.number(key.1.offset);
    writer.number(u64::from(key.1.index));
}

fn read_key(reader: &mut Reader<'_>, before: &mut i64) -> Result<Key, Damaged> {
    *before = before.wrapping_add(reader.signed()?);
    let id = EventId {
        epoch: reader.number()?,
        offset: reader.number()?,
        index: u32::try_from(reader.number()?).map_err(|_| Damaged)?,
    };
    Ok((*before, id))
}

fn write_group(writer: &mut Writer, group: &Group, state: &NodeState) {
    writer.signed(group.line);
    writer.signed(group.last_seen);
    writer.number(u64::from(group.tidy_at));
    writer.0.push(u8::from(group.shortened));
    let mut before = group.last_seen;
    let fired = group.fired.as_ref().map_or(&[][..], |fired| &fired.0);
    writer.number(fired.len() as u64);
    for key in fired {
        write_key(writer, *key, &mut before);
    }
    writer.number(group.occurrences.len() as u64);
    for known in &group.occurrences {
        write_key(writer, known.key(), &mut before);
        writer.0.push(known.slot() as u8);
        writer.word(known.value);
        let carried = known.carried().and_then(|place| state.carried.get(place)?.as_ref());
        writer.0.push(u8::from(carried.is_some()));
        for value in carried.into_iter().flatten() {
            writer.0.push(u8::from(value.is_some()));
            if let Some(text) = value {
                writer.text(text);
            }
        }
    }
}

fn read_group(
    reader: &mut Reader<'_>,
    stored: usize,
    carried: &[Option<usize>],
    node: &mut NodeState,
) -> Result<Group, Damaged> {
    let mut group = Group::new();
    group.line = reader.signed()?;
    group.last_seen = reader.signed()?;
    group.tidy_at = u32::try_from(reader.number()?).map_err(|_| Damaged)?;
    group.shortened = reader.byte()? != 0;
    let mut before = group.last_seen;
    let fired = (0..reader.count(4)?).map(|_| read_key(reader, &mut before)).collect::<Result<Vec<_>, _>>()?;
    let count = reader.count(14)?;
    group.occurrences.reserve_exact(count);
    for _ in 0..count {
        let key = read_key(reader, &mut before)?;
        let slot = usize::from(reader.byte()?);
        let value = reader.word()?;
        let mut place = None;
        if reader.byte()? != 0 {
            let mut values = Vec::new();
            for _ in 0..stored {
                values.push(if reader.byte()? != 0 { Some(reader.text()?) } else { None });
            }
            let now = carried.iter().map(|at| values.get((*at)?).copied().flatten().map(Box::from));
            let now: Carried = now.collect();
            if !now.is_empty() {
                place = Some(node.put_carried(now));
            }
        }
        group.occurrences.push(Occurrence::new(key, slot, value, place));
    }
    let sorted = group.occurrences.is_sorted_by_key(Occurrence::key) && fired.is_sorted();
    if !sorted {
        return Err(Damaged);
    }
    group.fired = (!fired.is_empty()).then(|| Box::new(Fired(fired)));
    Ok(group)
}
