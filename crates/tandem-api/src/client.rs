//! A client for a site's Unix socket: what the command line uses.

use crate::Problem;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// Longest line of a streamed answer.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Speaks to one site.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers.
    #[error("no site answers at {path}")]
    Connect {
        /// Socket.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("the connection to the site broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The site refused or failed.
    #[error("{}", describe(.0))]
    Refused(Box<Problem>),
    /// The answer is not what was expected.
    #[error("the site's answer cannot be read; is it another version of tandem?")]
    Answer(#[source] serde_json::Error),
}

fn describe(problem: &Problem) -> String {
    let mut text = problem.title.clone();
    for part in problem.detail.iter().chain(&problem.because) {
        text.push_str(": ");
        text.push_str(part);
    }
    for place in &problem.problems {
        text.push_str(&format!("\n  at {}..{}: {}", place.start, place.end, place.message));
        if let Some(hint) = &place.hint {
            text.push_str(&format!(" ({hint})"));
        }
    }
    text
}

impl ClientError {
    /// What to do, where the site says so.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => problem.hint.as_deref().or(problem.how_to_get_access.as_deref()),
            _ => None,
        }
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
    ClientError::Broken(error.into())
}

impl Client {
    /// A client for the socket at `path`; nothing is opened yet.
    pub fn new(path: &Path) -> Self {
        Self { socket: path.to_path_buf() }
    }

    /// Whether a site answers.
    pub async fn is_alive(&self) -> bool {
        UnixStream::connect(&self.socket).await.is_ok()
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        kind: &str,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| ClientError::Connect { path: self.socket.clone(), source })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", "localhost")
            .header("content-type", kind)
            .header("x-tandem-csrf", "1")
            .body(Full::new(body))
            .map_err(broken)?;
        let response = sender.send_request(request).await.map_err(broken)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.into_body().collect().await.map_err(broken)?.to_bytes();
        Err(ClientError::Refused(Box::new(serde_json::from_slice(&body).unwrap_or_else(|_| unexpected(status)))))
    }

    /// GET, or POST with `body`; the answer as JSON.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let body = body.map(serde_json::to_vec).transpose().map_err(ClientError::Answer)?.unwrap_or_default();
        let response = self.send(method, path, body.into(), "application/json").await?;
        let bytes = response.into_body().collect().await.map_err(broken)?.to_bytes();
        let bytes = if bytes.is_empty() { Bytes::from_static(b"null") } else { bytes };
        serde_json::from_slice(&bytes).map_err(ClientError::Answer)
    }

    /// GET, the answer as JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, None::<&()>).await
    }

    /// POST of bytes; the answer as JSON.
    pub async fn post_bytes<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>) -> Result<T, ClientError> {
        let response = self.send(Method::POST, path, body.into(), "application/octet-stream").await?;
        let bytes = response.into_body().collect().await.map_err(broken)?.to_bytes();
        let bytes = if bytes.is_empty() { Bytes::from_static(b"null") } else { bytes };
        serde_json::from_slice(&bytes).map_err(ClientError::Answer)
    }

    /// POST whose answer is one JSON object a line; `take` sees each as it comes and may stop with `false`.
    pub async fn post_lines<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        mut take: impl FnMut(T) -> bool,
    ) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).map_err(ClientError::Answer)?;
        let mut response = self.send(Method::POST, path, body.into(), "application/json").await?.into_body();
        let mut waiting: Vec<u8> = Vec::new();
        while let Some(frame) = response.frame().await {
            let frame = frame.map_err(broken)?;
            let Some(data) = frame.data_ref() else { continue };
            waiting.extend_from_slice(data);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let rest = waiting.split_off(end + 1);
                let line = std::mem::replace(&mut waiting, rest);
                if !take(serde_json::from_slice(&line).map_err(ClientError::Answer)?) {
                    return Ok(());
                }
            }
            if waiting.len() > LINE_BYTES_MAX {
                return Err(broken(format!("a line of the answer is longer than {LINE_BYTES_MAX} bytes")));
            }
        }
        Ok(())
    }
}

fn unexpected(status: StatusCode) -> Problem {
    Problem::new(status.as_u16(), "unexpected", format!("the site answered {status}"))
}
