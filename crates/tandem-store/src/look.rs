//! One event by its id, and what happened around it.

use crate::compile::column;
use crate::gather::Plan;
use crate::index::Probe;
use crate::layout::ID;
use crate::request::{RowOrder, SearchPart, SearchRequest};
use crate::run::{QueryLimits, Run};
use crate::scan::{Scanner, Source, sources};
use crate::{QueryError, Store, StoreError};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::lit;
use futures::StreamExt;
use std::time::Duration;
use tandem_model::{Event, EventId, ReadScope};
use tandem_query::{Query, Test};
use tokio_util::sync::CancellationToken;

/// Events around another one, at most.
const AROUND_MAX: usize = 1_000;

impl Store {
    /// The event `id`.
    pub async fn get(&self, id: EventId, scope: &ReadScope) -> Result<Option<Event>, QueryError> {
        match scope {
            ReadScope::Everything => {}
        }
        let inner = self.inner.clone();
        let state = inner.state();
        let newest = state.tail.chunks.iter().rev().flat_map(|chunk| chunk.events.iter());
        if let Some(event) = newest.into_iter().find(|event| event.id == id) {
            return Ok(Some(Event::clone(event)));
        }
        let work = inner.engine.handle().clone().spawn(async move {
            let run = Run::new(QueryLimits::default(), CancellationToken::new());
            run.guard(async {
                let session = inner.engine.session(run.limits.memory_bytes)?;
                let filter = column(ID).eq(lit(ScalarValue::Utf8View(Some(id.to_string()))));
                let scanner = Scanner::new(inner.clone(), session, &filter, Probe::Any)?;
                let plan = Plan {
                    layout: inner.layout.clone(),
                    rows: 1,
                    order: RowOrder::NewestFirst,
                    cursor: None,
                    histogram: None,
                    facets: Vec::new(),
                    figures: None,
                    cells: Vec::new(),
                };
                for source in sources(&state) {
                    let Source::File(file) = &source else { continue };
                    let may_hold = file.records.is_none_or(|(epoch, low, high)| {
                        epoch == id.record.epoch && (low..=high).contains(&id.record.offset)
                    });
                    if !may_hold {
                        continue;
                    }
                    let part = plan.gather(&scanner, &source, &run).await?;
                    if let Some(hit) = part.hits.first() {
                        return Ok(scanner.events(&source, &[hit.row], None).await?.pop());
                    }
                }
                Ok(None)
            })
            .await
        });
        work.await.map_err(|error| QueryError::from(StoreError::Worker(error)))?
    }

    /// Events of the same source within `seconds` before and after the event `id`, that one among them: the
    /// nearest `limit`, oldest first. `None`: there is no such event.
    pub async fn around(
        &self,
        id: EventId,
        seconds: u32,
        limit: usize,
        scope: &ReadScope,
    ) -> Result<Option<Vec<Event>>, QueryError> {
        let Some(event) = self.get(id, scope).await? else { return Ok(None) };
        let span = Duration::from_secs(seconds.into());
        let limit = limit.clamp(1, AROUND_MAX);
        let of_source = tandem_query::Expr::field("source", Test::Equals(event.source.to_string()));
        let query = Query { filter: of_source, pipe: Vec::new() };
        // An instant is in one of the two halves, so that no event comes twice.
        let before = SearchRequest {
            from: Some(event.time.minus(span)),
            to: Some(event.time.plus(Duration::from_micros(1))),
            limit: limit.div_ceil(2),
            ..SearchRequest::new(query.clone())
        };
        let after = SearchRequest {
            from: Some(event.time.plus(Duration::from_micros(1))),
            to: Some(event.time.plus(span).plus(Duration::from_micros(1))),
            limit: limit / 2,
            order: RowOrder::OldestFirst,
            ..SearchRequest::new(query)
        };
        let mut events = self.rows_of(before, scope).await?;
        events.reverse();
        if !events.iter().any(|other| other.id == id) {
            // More events share its instant than are shown.
            events.pop();
            events.push(event);
            events.sort_by_key(|event| (event.time, event.id));
        }
        events.extend(self.rows_of(after, scope).await?);
        Ok(Some(events))
    }

    async fn rows_of(&self, request: SearchRequest, scope: &ReadScope) -> Result<Vec<Event>, QueryError> {
        if request.limit == 0 {
            return Ok(Vec::new());
        }
        let mut parts = self.search(request, scope, QueryLimits::default(), CancellationToken::new()).await?;
        let mut events = Vec::new();
        while let Some(part) = parts.next().await {
            if let SearchPart::Rows(rows) = part? {
                events.extend(rows);
            }
        }
        Ok(events)
    }
}
