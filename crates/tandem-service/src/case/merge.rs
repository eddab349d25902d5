//! Acts that make a case or touch two.

use crate::alert::{EntityKey, JoinKey};
use crate::case::{
    Case, CaseId, CaseKind, Change, Gathered, GroupingReason, Instants, Priority, Refusal, State, Verdict,
};
use crate::rights::Actor;
use std::collections::BTreeSet;
use tandem_base::Timestamp;
use tandem_model::Detection;

/// Folded entities with their names, and the join key: what `Grouper::keys` answers.
type Keys = (Vec<(EntityKey, String)>, JoinKey);

impl Case {
    /// A case of what was gathered.
    pub fn new(id: CaseId, kind: CaseKind, gathered: Gathered, now: Timestamp) -> Self {
        Self {
            id,
            kind,
            state: State::New,
            verdict: None,
            verdict_reason: None,
            merged_into: None,
            incident: false,
            owner: None,
            instants: Instants { event: gathered.first_event, ..Instants::opened(now) },
            gathered,
            gate: None,
            gate_due: None,
            snoozed_until: None,
            tags: BTreeSet::new(),
            pins: Vec::new(),
            links: Vec::new(),
            version: 1,
        }
    }
}

/// A case opened by phone, mail or in person: one step.
pub fn open_by_person(
    id: CaseId,
    actor: &Actor,
    title: &str,
    kind: CaseKind,
    priority: Priority,
    now: Timestamp,
) -> Result<Case, Refusal> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > 300 {
        return Err(Refusal::new("text-missing", "a title has 1 to 300 characters", "say in one line what happened"));
    }
    let mut gathered = Gathered::new(title, priority, format!("set by {}", actor.name));
    gathered.add_reason(GroupingReason {
        key: "person".into(),
        value: actor.name.to_string(),
        reason: format!("opened by {}", actor.name),
    });
    Ok(Case::new(id, kind, gathered, now))
}

/// A run's group becomes a case.
pub fn promote(id: CaseId, actor: &Actor, run: &str, mut gathered: Gathered, now: Timestamp) -> Case {
    gathered.add_reason(GroupingReason {
        key: "run".into(),
        value: run.into(),
        reason: format!("promoted from history by {}", actor.name),
    });
    Case::new(id, CaseKind::Security, gathered, now)
}

/// `from` becomes part of `into`: the changes of each, in this order. This is the verdict `duplicate`.
pub fn merge(from: &Case, into: &Case) -> Result<(Vec<Change>, Vec<Change>), Refusal> {
    if from.id == into.id {
        return Err(Refusal::new("no-such-step", "a case cannot be merged into itself", "choose another case"));
    }
    for case in [from, into] {
        if !case.state.is_open() {
            return Err(Refusal::new(
                "no-such-step",
                format!("{} is {}", case.id, case.state),
                "only open cases are merged; reopen it first",
            ));
        }
    }
    if from.kind != into.kind {
        return Err(Refusal::new(
            "no-such-step",
            format!("{} is a {} case, {} a {} case", from.id, from.kind, into.id, into.kind),
            "link them instead",
        ));
    }
    if from.gate_due.is_some() {
        return Err(Refusal::new(
            "not-now",
            "the gate's text is still owed",
            "say what was checked and why it went up",
        ));
    }
    let leaves = vec![
        Change::State { from: from.state, to: State::Merged },
        Change::Verdict { verdict: Some(Verdict::Duplicate), reason: Some(format!("part of {}", into.id)) },
        Change::MergedInto { case: into.id },
    ];
    let mut takes = vec![Change::Absorbed { case: from.id, gathered: Box::new(from.gathered.clone()) }];
    if from.gathered.priority < into.gathered.priority {
        takes.push(Change::Priority {
            from: into.gathered.priority,
            to: from.gathered.priority,
            reason: format!("{} came in with {}", from.id, from.gathered.priority),
        });
    }
    Ok((leaves, takes))
}

/// Takes `taken` out of `from` into a case of their own; `left` are those that stay. Answers what is then
/// gathered in `from`, and the new case.
pub fn split(
    from: &Case,
    id: CaseId,
    title: &str,
    taken: &[Detection],
    left: &[Detection],
    keys: &mut dyn FnMut(&Detection) -> Keys,
    now: Timestamp,
) -> Result<(Vec<Change>, Case), Refusal> {
    if !from.state.is_open() {
        return Err(Refusal::new("no-such-step", format!("{} is {}", from.id, from.state), "reopen it first"));
    }
    if taken.is_empty() || left.is_empty() {
        return Err(Refusal::new(
            "no-such-step",
            "a split leaves at least one detection on each side",
            "choose some of the detections, not all or none",
        ));
    }
    let mut gather = |start: Gathered, detections: &[Detection]| {
        detections.iter().fold(start, |mut gathered, detection| {
            let (names, key) = keys(detection);
            gathered.add(detection, &names, Some(&key));
            gathered
        })
    };
    let was = &from.gathered;
    let mut stays = Gathered::new(was.title.clone(), was.priority, was.priority_reason.clone());
    stays.grouping.clone_from(&was.grouping);
    stays.spreading.clone_from(&was.spreading);
    let stays = gather(stays, left);
    let title =
        if title.trim().is_empty() { format!("Part of {}: {}", from.id, was.title) } else { title.trim().into() };
    let mut goes = Gathered::new(title, was.priority, format!("as {}, of which it was a part", from.id));
    goes.add_reason(GroupingReason {
        key: "split".into(),
        value: from.id.to_string(),
        reason: format!("split from {}", from.id),
    });
    let mut goes = gather(goes, taken);
    goes.keys.retain(|key| !stays.keys.contains(key));
    let mut new = Case::new(id, from.kind, goes, now);
    new.links.push(from.id);
    Ok((vec![Change::Regathered { gathered: Box::new(stays) }, Change::Linked { case: id }], new))
}
