//! Filters: conditions that are added to many rules at once.

use std::collections::BTreeSet;

use crate::compile::compile;
use crate::condition::{Condition, Quantity};
use crate::correlation::{Reference, Section};
use crate::detection::{Detection, Selection};
use crate::heading::Heading;
use crate::limits::Limits;
use crate::logsource::LogSource;
use crate::placeholder::Placeholders;
use crate::problem::{Code, Problems};
use crate::rule::Rule;
use crate::yaml::{Content, Entry, Node};

/// A filter: its condition is ANDed to the rules that it refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Title, identifiers and so on.
    pub heading: Heading,
    /// Log source: the filter is for rules that name the same.
    pub logsource: LogSource,
    /// The rules that it is added to.
    pub rules: FilterRules,
    /// Its selections and condition.
    pub detection: Detection,
    /// Placeholders that have no values yet; such a filter is not applied.
    pub needs_values: BTreeSet<String>,
}

/// Which rules a filter is added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterRules {
    /// `any`: every rule of the log source.
    Any,
    /// These.
    Listed(Vec<Reference>),
}

/// Reads the `filter` section; `about` has what the other keys say.
pub(crate) fn parse(
    entry: &Entry,
    about: Rule,
    limits: &Limits,
    placeholders: &Placeholders,
    problems: &mut Problems<'_>,
) -> Option<Filter> {
    let mut section = Section::new("filter", entry, problems)?;
    let rules = section.references("rules");
    let rules = match rules {
        None => {
            section.missing("rules", "list the ids or names of rules, or write 'rules: any' for all of the log source");
            FilterRules::Listed(Vec::new())
        }
        Some(references) => match references.as_slice() {
            [only] if only.text.eq_ignore_ascii_case("any") => FilterRules::Any,
            _ => FilterRules::Listed(references),
        },
    };
    let Content::Map(entries) = &entry.value.content else { return None };
    let detection = entries.iter().filter(|entry| entry.key != "rules").cloned().collect();
    let node = Node { position: entry.key_position, content: Content::Map(detection) };
    let compiled = compile(&node, limits, placeholders, section.problems)?;
    let detection = compiled.detection;
    if !detection.conditions.is_empty() && !detection.conditions.iter().any(has_not) {
        let place =
            entries.iter().find(|entry| entry.key == "condition").map_or(entry.value.position, |c| c.value.position);
        section.problems.add_with_hint(
            Code::FilterWithoutNot,
            place,
            "the condition is added with 'and' as it is written, so the rules then match only what the filter describes",
            "to leave out what it describes, as in the example of the specification, write 'not selection'",
        );
    }
    let logsource = about.logsource.clone();
    Some(Filter { heading: Heading::of(about), logsource, rules, detection, needs_values: compiled.needs_values })
}

fn has_not(condition: &Condition) -> bool {
    match condition {
        Condition::Not(_) => true,
        Condition::Or(parts) | Condition::And(parts) => parts.iter().any(has_not),
        Condition::Selection(_) | Condition::Of(..) => false,
    }
}

impl Filter {
    /// Whether the filter is meant for rules of this log source: every dimension that the filter names must
    /// be named by the rule too, with the same word.
    pub fn suits(&self, rule: &LogSource) -> bool {
        self.logsource.matches(rule.product.as_deref(), rule.category.as_deref(), rule.service.as_deref())
    }

    /// Adds the filter to a rule: each of the rule's conditions must hold together with the filter's.
    pub fn apply_to(&self, rule: &mut Rule) {
        let detection = &mut rule.detection;
        let taken: BTreeSet<String> = detection.selections.iter().map(|selection| selection.name.clone()).collect();
        let mut title = self.heading.title.clone();
        while self.detection.selections.iter().any(|selection| taken.contains(&qualified(&title, &selection.name))) {
            title.push('\'');
        }
        let own: Vec<String> = detection.selections.iter().map(|selection| selection.name.clone()).collect();
        let theirs: Vec<String> = self.detection.selections.iter().map(|selection| selection.name.clone()).collect();
        let rename = |name: &str| qualified(&title, name);
        let mut filters: Vec<Condition> =
            self.detection.conditions.iter().map(|condition| spelled_out(condition, &theirs, &rename)).collect();
        let filter = if filters.len() == 1 { filters.remove(0) } else { Condition::Or(filters) };
        for condition in &mut detection.conditions {
            let before = spelled_out(condition, &own, &str::to_owned);
            *condition = match before {
                Condition::And(mut parts) => {
                    parts.push(filter.clone());
                    Condition::And(parts)
                }
                other => Condition::And(vec![other, filter.clone()]),
            };
        }
        detection.selections.extend(
            self.detection
                .selections
                .iter()
                .map(|selection| Selection { name: rename(&selection.name), ..selection.clone() }),
        );
    }
}

fn qualified(title: &str, name: &str) -> String {
    format!("{title}: {name}")
}

/// The condition with every `of` written out and every name put through `rename`, so that it means the same
/// beside other selections.
fn spelled_out(condition: &Condition, names: &[String], rename: &dyn Fn(&str) -> String) -> Condition {
    let inner = |parts: &[Condition]| parts.iter().map(|part| spelled_out(part, names, rename)).collect();
    match condition {
        Condition::Or(parts) => Condition::Or(inner(parts)),
        Condition::And(parts) => Condition::And(inner(parts)),
        Condition::Not(part) => Condition::Not(Box::new(spelled_out(part, names, rename))),
        Condition::Selection(name) => Condition::Selection(rename(name)),
        Condition::Of(quantity, target) => {
            let meant = names.iter().filter(|name| target.includes(name));
            let mut meant: Vec<Condition> = meant.map(|name| Condition::Selection(rename(name))).collect();
            match (meant.len(), quantity) {
                (1, _) => meant.remove(0),
                (_, Quantity::One) => Condition::Or(meant),
                (_, Quantity::All) => Condition::And(meant),
            }
        }
    }
}
