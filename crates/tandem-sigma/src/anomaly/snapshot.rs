//! The state of anomaly rules as bytes, and back.
//!
//! Version 1: a byte `1`; the two words of the seed; the clock; the counters; for each rule its identifier, a
//! fingerprint of its `anomaly` section, and its groups in the order of their queue. Numbers as in the
//! snapshot of correlations. The caller guards the bytes with a checksum.

use std::collections::HashMap;

use super::memory::{Counts, HOURS_OF_WEEK, Half, Hour, Memory, Place};
use super::rule::{AnomalyKind, AnomalyRule};
use super::state::{AnomalyCounters, AnomalySettings, AnomalyState, Group, NodeState};
use crate::arrival::EventId;
use crate::bytes::{Damaged, Reader, Writer};
use crate::correlation::{Restored, SnapshotError};
use crate::hash::{HashKey, hash_text};

const VERSION: u8 = 1;

fn fingerprint(rule: &AnomalyRule) -> u64 {
    let anomaly = &rule.anomaly;
    // What only decides when to fire may change without a loss of memory.
    let meaning = (anomaly.kind.as_str(), &anomaly.group_by, &anomaly.fields, anomaly.window.ms());
    hash_text(HashKey::default(), &format!("{meaning:?}"))[0]
}

impl AnomalyState {
    /// The whole state.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.0.push(VERSION);
        writer.word(self.hash_key.0);
        writer.word(self.hash_key.1);
        writer.signed(self.now);
        let counters = &self.counters;
        for counter in
            [counters.evicted_groups, counters.forgotten_values, counters.without_field, counters.future_events]
        {
            writer.number(counter);
        }
        writer.number(self.nodes.len() as u64);
        for (rule, state) in self.rules.iter().zip(&self.nodes) {
            writer.text(rule.rule.identifier());
            writer.word(fingerprint(rule));
            writer.0.push(kind_byte(rule.anomaly.kind));
            let live = || state.queue.iter().filter_map(|(queued, key)| Some((*queued, *key, state.groups.get(key)?)));
            writer.number(live().count() as u64);
            for (queued, key, group) in live() {
                writer.signed(queued);
                writer.word(key[0]);
                writer.word(key[1]);
                writer.signed(group.first);
                writer.signed(group.last_seen);
                write_memory(&mut writer, &group.memory);
            }
        }
        writer.0
    }

    /// The state that `bytes` hold, for rules that may differ from those that wrote them: what means the same
    /// keeps its state.
    pub fn restore(
        rules: &[AnomalyRule],
        settings: AnomalySettings,
        bytes: &[u8],
    ) -> Result<(Self, Restored), SnapshotError> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            VERSION => {}
            other => return Err(SnapshotError::Version(other)),
        }
        let mut state = Self::new(rules, settings, [reader.word()?, reader.word()?]);
        state.now = reader.signed()?;
        state.counters = AnomalyCounters {
            evicted_groups: reader.number()?,
            forgotten_values: reader.number()?,
            without_field: reader.number()?,
            future_events: reader.number()?,
        };
        let mut known: HashMap<(&str, u64), usize> = rules
            .iter()
            .enumerate()
            .map(|(number, rule)| ((rule.rule.identifier(), fingerprint(rule)), number))
            .collect();
        let mut restored = Restored::default();
        for _ in 0..reader.count(11)? {
            let identifier = reader.text()?;
            let place = known.remove(&(identifier, reader.word()?));
            let kind = kind_of_byte(reader.byte()?)?;
            let mut node = NodeState::default();
            for _ in 0..reader.count(20)? {
                let queued = reader.signed()?;
                let key = [reader.word()?, reader.word()?];
                let group = Group {
                    first: reader.signed()?,
                    last_seen: reader.signed()?,
                    memory: read_memory(&mut reader, kind)?,
                };
                node.bytes += group.bytes();
                node.queue.push_back((queued, key));
                if node.groups.insert(key, group).is_some() {
                    return Err(SnapshotError::Damaged);
                }
            }
            match place {
                Some(number) if rules[number].anomaly.kind == kind => state.nodes[number] = node,
                _ => restored.dropped.push(identifier.to_owned()),
            }
        }
        if !reader.0.is_empty() {
            return Err(SnapshotError::Damaged);
        }
        restored.fresh = known.into_keys().map(|(identifier, _)| identifier.to_owned()).collect();
        restored.fresh.sort_unstable();
        Ok((state, restored))
    }
}

