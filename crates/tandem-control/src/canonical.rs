//! Canonical JSON after RFC 8785, limited to what acts hold: no fractions.

use serde_json::Value;

/// The canonical bytes of `value`: keys sorted by UTF-16 code units, no white space, shortest escapes.
/// Numbers are whole and within ±(2^53 − 1); any other becomes a string, since a reader in another
/// language would round it.
pub fn canonical_json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    write(value, &mut bytes);
    bytes
}

const SAFE: i64 = (1 << 53) - 1;

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => match number.as_i64().filter(|whole| (-SAFE..=SAFE).contains(whole)) {
            Some(whole) => out.extend_from_slice(whole.to_string().as_bytes()),
            None => text(&number.to_string(), out),
        },
        Value::String(string) => text(string, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                text(key, out);
                out.push(b':');
                write(item, out);
            }
            out.push(b'}');
        }
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_utf16_and_escapes_shortly() {
        let value: Value = serde_json::from_str(
            r#"{"b":1,"\ud83d\ude00":2,"\ufb33":3,"a":[true,null,"\u000f\n\"\\é"],"c":0.5,"d":9007199254740993}"#,
        )
        .unwrap();
        let text = String::from_utf8(canonical_json(&value)).unwrap();
        assert_eq!(
            text,
            "{\"a\":[true,null,\"\\u000f\\n\\\"\\\\é\"],\"b\":1,\"c\":\"0.5\",\"d\":\"9007199254740993\",\"😀\":2,\"\u{fb33}\":3}"
        );
    }
}
