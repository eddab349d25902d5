//! Tokens of raw text: what the index holds and what a word of a query is compared with.
//!
//! A token is a maximal run of Unicode letters and digits (`char::is_alphanumeric`), folded. Before
//! that the escapes of JSON (inside of objects) and of XML (everywhere) are undone, so that a path
//! pasted from anywhere finds itself. Queries and raw text go through the same function.

use std::borrow::Cow;

/// Version of the rule below; written into the header of each index, which is rebuilt when it differs.
pub const TOKEN_RULE_VERSION: u32 = 1;

/// Longest key that is looked through to tell an object from other text in braces, bytes.
const KEY_BYTES_MAX: usize = 256;

/// The tokens of `raw`, in order.
pub fn tokens(raw: &str) -> Vec<String> {
    let mut all = Vec::new();
    for_each_token(raw, |token| all.push(token.to_owned()));
    all
}

/// Calls `visit` with each token of `raw`, in order, without an allocation for each.
pub fn for_each_token(raw: &str, mut visit: impl FnMut(&str)) {
    let text = undo_json(raw);
    let text = undo_xml(&text);
    let mut token = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            token.push(c.to_ascii_lowercase());
        } else if !c.is_ascii() && c.is_alphanumeric() {
            // What folding adds beside letters and digits (a dot above) is dropped, so that a token is one token.
            token.extend(fold_char(c).filter(|c| c.is_alphanumeric()));
        } else if !token.is_empty() {
            visit(&token);
            token.clear();
        }
    }
    if !token.is_empty() {
        visit(&token);
    }
}

/// `text` with case removed: each character in lower case, and `ς` as `σ`. Two texts are equal "ignoring case"
/// when their folds are.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().flat_map(fold_char).collect())
}

fn fold_char(c: char) -> impl Iterator<Item = char> {
    let c = if c == 'ς' { 'σ' } else { c };
    c.to_lowercase()
}

/// Undoes the escapes of JSON inside of objects: from `{"key":` to the brace that closes it. Elsewhere a
/// backslash is a backslash, so that `C:\new` in plain text keeps its `n`.
fn undo_json(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = raw[at..].find('{') {
        let start = at + found;
        if !starts_object(&raw[start..]) {
            at = start + 1;
            continue;
        }
        out.push_str(&raw[copied..start]);
        copied = start + undo_object(&raw[start..], &mut out);
        at = copied;
    }
    if copied == 0 {
        return Cow::Borrowed(raw);
    }
    out.push_str(&raw[copied..]);
    Cow::Owned(out)
}

/// Whether `text` starts with `{ "key" :`.
fn starts_object(text: &str) -> bool {
    let bytes = text.as_bytes();
    let skip_space = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) && at < KEY_BYTES_MAX {
            at += 1;
        }
        at
    };
    let mut at = skip_space(1);
    if bytes.get(at) != Some(&b'"') {
        return false;
    }
    at += 1;
    while at < KEY_BYTES_MAX {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return bytes.get(skip_space(at + 1)) == Some(&b':'),
            Some(_) => at += 1,
            None => return false,
        }
    }
    false
}

/// Writes the object at the start of `text` with escapes undone; answers how many bytes it took.
fn undo_object(text: &str, out: &mut String) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                out.push_str(&text[copied..at]);
                let (c, taken) = json_escape(&text[at..]);
                out.push(c);
                at += taken;
                copied = at;
                continue;
            }
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    out.push_str(&text[copied..=at]);
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(&text[copied..]);
    bytes.len()
}

