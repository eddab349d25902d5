//! Answers that come a line at a time.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde::Serialize;
use std::convert::Infallible;

/// One JSON object a line, sent as it comes.
pub fn ndjson<T: Serialize>(parts: impl Stream<Item = T> + Send + 'static) -> Response {
    let lines = parts.map(|part| {
        let mut line = serde_json::to_vec(&part).unwrap_or_default();
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
