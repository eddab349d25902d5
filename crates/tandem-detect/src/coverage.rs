//! What has been delivered so far, and which rules therefore can fire.

use crate::LoadedRule;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tandem_model::{Event, LogType};

/// Distinct field names remembered for one log type; a sender that invents names cannot fill memory.
const NAMES_MAX: usize = 4096;
/// Distinct log types remembered.
const TYPES_MAX: usize = 4096;

/// Log types that were seen, each with its field names.
#[derive(Debug, Default, Clone)]
pub struct Coverage {
    seen: HashMap<LogType, HashSet<Arc<str>>>,
}

/// Whether a rule gets what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// Its log type is delivered, with at least one of its fields.
    Fed,
    /// Nothing delivers its log type.
    NoLogType,
    /// Its log type comes, but none of the fields that it tests.
    NoFields(Vec<String>),
}

impl Coverage {
    /// Takes note of an event. Cheap once its names are known.
    pub fn note(&mut self, event: &Event) {
        for typed in &event.typed {
            if !self.seen.contains_key(&typed.log_type) {
                if self.seen.len() >= TYPES_MAX {
                    continue;
                }
                self.seen.insert(typed.log_type.clone(), HashSet::new());
            }
            let Some(names) = self.seen.get_mut(&typed.log_type) else { continue };
            for (name, _) in typed.aliases.iter().chain(event.vendor.iter()).chain(event.common.iter()) {
                if !names.contains(name) && names.len() < NAMES_MAX {
                    names.insert(Arc::clone(name));
                }
            }
        }
    }

    /// Log types seen.
    pub fn log_types(&self) -> impl Iterator<Item = &LogType> {
        self.seen.keys()
    }

    /// Whether `rule` gets what it needs.
    pub fn feed(&self, rule: &LoadedRule) -> Feed {
        let mut typed = false;
        let fields = rule.rule.fields();
        for (log_type, names) in &self.seen {
            if !accepts(rule, log_type) {
                continue;
            }
            typed = true;
            if fields.is_empty() || fields.iter().any(|field| names.contains(*field)) {
                return Feed::Fed;
            }
        }
        if typed { Feed::NoFields(fields.into_iter().map(str::to_owned).collect()) } else { Feed::NoLogType }
    }
}

/// Whether a rule is meant for a log type.
pub(crate) fn accepts(rule: &LoadedRule, log_type: &LogType) -> bool {
    rule.rule.logsource.matches(log_type.product.as_deref(), log_type.category.as_deref(), log_type.service.as_deref())
}
