//! How the program itself is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /health`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether records are taken and shown.
    pub ready: bool,
    /// Single checks.
    pub checks: Vec<HealthCheck>,
    /// Spool.
    pub spool: SpoolHealth,
    /// Event table.
    pub store: StoreHealth,
    /// Detection.
    pub detect: DetectHealth,
}

/// One check.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// Name.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// In words.
    pub text: String,
}

/// Spool.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct SpoolHealth {
    /// Records that the parser has not read.
    pub lag_records: u64,
    /// Size of its files.
    pub size_bytes: u64,
}

/// Event table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct StoreHealth {
    /// Events in the table and in memory.
    pub events: u64,
    /// Data files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// Events that are only in memory and spool.
    pub unsealed: u64,
    /// When the last were put into files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seal: Option<String>,
}

/// Detection.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct DetectHealth {
    /// Rules that are evaluated.
    pub rules: u64,
    /// Events a second, over the last minute.
    pub events_per_s: f64,
    /// Receipt to evaluation, of the last batch.
    pub lag_ms: u64,
}
