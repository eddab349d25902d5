//! Events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An event in a list: both layers of names flat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventRow {
    /// Id.
    pub id: String,
    /// Event time.
    pub time: String,
    /// Receive time.
    pub received: String,
    /// Source.
    pub source: String,
    /// Parser.
    pub parser: String,
    /// Log types.
    pub log_types: Vec<String>,
    /// Raw text, at most 1 kB.
    pub raw: String,
    /// Whether raw text was cut.
    pub truncated: bool,
    /// Fields.
    #[schema(value_type = Object)]
    pub fields: serde_json::Map<String, serde_json::Value>,
}

/// Events.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    /// Events in order of time.
    pub items: Vec<EventRow>,
}

/// An event, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventDetail {
    /// Id.
    pub id: String,
    /// Event time.
    pub time: String,
    /// Receive time.
    pub received: String,
    /// Source.
    pub source: String,
    /// Parser.
    pub parser: String,
    /// Log types.
    pub log_types: Vec<String>,
    /// Raw text.
    pub raw: String,
    /// ECS names.
    #[schema(value_type = Object)]
    pub common: serde_json::Map<String, serde_json::Value>,
    /// Names as the product writes them.
    #[schema(value_type = Object)]
    pub vendor: serde_json::Map<String, serde_json::Value>,
    /// Why parsing fell short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
