//! One thread's way through an engine: what it remembers, and the evaluation itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::event::Event;
use crate::value::Value;

use super::expression::Truth;
use super::fields::{FastEvent, Field, Fields};
use super::leaf::{FieldId, LeafId, Test};
use super::matcher::Scratch;
use super::memo::{Memo, ValueKey};
use super::meter::Meter;
use super::reference;
use super::set::{Bits, SetId, Sets};
use super::{Engine, Route};

/// Longest value that is remembered, in bytes.
const VALUE_BYTES_MAX: usize = 4 << 10;
/// Memory for sets of leaves; when it is passed, everything remembered is forgotten.
const SETS_BYTES_MAX: usize = 4 << 20;
/// Memory for outcomes; when it is passed, they are forgotten.
const OUTCOMES_BYTES_MAX: usize = 4 << 20;
/// Routes that a session prepares at the same time.
const ROUTES_MAX: usize = 1024;
/// Lookups after which it is judged whether a field's values repeat.
const JUDGED_AFTER: u32 = 1024;

const UNKNOWN: SetId = SetId::MAX;

/// The pseudo field of what keywords found.
const KEYWORDS: FieldId = (1 << 24) - 1;
/// The pseudo field of leaves that compare two fields.
const REFERENCES: FieldId = (1 << 24) - 2;

/// Evaluates events, one after the other, with one engine. Each thread has its own.
///
/// It remembers what it found out about values and about combinations of them, in bounded memory;
/// answers never depend on what it remembers.
#[derive(Debug)]
pub struct Session {
    engine: Arc<Engine>,
    memo: Memo,
    sets: Sets,
    routes: Vec<Option<Box<Prepared>>>,
    outcomes_bytes: usize,
    repeats: Vec<Repeats>,
    fields: Option<Fields<'static>>,
    key: Vec<u64>,
    found: Vec<LeafId>,
    pub(super) work: Work,
    /// The place of the route in use.
    slot: usize,
    pub(super) meter: Option<Box<Meter>>,
    /// How many rules of the engine were disabled when this was last looked at.
    pub(super) disabled_seen: u32,
    pub(super) disabled: Bits,
}

/// What a session knows about a route.
#[derive(Debug)]
struct Prepared {
    number: u32,
    /// For each set of leaves what the route has of it.
    local: Vec<SetId>,
    /// For each field the set where it is absent.
    absent: Vec<SetId>,
    /// The rules that fire, by what is found in the fields.
    outcomes: HashMap<Box<[u64]>, SetId, FixedState>,
    /// The rules that fire where nothing is found.
    nothing: Option<SetId>,
}

/// Whether the values of a field repeat, so that remembering them pays.
#[derive(Clone, Copy, Debug, Default)]
struct Repeats {
    lookups: u32,
    hits: u32,
    /// Values that still go past the memory.
    passing: u32,
}

/// Working memory for deciding rules.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) scratch: Scratch,
    holds: Bits,
    touched: Bits,
    candidates: Vec<u32>,
    known: Vec<Option<bool>>,
}

impl Truth for Bits {
    fn holds(&self, leaf: LeafId) -> bool {
        self.get(leaf)
    }
}

impl Session {
    /// A session of an engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        let seed = engine.seed;
        let mut session = Self {
            memo: Memo::new(engine.memo_bytes_max, seed),
            sets: Sets::new(seed),
            routes: Vec::new(),
            outcomes_bytes: 0,
            repeats: vec![Repeats::default(); engine.names.len()],
            fields: None,
            key: Vec::new(),
            found: Vec::new(),
            work: Work {
                scratch: Scratch::default(),
                holds: Bits::new(engine.leaves.len()),
                touched: Bits::new(engine.rules.len()),
                candidates: Vec::new(),
                known: Vec::new(),
            },
            slot: 0,
            meter: None,
            disabled_seen: 0,
            disabled: Bits::new(engine.rules.len()),
            engine,
        };
        session.start_budget();
        session
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The memory that remembered values and outcomes take, in bytes (an estimate).
    pub fn memory_bytes(&self) -> usize {
        self.memo.bytes() + self.sets.bytes() + self.outcomes_bytes
    }

