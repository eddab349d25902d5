//! Search, checking a query, completing one.

use super::event_view::{self, json};
use super::extract::{Body, Params, instant_if};
use super::reads::{Shown, parse, query_refused, wire_problems};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use futures::StreamExt;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tandem_api::{Bucket, Completion, Completions, Facet, FacetValue, QueryCheck, QueryChecked, SearchPart};
use tandem_base::Timestamp;
use tandem_query::CompletionKind;
use tandem_service::{Actor, Verb};
use tandem_store::{QueryError, QueryLimits, RowOrder, SearchRequest, SearchStream};
use tandem_web::{Answer, Caller, Refused, ndjson};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

const RANGE: Duration = Duration::from_hours(24);
const ROWS: usize = 200;
const ROWS_MAX: usize = 10_000;
const BUCKETS_MAX: u32 = 240;
const FACETS_MAX: usize = 32;
const COLUMNS_MAX: usize = 200;
/// Rows of a pipe's table.
const TABLE_ROWS: usize = 10_000;
/// Parts that wait for a slow reader before the search waits, too.
const WAITING: usize = 8;
/// Progress is told at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What one query may cost here, with at most `rows` rows of a table.
pub(super) fn limits(app: &App, rows: usize) -> QueryLimits {
    let query = &app.config.query;
    let default = QueryLimits::default();
    QueryLimits {
        time: Duration::from_secs(query.time_s_max),
        memory_bytes: default.memory_bytes.min(query.memory_bytes_max),
        rows,
    }
}

/// The wire's question as the store takes it; the query was parsed before.
fn request(wire: &tandem_api::SearchRequest, query: tandem_query::Query, now: Timestamp) -> Answer<SearchRequest> {
    let to = instant_if("to", wire.to.as_deref())?.unwrap_or(now);
    let from = instant_if("from", wire.from.as_deref())?.unwrap_or_else(|| to.minus(RANGE));
    if from >= to {
        return Err(Refused::invalid("`from` must lie before `to`"));
    }
    let too_many =
        |what: &str, most: usize| Refused::invalid(format!("too many {what}")).hint(format!("ask for at most {most}"));
    let limit = wire.limit.map_or(ROWS, |limit| limit as usize);
    if limit > ROWS_MAX {
        return Err(too_many("rows at once", ROWS_MAX).detail("further rows come with the cursor of the page before"));
    }
    let histogram = wire.histogram.map(|histogram| histogram.buckets);
    if histogram.is_some_and(|buckets| !(1..=BUCKETS_MAX).contains(&buckets)) {
        return Err(Refused::invalid(format!("a histogram has 1 to {BUCKETS_MAX} buckets")));
    }
    if wire.facets.len() > FACETS_MAX {
        return Err(too_many("facets", FACETS_MAX));
    }
    if wire.columns.len() > COLUMNS_MAX {
        return Err(too_many("columns", COLUMNS_MAX));
    }
    let order = match wire.order.as_deref() {
        None | Some("desc" | "") => RowOrder::NewestFirst,
        Some("asc") => RowOrder::OldestFirst,
        Some(_) => return Err(Refused::invalid("`order` is desc (newest first) or asc")),
    };
    let cursor = wire.cursor.as_deref().filter(|text| !text.is_empty()).map(|text| {
        text.parse()
            .map_err(|_| Refused::invalid("this cursor was not given by a search").hint("begin again without it"))
    });
    Ok(SearchRequest {
        from: Some(from),
        to: Some(to),
        limit,
        cursor: cursor.transpose()?,
        order,
        histogram: histogram.map(|buckets| buckets as usize),
        facets: wire.facets.clone(),
        columns: (!wire.columns.is_empty()).then(|| wire.columns.clone()),
        ..SearchRequest::new(query)
    })
}

pub(super) async fn search(
    State(app): State<App>,
    caller: Caller,
    Body(wire): Body<tandem_api::SearchRequest>,
) -> Answer<Response> {
    let query = parse(&app, &wire.query)?;
    let request = request(&wire, query, app.clock.now())?;
    let cancel = CancellationToken::new();
    let scope = app.scope(&caller.actor);
    let range = (request.from, request.to, request.order);
    let parts =
        app.store.search(request, &scope, limits(&app, TABLE_ROWS), cancel.clone()).await.map_err(query_refused)?;
    let (output, lines) = mpsc::channel(WAITING);
    let told = Telling {
        app,
        actor: caller.actor,
        query: said(&wire, range.0, range.1),
        columns: wire.columns,
        range,
        output,
        cancel,
    };
    // A task of its own: whatever becomes of the connection, what was shown is recorded.
    tokio::spawn(told.tell(parts));
    Ok(ndjson(ReceiverStream::new(lines)))
}

