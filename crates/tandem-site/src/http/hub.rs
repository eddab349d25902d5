//! Live messages, numbered once for all who listen, and kept for those who come back.

use super::{detections, health, sources};
use crate::app::App;
use crate::pipeline::Live;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tandem_base::{Chance, SystemChance, hex};
use tandem_control::CaseChanged;
use tandem_model::Detection;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

/// Messages kept for somebody whose line was cut.
const KEPT: usize = 1_000;
/// Messages that a slow listener may lag behind.
const LAG_MAX: usize = 256;
/// Detections of one batch that are told one by one.
const DETECTIONS_MAX: usize = 100;
const TICK: Duration = Duration::from_secs(10);
/// Sources are looked at every so many ticks.
const SOURCES_EVERY: u64 = 6;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// Cases opened and changed.
    Cases,
    /// New detections.
    Detections,
    /// Sources whose health changed.
    Sources,
    /// How the program is.
    Health,
}

/// One message.
#[derive(Debug)]
pub(super) struct Message {
    seq: u64,
    /// `None`: for all.
    topic: Option<Topic>,
    event: &'static str,
    data: String,
}

impl Message {
    /// Whether somebody who follows `topics` hears it.
    pub(super) fn is_for(&self, topics: &[Topic]) -> bool {
        self.topic.is_none_or(|topic| topics.contains(&topic))
    }
}

/// What somebody who comes (back) hears first.
#[derive(Debug)]
pub(super) enum Missed {
    /// These, maybe none.
    These(Vec<Arc<Message>>),
    /// Nobody knows: read everything anew.
    Unknown,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Hub {
    process: String,
    running: AtomicBool,
    ring: Mutex<Ring>,
    sender: broadcast::Sender<Arc<Message>>,
}

#[derive(Debug)]
struct Ring {
    next: u64,
    kept: VecDeque<Arc<Message>>,
}

impl Hub {
    /// A hub that nobody listens to yet.
    pub(super) fn new() -> Self {
        let mut process = [0; 4];
        SystemChance.fill(&mut process);
        Self {
            process: hex(&process),
            running: AtomicBool::new(false),
            ring: Mutex::new(Ring { next: 1, kept: VecDeque::new() }),
            sender: broadcast::channel(LAG_MAX).0,
        }
    }

    /// Begins to listen, after the message `last_id` where that is given.
    pub(super) fn join(
        self: &Arc<Self>,
        app: &App,
        last_id: Option<&str>,
    ) -> (Missed, broadcast::Receiver<Arc<Message>>) {
        let joined = self.listen(last_id);
        if !self.running.swap(true, Ordering::SeqCst) {
            tokio::spawn(run(Arc::clone(self), app.clone()));
        }
        joined
    }

    fn listen(&self, last_id: Option<&str>) -> (Missed, broadcast::Receiver<Arc<Message>>) {
        let ring = self.ring.lock();
        let receiver = self.sender.subscribe();
        let missed = match last_id {
            None => Missed::These(Vec::new()),
            Some(id) => self.seq_of(id).and_then(|seq| ring.after(seq)).map_or(Missed::Unknown, Missed::These),
        };
        (missed, receiver)
    }

    /// The number in an id that this process gave.
    fn seq_of(&self, id: &str) -> Option<u64> {
        let (process, seq) = id.split_once('-')?;
        (process == self.process).then(|| seq.parse().ok())?
    }

    /// The id of the latest message.
    pub(super) fn last_id(&self) -> String {
        format!("{}-{}", self.process, self.ring.lock().next - 1)
    }

    /// A message as the stream has it.
    pub(super) fn text(&self, message: &Message) -> String {
        text(&format!("{}-{}", self.process, message.seq), message.event, &message.data)
    }

    fn publish(&self, topic: Option<Topic>, event: &'static str, data: &impl Serialize) {
        let Ok(data) = serde_json::to_string(data) else { return };
        let mut ring = self.ring.lock();
        let message = Arc::new(Message { seq: ring.next, topic, event, data });
        ring.next += 1;
        if ring.kept.len() == KEPT {
            ring.kept.pop_front();
        }
        ring.kept.push_back(Arc::clone(&message));
        // Sent under the lock, so that all hear messages in the order of their numbers. Nobody listening is no error.
        let _ = self.sender.send(message);
    }