    /// Forgets everything that is remembered.
    pub fn forget(&mut self) {
        self.memo.clear();
        self.sets = Sets::new(self.engine.seed);
        self.routes.clear();
        self.outcomes_bytes = 0;
        self.repeats.fill(Repeats::default());
    }

    /// The numbers of the rules of the route that fire for the event, sorted: the same for which
    /// [`Rule::fires`](crate::Rule::fires) answers true.
    pub fn evaluate<E: FastEvent>(&mut self, route: &Route, event: &E) -> &[u32] {
        let mut fields = self.fields();
        event.each_field(&mut |name, value| fields.push(name, value));
        self.evaluate_fields(route, fields, event)
    }

    /// Like [`Session::evaluate`] for any event: asks it for each field that the rules of the route
    /// want, by name. Slower where there are many such fields.
    pub fn evaluate_by_name(&mut self, route: &Route, event: &dyn Event) -> &[u32] {
        let mut fields = self.fields();
        for field in &route.fields {
            if let Some(value) = event.field(self.engine.names.name(*field)) {
                fields.put(*field, Field::Value(value));
            }
        }
        self.begin(route);
        self.note_fields(route, &fields, &Asked(event));
        self.fields = Some(fields.recycled());
        self.compare_fields(route, &|_, name| event.field(name));
        self.finish(route, event, None)
    }

    /// Memory for the fields of the next event, for parsers that push them themselves.
    pub fn fields<'e>(&mut self) -> Fields<'e> {
        match self.fields.take() {
            Some(fields) => fields.recycled(),
            None => Fields::new(Arc::clone(&self.engine.names)),
        }
    }

    /// Like [`Session::evaluate`] for an event whose fields were already pushed. `event` is asked
    /// for paths into structures, keywords, and comparisons of fields alone.
    ///
    /// # Panics
    ///
    /// If the route or the fields are those of another engine.
    pub fn evaluate_fields<E: FastEvent>(&mut self, route: &Route, fields: Fields<'_>, event: &E) -> &[u32] {
        assert!(Arc::ptr_eq(&fields.names, &self.engine.names), "the fields belong to another engine");
        self.begin(route);
        self.note_fields(route, &fields, event);
        if fields.nested {
            self.note_paths(route, &fields, event);
        }
        if !route.references.is_empty() {
            self.compare_fields(route, &|field, name| match fields.get(field) {
                Some(Field::Value(value)) => Some(value.clone()),
                Some(Field::Encoded(bytes)) => Some(event.decode(bytes)),
                None if fields.nested => event.field(name),
                None => None,
            });
        }
        self.fields = Some(fields.recycled());
        self.finish(route, event, event.message())
    }

    /// The number of a field that some rule asks for.
    pub(super) fn field(&self, name: &str) -> Option<FieldId> {
        self.engine.names.get(name)?.field
    }

    /// Makes ready for an event of the route.
    #[inline]
    pub(super) fn begin(&mut self, route: &Route) {
        assert_eq!(route.engine, self.engine.identity, "the route belongs to another engine");
        if self.sets.bytes() > SETS_BYTES_MAX {
            self.forget();
        }
        self.watch_budget();
        self.slot = route.number as usize % ROUTES_MAX;
        match self.routes.get(self.slot) {
            Some(Some(prepared)) if prepared.number == route.number => {}
            _ => self.prepare_anew(route, self.slot),
        }
        self.begin_row(route);
    }

