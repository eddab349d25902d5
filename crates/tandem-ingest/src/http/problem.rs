//! Answers for a person or a log line: RFC 9457.

use super::Refused;
use super::body::BodyError;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) fn problem(status: StatusCode, kind: &str, detail: &str, hint: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("error");
    let body = json!({"type": kind, "title": title, "status": status.as_u16(), "detail": detail, "hint": hint});
    (status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

pub(super) fn not_found(what: &str) -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "unknown-request",
        &format!("{what} is not known on this port"),
        "deliver with POST /ingest, /services/collector or /_bulk; the console is on another port",
    )
}

pub(super) fn refused(refused: &Refused) -> Response {
    let status = match refused {
        Refused::Disabled => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut answer = problem(status, "no-access", refused.text(), "make an ingest token under Sources");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

pub(super) fn busy(seconds: u64) -> Response {
    let detail = "the spool has no room now";
    let mut answer = problem(StatusCode::TOO_MANY_REQUESTS, "busy", detail, "send the same request again later");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

pub(super) fn unavailable(detail: &str) -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail, "send the same request again later")
}

pub(super) fn body(error: &BodyError) -> Response {
    problem(error.status(), "body", &error.to_string(), error.hint())
}
