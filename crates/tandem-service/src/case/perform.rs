//! One act on one case: changes or a refusal.

use crate::case::{Case, CaseAct, Change, Gate, Note, Owner, Pin, Refusal, State, Undo, ends_from, transitions};
use crate::rights::Actor;
use std::time::Duration;
use tandem_base::Timestamp;

const TEXT_MAX_CHARS: usize = 20_000;
const TAG_MAX_CHARS: usize = 60;
const TAGS_MAX: usize = 50;
const PINS_MAX: usize = 500;
const SNOOZE_MAX: Duration = Duration::from_hours(90 * 24);
const GATE_OWED: Duration = Duration::from_hours(1);

/// What an act changes, and how to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// In order.
    pub changes: Vec<Change>,
    /// Present where the act may be undone.
    pub undo: Option<Undo>,
}

/// What `act` of `actor` changes in `case` at `now`. Rights were decided before, by `decide`.
pub fn act(case: &Case, actor: &Actor, act: &CaseAct, now: Timestamp) -> Result<Done, Refusal> {
    let changes = changes(case, actor, act, now)?;
    let undo = act.can_be_undone().then(|| Undo::before(case, act, now));
    Ok(Done { changes, undo })
}

fn changes(case: &Case, actor: &Actor, act: &CaseAct, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    match act {
        CaseAct::Take => take(case, actor, now),
        CaseAct::Release { reason } => release(case, actor, reason),
        CaseAct::Reassign { to, reason } => {
            open(case)?;
            let mut changes = enter_triage(case);
            changes.push(Change::Owner { from: case.owner.clone(), to: Some(Owner { since: now, ..to.clone() }) });
            changes.push(Change::Text { text: text(reason, "reason")? });
            Ok(changes)
        }
        CaseAct::StartTriage => Ok(vec![step(case, State::Triage, &[State::New], "reopen or go back instead")?]),
        CaseAct::Escalate { checked, why } => {
            let gate = gate(checked, why, now)?;
            let step = step(case, State::Analysis, &[State::Triage], "only a case in triage goes up; take it first")?;
            Ok(vec![step, Change::Gate { gate }])
        }
        CaseAct::Respond { text } => respond(case, text, now),
        CaseAct::Gate { checked, why } => {
            if case.gate_due.is_none() {
                return Err(Refusal::new("not-now", "no gate text is owed", "write a note instead"));
            }
            Ok(vec![Change::Gate { gate: gate(checked, why, now)? }, Change::GateDue { until: None }])
        }
        CaseAct::Recover { text: how } => {
            let step = step(case, State::Recovered, &[State::Response], "only a case in response can recover")?;
            Ok(vec![step, Change::Text { text: text(how, "text")? }])
        }
        CaseAct::GoBack { reason } => go_back(case, reason),
        CaseAct::Close { verdict, reason } => close(case, actor, *verdict, reason, now),
        CaseAct::Reopen { reason } => {
            let step = step(case, State::Triage, &[State::Closed], "only a closed case can be opened again")?;
            Ok(vec![
                step,
                Change::Verdict { verdict: None, reason: None },
                Change::Text { text: text(reason, "reason")? },
            ])
        }
        CaseAct::SetPriority { priority, reason } => {
            open(case)?;
            if *priority == case.gathered.priority {
                return Err(Refusal::new("not-now", format!("the case already has {priority}"), "choose another"));
            }
            let reason = text(reason, "reason")?;
            Ok(vec![Change::Priority { from: case.gathered.priority, to: *priority, reason }])
        }
        CaseAct::Note { text: said, provider_only } => {
            Ok(vec![Change::Note { note: Note { text: text(said, "text")?, provider_only: *provider_only } }])
        }
        CaseAct::Snooze { until } => snooze(case, *until, now),
        CaseAct::Pin { event, why } => {
            if case.pins.iter().any(|pin| pin.event == *event) {
                return Err(Refusal::new("not-now", "this event is already held", "unpin it first to change the text"));
            }
            if case.pins.len() >= PINS_MAX {
                return Err(Refusal::new("limit", format!("a case holds at most {PINS_MAX} events"), "unpin some"));
            }
            let why = cut(why, "why")?;
            Ok(vec![Change::Pinned { pin: Pin { event: *event, why } }])
        }
        CaseAct::Unpin { event } => {
            if !case.pins.iter().any(|pin| pin.event == *event) {
                return Err(Refusal::new("not-now", "this event is not held", "nothing to do"));
            }
            Ok(vec![Change::Unpinned { event: event.to_string() }])
        }
        CaseAct::Tag { tag } => tagged(case, tag),
        CaseAct::Untag { tag } => {
            if !case.tags.contains(tag) {
                return Err(Refusal::new("not-now", format!("there is no tag `{tag}`"), "nothing to do"));
            }
            Ok(vec![Change::Untagged { tag: tag.clone() }])
        }
        CaseAct::Link { case: other } => {
            if *other == case.id || case.links.contains(other) {
                return Err(Refusal::new("not-now", format!("{other} is already there"), "nothing to do"));
            }
            Ok(vec![Change::Linked { case: *other }])
        }
    }
}