    /// Makes ready for one more event of the route that was begun.
    #[inline]
    pub(super) fn begin_row(&mut self, route: &Route) {
        self.key.clear();
        if self.outcomes_bytes > OUTCOMES_BYTES_MAX {
            self.outcomes_bytes = 0;
            for prepared in self.routes.iter_mut().flatten() {
                prepared.outcomes.clear();
                prepared.outcomes.shrink_to_fit();
            }
            debug_assert!(self.routes[self.slot].as_deref().is_some_and(|prepared| prepared.number == route.number));
        }
    }

    /// What fires for what was noted.
    #[inline]
    pub(super) fn finish(&mut self, route: &Route, event: &dyn Event, message: Option<&str>) -> &[u32] {
        if route.has_keywords && self.may_have_keywords(route, message) {
            self.search_keywords(route, event);
        }
        let outcome = self.outcome(route);
        if let Some(meter) = &mut self.meter {
            meter.count(self.sets.get(outcome));
        }
        self.sets.get(outcome)
    }

    fn may_have_keywords(&mut self, route: &Route, message: Option<&str>) -> bool {
        match (&route.keyword_filter, message) {
            (Some(filter), Some(message)) => filter.may_hold(message, &mut self.work.scratch.folded),
            _ => true,
        }
    }

    #[inline]
    fn note_fields<E: FastEvent>(&mut self, route: &Route, fields: &Fields<'_>, event: &E) {
        for (field, value) in &fields.list {
            if route.has_field.get(*field) {
                let set = self.set_of(*field, value, event);
                self.note(route, *field, set);
            }
        }
    }

    fn note_paths(&mut self, route: &Route, fields: &Fields<'_>, event: &dyn Event) {
        for field in &route.paths {
            if !fields.seen.get(*field)
                && let Some(value) = event.field(self.engine.names.name(*field))
            {
                let set = self.set_of_value(*field, &value);
                self.note(route, *field, set);
            }
        }
    }

    fn prepare_anew(&mut self, route: &Route, slot: usize) {
        let mut absent = vec![Sets::EMPTY; self.engine.names.len()];
        for (field, leaves) in &route.absent {
            absent[*field as usize] = self.sets.intern(leaves);
        }
        if self.routes.len() <= slot {
            self.routes.resize_with(slot + 1, || None);
        }
        self.outcomes_bytes += 4 * absent.len();
        self.routes[slot] = Some(Box::new(Prepared {
            number: route.number,
            local: Vec::new(),
            absent,
            outcomes: HashMap::with_hasher(FixedState::with_seed(self.engine.seed)),
            nothing: None,
        }));
    }

    /// Adds what is found in a field to the key, if it differs from what holds where the field is absent.
    #[inline]
    fn note(&mut self, route: &Route, field: FieldId, set: SetId) {
        let local = self.local(route, set);
        self.note_local(route, field, local);
    }

    #[inline]
    pub(super) fn note_local(&mut self, _: &Route, field: FieldId, local: SetId) {
        let prepared = self.routes[self.slot].as_deref().expect("the route is prepared");
        let absent = prepared.absent.get(field as usize).copied().unwrap_or(Sets::EMPTY);
        if local != absent {
            self.key.push(u64::from(field) << 32 | u64::from(local));
        }
    }

    /// What the route has of the leaves that hold for a value of a field.
    pub(super) fn local_set(&mut self, route: &Route, field: FieldId, value: &Value<'_>) -> SetId {
        let set = self.set_of_value(field, value);
        self.local(route, set)
    }

    #[inline]
    fn local(&mut self, route: &Route, set: SetId) -> SetId {
        let prepared = self.routes[self.slot].as_deref().expect("the route is prepared");
        let known = prepared.local.get(set as usize).copied().unwrap_or(UNKNOWN);
        if known == UNKNOWN { self.localise(route, self.slot, set) } else { known }
    }

