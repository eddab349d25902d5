//! What a person or the program does with a case, and how it is refused.

use crate::case::{CaseId, Priority, Verdict};
use tandem_base::Timestamp;
use tandem_model::EventId;

/// One act on one case. Merging and splitting touch two cases and have functions of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseAct {
    /// Take it; a new case thereby enters triage.
    Take,
    /// Give it back to the queue.
    Release {
        /// Why.
        reason: String,
    },
    /// Give it to somebody else.
    Reassign {
        /// The new owner.
        to: crate::case::Owner,
        /// Why.
        reason: String,
    },
    /// Begin triage without taking it.
    StartTriage,
    /// triage → analysis, through the gate.
    Escalate {
        /// What was checked.
        checked: String,
        /// Why it goes up.
        why: String,
    },
    /// analysis → response; from triage for P1 only, the gate's text then within 60 minutes.
    Respond {
        /// What is being done.
        text: String,
    },
    /// The gate's text that was still owed.
    Gate {
        /// What was checked.
        checked: String,
        /// Why it went up.
        why: String,
    },
    /// response → recovered.
    Recover {
        /// How.
        text: String,
    },
    /// One step back.
    GoBack {
        /// Why.
        reason: String,
    },
    /// The end.
    Close {
        /// How it ended.
        verdict: Verdict,
        /// Why so.
        reason: String,
    },
    /// closed → triage.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Another priority.
    SetPriority {
        /// Which.
        priority: Priority,
        /// Why.
        reason: String,
    },
    /// A note.
    Note {
        /// The text.
        text: String,
        /// Seen by the provider alone.
        provider_only: bool,
    },
    /// Set aside until an instant.
    Snooze {
        /// Until when; `None` wakes it.
        until: Option<Timestamp>,
    },
    /// Hold an event as evidence.
    Pin {
        /// Which.
        event: EventId,
        /// Why it counts.
        why: String,
    },
    /// Let it go again.
    Unpin {
        /// Which.
        event: EventId,
    },
    /// Put a tag on it.
    Tag {
        /// The tag.
        tag: String,
    },
    /// Take a tag off.
    Untag {
        /// The tag.
        tag: String,
    },
    /// Put another case near it.
    Link {
        /// Which.
        case: CaseId,
    },
}

impl CaseAct {
    /// The verb that it needs.
    pub fn verb(&self) -> crate::Verb {
        use crate::Verb;
        match self {
            Self::Take => Verb::CaseTake,
            Self::Release { .. } => Verb::CaseRelease,
            Self::Reassign { .. } => Verb::CaseReassign,
            Self::StartTriage => Verb::CaseTriage,
            Self::Escalate { .. } | Self::Gate { .. } => Verb::CaseEscalate,
            Self::Respond { .. } => Verb::CaseRespond,
            Self::Recover { .. } => Verb::CaseRecover,
            Self::GoBack { .. } => Verb::CaseGoBack,
            Self::Close { .. } => Verb::CaseClose,
            Self::Reopen { .. } => Verb::CaseReopen,
            Self::SetPriority { .. } => Verb::CasePriority,
            Self::Note { .. } => Verb::CaseNote,
            Self::Snooze { .. } => Verb::CaseSnooze,
            Self::Pin { .. } | Self::Unpin { .. } => Verb::CasePin,
            Self::Tag { .. } | Self::Untag { .. } | Self::Link { .. } => Verb::CaseTag,
        }
    }

    /// The word by which the API calls it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Release { .. } => "release",
            Self::Reassign { .. } => "reassign",
            Self::StartTriage => "start_triage",
            Self::Escalate { .. } => "escalate",
            Self::Respond { .. } => "respond",
            Self::Gate { .. } => "gate",
            Self::Recover { .. } => "recover",
            Self::GoBack { .. } => "go_back",
            Self::Close { .. } => "close",
            Self::Reopen { .. } => "reopen",
            Self::SetPriority { .. } => "set_priority",
            Self::Note { .. } => "note",
            Self::Snooze { .. } => "snooze",
            Self::Pin { .. } => "pin",
            Self::Unpin { .. } => "unpin",
            Self::Tag { .. } => "tag",
            Self::Untag { .. } => "untag",
            Self::Link { .. } => "link",
        }
    }

    /// Whether it may be taken back within 60 seconds.
    pub fn can_be_undone(&self) -> bool {
        matches!(
            self,
            Self::Take
                | Self::Release { .. }
                | Self::StartTriage
                | Self::SetPriority { .. }
                | Self::Note { .. }
                | Self::Snooze { .. }
                | Self::Tag { .. }
                | Self::Untag { .. }
                | Self::Pin { .. }
                | Self::Unpin { .. }
                | Self::Close { .. }
        )
    }
}

/// Why an act is not done, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{because}")]
pub struct Refusal {
    /// A stable word: `taken`, `no-such-step`, `text-missing`, `too-late`, `not-now`, `too-long`, `limit`.
    pub code: &'static str,
    /// One sentence about this case.
    pub because: String,
    /// What to do.
    pub hint: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, because: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, because: because.into(), hint: hint.into() }
    }
}
