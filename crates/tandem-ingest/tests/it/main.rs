//! Receivers over real sockets on loopback, spoken to by hand and by the clients that people use.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bulk;
mod clients;
mod hec;
mod hostile;
mod http;
mod import;
mod ndjson;
mod shutdown;
mod support;
mod syslog;
mod tail;
mod target;
mod tls;
