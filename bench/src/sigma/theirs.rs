//! `rsigma-eval`: `serde_json` values, `evaluate_pruned`.

use anyhow::{Result, bail};
use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::{LogSource, parse_sigma_yaml};
use std::collections::HashMap;

use super::measure::cpu_seconds;
use super::ours::{Channel, one_category};
use super::rules::RuleTexts;

/// The engine prunes a rule when both sides name a dimension and differ; what an event does not have gets a value
/// that no rule has.
const NONE: &str = "\u{1}none";

pub(crate) struct Theirs {
    engine: Engine,
}

pub(crate) struct TheirRun {
    pub(crate) seconds: f64,
    /// Line and rule id.
    pub(crate) hits: Vec<(usize, String)>,
}

impl Theirs {
    pub(crate) fn load(texts: &RuleTexts) -> Result<Self> {
        let mut rules = Vec::new();
        for (name, text) in texts.iter() {
            let collection = parse_sigma_yaml(text)?;
            if let Some(error) = collection.errors.first() {
                bail!("rsigma-parser refuses {name}: {error}");
            }
            rules.extend(collection.rules);
        }
        let mut engine = Engine::new();
        if let Some((index, error)) = engine.add_rules(rules.iter()).into_iter().next() {
            bail!("rsigma-eval refuses {}: {error}", rules[index].title);
        }
        Ok(Self { engine })
    }

    pub(crate) fn rule_count(&self) -> usize {
        self.engine.rule_count()
    }

    pub(crate) fn run(&self, lines: &[&str]) -> Result<TheirRun> {
        let mut routes: HashMap<(String, i64), LogSource> = HashMap::new();
        let mut hits = Vec::new();
        let begin = cpu_seconds();
        for (number, line) in lines.iter().enumerate() {
            let value: serde_json::Value = serde_json::from_str(line)?;
            let channel = value.get("Channel").and_then(|value| value.as_str()).unwrap_or_default();
            let id = value.get("EventID").and_then(serde_json::Value::as_i64).unwrap_or(-1);
            let key = (channel.to_owned(), id);
            let source = routes.entry(key).or_insert_with_key(|(channel, id)| source_of(channel, *id));
            for result in self.engine.evaluate_pruned(&JsonEvent::borrow(&value), source) {
                hits.push((number, result.header.rule_id.unwrap_or_default()));
            }
        }
        Ok(TheirRun { seconds: cpu_seconds() - begin, hits })
    }
}

fn source_of(channel: &str, id: i64) -> LogSource {
    let Channel { service, category } = one_category(channel, id);
    let part = |part: Option<&str>| Some(part.unwrap_or(NONE).to_owned());
    LogSource {
        product: Some("windows".to_owned()),
        service: part(service),
        category: part(category),
        ..LogSource::default()
    }
}
