//! From a text to rules: documents, metadata, and all problems at once.

use std::collections::HashMap;

use crate::anomaly::{self, AnomalyRule};
use crate::compile::{Compiled, compile};
use crate::correlation::{self, CorrelationRule};
use crate::filter::{self, Filter};
use crate::heading::Heading;
use crate::limits::Limits;
use crate::metadata::{self, Kind};
use crate::placeholder::Placeholders;
use crate::problem::{Code, Position, Problem, Problems};
use crate::rule::{Readiness, Rule};
use crate::yaml::{self, Content, Document, Entry};

/// Loads rules, with bounds and with the values of placeholders.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    limits: Limits,
    placeholders: Placeholders,
}

/// Loads every rule of a YAML text with the default limits and without placeholders.
///
/// `source_name` is the name of the text in problems, usually a file name. A text may hold
/// several documents. Rules with an error are left out, and each error is reported; rules that
/// wait for placeholders are there, but not ready.
pub fn parse_rules(source_name: &str, text: &str) -> (Vec<Rule>, Vec<Problem>) {
    Loader::new().parse_rules(source_name, text)
}

impl Loader {
    /// A loader with the default limits and without placeholders.
    pub fn new() -> Self {
        Self::default()
    }

    /// The loader with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The loader with values for placeholders.
    #[must_use]
    pub fn with_placeholders(mut self, placeholders: Placeholders) -> Self {
        self.placeholders = placeholders;
        self
    }

    /// Like [`parse_rules`], with this loader's limits and placeholders.
    pub fn parse_rules(&self, source_name: &str, text: &str) -> (Vec<Rule>, Vec<Problem>) {
        let mut problems = Problems::new(source_name);
        let documents = yaml::parse(text, &self.limits, &mut problems);
        if documents.iter().all(Document::is_empty) && problems.error_count() == 0 {
            let start = Position { line: 1, column: 1 };
            problems.add(Code::NoRule, start, "the text holds no rule");
        }
        let mut rules = Vec::new();
        // `---` with nothing but comments behind it is no rule, and no mistake.
        for document in documents.iter().filter(|document| !document.is_empty()) {
            rules.extend(self.rule(source_name, document, &mut problems));
        }
        drop_duplicates(&mut rules, &mut problems);
        (rules, problems.into_sorted())
    }

    /// Reads every document of a text: rules, correlations, filters and anomaly rules. Only the form of
    /// each is looked at; what refers to another document is resolved by a
    /// [`RuleSet`](crate::RuleSet).
    pub fn parse(&self, source_name: &str, text: &str) -> Documents {
        let mut problems = Problems::new(source_name);
        let documents = yaml::parse(text, &self.limits, &mut problems);
        if documents.iter().all(Document::is_empty) && problems.error_count() == 0 {
            let start = Position { line: 1, column: 1 };
            problems.add(Code::NoRule, start, "the text holds no rule");
        }
        let mut found = Documents::default();
        for document in documents.iter().filter(|document| !document.is_empty()) {
            match (kind_of(document), &document.root.content) {
                (Some(Kind::Correlation), Content::Map(entries)) => {
                    found.correlations.extend(self.correlation(source_name, document, entries, &mut problems));
                }
                (Some(Kind::Filter), Content::Map(entries)) => {
                    found.filters.extend(self.filter(source_name, document, entries, &mut problems));
                }
                (Some(Kind::Anomaly), Content::Map(entries)) => {
                    found.anomalies.extend(self.anomaly(source_name, document, entries, &mut problems));
                }
                _ => found.rules.extend(self.rule(source_name, document, &mut problems)),
            }
        }
        found.problems = problems.into_sorted();
        found
    }

    fn rule(&self, source_name: &str, document: &Document, problems: &mut Problems<'_>) -> Option<Rule> {
        let place = document.root.position;
        let Content::Map(entries) = &document.root.content else {
            let found = document.root.type_name();
            problems.add_with_hint(
                Code::WrongType,
                place,
                format!("a rule must be a map, not {found}"),
                "begin with 'title: …'",
            );
            return None;
        };
        if let Some(entry) = entries.iter().find(|entry| is_other_kind(&entry.key)) {
            report_other_kind(entry, problems);
            return None;
        }
        let errors_before = problems.error_count();
        let mut rule = Rule::empty(source_name, place);
        metadata::read(Kind::Rule, &mut rule, place, entries, problems);
        if let Some(compiled) = self.detection(place, entries, problems) {
            rule.detection = compiled.detection;
            if !compiled.needs_values.is_empty() {
                rule.readiness = Readiness::NeedsValues(compiled.needs_values);
            }
        }
        (document.sound && problems.error_count() == errors_before).then_some(rule)
    }

    fn correlation(
        &self,
        source_name: &str,
        document: &Document,
        entries: &[Entry],
        problems: &mut Problems<'_>,
    ) -> Option<CorrelationRule> {
        let errors_before = problems.error_count();
        let mut rule = Rule::empty(source_name, document.root.position);
        metadata::read(Kind::Correlation, &mut rule, document.root.position, entries, problems);
        let entry = entries.iter().find(|entry| entry.key == Kind::Correlation.key())?;
        let generate = entries.iter().find(|entry| entry.key == "generate");
        let correlation = correlation::parse(entry, generate, &self.limits, problems)?;
        let rule = CorrelationRule { heading: Heading::of(rule), correlation };
        (document.sound && problems.error_count() == errors_before).then_some(rule)
    }

