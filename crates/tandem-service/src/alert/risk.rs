//! Risk of entities: each rule counts once per entity and window.

use crate::alert::{EntityKey, JoinKey};
use std::collections::HashMap;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::DetectionId;

const ENTITIES_MAX: usize = 200_000;
const RULES_MAX: usize = 500;
const DETECTIONS_MAX: usize = 20;

/// One signal that counts.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) id: DetectionId,
    pub(super) at: Timestamp,
    pub(super) key: JoinKey,
    pub(super) entities: Vec<EntityKey>,
}

/// What one rule adds to one entity.
#[derive(Debug, Clone)]
struct Contribution {
    points: u32,
    last: Timestamp,
    /// The first few.
    signals: Vec<Counted>,
}

/// Risk by entity and rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Risks(HashMap<EntityKey, HashMap<String, Contribution>>);

impl Risks {
    /// Adds; answers the entity's sum within `window` of the signal.
    pub(super) fn add(&mut self, entity: &EntityKey, signal: &Counted, points: u32, window: Duration) -> u32 {
        if self.0.len() >= ENTITIES_MAX && !self.0.contains_key(entity) {
            return points;
        }
        let rules = self.0.entry(entity.clone()).or_default();
        if let Some(known) = rules.get_mut(&signal.key.rule) {
            if apart(known.last, signal.at) > window {
                known.signals.clear();
            }
            known.last = known.last.max(signal.at);
            known.points = known.points.max(points);
            if known.signals.len() < DETECTIONS_MAX && known.signals.iter().all(|each| each.id != signal.id) {
                known.signals.push(signal.clone());
            }
        } else if rules.len() < RULES_MAX {
            let contribution = Contribution { points, last: signal.at, signals: vec![signal.clone()] };
            rules.insert(signal.key.rule.clone(), contribution);
        }
        rules
            .values()
            .filter(|each| apart(each.last, signal.at) <= window)
            .fold(0, |sum, each| sum.saturating_add(each.points))
    }

    /// Takes out what counted for `entity` within `window` of `at`: it is in a case now, and counts for nobody else.
    /// Answers how many rules there were, and the signals in order.
    pub(super) fn take(&mut self, entity: &EntityKey, at: Timestamp, window: Duration) -> (usize, Vec<Counted>) {
        let mut taken: Vec<Contribution> = self.0.remove(entity).unwrap_or_default().into_values().collect();
        taken.retain(|each| apart(each.last, at) <= window);
        let rules = taken.len();
        let mut signals: Vec<Counted> = taken.into_iter().flat_map(|each| each.signals).collect();
        signals.retain(|each| apart(each.at, at) <= window);
        signals.sort_by(|a, b| (a.at, &a.key, a.id).cmp(&(b.at, &b.key, b.id)));
        self.forget_elsewhere(entity, &signals);
        (rules, signals)
    }

    /// What has this key is in a case now: it counts for nobody any more.
    pub(super) fn take_key(&mut self, key: &JoinKey) {
        let Some(contribution) = self.0.get(&key.entity).and_then(|rules| rules.get(&key.rule)) else { return };
        let signals: Vec<Counted> = contribution.signals.iter().filter(|each| each.key == *key).cloned().collect();
        self.forget_one(&key.entity, &signals);
        self.forget_elsewhere(&key.entity, &signals);
    }

    fn forget_elsewhere(&mut self, entity: &EntityKey, signals: &[Counted]) {
        for signal in signals {
            for other in signal.entities.iter().filter(|other| *other != entity) {
                self.forget_one(other, std::slice::from_ref(signal));
            }
        }
    }

    fn forget_one(&mut self, entity: &EntityKey, signals: &[Counted]) {
        let Some(rules) = self.0.get_mut(entity) else { return };
        for signal in signals {
            if let Some(contribution) = rules.get_mut(&signal.key.rule) {
                contribution.signals.retain(|each| each.id != signal.id);
                match contribution.signals.iter().map(|each| each.at).max() {
                    Some(last) => contribution.last = last,
                    None => drop(rules.remove(&signal.key.rule)),
                }
            }
        }
        if rules.is_empty() {
            self.0.remove(entity);
        }
    }

    /// Forgets what lies more than `window` before `now`.
    pub(super) fn prune(&mut self, now: Timestamp, window: Duration) {
        self.0.retain(|_, rules| {
            rules.retain(|_, each| now.since(each.last) <= window);
            !rules.is_empty()
        });
    }
}

/// The distance of two instants, whichever is earlier.
pub(super) fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}
