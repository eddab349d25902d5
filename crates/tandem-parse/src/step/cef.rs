//! CEF (ArcSight Common Event Format) and LEEF (QRadar Log Event Extended Format).

use crate::work::Work;
use std::collections::HashMap;
use tandem_model::Value;

/// `CEF:0|Vendor|Product|Version|Class|Name|Severity|key=value …`
pub(crate) fn cef(text: &str, work: &mut Work<'_, '_>) -> Result<(), String> {
    let start = text.find("CEF:").ok_or("there is no `CEF:`")?;
    let (head, extension) = header::<7>(&text[start + 4..]).ok_or("the CEF header has fewer than seven parts")?;
    let names = ["", "DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Name", "Severity"];
    for (name, value) in names.iter().zip(head).skip(1) {
        work.set_named(name, Value::from(value));
    }
    let pairs = extension_pairs(extension);
    for (key, value) in &pairs {
        work.set_named(key, Value::text(value));
    }
    let by_key: HashMap<&str, &str> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
    // cs1Label=Rule cs1=x is also a field `Rule`.
    for (key, label) in &pairs {
        let Some(base) = key.strip_suffix("Label") else { continue };
        if label.is_empty() || label.len() > 128 {
            continue;
        }
        if let Some(value) = by_key.get(base) {
            let id = work.id(label);
            if work.scratch.vendor.get(id).is_none() {
                work.set_vendor(id, Value::text(value));
            }
        }
    }
    Ok(())
}

/// `LEEF:1.0|Vendor|Product|Version|EventID|key=value<TAB>…`, `LEEF:2.0|…|EventID|delimiter|…`
pub(crate) fn leef(text: &str, work: &mut Work<'_, '_>) -> Result<(), String> {
    let start = text.find("LEEF:").ok_or("there is no `LEEF:`")?;
    let (head, mut rest) = header::<5>(&text[start + 5..]).ok_or("the LEEF header has fewer than five parts")?;
    let mut delimiter = '\t';
    if head[0].starts_with('2')
        && let Some((word, after)) = rest.split_once('|')
        && word.len() <= 6
        && !word.contains('=')
    {
        rest = after;
        let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix('x'));
        delimiter = match hex.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            Some(c) => c,
            None => word.chars().next().unwrap_or('\t'),
        };
    }
    for (name, value) in ["", "Vendor", "Product", "ProductVersion", "EventID"].iter().zip(head).skip(1) {
        work.set_named(name, Value::from(value));
    }
    for pair in rest.split(delimiter) {
        if let Some((key, value)) = pair.split_once('=')
            && !key.trim().is_empty()
            && key.len() <= 256
        {
            work.set_named(key.trim(), Value::text(value.trim_end()));
        }
    }
    Ok(())
}

/// The parts before the extension; `\|` and `\\` are unescaped.
fn header<const N: usize>(text: &str) -> Option<([String; N], &str)> {
    let mut parts = std::array::from_fn(|_| String::new());
    let mut number = 0;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        let part: &mut String = &mut parts[number];
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '|' if !escaped => {
                number += 1;
                if number == N {
                    return Some((parts, &text[at + 1..]));
                }
                continue;
            }
            '|' | '\\' => {}
            _ if escaped => part.push('\\'),
            _ => {}
        }
        escaped = false;
        part.push(c);
    }
    // Some senders leave out the last `|` when there is no extension.
    (number == N - 1).then_some((parts, ""))
}

/// Keys are words before an `=` that has no backslash; a value goes on to the next key.
fn extension_pairs(text: &str) -> Vec<(&str, String)> {
    let bytes = text.as_bytes();
    let mut keys = Vec::new();
    for (at, _) in text.match_indices('=') {
        let slashes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 1 {
            continue;
        }
        let key_start = text[..at]
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']')))
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        let lead = text[..key_start].chars().next_back();
        if key_start < at && lead.is_none_or(|c| c.is_whitespace() || c == '|') {
            keys.push((key_start, at));
        }
    }
    let mut pairs = Vec::with_capacity(keys.len());
    for (number, (start, equals)) in keys.iter().enumerate() {
        let end = keys.get(number + 1).map_or(text.len(), |(next, _)| *next);
        pairs.push((&text[*start..*equals], unescape(text[equals + 1..end].trim_end())));
    }
    pairs
}

fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some(next @ ('=' | '|' | '\\')) => out.push(next),
            Some(next) => {
                out.push('\\');
                out.push(next);
            }
            None => out.push('\\'),
        }
    }
    out
}