fn open(case: &Case) -> Result<(), Refusal> {
    match case.state {
        State::Closed => Err(Refusal::new("no-such-step", "the case is closed", "reopen it first")),
        State::Merged => Err(Refusal::new(
            "no-such-step",
            case.merged_into
                .map_or_else(|| "the case was merged".into(), |into| format!("the case was merged into {into}")),
            "act on that case",
        )),
        _ => Ok(()),
    }
}

/// The transition to `to`, if it is on the table and `case` stands in one of `from`.
fn step(case: &Case, to: State, from: &[State], hint: &str) -> Result<Change, Refusal> {
    let allowed = transitions(case.kind, case.gathered.priority, case.state);
    if !from.contains(&case.state) || !allowed.contains(&to) {
        return Err(Refusal::new("no-such-step", format!("there is no step from {} to {to}", case.state), hint));
    }
    Ok(Change::State { from: case.state, to })
}

fn enter_triage(case: &Case) -> Vec<Change> {
    match case.state {
        State::New => vec![Change::State { from: State::New, to: State::Triage }],
        _ => Vec::new(),
    }
}

fn owner(actor: &Actor, now: Timestamp) -> Owner {
    Owner { id: actor.id, name: actor.name.clone(), party: actor.party.clone(), since: now }
}

fn taken(case: &Case, actor: &Actor, now: Timestamp) -> Result<(), Refusal> {
    match &case.owner {
        Some(owner) if owner.id != actor.id => Err(Refusal::new(
            "taken",
            format!("{} took it {} ago", owner.name, ago(now.since(owner.since))),
            "ask them, or reassign it",
        )),
        _ => Ok(()),
    }
}

