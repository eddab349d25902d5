//! Conversions of single values.

use crate::work::text_of;
use std::net::IpAddr;
use tandem_model::{FieldType, Value};

macro_rules! conversions {
    ($($variant:ident = $word:literal),+ $(,)?) => {
        /// A conversion by its word in `as:` and `convert:`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Conversion { $($variant),+ }

        impl Conversion {
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),+];

            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

conversions! {
    Long = "long", Double = "double", Bool = "bool", Text = "text", Ip = "ip", Lower = "lower", Upper = "upper",
    Trim = "trim", Hex = "hex", Unhex = "unhex", UrlDecode = "url_decode", Base64 = "base64", Basename = "basename",
    Dirname = "dirname", Extension = "extension", AccountName = "account_name", AccountDomain = "account_domain",
    First = "first", Last = "last", Count = "count", SplitComma = "split_comma", SplitSpace = "split_space",
    SplitLine = "split_line", Unquote = "unquote",
    RegistryPath = "registry_path",
}

impl Conversion {
    /// The converted value; nothing if it cannot be converted.
    pub(crate) fn apply(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::First, Value::List(values)) => values.first().cloned(),
            (Self::Last, Value::List(values)) => values.last().cloned(),
            (Self::First | Self::Last, single) => Some(single.clone()),
            (Self::Count, list) => Some(Value::Long(list.each().len() as i64)),
            (_, Value::List(values)) => {
                let converted: Vec<_> = values.iter().filter_map(|value| self.apply(value)).collect();
                (!converted.is_empty()).then_some(Value::List(converted))
            }
            (_, single) => self.apply_single(single),
        }
    }

    fn apply_single(self, value: &Value) -> Option<Value> {
        let text = text_of(value);
        let text = text.as_ref();
        match self {
            Self::Long => long(value).map(Value::Long),
            Self::Double => match value {
                Value::Double(number) => Some(Value::Double(*number)),
                Value::Long(number) => Some(Value::Double(*number as f64)),
                _ => text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Double),
            },
            Self::Bool => match value {
                Value::Bool(_) => Some(value.clone()),
                _ => truth(text).map(Value::Bool),
            },
            Self::Text => Some(Value::text(text)),
            Self::Ip => ip(text).map(|address| Value::text(address.to_string())),
            Self::Lower => Some(Value::from(text.to_lowercase())),
            Self::Upper => Some(Value::from(text.to_uppercase())),
            Self::Trim => Some(Value::text(text.trim())),
            Self::Hex => {
                let text = text.trim();
                let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
                let radix = if digits.is_none() && text.bytes().all(|byte| byte.is_ascii_digit()) { 10 } else { 16 };
                let number = u64::from_str_radix(digits.unwrap_or(text), radix).ok();
                number.and_then(|number| i64::try_from(number).ok()).map(Value::Long)
            }
            Self::Unhex => unhex_text(text).map(Value::from),
            Self::UrlDecode => Some(Value::from(url_decode(text))),
            Self::Base64 => base64_text(text).map(Value::from),
            Self::Basename => Some(Value::text(text.rsplit(['/', '\\']).next().unwrap_or(text))),
            Self::Dirname => text.rfind(['/', '\\']).map(|at| Value::text(&text[..at.max(1)])),
            Self::Extension => {
                let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
                name.rsplit_once('.')
                    .filter(|(stem, end)| !stem.is_empty() && !end.is_empty())
                    .map(|(_, end)| Value::text(end))
            }
            Self::AccountName => Some(Value::text(account(text).1)),
            Self::AccountDomain => account(text).0.map(Value::text),
            Self::SplitComma => Some(list(text.split(','))),
            Self::SplitSpace => Some(list(text.split_ascii_whitespace())),
            Self::SplitLine => Some(list(text.lines())),
            Self::Unquote => {
                let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
                Some(Value::text(inner.unwrap_or(text)))
            }
            Self::RegistryPath => {
                let short =
                    [(r"\REGISTRY\MACHINE", "HKLM"), (r"\REGISTRY\USER", "HKU")].iter().find_map(|(long, short)| {
                        let head = text.get(..long.len()).filter(|head| head.eq_ignore_ascii_case(long))?;
                        Some(format!("{short}{}", &text[head.len()..]))
                    });
                Some(short.map_or_else(|| Value::text(text), Value::from))
            }
            Self::First | Self::Last | Self::Count => Some(value.clone()),
        }
    }
}

