//! Changes: the only way in which a case becomes different.

use crate::case::{Case, CaseId, Gate, Gathered, Note, Owner, Pin, Priority, State, Verdict};
use crate::micros;
use serde::{Deserialize, Serialize};
use tandem_base::Timestamp;
use tandem_model::EventId;

/// One thing that becomes different. Adjacent tags keep the stored form readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// A transition.
    State {
        /// From.
        from: State,
        /// To.
        to: State,
    },
    /// Another holder, or none.
    Owner {
        /// Who held it.
        from: Option<Owner>,
        /// Who holds it.
        to: Option<Owner>,
    },
    /// Another priority.
    Priority {
        /// From.
        from: Priority,
        /// To.
        to: Priority,
        /// Why.
        reason: String,
    },
    /// The end, or (with `None`) that it is none any more.
    Verdict {
        /// How.
        verdict: Option<Verdict>,
        /// Why.
        reason: Option<String>,
    },
    /// The mark of a real incident.
    Incident {
        /// Set or taken off.
        set: bool,
    },
    /// The gate's text.
    Gate {
        /// What was checked, why it goes up.
        gate: Gate,
    },
    /// The gate's text is owed until then.
    GateDue {
        /// When; `None`: no more.
        #[serde(with = "micros::optional")]
        until: Option<Timestamp>,
    },
    /// Set aside, or woken.
    Snoozed {
        /// Until when.
        #[serde(with = "micros::optional")]
        until: Option<Timestamp>,
    },
    /// A note was written; it lives in the history.
    Note {
        /// What it says.
        note: Note,
    },
    /// A tag more.
    Tagged {
        /// Which.
        tag: String,
    },
    /// A tag less.
    Untagged {
        /// Which.
        tag: String,
    },
    /// An event is held.
    Pinned {
        /// Which and why.
        pin: Pin,
    },
    /// An event is let go.
    Unpinned {
        /// Its id.
        event: String,
    },
    /// Another case is near.
    Linked {
        /// Which.
        case: CaseId,
    },
    /// It became part of another.
    MergedInto {
        /// Which.
        case: CaseId,
    },
    /// It took over another.
    Absorbed {
        /// Which.
        case: CaseId,
        /// What that one had gathered.
        gathered: Box<Gathered>,
    },
    /// Detections came or went otherwise: what is gathered now.
    Regathered {
        /// All of it.
        gathered: Box<Gathered>,
    },
    /// A text that belongs to a transition.
    Text {
        /// What was said.
        text: String,
    },
    /// An act was taken back; what it had changed is as before.
    Undone {
        /// The act.
        act: crate::ActNo,
    },
}

impl Case {
    /// Makes the case different. Instants follow from the transitions; the version grows with each call of
    /// [`Case::apply`], whatever the number of changes.
    pub fn apply(&mut self, changes: &[Change], by_person: bool, now: Timestamp) {
        for change in changes {
            self.apply_one(change, now);
        }
        if by_person && self.instants.first_human_act.is_none() {
            self.instants.first_human_act = Some(now);
        }
        self.instants.updated = now;
        self.version += 1;
    }

    fn apply_one(&mut self, change: &Change, now: Timestamp) {
        match change {
            Change::State { to, .. } => {
                self.state = *to;
                match to {
                    State::Recovered => self.instants.recovered = Some(now),
                    State::Closed | State::Merged => {
                        self.instants.closed = Some(now);
                        self.snoozed_until = None;
                    }
                    State::Response => self.instants.recovered = None,
                    _ => self.instants.closed = None,
                }
            }
            Change::Owner { to, .. } => {
                self.owner.clone_from(to);
                if to.is_some() && self.instants.acknowledged.is_none() {
                    self.instants.acknowledged = Some(now);
                }
            }
            Change::Priority { to, reason, .. } => {
                self.gathered.priority = *to;
                self.gathered.priority_reason.clone_from(reason);
            }
            Change::Verdict { verdict, reason } => {
                self.verdict = *verdict;
                self.verdict_reason.clone_from(reason);
            }
            Change::Incident { set } => self.incident = *set,
            Change::Gate { gate } => self.gate = Some(gate.clone()),
            Change::GateDue { until } => self.gate_due = *until,
            Change::Snoozed { until } => self.snoozed_until = *until,
            Change::Tagged { tag } => {
                self.tags.insert(tag.clone());
            }
            Change::Untagged { tag } => {
                self.tags.remove(tag);
            }
            Change::Pinned { pin } => self.pins.push(pin.clone()),
            Change::Unpinned { event } => {
                if let Ok(event) = event.parse::<EventId>() {
                    self.pins.retain(|pin| pin.event != event);
                }
            }
            Change::Linked { case } => {
                if !self.links.contains(case) {
                    self.links.push(*case);
                }
            }
            Change::MergedInto { case } => self.merged_into = Some(*case),
            Change::Absorbed { case, gathered } => {
                self.gathered.absorb(gathered);
                if !self.links.contains(case) {
                    self.links.push(*case);
                }
            }
            Change::Regathered { gathered } => self.gathered = (**gathered).clone(),
            Change::Note { .. } | Change::Text { .. } | Change::Undone { .. } => {}
        }
    }
}

/// One change as a line of the history.
pub fn change_text(change: &Change) -> String {
    match change {
        Change::State { from, to } => format!("{from} → {to}"),
        Change::Owner { to: Some(owner), .. } => format!("taken by {}", owner.name),
        Change::Owner { to: None, .. } => "given back".into(),
        Change::Priority { from, to, reason } => format!("priority {from} → {to}: {reason}"),
        Change::Verdict { verdict: Some(verdict), reason } => {
            format!("verdict {verdict}{}", reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default())
        }
        Change::Verdict { verdict: None, .. } => "verdict taken back".into(),
        Change::Incident { set: true } => "marked as an incident".into(),
        Change::Incident { set: false } => "no longer marked as an incident".into(),
        Change::Gate { gate } => format!("checked: {}; goes up because: {}", gate.checked, gate.why),
        Change::GateDue { until: Some(until) } => format!("the gate's text is owed until {until}"),
        Change::GateDue { until: None } => "the gate's text is no longer owed".into(),
        Change::Snoozed { until: Some(until) } => format!("set aside until {until}"),
        Change::Snoozed { until: None } => "woken".into(),
        Change::Note { note } => note.text.clone(),
        Change::Tagged { tag } => format!("tag {tag}"),
        Change::Untagged { tag } => format!("tag {tag} taken off"),
        Change::Pinned { pin } => format!("event {} held as evidence: {}", pin.event, pin.why),
        Change::Unpinned { event } => format!("event {event} let go"),
        Change::Linked { case } => format!("near {case}"),
        Change::MergedInto { case } => format!("merged into {case}"),
        Change::Absorbed { case, .. } => format!("took over {case}"),
        Change::Regathered { gathered } => format!("now {} detections", gathered.detections),
        Change::Text { text } => text.clone(),
        Change::Undone { act } => format!("act {} taken back", act.0),
    }
}
