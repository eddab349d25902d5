//! One rule hit on events.

use crate::{EventId, RunId};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use tandem_base::Timestamp;

tandem_base::id128!(
    /// A hash of rule id and event id, so that evaluating twice makes one detection.
    DetectionId,
    "det"
);

impl DetectionId {
    /// The id of rule `rule_id`'s hit on `event`.
    pub fn of(rule_id: &str, event: EventId) -> Self {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(b"tandem detection v1\0");
        hash.update(rule_id.as_bytes());
        hash.update([0]);
        hash.update(event.record.epoch.to_be_bytes());
        hash.update(event.record.offset.to_be_bytes());
        hash.update(event.index.to_be_bytes());
        let digest = hash.finalize();
        Self(std::array::from_fn(|index| digest[index]))
    }
}

/// What found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DetectionKind {
    /// A Sigma rule.
    Rule,
    /// An alarm of another product.
    VendorAlert,
}

/// Sigma's levels, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Context, must not alert.
    #[default]
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// Sigma's status of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RuleStatus {
    /// No false positives over a year.
    Stable,
    /// Almost none.
    Test,
    /// New.
    #[default]
    Experimental,
    /// Superseded.
    Deprecated,
    /// Cannot be used as it is.
    Unsupported,
}

/// One reason why it fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedField {
    /// The field that was tested; `None` for a keyword in the raw text.
    pub field: Option<String>,
    /// The value that matched, cut to 1 KiB.
    pub value: String,
    /// Byte range of the matched part within `value`.
    pub span: Option<(u32, u32)>,
}

/// Whom it concerns. Names as in the event, not yet folded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entities {
    /// `host.name`.
    pub host: Option<String>,
    /// `user.name`, with the domain as `DOMAIN\name` where known.
    pub user: Option<String>,
    /// `source.ip`.
    pub source_address: Option<String>,
}

/// One rule hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// Same rule and event, same id.
    pub id: DetectionId,
    /// What found it.
    pub kind: DetectionKind,
    /// The rule's id; for vendor alerts `vendor:<product>:<name>`.
    pub rule_id: Arc<str>,
    /// The rule's title.
    pub rule_title: Arc<str>,
    /// The rule's author, shown with every alert (Detection Rule License 1.1, §2).
    pub rule_author: Option<Arc<str>>,
    /// A hash of the rule's text.
    pub rule_version: Arc<str>,
    /// Level.
    pub level: Level,
    /// Status of the rule.
    pub status: RuleStatus,
    /// Tags, `attack.t1059.001` among them.
    pub tags: Vec<Arc<str>>,
    /// Time of the event that completed it.
    pub time: Timestamp,
    /// When that event was received.
    pub received: Timestamp,
    /// When it was evaluated.
    pub detected: Timestamp,
    /// Contributing events, the completing one last.
    pub events: Vec<EventId>,
    /// Source of the completing event.
    pub source: Arc<str>,
    /// Log types of the completing event, as text.
    pub log_types: Vec<String>,
    /// Why it fired.
    pub matches: Vec<MatchedField>,
    /// Whom it concerns.
    pub entities: Entities,
    /// The import or rule run it belongs to, if it is history.
    pub run: Option<RunId>,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word that the standard uses.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
        impl FromStr for $type {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                $(if text.eq_ignore_ascii_case($word) { return Ok(Self::$variant); })+
                Err(())
            }
        }
    };
}

words!(DetectionKind { Rule = "rule", VendorAlert = "vendor_alert" });
words!(Level { Informational = "informational", Low = "low", Medium = "medium", High = "high", Critical = "critical" });
words!(RuleStatus {
    Stable = "stable",
    Test = "test",
    Experimental = "experimental",
    Deprecated = "deprecated",
    Unsupported = "unsupported",
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordId;

    #[test]
    fn same_rule_and_event_is_the_same_detection() {
        let event = EventId { record: RecordId { epoch: 1, offset: 2 }, index: 3 };
        assert_eq!(DetectionId::of("rule", event), DetectionId::of("rule", event));
        assert_ne!(DetectionId::of("rule", event), DetectionId::of("rule", EventId { index: 4, ..event }));
    }
}