/// The value as the type of its column, if that loses nothing.
pub(crate) fn to_column(value: Value, kind: FieldType) -> Result<Value, Value> {
    let fitting = match (kind, &value) {
        (FieldType::String, Value::Text(_))
        | (FieldType::Long, Value::Long(_))
        | (FieldType::Double, Value::Double(_))
        | (FieldType::Bool, Value::Bool(_))
        | (FieldType::Timestamp, Value::Time(_)) => return Ok(value),
        (FieldType::String, Value::List(values)) if values.len() == 1 => return to_column(values[0].clone(), kind),
        (FieldType::String | FieldType::Double, Value::List(_)) => None,
        (FieldType::String, other) => Some(Value::from(other.to_string())),
        (FieldType::Strings, Value::List(values)) => {
            Some(Value::List(values.iter().map(|value| Value::text(text_of(value))).collect()))
        }
        (FieldType::Strings, single) => Some(Value::List(vec![Value::text(text_of(single))])),
        (FieldType::Long, other) => long(other).map(Value::Long),
        (FieldType::Double, other) => Conversion::Double.apply(other),
        (FieldType::Bool, Value::Text(text)) => truth(text).map(Value::Bool),
        (FieldType::Timestamp, Value::Text(text)) => crate::time::parse_iso_with_zone(text).map(Value::Time),
        (FieldType::Ip, Value::Text(text)) => match ip(text) {
            Some(address) => {
                let canonical = address.to_string();
                if canonical == **text {
                    return Ok(value);
                }
                Some(Value::from(canonical))
            }
            None => None,
        },
        (FieldType::Bool | FieldType::Timestamp | FieldType::Ip, _) => None,
    };
    fitting.ok_or(value)
}

fn list<'t>(parts: impl Iterator<Item = &'t str>) -> Value {
    Value::List(parts.map(str::trim).filter(|part| !part.is_empty()).map(Value::text).collect())
}

/// A whole number: of a text in decimal, of a fraction without rest.
pub(crate) fn long(value: &Value) -> Option<i64> {
    match value {
        Value::Long(number) => Some(*number),
        Value::Double(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Some(*number as i64),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Some(true),
        "false" | "no" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// An address, mapped IPv4 as IPv4; brackets and a zone (`%eth0`) are taken off.
pub(crate) fn ip(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let text = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Domain and name of `DOMAIN\name` or `name@domain`.
pub(crate) fn account(text: &str) -> (Option<&str>, &str) {
    if let Some((domain, name)) = text.split_once('\\') {
        return ((!domain.is_empty()).then_some(domain), name);
    }
    match text.rsplit_once('@') {
        Some((name, domain)) if !name.is_empty() && !domain.is_empty() => (Some(domain), name),
        _ => (None, text),
    }
}

/// The text behind hexadecimal digits; NUL bytes become blanks, as between the arguments of a process title.
pub(crate) fn unhex_text(text: &str) -> Option<String> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    let bytes = tandem_base::unhex(&text.to_ascii_lowercase())?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Some(text.trim_end_matches('\0').replace('\0', " "))
}

fn url_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn base64_text(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim().bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_by_word() {
        for (word, from, to) in [
            ("hex", "0x1F4", "500"),
            ("hex", "1F4", "500"),
            ("hex", "500", "500"),
            ("ip", "::ffff:10.0.0.1", "10.0.0.1"),
            ("ip", "[fe80::1%eth0]", "fe80::1"),
            ("unhex", "2F62696E006C73", "/bin ls"),
            ("url_decode", "a%20b+c%zz", "a b c%zz"),
            ("base64", "SGVsbG8=", "Hello"),
            ("basename", r"C:\Windows\x.exe", "x.exe"),
            ("dirname", "/etc/passwd", "/etc"),
            ("extension", "/a/b.tar.gz", "gz"),
            ("account_name", r"CORP\jane", "jane"),
            ("account_domain", "jane@corp.example", "corp.example"),
            ("account_name", "jane", "jane"),
            ("bool", "Yes", "true"),
            ("unquote", "'a b'", "a b"),
            ("registry_path", r"\REGISTRY\MACHINE\SOFTWARE\X", r"HKLM\SOFTWARE\X"),
            ("split_comma", "a, b,,c", "a, b, c"),
        ] {
            let conversion = Conversion::from_word(word).unwrap();
            assert_eq!(conversion.apply(&from.into()).unwrap().to_string(), to, "{word} {from}");
        }
        for (word, from) in
            [("hex", "zz"), ("ip", "host"), ("long", "1.5"), ("account_domain", "x"), ("extension", "README")]
        {
            assert_eq!(Conversion::from_word(word).unwrap().apply(&from.into()), None, "{word} {from}");
        }
    }

    #[test]
    fn columns_take_what_loses_nothing() {
        assert_eq!(to_column("4688".into(), FieldType::Long), Ok(Value::Long(4688)));
        assert_eq!(to_column("-".into(), FieldType::Ip), Err("-".into()));
        assert_eq!(to_column(Value::Long(5), FieldType::String), Ok("5".into()));
        assert_eq!(to_column("a".into(), FieldType::Strings), Ok(Value::List(vec!["a".into()])));
    }
}
