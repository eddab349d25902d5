//! Who may deliver over HTTP.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What is known of an ingest token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// The token's id; never the token.
    pub id: String,
    /// The source whose records it delivers.
    pub source: String,
    /// Set when a person switched it off; HEC says so with a code of its own.
    pub disabled: bool,
}

/// Knows the ingest tokens.
pub trait Tokens: Send + Sync {
    /// The token's description, `None` when it is unknown. Called once per request, so it must not block.
    fn check(&self, token: &str) -> Option<TokenInfo>;
}

/// What a request's `Authorization` header carries.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// No header.
    Absent,
    /// A header that is none of the forms that are understood.
    Malformed,
    /// Texts that may be the token, the likeliest first.
    Tokens(Vec<String>),
}

/// Reads `Splunk T`, `Bearer T`, `ApiKey base64(id:T)` and `Basic base64(user:T)`.
pub(crate) fn credential(headers: &HeaderMap) -> Credential {
    let Some(value) = headers.get(AUTHORIZATION) else { return Credential::Absent };
    let Some((scheme, rest)) = value.to_str().ok().and_then(|text| text.trim().split_once(' ')) else {
        return Credential::Malformed;
    };
    let rest = rest.trim();
    if rest.is_empty() {
        return Credential::Malformed;
    }
    let pair = || {
        let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        let (name, secret) = text.split_once(':')?;
        Some((name.to_owned(), secret.to_owned()))
    };
    match scheme.to_ascii_lowercase().as_str() {
        "splunk" | "bearer" => Credential::Tokens(vec![rest.to_owned()]),
        "apikey" => Credential::Tokens(pair().map(|(_, secret)| secret).into_iter().chain([rest.to_owned()]).collect()),
        "basic" => match pair() {
            Some((name, secret)) if secret.is_empty() => Credential::Tokens(vec![name]),
            Some((_, secret)) => Credential::Tokens(vec![secret]),
            None => Credential::Malformed,
        },
        _ => Credential::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_header() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, text.parse().unwrap());
            credential(&headers)
        };
        let one = |token: &str| Credential::Tokens(vec![token.to_owned()]);
        assert_eq!(credential(&HeaderMap::new()), Credential::Absent);
        assert_eq!(read("Splunk T1"), one("T1"));
        assert_eq!(read("bearer  T1 "), one("T1"));
        assert_eq!(read(&format!("Basic {}", STANDARD.encode("x:T1"))), one("T1"));
        assert_eq!(read(&format!("Basic {}", STANDARD.encode("T1:"))), one("T1"));
        let key = STANDARD.encode("id:T1");
        assert_eq!(read(&format!("ApiKey {key}")), Credential::Tokens(vec!["T1".to_owned(), key]));
        for wrong in ["Splunk", "Splunk  ", "Basic !!!", "Digest x"] {
            assert_eq!(read(wrong), Credential::Malformed, "{wrong}");
        }
    }
}