fn ago(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

fn take(case: &Case, actor: &Actor, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    open(case)?;
    taken(case, actor, now)?;
    if case.owner.is_some() {
        return Err(Refusal::new("not-now", "you hold this case already", "go on with it"));
    }
    let mut changes = enter_triage(case);
    changes.push(Change::Owner { from: None, to: Some(owner(actor, now)) });
    if case.snoozed_until.is_some() {
        changes.push(Change::Snoozed { until: None });
    }
    Ok(changes)
}

fn release(case: &Case, actor: &Actor, reason: &str) -> Result<Vec<Change>, Refusal> {
    open(case)?;
    match &case.owner {
        None => Err(Refusal::new("not-now", "nobody holds this case", "nothing to do")),
        Some(owner) if owner.id != actor.id => {
            Err(Refusal::new("taken", format!("{} holds it", owner.name), "ask them, or reassign it"))
        }
        Some(_) => {
            let mut changes = vec![Change::Owner { from: case.owner.clone(), to: None }];
            let reason = cut(reason, "reason")?;
            if !reason.is_empty() {
                changes.push(Change::Text { text: reason });
            }
            Ok(changes)
        }
    }
}

fn respond(case: &Case, said: &str, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    let hint = match case.state {
        State::Triage => "only P1 goes from triage straight into response; escalate it, or raise the priority",
        _ => "response begins from analysis",
    };
    let step = step(case, State::Response, &[State::Analysis, State::Triage], hint)?;
    let mut changes = vec![step, Change::Incident { set: true }];
    let said = cut(said, "text")?;
    if !said.is_empty() {
        changes.push(Change::Text { text: said });
    }
    if case.state == State::Triage && case.gate.is_none() {
        changes.push(Change::GateDue { until: Some(now.plus(GATE_OWED)) });
    }
    Ok(changes)
}

fn go_back(case: &Case, reason: &str) -> Result<Vec<Change>, Refusal> {
    let to = match case.state {
        State::Analysis => State::Triage,
        State::Response => State::Analysis,
        State::Recovered => State::Response,
        other => {
            return Err(Refusal::new(
                "no-such-step",
                format!("there is no step back from {other}"),
                "add a note instead",
            ));
        }
    };
    let reason = text(reason, "reason")?;
    let mut changes = vec![step(case, to, &[case.state], "no such step")?];
    if case.state == State::Response {
        changes.push(Change::Incident { set: false });
        if case.gate_due.is_some() {
            changes.push(Change::GateDue { until: None });
        }
    }
    changes.push(Change::Text { text: reason });
    Ok(changes)
}

/// Closing a new case takes it and passes through triage, so that one decision is one act.
fn close(
    case: &Case,
    actor: &Actor,
    verdict: crate::Verdict,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    open(case)?;
    if actor.is_person() {
        taken(case, actor, now)?;
    }
    let security = case.kind == crate::CaseKind::Security;
    let mut changes = Vec::new();
    let mut from = case.state;
    if from == State::New && security {
        changes.extend(enter_triage(case));
        from = State::Triage;
    }
    let verdicts = ends_from(case.kind, from);
    if verdicts.is_empty() {
        return Err(Refusal::new(
            "no-such-step",
            format!("a case in {from} cannot be closed"),
            "recover it first, or go back to analysis",
        ));
    }
    if !verdicts.contains(&verdict) {
        let words: Vec<&str> = verdicts.iter().map(|each| each.word()).collect();
        let hint = match (verdict, from) {
            (crate::Verdict::Duplicate, _) => "merge it into the other case",
            (_, State::Triage) if security => "escalate it: analysis ends with further verdicts",
            (_, State::Recovered) => "go back to response and analysis if it was no attack",
            _ => "choose one of these",
        };
        return Err(Refusal::new(
            "no-such-step",
            format!("from {from} a case ends as {}, not as {verdict}", words.join(" or ")),
            hint,
        ));
    }
    if case.gate_due.is_some() {
        return Err(Refusal::new(
            "not-now",
            "the gate's text is still owed",
            "say what was checked and why it went up",
        ));
    }
    let reason = text(reason, "reason")?;
    if case.owner.is_none() && actor.is_person() {
        changes.push(Change::Owner { from: None, to: Some(owner(actor, now)) });
    }
    changes.push(Change::State { from, to: State::Closed });
    changes.push(Change::Verdict { verdict: Some(verdict), reason: Some(reason) });
    let incident = from == State::Recovered;
    if case.incident != incident {
        changes.push(Change::Incident { set: incident });
    }
    Ok(changes)
}

fn snooze(case: &Case, until: Option<Timestamp>, now: Timestamp) -> Result<Vec<Change>, Refusal> {
    open(case)?;
    match until {
        None if case.snoozed_until.is_none() => Err(Refusal::new("not-now", "the case is awake", "nothing to do")),
        Some(until) if until <= now => Err(Refusal::new("not-now", "that instant has passed", "choose a later one")),
        Some(until) if until.since(now) > SNOOZE_MAX => {
            Err(Refusal::new("limit", "a case sleeps at most 90 days", "choose an earlier instant"))
        }
        Some(_) if case.gathered.priority == crate::Priority::P1 => {
            Err(Refusal::new("not-now", "a P1 case is never set aside", "lower its priority first, with a reason"))
        }
        until => Ok(vec![Change::Snoozed { until }]),
    }
}

fn tagged(case: &Case, tag: &str) -> Result<Vec<Change>, Refusal> {
    let tag = tag.trim();
    let fits = !tag.is_empty() && tag.chars().count() <= TAG_MAX_CHARS && !tag.chars().any(char::is_control);
    if !fits {
        return Err(Refusal::new("text-missing", format!("a tag has 1 to {TAG_MAX_CHARS} characters"), "shorten it"));
    }
    if case.tags.contains(tag) {
        return Err(Refusal::new("not-now", format!("the tag `{tag}` is already there"), "nothing to do"));
    }
    if case.tags.len() >= TAGS_MAX {
        return Err(Refusal::new("limit", format!("a case has at most {TAGS_MAX} tags"), "take some off"));
    }
    Ok(vec![Change::Tagged { tag: tag.into() }])
}

fn gate(checked: &str, why: &str, now: Timestamp) -> Result<Gate, Refusal> {
    Ok(Gate { checked: text(checked, "checked")?, why: text(why, "reason")?, at: now })
}

/// A text that must be there.
fn text(given: &str, field: &str) -> Result<String, Refusal> {
    let given = cut(given, field)?;
    if given.is_empty() {
        return Err(Refusal::new(
            "text-missing",
            format!("`{field}` is missing"),
            "write one sentence; others will read it",
        ));
    }
    Ok(given)
}

/// A text that may be empty.
fn cut(given: &str, field: &str) -> Result<String, Refusal> {
    let given = given.trim();
    if given.chars().count() > TEXT_MAX_CHARS {
        return Err(Refusal::new(
            "too-long",
            format!("`{field}` is longer than {TEXT_MAX_CHARS} characters"),
            "shorten it",
        ));
    }
    Ok(given.to_owned())
}