/// The question as the log keeps it.
fn said(wire: &tandem_api::SearchRequest, from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    let edge = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    format!("{} [{} – {}]", wire.query, edge(from), edge(to))
}

/// One answer on its way out.
struct Telling {
    app: App,
    actor: Actor,
    query: String,
    columns: Vec<String>,
    range: (Option<Timestamp>, Option<Timestamp>, RowOrder),
    output: mpsc::Sender<SearchPart>,
    cancel: CancellationToken,
}

impl Telling {
    async fn tell(self, mut parts: SearchStream) {
        let begun = Instant::now();
        let mut progress_at: Option<Instant> = None;
        let mut shown = Shown::default();
        let mut last = SearchPart::Error { problem: *query_refused(QueryError::Cancelled).0 };
        loop {
            let part = tokio::select! {
                biased;
                () = self.output.closed() => break,
                part = parts.next() => part,
            };
            let part = match part {
                None => break,
                Some(Err(error)) => {
                    last = SearchPart::Error { problem: *query_refused(error).0 };
                    break;
                }
                Some(Ok(part)) => part,
            };
            if let tandem_store::SearchPart::Progress(_) = part {
                if progress_at.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
                    continue;
                }
                progress_at = Some(Instant::now());
            }
            let wire = self.wire(part, &mut shown, begun);
            if matches!(wire, SearchPart::Done { .. }) {
                last = wire;
                break;
            }
            if self.output.send(wire).await.is_err() {
                break;
            }
        }
        self.cancel.cancel();
        // The end is told only when the record of what was read is kept.
        if let Err(refused) = shown.record(&self.app, &self.actor, Verb::EventRead, &self.query).await {
            last = SearchPart::Error { problem: *refused.0 };
        }
        // Nobody may be listening any more.
        let _ = self.output.send(last).await;
    }

    fn wire(&self, part: tandem_store::SearchPart, shown: &mut Shown, begun: Instant) -> SearchPart {
        match part {
            tandem_store::SearchPart::Progress(progress) => {
                let (from, to, order) = self.range;
                let (scanned_from, scanned_to) = match order {
                    RowOrder::NewestFirst => (progress.scanned_to.or(from), to),
                    RowOrder::OldestFirst => (from, progress.scanned_to.or(to)),
                };
                SearchPart::Progress {
                    scanned_from: scanned_from.map(|at| at.to_string()),
                    scanned_to: scanned_to.map(|at| at.to_string()),
                    files_done: progress.sources_done as u64,
                    files: progress.sources as u64,
                    rows: progress.rows,
                    bytes: progress.bytes,
                }
            }
            tandem_store::SearchPart::Rows(events) => {
                shown.events(&events);
                SearchPart::Rows { rows: events.iter().map(|event| event_view::row(event, &self.columns)).collect() }
            }
            tandem_store::SearchPart::Histogram(buckets) => {
                let bucket = |each: &tandem_store::Bucket| Bucket {
                    from: each.from.to_string(),
                    to: each.to.to_string(),
                    count: each.count,
                };
                SearchPart::Histogram { buckets: buckets.iter().map(bucket).collect() }
            }
            tandem_store::SearchPart::Facets(facets) => {
                SearchPart::Facets { facets: facets.into_iter().map(facet).collect() }
            }
            tandem_store::SearchPart::Table(table) => {
                let rows: Vec<Vec<serde_json::Value>> = table.rows.iter().map(|row| cells(row)).collect();
                for row in &rows {
                    shown.row(serde_json::Value::from(row.clone()).to_string().as_bytes());
                }
                SearchPart::Table { columns: table.columns, rows }
            }
            tandem_store::SearchPart::Done(done) => SearchPart::Done {
                total: done.total,
                limited: done.limited,
                because: done.because,
                duration_ms: millis(begun),
                next_cursor: done.next_cursor.map(|cursor| cursor.to_string()),
            },
        }
    }
}

