//! `/stream`: live changes as server-sent events.

use super::extract::Params;
use super::hub::{Hub, Message, Missed, Topic, text};
use super::reads::{Shown, parse};
use super::tail::{Piece, Tail};
use crate::app::App;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::StreamExt;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tandem_service::{Actor, ActorKind, Object, ObjectKind, Verb};
use tandem_web::{Answer, Caller, Refused, Stopping};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;

const HEARTBEAT: Duration = Duration::from_secs(15);
/// Whether the person may still listen is asked this often.
const RECHECK: Duration = Duration::from_mins(1);
/// A token cannot be asked again, so its stream ends, and its program connects anew.
const TOKEN_STREAM: Duration = Duration::from_hours(1);
const SKIPPED_EVERY: Duration = Duration::from_secs(1);
/// A reader that takes nothing for this long is gone.
const PATIENCE: Duration = Duration::from_mins(1);
/// Messages that wait for a slow reader.
const WAITING: usize = 64;
/// Streams that are open at once, and tails among them: each looks at every event.
const STREAMS_MAX: usize = 1_000;
const TAILS_MAX: usize = 20;

/// What all streams share.
#[derive(Clone)]
pub(super) struct Streams {
    hub: Arc<Hub>,
    places: Arc<Semaphore>,
    tails: Arc<Semaphore>,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self {
            hub: Arc::new(Hub::new()),
            places: Arc::new(Semaphore::new(STREAMS_MAX)),
            tails: Arc::new(Semaphore::new(TAILS_MAX)),
        }
    }
}

/// `GET /stream`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Follow {
    topics: Option<String>,
    q: String,
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    topics: Vec<Topic>,
    tail: bool,
}

fn wanted(text: Option<&str>) -> Answer<Wanted> {
    let text = text.filter(|text| !text.trim().is_empty()).unwrap_or("cases,detections,sources,health");
    let mut wanted = Wanted { topics: Vec::new(), tail: false };
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "cases" => wanted.topics.push(Topic::Cases),
            "detections" => wanted.topics.push(Topic::Detections),
            "sources" => wanted.topics.push(Topic::Sources),
            "health" => wanted.topics.push(Topic::Health),
            "tail" => wanted.tail = true,
            _ => {
                let word: String = word.chars().take(40).collect();
                return Err(Refused::invalid(format!("`{word}` is no topic"))
                    .hint("topics are cases, detections, sources, health, tail"));
            }
        }
    }
    Ok(wanted)
}

impl Wanted {
    /// What it takes to hear this.
    fn verbs(&self) -> Vec<(Verb, ObjectKind)> {
        let verb = |topic: &Topic| match topic {
            Topic::Cases => (Verb::CaseRead, ObjectKind::Site),
            Topic::Detections => (Verb::DetectionRead, ObjectKind::Detections),
            Topic::Sources => (Verb::SourceRead, ObjectKind::Site),
            Topic::Health => (Verb::HealthRead, ObjectKind::Site),
        };
        let tail = self.tail.then_some((Verb::EventTail, ObjectKind::Events));
        self.topics.iter().map(verb).chain(tail).collect()
    }

    fn allow(&self, app: &App, actor: &Actor) -> Answer<()> {
        self.verbs().into_iter().try_for_each(|(verb, kind)| app.gate.allow(actor, verb, &Object::all(kind)))
    }
}

fn too_many(what: &str) -> Refused {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", format!("too many {what} are open"))
        .hint("close one, or try again later")
}

pub(super) async fn stream(
    streams: Streams,
    State(app): State<App>,
    Extension(stopping): Extension<Stopping>,
    caller: Caller,
    Params(follow): Params<Follow>,
    headers: HeaderMap,
) -> Answer<Response> {
    let wanted = wanted(follow.topics.as_deref())?;
    wanted.allow(&app, &caller.actor)?;
    let place = Arc::clone(&streams.places).try_acquire_owned().map_err(|_| too_many("streams"))?;
    let tail = if wanted.tail { Some(tail(&streams, &app, &caller.actor, &follow.q).await?) } else { None };
    let last_id = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let (mut missed, messages) = streams.hub.join(&app, last_id);
    if wanted.tail && last_id.is_some() {
        // Events that came meanwhile are not kept for a tail.
        missed = Missed::Unknown;
    }
    let (output, lines) = mpsc::channel::<Bytes>(WAITING);
    let telling = Telling { app, hub: streams.hub, wanted, tail, caller, messages, stopping, output };
    tokio::spawn(async move {
        telling.tell(missed).await;
        drop(place);
    });
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(lines).map(Ok::<_, Infallible>)));
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// A tail of what passes `text`; that somebody watches is recorded as it begins.
async fn tail(streams: &Streams, app: &App, actor: &Actor, text: &str) -> Answer<Tail> {
    let query = parse(app, text)?;
    if !query.pipe.is_empty() {
        return Err(Refused::new(
            StatusCode::BAD_REQUEST,
            "query-invalid",
            "a live tail shows events; figures need a search",
        )
        .hint("leave out what follows the `|`"));
    }
    let place = Arc::clone(&streams.tails).try_acquire_owned().map_err(|_| too_many("live tails"))?;
    let live = app.live.subscribe();
    Shown::default().record(app, actor, Verb::EventTail, text).await?;
    Ok(Tail::new(query.filter, live, place))
}

