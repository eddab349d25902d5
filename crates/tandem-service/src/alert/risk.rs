//! Risk of entities: each rule counts once per entity and window.

use crate::alert::{EntityKey, JoinKey};
use std::collections::HashMap;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::DetectionId;

const ENTITIES_MAX: usize = 200_000;
const RULES_MAX: usize = 500;
const DETECTIONS_MAX: usize = 20;

/// What one rule adds to one entity.
#[derive(Debug, Clone)]
pub(super) struct Contribution {
    pub(super) points: u32,
    pub(super) last: Timestamp,
    /// The first few detections.
    pub(super) detections: Vec<DetectionId>,
    pub(super) key: JoinKey,
    pub(super) entities: Vec<EntityKey>,
}

/// Risk by entity and rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Risks(HashMap<EntityKey, HashMap<String, Contribution>>);

impl Risks {
    /// Adds; answers the entity's sum within `window` of `at`.
    pub(super) fn add(
        &mut self,
        entity: &EntityKey,
        (detection, at): (DetectionId, Timestamp),
        points: u32,
        key: &JoinKey,
        entities: &[EntityKey],
        window: Duration,
    ) -> u32 {
        if self.0.len() >= ENTITIES_MAX && !self.0.contains_key(entity) {
            return points;
        }
        let rules = self.0.entry(entity.clone()).or_default();
        if let Some(known) = rules.get_mut(&key.rule) {
            if apart(known.last, at) > window {
                known.detections.clear();
            }
            known.last = known.last.max(at);
            known.points = known.points.max(points);
            if known.detections.len() < DETECTIONS_MAX && !known.detections.contains(&detection) {
                known.detections.push(detection);
            }
        } else if rules.len() < RULES_MAX {
            let contribution = Contribution {
                points,
                last: at,
                detections: vec![detection],
                key: key.clone(),
                entities: entities.to_vec(),
            };
            rules.insert(key.rule.clone(), contribution);
        }
        rules
            .values()
            .filter(|each| apart(each.last, at) <= window)
            .fold(0, |sum, each| sum.saturating_add(each.points))
    }

    /// Takes out what counted for `entity` within `window` of `at`: it is in a case now.
    pub(super) fn take(&mut self, entity: &EntityKey, at: Timestamp, window: Duration) -> Vec<Contribution> {
        let mut taken: Vec<Contribution> = self.0.remove(entity).unwrap_or_default().into_values().collect();
        taken.retain(|each| apart(each.last, at) <= window);
        taken.sort_by(|a, b| (a.last, &a.key).cmp(&(b.last, &b.key)));
        for contribution in &taken {
            for other in contribution.entities.iter().filter(|other| *other != entity) {
                self.forget(other, &contribution.key.rule);
            }
        }
        taken
    }

    /// Forgets what `rule` added to `entity`.
    pub(super) fn forget(&mut self, entity: &EntityKey, rule: &str) {
        if let Some(rules) = self.0.get_mut(entity) {
            rules.remove(rule);
            if rules.is_empty() {
                self.0.remove(entity);
            }
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
