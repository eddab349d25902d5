//! Elasticsearch `_bulk`, and single documents, which some loggers send.

use super::body::{BodyError, BodyReader};
use super::delivery::{Delivery, NotDelivered};
use super::split::{Lines, Part, check_json, check_object};
use super::{Peer, Refused, Sender, Shared};
use crate::counters::Cause;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tandem_model::Transport;
use uuid::Uuid;

/// An index name or id longer than this is refused, as Elasticsearch does (512 bytes for an id).
const MAX_NAME: usize = 512;

/// What an action line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Index,
    Update,
    Delete,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Index => "index",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id")]
    id: Option<Value>,
}

/// One line of the answer.
struct Item {
    verb: Verb,
    index: String,
    id: String,
    outcome: Outcome,
}

enum Outcome {
    Waiting,
    Done,
    Refused { status: u16, kind: &'static str, reason: String },
}

enum Stop {
    Body(BodyError),
    /// Nothing is durable and there is no room.
    Full,
    Failed,
    /// The request as a whole is not understood.
    Malformed(String),
    TooMany,
}

impl From<BodyError> for Stop {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

/// An answer with the headers that official clients ask for.
pub(super) fn answer(headers: &HeaderMap, status: StatusCode, body: &Value) -> Response {
    let mut answer = (status, body.to_string()).into_response();
    dress(headers, &mut answer);
    answer
}

/// Adds what official clients look for: the product, and the media type that they asked for.
pub(super) fn dress(headers: &HeaderMap, answer: &mut Response) {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = match accept.split_once("application/vnd.elasticsearch+json") {
        Some((_, rest)) => match rest.split_once("compatible-with=").map(|(_, rest)| rest.as_bytes().first()) {
            Some(Some(b'8')) => "application/vnd.elasticsearch+json;compatible-with=8",
            _ => "application/vnd.elasticsearch+json;compatible-with=9",
        },
        None => "application/json",
    };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert("x-elastic-product", HeaderValue::from_static("Elasticsearch"));
}

fn error(headers: &HeaderMap, status: StatusCode, kind: &str, reason: &str) -> Response {
    let cause = json!({"type": kind, "reason": reason});
    let body = json!({
        "error": {"root_cause": [cause], "type": kind, "reason": reason},
        "status": status.as_u16(),
    });
    answer(headers, status, &body)
}

pub(super) fn refused(headers: &HeaderMap, refused: &Refused) -> Response {
    let status = match refused {
        Refused::Disabled => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut answer = error(headers, status, "security_exception", refused.text());
    let schemes = HeaderValue::from_static("Basic realm=\"security\", charset=\"UTF-8\"");
    answer.headers_mut().insert(WWW_AUTHENTICATE, schemes);
    answer.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey"));
    answer
}

fn stopped(shared: &Shared, sender: &Sender, headers: &HeaderMap, stop: &Stop) -> Response {
    match stop {
        Stop::Body(body) => {
            shared.error(sender, body.cause(), &body.to_string());
            error(headers, body.status(), "parse_exception", &body.to_string())
        }
        Stop::Full => {
            let reason = "the spool has no room now; send the same request again later";
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut answer = error(headers, status, "es_rejected_execution_exception", reason);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(shared.config.retry_after_s));
            answer
        }
        Stop::Failed => {
            let reason = "the spool did not take the records";
            error(headers, StatusCode::SERVICE_UNAVAILABLE, "unavailable_exception", reason)
        }
        Stop::Malformed(reason) => {
            shared.error(sender, Cause::Malformed, reason);
            error(headers, StatusCode::BAD_REQUEST, "illegal_argument_exception", reason)
        }
        Stop::TooMany => {
            let reason = format!("request has more than {} items", shared.config.max_items);
            shared.error(sender, Cause::BodyTooLarge, &reason);
            error(headers, StatusCode::PAYLOAD_TOO_LARGE, "illegal_argument_exception", &reason)
        }
    }
}

pub(super) async fn take(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    index: Option<Path<String>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let sender = match shared.sender(headers, None, peer) {
        Ok(sender) => sender,
        Err(reason) => return refused(headers, &reason),
    };
    let started = tokio::time::Instant::now();
    let Some(_room) = shared.room().await else { return stopped(&shared, &sender, headers, &Stop::Full) };
    let mut bulk = Bulk {
        shared: &shared,
        delivery: Delivery::new(&shared, &sender, Transport::Bulk),
        index: index.map(|Path(index)| index),
        items: Vec::new(),
        durable: 0,
    };
    let done = match BodyReader::new(headers, body, &shared.config) {
        Ok(body) => bulk.read(body).await,
        Err(error) => Err(Stop::Body(error)),
    };
    match done {
        Ok(()) => {
            let items = std::mem::take(&mut bulk.items);
            let refused = items.iter().find_map(|item| match &item.outcome {
                Outcome::Refused { reason, status: 400, .. } => Some(reason),
                _ => None,
            });
            if let Some(reason) = refused {
                shared.error(&sender, Cause::Malformed, &format!("_bulk items refused: {reason}"));
            }
            answer(headers, StatusCode::OK, &report(&items, started.elapsed()))
        }
        Err(stop) => stopped(&shared, &sender, headers, &stop),
    }
}

struct Bulk<'a> {
    shared: &'a Shared,
    delivery: Delivery<'a>,
    /// From the path.
    index: Option<String>,
    items: Vec<Item>,
    /// Items before this one wait for nothing.
    durable: usize,
}

impl Bulk<'_> {
    async fn read(&mut self, mut body: BodyReader) -> Result<(), Stop> {
        let mut lines = Lines::new(self.shared.config.max_event_bytes);
        let mut action: Option<(Verb, String, String, bool)> = None;
        let mut number = 0_u64;
        loop {
            let piece = body.next().await?;
            if let Some(piece) = &piece {
                lines.push(piece);
            }
            while let Some(part) = lines.next(piece.is_none()) {
                number += 1;
                if let Some((verb, index, id, named)) = action.take() {
                    self.document(verb, index, id, named, &part).await?;
                    continue;
                }
                let line = match part {
                    Part::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
                    Part::Whole(line) => line,
                    Part::TooLong => return Err(Stop::Malformed(format!("action line {number} is too long"))),
                };
                if self.items.len() >= self.shared.config.max_items {
                    return Err(Stop::TooMany);
                }
                let (verb, meta) = self.action(&line, number)?;
                let index = meta.index.or_else(|| self.index.clone()).unwrap_or_default();
                let (id, named) = match meta.id {
                    None | Some(Value::Null) => (Uuid::new_v4().simple().to_string(), false),
                    Some(Value::String(id)) => (id, true),
                    Some(id) => (id.to_string(), true),
                };
                if verb == Verb::Delete {
                    self.refuse(verb, index, id, 400, "illegal_argument_exception", "records are never deleted");
                } else {
                    action = Some((verb, index, id, named));
                }
            }
            if piece.is_none() {
                break;
            }
        }
        if action.is_some() {
            return Err(Stop::Malformed(
                "The bulk request must be terminated by a newline [\\n]: last document is missing".to_owned(),
            ));
        }
        if self.items.is_empty() {
            return Err(Stop::Malformed("request body is required".to_owned()));
        }
        self.flush().await
    }

