//! From rules to an engine.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::pattern::Anchor;
use crate::predicate::Predicate;
use crate::rule::{Readiness, Rule};

use super::Engine;
use super::expression::Expression;
use super::leaf::{Leaf, LeafId, Leaves, Test};
use super::meter::Budget;
use super::names::Names;
use super::route::Reference;
use super::set::Bits;

static ENGINES: AtomicU64 = AtomicU64::new(1);

/// Collects rules and settings for an [`Engine`].
#[derive(Debug, Default)]
pub struct EngineBuilder {
    rules: Vec<Arc<Rule>>,
    seed: Option<u64>,
    memo_bytes_max: Option<usize>,
    budget: Option<Budget>,
}

impl EngineBuilder {
    /// Memory that a session may use to remember values, unless another size is set.
    pub const MEMO_BYTES_MAX: usize = 12 << 20;

    /// Adds rules; they are numbered in the order in which they come. A rule that waits for
    /// placeholders has a number and never fires.
    #[must_use]
    pub fn with_rules(mut self, rules: impl IntoIterator<Item = Arc<Rule>>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// Sets the seed of hashes, for runs that can be repeated; without it each engine has its own,
    /// so that no sender of events can know it.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the memory that each session may use to remember values, in bytes.
    #[must_use]
    pub fn with_memo_bytes_max(mut self, bytes: usize) -> Self {
        self.memo_bytes_max = Some(bytes);
        self
    }

    /// Sets what a rule may cost; without it nothing is measured, and no rule is ever disabled.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Compiles the rules.
    pub fn build(self) -> Engine {
        let mut names = Names::default();
        let mut leaves = Leaves::default();
        let mut uses: Vec<u32> = Vec::new();
        let mut expressions = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            if *rule.readiness() != Readiness::Ready {
                expressions.push(None);
                continue;
            }
            expressions.push(Some(Expression::new(&rule.detection, &mut |item, values| {
                let field = item.field.as_deref().map(|field| names.intern(field));
                values.extend(item.values.iter().map(|predicates| {
                    let numbered = predicates.iter().map(|predicate| {
                        if let Predicate::FieldRef { field, .. } = predicate {
                            names.intern(field);
                        }
                        let leaf = leaves.intern(field, predicate);
                        uses.resize(uses.len().max(leaf as usize + 1), 0);
                        uses[leaf as usize] += 1;
                        leaf
                    });
                    numbered.collect()
                }));
            })));
        }
        let leaves = leaves.into_list();
        let (always, witnessed_ends, witnessed) = witnesses(&expressions, &leaves, &uses);
        let mut engine = Engine {
            identity: ENGINES.fetch_add(1, Ordering::Relaxed),
            seed: self.seed.unwrap_or_else(|| RandomState::new().hash_one(0)),
            memo_bytes_max: self.memo_bytes_max.unwrap_or(Self::MEMO_BYTES_MAX),
            rules: self.rules,
            leaves_of: vec![Vec::new(); names.len() + 1],
            matchers: (0..=names.len()).map(|_| OnceLock::new()).collect(),
            absent: vec![Vec::new(); names.len()],
            names: Arc::new(names),
            references: Vec::new(),
            leaves,
            expressions,
            always,
            witnessed_ends,
            witnessed,
            routes: Mutex::new(HashMap::new()),
            route_count: AtomicU32::new(0),
            budget: self.budget,
            disabled: Mutex::new(Vec::new()),
            disabled_count: AtomicU32::new(0),
        };
        engine.sort_leaves();
        engine
    }
}

impl Engine {
    fn sort_leaves(&mut self) {
        for (number, leaf) in self.leaves.iter().enumerate() {
            let number = number as LeafId;
            let field = leaf.field.map_or(self.names.len(), |field| field as usize);
            if let Test::Other(key) = &leaf.test {
                match &key.0 {
                    Predicate::FieldRef { field: other, .. } => {
                        let other = self.names.get(other).and_then(|known| known.field);
                        if let (Some(field), Some(other)) = (leaf.field, other) {
                            self.references.push(Reference { leaf: number, field, other });
                        }
                        continue;
                    }
                    Predicate::Null | Predicate::Exists(false) if leaf.field.is_some() => {
                        self.absent[field].push(number);
                    }
                    _ => {}
                }
            }
            self.leaves_of[field].push(number);
        }
    }
}

/// The rules without witness, and for each leaf the rules that it is a witness of.
fn witnesses(expressions: &[Option<Expression>], leaves: &[Leaf], uses: &[u32]) -> (Bits, Vec<u32>, Vec<u32>) {
    let costs: Vec<f32> = leaves.iter().zip(uses).map(|(leaf, uses)| likelihood(leaf) * (1.0 + *uses as f32)).collect();
    let mut always = Bits::new(expressions.len());
    let mut pairs: Vec<(LeafId, u32)> = Vec::new();
    for (number, expression) in expressions.iter().enumerate() {
        let Some(expression) = expression else { continue };
        match expression.witnesses(&|leaf| costs[leaf as usize]) {
            Some(found) => pairs.extend(found.into_iter().map(|leaf| (leaf, number as u32))),
            None => always.set(number as u32),
        }
    }
    pairs.sort_unstable();
    let mut ends = Vec::with_capacity(leaves.len());
    let mut rules = Vec::with_capacity(pairs.len());
    let mut pairs = pairs.into_iter().peekable();
    for leaf in 0..leaves.len() as LeafId {
        while let Some((_, rule)) = pairs.next_if(|(of, _)| *of == leaf) {
            rules.push(rule);
        }
        ends.push(rules.len() as u32);
    }
    (always, ends, rules)
}

/// A rough guess of how often a leaf holds: short texts do more often, and so do those that many
/// rules ask for.
fn likelihood(leaf: &Leaf) -> f32 {
    match &leaf.test {
        Test::Plain(Anchor::Whole, _) => 0.01,
        Test::Plain(_, text) => 0.8_f32.powi(text.len().min(30) as i32),
        Test::Other(key) => match &key.0 {
            Predicate::Null | Predicate::Exists(_) => 1e6,
            Predicate::Number { .. } | Predicate::Bool(_) => 0.1,
            Predicate::Text { .. } | Predicate::Regex(_) => 0.05,
            Predicate::Cidr(_) | Predicate::Compare(..) | Predicate::Time(..) | Predicate::FieldRef { .. } => 0.5,
        },
    }
}
