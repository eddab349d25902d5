//! Parts of a date (`minute`, `hour`, `day`, `week`, `month`, `year`), as the date is written.

/// A part of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Day of the month, 1 to 31.
    Day,
    /// Week of the year by ISO 8601, 1 to 53.
    Week,
    /// 1 to 12.
    Month,
    /// The year.
    Year,
}

impl TimePart {
    /// The word of the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The numbers that the part can have.
    pub(crate) fn range(self) -> (i64, i64) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Week => (1, 53),
            Self::Month => (1, 12),
            Self::Year => (0, 9999),
        }
    }

    /// The part of a date written as in ISO 8601 or RFC 3339: `2026-03-01`, `2026-03-01T02:03:04Z`,
    /// with a blank for the `T`, with a fraction, with or without a zone. No zone is converted.
    ///
    /// `None` if the text is no date, or the date has no time of day and the part asks for it.
    pub fn of(self, text: &str) -> Option<i64> {
        let stamp = Stamp::parse(text.trim())?;
        match self {
            Self::Minute => stamp.clock.map(|(_, minute)| minute),
            Self::Hour => stamp.clock.map(|(hour, _)| hour),
            Self::Day => Some(stamp.day),
            Self::Week => Some(stamp.iso_week()),
            Self::Month => Some(stamp.month),
            Self::Year => Some(stamp.year),
        }
    }
}

/// A date with the hour and minute, if it has them.
struct Stamp {
    year: i64,
    month: i64,
    day: i64,
    clock: Option<(i64, i64)>,
}

impl Stamp {
    fn parse(text: &str) -> Option<Self> {
        let separator = match text.as_bytes().get(4)? {
            b'-' => '-',
            b'/' => '/',
            _ => return None,
        };
        let date = text.get(..10)?;
        let mut parts = date.split(separator);
        let year = digits(parts.next()?, 4, 0, 9999)?;
        let month = digits(parts.next()?, 2, 1, 12)?;
        let day = digits(parts.next()?, 2, 1, 31)?;
        if parts.next().is_some() || day > days_of(year, month) {
            return None;
        }
        let rest = &text[10..];
        let clock = if rest.is_empty() { None } else { Some(parse_clock(rest.strip_prefix(['T', 't', ' '])?)?) };
        Some(Self { year, month, day, clock })
    }

    /// ISO 8601: weeks begin on Monday, and week 1 is the one with the first Thursday.
    fn iso_week(&self) -> i64 {
        let week = (self.day_of_year() - self.weekday() + 10) / 7;
        if week < 1 {
            weeks_of(self.year - 1)
        } else if week > weeks_of(self.year) {
            1
        } else {
            week
        }
    }

    fn day_of_year(&self) -> i64 {
        (1..self.month).map(|month| days_of(self.year, month)).sum::<i64>() + self.day
    }

    /// Monday is 1, Sunday is 7.
    fn weekday(&self) -> i64 {
        let days_before_year = 365 * self.year + leap_days_before(self.year);
        // Day 1 of year 0 in the proleptic Gregorian calendar was a Saturday.
        (days_before_year + self.day_of_year() + 4).rem_euclid(7) + 1
    }
}

/// `hh:mm`, then nothing, or `:ss`, a fraction and a zone, which must have the right form.
fn parse_clock(text: &str) -> Option<(i64, i64)> {
    let hour = digits(text.get(..2)?, 2, 0, 23)?;
    if text.as_bytes().get(2) != Some(&b':') {
        return None;
    }
    let minute = digits(text.get(3..5)?, 2, 0, 59)?;
    let mut rest = text.get(5..)?;
    if let Some(seconds) = rest.strip_prefix(':') {
        digits(seconds.get(..2)?, 2, 0, 60)?;
        rest = &seconds[2..];
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            if end == 0 {
                return None;
            }
            rest = &fraction[end..];
        }
    }
    let rest = rest.trim_start();
    let is_zone = matches!(rest, "" | "Z" | "z" | "UTC")
        || rest.strip_prefix(['+', '-']).is_some_and(|offset| {
            (2..=6).contains(&offset.len()) && offset.bytes().all(|b| b.is_ascii_digit() || b == b':')
        });
    is_zone.then_some((hour, minute))
}

fn digits(text: &str, length: usize, least: i64, most: i64) -> Option<i64> {
    if text.len() != length || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Leap years from year 0 up to, but without, `year`.
fn leap_days_before(year: i64) -> i64 {
    (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// 53 if the year begins on a Thursday, or is a leap year that begins on a Wednesday.
fn weeks_of(year: i64) -> i64 {
    let first = Stamp { year, month: 1, day: 1, clock: None }.weekday();
    if first == 4 || (first == 3 && is_leap(year)) { 53 } else { 52 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_as_written() {
        for text in [
            "2026-03-01T22:07:09.123456Z",
            "2026-03-01 22:07:09",
            "2026-03-01T22:07+05:30",
            "2026/03/01 22:07:09,5",
            " 2026-03-01 22:07:09 UTC ",
        ] {
            let part = |part: TimePart| part.of(text);
            assert_eq!(part(TimePart::Minute), Some(7), "{text}");
            assert_eq!(part(TimePart::Hour), Some(22), "{text}");
            assert_eq!(part(TimePart::Day), Some(1), "{text}");
            assert_eq!(part(TimePart::Month), Some(3), "{text}");
            assert_eq!(part(TimePart::Year), Some(2026), "{text}");
            assert_eq!(part(TimePart::Week), Some(9), "{text}");
        }
        assert_eq!(TimePart::Hour.of("2026-03-01"), None);
        assert_eq!(TimePart::Day.of("2026-03-01"), Some(1));
    }

    #[test]
    fn weeks_at_the_turn_of_the_year() {
        for (date, week) in [
            ("2026-01-01", 1),
            ("2025-12-29", 1),
            ("2025-12-28", 52),
            ("2021-01-03", 53),
            ("2021-01-04", 1),
            ("2020-12-31", 53),
            ("2005-01-01", 53),
            ("2008-12-30", 1),
            ("2010-01-03", 53),
            ("2000-02-29", 9),
        ] {
            assert_eq!(TimePart::Week.of(date), Some(week), "{date}");
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "1700000000",
            "2026-13-01",
            "2026-02-30",
            "2026-03-01X",
            "2026-3-1",
            "01.03.2026",
            "2026-03-01T24:00:00Z",
            "2026-03-01T22:07:09.",
            "2026-03-01T22:07:09 CET",
            "2026-03-0ä",
        ] {
            assert_eq!(TimePart::Year.of(text), None, "{text}");
        }
    }
}