/// The character of the JSON escape at the start of `text` (RFC 8259, section 7) and its length; a backslash
/// that begins none is itself.
fn json_escape(text: &str) -> (char, usize) {
    let plain = |c| (c, 2);
    match text.as_bytes().get(1) {
        Some(b'n') => plain('\n'),
        Some(b't') => plain('\t'),
        Some(b'r') => plain('\r'),
        Some(b'b') => plain('\u{8}'),
        Some(b'f') => plain('\u{c}'),
        Some(b @ (b'"' | b'\\' | b'/')) => plain(char::from(*b)),
        Some(b'u') => {
            let unit = |at: usize| text.get(at..at + 4).and_then(hex_unit);
            match unit(2) {
                Some(high @ 0xd800..=0xdbff) => {
                    let low = if text.get(6..8) == Some("\\u") { unit(8) } else { None };
                    match low {
                        Some(low @ 0xdc00..=0xdfff) => {
                            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                        }
                        _ => (char::REPLACEMENT_CHARACTER, 6),
                    }
                }
                Some(code) => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
                None => ('\\', 1),
            }
        }
        _ => ('\\', 1),
    }
}

fn hex_unit(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// Undoes the five named entities of XML and its numeric ones; any other `&` is itself.
fn undo_xml(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let (c, taken) = xml_entity(rest);
        out.push(c);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character of the entity at the start of `text` (XML 1.0, sections 4.1 and 4.6) and its length.
fn xml_entity(text: &str) -> (char, usize) {
    // `&#x10FFFF;` is the longest sensible one; some leading zeros are allowed.
    const ENTITY_BYTES_MAX: usize = 14;
    let none = ('&', 1);
    let Some(end) = text.bytes().take(ENTITY_BYTES_MAX).position(|byte| byte == b';') else {
        return none;
    };
    let name = &text[1..end];
    let c = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let code = if let Some(digits) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
                u32::from_str_radix(digits, 16).ok()
            } else {
                name.strip_prefix('#').and_then(|digits| digits.parse().ok())
            };
            code.and_then(char::from_u32)
        }
    };
    c.map_or(none, |c| (c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: &str) {
        assert_eq!(tokens(raw).join(" "), expected, "{raw}");
    }

    #[test]
    fn runs_of_letters_and_digits_folded() {
        check("", "");
        check("--- .", "");
        check("Failed password for root from 10.0.0.1", "failed password for root from 10 0 0 1");
        check("ÄRGER Straße ΟΔΟΣ οδος İx 東京tower", "ärger straße οδοσ οδοσ ix 東京tower");
    }

    #[test]
    fn a_path_is_the_same_everywhere() {
        let path = "c users new x exe";
        check(r"C:\Users\new\x.exe", path);
        check(r#"{"Image":"C:\\Users\\new\\x.exe"}"#, &format!("image {path}"));
        check(r#"<34>app: {"Image" : "C:\\Users\\new\\x.exe"}"#, &format!("34 app image {path}"));
        check(r"<Data>C:\Users\new\x.exe</Data>", &format!("data {path} data"));
        check(r#"path="C:\Users\new\x.exe""#, &format!("path {path}"));
    }

    #[test]
    fn escapes_of_json_end_with_the_object() {
        check(r#"{"a":"x\ny\u00e4\ud83d\ude00z"} C:\new"#, "a x yä z c new");
        check(r#"{"a":{"b":"}\"}\nq"},"c":"\tw"} \n"#, "a b q c w n");
        check(r#"@{"a"="C:\new"}"#, "a c new");
        check(r#"{"a":"\ud83d x \u12 \q"#, "a x u12 q");
        check(r#"{"a\"#, "a");
        check(r#"{"a":"\"#, "a");
    }

    #[test]
    fn entities_of_xml() {
        check("M&#228;rz&amp;co &lt;b&gt; &#x41;b &unknown; & &#xD800; a&amp", "märz co b ab unknown xd800 a amp");
        check(r#"{"x":"a\u0026amp;b"}"#, "x a b");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            let once = fold(&text).into_owned();
            assert_eq!(fold(&once), once, "{c:?}");
            for token in tokens(&text) {
                assert_eq!(tokens(&token), [token.as_str()], "{c:?}");
            }
        }
    }
}
