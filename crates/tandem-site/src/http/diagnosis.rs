//! Where a source's logs get stuck, stage by stage.

use super::source_health::{Recent, silent_after, span};
use std::time::Duration;
use tandem_api::Diagnosis;
use tandem_base::Timestamp;
use tandem_control::Source;
use tandem_ingest::{Cause, SourceSnapshot};

/// Clocks may differ by this much.
const AHEAD_MAX: Duration = Duration::from_mins(5);
/// Records may come this late: buffers, batches.
const BEHIND_MAX: Duration = Duration::from_hours(1);

/// What the receivers say of a source since the start, if anything.
pub(super) type Received<'a> = Option<&'a SourceSnapshot>;

/// All stages in the way of a record.
pub(super) fn diagnosis(
    source: &Source,
    recent: &Recent,
    received: Received<'_>,
    rules_fed: u64,
    now: Timestamp,
) -> Vec<Diagnosis> {
    let stage = |name: &str, (ok, text): (bool, String)| Diagnosis { stage: name.to_owned(), ok, text };
    vec![
        stage("network", network(source, received, now)),
        stage("format", format(received)),
        stage("time", time(source)),
        stage("parse", parse(recent)),
        stage("rules", rules(source, rules_fed)),
    ]
}

fn network(source: &Source, received: Received<'_>, now: Timestamp) -> (bool, String) {
    let quiet = now.since(source.last_seen);
    let from = received.and_then(|seen| seen.last_peer).map_or_else(String::new, |peer| format!(" from {peer}"));
    if quiet > silent_after(source) {
        let text = format!(
            "the last record came {} ago{from}; check that the sender runs, that it reaches this address and port, and \
             under Receivers whether something was refused",
            span(quiet)
        );
        return (false, text);
    }
    (true, format!("the last record came {} ago{from} by {}", span(quiet), source.transport))
}

fn format(received: Received<'_>) -> (bool, String) {
    let about_form = |cause: Cause| {
        matches!(
            cause,
            Cause::TooLong
                | Cause::Malformed
                | Cause::CutOff
                | Cause::BodyTooLarge
                | Cause::Compression
                | Cause::Unsupported
        )
    };
    let errors: Vec<(Cause, u64)> = received
        .map(|seen| seen.errors.iter().copied().filter(|(cause, _)| about_form(*cause)).collect())
        .unwrap_or_default();
    if errors.is_empty() {
        return (true, "every frame and body since the start could be read".to_owned());
    }
    let counted: Vec<String> = errors.iter().map(|(cause, count)| format!("{count} × {}", cause.word())).collect();
    let last = received
        .and_then(|seen| seen.last_error.as_ref())
        .map_or_else(String::new, |(at, text)| format!("; last at {at}: {text}"));
    (false, format!("since the start {}{last}", counted.join(", ")))
}

fn time(source: &Source) -> (bool, String) {
    let Some(event) = source.last_event else {
        return (false, "no event with a time came yet; the time of receipt is used".to_owned());
    };
    let (ahead, behind) = (event.since(source.last_seen), source.last_seen.since(event));
    if ahead > AHEAD_MAX {
        let text = format!(
            "its latest event lies {} in the future: the sender's clock or time zone is wrong; set [site] zone, or write the zone into its times",
            span(ahead)
        );
        return (false, text);
    }
    if behind > BEHIND_MAX {
        let text = format!(
            "its latest event is {} older than its receipt: old records are being sent, or the sender's clock or time zone is wrong",
            span(behind)
        );
        return (false, text);
    }
    (true, "the times of its events fit those of their receipt".to_owned())
}

fn parse(recent: &Recent) -> (bool, String) {
    if recent.events == 0 {
        return (true, "no event came in the last day".to_owned());
    }
    if recent.has_errors() {
        let text = format!(
            "{} of {} events of the last day could not be parsed to the end; samples are below",
            recent.parse_errors, recent.events
        );
        return (false, text);
    }
    if recent.is_generic() {
        let text = format!(
            "no parser knows {} of {} events of the last day: they are searchable as text, but rules that need fields cannot see them; \
             a parser of your own goes into content/parsers",
            recent.generic, recent.events
        );
        return (false, text);
    }
    (true, format!("{} events of the last day, {} % parsed to the end", recent.events, 100 - recent.errors_percent()))
}

fn rules(source: &Source, rules_fed: u64) -> (bool, String) {
    match (rules_fed, source.log_types.as_slice()) {
        (0, []) => (false, "no log type is known yet, so no rule reads this source".to_owned()),
        (0, types) => (false, format!("no rule reads {}; it is kept for searching only", types.join(", "))),
        (1, types) => (true, format!("1 rule reads {}", types.join(", "))),
        (count, types) => (true, format!("{count} rules read {}", types.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::source_health::tests::source;
    use super::*;

    fn lines(
        source: &Source,
        recent: Recent,
        received: Received<'_>,
        fed: u64,
        now: i64,
    ) -> Vec<(String, bool, String)> {
        let list = diagnosis(source, &recent, received, fed, Timestamp::from_seconds(now));
        list.into_iter().map(|line| (line.stage, line.ok, line.text)).collect()
    }

    #[test]
    fn a_healthy_source_is_well_at_every_stage() {
        let recent = Recent { events: 100, parse_errors: 1, generic: 0 };
        let lines = lines(&source(3_601, 3_600), recent, None, 12, 3_605);
        let stages: Vec<_> = lines.iter().map(|(stage, ok, _)| (stage.as_str(), *ok)).collect();
        assert_eq!(stages, [("network", true), ("format", true), ("time", true), ("parse", true), ("rules", true)]);
        assert_eq!(lines[0].2, "the last record came 5 s ago by syslog-udp");
        assert_eq!(lines[3].2, "100 events of the last day, 99 % parsed to the end");
        assert_eq!(lines[4].2, "12 rules read linux/sshd");
    }

    #[test]
    fn each_stage_says_what_is_wrong() {
        let mut source = source(3_601, 3_600);
        source.last_event = Some(Timestamp::from_seconds(3_600 + 7_200));
        source.log_types.clear();
        let snapshot = SourceSnapshot {
            name: "edge".to_owned(),
            records: 1,
            bytes: 1,
            errors: vec![(Cause::Malformed, 3), (Cause::SinkFull, 9)],
            first_seen: None,
            last_seen: None,
            last_peer: "10.0.0.9".parse().ok(),
            last_error: Some((Timestamp::from_seconds(0), "no count".to_owned())),
        };
        let recent = Recent { events: 100, parse_errors: 0, generic: 80 };
        let lines = lines(&source, recent, Some(&snapshot), 0, 9_000);
        assert!(lines.iter().all(|(_, ok, _)| !ok), "{lines:?}");
        assert!(lines[0].2.starts_with("the last record came 90 min ago from 10.0.0.9;"), "{}", lines[0].2);
        assert_eq!(lines[1].2, "since the start 3 × malformed; last at 1970-01-01T00:00:00Z: no count");
        assert!(lines[2].2.starts_with("its latest event lies 2 h in the future"), "{}", lines[2].2);
        assert!(lines[3].2.starts_with("no parser knows 80 of 100 events"), "{}", lines[3].2);
        assert_eq!(lines[4].2, "no log type is known yet, so no rule reads this source");
    }
}
