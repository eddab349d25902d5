//! Who touches how many hosts: what touches more than a share of all is never joined through.

use crate::alert::{EntityKey, EntityKind, address};
use std::collections::HashMap;
use std::time::Duration;
use tandem_base::Timestamp;

const DAY: Duration = Duration::from_hours(24);
const ENTITIES_MAX: usize = 50_000;
const OTHERS_MAX: usize = 4_096;

/// Which hosts were seen with which host, user or address within a day.
#[derive(Debug, Clone, Default)]
pub(super) struct Hubs {
    hosts: HashMap<String, Timestamp>,
    touched: HashMap<EntityKey, HashMap<String, Timestamp>>,
}

impl Hubs {
    /// Counts what was seen together.
    pub(super) fn observe(&mut self, entities: &[(EntityKey, String)], at: Timestamp) {
        // A private address is a machine of the site, even if its name is not known.
        let hosts: Vec<&EntityKey> = entities
            .iter()
            .map(|(key, _)| key)
            .filter(|key| match key.kind {
                EntityKind::Host => true,
                EntityKind::Address => address::parse(&key.value).is_some_and(address::is_private),
                _ => false,
            })
            .collect();
        for host in &hosts {
            if host.kind == EntityKind::Host {
                see(&mut self.hosts, &host.value, at, ENTITIES_MAX);
            }
        }
        for (key, _) in entities {
            for host in hosts.iter().filter(|host| **host != key) {
                if self.touched.len() >= ENTITIES_MAX && !self.touched.contains_key(key) {
                    continue;
                }
                see(self.touched.entry(key.clone()).or_default(), &host.value, at, OTHERS_MAX);
            }
        }
    }

    /// Whether `key` touched more than `share_percent` of all hosts, and more than `hosts_min`, within a day.
    pub(super) fn is_hub(&self, key: &EntityKey, share_percent: u32, hosts_min: u32, at: Timestamp) -> bool {
        let Some(others) = self.touched.get(key).filter(|others| others.len() > hosts_min as usize) else {
            return false;
        };
        let recent = |seen: &HashMap<String, Timestamp>| seen.values().filter(|last| at.since(**last) <= DAY).count();
        let touched = recent(others);
        touched > hosts_min as usize && touched * 100 > recent(&self.hosts) * share_percent as usize
    }

    /// Forgets what lies more than a day before `now`.
    pub(super) fn prune(&mut self, now: Timestamp) {
        self.hosts.retain(|_, last| now.since(*last) <= DAY);
        self.touched.retain(|_, others| {
            others.retain(|_, last| now.since(*last) <= DAY);
            !others.is_empty()
        });
    }
}

fn see(seen: &mut HashMap<String, Timestamp>, name: &str, at: Timestamp, max: usize) {
    if let Some(last) = seen.get_mut(name) {
        *last = (*last).max(at);
    } else if seen.len() < max {
        seen.insert(name.to_owned(), at);
    }
}
