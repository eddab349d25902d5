//! Cases and the home screen.

use crate::{DetectionRow, SourceHead};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseHead {
    /// `C-12`.
    pub id: String,
    /// `security`, `source`, `platform`, `content`, `service`.
    pub kind: String,
    /// Title.
    pub title: String,
    /// `P1` to `P4`.
    pub priority: String,
    /// Why it has this priority.
    pub priority_reason: String,
    /// `new`, `triage`, `analysis`, `response`, `recovered`, `closed`, `merged`.
    pub state: String,
    /// Verdict of a closed case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Person>,
    /// When it was opened.
    pub opened: String,
    /// Last change.
    pub updated: String,
    /// Time of the first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event: Option<String>,
    /// Time of the last event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event: Option<String>,
    /// How many detections.
    pub detections: u64,
    /// Whom it concerns.
    pub entities: Vec<EntityRef>,
    /// One short sentence: why it is here.
    pub why: String,
    /// Closed cases like it.
    pub similar: Similar,
    /// Until when it is out of sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<String>,
    /// Grows with each change; the ETag.
    pub version: u64,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// Id.
    pub id: String,
    /// Name on screens.
    pub name: String,
}

/// A host, user, address or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntityRef {
    /// `host`, `user`, `address`, `file`.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// Closed cases of the same rule and entity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Similar {
    /// How many.
    pub count: u64,
    /// How many of them ended benign or as false positives.
    pub benign: u64,
}

/// A page of cases.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CasePage {
    /// Cases.
    pub items: Vec<CaseHead>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many each view holds.
    pub counts: CaseCounts,
}

/// How many each view of the queue holds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct CaseCounts {
    /// Mine and open.
    pub mine: u64,
    /// Open without owner.
    pub unowned: u64,
    /// Open.
    pub open: u64,
    /// Closed or merged.
    pub closed: u64,
}

/// A case, whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseDetail {
    /// Its head.
    #[serde(flatten)]
    pub head: CaseHead,
    /// What holds its detections together.
    pub grouping: Vec<Grouping>,
    /// Why it fired, one entry a rule, newest hit first; at most 50.
    pub why_it_fired: Vec<WhyItFired>,
    /// What happened, oldest first; at most 1,000.
    pub timeline: Vec<TimelineEntry>,
    /// Linked cases.
    pub linked: Vec<CaseHead>,
    /// What this person may do now.
    pub allowed: Vec<AllowedAct>,
    /// Pinned evidence.
    pub pinned: Vec<String>,
    /// Whether it is marked as an incident.
    pub incident: bool,
}

/// One key that holds detections together.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Grouping {
    /// Which key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// In words.
    pub reason: String,
}

/// Why one detection fired.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WhyItFired {
    /// Id of the detection.
    pub detection_id: String,
    /// Rule.
    pub rule_id: String,
    /// Its title.
    pub rule_title: String,
    /// Its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_author: Option<String>,
    /// Its level.
    pub level: String,
    /// Time of the event.
    pub time: String,
    /// How many detections of this rule the case holds.
    pub count: u64,
    /// The rule's condition in words.
    pub in_words: String,
    /// Fields that matched.
    pub matches: Vec<MatchedField>,
}

/// A field that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchedField {
    /// Field; none for a keyword in the raw text.
    pub field: Option<String>,
    /// Value.
    pub value: String,
    /// Byte range of the matched part within the value.
    pub span: Option<[u32; 2]>,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// When it happened.
    pub at: String,
    /// When it became known here, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<String>,
    /// `detection`, `event`, `act`, `note`.
    pub kind: String,
    /// One line.
    pub title: String,
    /// Who, for acts and notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// More text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The detection, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_id: Option<String>,
    /// The event behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The act, to undo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act_id: Option<String>,
    /// Whether the act can still be undone.
    pub undo_until: Option<String>,
    /// Whether it decided the priority.
    pub decisive: bool,
}

/// What the person may do, and why not.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AllowedAct {
    /// The act.
    pub act: String,
    /// Whether it is allowed now.
    pub allowed: bool,
    /// The rule that decided.
    pub because: String,
    /// How to get access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_get_access: Option<String>,
}

