//! Detections.

use crate::{EntityRef, EventDetail, MatchedField};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A detection in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectionRow {
    /// Id.
    pub id: String,
    /// `rule` or `vendor_alert`.
    pub kind: String,
    /// Rule.
    pub rule_id: String,
    /// Its title.
    pub rule_title: String,
    /// Its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_author: Option<String>,
    /// Level.
    pub level: String,
    /// Time of the event.
    pub time: String,
    /// When it was found.
    pub detected: String,
    /// Source.
    pub source: String,
    /// The event that completed it.
    pub event_id: String,
    /// Whom it concerns.
    pub entities: Vec<EntityRef>,
    /// The case it is in; none for a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Fields that matched.
    pub matches: Vec<MatchedField>,
}

/// A page of detections.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DetectionPage {
    /// Detections, newest first.
    pub items: Vec<DetectionRow>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A detection, whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DetectionDetail {
    /// Its row.
    #[serde(flatten)]
    pub row: DetectionRow,
    /// The rule's condition in words.
    pub in_words: String,
    /// Tags of the rule.
    pub tags: Vec<String>,
    /// The event that completed it, while it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventDetail>,
}
