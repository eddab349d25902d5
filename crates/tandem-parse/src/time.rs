//! Times as logs write them: relatives of ISO 8601, epochs, syslog's, and formats given by a parser.

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use tandem_base::{MICROS_PER_DAY, MICROS_PER_SECOND, Timestamp};

/// Zones that are kept by name; logs may bring any text as one.
const ZONES_MAX: usize = 256;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How a time is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeFormat {
    Auto,
    Iso,
    Epoch,
    Syslog,
    FileTime,
    Pattern(String),
}

impl TimeFormat {
    /// The format of a word or a pattern with `%`; says what is wrong with others.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        Ok(match text {
            "iso" => Self::Iso,
            "epoch" => Self::Epoch,
            "syslog" => Self::Syslog,
            "filetime" => Self::FileTime,
            _ if text.contains('%') => {
                let body = text.strip_suffix(" %Z").unwrap_or(text);
                let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
                let written = BrokenDownTime::from(&sample)
                    .to_string(body)
                    .map_err(|error| format!("time format `{text}` is not known: {error}"))?;
                BrokenDownTime::parse(body, &written)
                    .map_err(|error| format!("time format `{text}` cannot be read back: {error}"))?;
                Self::Pattern(text.to_owned())
            }
            _ => {
                return Err(format!(
                    "`{text}` is no time format; use iso, epoch, syslog, filetime or a pattern with %"
                ));
            }
        })
    }
}

/// A zone: an offset in seconds or a named one.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Fixed(i64),
    Named(TimeZone),
}

/// Zones by the texts that name them.
#[derive(Debug, Default)]
pub(crate) struct Zones(HashMap<String, Option<Zone>>);

impl Zones {
    pub(crate) fn get(&mut self, text: &str) -> Option<Zone> {
        if let Some(zone) = self.0.get(text) {
            return zone.clone();
        }
        if self.0.len() >= ZONES_MAX {
            self.0.clear();
        }
        let zone = find_zone(text);
        self.0.insert(text.chars().take(64).collect(), zone.clone());
        zone
    }
}

/// The zone that a text such as `CEST`, `+0200` or `Europe/Berlin` names.
pub(crate) fn find_zone(text: &str) -> Option<Zone> {
    let text = text.trim();
    if let Some(seconds) = offset(text) {
        return Some(Zone::Fixed(seconds));
    }
    let hours = match text.to_ascii_uppercase().as_str() {
        "UTC" | "GMT" | "Z" | "WET" => Some(0),
        "CET" | "BST" | "WEST" | "MEZ" => Some(1),
        "CEST" | "EET" | "MESZ" | "SAST" => Some(2),
        "EEST" | "MSK" => Some(3),
        "JST" | "KST" => Some(9),
        "AEST" => Some(10),
        "AEDT" => Some(11),
        "NZST" => Some(12),
        "EST" | "CDT" => Some(-5),
        "EDT" => Some(-4),
        "CST" | "MDT" => Some(-6),
        "MST" | "PDT" => Some(-7),
        "PST" => Some(-8),
        _ => None,
    };
    if let Some(hours) = hours {
        return Some(Zone::Fixed(hours * 3600));
    }
    if text.len() > 64 || !text.contains('/') {
        return None;
    }
    TimeZone::get(text).ok().map(Zone::Named)
}

/// Seconds of `Z`, `+02`, `+0200`, `+02:00`, `UTC+2`.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let text = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match (digits.len(), digits.split_once(':')) {
        (_, Some((hours, minutes))) => (hours, minutes),
        (1 | 2, None) => (digits, "0"),
        (3 | 4, None) => digits.split_at_checked(digits.len() - 2)?,
        _ => return None,
    };
    let number = |text: &str| (text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok());
    let (hours, minutes): (i64, i64) = (number(hours)??, number(minutes)??);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A date and time of day; `micros` as if it were UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    micros: i64,
}