struct Telling {
    app: App,
    hub: Arc<Hub>,
    wanted: Wanted,
    tail: Option<Tail>,
    caller: Caller,
    messages: broadcast::Receiver<Arc<Message>>,
    stopping: Stopping,
    output: mpsc::Sender<Bytes>,
}

/// The reader is gone, or may listen no longer.
struct Gone;

impl Telling {
    async fn tell(mut self, missed: Missed) {
        // Ends when the reader goes away; there is nobody to be told why.
        let _ = self.run(missed).await;
    }

    async fn send(&self, text: String) -> Result<(), Gone> {
        match tokio::time::timeout(PATIENCE, self.output.send(Bytes::from(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }

    async fn resync(&self) -> Result<(), Gone> {
        self.send(text(&self.hub.last_id(), "resync", "{}")).await
    }

    async fn message(&self, message: &Message) -> Result<(), Gone> {
        if message.is_for(&self.wanted.topics) { self.send(self.hub.text(message)).await } else { Ok(()) }
    }

    async fn run(&mut self, missed: Missed) -> Result<(), Gone> {
        // An id at once: a line that is cut before the first message can be taken up again.
        self.send(format!("id: {}\nretry: 2000\n\n", self.hub.last_id())).await?;
        match missed {
            Missed::Unknown => self.resync().await?,
            Missed::These(messages) => {
                for message in messages {
                    self.message(&message).await?;
                }
            }
        }
        let mut heartbeat = every(HEARTBEAT);
        let mut recheck = every(RECHECK);
        let mut skipped = every(SKIPPED_EVERY);
        let mut age = Duration::ZERO;
        loop {
            tokio::select! {
                () = self.output.closed() => return Err(Gone),
                () = self.stopping.stopped() => return Err(Gone),
                message = self.messages.recv() => match message {
                    Ok(message) => self.message(&message).await?,
                    Err(RecvError::Lagged(_)) => self.resync().await?,
                    Err(RecvError::Closed) => return Err(Gone),
                },
                piece = next(&mut self.tail) => self.piece(piece).await?,
                _ = skipped.tick(), if self.tail.is_some() => self.tell_skipped().await?,
                _ = heartbeat.tick() => self.send(": still here\n\n".to_owned()).await?,
                _ = recheck.tick() => {
                    age += RECHECK;
                    self.may_stay(age).await?;
                }
            }
        }
    }

    async fn piece(&self, piece: Piece) -> Result<(), Gone> {
        match piece {
            Piece::Rows(rows) => {
                let id = self.hub.last_id();
                let messages: String = rows.iter().map(|row| text(&id, "event", row)).collect();
                self.send(messages).await
            }
            Piece::Lost => self.resync().await,
            Piece::End => Err(Gone),
        }
    }

    async fn tell_skipped(&mut self) -> Result<(), Gone> {
        match self.tail.as_mut().map_or(0, Tail::skipped) {
            0 => Ok(()),
            count => self.send(text(&self.hub.last_id(), "skipped", &format!("{{\"skipped\":{count}}}"))).await,
        }
    }

    /// Whether the session is alive and its person may still hear this.
    async fn may_stay(&self, age: Duration) -> Result<(), Gone> {
        if let Some((token, _)) = &self.caller.session {
            let session = self.app.control.session(token).await.ok().flatten().ok_or(Gone)?;
            return self.wanted.allow(&self.app, &session.actor).map_err(|_| Gone);
        }
        let is_token = matches!(self.caller.actor.kind, ActorKind::Token(_));
        if is_token && age >= TOKEN_STREAM { Err(Gone) } else { Ok(()) }
    }
}

/// A clock whose first tick comes after its time.
fn every(time: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + time, time);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The next piece of a tail; never comes where there is none.
async fn next(tail: &mut Option<Tail>) -> Piece {
    match tail {
        Some(tail) => tail.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_by_their_words() {
        let all = wanted(None).unwrap();
        assert_eq!((all.topics.len(), all.tail), (4, false));
        let some = wanted(Some("cases, tail")).unwrap();
        assert_eq!(some, Wanted { topics: vec![Topic::Cases], tail: true });
        assert_eq!(some.verbs(), [(Verb::CaseRead, ObjectKind::Site), (Verb::EventTail, ObjectKind::Events)]);
        assert_eq!(wanted(Some("cases,weather")).unwrap_err().0.title, "`weather` is no topic");
    }
}
