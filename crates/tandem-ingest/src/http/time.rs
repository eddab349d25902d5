//! The times that HEC senders give: seconds since 1970 with decimals, or a whole number of smaller units.

use tandem_base::Timestamp;

/// The instant of `text`: seconds with decimals; 13, 16 or 19 whole digits are milli-, micro- or nanoseconds.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || !(whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())) {
        return exponent(text);
    }
    let whole_value: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros = match whole.len() {
        0..=11 => {
            let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
            whole_value.checked_mul(1_000_000)?.checked_add(six.parse().ok()?)?
        }
        12..=14 => whole_value.checked_mul(1000)?,
        15..=17 => whole_value,
        _ => whole_value / 1000,
    };
    Some(Timestamp::from_micros(if negative { -micros } else { micros }))
}

/// Some encoders write large numbers as `1.43318825E9`.
fn exponent(text: &str) -> Option<Timestamp> {
    if !text.contains(['e', 'E']) {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    (seconds.abs() < 1e12).then(|| Timestamp::from_micros((seconds * 1e6).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn forms_of_time() {
        for (text, expected) in [
            ("1433188255", Some("2015-06-01T19:50:55Z")),
            ("1433188255.253", Some("2015-06-01T19:50:55.253Z")),
            ("1433188255.1234567", Some("2015-06-01T19:50:55.123456Z")),
            ("1433188255253", Some("2015-06-01T19:50:55.253Z")),
            ("1433188255253000", Some("2015-06-01T19:50:55.253Z")),
            ("1433188255253000000", Some("2015-06-01T19:50:55.253Z")),
            ("1.433188255E9", Some("2015-06-01T19:50:55Z")),
            ("0", Some("1970-01-01T00:00:00Z")),
            ("-1", Some("1969-12-31T23:59:59Z")),
            ("", None),
            (".", None),
            ("now", None),
            ("12:00", None),
            ("99999999999999999999999", None),
            ("1e300", None),
        ] {
            assert_eq!(instant(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
