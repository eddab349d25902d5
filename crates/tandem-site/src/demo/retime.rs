//! Moves the times inside a recorded log line, in whatever format it has them, so that a sample plays as if
//! it happened now. Only times near the recording are moved: a certificate's expiry stays what it is.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp as Instant, tz::TimeZone};
use regex::{Captures, Regex};
use tandem_base::Timestamp;

/// Times further than this from the recording are not times of events.
const NEAR: SignedDuration = SignedDuration::from_hours(72);
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Moves times that lie around `recorded`.
pub(crate) struct Retimer {
    recorded: DateTime,
    fortinet: Regex,
    iso: Regex,
    slashed: Regex,
    web: Regex,
    bsd: Regex,
    epoch: Regex,
}

impl Retimer {
    /// For a sample that was recorded around `recorded`.
    pub(crate) fn new(recorded: Timestamp) -> Self {
        let expression = |text: &str| Regex::new(text).expect("the expression is constant and valid");
        Self {
            recorded: civil(recorded),
            fortinet: expression(r#"date=(\d{4})-(\d\d)-(\d\d) time="?(\d\d):(\d\d):(\d\d)"#),
            iso: expression(r"\b(\d{4})-(\d\d)-(\d\d)([T ])(\d\d):(\d\d):(\d\d)"),
            slashed: expression(r"\b(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)"),
            web: expression(r"\b(\d\d)/(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/(\d{4}):(\d\d):(\d\d):(\d\d)"),
            bsd: expression(
                r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([ 123]?\d) (\d{4} )?(\d\d):(\d\d):(\d\d)",
            ),
            epoch: expression(r"\b(1[6-9]\d{8})(\d{9}|\d{6}|\d{3})?\b"),
        }
    }

    /// The line with what happened at `from` moved to `to`, and its other times by as much; to the second.
    pub(crate) fn line(&self, line: &str, from: Timestamp, to: Timestamp) -> String {
        let by = SignedDuration::from_secs(to.seconds() - from.seconds());
        let number = |found: &Captures<'_>, group: usize| found[group].trim().parse::<i64>().unwrap_or(0);
        let text = self.fortinet.replace_all(line, |found: &Captures<'_>| {
            let n = |group| number(found, group);
            match self.moved(by, n(1), n(2), n(3), n(4), n(5), n(6)) {
                Some(t) => {
                    let quote = if found[0].contains('"') { "\"" } else { "" };
                    format!("date={:04}-{:02}-{:02} time={quote}{}", t.year(), t.month(), t.day(), clock(t))
                }
                None => found[0].to_owned(),
            }
        });
        let text = self.iso.replace_all(&text, |found: &Captures<'_>| {
            let n = |group| number(found, group);
            match self.moved(by, n(1), n(2), n(3), n(5), n(6), n(7)) {
                Some(t) => format!("{:04}-{:02}-{:02}{}{}", t.year(), t.month(), t.day(), &found[4], clock(t)),
                None => found[0].to_owned(),
            }
        });
        let text = self.slashed.replace_all(&text, |found: &Captures<'_>| {
            let n = |group| number(found, group);
            match self.moved(by, n(1), n(2), n(3), n(4), n(5), n(6)) {
                Some(t) => format!("{:04}/{:02}/{:02} {}", t.year(), t.month(), t.day(), clock(t)),
                None => found[0].to_owned(),
            }
        });
        let text = self.web.replace_all(&text, |found: &Captures<'_>| {
            let n = |group| number(found, group);
            match self.moved(by, n(3), month(&found[2]), n(1), n(4), n(5), n(6)) {
                Some(t) => format!("{:02}/{}/{:04}:{}", t.day(), name(t), t.year(), clock(t)),
                None => found[0].to_owned(),
            }
        });
        let text = self.bsd.replace_all(&text, |found: &Captures<'_>| {
            let n = |group| number(found, group);
            let year = found.get(3).and_then(|year| year.as_str().trim().parse().ok());
            match self.moved(
                by,
                year.unwrap_or(i64::from(self.recorded.year())),
                month(&found[1]),
                n(2),
                n(4),
                n(5),
                n(6),
            ) {
                Some(t) => {
                    let year = year.map(|_| format!("{:04} ", t.year())).unwrap_or_default();
                    format!("{} {:>2} {year}{}", name(t), t.day(), clock(t))
                }
                None => found[0].to_owned(),
            }
        });
        self.epoch
            .replace_all(&text, |found: &Captures<'_>| {
                let seconds = found[1].parse::<i64>().unwrap_or(0);
                let at = civil(Timestamp::from_seconds(seconds));
                if self.is_near(at) {
                    // Whole seconds are moved, the fraction stays.
                    format!("{}{}", seconds + by.as_secs(), found.get(2).map_or("", |rest| rest.as_str()))
                } else {
                    found[0].to_owned()
                }
            })
            .into_owned()
    }

    fn is_near(&self, at: DateTime) -> bool {
        let gap = at.duration_since(self.recorded);
        gap.abs() <= NEAR
    }

    #[expect(clippy::too_many_arguments, reason = "the six parts of a time")]
    fn moved(
        &self,
        by: SignedDuration,
        year: i64,
        month: i64,
        day: i64,
        hour: i64,
        minute: i64,
        second: i64,
    ) -> Option<DateTime> {
        let part = |value: i64| i8::try_from(value).ok();
        let at = DateTime::new(
            i16::try_from(year).ok()?,
            part(month)?,
            part(day)?,
            part(hour)?,
            part(minute)?,
            part(second)?,
            0,
        )
        .ok()?;
        if !self.is_near(at) {
            return None;
        }
        at.checked_add(by).ok()
    }
}

fn civil(at: Timestamp) -> DateTime {
    let instant = Instant::from_microsecond(at.micros()).unwrap_or(Instant::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(instant)
}

fn clock(at: DateTime) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

fn name(at: DateTime) -> &'static str {
    usize::try_from(at.month() - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or("Jan")
}

fn month(name: &str) -> i64 {
    MONTHS.iter().position(|month| *month == name).map_or(0, |index| index as i64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_moved_and_far_dates_stay() {
        let recorded = "2026-10-11T22:00:00Z".parse().unwrap();
        let retimer = Retimer::new(recorded);
        let to = "2026-11-01T00:30:00Z".parse().unwrap();
        for (line, wanted) in [
            ("2026-10-11T22:14:15.003Z x", "2026-11-01T00:44:15.003Z x"),
            ("Oct 11 22:14:15 h sshd[1]: x", "Nov  1 00:44:15 h sshd[1]: x"),
            ("Oct 11 2026 22:14:15: %ASA", "Nov  1 2026 00:44:15: %ASA"),
            ("[11/Oct/2026:22:14:15 +0000]", "[01/Nov/2026:00:44:15 +0000]"),
            (
                "date=2026-10-11 time=22:14:15 eventtime=1791756855123456789",
                "date=2026-11-01 time=00:44:15 eventtime=1793493855123456789",
            ),
            ("1,2026/10/11 22:14:15,01", "1,2026/11/01 00:44:15,01"),
            ("audit(1791756855.123:45)", "audit(1793493855.123:45)"),
            ("not after 2036-10-11T22:14:15Z id 1600000000", "not after 2036-10-11T22:14:15Z id 1600000000"),
        ] {
            assert_eq!(retimer.line(line, recorded, to), wanted);
        }
    }
}
