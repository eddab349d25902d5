//! What a search asks and what it answers.

use crate::Facet;
use std::fmt;
use std::str::FromStr;
use tandem_base::Timestamp;
use tandem_model::{Event, EventId};
use tandem_query::{Query, Table};

/// In which order rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RowOrder {
    /// Latest event time first.
    #[default]
    NewestFirst,
    /// Earliest event time first.
    OldestFirst,
}

/// The last row of a page: the next page begins behind it. Text form `<µs>~<event id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Event time.
    pub time: Timestamp,
    /// Id.
    pub id: EventId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.time.micros(), self.id)
    }
}

impl FromStr for Cursor {
    type Err = tandem_base::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || tandem_base::IdError::new(text, "<microseconds>~<event id>");
        let (time, id) = text.split_once('~').ok_or_else(error)?;
        let time = time.parse().map_err(|_| error())?;
        Ok(Self { time: Timestamp::from_micros(time), id: id.parse()? })
    }
}

/// One search: rows, histogram and facets come from one pass over the data.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// The query, parsed; one with an error must not run.
    pub query: Query,
    /// Event time, from this instant on.
    pub from: Option<Timestamp>,
    /// Event time, before this instant.
    pub to: Option<Timestamp>,
    /// Rows at most; 10,000 and less. Default 200.
    pub limit: usize,
    /// Only rows behind this one. Counts, histogram and facets are of the whole search all the same.
    pub cursor: Option<Cursor>,
    /// Order of the rows.
    pub order: RowOrder,
    /// How many buckets of equal width between `from` and `to` (else the first and last event that there is).
    pub histogram: Option<usize>,
    /// Fields whose values are counted.
    pub facets: Vec<String>,
    /// Values shown of each of them. Default 20.
    pub facet_values: usize,
    /// Fields to read for the rows; `None`: all. Time, source, raw text and the like are always there.
    pub columns: Option<Vec<String>>,
}

impl SearchRequest {
    /// All events that pass `query`, newest first.
    pub fn new(query: Query) -> Self {
        Self {
            query,
            from: None,
            to: None,
            limit: 200,
            cursor: None,
            order: RowOrder::NewestFirst,
            histogram: None,
            facets: Vec::new(),
            facet_values: 20,
            columns: None,
        }
    }
}

/// One bucket of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// First instant in it.
    pub from: Timestamp,
    /// First instant behind it.
    pub to: Timestamp,
    /// Events in it.
    pub count: u64,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Files and parts of the tail that are done, also those that needed no reading.
    pub sources_done: usize,
    /// All of them.
    pub sources: usize,
    /// Rows of those that are done.
    pub rows: u64,
    /// Bytes on disk of those that were opened.
    pub bytes: u64,
    /// Everything later (with the oldest first: earlier) than this is done.
    pub scanned_to: Option<Timestamp>,
}

/// A part of the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchPart {
    /// How far it has come.
    Progress(Progress),
    /// The next rows, in order.
    Rows(Vec<Event>),
    /// Counts over time.
    Histogram(Vec<Bucket>),
    /// Counts of values.
    Facets(Vec<Facet>),
    /// The answer of a query with `| stats` or `| fields`.
    Table(Table),
    /// The end. Nothing follows.
    Done(Done),
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// Events that pass the filter, as far as they were counted.
    pub total: u64,
    /// Whether something was left out.
    pub limited: bool,
    /// Why, as one sentence.
    pub because: Option<String>,
    /// For the next page; `None`: there is none.
    pub next_cursor: Option<Cursor>,
}
