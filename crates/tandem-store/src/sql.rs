//! SQL: read-only, bounded, over the tables `events` and `detections`.

use crate::provider::{Table, Which};
use crate::run::{QueryLimits, Run};
use crate::sql_guard::{guard, prepare};
use crate::{QueryError, Store};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::sync::Arc;
use tandem_model::{ReadScope, Value};
use tokio_util::sync::CancellationToken;

/// The answer to a SQL query.
pub struct SqlAnswer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows, as they come. A last error says why there are no more.
    pub batches: BoxStream<'static, Result<RecordBatch, QueryError>>,
}

impl std::fmt::Debug for SqlAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlAnswer").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl SqlAnswer {
    /// Names of the columns.
    pub fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// All rows at once; for answers that are known to be small.
    pub async fn rows(mut self) -> Result<Vec<Vec<Option<Value>>>, QueryError> {
        let mut rows = Vec::new();
        while let Some(batch) = self.batches.next().await {
            rows.extend(rows_of(&batch?));
        }
        Ok(rows)
    }
}

/// The rows of a batch as values; what has no value of ours is its text.
pub fn rows_of(batch: &RecordBatch) -> Vec<Vec<Option<Value>>> {
    let cell = |array: &arrow::array::ArrayRef, row: usize| crate::cell::cell(array, row);
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|array| cell(array, row)).collect()).collect()
}

impl Store {
    /// Answers one `SELECT` over `events` and `detections`.
    ///
    /// Names are taken as they are written (`SELECT EventID FROM events`), a dotted name in double quotes
    /// (`"user.name"`); keywords and function names in any letter case. Everything but reading is refused.
    pub async fn sql(
        &self,
        text: &str,
        scope: &ReadScope,
        limits: QueryLimits,
        cancel: CancellationToken,
    ) -> Result<SqlAnswer, QueryError> {
        let inner = self.inner.clone();
        let state = inner.state();
        let run = Run::new(limits, cancel);
        let prepared = prepare(text, &inner.layout)?;
        let scope = scope.clone();
        let planned = {
            let run = run.clone();
            let inner = inner.clone();
            inner.engine.handle().clone().spawn(async move {
                run.guard(async {
                    let context = inner.engine.session(run.limits.memory_bytes)?;
                    for which in [Which::Events, Which::Detections] {
                        let table = Table { inner: inner.clone(), state: state.clone(), which, scope: scope.clone() };
                        context.register_table(which.folder(), Arc::new(table))?;
                    }
                    let plan = context
                        .state()
                        .statement_to_plan(prepared.statement.clone())
                        .await
                        .map_err(|error| crate::sql_guard::explain(error, &inner.layout, Some(&prepared)))?;
                    guard(&plan)?;
                    // One row more than may be shown, to know that there were more.
                    let frame = context.execute_logical_plan(plan).await?.limit(0, Some(run.limits.rows + 1))?;
                    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
                    Ok((schema, frame.execute_stream().await?))
                })
                .await
            })
        };
        let (schema, mut stream) = match planned.await {
            Ok(planned) => planned?,
            Err(error) => return Err(QueryError::from(crate::StoreError::Worker(error))),
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        inner.engine.handle().spawn(async move {
            let mut left = run.limits.rows;
            loop {
                let next = run.guard(async { Ok(stream.next().await.transpose()?) }).await;
                let (message, last) = match next {
                    Ok(None) => return,
                    Ok(Some(batch)) if batch.num_rows() > left => {
                        if left > 0 && sender.send(Ok(batch.slice(0, left))).await.is_err() {
                            return;
                        }
                        (Err(QueryError::TooManyRows { limit: run.limits.rows }), true)
                    }
                    Ok(Some(batch)) => {
                        left -= batch.num_rows();
                        (Ok(batch), false)
                    }
                    Err(error) => (Err(error), true),
                };
                if sender.send(message).await.is_err() || last {
                    return;
                }
            }
        });
        let batches = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|message| (message, receiver))
        });
        Ok(SqlAnswer { schema, batches: batches.boxed() })
    }
}
