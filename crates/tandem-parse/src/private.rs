//! Where values with a privacy tag stand in the raw text.

use memchr::memmem;
use std::collections::HashSet;
use std::fmt::Write;

/// With more distinct private values than this the whole raw text counts as private.
const VALUES_MAX: usize = 256;
/// Values shorter than this are marked only where they stand alone, or half the text would be private.
const ALONE_BELOW: usize = 4;

/// So much of a value is looked for, the rest is compared.
const HEAD_BYTES: usize = 24;

/// Byte ranges of `raw` that hold one of `values` (as is, escaped as in JSON or XML, or in another case); sorted, merged.
pub(crate) fn ranges<'v>(raw: &str, values: impl Iterator<Item = &'v str>) -> Vec<(u32, u32)> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut lower = None;
    // Escaped forms can stand only where the escape's own character stands.
    let has_backslash = memchr::memchr(b'\\', raw.as_bytes()).is_some();
    let has_ampersand = memchr::memchr(b'&', raw.as_bytes()).is_some();
    for value in values {
        let value = value.trim();
        if matches!(value, "" | "-") || !seen.insert(value) {
            continue;
        }
        if seen.len() > VALUES_MAX {
            return vec![(0, raw.len() as u32)];
        }
        let before = found.len();
        find(raw, value, &mut found);
        let as_json = if has_backslash { [json(value), json_ascii(value)] } else { [None, None] };
        let as_xml = if has_ampersand { xml(value) } else { None };
        for escaped in as_json.into_iter().chain([as_xml]).flatten() {
            find(raw, &escaped, &mut found);
        }
        if found.len() == before {
            let lower: &String = lower.get_or_insert_with(|| raw.to_ascii_lowercase());
            let value = value.to_ascii_lowercase();
            find(lower, &value, &mut found);
            for escaped in [json(&value), xml(&value)].into_iter().flatten() {
                find(lower, &escaped, &mut found);
            }
        }
    }
    merge(found)
}

fn find(raw: &str, needle: &str, found: &mut Vec<(u32, u32)>) {
    if needle.len() > raw.len() {
        return;
    }
    let bytes = raw.as_bytes();
    // A searcher costs in proportion to its needle: look for the beginning, then compare.
    let (head, tail) = needle.as_bytes().split_at(needle.len().min(HEAD_BYTES));
    for at in memmem::find_iter(bytes, head) {
        let end = at + needle.len();
        if !bytes[at + head.len()..].starts_with(tail) {
            continue;
        }
        if needle.len() < ALONE_BELOW {
            let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
            if word(at.checked_sub(1).and_then(|at| bytes.get(at))) || word(bytes.get(end)) {
                continue;
            }
        }
        found.push((at as u32, end as u32));
    }
}

fn merge(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// As a JSON encoder writes it, if that differs.
fn json(value: &str) -> Option<String> {
    if !value.bytes().any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        return None;
    }
    let quoted = serde_json::to_string(value).ok()?;
    Some(quoted[1..quoted.len() - 1].to_owned())
}

/// As a JSON encoder that writes ASCII only does it, if that differs.
fn json_ascii(value: &str) -> Option<String> {
    if value.is_ascii() {
        return None;
    }
    let mut out = String::new();
    for c in json(value).as_deref().unwrap_or(value).chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    Some(out)
}

/// As an XML writer writes it, if that differs.
fn xml(value: &str) -> Option<String> {
    if !value.contains(['&', '<', '>', '"', '\'']) {
        return None;
    }
    // Quotes and apostrophes are escaped by some writers only; both forms of the most usual mixture are covered by `find`.
    let out = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    Some(out.replace('\'', "&apos;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(raw: &str, values: &[&str]) -> String {
        ranges(raw, values.iter().copied())
            .iter()
            .flat_map(|(start, end)| ["[", &raw[*start as usize..*end as usize], "]"])
            .collect()
    }

    #[test]
    fn finds_values_as_they_are_and_escaped() {
        let raw =
            r#"{"User":"CORP\\jane","Other":"JANE","Name":"J\u00f6rg \"x\"","n":"al","m":"normal","t":"a &amp; b"}"#;
        assert_eq!(marked(raw, &[r"CORP\jane"]), r"[CORP\\jane]");
        assert_eq!(marked(raw, &["jane", "CORP"]), "[CORP][jane]");
        assert_eq!(marked(raw, &["Jane"]), "[jane][JANE]");
        assert_eq!(marked(raw, &["Jörg \"x\""]), r#"[J\u00f6rg \"x\"]"#);
        assert_eq!(marked(raw, &["al"]), "[al]");
        assert_eq!(marked(raw, &["a & b", "-", ""]), "[a &amp; b]");
        let many: Vec<String> = (0..300).map(|number| format!("v{number}")).collect();
        assert_eq!(ranges("v1", many.iter().map(String::as_str)), [(0, 2)]);
    }
}
