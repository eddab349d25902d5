//! One port for machines that speak HTTP: NDJSON, the Splunk HTTP event collector, Elasticsearch `_bulk`.

mod body;
mod bulk;
mod channels;
mod delivery;
mod hec;
mod ndjson;
mod probe;
mod problem;
mod server;
mod split;
mod time;

pub(crate) use server::listen;

use crate::config::Http;
use crate::counters::{Cause, Counters, Receiver, Source};
use crate::sink::Sink;
use crate::token::{Credential, TokenInfo, Tokens, credential};
use axum::http::HeaderMap;
pub(crate) use channels::Channels;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tandem_base::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

/// What all requests of one listener share.
pub(crate) struct Shared {
    pub(crate) config: Http,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) tokens: Arc<dyn Tokens>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) stop: CancellationToken,
    pub(crate) grace: Duration,
    pub(crate) requests: Semaphore,
    pub(crate) channels: Channels,
}

/// The address at the other end of the connection.
#[derive(Clone, Copy)]
struct Peer(IpAddr);

/// Whose request it is.
struct Sender {
    /// Of the token; empty without one.
    token: String,
    source: Arc<Source>,
    peer: IpAddr,
}

/// Why nobody may send with this request.
enum Refused {
    NoToken,
    Malformed,
    Unknown,
    Disabled,
}

impl Refused {
    fn text(&self) -> &'static str {
        match self {
            Self::NoToken => "no ingest token; send it as `Authorization: Bearer TOKEN`",
            Self::Malformed => "Authorization header is none of Bearer, Splunk, ApiKey and Basic",
            Self::Unknown => "ingest token is unknown; make one under Sources",
            Self::Disabled => "ingest token is switched off",
        }
    }
}

impl Shared {
    /// Who sends, by the `Authorization` header or a token found elsewhere.
    fn sender(&self, headers: &HeaderMap, other: Option<&str>, peer: IpAddr) -> Result<Sender, Refused> {
        let offered = match (credential(headers), other) {
            (Credential::Tokens(tokens), _) => tokens,
            (_, Some(token)) => vec![token.to_owned()],
            (Credential::Absent, None) if !self.config.require_token => {
                let source = self.counters.source(&format!("http:{peer}"));
                return Ok(Sender { token: String::new(), source, peer });
            }
            (Credential::Absent, None) => return Err(self.refuse(Refused::NoToken, peer)),
            (Credential::Malformed, None) => return Err(self.refuse(Refused::Malformed, peer)),
        };
        match offered.iter().find_map(|token| self.tokens.check(token)) {
            None => Err(self.refuse(Refused::Unknown, peer)),
            Some(TokenInfo { disabled: true, .. }) => Err(self.refuse(Refused::Disabled, peer)),
            Some(info) => Ok(Sender { token: info.id, source: self.counters.source(&info.source), peer }),
        }
    }

    fn refuse(&self, refused: Refused, peer: IpAddr) -> Refused {
        self.receiver.error(Cause::Unauthorized, &format!("{peer}: {}", refused.text()));
        refused
    }

    /// Room to read a body, `None` when there is none for a long time.
    async fn room(&self) -> Option<SemaphorePermit<'_>> {
        let patience = Duration::from_secs(self.config.body_timeout_s);
        tokio::time::timeout(patience, self.requests.acquire()).await.ok()?.ok()
    }

    fn error(&self, sender: &Sender, cause: Cause, text: &str) {
        self.receiver.error(cause, &format!("{}: {text}", sender.peer));
        sender.source.error(cause, text);
    }
}
