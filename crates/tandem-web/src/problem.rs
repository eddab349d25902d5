//! Refusals and failures as RFC 9457 problems.

use crate::body::{next_step, short};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tandem_api::Problem;
use tandem_control::ControlError;

/// What handlers answer with when they refuse or fail; boxed, since a handler's good answer is mostly small.
#[derive(Debug)]
pub struct Refused(pub Box<Problem>);

/// A handler's result.
pub type Answer<T> = Result<T, Refused>;

impl Refused {
    /// A problem of `kind` with a title.
    pub fn new(status: StatusCode, kind: &str, title: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(status.as_u16(), kind, title)))
    }

    /// The thing asked for does not exist.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("{what} does not exist"))
            .hint("it may have been removed, or its retention may have ended")
    }

    /// What was sent cannot be used.
    pub fn invalid(title: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title)
    }

    /// A failure of ours: logged with its causes under a reference that the answer names.
    pub fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        let reference = uuid_like();
        let mut causes = vec![error.to_string()];
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        tracing::error!(reference, error = causes.join(": "), "a request failed");
        let mut problem = Problem::new(500, "failed", "the request could not be carried out");
        problem.hint = Some("try again; if it fails again, look for the reference in the log of tandem".to_owned());
        problem.reference = Some(reference);
        Self(Box::new(problem))
    }

    /// With what it means.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(short(detail.into()));
        self
    }

    /// With what decided.
    #[must_use]
    pub fn because(mut self, because: impl Into<String>) -> Self {
        self.0.because = Some(because.into());
        self
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }
}

/// What control data refused or could not do, as an answer.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub fn from_control(error: ControlError) -> Refused {
    let hint = error.hint();
    let refused = match &error {
        ControlError::NotFound { .. } => Refused::new(StatusCode::NOT_FOUND, "not-found", error.to_string()),
        // Somebody was faster: what the person saw is no longer so.
        ControlError::Refused(refusal) if refusal.code == "taken" => {
            Refused::new(StatusCode::CONFLICT, refusal.code, "somebody else holds this case").because(&refusal.because)
        }
        ControlError::Conflict { because, .. } => {
            Refused::new(StatusCode::CONFLICT, "conflict", "this has changed since you saw it").because(because)
        }
        ControlError::Refused(refusal) => {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.code, refusal.because.clone())
        }
        ControlError::File { path, source, .. } => {
            tracing::warn!(path, error = %source, "a file could not be used");
            return Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "file", error.to_string())
                .detail(source.to_string())
                .hint(
                    "name a file that is not there yet, in a folder that is and that the account of tandem may write",
                );
        }
        ControlError::Invalid { field, .. } => Refused::invalid(error.to_string()).detail(format!("in `{field}`")),
        _ => return Refused::failed(&error),
    };
    match hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

fn uuid_like() -> String {
    use tandem_base::{Chance, SystemChance, hex};
    let mut bytes = [0; 6];
    SystemChance.fill(&mut bytes);
    hex(&bytes)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut problem = self.0;
        problem.title = short(std::mem::take(&mut problem.title));
        if problem.hint.is_none() && problem.how_to_get_access.is_none() {
            problem.hint = next_step(&problem.kind, problem.status).map(str::to_owned);
        }
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
