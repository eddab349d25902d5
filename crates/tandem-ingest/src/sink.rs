//! Where records go, and how a receiver without acknowledgement insists.

use crate::counters::Cause;
use async_trait::async_trait;
use std::time::Duration;
use tandem_model::Record;
use tokio_util::sync::CancellationToken;

/// Takes batches of records; the site puts its spool behind it.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Returns `Ok` only when every record of the batch is durable, and in order.
    ///
    /// An error means that the sender may not be told otherwise: the receiver refuses, or tries the same
    /// batch again. Calls may overlap; the sink is free to commit several batches together.
    async fn append(&self, records: &[Record]) -> Result<(), SinkError>;
}

/// Why a batch is not durable.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// There is no room now; the sender is asked to wait.
    #[error("sink has no room for more records")]
    Full,
    /// The site is stopping; nothing will be taken any more.
    #[error("sink is closed")]
    Closed,
    /// The disk refused.
    #[error("sink could not write the records")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The sink closed, or shutdown's patience ended, before the batch was durable.
#[derive(Debug)]
pub(crate) struct NotTaken;

/// Gives `records` to `sink` until it takes them: for protocols that cannot refuse. The caller does not
/// read from its socket meanwhile, which is what slows the sender. After `stop` it tries for `grace` more.
pub(crate) async fn insist(
    sink: &dyn Sink,
    records: &[Record],
    count: &(dyn Fn(Cause, &str) + Send + Sync),
    stop: &CancellationToken,
    grace: Duration,
) -> Result<(), NotTaken> {
    let mut pause = Duration::from_millis(5);
    let mut deadline = None;
    loop {
        match sink.append(records).await {
            Ok(()) => return Ok(()),
            Err(SinkError::Closed) => return Err(NotTaken),
            Err(SinkError::Full) => count(Cause::SinkFull, "the spool has no room; not reading from senders"),
            Err(SinkError::Io(error)) => {
                tracing::error!(error = %error, "records could not be written; trying again");
                count(Cause::SinkFailed, &format!("the spool could not write: {error}"));
            }
        }
        if stop.is_cancelled() {
            let now = tokio::time::Instant::now();
            if now >= *deadline.get_or_insert(now + grace) {
                return Err(NotTaken);
            }
            tokio::time::sleep(pause).await;
        } else {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
