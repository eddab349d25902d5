//! The site's rules: which are loaded, switched off, fed; and the detector made of those that run.

use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tandem_detect::{Coverage, Detector, Feed, LoadedRule, RuleProblem, Rules};

/// All rules of the site.
#[derive(Debug, Default)]
pub struct RuleBook {
    inner: RwLock<Inner>,
    /// Grows with each change; the pipeline makes a new detector when it has.
    generation: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    rules: Arc<Rules>,
    off: BTreeMap<String, String>,
    coverage: Coverage,
    by_id: HashMap<Arc<str>, Arc<LoadedRule>>,
}

/// How a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleState {
    /// Evaluated, and fed.
    Active,
    /// A person switched it off.
    Off(String),
    /// Evaluated, but nothing delivers what it needs.
    Unfed(String),
    /// Waits for placeholder values.
    NeedsValues(String),
}

impl RuleState {
    /// The word on screens.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Off(_) => "off",
            Self::Unfed(_) => "unfed",
            Self::NeedsValues(_) => "needs values",
        }
    }

    /// Why it is not active.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Active => None,
            Self::Off(reason) | Self::Unfed(reason) | Self::NeedsValues(reason) => Some(reason),
        }
    }
}

impl RuleBook {
    /// Puts these rules in place of those before.
    pub fn set_rules(&self, rules: Rules) {
        let mut inner = self.inner.write();
        inner.by_id = rules.rules.iter().map(|rule| (Arc::clone(&rule.id), Arc::clone(rule))).collect();
        inner.rules = Arc::new(rules);
        drop(inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Which rules a person switched off, with the reasons.
    pub fn set_off(&self, off: BTreeMap<String, String>) {
        self.inner.write().off = off;
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Grows with each change.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// A detector of everything that is not switched off.
    pub fn detector(&self) -> Detector {
        let inner = self.inner.read();
        Detector::new(inner.rules.rules.iter().filter(|rule| !inner.off.contains_key(&*rule.id)).cloned())
    }

    /// Takes note of what the pipeline has seen.
    pub fn set_coverage(&self, coverage: Coverage) {
        self.inner.write().coverage = coverage;
    }

    /// All rules with their states, in the order of loading.
    pub fn rules(&self) -> Vec<(Arc<LoadedRule>, RuleState)> {
        let inner = self.inner.read();
        inner.rules.rules.iter().map(|rule| (Arc::clone(rule), inner.state(rule))).collect()
    }

    /// One rule.
    pub fn rule(&self, id: &str) -> Option<(Arc<LoadedRule>, RuleState)> {
        let inner = self.inner.read();
        let rule = inner.by_id.get(id)?;
        Some((Arc::clone(rule), inner.state(rule)))
    }

    /// What could not be loaded.
    pub fn problems(&self) -> Vec<RuleProblem> {
        self.inner.read().rules.problems.clone()
    }

    /// Active rules that read one of these log types (as text).
    pub fn fed_by(&self, log_types: &[String]) -> u64 {
        let inner = self.inner.read();
        let typed: Vec<_> =
            inner.coverage.log_types().filter(|log_type| log_types.contains(&log_type.to_string())).collect();
        let reads = |rule: &LoadedRule| {
            let source = &rule.rule.logsource;
            typed.iter().any(|t| source.matches(t.product.as_deref(), t.category.as_deref(), t.service.as_deref()))
        };
        inner.rules.rules.iter().filter(|rule| reads(rule)).count() as u64
    }

    /// The rule's condition in words; its title where the rule is gone.
    pub fn in_words(&self, rule_id: &str) -> Option<String> {
        self.inner.read().by_id.get(rule_id).map(|rule| rule.rule.in_words())
    }
}

impl Inner {
    fn state(&self, rule: &LoadedRule) -> RuleState {
        if let Some(reason) = self.off.get(&*rule.id) {
            return RuleState::Off(reason.clone());
        }
        if let Some(names) = rule.needs_values() {
            return RuleState::NeedsValues(format!("placeholders without values: {}", names.join(", ")));
        }
        match self.coverage.feed(rule) {
            Feed::Fed => RuleState::Active,
            Feed::NoLogType => RuleState::Unfed(format!("nothing delivers {}", log_source(rule))),
            Feed::NoFields(fields) => {
                RuleState::Unfed(format!("{} arrives, but without {}", log_source(rule), fields.join(", ")))
            }
        }
    }
}

/// `windows/process_creation`, as log types are written.
pub fn log_source(rule: &LoadedRule) -> String {
    let source = &rule.rule.logsource;
    let parts: Vec<&str> =
        [&source.product, &source.category, &source.service].into_iter().filter_map(Option::as_deref).collect();
    if parts.is_empty() { "any".to_owned() } else { parts.join("/") }
}
