//! What is wrong with a rule: code, place, sentence, and what to do about it.

use std::fmt;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The rule works, but something in it deserves a look.
    Warning,
    /// The rule is understood, but cannot run until somebody supplies the values of a placeholder.
    NeedsValues,
    /// The rule is not loaded.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::NeedsValues => "needs values",
            Self::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident;)*) => {
        /// The kind of a problem. Its text (see [`Code::as_str`]) is stable: programs may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable text of this code, such as `yaml-syntax`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How much a problem of this kind matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    /// A bound of [`Limits`](crate::Limits) was passed.
    Limit = "limit", Error;
    /// The text is not YAML.
    YamlSyntax = "yaml-syntax", Error;
    /// A key stands twice in one map.
    YamlDuplicateKey = "yaml-duplicate-key", Error;
    /// A map key is a list, a map, or a merge key.
    YamlKey = "yaml-key", Error;
    /// A YAML tag that has no meaning in a rule.
    YamlTag = "yaml-tag", Error;
    /// The text holds no document.
    NoRule = "no-rule", Error;
    /// A document is a correlation, where only plain rules are read.
    CorrelationDocument = "correlation-document", Error;
    /// A document is a filter, where only plain rules are read.
    FilterDocument = "filter-document", Error;
    /// A document is an anomaly rule, where only plain rules are read.
    AnomalyDocument = "anomaly-document", Error;
    /// A document uses `action:` of Sigma version 1.
    ActionDocument = "action-document", Error;
    /// A mandatory part of the rule is missing.
    Missing = "missing", Error;
    /// A part of the rule has the wrong type (a list where text is expected, and so on).
    WrongType = "wrong-type", Error;
    /// `level` is none of the five words.
    UnknownLevel = "unknown-level", Error;
    /// Two rules of one text carry the same `id` or `name`.
    DuplicateRule = "duplicate-rule", Error;
    /// A list, map or keyword is empty.
    Empty = "empty", Error;
    /// A modifier is not known.
    UnknownModifier = "unknown-modifier", Error;
    /// Modifiers do not go together, or not in this order.
    ModifierCombination = "modifier-combination", Error;
    /// The value does not fit its modifier (text under `gt`, a list under `exists`).
    ModifierValue = "modifier-value", Error;
    /// A regular expression is wrong or too large.
    Regex = "regex", Error;
    /// A regular expression uses look-around, back-references or another feature that is not run.
    RegexUnsupported = "regex-unsupported", Error;
    /// A network is not in CIDR notation.
    Cidr = "cidr", Error;
    /// A condition does not follow the grammar.
    ConditionSyntax = "condition-syntax", Error;
    /// A condition pipes into an aggregation of Sigma version 1.
    ConditionAggregation = "condition-aggregation", Error;
    /// A condition names a selection that the rule does not have.
    UnknownSelection = "unknown-selection", Error;
    /// `detection` holds `timeframe` of Sigma version 1.
    Timeframe = "timeframe", Error;
    /// A correlation names a rule that is not there.
    UnknownRule = "unknown-rule", Error;
    /// Correlations refer to each other in a circle.
    CorrelationCycle = "correlation-cycle", Error;
    /// There is no correlation or anomaly of this type.
    UnknownType = "unknown-type", Error;
    /// A span of time does not have the form of the specification.
    Timespan = "timespan", Error;
    /// The condition of a correlation cannot be understood, or can never hold.
    CorrelationCondition = "correlation-condition", Error;
    /// An alias of a correlation does not fit its rules.
    Alias = "alias", Error;
    /// A part of an anomaly rule has a value that it cannot have.
    AnomalyValue = "anomaly-value", Error;
    /// A placeholder has no values yet.
    NeedsValues = "needs-values", NeedsValues;
    /// A metadata field does not have the form that the specification asks for.
    Metadata = "metadata", Warning;
    /// A key looks like a misspelt key of the specification.
    MisspeltKey = "misspelt-key", Warning;
    /// A selection is in no condition.
    UnusedSelection = "unused-selection", Warning;
    /// A modifier changes nothing here.
    ModifierWithoutEffect = "modifier-without-effect", Warning;
    /// `null` stands in a list.
    NullInList = "null-in-list", Warning;
    /// A value matches everything, or nothing.
    ValueSuspicious = "value-suspicious", Warning;
    /// The log source names neither product, category nor service.
    LogsourceOpen = "logsource-open", Warning;
    /// A correlation has no `group-by`, so that all events count together.
    Ungrouped = "ungrouped", Warning;
    /// A rule of another text does not alert by itself any more, since a correlation refers to it.
    RuleSilenced = "rule-silenced", Warning;
    /// A filter has no `not`, so that it keeps what it describes instead of leaving it out.
    FilterWithoutNot = "filter-without-not", Warning;
    /// A filter names a rule that is not there, or that it cannot be applied to.
    FilterUnused = "filter-unused", Warning;
    /// More problems were found than are listed.
    MoreProblems = "more-problems", Warning;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in a text: line and column count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One thing that is wrong, or worth a look, in a rule text.
///
/// Printed as `rules/a.yml:12:9: error[unknown-modifier]: there is no modifier …`; the hint is for
/// a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}:{position}: {}[{code}]: {message}", code.severity())]
pub struct Problem {
    /// Kind of the problem.
    pub code: Code,
    /// The name that the caller gave to the text, usually a file name.
    pub source_name: String,
    /// Where it is.
    pub position: Position,
    /// One lower-case sentence.
    pub message: String,
    /// What to do about it, if that can be said.
    pub hint: Option<String>,
}

impl Problem {
    /// How much the problem matters.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Collects problems of one text; bounded, so that a hostile text cannot fill the memory with them.
pub(crate) struct Problems<'a> {
    source_name: &'a str,
    list: Vec<Problem>,
    error_count: usize,
    left_out: usize,
}

/// Most problems of one text that are listed.
pub const PROBLEMS_MAX: usize = 1000;

impl<'a> Problems<'a> {
    pub(crate) fn new(source_name: &'a str) -> Self {
        Self { source_name, list: Vec::new(), error_count: 0, left_out: 0 }
    }

    pub(crate) fn add(&mut self, code: Code, position: Position, message: impl Into<String>) {
        self.push(code, position, &message.into(), None);
    }

    pub(crate) fn add_with_hint(
        &mut self,
        code: Code,
        position: Position,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(code, position, &message.into(), Some(hint.into()));
    }

    fn push(&mut self, code: Code, position: Position, message: &str, hint: Option<String>) {
        self.error_count += usize::from(code.severity() == Severity::Error);
        if self.list.len() >= PROBLEMS_MAX {
            self.left_out += 1;
            return;
        }
        let source_name = self.source_name.to_owned();
        let message = cut(message, MESSAGE_CHARACTERS_MAX);
        self.list.push(Problem { code, source_name, position, message, hint });
    }

    /// Errors so far, those left out included.
    pub(crate) fn error_count(&self) -> usize {
        self.error_count
    }

    /// The problems in the order of the text.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| problem.position);
        if let (Some(last), 1..) = (self.list.last(), self.left_out) {
            let left_out = self.left_out;
            self.list.push(Problem {
                code: Code::MoreProblems,
                message: format!("there are {left_out} more problems"),
                hint: Some("mend the first ones and try again".to_owned()),
                ..last.clone()
            });
        }
        self.list
    }
}

/// Messages quote the rule; what is longer is cut.
const MESSAGE_CHARACTERS_MAX: usize = 400;

/// A text of the rule, short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    cut(text, 80)
}

fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
