//! What is remembered of one group: its events in the order of their time, and when it fired.

use super::measure::{Measure, Scratch, measure};
use super::plan::Node;
use crate::arrival::EventId;

/// The place of an event in its group: time, then name.
pub(super) type Key = (i64, EventId);

/// One event (or one value of it) in a group: 40 bytes, of which a million groups hold several millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) time: i64,
    epoch: u64,
    offset: u64,
    /// The rules that the event is of as bits, or a number, or the hash of a value.
    pub(super) value: u64,
    index: u32,
    /// The slot in the upper eight bits, the place of what is carried along in the others.
    tag: u32,
}

const NOTHING_CARRIED: u32 = 0x00ff_ffff;

impl Occurrence {
    pub(super) fn new(key: Key, slot: usize, value: u64, carried: Option<usize>) -> Self {
        let (time, EventId { epoch, offset, index }) = key;
        let place = carried.and_then(|place| u32::try_from(place).ok()).filter(|place| *place < NOTHING_CARRIED);
        Self { time, epoch, offset, value, index, tag: (slot as u32) << 24 | place.unwrap_or(NOTHING_CARRIED) }
    }

    pub(super) fn id(&self) -> EventId {
        EventId { epoch: self.epoch, offset: self.offset, index: self.index }
    }

    pub(super) fn key(&self) -> Key {
        (self.time, self.id())
    }

    pub(super) fn slot(&self) -> usize {
        (self.tag >> 24) as usize
    }

    pub(super) fn carried(&self) -> Option<usize> {
        let place = self.tag & NOTHING_CARRIED;
        (place != NOTHING_CARRIED).then_some(place as usize)
    }
}

/// A group of one correlation.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// In the order of their keys, then of their slots.
    pub(super) occurrences: Vec<Occurrence>,
    /// Crossing events: the last one that is final, and all that are not.
    pub(super) fired: Option<Box<Fired>>,
    /// Events before this time are final; others may still be joined by late ones.
    pub(super) line: i64,
    /// When it last got an event, by the clock of arrival.
    pub(super) last_seen: i64,
    pub(super) tidy_at: u32,
    /// Events were left out because there were too many.
    pub(super) shortened: bool,
}

/// Crossing events in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fired(pub(super) Vec<Key>);

/// A crossing event with what was measured there.
#[derive(Clone, Debug)]
pub(super) struct Crossing {
    pub(super) key: Key,
    pub(super) measure: Measure,
    /// The events that count, as places in [`Group::occurrences`].
    pub(super) window: std::ops::Range<usize>,
}

/// What a change of a group leads to.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts {
    pub(super) added: Vec<Crossing>,
    pub(super) removed: Vec<Key>,
}

/// Bounds that a group keeps to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) silence_ms: i64,
    pub(super) lateness_ms: i64,
    pub(super) events_max: usize,
}

const TIDY_AT_LEAST: u32 = 16;

impl Group {
    pub(super) fn new() -> Self {
        Self {
            occurrences: Vec::new(),
            fired: None,
            line: i64::MIN,
            last_seen: i64::MIN,
            tidy_at: TIDY_AT_LEAST,
            shortened: false,
        }
    }

    /// Whether an event of this time still belongs here.
    pub(super) fn takes(&self, time: i64) -> bool {
        time >= self.line
    }

    /// Moves the line behind an event of this time.
    pub(super) fn see(&mut self, time: i64, lateness_ms: i64) {
        self.line = self.line.max(time.saturating_sub(lateness_ms));
    }

    /// Inserts an occurrence; rules of the same event are joined if `joins`.
    pub(super) fn insert(&mut self, occurrence: Occurrence, joins: bool) -> bool {
        let key = occurrence.key();
        let at = match self.occurrences.last() {
            Some(last) if last.key() >= key => self.occurrences.partition_point(|known| known.key() < key),
            _ => self.occurrences.len(),
        };
        let mut same = self.occurrences[at..].iter_mut().take_while(|known| known.key() == key);
        if joins {
            if let Some(known) = same.next() {
                known.value |= occurrence.value;
                return false;
            }
        } else if same.any(|known| known.value == occurrence.value && known.slot() == occurrence.slot()) {
            return false;
        }
        let before =
            self.occurrences[at..].iter().take_while(|known| known.key() == key && known.slot() <= occurrence.slot());
        let behind = at + before.count();
        if self.occurrences.len() == self.occurrences.capacity() {
            // Most groups stay small, so room is not taken for four at once.
            self.occurrences.reserve_exact(self.occurrences.len().max(1));
        }
        self.occurrences.insert(behind, occurrence);
        true
    }