fn kind_byte(kind: AnomalyKind) -> u8 {
    AnomalyKind::ALL.iter().position(|(_, known)| *known == kind).unwrap_or(0) as u8
}

fn kind_of_byte(byte: u8) -> Result<AnomalyKind, Damaged> {
    AnomalyKind::ALL.get(usize::from(byte)).map(|(_, kind)| *kind).ok_or(Damaged)
}

fn sorted<V: Copy>(map: &HashMap<u64, V, crate::hash::BuildAsIs>) -> Vec<(u64, V)> {
    let mut pairs: Vec<(u64, V)> = map.iter().map(|(key, value)| (*key, *value)).collect();
    pairs.sort_unstable_by_key(|(key, _)| *key);
    pairs
}

fn write_memory(writer: &mut Writer, memory: &Memory) {
    match memory {
        Memory::Seen(seen) => {
            writer.number(seen.len() as u64);
            for (value, last) in sorted(seen) {
                writer.word(value);
                writer.signed(last);
            }
        }
        Memory::Counts(counts) => {
            writer.signed(counts.began);
            for half in [&counts.now, &counts.before] {
                writer.number(half.total);
                writer.number(half.values.len() as u64);
                for (value, (count, fired)) in sorted(&half.values) {
                    writer.word(value);
                    writer.number(u64::from(count));
                    writer.0.push(u8::from(fired));
                }
            }
        }
        Memory::Hours(hours) => {
            writer.number(hours.len() as u64);
            for hour in hours {
                writer.signed(hour.number);
                writer.word(hour.amount.to_bits());
                writer.0.push(u8::from(hour.fired));
            }
        }
        Memory::Week { week, active } => {
            writer.signed(*week);
            writer.0.extend_from_slice(&active[..]);
        }
        Memory::Places { places, silent_until } => {
            writer.signed(*silent_until);
            writer.number(places.len() as u64);
            for place in places {
                writer.signed(place.time);
                writer.number(place.id.epoch);
                writer.number(place.id.offset);
                writer.number(u64::from(place.id.index));
                writer.word(place.latitude.to_bits());
                writer.word(place.longitude.to_bits());
            }
        }
    }
}

fn read_memory(reader: &mut Reader<'_>, kind: AnomalyKind) -> Result<Memory, Damaged> {
    let mut memory = Memory::new(kind);
    match &mut memory {
        Memory::Seen(seen) => {
            for _ in 0..reader.count(9)? {
                seen.insert(reader.word()?, reader.signed()?);
            }
        }
        Memory::Counts(counts) => {
            *counts = Counts { began: reader.signed()?, now: half(reader)?, before: half(reader)? }
        }
        Memory::Hours(hours) => {
            for _ in 0..reader.count(10)? {
                let hour = reader.signed()?;
                hours.push(Hour { number: hour, amount: f64::from_bits(reader.word()?), fired: reader.byte()? != 0 });
            }
            if !hours.is_sorted_by_key(|hour| hour.number)
                || hours.iter().any(|hour| hour.number.unsigned_abs() > 1 << 50)
            {
                return Err(Damaged);
            }
        }
        Memory::Week { week, active } => {
            *week = reader.signed()?;
            if *week != i64::MIN && week.unsigned_abs() > 1 << 40 {
                return Err(Damaged);
            }
            let (bytes, rest) = reader.0.split_first_chunk::<HOURS_OF_WEEK>().ok_or(Damaged)?;
            **active = *bytes;
            reader.0 = rest;
        }
        Memory::Places { places, silent_until } => {
            *silent_until = reader.signed()?;
            for _ in 0..reader.count(20)? {
                let time = reader.signed()?;
                let id = EventId {
                    epoch: reader.number()?,
                    offset: reader.number()?,
                    index: u32::try_from(reader.number()?).map_err(|_| Damaged)?,
                };
                let (latitude, longitude) = (f64::from_bits(reader.word()?), f64::from_bits(reader.word()?));
                places.push(Place { time, id, latitude, longitude });
            }
        }
    }
    Ok(memory)
}

fn half(reader: &mut Reader<'_>) -> Result<Half, Damaged> {
    let mut half = Half { total: reader.number()?, ..Half::default() };
    for _ in 0..reader.count(10)? {
        let value = reader.word()?;
        let count = u32::try_from(reader.number()?).map_err(|_| Damaged)?;
        half.values.insert(value, (count, reader.byte()? != 0));
    }
    Ok(half)
}
