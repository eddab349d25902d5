//! Sources and receivers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A source in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceHead {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Transport of the last record.
    pub transport: String,
    /// First record.
    pub first_seen: String,
    /// Last record.
    pub last_event: String,
    /// Records.
    pub records: u64,
    /// Events.
    pub events: u64,
    /// Events that a parser could not finish.
    pub parse_errors: u64,
    /// Events that no parser took.
    pub generic: u64,
    /// Raw bytes.
    pub bytes: u64,
    /// Records a minute, over the last half hour to hour.
    pub rate_per_min: f64,
    /// Records per 30 minutes of the last 24 hours.
    pub spark: Vec<u64>,
    /// `ok`, `silent`, `failing`, `new`.
    pub health: String,
    /// Why.
    pub health_reason: String,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A note on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Log types seen.
    pub log_types: Vec<String>,
}

/// Sources.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SourcePage {
    /// Sources, worst first.
    pub items: Vec<SourceHead>,
}

/// A source, whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SourceDetail {
    /// Its head.
    #[serde(flatten)]
    pub head: SourceHead,
    /// Last records that parsing fell short on.
    pub parse_failures: Vec<ParseFailure>,
    /// Active rules whose log type this source delivers.
    pub rules_fed: u64,
    /// Stage by stage.
    pub diagnosis: Vec<Diagnosis>,
}

/// A record that parsing fell short on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParseFailure {
    /// When.
    pub at: String,
    /// Raw text, at most 1 kB.
    pub raw: String,
    /// Why.
    pub error: String,
}

/// One stage.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Diagnosis {
    /// `network`, `format`, `time`, `parse`, `rules`.
    pub stage: String,
    /// Whether it is well.
    pub ok: bool,
    /// In words, with what to do.
    pub text: String,
}

/// `PATCH /sources/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceChange {
    /// New name.
    #[serde(default)]
    pub name: Option<String>,
    /// New owner.
    #[serde(default)]
    pub owner: Option<String>,
    /// New note.
    #[serde(default)]
    pub note: Option<String>,
}

/// `GET /receivers`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReceiverPage {
    /// Receivers.
    pub items: Vec<Receiver>,
    /// What to write into a sender's configuration.
    pub snippets: Vec<Snippet>,
}

/// One receiver.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Receiver {
    /// `syslog-udp` …
    pub kind: String,
    /// Where it listens.
    pub address: String,
    /// Records taken.
    pub records: u64,
    /// Records refused or lost, by cause.
    pub errors: Vec<Count>,
    /// Last peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_peer: Option<String>,
    /// Last error, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// A named count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// Name.
    pub name: String,
    /// Count.
    pub count: u64,
}

/// What to write into a sender's configuration.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Snippet {
    /// Sender.
    pub title: String,
    /// Receiver that it needs.
    pub kind: String,
    /// Text.
    pub text: String,
}
