//! SQL over events and detections: one SELECT, a line a row.

use super::extract::Body;
use super::reads::{Shown, query_refused};
use super::search::{cells, limits, millis};
use crate::app::App;
use axum::extract::State;
use axum::response::Response;
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Instant;
use tandem_api::SqlRequest;
use tandem_service::{Actor, Verb};
use tandem_store::{QueryError, SqlAnswer, rows_of};
use tandem_web::{Answer, Caller, Refused, ndjson};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

const ROWS: u32 = 1_000;
const ROWS_MAX: u32 = 100_000;
/// Lines that wait for a slow reader before the query waits, too.
const WAITING: usize = 64;

pub(super) async fn sql(State(app): State<App>, caller: Caller, Body(wire): Body<SqlRequest>) -> Answer<Response> {
    let limit = wire.limit.unwrap_or(ROWS);
    if !(1..=ROWS_MAX).contains(&limit) {
        return Err(Refused::invalid("`limit` is out of range").hint(format!("ask for 1 to {ROWS_MAX} rows")));
    }
    let cancel = CancellationToken::new();
    let scope = app.scope(&caller.actor);
    let answer =
        app.store.sql(&wire.sql, &scope, limits(&app, limit as usize), cancel.clone()).await.map_err(query_refused)?;
    let (output, lines) = mpsc::channel(WAITING);
    let telling = Telling { app, actor: caller.actor, sql: wire.sql, output, cancel };
    // A task of its own: whatever becomes of the connection, what was shown is recorded.
    tokio::spawn(telling.tell(answer));
    Ok(ndjson(ReceiverStream::new(lines)))
}

struct Telling {
    app: App,
    actor: Actor,
    sql: String,
    output: mpsc::Sender<Value>,
    cancel: CancellationToken,
}

impl Telling {
    async fn tell(self, mut answer: SqlAnswer) {
        let begun = Instant::now();
        let mut shown = Shown::default();
        let mut last = None;
        let mut open = self.output.send(json!({ "columns": answer.columns() })).await.is_ok();
        while open {
            let batch = tokio::select! {
                biased;
                () = self.output.closed() => break,
                batch = answer.batches.next() => batch,
            };
            match batch {
                None => break,
                Some(Ok(batch)) => {
                    for row in rows_of(&batch) {
                        let row = Value::from(cells(&row));
                        shown.row(row.to_string().as_bytes());
                        if self.output.send(json!({ "row": row })).await.is_err() {
                            open = false;
                            break;
                        }
                    }
                }
                Some(Err(error)) => {
                    last = Some(error);
                    break;
                }
            }
        }
        self.cancel.cancel();
        let recorded = shown.record(&self.app, &self.actor, Verb::EventSql, &self.sql).await;
        let end = match (recorded, last) {
            (Err(refused), _) => json!({ "error": refused.0 }),
            (Ok(()), None) => done(&shown, false, None, begun),
            // The rows before the limit were shown; that is an answer.
            (Ok(()), Some(error @ QueryError::TooManyRows { .. })) => {
                done(&shown, true, Some(error.to_string()), begun)
            }
            (Ok(()), Some(error)) => json!({ "error": query_refused(error).0 }),
        };
        // Nobody may be listening any more.
        let _ = self.output.send(end).await;
    }
}

fn done(shown: &Shown, limited: bool, because: Option<String>, begun: Instant) -> Value {
    let mut done = json!({ "rows": shown.rows(), "limited": limited, "duration_ms": millis(begun) });
    if let Some(because) = because {
        done["because"] = Value::from(because);
    }
    json!({ "done": done })
}
