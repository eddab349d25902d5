//! Loaded rules and what is wrong with the others.

use crate::coverage::accepts;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use tandem_base::hex;
use tandem_model::{Level, LogType, RuleStatus};
use tandem_sigma::{Loader, Readiness, Rule};

/// A rule that can be evaluated, or that waits for placeholder values.
#[derive(Debug)]
pub struct LoadedRule {
    /// The rule's `id`; where it has none, `sha256:` and a hash of its text.
    pub id: Arc<str>,
    /// Title.
    pub title: Arc<str>,
    /// Author.
    pub author: Option<Arc<str>>,
    /// A hash of the file's text: changes when the rule does.
    pub version: Arc<str>,
    /// Level; a rule without one is `informational`.
    pub level: Level,
    /// Status; a rule without one is `experimental`.
    pub status: RuleStatus,
    /// Tags: those that the rule names, and the one that its folder stands for.
    pub tags: Vec<Arc<str>>,
    /// The text of its file.
    pub text: Arc<str>,
    /// The compiled rule.
    pub rule: Arc<Rule>,
}

impl LoadedRule {
    /// Whether it can run; else which placeholders it waits for.
    pub fn needs_values(&self) -> Option<Vec<&str>> {
        match self.rule.readiness() {
            Readiness::Ready => None,
            Readiness::NeedsValues(names) => Some(names.iter().map(String::as_str).collect()),
        }
    }

    /// Which of an event's log types the rule reads: the first that it accepts. A rule that names category *and*
    /// service is met by two types of the same event, one with each; it then reads the one with the category,
    /// since categories bring the field names.
    pub fn reads(&self, types: &[LogType]) -> Option<usize> {
        if let Some(index) = types.iter().position(|log_type| accepts(self, log_type)) {
            return Some(index);
        }
        let source = &self.rule.logsource;
        let (category, service) = (source.category.as_deref()?, source.service.as_deref()?);
        let same = |part: &Option<Arc<str>>, wanted: &str| {
            part.as_deref().is_some_and(|part| part.eq_ignore_ascii_case(wanted))
        };
        let product =
            |log_type: &LogType| source.product.as_deref().is_none_or(|wanted| same(&log_type.product, wanted));
        types.iter().find(|log_type| product(log_type) && same(&log_type.service, service))?;
        types.iter().position(|log_type| product(log_type) && same(&log_type.category, category))
    }
}

/// Why a rule was not loaded, or what is doubtful about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// File.
    pub file: String,
    /// The rule's id, where it could be read.
    pub rule_id: Option<String>,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub reason: String,
    /// Whether the rule cannot be used; else it is a warning.
    pub fatal: bool,
}

/// A set of rules. The same id twice: the first one stays, the second is reported.
#[derive(Debug, Default)]
pub struct Rules {
    /// Rules in the order of loading.
    pub rules: Vec<Arc<LoadedRule>>,
    /// Everything that was wrong.
    pub problems: Vec<RuleProblem>,
    ids: HashSet<Arc<str>>,
}

impl Rules {
    /// No rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads one file's text.
    pub fn add(&mut self, loader: &Loader, file: &str, text: &str) {
        let (rules, problems) = loader.parse_rules(file, text);
        for problem in problems {
            let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            self.problems.push(RuleProblem {
                file: file.to_owned(),
                rule_id: None,
                line: problem.position.line,
                reason: format!("{}{hint}", problem.message),
                fatal: problem.severity() == tandem_sigma::Severity::Error,
            });
        }
        let version: Arc<str> = hex(&Sha256::digest(text.as_bytes())[..8]).into();
        let whole: Arc<str> = text.into();
        let by_folder = folder_tag(file);
        for rule in rules {
            let id: Arc<str> =
                rule.id.as_deref().map_or_else(|| format!("sha256:{version}:{}", rule.position.line).into(), Arc::from);
            if !self.ids.insert(Arc::clone(&id)) {
                self.problems.push(RuleProblem {
                    file: file.to_owned(),
                    rule_id: Some(id.to_string()),
                    line: rule.position.line,
                    reason: format!("a rule with the id {id} is loaded already; this one is left out"),
                    fatal: true,
                });
                continue;
            }
            let mut tags: Vec<Arc<str>> = rule.tags.iter().map(|tag| Arc::from(tag.as_str())).collect();
            if let Some(tag) = by_folder.filter(|tag| !tags.iter().any(|each| each.eq_ignore_ascii_case(tag))) {
                tags.push(tag.into());
            }
            self.rules.push(Arc::new(LoadedRule {
                id,
                title: rule.title.as_str().into(),
                author: rule.author.as_deref().map(Arc::from),
                version: Arc::clone(&version),
                level: rule.level.map_or(Level::Informational, level),
                status: rule.status.map_or(RuleStatus::Experimental, status),
                tags,
                text: Arc::clone(&whole),
                rule: Arc::new(rule),
            }));
        }
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<LoadedRule>> {
        self.rules.iter().find(|rule| &*rule.id == id)
    }
}

/// SigmaHQ sorts rules that are no alarms into folders of their own and does not tag all of them. The alert policy knows
/// tags alone, so the folder becomes the tag that says the same.
fn folder_tag(file: &str) -> Option<&'static str> {
    Path::new(file).parent()?.iter().find_map(|part| match part.to_str()? {
        "rules-compliance" => Some("detection.compliance"),
        "rules-threat-hunting" => Some("detection.threat-hunting"),
        _ => None,
    })
}

fn level(level: tandem_sigma::Level) -> Level {
    level.as_str().parse().unwrap_or_default()
}

fn status(status: tandem_sigma::Status) -> RuleStatus {
    status.as_str().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_no_alarms_tags_its_rules() {
        let text = |id: u8, tags: &str| {
            format!(
                "title: R{id}\nid: 0000000{id}-0000-4000-8000-000000000000\n{tags}logsource:\n  product: windows\ndetection:\n  s:\n    A: 1\n  condition: s\nlevel: high\n"
            )
        };
        let mut rules = Rules::new();
        let loader = Loader::new();
        rules.add(&loader, "content/rules/sigma/rules-compliance/product/a.yml", &text(1, ""));
        rules.add(&loader, "rules-threat-hunting/b.yml", &text(2, "tags:\n  - Detection.Threat-Hunting\n"));
        rules.add(&loader, "content/rules/windows/rules-compliance.yml", &text(3, "tags:\n  - attack.impact\n"));
        let tags: Vec<Vec<&str>> =
            rules.rules.iter().map(|rule| rule.tags.iter().map(AsRef::as_ref).collect()).collect();
        assert_eq!(tags, [vec!["detection.compliance"], vec!["Detection.Threat-Hunting"], vec!["attack.impact"]]);
    }
}
