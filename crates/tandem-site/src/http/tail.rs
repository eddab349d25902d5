//! Events as they come, as far as a query lets them through.

use super::event_view;
use crate::pipeline::Live;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tandem_model::Event;
use tandem_query::Expr;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Events a second that are shown; nobody reads more.
const PER_SECOND: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

/// What a tail has for its reader.
pub(super) enum Piece {
    /// Rows as JSON.
    Rows(Vec<String>),
    /// The reader was too slow: some batches are lost.
    Lost,
    /// There will be no more.
    End,
}

/// One tail.
pub(super) struct Tail {
    filter: Arc<Expr>,
    live: Receiver<Live>,
    pace: Pace,
    _place: OwnedSemaphorePermit,
}

impl Tail {
    /// Shows what passes `filter` from now on.
    pub(super) fn new(filter: Expr, live: Receiver<Live>, place: OwnedSemaphorePermit) -> Self {
        Self { filter: Arc::new(filter), live, pace: Pace::new(Instant::now()), _place: place }
    }

    /// The next piece; does not come while nothing passes. Safe to be dropped and asked again.
    pub(super) async fn next(&mut self) -> Piece {
        loop {
            let batch = match self.live.recv().await {
                Ok(Live::Events(batch)) => batch,
                Ok(Live::Detections(_)) => continue,
                Err(RecvError::Lagged(_)) => return Piece::Lost,
                Err(RecvError::Closed) => return Piece::End,
            };
            let room = self.pace.room(Instant::now());
            let filter = Arc::clone(&self.filter);
            // Regular expressions over long texts take their time: not on a runtime thread.
            let looked = tokio::task::spawn_blocking(move || look(&filter, &batch, room)).await;
            let Ok(looked) = looked else { continue };
            self.pace.took(&looked);
            if !looked.rows.is_empty() {
                return Piece::Rows(looked.rows);
            }
        }
    }

    /// Events that were not looked at since it was last asked.
    pub(super) fn skipped(&mut self) -> u64 {
        std::mem::take(&mut self.pace.skipped)
    }
}

/// What became of a batch.
struct Looked {
    rows: Vec<String>,
    skipped: u64,
}

/// The first `room` events that pass; once there is no more room, the rest is not looked at.
fn look(filter: &Expr, batch: &[Arc<Event>], room: usize) -> Looked {
    let mut rows = Vec::new();
    let mut skipped = 0;
    // An import is history, not live.
    for event in batch.iter().filter(|event| event.run.is_none()) {
        if rows.len() == room {
            skipped += 1;
        } else if tandem_query::matches(filter, event) {
            rows.extend(serde_json::to_string(&event_view::row(event, &[])));
        }
    }
    Looked { rows, skipped }
}

/// How much may still be shown within the running second.
struct Pace {
    begun: Instant,
    shown: usize,
    skipped: u64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { begun: now, shown: 0, skipped: 0 }
    }

    fn room(&mut self, now: Instant) -> usize {
        if now.saturating_duration_since(self.begun) >= SECOND {
            (self.begun, self.shown) = (now, 0);
        }
        PER_SECOND - self.shown.min(PER_SECOND)
    }

    fn took(&mut self, looked: &Looked) {
        self.shown += looked.rows.len();
        self.skipped += looked.skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::super::event_view::tests::event;
    use super::*;
    use tandem_model::RunId;
    use tokio::sync::{Semaphore, broadcast};

    fn batch(texts: &[&str]) -> Vec<Arc<Event>> {
        texts.iter().enumerate().map(|(at, text)| Arc::new(event(at as u64, text))).collect()
    }

    fn filter(text: &str) -> Expr {
        tandem_query::parse(text).0.filter
    }

    #[test]
    fn what_passes_is_shown_and_the_rest_counted() {
        let looked = look(&filter("alpha"), &batch(&["alpha one", "beta", "alpha two", "alpha three", "beta"]), 2);
        assert_eq!((looked.rows.len(), looked.skipped), (2, 2));
        assert!(looked.rows[1].contains("alpha two"));
        let mut import = event(9, "alpha");
        import.run = Some(RunId([1; 16]));
        let looked = look(&filter("alpha"), &[Arc::new(import)], 2);
        assert_eq!((looked.rows.len(), looked.skipped), (0, 0));
    }

    #[test]
    fn each_second_has_its_own_room() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.room(start), 200);
        pace.took(&Looked { rows: vec![String::new(); 150], skipped: 7 });
        assert_eq!(pace.room(start), 50);
        pace.took(&Looked { rows: vec![String::new(); 50], skipped: 1 });
        assert_eq!((pace.room(start), pace.skipped), (0, 8));
        assert_eq!(pace.room(start + SECOND), 200);
    }

    #[tokio::test]
    async fn a_tail_hears_batches_and_knows_when_it_lost_some() {
        let (sender, live) = broadcast::channel(2);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let mut tail = Tail::new(filter("alpha"), live, place);
        sender.send(Live::Detections(Arc::new(vec![]))).unwrap();
        sender.send(Live::Events(Arc::new(batch(&["beta", "alpha"])))).unwrap();
        assert!(matches!(tail.next().await, Piece::Rows(rows) if rows.len() == 1));
        for _ in 0..4 {
            sender.send(Live::Events(Arc::new(batch(&["alpha"])))).unwrap();
        }
        assert!(matches!(tail.next().await, Piece::Lost));
        assert_eq!(tail.skipped(), 0);
        drop(sender);
        while !matches!(tail.next().await, Piece::End) {}
    }
}
