//! Which leaves of a field hold for a value: all of them at once.

use std::collections::HashMap;
use std::net::IpAddr;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use foldhash::fast::FixedState;

use crate::cidr::Network;
use crate::event::Event;
use crate::number::Number;
use crate::pattern::{Anchor, fold};
use crate::predicate::Predicate;
use crate::value::Value;

use super::leaf::{Leaf, LeafId, Test};
use super::needles;
use super::set::Bits;

type Map<K, V> = HashMap<K, V, FixedState>;

/// Most bytes of needles for which a table of all transitions is made: several times faster, and
/// up to 256 bytes of memory for each of these bytes.
const DFA_BYTES_MAX: usize = 8_000;

/// Decides every leaf of one field (or of the keywords) for one value.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    /// Folded texts that are the whole value.
    whole: Map<Box<str>, LeafId>,
    /// Folded texts that are the whole value for leaves that have several of them.
    alternatives: Map<Box<str>, Vec<LeafId>>,
    /// Spellings of numbers and booleans, in lower case, with the leaves to ask.
    spelled: Map<Box<str>, Vec<LeafId>>,
    /// Numbers with the leaves to ask.
    numbers: Map<NumberKey, Vec<LeafId>>,
    /// Needles that stand somewhere in the folded value.
    needles: Option<Needles>,
    /// Leaves that have to be asked for every value.
    always: Vec<LeafId>,
    networks: Vec<(Network, LeafId)>,
    null: Option<LeafId>,
    exists: Option<LeafId>,
}

/// A number by its value, so that `1` and `1.0` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum NumberKey {
    Whole(i128),
    Other(u64),
}

impl NumberKey {
    fn of(number: Number) -> Self {
        match number {
            Number::Int(int) => Self::Whole(int),
            // A whole number of this size is a 128-bit integer, so the conversion is exact.
            Number::Float(float) if float.fract() == 0.0 && float.abs() < 1e38 => Self::Whole(float as i128),
            Number::Float(float) => Self::Other(float.to_bits()),
        }
    }
}

#[derive(Debug)]
struct Needles {
    automaton: AhoCorasick,
    /// For each needle the end of its leaves in `uses`.
    ends: Vec<u32>,
    uses: Vec<Use>,
}

/// What finding a needle means for a leaf.
#[derive(Clone, Copy, Debug)]
enum Use {
    Anywhere(LeafId),
    Start(LeafId),
    End(LeafId),
    /// The leaf has to be asked.
    Ask(LeafId),
}

/// Working memory of a matcher.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) folded: String,
    /// For each leaf the turn in which it was last met.
    met: Vec<u32>,
    turn: u32,
    ask: Vec<LeafId>,
    /// Measures what asking leaves one by one costs; only if that is wanted.
    pub(super) asking: Option<Asking>,
}

/// What asking leaves one by one costs.
#[derive(Debug)]
pub(super) struct Asking {
    /// A clock that counts nanoseconds.
    pub(super) clock: fn() -> u64,
    /// Nanoseconds by leaf.
    pub(super) nanos: Vec<u64>,
    /// Leaves that are not asked any more.
    pub(super) muted: Bits,
    /// Nanoseconds of one leaf that call for a judgement.
    pub(super) nanos_max: u64,
    /// Some leaf has passed them.
    pub(super) passed: bool,
}

impl Asking {
    fn holds(&mut self, id: LeafId, leaf: &Leaf, value: &Value<'_>) -> bool {
        if self.muted.get(id) {
            return false;
        }
        let begin = (self.clock)();
        let answer = holds(leaf, value);
        let nanos = &mut self.nanos[id as usize];
        *nanos = nanos.saturating_add((self.clock)().saturating_sub(begin));
        self.passed |= *nanos > self.nanos_max;
        answer
    }
}

impl Scratch {
    fn begin(&mut self, leaf_count: usize) {
        self.met.resize(leaf_count, 0);
        self.turn = self.turn.checked_add(1).unwrap_or_else(|| {
            self.met.fill(0);
            1
        });
    }

    /// Whether the leaf is met for the first time in this turn.
    fn meets(&mut self, leaf: LeafId) -> bool {
        let met = &mut self.met[leaf as usize];
        std::mem::replace(met, self.turn) != self.turn
    }
}

/// An event without fields, for predicates that look at nothing but a value.
struct Nothing;

impl Event for Nothing {
    fn field(&self, _: &str) -> Option<Value<'_>> {
        None
    }

    fn each_text(&self, _: &mut dyn FnMut(&str) -> bool) {}
}

