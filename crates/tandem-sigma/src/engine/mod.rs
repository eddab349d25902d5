//! The fast engine: all rules as one program, equal to [`Rule::fires`](crate::Rule::fires) in every answer.
//!
//! How it is built, and what was measured, is in `docs/decisions/0008-sigma-engine.md`.

mod batch;
mod builder;
mod expression;
mod fields;
mod keywords;
mod leaf;
mod matcher;
mod memo;
mod meter;
mod names;
mod needles;
mod reference;
mod route;
mod session;
mod set;
mod swap;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use batch::{Column, Row};
pub use builder::EngineBuilder;
pub use fields::{FastEvent, Field, Fields};
pub use meter::{Budget, Disabled, RuleCost};
pub use route::{LogType, Route};
pub use session::Session;
pub use swap::EngineSlot;

use crate::rule::Rule;
use expression::Expression;
use leaf::{Leaf, LeafId};
use matcher::Matcher;
use names::Names;
use route::Reference;
use set::Bits;

/// Sets of log types whose routes are kept; beyond it they are made anew.
const ROUTES_MAX: usize = 1024;

/// Many rules, compiled together. It never changes: to change rules, build another one.
///
/// ```
/// use std::sync::Arc;
/// use tandem_sigma::{Engine, LogType, MapEvent, Session, parse_rules};
///
/// let text = r"
/// title: Whoami Execution
/// logsource: {category: process_creation, product: windows}
/// detection:
///     selection:
///         Image|endswith: '\whoami.exe'
///     condition: selection
/// ";
/// let (rules, _) = parse_rules("whoami.yml", text);
/// let engine = Arc::new(Engine::builder().with_rules(rules.into_iter().map(Arc::new)).build());
///
/// let log_type = LogType { product: Some("windows"), category: Some("process_creation"), service: None };
/// let route = engine.route(&[log_type]);
/// let mut session = Session::new(Arc::clone(&engine));
///
/// let event = MapEvent::new().with("Image", r"C:\Windows\System32\whoami.exe");
/// assert_eq!(session.evaluate(&route, &event), [0]);
/// assert!(engine.rules()[0].evaluate(&event).is_some(), "the rule itself tells why");
/// ```
pub struct Engine {
    /// Tells engines apart.
    identity: u64,
    seed: u64,
    memo_bytes_max: usize,
    rules: Vec<Arc<Rule>>,
    names: Arc<Names>,
    leaves: Vec<Leaf>,
    /// The leaves of each field, with one more list for those of keywords.
    leaves_of: Vec<Vec<LeafId>>,
    /// Made when a value of the field is first met.
    matchers: Vec<OnceLock<Matcher>>,
    /// Leaves that hold where a field is absent, by field.
    absent: Vec<Vec<LeafId>>,
    references: Vec<Reference>,
    /// `None` for rules that wait for placeholders.
    expressions: Vec<Option<Expression>>,
    /// Rules without witness.
    always: Bits,
    /// For each leaf the end of its part of `witnessed`.
    witnessed_ends: Vec<u32>,
    /// Rules that may fire if the leaf holds.
    witnessed: Vec<u32>,
    routes: Mutex<HashMap<String, Arc<Route>>>,
    route_count: AtomicU32,
    budget: Option<Budget>,
    /// The rules that a budget disabled, and how many they are.
    disabled: Mutex<Vec<Disabled>>,
    disabled_count: AtomicU32,
}

impl Engine {
    /// A builder without rules.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// The rules; their places are the numbers that a session answers.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The route of events that have all of these log types: every rule whose log source matches
    /// one of them. Routes are kept, so asking again is cheap, but still costs a lock.
    pub fn route(&self, types: &[LogType<'_>]) -> Arc<Route> {
        let mut keys: Vec<String> = types.iter().map(LogType::key).collect();
        keys.sort_unstable();
        keys.dedup();
        let key = keys.concat();
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(&key) {
            return Arc::clone(route);
        }
        let route = Arc::new(self.route_where(|_, rule| {
            let matches = |t: &LogType<'_>| rule.logsource.matches(t.product, t.category, t.service);
            types.iter().any(matches)
        }));
        if routes.len() >= ROUTES_MAX {
            routes.clear();
        }
        routes.insert(key, Arc::clone(&route));
        route
    }

    /// A route of the rules for which `wanted` answers true, for callers with a routing of their
    /// own. Keep it: each call makes a new one.
    pub fn route_where(&self, mut wanted: impl FnMut(usize, &Rule) -> bool) -> Route {
        let ready = self.rules.iter().enumerate().filter(|(number, _)| self.expressions[*number].is_some());
        let rules = ready.filter(|(number, rule)| wanted(*number, rule)).map(|(number, _)| number as u32).collect();
        Route::new(self, self.route_count.fetch_add(1, Ordering::Relaxed), rules)
    }

    /// The fields that the rules of a route ask for, those that others are compared with left out.
    pub fn fields_of<'s>(&'s self, route: &'s Route) -> impl Iterator<Item = &'s str> {
        route.fields.iter().map(|field| self.names.name(*field))
    }

    /// What the engine is made of, and what memory its automata may take once all are built.
    pub fn leaf_count(&self) -> usize {
        self.leaves.len()
    }

    fn matcher(&self, field: Option<u32>) -> &Matcher {
        let number = field.map_or(self.names.len(), |field| field as usize);
        self.matchers[number].get_or_init(|| Matcher::new(&self.leaves, &self.leaves_of[number]))
    }

    /// The leaves of a rule, each once.
    fn leaves_of_rule(&self, rule: u32) -> Vec<LeafId> {
        let mut leaves: Vec<LeafId> = self.expressions[rule as usize].iter().flat_map(Expression::leaves).collect();
        leaves.sort_unstable();
        leaves.dedup();
        leaves
    }

    #[inline]
    fn witnessed_by(&self, leaf: LeafId) -> &[u32] {
        let start = (leaf as usize).checked_sub(1).map_or(0, |before| self.witnessed_ends[before]);
        &self.witnessed[start as usize..self.witnessed_ends[leaf as usize] as usize]
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("rules", &self.rules.len())
            .field("leaves", &self.leaves.len())
            .finish_non_exhaustive()
    }
}