/// `POST /cases`: opened by a person, for instance after a phone call.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewCase {
    /// Title.
    pub title: String,
    /// Kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Priority.
    #[serde(default)]
    pub priority: Option<String>,
    /// What was reported.
    #[serde(default)]
    pub text: String,
}

/// `POST /cases/{id}/acts`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct CaseAct {
    /// `take`, `release`, `start_triage`, `escalate`, `respond`, `recover`, `go_back`, `close`, `reopen`,
    /// `set_priority`, `note`, `merge`, `snooze`, `pin`, `unpin`.
    pub act: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Text of a note.
    #[serde(default)]
    pub text: Option<String>,
    /// What was checked before going up.
    #[serde(default)]
    pub checked: Option<String>,
    /// Verdict of a close.
    #[serde(default)]
    pub verdict: Option<String>,
    /// New priority.
    #[serde(default)]
    pub priority: Option<String>,
    /// The case to merge into.
    #[serde(default)]
    pub into: Option<String>,
    /// Until when to snooze.
    #[serde(default)]
    pub until: Option<String>,
    /// Event to pin.
    #[serde(default)]
    pub event_id: Option<String>,
}

/// `POST /cases/{id}/undo`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Undo {
    /// The act to take back.
    pub act_id: String,
}

/// `POST /cases/bulk`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BulkAct {
    /// At most 200 cases.
    pub ids: Vec<String>,
    /// What to do with each.
    #[serde(flatten)]
    pub act: CaseAct,
}

/// What became of a bulk act.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// Done.
    pub done: Vec<String>,
    /// Not done, each with its reason.
    pub not_done: Vec<NotDone>,
}

/// A case that a bulk act left alone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NotDone {
    /// Case.
    pub id: String,
    /// Why.
    pub because: String,
}

/// `GET /home`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Home {
    /// Counts for the status sentence.
    pub status: HomeStatus,
    /// My open cases.
    pub my_tasks: Vec<CaseHead>,
    /// Open cases without owner.
    pub unowned: Vec<CaseHead>,
    /// Sources that are not well.
    pub unhealthy_sources: Vec<SourceHead>,
    /// The last 24 hours, an entry an hour.
    pub strip: Vec<StripHour>,
    /// Newest detections.
    pub detections: Vec<DetectionRow>,
}

/// Counts of the status sentence.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct HomeStatus {
    /// Open and mine.
    pub cases_mine: u64,
    /// Open without owner.
    pub cases_unowned: u64,
    /// Sources that are not well.
    pub sources_unhealthy: u64,
    /// Sources in all.
    pub sources: u64,
    /// Detections of 24 hours.
    pub detections_24h: u64,
    /// Events of 24 hours.
    pub events_24h: u64,
}

/// One hour.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StripHour {
    /// Its begin.
    pub from: String,
    /// Events received.
    pub events: u64,
    /// Detections.
    pub detections: u64,
    /// Cases opened.
    pub cases: u64,
}

/// `GET /runs`: imports and rule runs over history.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RunPage {
    /// Runs, newest first.
    pub items: Vec<Run>,
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Id.
    pub id: String,
    /// When it began.
    pub started: String,
    /// What was read, in words.
    pub title: String,
    /// Files read.
    pub files: u64,
    /// Records read.
    pub records: u64,
    /// Detections found.
    pub detections: u64,
    /// Its groups; only in the detail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<RunGroup>,
}

/// Detections of a run that belong together.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RunGroup {
    /// Key.
    pub key: String,
    /// Title.
    pub title: String,
    /// Highest level.
    pub level: String,
    /// How many detections.
    pub detections: u64,
    /// First event.
    pub first_event: String,
    /// Last event.
    pub last_event: String,
    /// Whom it concerns.
    pub entities: Vec<EntityRef>,
    /// The case that a person made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted_case: Option<String>,
}

/// `POST /runs/{id}/promote`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Promote {
    /// Key of the group.
    pub group: String,
}
