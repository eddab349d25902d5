//! Receivers' records into the spool, and ingest tokens.

use async_trait::async_trait;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use tandem_ingest::{Sink, SinkError, TokenInfo, Tokens};
use tandem_model::Record;
use tandem_spool::{AppendError, Spool};
use tokio::sync::oneshot;

/// The spool as a sink: an answer means durable.
pub(crate) struct SpoolSink(pub(crate) Arc<Spool>);

#[async_trait]
impl Sink for SpoolSink {
    async fn append(&self, records: &[Record]) -> Result<(), SinkError> {
        let payloads = records
            .iter()
            .map(|record| {
                let mut payload = Vec::with_capacity(record.raw.len() + 128);
                record.encode(&mut payload);
                payload
            })
            .collect();
        append(&self.0, payloads).await.map(|_| ()).map_err(|error| match error {
            AppendError::Full { .. } | AppendError::QueueFull { .. } => SinkError::Full,
            AppendError::Closed => SinkError::Closed,
            // No room on the disk is no room: senders wait, as for a full spool.
            AppendError::Disk(error) if is_no_room(&error) => {
                tracing::error!(%error, "the disk has no room for records; senders wait");
                SinkError::Full
            }
            other => SinkError::Io(Box::new(other)),
        })
    }
}

/// Whether room on the disk would help.
fn is_no_room(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// Appends payloads and waits until they are durable; answers the offset after the last.
pub(crate) async fn append(spool: &Spool, payloads: Vec<Vec<u8>>) -> Result<u64, AppendError> {
    let (done, answer) = oneshot::channel();
    spool.append_then(payloads, move |outcome| {
        // The receiver is gone when the request was given up; the records are kept all the same.
        let _ = done.send(outcome);
    });
    match answer.await {
        Ok(outcome) => outcome.map(|offsets| offsets.end),
        Err(_) => Err(AppendError::Closed),
    }
}

/// Ingest tokens, looked up in memory: receivers must not wait for a database.
#[derive(Debug, Default)]
pub(crate) struct TokenTable(RwLock<HashMap<[u8; 32], TokenInfo>>);

impl TokenTable {
    /// Puts these tokens (by SHA-256 of the secret) in place of those before.
    pub(crate) fn replace(&self, tokens: HashMap<[u8; 32], TokenInfo>) {
        *self.0.write() = tokens;
    }
}

impl Tokens for TokenTable {
    fn check(&self, token: &str) -> Option<TokenInfo> {
        use sha2::{Digest, Sha256};
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        self.0.read().get(&hash).cloned()
    }
}
