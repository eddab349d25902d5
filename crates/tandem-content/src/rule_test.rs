//! Tests of a rule as data: records that it must find, and records that look alike and that it must leave alone.

use crate::workbench::{RECEIVED, Workbench, record};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tandem_detect::{Detector, LoadedRule};
use tandem_model::{DetectionKind, Record, Transport};
use tandem_parse::Parsers;

/// The records of one rule (`docs/formats/rule_test.md`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// Each must fire the rule.
    #[serde(default)]
    pub positive: Vec<Example>,
    /// None may fire the rule.
    #[serde(default)]
    pub negative: Vec<Example>,
}

/// One or more records as a sender sends them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows; needed for a negative one.
    pub name: Option<String>,
    /// The text of one record.
    text: Option<String>,
    /// Records, one a line: of one audit event, for instance.
    lines: Option<String>,
    /// One record that is JSON, written as YAML.
    json: Option<serde_json::Value>,
    /// How it comes; `syslog-udp` for text, `http` for JSON.
    transport: Option<String>,
    /// What the transport knows about it.
    #[serde(default)]
    facts: BTreeMap<String, String>,
    /// Titles of other rules that fire too.
    #[serde(default)]
    pub also: Vec<String>,
}

/// Why the file of a test cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleTestError {
    /// Not YAML of this form.
    #[error("the rule test cannot be read: {0}")]
    Syntax(String),
    /// Not exactly one of the three forms.
    #[error("{0}: write one of `text`, `lines` and `json`")]
    Form(String),
    /// Unknown word.
    #[error("{0}: there is no transport `{1}`")]
    Transport(String, String),
}

impl RuleTest {
    /// Reads the text of a file.
    pub fn from_yaml(text: &str) -> Result<Self, RuleTestError> {
        serde_saphyr::from_str(text).map_err(|error| RuleTestError::Syntax(error.to_string()))
    }

    /// Runs the records through `parsers` and all rules, those of `detector`; answers what is not as the file says, one
    /// sentence each. Exactly the named rules may fire on a record, so that overlaps between rules are known.
    pub fn run(&self, rule: &LoadedRule, parsers: &Parsers, detector: &Detector) -> Result<Vec<String>, RuleTestError> {
        let mut wrong = Vec::new();
        if self.positive.is_empty() || self.negative.is_empty() {
            wrong.push("it needs a positive and a negative record at least".to_owned());
        }
        for (kind, examples) in [("positive", &self.positive), ("negative", &self.negative)] {
            for (index, example) in examples.iter().enumerate() {
                let place = format!("{kind} {}", index + 1);
                let mut wanted: BTreeSet<Arc<str>> = example.also.iter().map(|title| title.as_str().into()).collect();
                if kind == "positive" {
                    wanted.insert(Arc::clone(&rule.title));
                } else if example.name.is_none() {
                    wrong.push(format!("{place}: `name` says why the record is harmless"));
                }
                let mut fired = BTreeSet::new();
                let mut generic = 0;
                Workbench::with(parsers, detector.another()).records(example.records(&place)?, &mut |event, found| {
                    generic += u32::from(event.is_generic());
                    let rules = found.iter().filter(|detection| detection.kind == DetectionKind::Rule);
                    fired.extend(rules.map(|detection| Arc::clone(&detection.rule_title)));
                });
                if generic > 0 {
                    wrong.push(format!("{place}: no parser takes the record"));
                }
                if fired != wanted {
                    wrong.push(format!("{place}: fires {fired:?}, not {wanted:?}"));
                }
            }
        }
        Ok(wrong)
    }
}

impl Example {
    fn records(&self, place: &str) -> Result<Vec<Record>, RuleTestError> {
        let (texts, usual): (Vec<String>, _) = match (&self.text, &self.lines, &self.json) {
            (Some(text), None, None) => (vec![text.trim_end().to_owned()], Transport::SyslogUdp),
            (None, Some(lines), None) => (lines.lines().map(str::to_owned).collect(), Transport::SyslogUdp),
            (None, None, Some(json)) => (vec![json.to_string()], Transport::Http),
            _ => return Err(RuleTestError::Form(place.to_owned())),
        };
        let transport = match &self.transport {
            None => usual,
            Some(word) => word.parse().map_err(|()| RuleTestError::Transport(place.to_owned(), word.clone()))?,
        };
        let facts: Vec<_> = self.facts.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(texts
            .into_iter()
            .filter(|text| !text.trim().is_empty())
            .map(|text| record(text.into_bytes(), transport, facts.clone(), RECEIVED))
            .collect())
    }
}