    /// The leaves of a set that the route has.
    fn localise(&mut self, route: &Route, slot: usize, set: SetId) -> SetId {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        found.extend(self.sets.get(set).iter().copied().filter(|leaf| route.has_leaf.get(*leaf)));
        let local = self.sets.intern(&found);
        self.found = found;
        let prepared = self.routes[slot].as_deref_mut().expect("the route is prepared");
        if prepared.local.len() <= set as usize {
            self.outcomes_bytes += 4 * (set as usize + 1 - prepared.local.len());
            prepared.local.resize(set as usize + 1, UNKNOWN);
        }
        prepared.local[set as usize] = local;
        local
    }

    /// The leaves that hold for the value of a present field.
    #[inline]
    fn set_of<E: FastEvent>(&mut self, field: FieldId, value: &Field<'_>, event: &E) -> SetId {
        let word: [u8; 8];
        let (kind, bytes) = match value {
            Field::Encoded(bytes) => (0, *bytes),
            Field::Value(Value::Str(text)) => (1, text.as_bytes()),
            Field::Value(Value::Int(int)) => {
                word = int.to_le_bytes();
                (2, &word[..])
            }
            Field::Value(Value::Uint(uint)) => {
                word = uint.to_le_bytes();
                (3, &word[..])
            }
            Field::Value(other) => return self.set_of_value(field, other),
        };
        let repeats = &mut self.repeats[field as usize];
        if bytes.len() > VALUE_BYTES_MAX || repeats.passes() {
            return self.set_of_field(field, value, event);
        }
        let key = ValueKey { field, kind, bytes };
        let hash = self.memo.hash(key);
        if let Some(set) = self.memo.get(key, hash) {
            repeats.hits += 1;
            return set;
        }
        let set = self.set_of_field(field, value, event);
        self.memo.put(key, hash, set);
        set
    }

    fn set_of_field<E: FastEvent>(&mut self, field: FieldId, value: &Field<'_>, event: &E) -> SetId {
        match value {
            Field::Value(value) => self.set_of_value(field, value),
            // The value lives as long as the shorter of the two.
            Field::Encoded(bytes) => self.set_of_value(field, &event.decode(bytes)),
        }
    }

    fn set_of_value(&mut self, field: FieldId, value: &Value<'_>) -> SetId {
        let engine = &self.engine;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        engine.matcher(Some(field)).decide(&engine.leaves, value, &mut self.work.scratch, &mut found);
        let set = self.sets.intern(&found);
        self.found = found;
        set
    }

