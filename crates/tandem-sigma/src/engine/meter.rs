//! What each rule costs, and the budget that a rule must not exceed.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::matcher::Asking;
use super::set::Bits;
use super::{Engine, Session};

/// What a rule may cost before it is disabled.
///
/// Counted is the time in which a rule's own tests are asked one by one (regular expressions,
/// wildcards inside texts, comparisons); texts that one automaton finds for all rules cost none of them
/// more than the others.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// A clock that counts nanoseconds from any beginning and never goes back.
    pub clock: fn() -> u64,
    /// Most nanoseconds for an event, on average over `events`.
    pub nanos_per_event_max: u64,
    /// After so many events costs are judged and counted anew. A rule that uses up all that it has
    /// for them is judged at once.
    pub events: u32,
}

/// A rule that was disabled because it exceeded the budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// The number of the rule.
    pub rule: u32,
    /// What it took, in nanoseconds, over `events`.
    pub nanos: u64,
    /// The events over which that was counted.
    pub events: u64,
}

impl std::fmt::Display for Disabled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.nanos / 1000;
        write!(
            f,
            "the rule took {micros} µs over {} events, more than its budget, and is not evaluated any more",
            self.events
        )
    }
}

/// What a rule took in one session since measuring began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleCost {
    /// The number of the rule.
    pub rule: u32,
    /// Nanoseconds in which its own tests were asked one by one; a test that several rules share
    /// counts for each.
    pub nanos: u64,
    /// How often its condition was decided. Outcomes that are remembered are not decided again.
    pub decided: u64,
    /// The events for which it fired.
    pub fired: u64,
}

/// Counts of a session.
#[derive(Debug)]
pub(super) struct Meter {
    costs: Vec<RuleCost>,
    /// Nanoseconds by leaf before the present span of events.
    nanos_before: Vec<u64>,
    events: u64,
    events_before: u64,
}

impl Meter {
    #[inline]
    pub(super) fn decided(&mut self, rule: u32) {
        self.costs[rule as usize].decided += 1;
    }

    pub(super) fn count(&mut self, fired: &[u32]) {
        self.events += 1;
        for rule in fired {
            self.costs[*rule as usize].fired += 1;
        }
    }
}

impl Engine {
    /// The rules that the budget disabled, in the order in which that happened. They stay disabled in
    /// every session of this engine.
    pub fn disabled(&self) -> Vec<Disabled> {
        self.disabled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn disable(&self, disabled: Disabled) {
        let mut list = self.disabled.lock().unwrap_or_else(PoisonError::into_inner);
        if list.iter().all(|other| other.rule != disabled.rule) {
            list.push(disabled);
            self.disabled_count.store(list.len() as u32, Ordering::Release);
        }
    }
}

impl Session {
    /// Begins to measure what each rule costs; `clock` counts nanoseconds. It slows evaluation down.
    pub fn measure(&mut self, clock: fn() -> u64) {
        let rules = self.engine().rules.len() as u32;
        let leaves = self.engine().leaves.len();
        self.meter = Some(Box::new(Meter {
            costs: (0..rules).map(|rule| RuleCost { rule, ..RuleCost::default() }).collect(),
            nanos_before: vec![0; leaves],
            events: 0,
            events_before: 0,
        }));
        let budget = self.engine().budget;
        let nanos_max =
            budget.map_or(u64::MAX, |budget| budget.nanos_per_event_max.saturating_mul(u64::from(budget.events)));
        self.work.scratch.asking =
            Some(Asking { clock, nanos: vec![0; leaves], muted: Bits::new(leaves), nanos_max, passed: false });
    }

    /// What each rule took since [`Session::measure`] was called, by number; empty without it.
    pub fn costs(&self) -> Vec<RuleCost> {
        let (Some(meter), Some(asking)) = (&self.meter, &self.work.scratch.asking) else { return Vec::new() };
        let total = |leaf: u32| meter.nanos_before[leaf as usize] + asking.nanos[leaf as usize];
        let with_nanos = |cost: &RuleCost| {
            let nanos = self.engine().leaves_of_rule(cost.rule).iter().map(|leaf| total(*leaf)).sum();
            RuleCost { nanos, ..*cost }
        };
        meter.costs.iter().map(with_nanos).collect()
    }

    pub(super) fn start_budget(&mut self) {
        if let Some(budget) = self.engine().budget {
            self.measure(budget.clock);
        }
    }

    /// Judges costs if it is time to, and takes note of rules that were disabled.
    #[inline]
    pub(super) fn watch_budget(&mut self) {
        if let (Some(budget), Some(meter), Some(asking)) =
            (self.engine().budget, &self.meter, &self.work.scratch.asking)
            && (asking.passed || meter.events - meter.events_before >= u64::from(budget.events))
        {
            self.judge(budget);
        }
        if self.engine().disabled_count.load(Ordering::Acquire) != self.disabled_seen {
            self.note_disabled();
        }
    }

    fn judge(&mut self, budget: Budget) {
        let engine = std::sync::Arc::clone(self.engine());
        let (Some(meter), Some(asking)) = (&mut self.meter, &mut self.work.scratch.asking) else { return };
        let events = (meter.events - meter.events_before).max(1);
        let nanos_max = budget.nanos_per_event_max.saturating_mul(u64::from(budget.events));
        for rule in 0..engine.rules.len() as u32 {
            if self.disabled.get(rule) {
                continue;
            }
            let nanos = engine.leaves_of_rule(rule).iter().map(|leaf| asking.nanos[*leaf as usize]).sum::<u64>();
            if nanos > nanos_max {
                engine.disable(Disabled { rule, nanos, events });
            }
        }
        for (before, nanos) in meter.nanos_before.iter_mut().zip(&mut asking.nanos) {
            *before = before.saturating_add(std::mem::take(nanos));
        }
        meter.events_before = meter.events;
        asking.passed = false;
    }

    /// Stops asking for what only disabled rules want to know.
    fn note_disabled(&mut self) {
        let engine = std::sync::Arc::clone(self.engine());
        let list = engine.disabled();
        self.disabled_seen = list.len() as u32;
        for disabled in &list {
            self.disabled.set(disabled.rule);
        }
        if let Some(asking) = &mut self.work.scratch.asking {
            let mut wanted = Bits::new(engine.leaves.len());
            for rule in (0..engine.rules.len() as u32).filter(|rule| !self.disabled.get(*rule)) {
                engine.leaves_of_rule(rule).iter().for_each(|leaf| wanted.set(*leaf));
            }
            for leaf in (0..engine.leaves.len() as u32).filter(|leaf| !wanted.get(*leaf)) {
                asking.muted.set(leaf);
            }
        }
        self.forget();
    }
}
