//! The console's files, built beforehand and carried by the binary.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// As built.
    pub plain: &'static [u8],
    /// Precompressed with Brotli.
    pub brotli: Option<&'static [u8]>,
    /// Precompressed with gzip.
    pub gzip: Option<&'static [u8]>,
}

/// All files by path below `/`, without a leading slash.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    files: HashMap<String, Asset>,
    policy: String,
}

impl Assets {
    /// The files that `list` names, pairs of path and content; `x.br` and `x.gz` beside `x` are its compressed forms.
    pub fn new(list: impl IntoIterator<Item = (String, &'static [u8])>) -> Self {
        let mut plain = HashMap::new();
        let mut packed = Vec::new();
        for (path, content) in list {
            match path
                .strip_suffix(".br")
                .map(|name| (name.to_owned(), true))
                .or_else(|| path.strip_suffix(".gz").map(|name| (name.to_owned(), false)))
            {
                Some((name, brotli)) => packed.push((name, brotli, content)),
                None => {
                    plain.insert(path, Asset { plain: content, brotli: None, gzip: None });
                }
            }
        }
        for (name, brotli, content) in packed {
            if let Some(asset) = plain.get_mut(&name) {
                *(if brotli { &mut asset.brotli } else { &mut asset.gzip }) = Some(content);
            }
        }
        let index = plain.get("index.html").map_or("", |asset| std::str::from_utf8(asset.plain).unwrap_or(""));
        let policy = content_security_policy(index);
        Self { files: plain, policy }
    }

    /// Whether a console was built in.
    pub fn is_empty(&self) -> bool {
        !self.files.contains_key("index.html")
    }

    /// The answer for `path`: the file, else the start page, which draws the screen that the address names.
    pub fn answer(&self, path: &str, headers: &HeaderMap) -> Response {
        let name = path.trim_start_matches('/');
        let (name, asset) = match self.files.get(name) {
            Some(asset) if name != "index.html" => (name, asset),
            // A missing file below the folder of built files is an error; anything else is a screen's address.
            None if name.starts_with("_app/") => return StatusCode::NOT_FOUND.into_response(),
            _ => match self.files.get("index.html") {
                Some(asset) => ("index.html", asset),
                None => return no_console(),
            },
        };
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
        let accepts = |encoding: &str| {
            accepted.split(',').any(|part| part.split(';').next().is_some_and(|word| word.trim() == encoding))
        };
        let (content, encoding) = match (asset.brotli, asset.gzip) {
            (Some(content), _) if accepts("br") => (content, Some("br")),
            (_, Some(content)) if accepts("gzip") => (content, Some("gzip")),
            _ => (asset.plain, None),
        };
        let mut response = Response::new(Body::from(content));
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let immutable = name.starts_with("_app/immutable/");
        let cache = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Ok(policy) = HeaderValue::from_str(&self.policy) {
            answer.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

fn no_console() -> Response {
    let text = "This tandem was built without its console. Build it with `make build`; the API under /api/v1 works.\n";
    (StatusCode::NOT_FOUND, text).into_response()
}

/// Everything from this site only; of inline scripts the ones whose hash the built page names.
fn content_security_policy(index: &str) -> String {
    let mut hashes = Vec::new();
    for part in index.split('\'') {
        if part.starts_with("sha256-") && !hashes.contains(&part) {
            hashes.push(part);
        }
    }
    let scripts: Vec<String> = hashes.iter().map(|hash| format!(" '{hash}'")).collect();
    let scripts = scripts.concat();
    format!(
        "default-src 'self'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' data:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_get_the_start_page_and_files_their_compressed_form() {
        let index: &[u8] = b"<meta content=\"script-src 'self' 'sha256-abc='\">";
        let assets = Assets::new([
            ("index.html".to_owned(), index),
            ("_app/immutable/a.js".to_owned(), b"plain".as_slice()),
            ("_app/immutable/a.js.br".to_owned(), b"packed".as_slice()),
        ]);
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br;q=1"));
        let file = assets.answer("/_app/immutable/a.js", &headers);
        assert_eq!(file.headers()[header::CONTENT_ENCODING], "br");
        let screen = assets.answer("/cases/C-1", &headers);
        assert_eq!(screen.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(
            screen.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("script-src 'self' 'sha256-abc='")
        );
        assert_eq!(assets.answer("/_app/immutable/gone.js", &headers).status(), StatusCode::NOT_FOUND);
    }
}
