//! Listening, with and without TLS, bounded in connections and in patience.

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const CONNECTIONS_MAX: usize = 1024;
const HEADER_PATIENCE: Duration = Duration::from_secs(10);
/// A peer of HTTP/2 that is gone is noticed after this time.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);

/// Certificate and key as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Chain, leaf first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Why a listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}")]
    Bind {
        /// Address.
        address: SocketAddr,
        /// Cause.
        source: std::io::Error,
    },
    /// A PEM file cannot be used.
    #[error("certificate or key in {path} cannot be used: {text}")]
    Certificate {
        /// File.
        path: PathBuf,
        /// What is wrong.
        text: String,
    },
    /// The self-signed certificate cannot be made or kept.
    #[error("a self-signed certificate could not be made: {0}")]
    SelfSigned(String),
}

/// A bound address that does not serve yet.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    /// Where it listens; the port is the real one where 0 was asked for.
    pub address: SocketAddr,
}

impl Listener {
    /// Binds `address`.
    pub async fn bind(address: SocketAddr, tls: Option<&TlsFiles>) -> Result<Self, ServeError> {
        let tls = tls.map(acceptor).transpose()?;
        let bind = |source| ServeError::Bind { address, source };
        let socket = TcpListener::bind(address).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Self { socket, tls, address })
    }

    /// Whether it speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServeError> {
    let wrong = |path: &Path, text: String| ServeError::Certificate { path: path.to_path_buf(), text };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(&files.certificate, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, error.to_string()))?;
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong(&files.certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Makes `console.crt` and `console.key` (0600) in `folder` unless they are there.
pub fn self_signed(folder: &Path, names: &[String]) -> Result<TlsFiles, ServeError> {
    let files = TlsFiles { certificate: folder.join("console.crt"), key: folder.join("console.key") };
    if files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    let text = |error: &dyn std::fmt::Display| ServeError::SelfSigned(error.to_string());
    let made = rcgen::generate_simple_self_signed(names.to_vec()).map_err(|error| text(&error))?;
    let write = |path: &Path, content: &str, mode: u32| -> std::io::Result<()> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    };
    write(&files.key, &made.signing_key.serialize_pem(), 0o600).map_err(|error| text(&error))?;
    write(&files.certificate, &made.cert.pem(), 0o644).map_err(|error| text(&error))?;
    Ok(files)
}

/// Serves until `stop`; then lets requests end for a few seconds.
pub async fn serve(listener: Listener, router: Router, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.socket.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: let some be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let (tls, router, stop) = (listener.tls.clone(), router.clone(), stop.clone());
        tasks.spawn(async move {
            connection(stream, peer, tls, router, stop).await;
            drop(place);
        });
    }
    tasks.close();
    let _ = tokio::time::timeout(SHUTDOWN_PATIENCE, tasks.wait()).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let router = router.layer(axum::Extension(peer));
    match tls {
        None => speak(TokioIo::new(stream), router, stop).await,
        Some(tls) => {
            let shaken = tokio::time::timeout(HEADER_PATIENCE, tls.accept(stream)).await;
            if let Ok(Ok(stream)) = shaken {
                speak(TokioIo::new(stream), router, stop).await;
            }
        }
    }
}

/// Tells a handler whose answer goes on and on that the program stops; every request carries it as an extension.
#[derive(Debug, Clone)]
pub struct Stopping(CancellationToken);

impl Stopping {
    /// Comes back when the program stops.
    pub async fn stopped(&self) {
        self.0.cancelled().await;
    }
}

/// Speaks HTTP/1 or 2 on one connection.
pub(crate) async fn speak<S>(io: TokioIo<S>, router: Router, stop: CancellationToken)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let router = router.layer(axum::Extension(Stopping(stop.clone())));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(64).keep_alive_interval(Some(KEEP_ALIVE));
    let connection = builder.serve_connection_with_upgrades(io, TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        outcome = connection.as_mut() => {
            if let Err(error) = outcome {
                tracing::debug!(error = %error, "a connection ended early");
            }
        }
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(SHUTDOWN_PATIENCE, connection).await;
        }
    }
}
