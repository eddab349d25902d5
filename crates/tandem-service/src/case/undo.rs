//! Taking an act back within 60 seconds.

use crate::case::{ActNo, Case, CaseAct, Change, Gate, Instants, Owner, Pin, Priority, Refusal, State, Verdict};
use crate::micros;
use crate::rights::Actor;
use crate::rights::UserId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use tandem_base::Timestamp;

/// How long an act may be taken back.
pub const UNDO_WINDOW: Duration = Duration::from_mins(1);

/// What people had decided about a case before an act: everything but what detections gather meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    act: String,
    #[serde(with = "micros")]
    at: Timestamp,
    /// Which version the act made; a later act of anybody makes it too late.
    acts_before: ActsBefore,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ActsBefore {
    state: State,
    owner: Option<Owner>,
    priority: Priority,
    priority_reason: String,
    verdict: Option<Verdict>,
    verdict_reason: Option<String>,
    incident: bool,
    instants: Instants,
    gate: Option<Gate>,
    #[serde(with = "micros::optional")]
    gate_due: Option<Timestamp>,
    #[serde(with = "micros::optional")]
    snoozed_until: Option<Timestamp>,
    tags: BTreeSet<String>,
    pins: Vec<Pin>,
}

impl Undo {
    /// What stands before `act`.
    pub(crate) fn before(case: &Case, act: &CaseAct, now: Timestamp) -> Self {
        Self {
            act: act.word().into(),
            at: now,
            acts_before: ActsBefore {
                state: case.state,
                owner: case.owner.clone(),
                priority: case.gathered.priority,
                priority_reason: case.gathered.priority_reason.clone(),
                verdict: case.verdict,
                verdict_reason: case.verdict_reason.clone(),
                incident: case.incident,
                instants: case.instants.clone(),
                gate: case.gate.clone(),
                gate_due: case.gate_due,
                snoozed_until: case.snoozed_until,
                tags: case.tags.clone(),
                pins: case.pins.clone(),
            },
        }
    }

    /// The act's word.
    pub fn act(&self) -> &str {
        &self.act
    }

    /// Until when it can be taken back.
    pub fn until(&self) -> Timestamp {
        self.at.plus(UNDO_WINDOW)
    }
}

/// Takes `act_no` back: the same person, within 60 seconds, and nobody acted on the case since
/// (`latest` is the case's latest act of a person). What detections brought meanwhile stays.
pub fn undo(
    case: &Case,
    actor: &Actor,
    act_no: ActNo,
    by: UserId,
    latest: ActNo,
    undo: &Undo,
    now: Timestamp,
) -> Result<Case, Refusal> {
    if by != actor.id {
        return Err(Refusal::new("not-yours", "somebody else did this", "ask them, or do the opposite with a reason"));
    }
    if now > undo.until() {
        return Err(Refusal::new("too-late", "more than 60 s have passed", "do the opposite, with a reason"));
    }
    if latest != act_no {
        return Err(Refusal::new("too-late", "somebody acted on the case since", "look at the history first"));
    }
    let before = undo.acts_before.clone();
    let mut restored = case.clone();
    restored.state = before.state;
    restored.owner = before.owner;
    // A priority that rose meanwhile, by a detection, stays.
    if restored.gathered.priority >= before.priority || undo.act == "set_priority" {
        restored.gathered.priority = before.priority;
        restored.gathered.priority_reason = before.priority_reason;
    }
    restored.verdict = before.verdict;
    restored.verdict_reason = before.verdict_reason;
    restored.incident = before.incident;
    restored.instants = before.instants;
    restored.gate = before.gate;
    restored.gate_due = before.gate_due;
    restored.snoozed_until = before.snoozed_until;
    restored.tags = before.tags;
    restored.pins = before.pins;
    restored.apply(&[Change::Undone { act: act_no }], true, now);
    Ok(restored)
}
