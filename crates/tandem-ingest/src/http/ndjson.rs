//! `POST /ingest`: one JSON object per line, an array of objects, or (as `text/plain`) any lines.

use super::body::{BodyError, BodyReader};
use super::delivery::{Delivery, NotDelivered};
use super::split::{Lines, Objects, Part, check_json, check_object};
use super::{Peer, Shared, problem};
use crate::counters::Cause;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use tandem_model::Transport;

/// Errors that are told one by one.
const MAX_TOLD: usize = 10;

enum Stop {
    Body(BodyError),
    NotDelivered(NotDelivered),
}

impl From<BodyError> for Stop {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<NotDelivered> for Stop {
    fn from(error: NotDelivered) -> Self {
        Self::NotDelivered(error)
    }
}

#[derive(Default)]
struct Refusals {
    count: u64,
    told: Vec<Value>,
}

impl Refusals {
    fn add(&mut self, line: u64, error: &str) {
        self.count += 1;
        if self.told.len() < MAX_TOLD {
            self.told.push(json!({"line": line, "error": error}));
        }
    }
}

pub(super) async fn take(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Response {
    let sender = match shared.sender(request.headers(), None, peer) {
        Ok(sender) => sender,
        Err(refused) => return problem::refused(&refused),
    };
    let Some(_room) = shared.room().await else { return problem::busy(shared.config.retry_after_s) };
    let text = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let (parts, body) = request.into_parts();
    let mut delivery = Delivery::new(&shared, &sender, Transport::Http);
    let mut refusals = Refusals::default();
    let done = match BodyReader::new(&parts.headers, body, &shared.config) {
        Ok(body) => read(body, text, &shared, &mut delivery, &mut refusals).await,
        Err(error) => Err(Stop::Body(error)),
    };
    let accepted = delivery.delivered;
    for _ in 0..refusals.count.min(1) {
        shared.error(&sender, Cause::Malformed, &format!("{} lines refused: {}", refusals.count, refusals.told[0]));
    }
    match done {
        Ok(()) if accepted == 0 && refusals.count == 0 => {
            problem::problem(StatusCode::BAD_REQUEST, "empty", "body holds no event", "send one JSON object per line")
        }
        Ok(()) => {
            let status = if accepted == 0 { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            let body = json!({"accepted": accepted, "refused": refusals.count, "errors": refusals.told});
            (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
        Err(Stop::Body(error)) => {
            shared.error(&sender, error.cause(), &error.to_string());
            problem::body(&error)
        }
        Err(Stop::NotDelivered(NotDelivered::Full)) => problem::busy(shared.config.retry_after_s),
        Err(Stop::NotDelivered(NotDelivered::Failed)) => problem::unavailable("the spool did not take the records"),
    }
}

async fn read(
    mut body: BodyReader,
    text: bool,
    shared: &Shared,
    delivery: &mut Delivery<'_>,
    refusals: &mut Refusals,
) -> Result<(), Stop> {
    let config = &shared.config;
    let mut first = Vec::new();
    // The first byte that is no white space tells an array from lines.
    let array = loop {
        let Some(piece) = body.next().await? else { break false };
        first.extend_from_slice(&piece);
        match first.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(byte) => break *byte == b'[' && !text,
            None => first.clear(),
        }
    };
    let mut number = 0;
    if array {
        let mut objects = Objects::new(config.max_event_bytes, config.max_depth);
        let mut piece = Some(Bytes::from(first));
        loop {
            let end = piece.is_none();
            if let Some(piece) = &piece {
                objects.push(piece);
            }
            loop {
                match objects.next(end) {
                    Ok(Some(object)) => {
                        number += 1;
                        match check_json(&object, config.max_depth) {
                            Ok(()) => {
                                if delivery.add(object.to_vec(), Vec::new()) {
                                    delivery.flush().await?;
                                }
                            }
                            Err(error) => refusals.add(number, &error),
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        // Where the next object begins is not known.
                        refusals.add(number + 1, &error.to_string());
                        return Ok(delivery.flush().await?);
                    }
                }
            }
            if end {
                return Ok(delivery.flush().await?);
            }
            piece = body.next().await?;
        }
    }
    let mut lines = Lines::new(config.max_event_bytes);
    let mut piece = Some(Bytes::from(first));
    loop {
        let end = piece.is_none();
        if let Some(piece) = &piece {
            lines.push(piece);
        }
        while let Some(part) = lines.next(end) {
            number += 1;
            match part {
                Part::TooLong => refusals.add(number, &format!("line is longer than {} bytes", config.max_event_bytes)),
                Part::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => {}
                Part::Whole(line) => match if text { Ok(()) } else { check_object(&line, config.max_depth) } {
                    Ok(()) => {
                        if delivery.add(line.to_vec(), Vec::new()) {
                            delivery.flush().await?;
                        }
                    }
                    Err(error) => refusals.add(number, &error),
                },
            }
        }
        if end {
            return Ok(delivery.flush().await?);
        }
        piece = body.next().await?;
    }
}
