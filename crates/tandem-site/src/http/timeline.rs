//! What happened in a case: detections, acts and notes, oldest first.

use super::case_view::known_at;
use tandem_api::TimelineEntry;
use tandem_base::Timestamp;
use tandem_control::{HistoryEntry, StoredDetection};
use tandem_service::{ActNo, Actor, Change, Party, change_text};

/// Entries of one answer; beyond it the oldest are left out.
const ENTRIES_MAX: usize = 1_000;
const VALUE_CHARS_MAX: usize = 160;

/// The timeline as `actor` sees it at `now`.
pub(super) fn timeline(
    evidence: &[(StoredDetection, u64)],
    history: &[HistoryEntry],
    actor: &Actor,
    now: Timestamp,
) -> Vec<TimelineEntry> {
    let decisive = decisive(evidence);
    let undoable = undoable(history, actor, now);
    let detections = evidence
        .iter()
        .enumerate()
        .map(|(at, (stored, count))| (stored.detection.time, detection(stored, *count, Some(at) == decisive)));
    let acts = history.iter().map(|entry| (entry.at, act(entry, undoable == Some(entry.act), actor)));
    let mut entries: Vec<(Timestamp, TimelineEntry)> = detections.chain(acts).collect();
    entries.sort_by_key(|(at, _)| *at);
    let left_out = entries.len().saturating_sub(ENTRIES_MAX);
    entries.into_iter().skip(left_out).map(|(_, entry)| entry).collect()
}

/// The priority follows from the gravest rule: its earliest detection decided.
fn decisive(evidence: &[(StoredDetection, u64)]) -> Option<usize> {
    let gravest = evidence.iter().map(|(stored, _)| stored.detection.level).max()?;
    let of_it = evidence.iter().enumerate().filter(|(_, (stored, _))| stored.detection.level == gravest);
    of_it.min_by_key(|(_, (stored, _))| stored.detection.time).map(|(at, _)| at)
}

/// The act that `actor` may take back now: their own, the latest of a person, within its time.
fn undoable(history: &[HistoryEntry], actor: &Actor, now: Timestamp) -> Option<ActNo> {
    let latest = history.iter().rev().find(|entry| entry.person && !entry.undone && entry.word != "undo")?;
    let mine = latest.actor == actor.id.to_string();
    let in_time = latest.undo_until.is_some_and(|until| now <= until);
    (mine && in_time).then_some(latest.act)
}

fn detection(stored: &StoredDetection, count: u64, decisive: bool) -> TimelineEntry {
    let detection = &stored.detection;
    let matched = detection.matches.first().map(|matched| {
        let value: String = matched.value.chars().take(VALUE_CHARS_MAX).collect();
        matched.field.as_ref().map_or_else(|| format!("the text holds {value}"), |field| format!("{field} is {value}"))
    });
    let often = (count > 1).then(|| format!("the first of {count}"));
    let detail: Vec<String> = [matched, often].into_iter().flatten().collect();
    TimelineEntry {
        at: detection.time.to_string(),
        known_at: known_at(detection.time, detection.detected),
        kind: "detection".to_owned(),
        title: detection.rule_title.to_string(),
        actor: None,
        detail: (!detail.is_empty()).then(|| detail.join("; ")),
        detection_id: Some(detection.id.to_string()),
        event_id: detection.events.last().map(ToString::to_string),
        act_id: None,
        undo_until: None,
        decisive,
    }
}