impl Matcher {
    /// A matcher for the leaves `ids` of `leaves`. Leaves that compare with another field are left
    /// out: they are not a matter of one value.
    pub(super) fn new(leaves: &[Leaf], ids: &[LeafId]) -> Self {
        let mut matcher = Self::default();
        let mut needles: Map<String, Vec<Use>> = Map::default();
        for id in ids {
            matcher.add(*id, &leaves[*id as usize], &mut needles);
        }
        matcher.needles = Needles::new(needles).unwrap_or_else(|uses| {
            // Too many bytes for one automaton: each leaf is asked by itself.
            matcher.always.extend(uses);
            None
        });
        matcher
    }

    fn add(&mut self, id: LeafId, leaf: &Leaf, needles: &mut Map<String, Vec<Use>>) {
        let mut need = |needle: String, found: Use| needles.entry(needle).or_default().push(found);
        let predicate = match &leaf.test {
            Test::Plain(Anchor::Whole, text) => {
                self.whole.insert(text.clone(), id);
                return;
            }
            Test::Plain(_, text) if text.is_empty() => {
                self.always.push(id);
                return;
            }
            Test::Plain(Anchor::Start, text) => return need(text.to_string(), Use::Start(id)),
            Test::Plain(Anchor::End, text) => return need(text.to_string(), Use::End(id)),
            Test::Plain(Anchor::Anywhere, text) => return need(text.to_string(), Use::Anywhere(id)),
            Test::Other(key) => &key.0,
        };
        match predicate {
            Predicate::Text { pattern, anchor } => match needles::spelled_out(pattern) {
                Some(texts) => {
                    for text in texts {
                        match anchor {
                            Anchor::Whole => self.spelled_whole(text, id),
                            Anchor::Start => need(text, Use::Start(id)),
                            Anchor::End => need(text, Use::End(id)),
                            Anchor::Anywhere => need(text, Use::Anywhere(id)),
                        }
                    }
                }
                None => match needles::of_pattern(pattern) {
                    Some(needle) => need(needle, Use::Ask(id)),
                    None => self.always.push(id),
                },
            },
            Predicate::Regex(regex) => match needles::of_regex(regex) {
                Some(all) => all.into_iter().for_each(|needle| need(needle, Use::Ask(id))),
                None => self.always.push(id),
            },
            Predicate::Number { number, written } => {
                self.numbers.entry(NumberKey::of(*number)).or_default().push(id);
                for spelling in [written.to_ascii_lowercase(), number.to_string().to_ascii_lowercase()] {
                    self.spelled.entry(spelling.into()).or_default().push(id);
                }
            }
            Predicate::Bool(wanted) => {
                self.spelled.entry(wanted.to_string().into()).or_default().push(id);
            }
            Predicate::Cidr(network) => self.networks.push((*network, id)),
            Predicate::Null => self.null = Some(id),
            Predicate::Exists(true) => self.exists = Some(id),
            Predicate::Compare(..) | Predicate::Time(..) => self.always.push(id),
            // Absence and other fields are no matter of a value.
            Predicate::Exists(false) | Predicate::FieldRef { .. } => {}
        }
    }

    /// One of several texts that may be the whole value; the leaf is asked, since it has others.
    fn spelled_whole(&mut self, text: String, id: LeafId) {
        self.alternatives.entry(text.into()).or_default().push(id);
    }

    /// Puts the leaves that hold for the value of a present field into `found`, sorted.
    pub(super) fn decide(&self, leaves: &[Leaf], value: &Value<'_>, scratch: &mut Scratch, found: &mut Vec<LeafId>) {
        found.extend(self.exists);
        if self.null.is_some() && value.has_null() {
            found.extend(self.null);
        }
        match value {
            Value::List(_) => {
                value.find_element(&mut |single| -> Option<()> {
                    self.decide_single(leaves, single, scratch, found);
                    None
                });
            }
            single => self.decide_single(leaves, single, scratch, found),
        }
        found.sort_unstable();
        found.dedup();
    }

    /// Adds the leaves that hold for one of the texts that keywords search.
    pub(super) fn decide_text(&self, leaves: &[Leaf], text: &str, scratch: &mut Scratch, found: &mut Vec<LeafId>) {
        self.decide_single(leaves, &Value::from(text), scratch, found);
    }

