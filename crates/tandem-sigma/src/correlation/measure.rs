//! What the events of a window come to, and whether that fulfils the condition.

use std::collections::HashSet;

use super::alternatives::Alternative;
use super::group::Occurrence;
use super::plan::Node;
use super::rule::{CorrelationCondition, CorrelationKind};
use crate::number::Number;

/// What was measured where the condition holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    /// The number that was compared; of rules, how many there are.
    pub(super) value: Number,
    /// The rules that have events in the window, as bits.
    pub(super) slots: u64,
}

/// Room for sorting, used again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    hashes: Vec<u64>,
    numbers: Vec<f64>,
}

/// Measures a window (its last occurrence is the event in question); `None` if the condition does not hold.
pub(super) fn measure(node: &Node, window: &[Occurrence], scratch: &mut Scratch) -> Option<Measure> {
    let correlation = &node.rule.correlation;
    let slots = || window.iter().fold(0, |bits, known| bits | known.value);
    let count = |count: usize| Number::Int(count as i128);
    let (value, slots) = match correlation.kind {
        CorrelationKind::EventCount => (count(window.len()), slots()),
        CorrelationKind::ValueCount => {
            scratch.hashes.clear();
            scratch.hashes.extend(window.iter().map(|known| known.value));
            scratch.hashes.sort_unstable();
            scratch.hashes.dedup();
            (count(scratch.hashes.len()), 0)
        }
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
            let ordered = correlation.kind == CorrelationKind::TemporalOrdered;
            let present = slots();
            let value = match &correlation.condition {
                CorrelationCondition::Compare(_) if ordered => longest_chain(window),
                CorrelationCondition::Compare(_) => present.count_ones() as usize,
                _ => {
                    let holds = node.ways.iter().any(|way| fulfils(way, present, ordered, window));
                    if !holds {
                        return None;
                    }
                    present.count_ones() as usize
                }
            };
            (count(value), present)
        }
        CorrelationKind::ValuePercentile if correlation.percentile.is_none() => {
            let own = once(window).last()?.value;
            let same = once(window).filter(|known| known.value == own).count();
            (Number::Float(100.0 * same as f64 / once(window).count() as f64), 0)
        }
        kind => {
            scratch.numbers.clear();
            scratch.numbers.extend(once(window).map(|known| f64::from_bits(known.value)));
            (Number::Float(aggregate(kind, correlation.percentile, &mut scratch.numbers)), 0)
        }
    };
    correlation.condition.accepts(value).then_some(Measure { value, slots })
}

/// The values of each event by the first rule that it is of: an event that fires two rules is one event.
fn once(window: &[Occurrence]) -> impl Iterator<Item = &Occurrence> {
    let mut first = None;
    window.iter().filter(move |known| match first {
        Some((key, slot)) if key == known.key() => slot == known.slot(),
        _ => {
            first = Some((known.key(), known.slot()));
            true
        }
    })
}

/// `numbers` are in the order of time, so that sums do not depend on the order of arrival.
fn aggregate(kind: CorrelationKind, percentile: Option<f64>, numbers: &mut [f64]) -> f64 {
    let rank = match kind {
        CorrelationKind::ValueSum => return numbers.iter().sum(),
        CorrelationKind::ValueAvg => return numbers.iter().sum::<f64>() / numbers.len() as f64,
        CorrelationKind::ValueMin => 0.0,
        CorrelationKind::ValueMax => 100.0,
        CorrelationKind::ValuePercentile => percentile.unwrap_or(50.0),
        _ => 50.0,
    };
    numbers.sort_unstable_by(f64::total_cmp);
    let place = rank / 100.0 * (numbers.len().saturating_sub(1)) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    match (numbers.get(below), numbers.get(below + 1)) {
        (Some(low), Some(high)) if part > 0.0 => low + (high - low) * part,
        (Some(low), _) => *low,
        _ => f64::NAN,
    }
}

fn fulfils(way: &Alternative, present: u64, ordered: bool, window: &[Occurrence]) -> bool {
    present & way.needed == way.needed && present & way.absent == 0 && (!ordered || in_order(way.needed, window))
}

/// Whether events of these rules stand in the order of the rules; equal times are in order.
fn in_order(needed: u64, window: &[Occurrence]) -> bool {
    let mut rest = window;
    for slot in (0..64).filter(|slot| needed & (1 << slot) != 0) {
        let Some(found) = rest.iter().find(|known| known.value & (1 << slot) != 0) else { return false };
        let time = found.time;
        let from = window.partition_point(|known| known.time < time);
        rest = &window[from..];
    }
    true
}

/// The largest number of different rules in their order; equal times are in order.
fn longest_chain(window: &[Occurrence]) -> usize {
    let mut longest = [0_usize; 64];
    let mut rest = window;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|known| known.time == first.time).count();
        let bits = rest[..same].iter().fold(0, |bits, known| bits | known.value);
        let mut before = 0;
        for (slot, known) in longest.iter_mut().enumerate() {
            if bits & (1 << slot) != 0 {
                *known = (*known).max(before + 1);
            }
            before = before.max(*known);
        }
        rest = &rest[same..];
    }
    longest.into_iter().max().unwrap_or(0)
}

/// Decides, from the newest to the oldest, which of the final occurrences still matter: what is measured of
/// any later window must come out the same without the others.
pub(super) struct Keeper<'n> {
    node: &'n Node,
    seen: HashSet<u64>,
    slots: u64,
    last: Option<u64>,
    events: usize,
}

impl<'n> Keeper<'n> {
    pub(super) fn new(node: &'n Node) -> Self {
        Self { node, seen: HashSet::new(), slots: 0, last: None, events: 0 }
    }

    pub(super) fn keeps(&mut self, known: &Occurrence) -> bool {
        match self.node.kind() {
            // More than enough is as good as enough.
            CorrelationKind::EventCount => {
                self.events += 1;
                self.events <= self.node.enough
            }
            // The latest occurrence of a value stands for all before it.
            CorrelationKind::ValueCount => self.seen.len() < self.node.enough && self.seen.insert(known.value),
            // Likewise the latest of each rule.
            CorrelationKind::Temporal => {
                let is_new = known.value & !self.slots != 0;
                self.slots |= known.value;
                is_new
            }
            // Of a run of the same rule the last can take the place of every other.
            CorrelationKind::TemporalOrdered => self.last.replace(known.value) != Some(known.value),
            _ => true,
        }
    }
}
