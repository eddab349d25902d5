//! Spans of time: `15s`, `90m`, `1h`, `7d`, `2w`, `1M`, `1y`.

use std::fmt;

/// A span of time as a rule writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timespan {
    ms: u64,
    count: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    const ALL: [Self; 7] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    fn letter(self) -> char {
        ['s', 'm', 'h', 'd', 'w', 'M', 'y'][self as usize]
    }

    fn name(self) -> &'static str {
        ["second", "minute", "hour", "day", "week", "month", "year"][self as usize]
    }

    /// A month is a twelfth of a year, and a year has 365.2425 days.
    fn seconds(self) -> u64 {
        [1, 60, 3600, 86_400, 604_800, 2_629_746, 31_556_952][self as usize]
    }
}

/// Longest span that is accepted: ten years.
const SECONDS_MAX: u64 = 10 * 31_556_952;

impl Timespan {
    /// Reads a number and one letter: seconds `s`, minutes `m`, hours `h`, days `d`, weeks `w`, months
    /// `M` (30.44 days), years `y` (365.2425 days). Nothing, zero, and more than ten years are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let letter = text.chars().next_back()?;
        let unit = Unit::ALL.into_iter().find(|unit| unit.letter() == letter)?;
        let digits = &text[..text.len() - letter.len_utf8()];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count: u32 = digits.parse().ok().filter(|count| *count > 0)?;
        let seconds = u64::from(count).checked_mul(unit.seconds()).filter(|seconds| *seconds <= SECONDS_MAX)?;
        Some(Self { ms: seconds * 1000, count, unit })
    }

    /// The length in milliseconds.
    pub fn ms(self) -> u64 {
        self.ms
    }

    /// As the rule has it, such as `90m`.
    pub fn as_written(self) -> String {
        format!("{}{}", self.count, self.unit.letter())
    }
}

impl fmt::Display for Timespan {
    /// In words: `90 minutes`, `1 hour`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.count, self.unit.name(), if self.count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_letter() {
        for (text, ms) in [
            ("15s", Some(15_000)),
            ("90m", Some(5_400_000)),
            ("1h", Some(3_600_000)),
            ("7d", Some(604_800_000)),
            ("1w", Some(604_800_000)),
            ("1M", Some(2_629_746_000)),
            ("10y", Some(315_569_520_000)),
            ("11y", None),
            ("0s", None),
            ("1h30m", None),
            ("1H", None),
            ("m", None),
            ("", None),
            ("+1m", None),
            ("1 m", None),
            ("-1m", None),
            ("1ä", None),
            ("99999999999s", None),
        ] {
            assert_eq!(Timespan::parse(text).map(Timespan::ms), ms, "{text}");
        }
        assert_eq!(Timespan::parse("1h").map(|span| span.to_string()), Some("1 hour".to_owned()));
    }
}
