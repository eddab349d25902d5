//! The words a case is made of.

use crate::case::{Gathered, State, Verdict};
use crate::micros;
use crate::rights::{Party, UserId};
use crate::words::words;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::EventId;

/// The number of a case, shown as `C-12`; control gives it, without gaps, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub u64);

/// A text that names no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no case number such as C-12")]
pub struct CaseIdError(String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C-{}", self.0)
    }
}

impl FromStr for CaseId {
    type Err = CaseIdError;
    fn from_str(text: &str) -> Result<Self, CaseIdError> {
        let error = || CaseIdError(text.chars().take(40).collect());
        let digits = text.strip_prefix("C-").or_else(|| text.strip_prefix("c-")).ok_or_else(error)?;
        if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        digits.parse().map(Self).map_err(|_| error())
    }
}

impl Serialize for CaseId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CaseId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

/// The sequence number of the act that did something; the ledger's too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActNo(pub u64);

words! {
    /// What a case is about.
    CaseKind {
        /// An attack, or what looks like one.
        Security = "security",
        /// A sender of logs.
        Source = "source",
        /// Tandem itself.
        Platform = "platform",
        /// Rules and parsers.
        Content = "content",
        /// The service and its agreement.
        Service = "service",
    }
}

words! {
    /// How urgent, the most urgent first.
    Priority {
        /// Now, whoever sleeps.
        P1 = "P1",
        /// Within the hour.
        P2 = "P2",
        /// Today.
        P3 = "P3",
        /// When there is time.
        P4 = "P4",
    }
}

impl Priority {
    /// One step more urgent; P1 stays.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::P1 | Self::P2 => Self::P1,
            Self::P3 => Self::P2,
            Self::P4 => Self::P3,
        }
    }
}

/// Who holds a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The person.
    pub id: UserId,
    /// As others see it.
    pub name: Arc<str>,
    /// The party for which it was taken.
    pub party: Party,
    /// Since when.
    #[serde(with = "micros")]
    pub since: Timestamp,
}

/// The instants that the figures are made of (architecture §8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instants {
    /// When the case was opened.
    #[serde(with = "micros")]
    pub opened: Timestamp,
    /// Time of its earliest event.
    #[serde(with = "micros::optional")]
    pub event: Option<Timestamp>,
    /// When the first detection's event was received.
    #[serde(with = "micros::optional")]
    pub received: Option<Timestamp>,
    /// When it was first detected.
    #[serde(with = "micros::optional")]
    pub detected: Option<Timestamp>,
    /// When a person first took it.
    #[serde(with = "micros::optional")]
    pub acknowledged: Option<Timestamp>,
    /// When a person first did anything with it.
    #[serde(with = "micros::optional")]
    pub first_human_act: Option<Timestamp>,
    /// When the damage was undone.
    #[serde(with = "micros::optional")]
    pub recovered: Option<Timestamp>,
    /// When it was closed or merged.
    #[serde(with = "micros::optional")]
    pub closed: Option<Timestamp>,
    /// When it last changed.
    #[serde(with = "micros")]
    pub updated: Timestamp,
}

impl Instants {
    /// A case opened at `now` that has nothing else yet.
    pub fn opened(now: Timestamp) -> Self {
        Self {
            opened: now,
            event: None,
            received: None,
            detected: None,
            acknowledged: None,
            first_human_act: None,
            recovered: None,
            closed: None,
            updated: now,
        }
    }
}

/// The escalation gate: what was checked and why it goes up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What was checked.
    pub checked: String,
    /// Why it goes up.
    pub why: String,
    /// When it was written.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The text, as typed.
    pub text: String,
    /// Seen by the provider alone; the customer sees that there is one.
    pub provider_only: bool,
}

/// An event held as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The event, in its textual form.
    #[serde(with = "event_text")]
    pub event: EventId,
    /// Why it counts.
    pub why: String,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// What it is about.
    pub kind: CaseKind,
    /// Where it stands.
    pub state: State,
    /// What was gathered in it: title, priority, entities, rules, counts.
    pub gathered: Gathered,
    /// How it ended.
    pub verdict: Option<Verdict>,
    /// Why it ended so.
    pub verdict_reason: Option<String>,
    /// Where it went.
    pub merged_into: Option<CaseId>,
    /// The mark of a real incident: a response was begun and not taken back.
    pub incident: bool,
    /// Who holds it.
    pub owner: Option<Owner>,
    /// The instants of the figures.
    pub instants: Instants,
    /// What was checked before it went up.
    pub gate: Option<Gate>,
    /// Until when the gate's text must follow, where P1 went ahead without it.
    #[serde(with = "micros::optional")]
    pub gate_due: Option<Timestamp>,
    /// Set aside until then.
    #[serde(with = "micros::optional")]
    pub snoozed_until: Option<Timestamp>,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// Evidence held.
    pub pins: Vec<Pin>,
    /// Cases that belong near it: closed ones of the same keys, others of a spread.
    pub links: Vec<CaseId>,
    /// Grows by one with every change.
    pub version: u64,
}

mod event_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use tandem_model::EventId;

    pub(super) fn serialize<S: Serializer>(event: &EventId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(event)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EventId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
