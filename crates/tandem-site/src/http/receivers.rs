//! Receivers: where logs come in, and what senders need to know.

use super::snippets::{Reach, snippets};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use tandem_api::{Count, Receiver, ReceiverPage};
use tandem_ingest::ReceiverSnapshot;
use tandem_web::Answer;

/// What the kernel dropped is no error by cause, and a loss all the same.
const DROPPED: &str = "dropped";

fn receiver(snapshot: ReceiverSnapshot) -> Receiver {
    let mut errors: Vec<Count> =
        snapshot.errors.iter().map(|(cause, count)| Count { name: cause.word().to_owned(), count: *count }).collect();
    if snapshot.dropped > 0 {
        errors.push(Count { name: DROPPED.to_owned(), count: snapshot.dropped });
    }
    Receiver {
        kind: snapshot.kind.word().to_owned(),
        address: snapshot.address.to_string(),
        records: snapshot.records,
        errors,
        last_peer: snapshot.last_peer.map(|peer| peer.to_string()),
        last_error: snapshot.last_error.map(|(at, text)| format!("{at}: {text}")),
    }
}

/// Figures of every open receiver.
pub(super) async fn snapshots(app: &App) -> Vec<ReceiverSnapshot> {
    match &*app.receivers.lock().await {
        Some(receivers) => receivers.receivers(),
        None => Vec::new(),
    }
}

pub(super) async fn list(State(app): State<App>) -> Answer<Json<ReceiverPage>> {
    let snapshots = snapshots(&app).await;
    let public = app.config.console.public_url.as_deref().and_then(crate::engine::host_of);
    let reach: Vec<Reach> =
        snapshots.iter().map(|snapshot| Reach { kind: snapshot.kind, address: snapshot.address }).collect();
    let snippets = snippets(&reach, public);
    Ok(Json(ReceiverPage { items: snapshots.into_iter().map(receiver).collect(), snippets }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::Timestamp;
    use tandem_ingest::{Cause, Kind};

    #[test]
    fn a_receiver_tells_its_errors_and_losses() {
        let wire = receiver(ReceiverSnapshot {
            kind: Kind::SyslogUdp,
            address: "127.0.0.1:5514".parse().unwrap(),
            records: 7,
            bytes: 70,
            connections: 0,
            dropped: 2,
            errors: vec![(Cause::NotAllowed, 1)],
            last_seen: None,
            last_peer: "127.0.0.1".parse().ok(),
            last_error: Some((Timestamp::from_seconds(0), "10.9.9.9 is not allowed".to_owned())),
        });
        let errors: Vec<_> = wire.errors.iter().map(|error| (error.name.as_str(), error.count)).collect();
        assert_eq!(errors, [("not-allowed", 1), ("dropped", 2)]);
        assert_eq!(wire.last_error.as_deref(), Some("1970-01-01T00:00:00Z: 10.9.9.9 is not allowed"));
    }
}
