//! Which rules an event meets: those meant for one of its log types.

use std::fmt;

use super::Engine;
use super::expression::Expression;
use super::keywords::KeywordFilter;
use super::leaf::{FieldId, LeafId};
use super::set::Bits;

/// One of the log types of an event; a dimension that is `None` is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogType<'t> {
    /// Such as `windows`.
    pub product: Option<&'t str>,
    /// Such as `process_creation`.
    pub category: Option<&'t str>,
    /// Such as `sysmon`.
    pub service: Option<&'t str>,
}

/// A leaf that compares two fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub(super) leaf: LeafId,
    pub(super) field: FieldId,
    pub(super) other: FieldId,
}

impl LogType<'_> {
    /// Letters do not count where log sources are compared, so they do not in routes either.
    pub(super) fn key(&self) -> String {
        let mut key = String::new();
        for part in [self.product, self.category, self.service] {
            match part {
                // Lengths keep the parts apart whatever their letters are.
                Some(part) => {
                    key.push_str(&part.len().to_string());
                    key.push(':');
                    key.extend(part.chars().map(|c| c.to_ascii_lowercase()));
                }
                None => key.push('-'),
            }
        }
        key
    }
}

/// The rules for one kind of event, prepared.
///
/// Get it once for each set of log types and keep it; it belongs to the engine that made it.
pub struct Route {
    pub(super) number: u32,
    pub(super) engine: u64,
    /// The rules, by number, sorted.
    pub(super) rules: Vec<u32>,
    pub(super) has_rule: Bits,
    pub(super) has_leaf: Bits,
    pub(super) has_field: Bits,
    /// Rules without witness: they are decided for every event of the route.
    pub(super) always: Vec<u32>,
    /// Fields whose absence makes leaves hold, with those leaves.
    pub(super) absent: Vec<(FieldId, Vec<LeafId>)>,
    /// Fields that rules ask for.
    pub(super) fields: Vec<FieldId>,
    /// Fields that may be paths into structures.
    pub(super) paths: Vec<FieldId>,
    pub(super) references: Vec<Reference>,
    pub(super) has_keywords: bool,
    /// Tells quickly that there is none of the keywords.
    pub(super) keyword_filter: Option<KeywordFilter>,
}

impl Route {
    pub(super) fn new(engine: &Engine, number: u32, rules: Vec<u32>) -> Self {
        let mut route = Self {
            number,
            engine: engine.identity,
            has_rule: Bits::new(engine.rules.len()),
            has_leaf: Bits::new(engine.leaves.len()),
            has_field: Bits::new(engine.names.len()),
            always: Vec::new(),
            absent: Vec::new(),
            fields: Vec::new(),
            paths: Vec::new(),
            references: Vec::new(),
            has_keywords: false,
            keyword_filter: None,
            rules,
        };
        for number in &route.rules {
            route.has_rule.set(*number);
            if engine.always.get(*number) {
                route.always.push(*number);
            }
            for leaf in engine.expressions[*number as usize].iter().flat_map(Expression::leaves) {
                route.has_leaf.set(leaf);
                match engine.leaves[leaf as usize].field {
                    Some(field) => route.has_field.set(field),
                    None => route.has_keywords = true,
                }
            }
        }
        let names = &engine.names;
        for field in (0..names.len() as FieldId).filter(|field| route.has_field.get(*field)) {
            route.fields.push(field);
            let absent = engine.absent[field as usize].iter().copied().filter(|leaf| route.has_leaf.get(*leaf));
            let absent: Vec<LeafId> = absent.collect();
            if !absent.is_empty() {
                route.absent.push((field, absent));
            }
            if names.name(field).contains('.') {
                route.paths.push(field);
            }
        }
        let keywords = engine.leaves_of[names.len()].iter().filter(|leaf| route.has_leaf.get(**leaf));
        if route.has_keywords {
            route.keyword_filter = KeywordFilter::new(&engine.leaves, keywords);
        }
        route.references =
            engine.references.iter().copied().filter(|reference| route.has_leaf.get(reference.leaf)).collect();
        route
    }

    pub(super) fn wants(&self, field: FieldId) -> bool {
        self.has_field.get(field)
    }

    /// The rules that events of the route meet, by number, sorted.
    pub fn rules(&self) -> &[u32] {
        &self.rules
    }

    /// How many of them are decided for every event, because nothing in them must be there.
    pub fn always_count(&self) -> usize {
        self.always.len()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("number", &self.number).field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}
