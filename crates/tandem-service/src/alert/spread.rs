//! The same rule on several hosts within the window.

use crate::alert::risk::apart;
use std::collections::HashMap;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::DetectionId;

const RULES_MAX: usize = 20_000;
const HOSTS_MAX: usize = 2_000;
const DETECTIONS_MAX: usize = 20;

/// The last hit of a rule on a host.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) at: Timestamp,
    /// The group that has it; `None` while it is a signal.
    pub(super) group: Option<u64>,
    /// The first few signals.
    pub(super) signals: Vec<DetectionId>,
}

/// Hits by rule and host.
#[derive(Debug, Clone, Default)]
pub(super) struct Spreads(HashMap<String, HashMap<String, Hit>>);

impl Spreads {
    /// Hosts other than `host` on which `rule` fired within `window` of `at`, sorted.
    pub(super) fn others(&self, rule: &str, host: &str, at: Timestamp, window: Duration) -> Vec<(String, Hit)> {
        let mut others: Vec<(String, Hit)> = self
            .0
            .get(rule)
            .into_iter()
            .flatten()
            .filter(|(other, hit)| *other != host && apart(hit.at, at) <= window)
            .map(|(other, hit)| (other.clone(), hit.clone()))
            .collect();
        others.sort_by(|(a, hit_a), (b, hit_b)| (hit_a.at, a).cmp(&(hit_b.at, b)));
        others
    }

    /// Notes a hit that is now in `group`, or a signal.
    pub(super) fn note(&mut self, rule: &str, host: &str, at: Timestamp, detection: DetectionId, group: Option<u64>) {
        if self.0.len() >= RULES_MAX && !self.0.contains_key(rule) {
            return;
        }
        let hosts = self.0.entry(rule.to_owned()).or_default();
        if hosts.len() >= HOSTS_MAX && !hosts.contains_key(host) {
            let Some(oldest) = hosts.iter().min_by_key(|(name, hit)| (hit.at, *name)).map(|(name, _)| name.clone())
            else {
                return;
            };
            hosts.remove(&oldest);
        }
        let hit = hosts.entry(host.to_owned()).or_insert_with(|| Hit { at, group, signals: Vec::new() });
        hit.at = hit.at.max(at);
        if group.is_some() {
            hit.group = group;
            hit.signals.clear();
        } else if hit.signals.len() < DETECTIONS_MAX {
            hit.signals.push(detection);
        }
    }

    /// All hits of `from` are now in `to`; with `None` they are forgotten.
    pub(super) fn move_group(&mut self, from: u64, to: Option<u64>) {
        self.0.retain(|_, hosts| {
            hosts.retain(|_, hit| {
                if hit.group != Some(from) {
                    return true;
                }
                hit.group = to;
                to.is_some()
            });
            !hosts.is_empty()
        });
    }

    /// Forgets what lies more than `window` before `now`.
    pub(super) fn prune(&mut self, now: Timestamp, window: Duration) {
        self.0.retain(|_, hosts| {
            hosts.retain(|_, hit| now.since(hit.at) <= window);
            !hosts.is_empty()
        });
    }
}
