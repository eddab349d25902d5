//! Starts all receivers, and ends them without losing what was acknowledged.

use crate::config::Config;
use crate::counters::{Counters, ReceiverSnapshot, SourceSnapshot};
use crate::files::{Follower, Positions, Tail, follow};
use crate::http::{self, Shared};
use crate::sink::Sink;
use crate::syslog;
use crate::tls::{TlsError, acceptor};
use crate::token::Tokens;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tandem_base::Clock;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a receiver speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Syslog datagrams.
    SyslogUdp,
    /// Syslog over TCP.
    SyslogTcp,
    /// Syslog over TLS.
    SyslogTls,
    /// NDJSON, HEC and `_bulk`.
    Http,
    /// The same over TLS.
    Https,
}

impl Kind {
    /// The word used in screens, metrics and configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::SyslogUdp => "syslog-udp",
            Self::SyslogTcp => "syslog-tcp",
            Self::SyslogTls => "syslog-tls",
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A receiver that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// What it speaks.
    pub kind: Kind,
    /// Where, with the port that the system chose for port 0.
    pub address: SocketAddr,
}

/// Why the receivers cannot start; none is left open then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken or not this machine's.
    #[error("{kind} receiver cannot listen on {address}")]
    Bind {
        /// What was to be spoken.
        kind: Kind,
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A certificate is missing or wrong.
    #[error("{kind} receiver on {address} cannot offer TLS")]
    Tls {
        /// What was to be spoken.
        kind: Kind,
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: TlsError,
    },
}

/// The open receivers of a site.
pub struct Receivers {
    bound: Vec<Bound>,
    counters: Arc<Counters>,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    grace: Duration,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Receivers {
    /// Opens everything that `config` names. Needs a tokio runtime.
    pub async fn start(
        config: Config,
        sink: Arc<dyn Sink>,
        tokens: Arc<dyn Tokens>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let counters = Arc::new(Counters::new(Arc::clone(&clock), config.max_sources));
        let stop = CancellationToken::new();
        let grace = Duration::from_secs(config.shutdown_grace_s);
        let mut bound = Vec::new();
        let tasks = TaskTracker::new();
        // All sockets are opened before anything is read, so that a failure leaves nothing half done.
        let mut udps = Vec::new();
        for udp in config.syslog_udp {
            let kind = Kind::SyslogUdp;
            let failed = |source| StartError::Bind { kind, address: udp.address, source };
            let socket = syslog::bind_udp(&udp).await.map_err(failed)?;
            let address = socket.local_addr().map_err(failed)?;
            bound.push(Bound { kind, address });
            udps.push((socket, udp, counters.receiver(kind, address)));
        }
        let mut tcps = Vec::new();
        for tcp in config.syslog_tcp {
            let kind = if tcp.tls.is_some() { Kind::SyslogTls } else { Kind::SyslogTcp };
            let refused = |source| StartError::Tls { kind, address: tcp.address, source };
            let tls = tcp.tls.as_ref().map(|tls| acceptor(tls, &[])).transpose().map_err(refused)?;
            let (listener, address) = listen(kind, tcp.address).await?;
            bound.push(Bound { kind, address });
            tcps.push((listener, tls, tcp, counters.receiver(kind, address)));
        }
        let mut https = Vec::new();
        for http in config.http {
            let kind = if http.tls.is_some() { Kind::Https } else { Kind::Http };
            let refused = |source| StartError::Tls { kind, address: http.address, source };
            let protocols: &[&[u8]] = &[b"h2", b"http/1.1"];
            let tls = http.tls.as_ref().map(|tls| acceptor(tls, protocols)).transpose().map_err(refused)?;
            let (listener, address) = listen(kind, http.address).await?;
            bound.push(Bound { kind, address });
            https.push((listener, tls, http, counters.receiver(kind, address)));
        }
        for (socket, config, receiver) in udps {
            let udp = syslog::Udp {
                config,
                sink: Arc::clone(&sink),
                clock: Arc::clone(&clock),
                counters: Arc::clone(&counters),
                receiver,
                stop: stop.clone(),
                grace,
            };
            tasks.spawn(syslog::receive_udp(socket, udp));
        }
        for (listener, tls, config, receiver) in tcps {
            let tcp = syslog::Tcp {
                config,
                tls,
                sink: Arc::clone(&sink),
                clock: Arc::clone(&clock),
                counters: Arc::clone(&counters),
                receiver,
                stop: stop.clone(),
                grace,
            };
            tasks.spawn(syslog::listen_tcp(listener, tcp));
        }
        for (listener, tls, config, receiver) in https {
            let shared = Shared {
                requests: Semaphore::new(config.max_requests.max(1)),
                channels: http::Channels::new(config.hec.max_channels),
                config,
                sink: Arc::clone(&sink),
                tokens: Arc::clone(&tokens),
                clock: Arc::clone(&clock),
                counters: Arc::clone(&counters),
                receiver,
                stop: stop.clone(),
                grace,
            };
            tasks.spawn(http::listen(listener, tls, Arc::new(shared)));
        }
        Ok(Self { bound, counters, sink, clock, grace, stop, tasks })
    }

    /// Follows files from now on; their figures are those of their source.
    pub fn follow(&self, tail: Tail, positions: Arc<dyn Positions>) {
        let follower = Follower {
            source: self.counters.source(&tail.source),
            tail,
            positions,
            sink: Arc::clone(&self.sink),
            clock: Arc::clone(&self.clock),
            stop: self.stop.clone(),
            grace: self.grace,
        };
        self.tasks.spawn(follow(follower));
    }

    /// What is open, UDP first, then TCP, then HTTP, each in the order of the configuration.
    pub fn bound(&self) -> &[Bound] {
        &self.bound
    }

    /// The figures, to be kept for as long as wanted.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Every receiver's figures.
    pub fn receivers(&self) -> Vec<ReceiverSnapshot> {
        self.counters.receivers()
    }

    /// Every source's figures.
    pub fn sources(&self) -> Vec<SourceSnapshot> {
        self.counters.sources()
    }

    /// Stops: no new connection; what has arrived is made durable and acknowledged, or refused. Returns when
    /// no task is left, after the grace at the latest (and however long the sink takes over its last batch).
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(kind: Kind, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { kind, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
