//! Values in the one form in which they are compared.

use std::borrow::Cow;

/// Longest value that is looked at.
const BYTES_MAX: usize = 4096;
/// Names above a domain that are looked up.
const PARENTS_MAX: usize = 16;

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(crate::pattern::fold).collect())
    }
}

/// In lower case, without the dot at the end; at least two labels.
pub(super) fn plain_domain(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim().trim_end_matches('.');
    let good = |label: &str| !label.is_empty() && !label.contains(|c: char| c.is_whitespace() || "/@:?#".contains(c));
    if text.len() > BYTES_MAX || !text.contains('.') || !text.split('.').all(good) {
        return None;
    }
    Some(lower(text))
}

/// The domain itself and those above it, down to two labels, the longest first.
pub(super) fn parents(domain: &str) -> impl Iterator<Item = &str> {
    let labels = domain.bytes().filter(|byte| *byte == b'.').count() + 1;
    // Of a name with very many labels the last ones matter.
    let skipped = labels.saturating_sub(PARENTS_MAX + 1);
    let start = (0..skipped).fold(domain, |name, _| name.split_once('.').map_or(name, |(_, rest)| rest));
    let whole = (skipped > 0).then_some(domain);
    whole.into_iter().chain(std::iter::successors(Some(start), |name| shorter(name)))
}

fn shorter(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, rest)| rest).filter(|rest| rest.contains('.'))
}

/// Host in lower case, port and path without scheme, user, default port and fragment; and the host.
pub(super) fn plain_url(text: &str) -> Option<(String, &str)> {
    let text = text.trim();
    if text.len() > BYTES_MAX {
        return None;
    }
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let rest = rest.split('#').next().unwrap_or(rest);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority.trim_end_matches(':'), ""),
    };
    let host = host.trim_end_matches('.');
    if host.is_empty() || host.contains(char::is_whitespace) {
        return None;
    }
    let is_default = matches!(
        (scheme.to_ascii_lowercase().as_str(), port),
        (_, "") | ("http", "80") | ("https", "443") | ("ftp", "21")
    );
    let port = if is_default { String::new() } else { format!(":{port}") };
    let path = if path == "/" { "" } else { path };
    Some((format!("{}{port}{path}", lower(host)), host))
}

/// Hexadecimal digits in lower case, of a length that hashes have.
pub(super) fn plain_hash(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let known = matches!(text.len(), 32 | 40 | 64 | 96 | 128);
    (known && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| lower(text))
}

/// In lower case, without `mailto:` and pointed brackets; and the part behind the `@`.
pub(super) fn plain_mail(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let text = text.trim();
    // `Kim <kim@example.org>`
    let text = text.rsplit_once('<').map_or(text, |(_, inner)| inner.split('>').next().unwrap_or(inner));
    let text = match text.get(..7) {
        Some(start) if start.eq_ignore_ascii_case("mailto:") => &text[7..],
        _ => text,
    };
    let (local, domain) = text.rsplit_once('@')?;
    let bad = text.len() > BYTES_MAX || local.is_empty() || domain.is_empty() || text.contains(char::is_whitespace);
    (!bad).then(|| (lower(text), domain))
}
