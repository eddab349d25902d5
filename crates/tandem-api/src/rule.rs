//! Rules.

use crate::DetectionRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleHead {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Level.
    pub level: String,
    /// Status.
    pub status: String,
    /// Author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// `windows/process_creation`.
    pub log_source: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Whether a person wants it on.
    pub enabled: bool,
    /// `active`, `off`, `unfed`, `needs values`, `error`.
    pub state: String,
    /// Why it is not active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Detections of 24 hours.
    pub hits_24h: u64,
    /// Detections of 30 days.
    pub hits_30d: u64,
    /// File that it came from.
    pub file: String,
}

/// A page of rules.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RulePage {
    /// Rules.
    pub items: Vec<RuleHead>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many each state holds.
    pub counts: RuleCounts,
}

/// How many each state holds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct RuleCounts {
    /// Evaluated, and something delivers its log type.
    pub active: u64,
    /// Switched off.
    pub off: u64,
    /// Nothing delivers its log type.
    pub unfed: u64,
    /// Cannot be evaluated.
    pub error: u64,
}

/// A rule, whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RuleDetail {
    /// Its head.
    #[serde(flatten)]
    pub head: RuleHead,
    /// YAML.
    pub text: String,
    /// Description.
    pub description: String,
    /// The condition in words.
    pub in_words: String,
    /// References.
    pub references: Vec<String>,
    /// Licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Known false positives.
    pub falsepositives: Vec<String>,
    /// Fields that it tests.
    pub fields: Vec<String>,
    /// Last detections.
    pub matches: Vec<DetectionRow>,
}

/// `PATCH /rules/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// On or off.
    pub enabled: bool,
    /// Why.
    #[serde(default)]
    pub reason: String,
}