/// Whole milliseconds since `begun`.
pub(super) fn millis(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A row of a table; an absent value is null.
pub(super) fn cells(row: &[Option<tandem_model::Value>]) -> Vec<serde_json::Value> {
    row.iter().map(|cell| cell.as_ref().map_or(serde_json::Value::Null, json)).collect()
}

fn facet(facet: tandem_store::Facet) -> Facet {
    Facet {
        field: facet.field,
        values: facet.values.into_iter().map(|(value, count)| FacetValue { value, count }).collect(),
        distinct: facet.distinct,
        missing: facet.missing,
    }
}

pub(super) async fn check(State(app): State<App>, Body(wire): Body<QueryCheck>) -> Json<QueryChecked> {
    let (query, problems) = tandem_query::parse_with(&wire.query, &app.catalogue);
    let mut fields: Vec<String> = Vec::new();
    query.filter.for_each_field(&mut |name| {
        if !fields.iter().any(|known| known == name) {
            fields.push(name.to_owned());
        }
    });
    Json(QueryChecked { problems: wire_problems(&problems), fields })
}

/// `GET /search/complete`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Complete {
    q: String,
    at: Option<usize>,
}

pub(super) async fn complete(State(app): State<App>, Params(complete): Params<Complete>) -> Json<Completions> {
    let at = complete.at.unwrap_or(complete.q.len());
    let offers = tandem_query::complete(&complete.q, at, &app.catalogue);
    Json(Completions { items: offers.into_iter().filter_map(|offer| completion(&complete.q, at, offer)).collect() })
}

/// The wire's completion takes the place of the word before the cursor, which begins after white space, a
/// bracket, `|`, `,` or `:`; the language's own may begin elsewhere (behind a `-`).
fn completion(query: &str, at: usize, offer: tandem_query::Completion) -> Option<Completion> {
    let at = query.floor_char_boundary(at.min(query.len()));
    let ends = |c: char| c.is_whitespace() || "()|,:".contains(c);
    let word = query[..at].char_indices().rev().find(|(_, c)| ends(*c)).map_or(0, |(place, c)| place + c.len_utf8());
    let start = offer.replace.start.min(at);
    let text = if start >= word {
        format!("{}{}", &query[word..start], offer.text)
    } else {
        offer.text.strip_prefix(&query[start..word])?.to_owned()
    };
    let kind = match offer.kind {
        CompletionKind::Field => "field",
        CompletionKind::Operator => "operator",
    };
    Some(Completion { text, kind: kind.to_owned(), detail: offer.detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_api::HistogramRequest;

    fn wire() -> tandem_api::SearchRequest {
        serde_json::from_str(r#"{"query": "x"}"#).unwrap()
    }

    fn ask(wire: &tandem_api::SearchRequest) -> Result<SearchRequest, String> {
        let (query, _) = tandem_query::parse(&wire.query);
        request(wire, query, Timestamp::from_seconds(200_000)).map_err(|refused| refused.0.title)
    }

    #[test]
    fn without_a_range_it_is_the_last_day() {
        let asked = ask(&wire()).unwrap();
        assert_eq!(asked.from, Some(Timestamp::from_seconds(200_000 - 86_400)));
        assert_eq!(
            (asked.to, asked.limit, asked.order),
            (Some(Timestamp::from_seconds(200_000)), 200, RowOrder::NewestFirst)
        );
        assert_eq!((asked.columns, asked.histogram), (None, None));
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let with = |change: fn(&mut tandem_api::SearchRequest)| {
            let mut wire = wire();
            change(&mut wire);
            ask(&wire).unwrap_err()
        };
        assert_eq!(with(|wire| wire.from = Some("-7d".to_owned())), "`from` is not a time");
        assert_eq!(with(|wire| wire.from = Some("2030-01-01T00:00:00Z".to_owned())), "`from` must lie before `to`");
        assert_eq!(with(|wire| wire.limit = Some(10_001)), "too many rows at once");
        assert_eq!(
            with(|wire| wire.histogram = Some(HistogramRequest { buckets: 0 })),
            "a histogram has 1 to 240 buckets"
        );
        assert_eq!(with(|wire| wire.order = Some("up".to_owned())), "`order` is desc (newest first) or asc");
        assert_eq!(with(|wire| wire.cursor = Some("x".to_owned())), "this cursor was not given by a search");
    }

    #[test]
    fn completions_take_the_place_of_the_word_before_the_cursor() {
        let offer = |start: usize, text: &str| tandem_query::Completion {
            text: text.to_owned(),
            replace: start..start,
            kind: CompletionKind::Field,
            detail: String::new(),
        };
        let text = |query: &str, start, text| completion(query, query.len(), offer(start, text)).map(|made| made.text);
        assert_eq!(text("x us", 2, "user.name:").as_deref(), Some("user.name:"));
        assert_eq!(text("x -us", 3, "user.name:").as_deref(), Some("-user.name:"));
        assert_eq!(text("\"a:b", 0, "\"a:bc\"").as_deref(), Some("bc\""));
        assert_eq!(text("\"a:b", 0, "other"), None);
    }
}
