//! What a request carries, read so that every mistake is answered with a problem.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use std::str::FromStr;
use tandem_base::Timestamp;
use tandem_web::{Answer, Refused};

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        Json::<T>::from_request(request, state).await.map(|Json(value)| Self(value)).map_err(|rejection| {
            let title = match &rejection {
                JsonRejection::MissingJsonContentType(_) => {
                    "the body must be JSON: send Content-Type: application/json"
                }
                JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
                JsonRejection::JsonDataError(_) => "the body is not what this endpoint takes",
                _ => "the body could not be read",
            };
            Refused::new(rejection.status(), "invalid", title)
                .detail(rejection.body_text())
                .hint("openapi.json describes what each endpoint takes")
        })
    }
}

/// The query of the address.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(value)| Self(value)).map_err(|rejection: QueryRejection| {
            Refused::new(rejection.status(), "invalid", "the address has a parameter that cannot be read")
                .detail(rejection.body_text())
                .hint("openapi.json describes what each endpoint takes")
        })
    }
}

/// An instant in RFC 3339.
pub(super) fn instant(name: &str, text: &str) -> Answer<Timestamp> {
    text.parse().map_err(|_| {
        Refused::invalid(format!("`{name}` is not a time"))
            .detail(format!("`{}` is not an RFC 3339 time", text.chars().take(64).collect::<String>()))
            .hint("write it as 2026-10-11T22:14:15Z")
    })
}

/// An instant that may be left out.
pub(super) fn instant_if(name: &str, text: Option<&str>) -> Answer<Option<Timestamp>> {
    text.filter(|text| !text.is_empty()).map(|text| instant(name, text)).transpose()
}

/// Comma-separated words of a closed list.
pub(super) fn words<T: FromStr>(name: &str, text: Option<&str>) -> Answer<Vec<T>>
where
    T::Err: std::fmt::Display,
{
    let parts = text.unwrap_or("").split(',').map(str::trim).filter(|word| !word.is_empty());
    parts.map(|word| self::word(name, word)).collect()
}

/// One word of a closed list.
pub(super) fn word<T: FromStr>(name: &str, text: &str) -> Answer<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| {
        Refused::invalid(format!("`{name}` has a value that is not known")).detail(error.to_string())
    })
}

/// The version that `If-Match` names; `None` where it names none, or any (`*`).
pub(super) fn if_match(headers: &HeaderMap) -> Answer<Option<u64>> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or("").trim();
    if text == "*" {
        return Ok(None);
    }
    let plain = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    plain.parse().map(Some).map_err(|_| {
        Refused::invalid("the header If-Match names no version")
            .hint("send the ETag of the case as it was read, or leave it out")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use tandem_service::Priority;

    #[test]
    fn versions_are_read_as_etags_are_written() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_static(text));
            if_match(&headers)
        };
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        for text in ["\"12\"", "12", "W/\"12\""] {
            assert_eq!(read(text).unwrap(), Some(12), "{text}");
        }
        assert_eq!(read("*").unwrap(), None);
        assert_eq!(read("\"x\"").unwrap_err().0.status, 422);
    }

    #[test]
    fn lists_and_times_name_what_is_wrong() {
        assert_eq!(words::<Priority>("priority", Some("P1, P3,")).unwrap(), [Priority::P1, Priority::P3]);
        let wrong = words::<Priority>("priority", Some("P9")).unwrap_err().0;
        assert_eq!(wrong.detail.as_deref(), Some("`P9` is none of: P1, P2, P3, P4"));
        assert!(instant_if("from", Some("")).unwrap().is_none());
        let wrong = instant("from", "yesterday").unwrap_err().0;
        assert_eq!((wrong.status, wrong.title.as_str()), (422, "`from` is not a time"));
    }
}
