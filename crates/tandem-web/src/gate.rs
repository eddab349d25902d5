//! Who asks: a session's cookie, a token, or the local socket.

use crate::Refused;
use crate::local::OverSocket;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tandem_base::Clock;
use tandem_control::Control;
use tandem_service::{Actor, Decision, Matrix, Object, Verb, decide};

/// Name of the session's cookie.
pub(crate) const COOKIE: &str = "tandem_session";

/// What the console shows of the site.
#[derive(Debug, Clone)]
pub struct SiteFacts {
    /// Name.
    pub name: String,
    /// Whether it plays the demonstration.
    pub demo: bool,
    /// Version of the program.
    pub version: &'static str,
    /// Whether cookies must only travel over TLS.
    pub secure: bool,
}

/// Everything that a decision about a request needs.
#[derive(Clone)]
pub struct Gate {
    /// Accounts and sessions.
    pub control: Arc<Control>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The agreement.
    pub matrix: Arc<Matrix>,
    /// The site.
    pub facts: Arc<SiteFacts>,
}

/// How somebody proved who they are.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    Session { token: String, expires: tandem_base::Timestamp },
    Other,
}

/// Somebody who asks, known.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) actor: Actor,
    pub(crate) credential: Credential,
}

impl Gate {
    /// Whether `actor` may do `verb` to `object` now; the refusal as a problem.
    pub fn allow(&self, actor: &Actor, verb: Verb, object: &Object) -> Result<(), Refused> {
        match decide(&self.matrix, actor, verb, object, self.clock.now()) {
            Decision::Allow { .. } => Ok(()),
            Decision::Deny { because, how_to_get_access } => Err(refused(because, how_to_get_access)),
        }
    }

    /// Who sent a request that is none of the catalogue's endpoints; `Ok(None)` where it carries nothing.
    pub async fn actor(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<Option<Actor>, Refused> {
        let over = extensions.get::<OverSocket>().copied();
        Ok(self.who(headers, over, false).await?.map(|known| known.actor))
    }

    /// Finds out who sent a request with these `headers`; `Ok(None)` where it carries nothing.
    pub(crate) async fn who(
        &self,
        headers: &HeaderMap,
        over: Option<OverSocket>,
        changes: bool,
    ) -> Result<Option<Known>, Refused> {
        if over.is_some() {
            return Ok(Some(Known { actor: Actor::local(), credential: Credential::Other }));
        }
        if let Some(token) = bearer(headers) {
            let found = self.control.api_token_actor(token).await.map_err(|error| Refused::failed(&error))?;
            return found.map_or_else(
                || {
                    Err(Refused::new(
                        StatusCode::UNAUTHORIZED,
                        "token-invalid",
                        "this token is unknown, expired or ended",
                    )
                    .hint("make a new one under Settings"))
                },
                |actor| Ok(Some(Known { actor, credential: Credential::Other })),
            );
        }
        let Some(token) = cookie(headers) else { return Ok(None) };
        let Some(session) = self.control.session(token).await.map_err(|error| Refused::failed(&error))? else {
            return Ok(None);
        };
        if changes && headers.get("x-tandem-csrf").is_none() {
            return Err(Refused::new(StatusCode::FORBIDDEN, "csrf", "the request does not come from the console")
                .hint("send the header X-Tandem-CSRF: 1"));
        }
        Ok(Some(Known {
            actor: session.actor,
            credential: Credential::Session { token: token.to_owned(), expires: session.expires },
        }))
    }
}

/// A refusal by `decide`.
pub(crate) fn refused(because: String, how_to_get_access: String) -> Refused {
    let mut refused = Refused::new(StatusCode::FORBIDDEN, "not-allowed", "you may not do this");
    refused.0.because = Some(because);
    refused.0.how_to_get_access = Some(how_to_get_access);
    refused
}

/// Nobody is signed in.
pub(crate) fn nobody() -> Refused {
    Refused::new(StatusCode::UNAUTHORIZED, "not-signed-in", "nobody is signed in").hint("sign in, or send an API token")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|part| part.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// The peer's address, as a text for records; `local` over the socket.
pub(crate) fn peer(extensions: &Extensions) -> String {
    extensions.get::<SocketAddr>().map_or_else(|| "local".to_owned(), |peer| canonical(peer.ip()).to_string())
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
