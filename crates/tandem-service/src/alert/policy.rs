//! The policy as data (`content/alert_policy.yaml`).

use crate::alert::address;
use crate::case::Priority;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tandem_model::Level;

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not YAML of the right shape.
    #[error("the alert policy is not readable: {0}")]
    Syntax(String),
    /// A value that would make no sense.
    #[error("the alert policy says `{field}`: {because}")]
    Value {
        /// Where.
        field: &'static str,
        /// Why not.
        because: String,
    },
}

/// One line of `opens`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRule {
    /// `rule` or `vendor_alert`.
    pub kind: String,
    /// Level of the detection.
    pub level: String,
    /// Status of the rule; empty: any.
    #[serde(default)]
    pub status: Vec<String>,
    /// How urgent.
    pub priority: Priority,
}

/// What never opens or joins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalRule {
    /// Levels.
    pub levels: Vec<String>,
    /// Tags of rules.
    pub tags: Vec<String>,
    /// The most risk that one of them adds, whatever its level.
    pub points_max: u32,
}

/// How risk adds up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// Over how many hours.
    pub window_hours: u32,
    /// From which sum a case opens.
    pub threshold: u32,
    /// How urgent that case is.
    pub priority: Priority,
    /// Points by level.
    pub points: BTreeMap<String, u32>,
}

/// The same rule on several hosts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spreading {
    /// On how many hosts.
    pub hosts: u32,
    /// Within how many minutes.
    pub window_minutes: u32,
    /// For rules of these levels.
    pub levels: Vec<String>,
}

/// Joining through a shared host or user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// Within how many hours.
    pub window_hours: u32,
    /// Through what: `host`, `user`, `address`.
    pub by: Vec<super::EntityKind>,
    /// Percent of all known hosts.
    pub hub_share_percent: u32,
    /// But at least so many hosts.
    pub hub_hosts_min: u32,
}

/// What the customer's sheet says of machines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Infrastructure {
    /// P1 for what opens there; never joined through.
    pub domain_controllers: Vec<String>,
    /// P1 for what opens there.
    pub crown_jewels: Vec<String>,
    /// Never joined through.
    pub proxies: Vec<String>,
    /// Never joined through.
    pub nat: Vec<String>,
    /// Never joined through.
    pub scanners: Vec<String>,
}

/// The whole policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertPolicy {
    /// Version of the file's shape.
    pub version: u32,
    /// What opens a case.
    pub opens: Vec<OpenRule>,
    /// Tag → priority.
    pub use_case_tags: BTreeMap<String, Priority>,
    /// What never does.
    pub signals: SignalRule,
    /// How risk adds up.
    pub risk: RiskRule,
    /// The same rule on several hosts.
    pub spreading: Spreading,
    /// Joining through a shared host or user.
    pub sharing: Sharing,
    /// Accounts that say nothing about who it was.
    pub well_known_users: Vec<String>,
    /// Accounts that every machine has of its own.
    pub local_users: Vec<String>,
    /// What the customer's sheet says of machines.
    #[serde(default)]
    pub infrastructure: Infrastructure,
}

impl AlertPolicy {
    /// Reads and checks `content/alert_policy.yaml`.
    pub fn from_yaml(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = serde_saphyr::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string()))?;
        policy.check()?;
        Ok(policy)
    }

    /// The policy that ships with Tandem.
    pub fn standard() -> Self {
        Self::from_yaml(include_str!("../../../../content/alert_policy.yaml")).expect("the shipped policy is valid")
    }

    fn check(&self) -> Result<(), PolicyError> {
        let wrong = |field, because: String| Err(PolicyError::Value { field, because });
        if self.version != 1 {
            return wrong("version", format!("{} is not known, 1 is", self.version));
        }
        for line in &self.opens {
            if line.kind.parse::<tandem_model::DetectionKind>().is_err() {
                return wrong("opens.kind", format!("`{}` is neither rule nor vendor_alert", line.kind));
            }
            for status in &line.status {
                if status.parse::<tandem_model::RuleStatus>().is_err() {
                    return wrong("opens.status", format!("`{status}` is no status of Sigma"));
                }
            }
        }
        let levels = self.opens.iter().map(|line| &line.level);
        for level in levels.chain(&self.signals.levels).chain(&self.spreading.levels).chain(self.risk.points.keys()) {
            if level.parse::<Level>().is_err() {
                return wrong("level", format!("`{level}` is no level of Sigma"));
            }
        }
        if self.risk.threshold == 0 {
            return wrong("risk.threshold", "0 would open a case for every signal".into());
        }
        if self.spreading.hosts < 2 {
            return wrong("spreading.hosts", "one host is no spread; 2 is the least".into());
        }
        if self.sharing.by.contains(&super::EntityKind::Source) {
            return wrong("sharing.by", "a source is shared by everything that it sends".into());
        }
        if self.sharing.hub_share_percent > 100 {
            return wrong("sharing.hub_share_percent", "more than 100 percent".into());
        }
        let too_long = |hours: u32| hours == 0 || hours > 24 * 90;
        if too_long(self.risk.window_hours) || too_long(self.sharing.window_hours) {
            return wrong("window_hours", "a window is 1 hour to 90 days".into());
        }
        if self.spreading.window_minutes == 0 || self.spreading.window_minutes > 24 * 60 {
            return wrong("spreading.window_minutes", "a window is 1 minute to 1 day".into());
        }
        for name in self.infrastructure.all().filter(|name| name.contains('/')) {
            if !address::is_network(name) {
                return wrong("infrastructure", format!("`{name}` is no network such as 10.1.0.0/16"));
            }
        }
        Ok(())
    }

    pub(super) fn points(&self, level: Level) -> u32 {
        self.risk.points.get(level.word()).copied().unwrap_or(0)
    }

    pub(super) fn risk_window(&self) -> Duration {
        Duration::from_secs(u64::from(self.risk.window_hours) * 3600)
    }

    pub(super) fn spread_window(&self) -> Duration {
        Duration::from_secs(u64::from(self.spreading.window_minutes) * 60)
    }

    pub(super) fn sharing_window(&self) -> Duration {
        Duration::from_secs(u64::from(self.sharing.window_hours) * 3600)
    }
}

impl Infrastructure {
    fn all(&self) -> impl Iterator<Item = &String> {
        let never = self.never_join_through();
        self.crown_jewels.iter().chain(never)
    }

    pub(super) fn never_join_through(&self) -> impl Iterator<Item = &String> {
        self.domain_controllers.iter().chain(&self.proxies).chain(&self.nat).chain(&self.scanners)
    }
}
