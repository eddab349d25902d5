//! Whoever reads events leaves a record: the query, how many rows, a hash of what was shown.

use crate::advice::{damaged_file, file_advice};
use crate::app::App;
use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use tandem_model::{Event, EventId};
use tandem_query::Severity;
use tandem_service::{Actor, Verb};
use tandem_store::QueryError;
use tandem_web::{Answer, Refused, from_control};

/// What was shown of an answer, as it goes out.
#[derive(Default)]
pub(super) struct Shown {
    rows: u64,
    hash: Sha256,
}

impl Shown {
    /// An event was shown.
    pub(super) fn event(&mut self, id: EventId) {
        self.row(id.to_string().as_bytes());
    }

    /// These events were shown, in this order.
    pub(super) fn events(&mut self, events: &[Event]) {
        for event in events {
            self.event(event.id);
        }
    }

    /// A row that is no event was shown: a figure, or the answer of SQL.
    pub(super) fn row(&mut self, bytes: &[u8]) {
        self.rows += 1;
        self.hash.update(bytes);
        self.hash.update(b"\n");
    }

    /// How many rows.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// SHA-256 over the rows, one a line: of events their ids.
    fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Stores that `actor` read this.
    pub(super) async fn record(&self, app: &App, actor: &Actor, verb: Verb, query: &str) -> Answer<()> {
        let stored = app.control.read_record(actor, verb.word(), query, self.rows, &self.digest()).await;
        stored.map(|_| ()).map_err(from_control)
    }
}

/// Why a query of events has no answer, as a problem.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` takes")]
pub(super) fn query_refused(error: QueryError) -> Refused {
    let bad = |kind: &str| Refused::new(StatusCode::BAD_REQUEST, kind, error.to_string());
    match &error {
        QueryError::Invalid { hint, .. } => match hint {
            Some(hint) => bad("query-invalid").hint(hint.clone()),
            None => bad("query-invalid"),
        },
        QueryError::TooSlow { .. } => {
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "query-too-slow", error.to_string())
                .hint("take a shorter time range, or more terms")
        }
        QueryError::TooLarge { .. } => {
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "query-too-large", error.to_string())
                .hint("take a shorter time range, or group by fewer values")
        }
        QueryError::TooManyRows { .. } => bad("query-too-many-rows").hint("narrow it, or ask for fewer rows"),
        QueryError::Cancelled => Refused::new(StatusCode::SERVICE_UNAVAILABLE, "query-cancelled", error.to_string()),
        _ => {
            let mut refused = Refused::failed(&error);
            if let Some(file) = damaged_file(&error) {
                "damaged-file".clone_into(&mut refused.0.kind);
                refused.0.title = format!("the file tables/{file} of stored events cannot be read");
                refused = refused.hint(file_advice(&file));
            }
            refused
        }
    }
}

/// Problems of a query's text on the wire.
pub(super) fn wire_problems(problems: &[tandem_query::Problem]) -> Vec<tandem_api::QueryProblem> {
    let wire = |problem: &tandem_query::Problem| tandem_api::QueryProblem {
        start: problem.start,
        end: problem.end,
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        severity: match problem.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
        .to_owned(),
    };
    problems.iter().map(wire).collect()
}

/// A query's text as a tree; one with an error is refused with every place.
pub(super) fn parse(app: &App, text: &str) -> Answer<tandem_query::Query> {
    let (query, problems) = tandem_query::parse_with(text, &app.catalogue);
    if problems.iter().any(tandem_query::Problem::is_error) {
        let first = problems.iter().find(|problem| problem.is_error()).map(|problem| problem.message.clone());
        let mut refused = Refused::new(StatusCode::BAD_REQUEST, "query-invalid", "the query cannot be understood");
        refused.0.detail = first;
        refused.0.problems = wire_problems(&problems);
        return Err(refused);
    }
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::hex;
    use tandem_model::RecordId;

    #[test]
    fn what_was_shown_is_hashed_in_order() {
        let id = |offset| EventId { record: RecordId { epoch: 1, offset }, index: 0 };
        let mut shown = Shown::default();
        shown.event(id(1));
        shown.event(id(2));
        let expected = Sha256::digest(b"0000000000000001-1-0\n0000000000000001-2-0\n");
        assert_eq!((shown.rows(), hex(&shown.digest())), (2, hex(&expected)));
        let mut other = Shown::default();
        other.event(id(2));
        other.event(id(1));
        assert_ne!(shown.digest(), other.digest());
    }

    #[test]
    fn every_end_of_a_query_has_its_status() {
        let status = |error| query_refused(error).0.status;
        assert_eq!(status(QueryError::Invalid { message: "x".to_owned(), hint: None }), 400);
        assert_eq!(status(QueryError::TooManyRows { limit: 1 }), 400);
        assert_eq!(status(QueryError::TooSlow { seconds: 1 }), 503);
        assert_eq!(status(QueryError::TooLarge { limit_bytes: 1 }), 503);
        assert_eq!(status(QueryError::Cancelled), 503);
    }
}
