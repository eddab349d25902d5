//! A rule: what it says about itself, and its compiled detection.

use std::collections::BTreeSet;

use crate::detection::Detection;
use crate::event::Event;
use crate::explain::{Match, explain};
use crate::logsource::LogSource;
use crate::problem::Position;
use crate::words::detection_in_words;

/// A loaded rule, ready to be evaluated (see [`Rule::readiness`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name that the caller gave to the text, usually a file name.
    pub source_name: String,
    /// Where the rule begins in the text.
    pub position: Position,
    /// `title`
    pub title: String,
    /// `id`, usually a UUID.
    pub id: Option<String>,
    /// `name`, by which correlations refer to the rule.
    pub name: Option<String>,
    /// `taxonomy`; `None` is the default, `sigma`.
    pub taxonomy: Option<String>,
    /// `status`
    pub status: Option<Status>,
    /// `description`
    pub description: Option<String>,
    /// `license`, an SPDX expression.
    pub license: Option<String>,
    /// `author`, as written (several are separated by commas).
    pub author: Option<String>,
    /// `references`
    pub references: Vec<String>,
    /// `date`, as written.
    pub date: Option<String>,
    /// `modified`, as written.
    pub modified: Option<String>,
    /// `logsource`
    pub logsource: LogSource,
    /// `fields`: fields worth showing to an analyst. (For those that the rule tests see
    /// [`Rule::fields`].)
    pub display_fields: Vec<String>,
    /// `falsepositives`
    pub falsepositives: Vec<String>,
    /// `level`
    pub level: Option<Level>,
    /// `tags`, such as `attack.t1059`.
    pub tags: Vec<String>,
    /// `related`
    pub related: Vec<Related>,
    /// `scope`
    pub scope: Vec<String>,
    /// `detection`, compiled.
    pub detection: Detection,
    pub(crate) readiness: Readiness,
}

/// Whether a rule can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It cannot: these placeholders have no values yet. Such a rule matches nothing.
    NeedsValues(BTreeSet<String>),
}

impl Rule {
    /// A rule that says and finds nothing yet.
    pub(crate) fn empty(source_name: &str, position: Position) -> Self {
        Self {
            source_name: source_name.to_owned(),
            position,
            title: String::new(),
            id: None,
            name: None,
            taxonomy: None,
            status: None,
            description: None,
            license: None,
            author: None,
            references: Vec::new(),
            date: None,
            modified: None,
            logsource: LogSource::default(),
            display_fields: Vec::new(),
            falsepositives: Vec::new(),
            level: None,
            tags: Vec::new(),
            related: Vec::new(),
            scope: Vec::new(),
            detection: Detection { selections: Vec::new(), conditions: Vec::new() },
            readiness: Readiness::Ready,
        }
    }

    /// The rule's `id`, else its `name`, else its title: what problems and detections call it.
    pub fn identifier(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or(&self.title)
    }

    /// Whether the rule can run, or which placeholders it waits for.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Why the rule fires for the event; `None` if it does not. The log source is not looked at:
    /// see [`LogSource::matches`].
    pub fn evaluate(&self, event: &dyn Event) -> Option<Match> {
        if self.readiness != Readiness::Ready {
            return None;
        }
        let condition = self.detection.first_condition(event)?;
        Some(explain(&self.detection, condition, event))
    }

    /// Whether the rule fires for the event, without the reasons.
    pub fn fires(&self, event: &dyn Event) -> bool {
        self.readiness == Readiness::Ready && self.detection.holds(event)
    }

    /// The fields that the rule tests, those that others are compared with included.
    pub fn fields(&self) -> BTreeSet<&str> {
        self.detection.fields()
    }

    /// The detection as an English sentence. Lists of more than
    /// [`LIST_SHOWN_MAX`](crate::LIST_SHOWN_MAX) values are cut.
    pub fn in_words(&self) -> String {
        detection_in_words(&self.detection)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            pub(crate) const WORDS: &[&str] = &[$($text,)*];

            /// Reads the word of the specification.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }

            /// The word of the specification.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How severe a match is, in rising order.
    Level {
        /// Enriches events; no alert.
        Informational = "informational",
        /// Notable, rarely an incident.
        Low = "low",
        /// To be reviewed more often.
        Medium = "medium",
        /// Requires a prompt review.
        High = "high",
        /// Indicates an incident.
        Critical = "critical",
    }
}

words! {
    /// How mature a rule is.
    Status {
        /// For production.
        Stable = "stable",
        /// Mostly stable.
        Test = "test",
        /// May be noisy.
        Experimental = "experimental",
        /// Replaced by another rule.
        Deprecated = "deprecated",
        /// Cannot be used in its current state.
        Unsupported = "unsupported",
    }
}

words! {
    /// How a rule relates to another.
    Relation {
        /// It was derived from the other, which stays active.
        Derived = "derived",
        /// It makes the other obsolete.
        Obsolete = "obsolete",
        /// It was merged from the others.
        Merged = "merged",
        /// It had the other identifier before.
        Renamed = "renamed",
        /// It is similar.
        Similar = "similar",
    }
}

/// A relation to another rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The other rule's identifier.
    pub id: String,
    /// How the two relate.
    pub relation: Relation,
}
