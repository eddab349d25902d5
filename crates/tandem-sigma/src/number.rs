//! Numbers of rules and events, compared without loss.

use std::cmp::Ordering;
use std::fmt;

/// A number as a rule or an event has it.
///
/// Integers are exact over the whole range of 64-bit signed and unsigned numbers; `1` and `1.0`
/// are equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i128),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// Reads a plain scalar by the YAML 1.2 core schema: decimal, `0x`, `0o`, and floats.
    pub(crate) fn from_yaml(text: &str) -> Option<Self> {
        if let Some(digits) = text.strip_prefix("0x") {
            return int_of_digits(digits, 16).map(Self::Int);
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return int_of_digits(digits, 8).map(Self::Int);
        }
        match text {
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
                return Some(Self::Float(f64::INFINITY));
            }
            "-.inf" | "-.Inf" | "-.INF" => return Some(Self::Float(f64::NEG_INFINITY)),
            _ => {}
        }
        Self::from_decimal(text)
    }

    /// Reads a number from the text of an event's value: decimal, or `0x` and hexadecimal digits;
    /// white space around it is ignored.
    pub(crate) fn from_event_text(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => int_of_digits(digits, 16).map(Self::Int),
            None => Self::from_decimal(text),
        }
    }

    fn from_decimal(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let first = unsigned.bytes().next()?;
        if !(first.is_ascii_digit() || first == b'.') {
            return None;
        }
        if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Int);
        }
        let allowed = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        if !unsigned.bytes().all(allowed) {
            return None;
        }
        text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Self::Float)
    }

    /// How the number compares with another; `None` if one of them is not a number (NaN).
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Int(left), Self::Float(right)) => compare_int_with_float(left, right),
            (Self::Float(left), Self::Int(right)) => compare_int_with_float(right, left).map(Ordering::reverse),
        }
    }
}

/// Compares exactly: the whole part as integers, then the fraction.
fn compare_int_with_float(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let whole = float.trunc();
    // Outside this range no i128 equals the float; inside, the conversion is exact.
    if whole >= i128::MAX as f64 {
        return Some(Ordering::Less);
    }
    if whole < i128::MIN as f64 {
        return Some(Ordering::Greater);
    }
    let fraction = float - whole;
    Some(int.cmp(&(whole as i128)).then_with(|| 0.0.partial_cmp(&fraction).unwrap_or(Ordering::Equal)))
}

fn int_of_digits(digits: &str, radix: u32) -> Option<i128> {
    let signed = digits.starts_with(['+', '-']);
    if signed { None } else { i128::from_str_radix(digits, radix).ok() }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            Self::Float(float) => write!(f, "{float}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_numbers() {
        assert_eq!(Number::from_yaml("4688"), Some(Number::Int(4688)));
        assert_eq!(Number::from_yaml("-5"), Some(Number::Int(-5)));
        assert_eq!(Number::from_yaml("0x1F"), Some(Number::Int(31)));
        assert_eq!(Number::from_yaml("0o17"), Some(Number::Int(15)));
        assert_eq!(Number::from_yaml("1.5e3"), Some(Number::Float(1500.0)));
        for text in ["1.2.3", "0x", "0x-1", "--1", "1_000", "inf", "nan", "1e", "-", ".", "٣"] {
            assert_eq!(Number::from_yaml(text), None, "{text}");
        }
    }

    #[test]
    fn large_integers_are_not_rounded() {
        let large = Number::Int(i128::from(u64::MAX));
        let rounded = Number::Float(u64::MAX as f64);
        assert_eq!(large.compare(rounded), Some(Ordering::Less));
        assert_eq!(Number::Int(1).compare(Number::Float(1.0)), Some(Ordering::Equal));
        assert_eq!(Number::Int(-1).compare(Number::Float(-1.5)), Some(Ordering::Greater));
        assert_eq!(Number::Int(1).compare(Number::Float(1.5)), Some(Ordering::Less));
        assert_eq!(Number::Int(1).compare(Number::Float(f64::NAN)), None);
        assert_eq!(Number::Int(1).compare(Number::Float(f64::INFINITY)), Some(Ordering::Less));
    }
}