    fn action(&self, line: &[u8], number: u64) -> Result<(Verb, Meta), Stop> {
        let wrong = || Stop::Malformed(format!("Malformed action/metadata line [{number}]"));
        check_json(line, self.shared.config.max_depth).map_err(|_| wrong())?;
        let mut action: HashMap<String, Meta> = serde_json::from_slice(line).map_err(|_| wrong())?;
        if action.len() != 1 {
            return Err(wrong());
        }
        for verb in [Verb::Create, Verb::Index, Verb::Update, Verb::Delete] {
            if let Some(meta) = action.remove(verb.word()) {
                return Ok((verb, meta));
            }
        }
        Err(wrong())
    }

    async fn document(&mut self, verb: Verb, index: String, id: String, named: bool, part: &Part) -> Result<(), Stop> {
        let config = &self.shared.config;
        let line = match part {
            Part::TooLong => {
                let reason = format!("document is larger than {} bytes", config.max_event_bytes);
                self.refuse(verb, index, id, 413, "illegal_argument_exception", &reason);
                return Ok(());
            }
            Part::Whole(line) => line,
        };
        if verb == Verb::Update {
            self.refuse(verb, index, id, 400, "illegal_argument_exception", "records are never changed");
        } else if index.is_empty() || index.len() > MAX_NAME {
            let reason = "index is missing, or its name is too long";
            self.refuse(verb, index.chars().take(MAX_NAME).collect(), id, 400, "invalid_index_name_exception", reason);
        } else if id.len() > MAX_NAME || (named && id.is_empty()) {
            let id = id.chars().take(MAX_NAME).collect();
            self.refuse(verb, index, id, 400, "illegal_argument_exception", "id is empty or longer than 512 bytes");
        } else if let Err(reason) = check_object(line, config.max_depth) {
            self.refuse(verb, index, id, 400, "document_parsing_exception", &reason);
        } else {
            let mut facts = vec![("bulk.index".to_owned(), index.clone())];
            if named {
                facts.push(("bulk.id".to_owned(), id.clone()));
            }
            let full = self.delivery.add(line.to_vec(), facts);
            self.items.push(Item { verb, index, id, outcome: Outcome::Waiting });
            if full {
                return self.flush().await;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, verb: Verb, index: String, id: String, status: u16, kind: &'static str, reason: &str) {
        let outcome = Outcome::Refused { status, kind, reason: reason.to_owned() };
        self.items.push(Item { verb, index, id, outcome });
    }

    /// Makes what waits durable. When that fails and nothing is durable yet, the whole request is refused;
    /// otherwise only the items of this batch are, so that the sender repeats just these.
    async fn flush(&mut self) -> Result<(), Stop> {
        if self.delivery.waiting() == 0 {
            return Ok(());
        }
        let nothing_yet = self.delivery.delivered == 0;
        let outcome = match self.delivery.flush().await {
            Ok(()) => None,
            Err(NotDelivered::Full) if nothing_yet => return Err(Stop::Full),
            Err(NotDelivered::Failed) if nothing_yet => return Err(Stop::Failed),
            Err(NotDelivered::Full) => Some((429, "es_rejected_execution_exception", "the spool has no room now")),
            Err(NotDelivered::Failed) => Some((503, "unavailable_exception", "the spool did not take the record")),
        };
        for item in &mut self.items[self.durable..] {
            if matches!(item.outcome, Outcome::Waiting) {
                item.outcome = match outcome {
                    None => Outcome::Done,
                    Some((status, kind, reason)) => Outcome::Refused { status, kind, reason: reason.to_owned() },
                };
            }
        }
        self.durable = self.items.len();
        Ok(())
    }
}

fn report(items: &[Item], took: Duration) -> Value {
    let mut errors = false;
    let items: Vec<_> = items
        .iter()
        .map(|item| {
            let body = match &item.outcome {
                Outcome::Refused { status, kind, reason } => {
                    errors = true;
                    json!({
                        "_index": item.index, "_id": item.id, "status": status,
                        "error": {"type": kind, "reason": reason},
                    })
                }
                Outcome::Done | Outcome::Waiting => done(&item.index, &item.id),
            };
            json!({item.verb.word(): body})
        })
        .collect();
    json!({"took": took.as_millis() as u64, "errors": errors, "items": items})
}

fn done(index: &str, id: &str) -> Value {
    json!({
        "_index": index, "_id": id, "_version": 1, "result": "created", "status": 201,
        "_shards": {"total": 1, "successful": 1, "failed": 0}, "_seq_no": 0, "_primary_term": 1,
    })
}

/// `POST /{index}/_doc`, `PUT /{index}/_doc/{id}`, `PUT /{index}/_create/{id}`: one document; `Err` gives any
/// other request back.
pub(super) async fn single(shared: &Arc<Shared>, request: Request) -> Result<Response, Box<Request>> {
    let path = request.uri().path().to_owned();
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let (index, id) = match (request.method(), parts.as_slice()) {
        (&Method::POST, [index, "_doc"]) => ((*index).to_owned(), None),
        (&Method::POST | &Method::PUT, [index, "_doc" | "_create", id]) => {
            ((*index).to_owned(), Some((*id).to_owned()))
        }
        _ => return Err(Box::new(request)),
    };
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else { return Err(Box::new(request)) };
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let sender = match shared.sender(headers, None, peer) {
        Ok(sender) => sender,
        Err(reason) => return Ok(refused(headers, &reason)),
    };
    let Some(_room) = shared.room().await else { return Ok(stopped(shared, &sender, headers, &Stop::Full)) };
    Ok(match document(shared, &sender, headers, body, index, id).await {
        Ok(answer) => answer,
        Err(stop) => stopped(shared, &sender, headers, &stop),
    })
}

async fn document(
    shared: &Shared,
    sender: &Sender,
    headers: &HeaderMap,
    body: axum::body::Body,
    index: String,
    id: Option<String>,
) -> Result<Response, Stop> {
    let mut body = BodyReader::new(headers, body, &shared.config)?;
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        if bytes.len() + piece.len() > shared.config.max_event_bytes {
            let limit_bytes = shared.config.max_event_bytes as u64;
            return Err(Stop::Body(BodyError::TooLarge { limit_bytes }));
        }
        bytes.extend_from_slice(&piece);
    }
    check_object(&bytes, shared.config.max_depth).map_err(Stop::Malformed)?;
    let mut delivery = Delivery::new(shared, sender, Transport::Bulk);
    let mut facts = vec![("bulk.index".to_owned(), index.clone())];
    facts.extend(id.clone().map(|id| ("bulk.id".to_owned(), id)));
    delivery.add(bytes, facts);
    delivery.flush().await.map_err(|error| match error {
        NotDelivered::Full => Stop::Full,
        NotDelivered::Failed => Stop::Failed,
    })?;
    let id = id.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
    Ok(answer(headers, StatusCode::CREATED, &done(&index, &id)))
}
