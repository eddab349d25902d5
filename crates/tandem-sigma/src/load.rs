//! From a text to rules: documents, metadata, and all problems at once.

use std::collections::HashMap;

use crate::compile::{Compiled, compile};
use crate::detection::Detection;
use crate::limits::Limits;
use crate::metadata;
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
        let mut rule = Rule {
            source_name: source_name.to_owned(),
            position: place,
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
            logsource: crate::LogSource::default(),
            display_fields: Vec::new(),
            falsepositives: Vec::new(),
            level: None,
            tags: Vec::new(),
            related: Vec::new(),
            scope: Vec::new(),
            detection: Detection { selections: Vec::new(), conditions: Vec::new() },
            readiness: Readiness::Ready,
        };
        metadata::read(&mut rule, place, entries, problems);
        if let Some(compiled) = self.detection(place, entries, problems) {
            rule.detection = compiled.detection;
            if !compiled.needs_values.is_empty() {
                rule.readiness = Readiness::NeedsValues(compiled.needs_values);
            }
        }
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

/// Keys that make a document something other than a plain rule.
fn is_other_kind(key: &str) -> bool {
    matches!(key, "correlation" | "filter" | "action")
}

fn report_other_kind(entry: &Entry, problems: &mut Problems<'_>) {
    let (code, message, hint) = match entry.key.as_str() {
        "correlation" => (
            Code::CorrelationDocument,
            "this is a correlation rule, and correlations are not run yet",
            "the plain rules that it refers to can be loaded by themselves",
        ),
        "filter" => (
            Code::FilterDocument,
            "this is a filter, and filters are not applied yet",
            "until then add the exception to the rules themselves",
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
