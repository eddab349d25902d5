//! What is listened on, with every limit and its default.

use crate::Allow;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// All receivers of a site.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Syslog datagrams.
    pub syslog_udp: Vec<SyslogUdp>,
    /// Syslog streams, with and without TLS.
    pub syslog_tcp: Vec<SyslogTcp>,
    /// HTTP: NDJSON, Splunk HEC and Elasticsearch `_bulk` on one port.
    pub http: Vec<Http>,
    /// Sources that are told apart, 10,000. What comes from further unknown peers bears the name
    /// `syslog:more`, so that forged addresses cannot fill memory.
    pub max_sources: usize,
    /// How long shutdown waits for what is under way, 10 s.
    pub shutdown_grace_s: u64,
}

/// One syslog UDP socket.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyslogUdp {
    /// Where to listen, `127.0.0.1:514`.
    pub address: SocketAddr,
    /// Who may send; empty for everyone.
    pub allow: Allow,
    /// Relays: the source is the host name in the header, not the peer.
    pub relays: Allow,
    /// What is asked of the kernel as `SO_RCVBUF`, 8 MiB; the kernel gives at most `net.core.rmem_max`.
    pub receive_buffer_bytes: usize,
    /// What waits in memory for the sink before the socket is no longer read, 16 MiB.
    pub queue_bytes: usize,
}

/// One syslog TCP listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyslogTcp {
    /// Where to listen, `127.0.0.1:601`.
    pub address: SocketAddr,
    /// Who may send; empty for everyone.
    pub allow: Allow,
    /// Relays: the source is the host name in the header, not the peer.
    pub relays: Allow,
    /// TLS, if any.
    pub tls: Option<Tls>,
    /// The longest frame, 64 KiB. A longer line is cut and counted; a longer counted frame closes the connection.
    pub max_frame_bytes: usize,
    /// Connections at once, 1,024; a further one is closed and counted.
    pub max_connections: usize,
    /// Connections at once from one address, 256.
    pub max_connections_per_peer: usize,
    /// A silent connection is closed after 12 h. Senders such as rsyslog lose a message when they write to a
    /// closed connection, so this is long; dead peers are found by TCP keep-alive.
    pub idle_timeout_s: u64,
    /// A connection that has sent bytes but no whole frame is closed after 60 s; so is an unfinished TLS handshake.
    pub first_frame_timeout_s: u64,
}

/// One HTTP listener for machines.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where to listen, `127.0.0.1:8088`.
    pub address: SocketAddr,
    /// Who may send; empty for everyone.
    pub allow: Allow,
    /// TLS, if any.
    pub tls: Option<Tls>,
    /// Whether a request needs an ingest token, yes. Without one the source is `http:<peer>`.
    pub require_token: bool,
    /// The largest body as sent, 64 MiB.
    pub max_body_bytes: u64,
    /// The largest body after decompression, 512 MiB. It streams: memory does not grow with it.
    pub max_decoded_bytes: u64,
    /// How many times larger than what was sent a body may become, 200; the first 4 MiB are free.
    pub max_ratio: u64,
    /// The largest single event, 1 MiB.
    pub max_event_bytes: usize,
    /// The deepest nesting of JSON, 64.
    pub max_depth: usize,
    /// The most items of one `_bulk` request, 50,000.
    pub max_items: usize,
    /// Records are handed on in batches of this size, 2 MiB. A smaller request is one batch: all or nothing.
    pub batch_bytes: usize,
    /// Requests whose bodies are read at once, 32; further ones wait `body_timeout_s` and are then refused.
    pub max_requests: usize,
    /// Connections at once, 1,024; a further one is closed and counted.
    pub max_connections: usize,
    /// Time for a request's header (and a TLS handshake), 10 s.
    pub header_timeout_s: u64,
    /// Longest pause inside a body, 30 s.
    pub body_timeout_s: u64,
    /// How long a request of which a part is durable already waits for room for the rest, 20 s.
    pub room_timeout_s: u64,
    /// What `Retry-After` says when the sink has no room, 5 s.
    pub retry_after_s: u64,
    /// The Splunk HTTP event collector.
    pub hec: Hec,
    /// What `GET /` calls its version, `9.99.0`: Beats refuse a server older than themselves.
    pub elasticsearch_version: String,
}

/// How the Splunk HTTP event collector behaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hec {
    /// Indexer acknowledgement.
    pub ack: HecAck,
    /// Whether `?token=` is accepted, no: addresses end up in logs.
    pub query_token: bool,
    /// Index names that are accepted; empty for all.
    pub indexes: Vec<String>,
    /// Channels remembered, 4,096; then the one unused longest is forgotten (its sender sends again).
    pub max_channels: usize,
}

/// When an `ackId` is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HecAck {
    /// Never; asking for one is an error.
    Off,
    /// To requests that name a channel.
    #[default]
    OnRequest,
    /// Always; a request without a channel is an error.
    Required,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tls {
    /// PEM files.
    Files {
        /// The certificate chain, leaf first.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// A certificate of its own, made at first start in `folder` as `ingest.crt` and `ingest.key` (0600).
    SelfSigned {
        /// Where it is kept.
        folder: PathBuf,
        /// Host names and addresses it is for.
        names: Vec<String>,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            syslog_udp: Vec::new(),
            syslog_tcp: Vec::new(),
            http: Vec::new(),
            max_sources: 10_000,
            shutdown_grace_s: 10,
        }
    }
}

impl Default for SyslogUdp {
    fn default() -> Self {
        Self {
            address: loopback(514),
            allow: Allow::default(),
            relays: Allow::default(),
            receive_buffer_bytes: 8 << 20,
            queue_bytes: 16 << 20,
        }
    }
}

impl Default for SyslogTcp {
    fn default() -> Self {
        Self {
            address: loopback(601),
            allow: Allow::default(),
            relays: Allow::default(),
            tls: None,
            max_frame_bytes: 64 << 10,
            max_connections: 1024,
            max_connections_per_peer: 256,
            idle_timeout_s: 12 * 3600,
            first_frame_timeout_s: 60,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            address: loopback(8088),
            allow: Allow::default(),
            tls: None,
            require_token: true,
            max_body_bytes: 64 << 20,
            max_decoded_bytes: 512 << 20,
            max_ratio: 200,
            max_event_bytes: 1 << 20,
            max_depth: 64,
            max_items: 50_000,
            batch_bytes: 2 << 20,
            max_requests: 32,
            max_connections: 1024,
            header_timeout_s: 10,
            body_timeout_s: 30,
            room_timeout_s: 20,
            retry_after_s: 5,
            hec: Hec::default(),
            elasticsearch_version: "9.99.0".to_owned(),
        }
    }
}

impl Default for Hec {
    fn default() -> Self {
        Self { ack: HecAck::default(), query_token: false, indexes: Vec::new(), max_channels: 4096 }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
