//! The Splunk HTTP event collector. Codes and texts are those of Splunk's documentation, "Troubleshoot HTTP
//! Event Collector", so that its clients behave as they do there.

use super::body::{BodyError, BodyReader};
use super::delivery::{Delivery, NotDelivered};
use super::split::{Lines, Objects, Part};
use super::{Peer, Refused, Sender, Shared, time};
use crate::config::HecAck;
use crate::counters::Cause;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tandem_model::Transport;
use uuid::Uuid;

/// Facts of one event, `hec.field.*` included.
const MAX_FACTS: usize = 128;
/// Ids in one question for acknowledgements.
const MAX_ASKED: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Success,
    Disabled,
    TokenRequired,
    InvalidAuthorization,
    InvalidToken,
    NoData,
    InvalidFormat,
    IncorrectIndex,
    InternalError,
    Busy,
    ChannelMissing,
    InvalidChannel,
    EventRequired,
    EventBlank,
    AckDisabled,
    Fields,
    QueryToken,
    Healthy,
}

impl Code {
    fn parts(self) -> (u16, u8, &'static str) {
        match self {
            Self::Success => (200, 0, "Success"),
            Self::Disabled => (403, 1, "Token disabled"),
            Self::TokenRequired => (401, 2, "Token is required"),
            Self::InvalidAuthorization => (401, 3, "Invalid authorization"),
            Self::InvalidToken => (403, 4, "Invalid token"),
            Self::NoData => (400, 5, "No data"),
            Self::InvalidFormat => (400, 6, "Invalid data format"),
            Self::IncorrectIndex => (400, 7, "Incorrect index"),
            Self::InternalError => (500, 8, "Internal server error"),
            Self::Busy => (503, 9, "Server is busy"),
            Self::ChannelMissing => (400, 10, "Data channel is missing"),
            Self::InvalidChannel => (400, 11, "Invalid data channel"),
            Self::EventRequired => (400, 12, "Event field is required"),
            Self::EventBlank => (400, 13, "Event field cannot be blank"),
            Self::AckDisabled => (400, 14, "ACK is disabled"),
            Self::Fields => (400, 15, "Error in handling indexed fields"),
            Self::QueryToken => (400, 16, "Query string authorization is not enabled"),
            Self::Healthy => (200, 17, "HEC is healthy"),
        }
    }

    fn answer(self) -> Response {
        self.with(Map::new(), None)
    }

