//! The router, made from the endpoint catalogue: no handler without its row, no row without its handler.

use crate::body::{read_body, whole_problems};
use crate::gate::{Credential, Known, nobody};
use crate::local::OverSocket;
use crate::{Gate, Refused};
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method as HttpMethod, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodFilter;
use std::collections::BTreeSet;
use tandem_api::{ENDPOINTS, Guard, Method};
use tandem_base::Timestamp;
use tandem_service::{Actor, Object, ObjectKind, Verb};

/// Largest body of a request of a person.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Largest body of a request that needs no sign-in.
const OPEN_BODY_BYTES_MAX: usize = 64 << 10;

/// The person, token or socket behind a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// The session's token and end, where there is one.
    pub session: Option<(String, Timestamp)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts.extensions.get::<Self>().cloned().ok_or_else(nobody)
    }
}

/// Collects handlers for rows of the endpoint catalogue.
pub struct Api<S> {
    gate: Gate,
    router: Router<S>,
    served: BTreeSet<(&'static str, &'static str)>,
}

impl<S: Clone + Send + Sync + 'static> Api<S> {
    /// No handlers yet.
    pub fn new(gate: Gate) -> Self {
        Self { gate, router: Router::new(), served: BTreeSet::new() }
    }

    /// Serves the row `method path` by `handler`.
    ///
    /// # Panics
    /// When the catalogue has no such row: an endpoint that nobody may prove-read.
    #[must_use]
    pub fn serve<H, T>(mut self, method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let row = ENDPOINTS.iter().find(|row| row.method == method && row.path == path);
        let row = row.unwrap_or_else(|| panic!("the endpoint catalogue has no row {method:?} {path}"));
        let (filter, word) = match method {
            Method::Get => (MethodFilter::GET, "GET"),
            Method::Post => (MethodFilter::POST, "POST"),
            Method::Put => (MethodFilter::PUT, "PUT"),
            Method::Patch => (MethodFilter::PATCH, "PATCH"),
            Method::Delete => (MethodFilter::DELETE, "DELETE"),
        };
        self.served.insert((word, row.path));
        let check = Check { gate: self.gate.clone(), guard: row.guard };
        let route: axum::routing::MethodRouter<S> =
            axum::routing::on(filter, handler).layer(middleware::from_fn_with_state(check, guard));
        self.router = self.router.route(row.path, route);
        self
    }

    /// The router below `/api/v1`.
    ///
    /// # Panics
    /// When a row of the catalogue has no handler.
    pub fn finish(self) -> Router<S> {
        let missing: Vec<String> = ENDPOINTS
            .iter()
            .map(|row| (format!("{:?}", row.method).to_uppercase(), row.path))
            .filter(|(method, path)| !self.served.contains(&(method.as_str(), *path)))
            .map(|(method, path)| format!("{method} {path}"))
            .collect();
        assert!(missing.is_empty(), "rows of the endpoint catalogue without a handler: {}", missing.join(", "));
        self.router
            .fallback(|| async { Refused::not_found("this endpoint") })
            .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(middleware::from_fn(whole_problems))
            .layer(middleware::from_fn(answer_headers))
    }
}

#[derive(Clone)]
struct Check {
    gate: Gate,
    guard: Guard,
}

/// In front of every handler: who asks, and may they.
async fn guard(State(check): State<Check>, mut request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let over = request.extensions().get::<OverSocket>().copied();
    let changes = !matches!(*request.method(), HttpMethod::GET | HttpMethod::HEAD);
    let known = match check.gate.who(&headers, over, changes).await {
        Ok(known) => known,
        // Signing in must work with a stale cookie or token, too.
        Err(_) if check.guard == Guard::Open => None,
        Err(refused) => return refused.into_response(),
    };
    match (check.guard, &known) {
        (Guard::Open, _) | (Guard::SignedIn, Some(_)) => {}
        (Guard::SignedIn | Guard::Verb(_), None) => return nobody().into_response(),
        (Guard::Verb(word), Some(known)) => {
            let verb: Verb = word.parse().expect("the endpoint catalogue names verbs of the service");
            if let Err(refused) = check.gate.allow(&known.actor, verb, &Object::all(ObjectKind::Site)) {
                return refused.into_response();
            }
        }
    }
    if let Some(Known { actor, credential }) = known {
        let session = match credential {
            Credential::Session { token, expires } => Some((token, expires)),
            Credential::Other => None,
        };
        request.extensions_mut().insert(Caller { actor, session });
    }
    // Whoever is not known yet gets little room.
    let limit_bytes = if check.guard == Guard::Open { OPEN_BODY_BYTES_MAX } else { BODY_BYTES_MAX };
    match read_body(request, limit_bytes).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

async fn answer_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_names_only_verbs_of_the_service() {
        for row in ENDPOINTS {
            if let Guard::Verb(word) = row.guard {
                assert!(word.parse::<Verb>().is_ok(), "{} names `{word}`", row.path);
            }
        }
    }
}