    fn decide_single(&self, leaves: &[Leaf], value: &Value<'_>, scratch: &mut Scratch, found: &mut Vec<LeafId>) {
        let Some(text) = value.text() else { return };
        scratch.begin(leaves.len());
        scratch.ask.extend_from_slice(&self.always);
        self.decide_typed(value, scratch);
        if !(self.whole.is_empty() && self.alternatives.is_empty() && self.spelled.is_empty() && self.needles.is_none())
        {
            let mut folded = std::mem::take(&mut scratch.folded);
            fold_into(&text, &mut folded);
            self.decide_folded(&folded, matches!(value, Value::Str(_)), scratch, found);
            scratch.folded = folded;
        }
        if let (Value::Str(text), false) = (value, self.networks.is_empty())
            && let Some(address) = address_of(text)
        {
            found.extend(self.networks.iter().filter(|(network, _)| network.contains(address)).map(|(_, id)| *id));
        }
        let mut ask = std::mem::take(&mut scratch.ask);
        for id in ask.drain(..) {
            let leaf = &leaves[id as usize];
            let answer = match &mut scratch.asking {
                Some(asking) => asking.holds(id, leaf, value),
                None => holds(leaf, value),
            };
            if answer {
                found.push(id);
            }
        }
        scratch.ask = ask;
    }

    fn decide_typed(&self, value: &Value<'_>, scratch: &mut Scratch) {
        if let Some(number) = value.number() {
            scratch.ask.extend(self.numbers.get(&NumberKey::of(number)).into_iter().flatten());
        }
    }

    fn decide_folded(&self, folded: &str, is_text: bool, scratch: &mut Scratch, found: &mut Vec<LeafId>) {
        found.extend(self.whole.get(folded));
        if !self.alternatives.is_empty() {
            found.extend(self.alternatives.get(folded).into_iter().flatten());
        }
        if is_text || matches!(folded, "true" | "false") {
            for id in self.spelled.get(folded).into_iter().flatten() {
                if scratch.meets(*id) {
                    scratch.ask.push(*id);
                }
            }
        }
        let Some(needles) = &self.needles else { return };
        for hit in needles.automaton.find_overlapping_iter(folded) {
            for found_use in needles.uses_of(hit.pattern().as_usize()) {
                match *found_use {
                    Use::Start(id) if hit.start() == 0 => found.push(id),
                    Use::End(id) if hit.end() == folded.len() => found.push(id),
                    Use::Start(_) | Use::End(_) => {}
                    Use::Anywhere(id) => {
                        if scratch.meets(id) {
                            found.push(id);
                        }
                    }
                    Use::Ask(id) => {
                        if scratch.meets(id) {
                            scratch.ask.push(id);
                        }
                    }
                }
            }
        }
    }
}

impl Needles {
    /// One automaton for all needles; if they are too many, the leaves that need them.
    fn new(map: Map<String, Vec<Use>>) -> Result<Option<Self>, Vec<LeafId>> {
        if map.is_empty() {
            return Ok(None);
        }
        let mut sorted: Vec<(String, Vec<Use>)> = map.into_iter().collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let bytes: usize = sorted.iter().map(|(needle, _)| needle.len()).sum();
        let kind = if bytes <= DFA_BYTES_MAX { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(kind))
            .prefilter(false)
            .build(sorted.iter().map(|(needle, _)| needle));
        let mut ends = Vec::with_capacity(sorted.len());
        let mut uses = Vec::with_capacity(sorted.len());
        for (_, used) in sorted {
            uses.extend(used);
            ends.push(uses.len() as u32);
        }
        match built {
            Ok(automaton) => Ok(Some(Self { automaton, ends, uses })),
            Err(_) => {
                let ids = uses.into_iter().map(|found| match found {
                    Use::Anywhere(id) | Use::Start(id) | Use::End(id) | Use::Ask(id) => id,
                });
                let mut ids: Vec<LeafId> = ids.collect();
                ids.sort_unstable();
                ids.dedup();
                Err(ids)
            }
        }
    }

    #[inline]
    fn uses_of(&self, needle: usize) -> &[Use] {
        let start = needle.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.uses[start as usize..self.ends[needle] as usize]
    }
}

/// Asks the leaf itself.
fn holds(leaf: &Leaf, value: &Value<'_>) -> bool {
    match &leaf.test {
        Test::Other(key) => key.0.holds(Some(value), &Nothing),
        Test::Plain(anchor, text) => value.text().is_some_and(|value| {
            let mut folded = String::new();
            fold_into(&value, &mut folded);
            match anchor {
                Anchor::Whole => folded == **text,
                Anchor::Start => folded.starts_with(&**text),
                Anchor::End => folded.ends_with(&**text),
                Anchor::Anywhere => folded.contains(&**text),
            }
        }),
    }
}

/// Like [`Network::contains_text`], for several networks.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.split_once('%').map_or(text, |(address, _)| address).parse().ok()
}

/// Folds every character.
pub(super) fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else {
        folded.extend(text.chars().map(fold));
    }
}