    fn with(self, more: Map<String, Value>, retry_after_s: Option<u64>) -> Response {
        let (status, code, text) = self.parts();
        let mut body = json!({"text": text, "code": code});
        if let Value::Object(body) = &mut body {
            body.extend(more);
        }
        let mut answer = reply(status, &body);
        if let Some(seconds) = retry_after_s {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

fn reply(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json; charset=UTF-8")], body.to_string()).into_response()
}

/// One event as it is sent.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(default)]
    host: Option<Value>,
    #[serde(default)]
    source: Option<Value>,
    #[serde(default)]
    sourcetype: Option<Value>,
    #[serde(default)]
    index: Option<Value>,
    #[serde(default)]
    fields: Option<Value>,
}

enum Stop {
    Code(Code, Option<u64>),
    Body(BodyError),
    NotDelivered(NotDelivered),
}

impl From<NotDelivered> for Stop {
    fn from(error: NotDelivered) -> Self {
        Self::NotDelivered(error)
    }
}

impl From<BodyError> for Stop {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

type Query = HashMap<String, String>;

fn query(request: &Request) -> Query {
    axum::extract::Query::<Query>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default()
}

fn sender(shared: &Shared, headers: &HeaderMap, query: &Query, peer: Peer) -> Result<Sender, Code> {
    let token = query.get("token").map(String::as_str);
    if token.is_some() && !shared.config.hec.query_token {
        shared.receiver.error(Cause::Unauthorized, &format!("{}: token in the address is not accepted", peer.0));
        return Err(Code::QueryToken);
    }
    shared.sender(headers, token, peer.0).map_err(|refused| match refused {
        Refused::NoToken => Code::TokenRequired,
        Refused::Malformed => Code::InvalidAuthorization,
        Refused::Unknown => Code::InvalidToken,
        Refused::Disabled => Code::Disabled,
    })
}

/// The channel that the request names, checked to be a GUID.
fn channel(shared: &Shared, headers: &HeaderMap, query: &Query) -> Result<Option<String>, Code> {
    let named = headers
        .get("x-splunk-request-channel")
        .map(|value| value.to_str().unwrap_or("?"))
        .or_else(|| query.get("channel").map(String::as_str));
    match (named, shared.config.hec.ack) {
        (None | Some(""), HecAck::Required) => Err(Code::ChannelMissing),
        (None | Some(""), _) => Ok(None),
        (Some(name), _) => match Uuid::parse_str(name) {
            Ok(id) => Ok(Some(id.to_string())),
            Err(_) => Err(Code::InvalidChannel),
        },
    }
}

pub(super) async fn event(state: State<Arc<Shared>>, peer: Extension<Peer>, request: Request) -> Response {
    deliver(&state.0, peer.0, request, Form::Event).await
}

pub(super) async fn raw(state: State<Arc<Shared>>, peer: Extension<Peer>, request: Request) -> Response {
    deliver(&state.0, peer.0, request, Form::Raw).await
}

#[derive(Clone, Copy)]
enum Form {
    Event,
    Raw,
}

async fn deliver(shared: &Shared, peer: Peer, request: Request, form: Form) -> Response {
    let query = query(&request);
    let (parts, body) = request.into_parts();
    let sender = match sender(shared, &parts.headers, &query, peer) {
        Ok(sender) => sender,
        Err(code) => return code.answer(),
    };
    let channel = match channel(shared, &parts.headers, &query) {
        Ok(channel) => channel,
        Err(code) => return code.answer(),
    };
    let retry_after_s = Some(shared.config.retry_after_s);
    let Some(_room) = shared.room().await else { return Code::Busy.with(Map::new(), retry_after_s) };
    let mut delivery = Delivery::new(shared, &sender, Transport::Hec);
    let done = match BodyReader::new(&parts.headers, body, &shared.config) {
        Err(error) => Err(Stop::Body(error)),
        Ok(body) => match form {
            Form::Event => read_events(body, shared, &mut delivery).await,
            Form::Raw => read_lines(body, shared, &query, &mut delivery).await,
        },
    };
    match done {
        Ok(()) => {
            let mut more = Map::new();
            if let Some(channel) = channel.filter(|_| shared.config.hec.ack != HecAck::Off) {
                more.insert("ackId".to_owned(), shared.channels.acknowledge(&sender.token, &channel).into());
            }
            Code::Success.with(more, None)
        }
        Err(Stop::Code(code, number)) => {
            let (_, _, text) = code.parts();
            shared.error(&sender, Cause::Malformed, &format!("HEC event {}: {text}", number.unwrap_or(0)));
            let number = number.map(|number| ("invalid-event-number".to_owned(), number.into()));
            code.with(number.into_iter().collect(), None)
        }
        Err(Stop::NotDelivered(NotDelivered::Full)) => Code::Busy.with(Map::new(), retry_after_s),
        Err(Stop::NotDelivered(NotDelivered::Failed)) => Code::InternalError.answer(),
        Err(Stop::Body(error)) => {
            shared.error(&sender, error.cause(), &error.to_string());
            let (_, code, _) = Code::InvalidFormat.parts();
            reply(error.status().as_u16(), &json!({"text": error.to_string(), "code": code}))
        }
    }
}

/// Concatenated objects. The events before one that is refused are taken, as `invalid-event-number` says.
async fn read_events(mut body: BodyReader, shared: &Shared, delivery: &mut Delivery<'_>) -> Result<(), Stop> {
    let config = &shared.config;
    let mut objects = Objects::new(config.max_event_bytes, config.max_depth);
    let mut number = 0;
    loop {
        let piece = body.next().await?;
        if let Some(piece) = &piece {
            objects.push(piece);
        }
        loop {
            let next = match objects.next(piece.is_none()) {
                Ok(None) => break,
                Ok(Some(object)) => one(&object, shared),
                Err(_) => Err(Code::InvalidFormat),
            };
            match next {
                Ok((raw, facts)) => {
                    if delivery.add(raw, facts) {
                        delivery.flush().await?;
                    }
                }
                Err(code) => {
                    delivery.flush().await?;
                    return Err(Stop::Code(code, Some(number)));
                }
            }
            number += 1;
        }
        if piece.is_none() {
            delivery.flush().await?;
            return if number == 0 { Err(Stop::Code(Code::NoData, None)) } else { Ok(()) };
        }
    }
}

async fn read_lines(
    mut body: BodyReader,
    shared: &Shared,
    query: &Query,
    delivery: &mut Delivery<'_>,
) -> Result<(), Stop> {
    let mut facts = Vec::new();
    for name in ["host", "source", "sourcetype", "index"] {
        if let Some(value) = query.get(name).filter(|value| !value.is_empty()) {
            facts.push((format!("hec.{name}"), value.clone()));
        }
    }
    if let Some(index) = query.get("index") {
        check_index(index, shared).map_err(|code| Stop::Code(code, None))?;
    }
    if let Some(text) = query.get("time") {
        let time = time::instant(text).ok_or(Stop::Code(Code::InvalidFormat, None))?;
        facts.push(("hec.time".to_owned(), time.to_string()));
    }
    let mut lines = Lines::new(shared.config.max_event_bytes);
    let mut number = 0;
    loop {
        let piece = body.next().await?;
        if let Some(piece) = &piece {
            lines.push(piece);
        }
        while let Some(part) = lines.next(piece.is_none()) {
            match part {
                Part::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
                Part::Whole(line) => {
                    if delivery.add(line.to_vec(), facts.clone()) {
                        delivery.flush().await?;
                    }
                }
                Part::TooLong => {
                    delivery.flush().await?;
                    return Err(Stop::Code(Code::InvalidFormat, Some(number)));
                }
            }
            number += 1;
        }
        if piece.is_none() {
            delivery.flush().await?;
            return if number == 0 { Err(Stop::Code(Code::NoData, None)) } else { Ok(()) };
        }
    }
}

fn check_index(index: &str, shared: &Shared) -> Result<(), Code> {
    let known = &shared.config.hec.indexes;
    if index.is_empty() || (!known.is_empty() && !known.iter().any(|name| name == index)) {
        return Err(Code::IncorrectIndex);
    }
    Ok(())
}

type Taken = (Vec<u8>, Vec<(String, String)>);

/// The bytes of an event, and what is said about it.
fn one(object: &[u8], shared: &Shared) -> Result<Taken, Code> {
    let envelope: Envelope<'_> = serde_json::from_slice(object).map_err(|_| Code::InvalidFormat)?;
    let event = envelope.event.ok_or(Code::EventRequired)?.get();
    let raw = if event.starts_with('"') {
        serde_json::from_str::<String>(event).map_err(|_| Code::InvalidFormat)?.into_bytes()
    } else {
        event.as_bytes().to_vec()
    };
    if raw.is_empty() {
        return Err(Code::EventBlank);
    }
    let mut facts = Vec::new();
    if let Some(time) = envelope.time.map(RawValue::get).filter(|time| !matches!(*time, "null" | "\"\"")) {
        let time = time::instant(time.trim_matches('"')).ok_or(Code::InvalidFormat)?;
        facts.push(("hec.time".to_owned(), time.to_string()));
    }
    for (name, value) in [
        ("host", envelope.host),
        ("source", envelope.source),
        ("sourcetype", envelope.sourcetype),
        ("index", envelope.index),
    ] {
        let Some(text) = scalar(value).map_err(|()| Code::InvalidFormat)? else { continue };
        if name == "index" {
            check_index(&text, shared)?;
        }
        if !text.is_empty() {
            facts.push((format!("hec.{name}"), text));
        }
    }
    match envelope.fields {
        None | Some(Value::Null) => {}
        Some(Value::Object(fields)) => {
            if facts.len() + fields.len() > MAX_FACTS {
                return Err(Code::Fields);
            }
            for (name, value) in fields {
                let text = match value {
                    Value::Array(values) if values.iter().all(|value| !value.is_array() && !value.is_object()) => {
                        Some(Value::Array(values).to_string())
                    }
                    value => scalar(Some(value)).map_err(|()| Code::Fields)?,
                };
                if let Some(text) = text {
                    facts.push((format!("hec.field.{name}"), text));
                }
            }
        }
        Some(_) => return Err(Code::Fields),
    }
    Ok((raw, facts))
}

/// The text of a string, number or bool; `None` for null or nothing.
fn scalar(value: Option<Value>) -> Result<Option<String>, ()> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
        Some(Value::Array(_) | Value::Object(_)) => Err(()),
    }
}

#[derive(Deserialize)]
struct Asked {
    acks: Vec<u64>,
}

pub(super) async fn ack(state: State<Arc<Shared>>, peer: Extension<Peer>, request: Request) -> Response {
    let shared = &state.0;
    let query = query(&request);
    let (parts, body) = request.into_parts();
    let sender = match sender(shared, &parts.headers, &query, peer.0) {
        Ok(sender) => sender,
        Err(code) => return code.answer(),
    };
    if shared.config.hec.ack == HecAck::Off {
        return Code::AckDisabled.answer();
    }
    let channel = match channel(shared, &parts.headers, &query) {
        Ok(Some(channel)) => channel,
        Ok(None) => return Code::ChannelMissing.answer(),
        Err(code) => return code.answer(),
    };
    let Some(_room) = shared.room().await else {
        return Code::Busy.with(Map::new(), Some(shared.config.retry_after_s));
    };
    let asked = match BodyReader::new(&parts.headers, body, &shared.config) {
        Ok(mut body) => {
            let mut bytes = Vec::new();
            loop {
                match body.next().await {
                    Ok(Some(piece)) if bytes.len() + piece.len() <= shared.config.max_event_bytes => {
                        bytes.extend_from_slice(&piece);
                    }
                    Ok(None) => break serde_json::from_slice::<Asked>(&bytes).ok(),
                    Ok(Some(_)) | Err(_) => break None,
                }
            }
        }
        Err(_) => None,
    };
    let Some(asked) = asked.filter(|asked| asked.acks.len() <= MAX_ASKED) else {
        shared.error(&sender, Cause::Malformed, "question for acknowledgements is not {\"acks\":[0,1]}");
        return Code::InvalidFormat.answer();
    };
    let known = shared.channels.check(&sender.token, &channel, &asked.acks);
    let acks: Map<_, _> = known.into_iter().map(|(id, durable)| (id.to_string(), durable.into())).collect();
    reply(200, &json!({"acks": acks}))
}

pub(super) async fn health(state: State<Arc<Shared>>) -> Response {
    if state.0.stop.is_cancelled() { Code::Busy.answer() } else { Code::Healthy.answer() }
}
