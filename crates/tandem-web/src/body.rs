//! What a request carries is read in bounded room and time, and every refusal is a problem that says what to do.

use crate::Refused;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// Longest time for a whole body.
const BODY_PATIENCE: Duration = Duration::from_secs(20);
/// What is taken over of a refusal that is no problem yet.
const DETAIL_BYTES_MAX: usize = 8 << 10;
/// Characters of a detail: it may repeat what was sent.
const DETAIL_CHARS_MAX: usize = 300;

/// The request with its body in memory.
pub(crate) async fn read_body(request: Request, limit_bytes: usize) -> Result<Request, Refused> {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(BODY_PATIENCE, Limited::new(body, limit_bytes).collect()).await;
    let bytes = match read {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Refused::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                format!("the body is larger than {} KiB", limit_bytes >> 10),
            )
            .hint("send less at once; records belong to the ingest listener, not here"));
        }
        Ok(Err(_)) => {
            return Err(Refused::new(StatusCode::BAD_REQUEST, "cut-off", "the body ended before it was complete")
                .hint("send the request again"));
        }
        Err(_) => {
            return Err(Refused::new(
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                format!("the body did not come within {} s", BODY_PATIENCE.as_secs()),
            )
            .hint("send the request again"));
        }
    };
    // A structure would also be read from a list of its values, in an order that nobody promised.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n')) {
        return Err(Refused::invalid("the body must be a JSON object: { … }"));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Makes a problem of every refusal that is none yet, gives each a next step, and cuts what repeats too much.
pub(crate) async fn whole_problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, DETAIL_BYTES_MAX).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut refused = Refused::new(status, kind(status), title(status));
    if let Ok(text) = text
        && !text.is_empty()
    {
        refused = refused.detail(text);
    }
    // What else the refusal says, such as the methods that an endpoint takes, stays.
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    let mut answer = refused.into_response();
    for (name, value) in &parts.headers {
        answer.headers_mut().insert(name.clone(), value.clone());
    }
    answer
}

/// Cuts a sentence that may repeat what a stranger sent.
pub(crate) fn short(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(DETAIL_CHARS_MAX) {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// The next step where the one who refused knows none.
pub(crate) fn next_step(kind: &str, status: u16) -> Option<&'static str> {
    Some(match status {
        400 if kind.starts_with("query") => "docs/search.md describes the language and the fields",
        400 | 415 | 422 => "openapi.json describes what each endpoint takes",
        404 => "look at the list that it was taken from",
        405 => "openapi.json says which methods each endpoint takes",
        409 => "read it again, then repeat what you still want",
        413 => "send less at once",
        500.. => "try again; if it fails again, look into the log of tandem",
        _ => return None,
    })
}

fn kind(status: StatusCode) -> &'static str {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        _ if status.is_server_error() => "failed",
        _ => "invalid",
    }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "the request cannot be read",
        StatusCode::UNPROCESSABLE_ENTITY => "the body is not what this endpoint takes",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "the body must be JSON: send Content-Type: application/json",
        StatusCode::METHOD_NOT_ALLOWED => "this endpoint does not take this method",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        StatusCode::NOT_FOUND => "this does not exist",
        other => other.canonical_reason().unwrap_or("the request was refused"),
    }
}