fn act(entry: &HistoryEntry, undoable: bool, actor: &Actor) -> TimelineEntry {
    let note = entry.changes.iter().find_map(|change| match change {
        Change::Note { note } => Some(note),
        _ => None,
    });
    let hidden = note.is_some_and(|note| note.provider_only && actor.party != Party::Provider);
    let lines: Vec<String> = if hidden {
        vec!["a note that the provider keeps to itself".to_owned()]
    } else {
        entry.changes.iter().map(change_text).collect()
    };
    let pinned = entry.changes.iter().find_map(|change| match change {
        Change::Pinned { pin } => Some(pin.event.to_string()),
        _ => None,
    });
    let taken_back = if entry.undone { " (taken back)" } else { "" };
    TimelineEntry {
        at: entry.at.to_string(),
        known_at: None,
        kind: if note.is_some() { "note" } else { "act" }.to_owned(),
        title: format!("{}{taken_back}", entry.word.replace('_', " ")),
        actor: Some(entry.actor_name.clone()),
        detail: (!lines.is_empty()).then(|| lines.join("\n")),
        detection_id: None,
        event_id: pinned,
        act_id: undoable.then(|| entry.act.0.to_string()),
        undo_until: entry.undo_until.filter(|_| undoable).map(|until| until.to_string()),
        decisive: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::case_view::tests::detection;
    use super::*;
    use tandem_model::Level;
    use tandem_service::{CaseId, Note, Role, State, UserId};

    fn person(id: u8) -> Actor {
        Actor::person(UserId([id; 16]), "Dana", [Role::AnalystL1].into_iter().collect())
    }

    fn entry(act: u64, second: i64, by: &Actor, word: &str, changes: Vec<Change>) -> HistoryEntry {
        HistoryEntry {
            act: ActNo(act),
            at: Timestamp::from_seconds(second),
            actor: by.id.to_string(),
            actor_name: by.name.to_string(),
            person: true,
            word: word.to_owned(),
            version: act,
            changes,
            undo_until: Some(Timestamp::from_seconds(second + 60)),
            undone: false,
        }
    }

    fn evidence() -> Vec<(StoredDetection, u64)> {
        [("a", Level::High, 300, 1), ("b", Level::High, 100, 4), ("c", Level::Low, 50, 1)]
            .map(|(rule, level, second, count)| {
                (
                    StoredDetection { detection: detection(rule, level, second), case: Some(CaseId(1)), group: None },
                    count,
                )
            })
            .to_vec()
    }

    #[test]
    fn everything_stands_in_order_of_time_and_the_first_grave_one_is_decisive() {
        let state = Change::State { from: State::New, to: State::Triage };
        let history = [entry(9, 200, &person(1), "start_triage", vec![state])];
        let lines = timeline(&evidence(), &history, &person(1), Timestamp::from_seconds(210));
        let shown: Vec<(&str, &str, bool)> =
            lines.iter().map(|line| (line.kind.as_str(), line.title.as_str(), line.decisive)).collect();
        assert_eq!(
            shown,
            [
                ("detection", "Title of c", false),
                ("detection", "Title of b", true),
                ("act", "start triage", false),
                ("detection", "Title of a", false),
            ]
        );
        assert_eq!(lines[1].detail.as_deref(), Some("Image is C:\\cmd.exe; the first of 4"));
        assert_eq!(lines[2].detail.as_deref(), Some("new → triage"));
        assert_eq!(lines[1].known_at.as_deref(), Some("1970-01-01T00:01:42Z"));
    }

    #[test]
    fn only_the_own_latest_act_can_be_taken_back_and_only_for_a_while() {
        let me = person(1);
        let history = [entry(1, 100, &me, "take", vec![]), entry(2, 110, &me, "note", vec![])];
        let undo = |actor: &Actor, history: &[HistoryEntry], second| {
            let lines = timeline(&[], history, actor, Timestamp::from_seconds(second));
            lines.into_iter().filter_map(|line| line.act_id.zip(line.undo_until)).collect::<Vec<_>>()
        };
        assert_eq!(undo(&me, &history, 120), [("2".to_owned(), "1970-01-01T00:02:50Z".to_owned())]);
        assert_eq!(undo(&me, &history, 171), []);
        assert_eq!(undo(&person(2), &history, 120), []);
        let mut taken_back = history.to_vec();
        taken_back[1].undone = true;
        assert_eq!(undo(&me, &taken_back, 120)[0].0, "1");
    }

    #[test]
    fn a_note_of_the_provider_alone_shows_only_that_it_is_there() {
        let note = Change::Note { note: Note { text: "secret".to_owned(), provider_only: true } };
        let mut author = person(1);
        author.party = Party::Provider;
        let history = [entry(1, 100, &author, "note", vec![note])];
        let detail =
            |actor: &Actor| timeline(&[], &history, actor, Timestamp::from_seconds(0))[0].detail.clone().unwrap();
        assert_eq!(detail(&author), "secret");
        assert_eq!(detail(&person(2)), "a note that the provider keeps to itself");
    }

    #[test]
    fn a_long_life_is_cut_to_its_latest_part() {
        let history: Vec<HistoryEntry> =
            (0..1_500).map(|at| entry(at, at as i64, &person(1), "note", vec![])).collect();
        let lines = timeline(&evidence(), &history, &person(1), Timestamp::from_seconds(0));
        assert_eq!((lines.len(), lines.last().unwrap().at.as_str()), (1_000, "1970-01-01T00:24:59Z"));
    }
}