    /// Decides the leaves that compare two fields. `value_of` answers the value of a field.
    pub(super) fn compare_fields<'v>(&mut self, route: &Route, value_of: &dyn Fn(FieldId, &str) -> Option<Value<'v>>) {
        let engine = &self.engine;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        for reference in &route.references {
            let name_of = |field| engine.names.name(field);
            let Some(value) = value_of(reference.field, name_of(reference.field)) else { continue };
            let Some(other) = value_of(reference.other, name_of(reference.other)) else { continue };
            if let Test::Other(key) = &engine.leaves[reference.leaf as usize].test
                && reference::holds(&key.0, &value, &other)
            {
                found.push(reference.leaf);
            }
        }
        if !found.is_empty() {
            let set = self.sets.intern(&found);
            self.key.push(u64::from(REFERENCES) << 32 | u64::from(set));
        }
        self.found = found;
    }

    fn search_keywords(&mut self, route: &Route, event: &dyn Event) {
        let engine = &self.engine;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        event.each_text(&mut |text| {
            let scratch = &mut self.work.scratch;
            if route.keyword_filter.as_ref().is_none_or(|filter| filter.may_hold(text, &mut scratch.folded)) {
                engine.matcher(None).decide_text(&engine.leaves, text, scratch, &mut found);
            }
            false
        });
        if found.is_empty() {
            self.found = found;
            return;
        }
        found.sort_unstable();
        found.dedup();
        let set = self.sets.intern(&found);
        self.found = found;
        self.note(route, KEYWORDS, set);
    }

    /// The rules that fire for the key.
    #[inline]
    fn outcome(&mut self, route: &Route) -> SetId {
        let prepared = self.routes[self.slot].as_deref().expect("the route is prepared");
        let known = if self.key.is_empty() { prepared.nothing } else { prepared.outcomes.get(&*self.key).copied() };
        known.unwrap_or_else(|| self.outcome_anew(route))
    }

    fn outcome_anew(&mut self, route: &Route) -> SetId {
        let mut fired = self.decide(route);
        fired.sort_unstable();
        let outcome = self.sets.intern(&fired);
        let prepared = self.routes[self.slot].as_deref_mut().expect("the route is prepared");
        if self.key.is_empty() {
            prepared.nothing = Some(outcome);
        } else {
            prepared.outcomes.insert(self.key.as_slice().into(), outcome);
            self.outcomes_bytes += 40 + 8 * self.key.len();
        }
        outcome
    }

    /// Decides every rule of the route that has a witness among the leaves that hold, or needs none.
    fn decide(&mut self, route: &Route) -> Vec<u32> {
        let Work { holds, touched, candidates, known, .. } = &mut self.work;
        let mut on: Vec<LeafId> = Vec::new();
        let set_of = |field: FieldId| {
            let found = self.key.iter().find(|entry| (**entry >> 32) as u32 == field);
            found.map(|entry| *entry as SetId)
        };
        for (field, leaves) in &route.absent {
            if set_of(*field).is_none() {
                on.extend_from_slice(leaves);
            }
        }
        for entry in &self.key {
            on.extend_from_slice(self.sets.get(*entry as SetId));
        }
        candidates.clear();
        candidates.extend_from_slice(&route.always);
        for leaf in &on {
            holds.set(*leaf);
            for rule in self.engine.witnessed_by(*leaf) {
                if route.has_rule.get(*rule) && !touched.get(*rule) {
                    touched.set(*rule);
                    candidates.push(*rule);
                }
            }
        }
        let mut fired = Vec::new();
        for rule in candidates.iter() {
            touched.clear(*rule);
            if self.disabled.get(*rule) {
                continue;
            }
            if let Some(meter) = &mut self.meter {
                meter.decided(*rule);
            }
            let expression = self.engine.expressions[*rule as usize].as_ref();
            if expression.is_some_and(|expression| expression.holds(holds, known)) {
                fired.push(*rule);
            }
        }
        for leaf in &on {
            holds.clear(*leaf);
        }
        fired
    }
}

/// An event that is asked for its fields by name.
struct Asked<'a>(&'a dyn Event);

impl Event for Asked<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        self.0.field(name)
    }

    fn each_text(&self, visit: &mut dyn FnMut(&str) -> bool) {
        self.0.each_text(visit);
    }
}

impl FastEvent for Asked<'_> {
    /// There is none to hand over: all of them were asked for.
    fn each_field<'e>(&'e self, _: &mut dyn FnMut(&'e str, Field<'e>)) {}
}

impl Repeats {
    /// Whether the next value goes past the memory, because the last ones seldom repeated.
    #[inline]
    fn passes(&mut self) -> bool {
        if self.passing > 0 {
            self.passing -= 1;
            return true;
        }
        if self.lookups == JUDGED_AFTER {
            if self.hits < JUDGED_AFTER / 16 {
                self.passing = 8 * JUDGED_AFTER;
            }
            (self.lookups, self.hits) = (0, 0);
        }
        self.lookups += 1;
        false
    }
}

impl FastEvent for crate::event::MapEvent {
    fn each_field<'e>(&'e self, visit: &mut dyn FnMut(&'e str, Field<'e>)) {
        for (name, value) in self.fields() {
            visit(name, Field::Value(value));
        }
    }

    fn decode<'e>(&'e self, encoded: &'e [u8]) -> Value<'e> {
        Value::Str(Cow::Owned(String::from_utf8_lossy(encoded).into_owned()))
    }
}
