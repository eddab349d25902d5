//! What the policy says of one detection and of one entity, before grouping.

use crate::alert::{AlertPolicy, EntityKey, EntityKind, address};
use crate::case::Priority;
use tandem_model::{Detection, Level};

/// What a detection is worth by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Opens a case if it joins none.
    Opens {
        /// How urgent.
        priority: Priority,
        /// Why so.
        reason: String,
    },
    /// Adds risk, and joins what it belongs to.
    Risk {
        /// Points.
        points: u32,
    },
    /// Adds what risk it has, opens and joins nothing by itself.
    Signal {
        /// Points.
        points: u32,
    },
}

impl AlertPolicy {
    /// What `detection`, which concerns `entities`, is worth.
    pub fn disposition(&self, detection: &Detection, entities: &[(EntityKey, String)]) -> Disposition {
        let points = self.points(detection.level);
        let tagged = |tag: &str| detection.tags.iter().any(|each| each.eq_ignore_ascii_case(tag));
        let by_use_case = self.use_case_tags.iter().filter(|(tag, _)| tagged(tag)).map(|(_, priority)| *priority).min();
        if let Some(priority) = by_use_case {
            return Disposition::Opens { priority, reason: format!("the use case says {priority}") };
        }
        let level = detection.level.word();
        let quiet =
            self.signals.levels.iter().any(|each| each == level) || self.signals.tags.iter().any(|tag| tagged(tag));
        if quiet {
            return Disposition::Signal { points: points.min(self.signals.points_max) };
        }
        let Some(line) = self.opens.iter().find(|line| {
            line.kind == detection.kind.word()
                && line.level == level
                && (line.status.is_empty() || line.status.iter().any(|each| each == detection.status.word()))
        }) else {
            return Disposition::Risk { points };
        };
        let infrastructure = &self.infrastructure;
        for (names, what) in [
            (&infrastructure.crown_jewels, "a crown jewel"),
            (&infrastructure.domain_controllers, "a domain controller"),
        ] {
            if let Some((_, name)) = entities.iter().find(|(key, _)| names.iter().any(|each| is_named(key, each))) {
                return Disposition::Opens { priority: Priority::P1, reason: format!("{name} is {what}") };
            }
        }
        let reason = match detection.kind {
            tandem_model::DetectionKind::Rule if line.status.is_empty() => format!("the rule's level is {level}"),
            tandem_model::DetectionKind::Rule => {
                format!("the rule's level is {level}, its status {}", detection.status.word())
            }
            tandem_model::DetectionKind::VendorAlert => format!("the vendor calls it {level}"),
        };
        Disposition::Opens { priority: line.priority, reason }
    }

    /// Whether the same rule on several hosts counts as spreading.
    pub(super) fn spreads(&self, level: Level) -> bool {
        self.spreading.levels.iter().any(|each| each == level.word())
    }

    /// Whether an entity names somebody: no machine account, no well-known account, no loopback.
    pub fn is_somebody(&self, key: &EntityKey) -> bool {
        match key.kind {
            EntityKind::Host => key.value != "localhost",
            EntityKind::Address => address::parse(&key.value).is_some_and(|address| !address::is_nobody(address)),
            EntityKind::Source => false,
            EntityKind::User => {
                let name = key.value.rsplit_once('\\').map_or(key.value.as_str(), |(_, name)| name);
                !name.ends_with('$')
                    && !self.well_known_users.iter().any(|each| like(&key.value, each) || like(name, each))
                    && !self.local_users.contains(&key.value)
            }
        }
    }

    /// Whether the sheet forbids joining through it.
    pub(super) fn is_infrastructure(&self, key: &EntityKey) -> bool {
        self.infrastructure.never_join_through().any(|name| is_named(key, name))
    }
}

/// Whether the sheet's `name` means this entity. A short name means every host that it is short for.
fn is_named(key: &EntityKey, name: &str) -> bool {
    if let Some(address) = address::parse(&key.value) {
        return address::is_in(address, name);
    }
    if key.kind != EntityKind::Host {
        return false;
    }
    let name = name.trim().trim_end_matches('.').to_lowercase();
    key.value == name
        || name.split('.').next() == Some(key.value.as_str())
        || key.value.split('.').next() == Some(&*name)
}

/// Equal but for case, or with a `*` at the end of the pattern.
fn like(text: &str, pattern: &str) -> bool {
    let pattern = pattern.to_lowercase();
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => text == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Names;

    #[test]
    fn accounts_that_are_nobody() {
        let policy = AlertPolicy::standard();
        let somebody = |name: &str| Names::user(name).is_some_and(|key| policy.is_somebody(&key));
        for name in [
            "NT AUTHORITY\\SYSTEM",
            "SYSTEM",
            "WS1$",
            "CORP\\WS1$",
            "ws1$@corp.example",
            "Font Driver Host\\UMFD-3",
            "DWM-1",
            "ANONYMOUS LOGON",
            "NT-AUTORITÄT\\NETZWERKDIENST",
            "S-1-5-18",
            "root",
            "-",
            "",
            "IIS APPPOOL\\Shop",
        ] {
            assert!(!somebody(name), "{name}");
        }
        for name in ["CORP\\dana", "dana", "CORP\\Administrator", "dana@corp.example", "systemx"] {
            assert!(somebody(name), "{name}");
        }
    }
}
