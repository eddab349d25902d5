//! Accepts connections and brings requests to their protocol.

use super::{Peer, Shared, bulk, hec, ndjson, probe, problem};
use crate::counters::Cause;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{any, get, post};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

/// The largest header of a request.
const MAX_HEADER_BYTES: usize = 32 << 10;

fn router(shared: &Arc<Shared>) -> Router {
    let event = || post(hec::event);
    let raw = || post(hec::raw);
    Router::new()
        .route("/ingest", post(ndjson::take))
        .route("/ingest/ndjson", post(ndjson::take))
        .route("/services/collector", event())
        .route("/services/collector/1.0", event())
        .route("/services/collector/event", event())
        .route("/services/collector/event/1.0", event())
        .route("/services/collector/raw", raw())
        .route("/services/collector/raw/1.0", raw())
        .route("/services/collector/ack", any(hec::ack))
        .route("/services/collector/ack/1.0", any(hec::ack))
        .route("/services/collector/health", get(hec::health))
        .route("/services/collector/health/1.0", get(hec::health))
        .route("/_bulk", post(bulk::take).put(bulk::take))
        .route("/{index}/_bulk", post(bulk::take).put(bulk::take))
        .fallback(other)
        .method_not_allowed_fallback(method)
        .with_state(Arc::clone(shared))
}

/// What is none of the ways to deliver: a client of Elasticsearch that looks around, or a mistake.
async fn other(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let request = match bulk::single(&shared, request).await {
        Ok(answer) => return answer,
        Err(request) => request,
    };
    probe::answer(&shared, &request).unwrap_or_else(|| {
        let what: String = format!("{} {}", request.method(), request.uri().path()).chars().take(120).collect();
        shared.receiver.error(Cause::Unsupported, &format!("request {what} is not known"));
        problem::not_found(&what)
    })
}

/// A way to deliver, by a method that it does not take.
async fn method(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let what: String = format!("{} {}", request.method(), request.uri().path()).chars().take(120).collect();
    shared.receiver.error(Cause::Unsupported, &format!("request {what} is not known"));
    let detail = format!("{what} is not known; records are delivered with POST");
    problem::problem(StatusCode::METHOD_NOT_ALLOWED, "method", &detail, "send them with POST")
}

/// Serves until it is stopped; requests under way are finished or refused within the grace.
pub(crate) async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let router = router(&shared);
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    shared.receiver.error(Cause::ConnectionLimit, &format!("connection not accepted: {error}"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = shared.stop.cancelled() => break,
        };
        let peer = peer.ip().to_canonical();
        if !shared.config.allow.permits(peer) {
            shared.receiver.error(Cause::NotAllowed, &format!("{peer} is not on the list of senders"));
            continue;
        }
        if shared.receiver.connections.fetch_add(1, Relaxed) >= shared.config.max_connections as u64 {
            shared.receiver.connections.fetch_sub(1, Relaxed);
            shared.receiver.error(Cause::ConnectionLimit, &format!("{peer} opened a connection beyond the limit"));
            continue;
        }
        let (router, tls, shared) = (router.clone(), tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            connection(stream, tls, peer, router, &shared).await;
            shared.receiver.connections.fetch_sub(1, Relaxed);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, peer: IpAddr, router: Router, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = tls else { return serve(stream, peer, router, shared).await };
    let patience = Duration::from_secs(shared.config.header_timeout_s);
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(patience, acceptor.accept(stream)) => accepted,
        () = shared.stop.cancelled() => return,
    };
    match accepted {
        Ok(Ok(stream)) => serve(stream, peer, router, shared).await,
        Ok(Err(error)) => shared.receiver.error(Cause::Tls, &format!("TLS handshake with {peer}: {error}")),
        Err(_) => shared.receiver.error(Cause::Timeout, &format!("{peer} did not finish the TLS handshake")),
    }
}

async fn serve<S>(stream: S, peer: IpAddr, router: Router, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(shared.config.header_timeout_s))
        .max_buf_size(MAX_HEADER_BYTES.max(8192))
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(8)
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .keep_alive_interval(Some(Duration::from_mins(1)));
    let service = TowerToHyperService::new(router.layer(axum::Extension(Peer(peer))));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shared.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(shared.grace, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        // A client that hangs up is no error; one that never ends its header is.
        let text = describe(&*error);
        if text.contains("timeout") {
            shared.receiver.error(Cause::Timeout, &format!("{peer} did not finish its request"));
        } else {
            shared.receiver.error(Cause::CutOff, &format!("{peer}: {text}"));
        }
    }
}

fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