    /// Whether nobody listens any more; then what comes next is not heard, and no id of before is good.
    fn rest(&self) -> bool {
        let mut ring = self.ring.lock();
        if self.sender.receiver_count() > 0 {
            return false;
        }
        ring.next += 1;
        ring.kept.clear();
        self.running.store(false, Ordering::SeqCst);
        true
    }
}

impl Ring {
    /// Messages after `seq`; `None` where not all of them are kept.
    fn after(&self, seq: u64) -> Option<Vec<Arc<Message>>> {
        if seq >= self.next {
            return None;
        }
        let first = self.kept.front().map_or(self.next, |message| message.seq);
        (seq + 1 >= first).then(|| self.kept.iter().filter(|message| message.seq > seq).cloned().collect())
    }
}

/// One message of an event stream. `data` is JSON without line ends.
pub(super) fn text(id: &str, event: &str, data: &str) -> String {
    format!("id: {id}\nevent: {event}\ndata: {data}\n\n")
}

/// Hears what happens and tells it, as long as somebody listens.
async fn run(hub: Arc<Hub>, app: App) {
    let mut cases = app.control.subscribe();
    let mut live = app.live.subscribe();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks: u64 = 0;
    let mut known: Option<HashMap<String, String>> = None;
    loop {
        tokio::select! {
            changed = cases.recv() => match changed {
                Ok(CaseChanged { id, version, change }) => {
                    let data = json!({ "id": id.to_string(), "version": version, "change": change });
                    hub.publish(Some(Topic::Cases), "case", &data);
                }
                Err(RecvError::Lagged(_)) => hub.publish(None, "resync", &json!({})),
                Err(RecvError::Closed) => return,
            },
            batch = live.recv() => match batch {
                Ok(Live::Detections(batch)) => tell_detections(&hub, &app, &batch).await,
                Ok(Live::Events(_)) => {}
                Err(RecvError::Lagged(_)) => hub.publish(Some(Topic::Detections), "resync", &json!({})),
                Err(RecvError::Closed) => return,
            },
            _ = tick.tick() => {
                if ticks > 0 && hub.rest() {
                    return;
                }
                hub.publish(Some(Topic::Health), "health", &health::health(&app).await);
                if ticks.is_multiple_of(SOURCES_EVERY) {
                    known = tell_sources(&hub, &app, known).await;
                }
                ticks += 1;
            }
        }
    }
}

/// Detections of the stream; what an import finds is history and told by its run.
async fn tell_detections(hub: &Hub, app: &App, batch: &[Detection]) {
    let new: Vec<&Detection> = batch.iter().filter(|detection| detection.run.is_none()).collect();
    for detection in new.iter().take(DETECTIONS_MAX) {
        // They were judged before they were told, so that each has its case by now.
        let case = app.control.detection(detection.id).await.ok().and_then(|stored| stored.case);
        hub.publish(Some(Topic::Detections), "detection", &detections::row(detection, case));
    }
    if new.len() > DETECTIONS_MAX {
        hub.publish(Some(Topic::Detections), "resync", &json!({}));
    }
}

/// Tells sources whose health is another than before; answers the present one.
async fn tell_sources(hub: &Hub, app: &App, known: Option<HashMap<String, String>>) -> Option<HashMap<String, String>> {
    let Ok(heads) = sources::heads(app).await else { return known };
    let mut now = HashMap::with_capacity(heads.len());
    for (_, head) in heads {
        let before = known.as_ref().and_then(|known| known.get(&head.id));
        if known.is_some() && before != Some(&head.health) {
            hub.publish(Some(Topic::Sources), "source", &head);
        }
        now.insert(head.id, head.health);
    }
    Some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(hub: &Hub, count: u64) {
        (0..count).for_each(|at| hub.publish(Some(Topic::Cases), "case", &json!({ "at": at })));
    }

    fn missed(hub: &Hub, id: &str) -> Option<Vec<u64>> {
        match hub.listen(Some(id)).0 {
            Missed::These(messages) => Some(messages.iter().map(|message| message.seq).collect()),
            Missed::Unknown => None,
        }
    }

    #[test]
    fn who_comes_back_hears_what_was_missed() {
        let hub = Hub::new();
        let first = hub.last_id();
        told(&hub, 3);
        assert_eq!(missed(&hub, &first), Some(vec![1, 2, 3]));
        assert_eq!(missed(&hub, &format!("{}-2", hub.process)), Some(vec![3]));
        assert_eq!(missed(&hub, &hub.last_id()), Some(vec![]));
        let others = format!("{}x-2", hub.process);
        for unknown in ["", "2", others.as_str(), &format!("{}-99", hub.process), &format!("{}-x", hub.process)] {
            assert_eq!(missed(&hub, unknown), None, "{unknown}");
        }
    }

    #[test]
    fn beyond_what_is_kept_nobody_knows() {
        let hub = Hub::new();
        told(&hub, KEPT as u64 + 10);
        assert_eq!(missed(&hub, &format!("{}-9", hub.process)), None);
        assert_eq!(missed(&hub, &format!("{}-10", hub.process)).map(|list| list.len()), Some(KEPT));
    }

    #[test]
    fn after_a_rest_no_earlier_id_is_good() {
        let hub = Hub::new();
        told(&hub, 2);
        let before = hub.last_id();
        let (_, listener) = hub.listen(None);
        assert!(!hub.rest());
        drop(listener);
        assert!(hub.rest());
        assert_eq!(missed(&hub, &before), None);
        assert_eq!(missed(&hub, &hub.last_id()), Some(vec![]));
    }

    #[test]
    fn messages_are_lines_with_their_id() {
        let hub = Hub::new();
        let (_, mut receiver) = hub.listen(None);
        hub.publish(None, "resync", &json!({ "text": "a\nb" }));
        let message = receiver.try_recv().unwrap();
        assert_eq!(
            hub.text(&message),
            format!("id: {}-1\nevent: resync\ndata: {{\"text\":\"a\\nb\"}}\n\n", hub.process)
        );
        assert!(message.is_for(&[]) && message.is_for(&[Topic::Cases]));
        hub.publish(Some(Topic::Health), "health", &json!({}));
        let message = receiver.try_recv().unwrap();
        assert!(!message.is_for(&[Topic::Cases]) && message.is_for(&[Topic::Cases, Topic::Health]));
    }
}
