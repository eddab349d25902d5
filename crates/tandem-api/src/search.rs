//! Search, SQL, and the field list.

use crate::{EventRow, Problem, QueryProblem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /search`: rows, histogram and facets in one request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The query (`docs/search.md`).
    #[serde(default)]
    pub query: String,
    /// First instant, inclusive.
    #[serde(default)]
    pub from: Option<String>,
    /// Last instant, exclusive.
    #[serde(default)]
    pub to: Option<String>,
    /// Most rows wanted; at most 10,000.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Histogram wanted.
    #[serde(default)]
    pub histogram: Option<HistogramRequest>,
    /// Fields whose most frequent values are wanted.
    #[serde(default)]
    pub facets: Vec<String>,
    /// Only these fields in the rows; all where empty.
    #[serde(default)]
    pub columns: Vec<String>,
    /// `desc` (newest first) or `asc`.
    #[serde(default)]
    pub order: Option<String>,
}

/// How the histogram shall be cut.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct HistogramRequest {
    /// How many buckets; 1 to 240.
    pub buckets: u32,
}

/// One line of the answer to a search.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SearchPart {
    /// How far it is.
    Progress {
        /// First instant of what is searched through.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scanned_from: Option<String>,
        /// Instant after the last of what is searched through.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scanned_to: Option<String>,
        /// Data files read.
        files_done: u64,
        /// Data files to read.
        files: u64,
        /// Rows looked at.
        rows: u64,
        /// Bytes read.
        bytes: u64,
    },
    /// Rows.
    Rows {
        /// Rows.
        rows: Vec<EventRow>,
    },
    /// Counts over time.
    Histogram {
        /// Buckets, oldest first, empty ones too.
        buckets: Vec<Bucket>,
    },
    /// Most frequent values.
    Facets {
        /// One entry a field.
        facets: Vec<Facet>,
    },
    /// The result of a pipe.
    Table {
        /// Columns.
        columns: Vec<String>,
        /// Rows.
        rows: Vec<Vec<serde_json::Value>>,
    },
    /// The end.
    Done {
        /// Events that match.
        total: u64,
        /// Whether a limit cut the answer short.
        limited: bool,
        /// Which, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
        /// Milliseconds.
        duration_ms: u64,
        /// Where the next page begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    },
    /// It failed after it had begun.
    Error {
        /// Why.
        problem: Problem,
    },
}

/// One bucket.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Bucket {
    /// First instant.
    pub from: String,
    /// Instant after the last.
    pub to: String,
    /// Events.
    pub count: u64,
}

/// Most frequent values of a field.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Facet {
    /// Field.
    pub field: String,
    /// Values, most frequent first.
    pub values: Vec<FacetValue>,
    /// Different values.
    pub distinct: u64,
    /// Events without the field.
    pub missing: u64,
}

/// One value.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FacetValue {
    /// Value as text.
    pub value: String,
    /// Events.
    pub count: u64,
}

/// `POST /search/check`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryCheck {
    /// The query.
    pub query: String,
}

/// What is wrong with a query.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QueryChecked {
    /// Problems, none where it is well.
    pub problems: Vec<QueryProblem>,
    /// Fields that it names.
    pub fields: Vec<String>,
}

/// `GET /search/complete`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Completions {
    /// What could stand here.
    pub items: Vec<Completion>,
}

/// One completion.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Completion {
    /// Text in place of the word before the cursor, which begins after white space, a bracket, `|`, `,` or `:`.
    pub text: String,
    /// `field`, `value` or `operator`.
    pub kind: String,
    /// What it is.
    pub detail: String,
}

/// `GET /fields`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FieldList {
    /// Fields of the catalogue.
    pub items: Vec<FieldInfo>,
}

/// One field.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FieldInfo {
    /// Name.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `common` or `vendor`.
    pub layer: String,
    /// One sentence.
    pub description: String,
    /// Privacy tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<String>,
}

/// `POST /sql`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// One SELECT.
    pub sql: String,
    /// Most rows wanted; at most 100,000.
    #[serde(default)]
    pub limit: Option<u32>,
}
