//! Detections: taken in once each, listed newest first.

use crate::provider::{Table, Which};
use crate::run::{QueryLimits, Run};
use crate::store::State;
use crate::tail::is_before;
use crate::{QueryError, Store, StoreError, detection_rows};
use datafusion::logical_expr::{Expr, col, ident, lit};
use datafusion::scalar::ScalarValue;
use std::collections::HashSet;
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Detection, DetectionId, ReadScope, RecordId, RunId};
use tokio_util::sync::CancellationToken;

/// Which detections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectionRequest {
    /// Only of this rule.
    pub rule_id: Option<String>,
    /// Only of this run; `None`: of any.
    pub run: Option<RunId>,
    /// Only those of no run.
    pub live_only: bool,
    /// Event time, from this instant on.
    pub from: Option<Timestamp>,
    /// Event time, before this instant.
    pub to: Option<Timestamp>,
    /// Only what comes after this (time, id) in the list: the last one of the page before.
    pub after: Option<(Timestamp, DetectionId)>,
    /// At most so many. Default 200.
    pub limit: usize,
}

impl Default for DetectionRequest {
    fn default() -> Self {
        Self { rule_id: None, run: None, live_only: false, from: None, to: None, after: None, limit: 200 }
    }
}

impl Store {
    /// Takes detections in. One that is known by its id replaces the other while that is unsealed, and is left
    /// out when that is sealed. Answers how many were new.
    pub async fn append_detections(&self, detections: Vec<Detection>) -> Result<usize, StoreError> {
        let sealed = self.inner.sealed.lock().clone();
        // A detection on a sealed event was made before, or it is of a run over history: the table knows.
        let doubtful: Vec<DetectionId> = detections
            .iter()
            .filter(|detection| {
                detection.run.is_some()
                    || detection.events.last().is_none_or(|event| {
                        let epoch = event.record.epoch;
                        sealed.get(&epoch).is_none_or(|reached| {
                            is_before(event.record, RecordId { epoch, offset: reached.detections })
                        })
                    })
            })
            .map(|detection| detection.id)
            .collect();
        let known = self.known(&doubtful).await.map_err(|error| StoreError::Lookup(Box::new(error)))?;
        let mut new = 0;
        let mut places = self.inner.places.lock();
        self.inner.replace(|state| {
            let mut list: Vec<Arc<Detection>> = state.new_detections.to_vec();
            for detection in detections {
                if known.contains(&detection.id) {
                    continue;
                }
                match places.get(&detection.id) {
                    Some(at) => list[*at] = Arc::new(detection),
                    None => {
                        new += 1;
                        places.insert(detection.id, list.len());
                        list.push(Arc::new(detection));
                    }
                }
            }
            State { new_detections: Arc::new(list), ..state.clone() }
        });
        Ok(new)
    }

    /// Which of `ids` are in a file.
    async fn known(&self, ids: &[DetectionId]) -> Result<HashSet<DetectionId>, QueryError> {
        let state = self.inner.state();
        if ids.is_empty() || state.detections.is_empty() {
            return Ok(HashSet::new());
        }
        let list = ids.iter().map(|id| lit(ScalarValue::Utf8View(Some(id.to_string())))).collect();
        let state = State { new_detections: Arc::default(), ..State::clone(&state) };
        let run = Run::new(QueryLimits { rows: usize::MAX - 1, ..QueryLimits::default() }, CancellationToken::new());
        let filter = ident("id").in_list(list, false);
        let found = self.read_detections(Arc::new(state), &run, filter, None).await?;
        Ok(found.into_iter().map(|detection| detection.id).collect())
    }

    /// Detections, newest first.
    pub async fn detections(
        &self,
        request: &DetectionRequest,
        scope: &ReadScope,
        limits: QueryLimits,
        cancel: CancellationToken,
    ) -> Result<Vec<Detection>, QueryError> {
        match scope {
            ReadScope::Everything => {}
        }
        let text = |text: String| lit(ScalarValue::Utf8View(Some(text)));
        let instant = |at: Timestamp| lit(ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into())));
        let mut filters: Vec<Expr> = Vec::new();
        filters.extend(request.rule_id.clone().map(|rule| ident("rule_id").eq(text(rule))));
        filters.extend(request.run.map(|run| ident("run").eq(text(run.to_string()))));
        filters.extend(request.live_only.then(|| ident("run").is_null()));
        filters.extend(request.from.map(|from| col("time").gt_eq(instant(from))));
        filters.extend(request.to.map(|to| col("time").lt(instant(to))));
        if let Some((time, id)) = request.after {
            let tie = col("time").eq(instant(time)).and(ident("id").lt(text(id.to_string())));
            filters.push(col("time").lt(instant(time)).or(tie));
        }
        let filter = filters.into_iter().reduce(Expr::and).unwrap_or_else(|| lit(true));
        let run = Run::new(limits, cancel);
        self.read_detections(self.inner.state(), &run, filter, Some(request.limit)).await
    }

    /// The detection `id`.
    pub async fn detection(&self, id: DetectionId, scope: &ReadScope) -> Result<Option<Detection>, QueryError> {
        match scope {
            ReadScope::Everything => {}
        }
        let filter = ident("id").eq(lit(ScalarValue::Utf8View(Some(id.to_string()))));
        let run = Run::new(QueryLimits::default(), CancellationToken::new());
        Ok(self.read_detections(self.inner.state(), &run, filter, Some(1)).await?.pop())
    }

    async fn read_detections(
        &self,
        state: Arc<State>,
        run: &Run,
        filter: Expr,
        limit: Option<usize>,
    ) -> Result<Vec<Detection>, QueryError> {
        let inner = self.inner.clone();
        let run = run.clone();
        let work = self.inner.engine.handle().spawn(async move {
            run.guard(async {
                let context = inner.engine.session(run.limits.memory_bytes)?;
                let table =
                    Table { inner: inner.clone(), state, which: Which::Detections, scope: ReadScope::Everything };
                let mut frame = context.read_table(Arc::new(table))?.filter(filter)?;
                if limit.is_some() {
                    frame = frame
                        .sort(vec![col("time").sort(false, false), ident("id").sort(false, false)])?
                        .limit(0, limit)?;
                }
                let batches = frame.collect().await?;
                let rows = batches
                    .iter()
                    .flat_map(|batch| (0..batch.num_rows()).filter_map(|row| detection_rows::decode(batch, row)));
                Ok(rows.collect())
            })
            .await
        });
        work.await.map_err(|error| QueryError::from(StoreError::Worker(error)))?
    }
}