    /// Takes the event out of one slot; answers what it carried along, if the event is gone with it.
    pub(super) fn remove(&mut self, key: Key, slot: usize, joins: bool) -> Removed {
        let from = self.occurrences.partition_point(|known| known.key() < key);
        let to = from + self.occurrences[from..].iter().take_while(|known| known.key() == key).count();
        if from == to {
            return Removed { found: false, carried: Vec::new() };
        }
        let mut carried = Vec::new();
        let mut found = false;
        let mut at = from;
        for _ in from..to {
            let known = &mut self.occurrences[at];
            if joins {
                found |= known.value & (1 << slot) != 0;
                known.value &= !(1 << slot);
            } else {
                found |= known.slot() == slot;
            }
            let goes = if joins { known.value == 0 } else { known.slot() == slot };
            if goes {
                carried.extend(known.carried());
                self.occurrences.remove(at);
            } else {
                at += 1;
            }
        }
        Removed { found, carried }
    }

    /// Decides anew for every event from `from` on.
    pub(super) fn judge(&mut self, node: &Node, bounds: &Bounds, from: Key, scratch: &mut Scratch) -> Verdicts {
        let mut verdicts = Verdicts::default();
        let mut fired = self.fired.take().unwrap_or_default();
        let kept = fired.0.partition_point(|key| *key < from);
        let before: Vec<Key> = fired.0.drain(kept..).collect();
        let mut at = self.occurrences.partition_point(|known| known.key() < from);
        while at < self.occurrences.len() {
            let key = self.occurrences[at].key();
            while self.occurrences.get(at + 1).is_some_and(|next| next.key() == key) {
                at += 1;
            }
            let last = fired.0.last().copied();
            let may_fire = last.is_none_or(|last| key.0 >= last.0.saturating_add(bounds.silence_ms) && key > last);
            if may_fire {
                let window = self.window(node.span_ms, at, last);
                if let Some(measure) = measure(node, &self.occurrences[window.clone()], scratch) {
                    fired.0.push(key);
                    if !before.contains(&key) {
                        verdicts.added.push(Crossing { key, measure, window });
                    }
                }
            }
            at += 1;
        }
        verdicts.removed = before.into_iter().filter(|key| fired.0.binary_search(key).is_err()).collect();
        self.fired = (!fired.0.is_empty()).then_some(fired);
        verdicts
    }

    /// The events that count for the one at `at`: not older than the span, and behind the last crossing.
    fn window(&self, span_ms: i64, at: usize, last: Option<Key>) -> std::ops::Range<usize> {
        let oldest = self.occurrences[at].time.saturating_sub(span_ms);
        let before = &self.occurrences[..at];
        let by_time = before.partition_point(|known| known.time < oldest);
        let by_last = last.map_or(0, |last| before.partition_point(|known| known.key() <= last));
        by_time.max(by_last)..at + 1
    }

    /// Leaves out what no later event can need any more. Answers the places of what left was carrying.
    pub(super) fn tidy(&mut self, node: &Node, bounds: &Bounds, freed: &mut Vec<usize>) {
        if self.occurrences.len() < self.tidy_at as usize {
            return;
        }
        self.compress(node, freed);
        if self.occurrences.len() > bounds.events_max {
            // So many within the allowed lateness: the older half becomes final.
            self.line = self.line.max(self.occurrences[self.occurrences.len() / 2].time);
            self.compress(node, freed);
        }
        if self.occurrences.len() > bounds.events_max {
            let surplus = self.occurrences.len() - bounds.events_max / 2;
            freed.extend(self.occurrences.drain(..surplus).filter_map(|gone| gone.carried()));
            self.shortened = true;
        }
        let most = bounds.events_max.saturating_add(1);
        let next = self.occurrences.len().saturating_mul(2).min(self.occurrences.len().max(most));
        self.tidy_at = u32::try_from(next).unwrap_or(u32::MAX).max(TIDY_AT_LEAST);
        if self.occurrences.capacity() > 2 * self.occurrences.len() + TIDY_AT_LEAST as usize {
            self.occurrences.shrink_to_fit();
        }
    }

    fn compress(&mut self, node: &Node, freed: &mut Vec<usize>) {
        let line = self.line;
        let mut consumed = None;
        if let Some(fired) = &mut self.fired {
            let final_count = fired.0.partition_point(|key| key.0 < line);
            fired.0.drain(..final_count.saturating_sub(1));
            consumed = fired.0.first().filter(|_| final_count > 0).copied();
        }
        let oldest = line.saturating_sub(node.span_ms);
        let final_count = self.occurrences.partition_point(|known| known.time < line);
        let mut keep = vec![true; final_count];
        let mut keeper = super::measure::Keeper::new(node);
        for at in (0..final_count).rev() {
            let known = &self.occurrences[at];
            let counts = known.time >= oldest && consumed.is_none_or(|consumed| known.key() > consumed);
            keep[at] = counts && keeper.keeps(known);
        }
        let mut at = 0;
        self.occurrences.retain(|known| {
            let kept = keep.get(at).copied().unwrap_or(true);
            at += 1;
            if !kept {
                freed.extend(known.carried());
            }
            kept
        });
    }
}

/// What taking an event out did.
pub(super) struct Removed {
    pub(super) found: bool,
    pub(super) carried: Vec<usize>,
}
