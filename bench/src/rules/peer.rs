//! `rsigma-eval`, routed by the same log types as Tandem.

use anyhow::{Result, bail};
use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::{LogSource, parse_sigma_yaml};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use tandem_content::TextFile;
use tandem_model::{LogType, TypedAs};

/// The peer's engine prunes a rule when both sides name a dimension and differ. A dimension that an event's log type
/// does not have therefore gets a value that no rule has.
const NONE: &str = "\u{1}none";

pub(crate) struct Peer {
    engine: Engine,
    /// Rules that name a category and a service.
    naming_both: HashSet<String>,
}

impl Peer {
    pub(crate) fn load(texts: &[TextFile]) -> Result<Self> {
        let mut engine = Engine::new();
        let mut naming_both = HashSet::new();
        let mut rules = Vec::new();
        for file in texts {
            let collection = parse_sigma_yaml(&file.text)?;
            if let Some(error) = collection.errors.first() {
                bail!("rsigma-parser refuses {}: {error}", file.name);
            }
            rules.extend(collection.rules);
        }
        for rule in &rules {
            if let (Some(id), Some(_), Some(_)) = (&rule.id, &rule.logsource.category, &rule.logsource.service) {
                naming_both.insert(id.clone());
            }
        }
        if let Some((index, error)) = engine.add_rules(rules.iter()).into_iter().next() {
            bail!("rsigma-eval refuses {}: {error}", rules[index].title);
        }
        Ok(Self { engine, naming_both })
    }

    pub(crate) fn len(&self) -> usize {
        self.engine.rule_count()
    }

    /// Ids of the rules that fire: asked once for each log type, and once more for each category with each service,
    /// where only rules that name both count. `view` gives the event as one log type's rules see it.
    pub(crate) fn fired(&self, types: &[TypedAs], view: impl Fn(&TypedAs) -> serde_json::Value) -> BTreeSet<Arc<str>> {
        let mut fired = BTreeSet::new();
        for typed in types {
            let json = view(typed);
            let event = JsonEvent::borrow(&json);
            self.ask(&event, &typed.log_type, None, &mut fired);
            if typed.log_type.category.is_none() {
                continue;
            }
            for other in types.iter().filter(|other| other.log_type.product == typed.log_type.product) {
                if let (None, Some(service)) = (&typed.log_type.service, &other.log_type.service) {
                    self.ask(&event, &typed.log_type, Some(service), &mut fired);
                }
            }
        }
        fired
    }

    fn ask(&self, event: &JsonEvent<'_>, log_type: &LogType, service: Option<&Arc<str>>, out: &mut BTreeSet<Arc<str>>) {
        let part = |part: Option<&Arc<str>>| Some(part.map_or_else(|| NONE.to_owned(), ToString::to_string));
        let source = LogSource {
            product: part(log_type.product.as_ref()),
            category: part(log_type.category.as_ref()),
            service: part(service.or(log_type.service.as_ref())),
            ..LogSource::default()
        };
        for result in self.engine.evaluate_pruned(event, &source) {
            let Some(id) = result.header.rule_id else { continue };
            if service.is_none() || self.naming_both.contains(&id) {
                out.insert(id.into());
            }
        }
    }
}