impl Local {
    fn new(year: i64, month: i64, day: i64, seconds: i64, micros: i64) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1..=9999).contains(&year) {
            return None;
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        if day > days[month as usize - 1] {
            return None;
        }
        Some(Self { micros: days_from_civil(year, month, day) * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + micros })
    }

    /// The instant in `zone`; in the hour that occurs twice the first, in the hour that is left out the later.
    pub(crate) fn at(self, zone: &Zone) -> Timestamp {
        match zone {
            Zone::Fixed(seconds) => Timestamp::from_micros(self.micros - seconds * MICROS_PER_SECOND),
            Zone::Named(named) => jiff::Timestamp::from_microsecond(self.micros)
                .ok()
                .map(|as_utc| as_utc.to_zoned_datetime(TimeZone::UTC).datetime())
                .and_then(|local| named.to_ambiguous_timestamp(local).compatible().ok())
                .map_or(Timestamp::from_micros(self.micros), |instant| {
                    Timestamp::from_micros(instant.as_microsecond())
                }),
        }
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year of an instant, UTC.
fn year_of(instant: Timestamp) -> i64 {
    let estimate = 1970 + instant.day().div_euclid(366);
    (estimate..estimate + 30)
        .take_while(|year| days_from_civil(*year, 1, 1) <= instant.day())
        .last()
        .unwrap_or(estimate)
}

/// Reads digits of a known place.
fn digits(bytes: &[u8], from: usize, count: usize) -> Option<i64> {
    let part = bytes.get(from..from + count)?;
    part.iter().all(u8::is_ascii_digit).then(|| part.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// `.123` or `,123456789` at `at`: microseconds and length.
fn fraction(bytes: &[u8], at: usize) -> (i64, usize) {
    if !matches!(bytes.get(at), Some(b'.' | b',')) {
        return (0, 0);
    }
    let count = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return (0, 0);
    }
    let micros =
        (0..6).fold(0, |sum, place| sum * 10 + if place < count { i64::from(bytes[at + 1 + place] - b'0') } else { 0 });
    (micros, count + 1)
}

/// `22:14:15` with an optional fraction: seconds of the day, microseconds, length.
fn clock(bytes: &[u8], at: usize) -> Option<(i64, i64, usize)> {
    if bytes.get(at + 2) != Some(&b':') || bytes.get(at + 5) != Some(&b':') {
        return None;
    }
    let (hour, minute, second) = (digits(bytes, at, 2)?, digits(bytes, at + 3, 2)?, digits(bytes, at + 6, 2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (micros, length) = fraction(bytes, at + 8);
    Some((hour * 3600 + minute * 60 + second, micros, 8 + length))
}

/// A time like `2026-10-11T22:14:15.123+02:00` at the start of `text`, its offset if it has one, and its length.
/// Blank or `_` instead of `T`, `/` instead of `-`, a missing offset and a blank before it are read, too.
pub(crate) fn iso_prefix(text: &str) -> Option<(Local, Option<i64>, usize)> {
    let bytes = text.as_bytes();
    let separator = *bytes.get(4)?;
    if !matches!(separator, b'-' | b'/')
        || *bytes.get(7)? != separator
        || !matches!(bytes.get(10)?, b'T' | b't' | b' ' | b'_')
    {
        return None;
    }
    let (year, month, day) = (digits(bytes, 0, 4)?, digits(bytes, 5, 2)?, digits(bytes, 8, 2)?);
    let (seconds, micros, length) = clock(bytes, 11)?;
    let mut end = 11 + length;
    let local = Local::new(year, month, day, seconds, micros)?;
    let rest = &text[end..];
    let blank = usize::from(rest.starts_with(' '));
    let zone_end = rest[blank..]
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-' | ':' | 'Z' | 'z'))
        .map_or(rest.len(), |at| at + blank);
    let zone = rest.get(blank..zone_end).and_then(|zone| offset(zone.trim_end_matches(':')));
    let zone = zone.filter(|_| blank == 0 || zone_end - blank >= 3);
    if zone.is_some() {
        end += rest[..zone_end].trim_end_matches(':').len();
    }
    Some((local, zone, end))
}

/// The instant of a whole text that is an ISO time with offset.
pub(crate) fn parse_iso_with_zone(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (local, offset, length) = iso_prefix(text)?;
    if length == text.len() { offset.map(|seconds| local.at(&Zone::Fixed(seconds))) } else { None }
}

/// A syslog time without its year filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyslogTime {
    year: Option<i64>,
    month: i64,
    day: i64,
    seconds: i64,
    micros: i64,
}

impl SyslogTime {
    /// `Oct 11 22:14:15`, also with fraction, `Oct  1`, `Oct 11 2026 22:14:15`, `Oct 11 22:14:15 2026`; and its length.
    pub(crate) fn prefix(text: &str) -> Option<(Self, usize)> {
        let bytes = text.as_bytes();
        let name = text.get(..3)?;
        let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))? as i64 + 1;
        let mut at = 3;
        let blanks = |at: usize| bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        let skip = blanks(at);
        if skip == 0 {
            return None;
        }
        at += skip;
        let count = bytes[at..].iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
        let day = digits(bytes, at, count).filter(|_| count > 0)?;
        at += count;
        if bytes.get(at) == Some(&b',') {
            at += 1;
        }
        if bytes.get(at) != Some(&b' ') {
            return None;
        }
        at += blanks(at);
        let mut year = None;
        if let Some(number) = digits(bytes, at, 4).filter(|_| bytes.get(at + 4) == Some(&b' ')) {
            year = Some(number);
            at += 4 + blanks(at + 4);
        }
        let (seconds, micros, length) = clock(bytes, at)?;
        at += length;
        if year.is_none()
            && bytes.get(at) == Some(&b' ')
            && let Some(number) = digits(bytes, at + 1, 4).filter(|number| (1990..2100).contains(number))
            && matches!(bytes.get(at + 5), None | Some(b' ' | b':'))
        {
            year = Some(number);
            at += 5;
        }
        Some((Self { year, month, day, seconds, micros }, at))
    }

    /// The instant; a missing year is the one that puts it nearest to `received`.
    pub(crate) fn at(self, received: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let of = |year| Local::new(year, self.month, self.day, self.seconds, self.micros).map(|local| local.at(zone));
        if let Some(year) = self.year {
            return of(year);
        }
        let year = year_of(received);
        (year - 1..=year + 1)
            .filter_map(of)
            .min_by_key(|instant| instant.micros().abs_diff(received.micros()))
            // A sender's clock may run ahead by hours, not by months: rather last year than far in the future.
            .map(|nearest| {
                if nearest.micros() > received.micros() + 45 * MICROS_PER_DAY {
                    of(year - 1).unwrap_or(nearest)
                } else {
                    nearest
                }
            })
    }
}

/// Seconds, milli-, micro- or nanoseconds since 1970, told apart by size.
pub(crate) fn parse_epoch(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 19 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let fraction = |digits_wanted: usize| {
        (0..digits_wanted).fold(0_i64, |sum, place| {
            sum * 10 + rest.as_bytes().get(place).map_or(0, |digit| i64::from(digit.saturating_sub(b'0')))
        })
    };
    Some(Timestamp::from_micros(match number {
        0..100_000_000_000 => number * MICROS_PER_SECOND + fraction(6),
        100_000_000_000..100_000_000_000_000 => number * 1000 + fraction(3),
        100_000_000_000_000..100_000_000_000_000_000 => number,
        _ => number / 1000,
    }))
}

/// Hundreds of nanoseconds since 1601-01-01.
fn parse_filetime(text: &str) -> Option<Timestamp> {
    let ticks: i64 = text.trim().parse().ok()?;
    Some(Timestamp::from_micros(ticks / 10 - 11_644_473_600 * MICROS_PER_SECOND))
}

/// The instant that `text` means.
pub(crate) fn parse(text: &str, format: &TimeFormat, received: Timestamp, zone: &Zone) -> Option<Timestamp> {
    let text = text.trim();
    match format {
        TimeFormat::Auto => parse(text, &TimeFormat::Iso, received, zone)
            .or_else(|| parse_epoch(text))
            .or_else(|| parse(text, &TimeFormat::Syslog, received, zone)),
        TimeFormat::Iso => {
            let (local, offset, length) = iso_prefix(text)?;
            let zone = match offset {
                Some(seconds) => Zone::Fixed(seconds),
                None if length == text.len() => zone.clone(),
                None => find_zone(&text[length..])?,
            };
            Some(local.at(&zone))
        }
        TimeFormat::Epoch => parse_epoch(text),
        TimeFormat::Syslog => {
            let (time, length) = SyslogTime::prefix(text)?;
            let zone = if length == text.len() { zone.clone() } else { find_zone(&text[length..])? };
            time.at(received, &zone)
        }
        TimeFormat::FileTime => parse_filetime(text),
        TimeFormat::Pattern(pattern) if pattern.ends_with(" %Z") => {
            // Zone abbreviations are no standard: those that `find_zone` knows are read.
            let (text, name) = text.rsplit_once(' ')?;
            let body = TimeFormat::Pattern(pattern.trim_end_matches(" %Z").to_owned());
            parse(text, &body, received, &find_zone(name)?)
        }
        TimeFormat::Pattern(pattern) => {
            let mut parts = BrokenDownTime::parse(pattern, text).ok()?;
            let zone = match (parts.offset(), parts.iana_time_zone()) {
                (Some(offset), _) => Zone::Fixed(i64::from(offset.seconds())),
                (None, Some(name)) => find_zone(name)?,
                _ => zone.clone(),
            };
            if let Ok(instant) = parts.to_timestamp() {
                return Some(Timestamp::from_micros(instant.as_microsecond()));
            }
            let mut of = |year: Option<i64>| {
                if let Some(year) = year {
                    parts.set_year(Some(i16::try_from(year).ok()?)).ok()?;
                }
                let local = parts
                    .to_datetime()
                    .ok()
                    .or_else(|| Some(parts.to_date().ok()?.to_datetime(jiff::civil::Time::midnight())))?;
                let as_utc = local.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp();
                Some(Local { micros: as_utc.as_microsecond() }.at(&zone))
            };
            of(None).or_else(|| {
                let year = year_of(received);
                (year - 1..=year + 1)
                    .filter_map(|year| of(Some(year)))
                    .min_by_key(|instant| instant.micros().abs_diff(received.micros()))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: &str, zone: &str) -> String {
        let received = "2026-01-02T00:30:00Z".parse().unwrap();
        let format = if format.is_empty() { TimeFormat::Auto } else { TimeFormat::compile(format).unwrap() };
        parse(text, &format, received, &find_zone(zone).unwrap()).map_or_else(|| "none".to_owned(), |at| at.to_string())
    }

    #[test]
    fn times_as_logs_write_them() {
        for (text, format, zone, instant) in [
            ("2026-10-11T22:14:15.003Z", "", "UTC", "2026-10-11T22:14:15.003Z"),
            ("2026-10-11 22:14:15,123456789 +0200", "", "UTC", "2026-10-11T20:14:15.123456Z"),
            ("2026-10-11 22:14:15", "", "Europe/Berlin", "2026-10-11T20:14:15Z"),
            ("2026/10/11 22:14:15 CEST", "", "UTC", "2026-10-11T20:14:15Z"),
            ("1791749655", "", "UTC", "2026-10-11T20:14:15Z"),
            ("1791749655.25", "epoch", "UTC", "2026-10-11T20:14:15.250Z"),
            ("1791749655123", "epoch", "UTC", "2026-10-11T20:14:15.123Z"),
            ("1791749655123456789", "epoch", "UTC", "2026-10-11T20:14:15.123456Z"),
            ("Dec 31 23:59:59", "", "UTC", "2025-12-31T23:59:59Z"),
            ("Jan  2 01:30:00", "syslog", "Europe/Berlin", "2026-01-02T00:30:00Z"),
            ("Oct 11 2026 22:14:15.003", "syslog", "UTC", "2026-10-11T22:14:15.003Z"),
            ("Oct 11 22:14:15 2026", "syslog", "UTC", "2026-10-11T22:14:15Z"),
            ("11/Oct/2026:22:14:15 +0200", "%d/%b/%Y:%H:%M:%S %z", "UTC", "2026-10-11T20:14:15Z"),
            ("31.12. 23:00", "%d.%m. %H:%M", "UTC", "2025-12-31T23:00:00Z"),
            ("10/11/2026 10:14:15 PM", "%m/%d/%Y %I:%M:%S %p", "+02:00", "2026-10-11T20:14:15Z"),
            ("Oct 11 2026 22:14:15 CEST", "%b %d %Y %H:%M:%S %Z", "UTC", "2026-10-11T20:14:15Z"),
            ("134362304551234567", "filetime", "UTC", "2026-10-11T22:14:15.123456Z"),
            ("2026-03-29 02:30:00", "iso", "Europe/Berlin", "2026-03-29T01:30:00Z"),
            ("2026-10-25 02:30:00", "iso", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            ("2026-02-30 02:30:00", "iso", "UTC", "none"),
            ("yesterday", "", "UTC", "none"),
        ] {
            assert_eq!(read(text, format, zone), instant, "{text} {format} {zone}");
        }
        assert!(TimeFormat::compile("%!").is_err());
    }

    #[test]
    fn a_time_stands_at_the_start_of_a_line() {
        assert_eq!(
            iso_prefix("2026-10-11T22:14:15+02:00 web1 x").map(|(_, zone, length)| (zone, length)),
            Some((Some(7200), 25))
        );
        assert_eq!(iso_prefix("2026-10-11 22:14:15 5 x").map(|(_, zone, length)| (zone, length)), Some((None, 19)));
    }
}
