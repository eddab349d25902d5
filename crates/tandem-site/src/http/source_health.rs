//! How a source is: one word, and why.

use std::time::Duration;
use tandem_base::Timestamp;
use tandem_control::{Activity, Source};

const NEW: Duration = Duration::from_mins(10);
/// A source is silent after this time at the earliest…
const SILENT_MIN: Duration = Duration::from_mins(30);
/// …and after so many times its usual gap.
const SILENT_GAPS: u32 = 10;
/// Shares of recent events beyond which a source is failing, in percent.
const ERRORS_PERCENT_MAX: u64 = 5;
const GENERIC_PERCENT_MAX: u64 = 50;
/// Fewer events say nothing about shares.
const EVENTS_MIN: u64 = 20;

/// What a source's health is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    /// Something must be done.
    Failing,
    /// Nothing comes.
    Silent,
    /// It is too early to tell.
    New,
    /// All is well.
    Ok,
}

impl Health {
    /// The word of the API.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Silent => "silent",
            Self::New => "new",
            Self::Ok => "ok",
        }
    }

    /// Whether somebody should look.
    pub(super) fn is_well(self) -> bool {
        matches!(self, Self::New | Self::Ok)
    }
}

/// What arrived lately and how well it was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Recent {
    /// Events of the last day.
    pub(super) events: u64,
    /// Those that a parser could not finish.
    pub(super) parse_errors: u64,
    /// Those that no parser took.
    pub(super) generic: u64,
}

impl Recent {
    /// The sum of half hours.
    pub(super) fn of(slots: &[Activity]) -> Self {
        slots.iter().fold(Self::default(), |sum, slot| Self {
            events: sum.events + slot.events,
            parse_errors: sum.parse_errors + slot.parse_errors,
            generic: sum.generic + slot.generic,
        })
    }

    /// Percent of events that a parser could not finish.
    pub(super) fn errors_percent(&self) -> u64 {
        percent(self.parse_errors, self.events)
    }

    /// Percent of events that no parser took.
    pub(super) fn generic_percent(&self) -> u64 {
        percent(self.generic, self.events)
    }

    /// Whether too many events could not be finished.
    pub(super) fn has_errors(&self) -> bool {
        self.events >= EVENTS_MIN && self.parse_errors * 100 > self.events * ERRORS_PERCENT_MAX
    }

    /// Whether too many events were taken by no parser.
    pub(super) fn is_generic(&self) -> bool {
        self.events >= EVENTS_MIN && self.generic * 100 > self.events * GENERIC_PERCENT_MAX
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 100 + whole / 2).checked_div(whole).unwrap_or(0)
}

/// The usual time between two records; `None` while there are none to compare.
pub(super) fn usual_gap(source: &Source) -> Option<Duration> {
    let gaps = u32::try_from(source.records.checked_sub(1)?).unwrap_or(u32::MAX);
    source.last_seen.since(source.first_seen).checked_div(gaps)
}

/// After which silence a source counts as silent.
pub(super) fn silent_after(source: &Source) -> Duration {
    usual_gap(source).map_or(SILENT_MIN, |gap| gap.saturating_mul(SILENT_GAPS).max(SILENT_MIN))
}

/// A source's health at `now`, and why.
pub(super) fn health(source: &Source, recent: &Recent, now: Timestamp) -> (Health, String) {
    let quiet = now.since(source.last_seen);
    if quiet > silent_after(source) {
        let usual = usual_gap(source)
            .filter(|gap| !gap.is_zero())
            .map_or_else(String::new, |gap| format!("; usually one comes every {}", span(gap)));
        return (Health::Silent, format!("no record for {}{usual}", span(quiet)));
    }
    if recent.has_errors() {
        let text =
            format!("{} % of the events of the last day could not be parsed to the end", recent.errors_percent());
        return (Health::Failing, text);
    }
    if recent.is_generic() {
        return (
            Health::Failing,
            format!("no parser knows {} % of the events of the last day", recent.generic_percent()),
        );
    }
    if now.since(source.first_seen) < NEW {
        return (Health::New, format!("first seen {} ago", span(now.since(source.first_seen))));
    }
    (Health::Ok, format!("last record {} ago", span(quiet)))
}

/// A span of time as people say it.
pub(super) fn span(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".to_owned(),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A source of a test that has sent `records` from second 0 to `last`.
    pub(in crate::http) fn source(records: u64, last: i64) -> Source {
        Source {
            id: "syslog:10.0.0.9".to_owned(),
            name: "edge".to_owned(),
            transport: "syslog-udp".to_owned(),
            first_seen: Timestamp::from_seconds(0),
            last_seen: Timestamp::from_seconds(last),
            last_event: Some(Timestamp::from_seconds(last)),
            records,
            events: records,
            parse_errors: 0,
            generic: 0,
            bytes: records * 100,
            log_types: vec!["linux/sshd".to_owned()],
            owner: None,
            note: None,
            allowed: true,
        }
    }

    fn told(source: &Source, recent: Recent, now: i64) -> (Health, String) {
        health(source, &recent, Timestamp::from_seconds(now))
    }

    #[test]
    fn silence_is_measured_by_the_usual_gap() {
        // One record a second: half an hour of silence is too much.
        let busy = source(3_601, 3_600);
        assert_eq!(told(&busy, Recent::default(), 3_600 + 1_800).0, Health::Ok);
        let (health, why) = told(&busy, Recent::default(), 3_600 + 1_801);
        assert_eq!((health, why.as_str()), (Health::Silent, "no record for 30 min; usually one comes every 1 s"));
        // One record an hour: ten hours may pass.
        let slow = source(11, 36_000);
        assert_eq!(told(&slow, Recent::default(), 72_000).0, Health::Ok);
        assert_eq!(told(&slow, Recent::default(), 72_001).0, Health::Silent);
        // One record says nothing about gaps.
        assert_eq!(told(&source(1, 0), Recent::default(), 1_801), (Health::Silent, "no record for 30 min".to_owned()));
    }

    #[test]
    fn shares_count_once_there_are_enough_events() {
        let busy = source(3_601, 3_600);
        let recent = |events, parse_errors, generic| Recent { events, parse_errors, generic };
        assert_eq!(told(&busy, recent(19, 19, 0), 3_601).0, Health::Ok);
        assert_eq!(told(&busy, recent(100, 5, 50), 3_601).0, Health::Ok);
        let (health, why) = told(&busy, recent(100, 6, 0), 3_601);
        assert_eq!(
            (health, why.as_str()),
            (Health::Failing, "6 % of the events of the last day could not be parsed to the end")
        );
        let (health, why) = told(&busy, recent(100, 0, 51), 3_601);
        assert_eq!((health, why.as_str()), (Health::Failing, "no parser knows 51 % of the events of the last day"));
    }

    #[test]
    fn a_source_is_new_for_ten_minutes() {
        assert_eq!(told(&source(5, 10), Recent::default(), 599), (Health::New, "first seen 9 min ago".to_owned()));
        assert_eq!(told(&source(5, 10), Recent::default(), 600), (Health::Ok, "last record 9 min ago".to_owned()));
    }
}
