//! Limits of one query, and how it ends before its time.

use crate::QueryError;
use datafusion::error::DataFusionError;
use std::future::Future;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What one query may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Time from its start. Default 30 s.
    pub time: Duration,
    /// Memory in bytes. Default 256 MiB.
    pub memory_bytes: usize,
    /// Rows of the answer (of tables; events have the limit of their request). Default 10,000.
    pub rows: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(30), memory_bytes: 256 << 20, rows: 10_000 }
    }
}

/// One running query.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) limits: QueryLimits,
    cancel: CancellationToken,
    deadline: Instant,
}

impl Run {
    pub(crate) fn new(limits: QueryLimits, cancel: CancellationToken) -> Self {
        let now = Instant::now();
        // Some platforms cannot add a year to an instant; nobody waits that long.
        let deadline = now.checked_add(limits.time).unwrap_or(now + Duration::from_hours(24));
        Self { limits, cancel, deadline }
    }

    /// Runs a step, as long as time lasts and nobody cancels; names the limit that stopped it.
    pub(crate) async fn guard<T>(&self, step: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
        // A step that computes gives way now and then without waiting for anything. Timers of its thread may not
        // have been looked at meanwhile, so the clock is asked each time.
        let mut step = std::pin::pin!(step);
        let step = std::future::poll_fn(|context| match self.check() {
            Err(error) => Poll::Ready(Err(error)),
            Ok(()) => step.as_mut().poll(context),
        });
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(QueryError::Cancelled),
            () = tokio::time::sleep_until(self.deadline) => {
                Err(QueryError::TooSlow { seconds: self.limits.time.as_secs() })
            }
            result = step => result.map_err(|error| self.name(error)),
        }
    }

    /// Fails when the query should end; for loops that do not wait.
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        if self.cancel.is_cancelled() {
            return Err(QueryError::Cancelled);
        }
        if Instant::now() >= self.deadline {
            return Err(QueryError::TooSlow { seconds: self.limits.time.as_secs() });
        }
        Ok(())
    }

    fn name(&self, error: QueryError) -> QueryError {
        match error {
            QueryError::Engine(error) if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) => {
                QueryError::TooLarge { limit_bytes: self.limits.memory_bytes }
            }
            other => other,
        }
    }
}