    fn filter(
        &self,
        source_name: &str,
        document: &Document,
        entries: &[Entry],
        problems: &mut Problems<'_>,
    ) -> Option<Filter> {
        let errors_before = problems.error_count();
        let mut rule = Rule::empty(source_name, document.root.position);
        metadata::read(Kind::Filter, &mut rule, document.root.position, entries, problems);
        let entry = entries.iter().find(|entry| entry.key == Kind::Filter.key())?;
        let filter = filter::parse(entry, rule, &self.limits, &self.placeholders, problems)?;
        (document.sound && problems.error_count() == errors_before).then_some(filter)
    }

    fn anomaly(
        &self,
        source_name: &str,
        document: &Document,
        entries: &[Entry],
        problems: &mut Problems<'_>,
    ) -> Option<AnomalyRule> {
        let errors_before = problems.error_count();
        let place = document.root.position;
        let mut rule = Rule::empty(source_name, place);
        metadata::read(Kind::Anomaly, &mut rule, place, entries, problems);
        let entry = entries.iter().find(|entry| entry.key == Kind::Anomaly.key())?;
        if entries.iter().any(|entry| entry.key == Kind::Rule.key())
            && let Some(compiled) = self.detection(place, entries, problems)
        {
            rule.detection = compiled.detection;
            if !compiled.needs_values.is_empty() {
                rule.readiness = Readiness::NeedsValues(compiled.needs_values);
            }
        }
        let anomaly = anomaly::parse(entry, problems)?;
        let rule = AnomalyRule { rule, anomaly };
        (document.sound && problems.error_count() == errors_before).then_some(rule)
    }

    fn detection(&self, place: Position, entries: &[Entry], problems: &mut Problems<'_>) -> Option<Compiled> {
        let Some(entry) = entries.iter().find(|entry| entry.key == "detection") else {
            problems.add_with_hint(
                Code::Missing,
                place,
                "the rule has no 'detection'",
                "add 'detection:' with a selection and a condition",
            );
            return None;
        };
        compile(&entry.value, &self.limits, &self.placeholders, problems)
    }
}

/// What the documents of a text are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    /// Plain rules.
    pub rules: Vec<Rule>,
    /// Correlations.
    pub correlations: Vec<CorrelationRule>,
    /// Filters.
    pub filters: Vec<Filter>,
    /// Anomaly rules.
    pub anomalies: Vec<AnomalyRule>,
    /// What is wrong, in the order of the text.
    pub problems: Vec<Problem>,
}

/// What a document is by the first key that decides it; `None` if it is no map or uses `action`.
fn kind_of(document: &Document) -> Option<Kind> {
    let Content::Map(entries) = &document.root.content else { return None };
    if entries.iter().any(|entry| entry.key == "action") {
        return None;
    }
    let has = |kind: &Kind| entries.iter().any(|entry| entry.key == kind.key());
    Some([Kind::Correlation, Kind::Filter, Kind::Anomaly].into_iter().find(has).unwrap_or(Kind::Rule))
}

/// Keys that make a document something other than a plain rule.
fn is_other_kind(key: &str) -> bool {
    matches!(key, "correlation" | "filter" | "anomaly" | "action")
}

fn report_other_kind(entry: &Entry, problems: &mut Problems<'_>) {
    let (code, message, hint) = match entry.key.as_str() {
        "correlation" => (
            Code::CorrelationDocument,
            "this is a correlation, and only plain rules are read here",
            "load it together with the rules that it refers to, as a rule set",
        ),
        "filter" => (
            Code::FilterDocument,
            "this is a filter, and only plain rules are read here",
            "load it together with the rules that it refers to, as a rule set",
        ),
        "anomaly" => (
            Code::AnomalyDocument,
            "this is an anomaly rule, and only plain rules are read here",
            "load it as part of a rule set",
        ),
        _ => (
            Code::ActionDocument,
            "'action' (global, reset, repeat) belongs to Sigma version 1",
            "write what the documents share into each of them",
        ),
    };
    problems.add_with_hint(code, entry.key_position, message, hint);
}

/// Leaves out rules whose `id` or `name` an earlier rule of the text has.
fn drop_duplicates(rules: &mut Vec<Rule>, problems: &mut Problems<'_>) {
    let mut seen: HashMap<(&'static str, String), Position> = HashMap::new();
    rules.retain(|rule| {
        for (key, value) in [("id", &rule.id), ("name", &rule.name)] {
            let Some(value) = value else { continue };
            if let Some(first) = seen.get(&(key, value.clone())) {
                problems.add_with_hint(
                    Code::DuplicateRule,
                    rule.position,
                    format!("the rule has the same {key} as the one at line {}: '{value}'", first.line),
                    "give each rule its own",
                );
                return false;
            }
        }
        for (key, value) in [("id", &rule.id), ("name", &rule.name)] {
            if let Some(value) = value {
                seen.insert((key, value.clone()), rule.position);
            }
        }
        true
    });
}
