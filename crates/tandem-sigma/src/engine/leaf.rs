//! Leaves: every distinct test of every rule, known by a number.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use foldhash::fast::FixedState;

use crate::pattern::{Anchor, Case, Element, Pattern};
use crate::predicate::Predicate;

/// The number of a leaf, from 0, over all rules of an engine.
pub(crate) type LeafId = u32;
/// The number of a field, from 0, over all rules of an engine.
pub(crate) type FieldId = u32;

/// What a leaf asks of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    /// Folded text without wildcards that stands at its place in the folded value.
    Plain(Anchor, Box<str>),
    /// Anything else: asked of the predicate itself.
    Other(Box<Key>),
}

/// A test of one field, or of the texts of the event (`None`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Leaf {
    pub(crate) field: Option<FieldId>,
    pub(crate) test: Test,
}

/// A predicate that can be looked up in a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key(pub(crate) Predicate);

// A number that is no number (NaN) differs from itself, so its predicate is never shared: that costs, and is right.
impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.0).hash(state);
        match &self.0 {
            Predicate::Text { pattern, anchor } => (pattern, anchor).hash(state),
            Predicate::Number { written, .. } => written.hash(state),
            Predicate::Bool(wanted) | Predicate::Exists(wanted) => wanted.hash(state),
            Predicate::Null => {}
            Predicate::Regex(regex) => regex.hash(state),
            Predicate::Cidr(network) => network.hash(state),
            Predicate::Compare(ordinal, number) => (ordinal, number.to_string()).hash(state),
            Predicate::Time(part, ordinal, number) => (part, ordinal, number).hash(state),
            Predicate::FieldRef { field, anchor, case } => (field, anchor, case).hash(state),
        }
    }
}

impl Test {
    /// The test that a predicate is, in its simplest form.
    pub(crate) fn of(predicate: &Predicate) -> Self {
        if let Predicate::Text { pattern, anchor } = predicate
            && let Some((anchor, text)) = plain(pattern, *anchor)
        {
            return Self::Plain(anchor, text.into());
        }
        Self::Other(Box::new(Key(predicate.clone())))
    }
}

/// The text that must stand somewhere, if that is all that a pattern asks; a star at an end only
/// loosens the anchor.
fn plain(pattern: &Pattern, anchor: Anchor) -> Option<(Anchor, String)> {
    if pattern.case() == Case::Kept {
        return None;
    }
    let mut segments = pattern.segments();
    let mut at_start = matches!(anchor, Anchor::Whole | Anchor::Start);
    let mut at_end = matches!(anchor, Anchor::Whole | Anchor::End);
    while let [first, rest @ ..] = segments
        && first.is_empty()
        && !rest.is_empty()
    {
        at_start = false;
        segments = rest;
    }
    while let [rest @ .., last] = segments
        && last.is_empty()
        && !rest.is_empty()
    {
        at_end = false;
        segments = rest;
    }
    let [segment] = segments else { return None };
    let text: Option<String> = segment
        .iter()
        .map(|element| match element {
            Element::Char(character) => Some(*character),
            Element::Any | Element::Dash => None,
        })
        .collect();
    let anchor = match (at_start, at_end) {
        (true, true) => Anchor::Whole,
        (true, false) => Anchor::Start,
        (false, true) => Anchor::End,
        (false, false) => Anchor::Anywhere,
    };
    text.map(|text| (anchor, text))
}

/// Gives equal leaves the same number.
#[derive(Default)]
pub(crate) struct Leaves {
    known: HashMap<Leaf, LeafId, FixedState>,
}

impl Leaves {
    pub(crate) fn intern(&mut self, field: Option<FieldId>, predicate: &Predicate) -> LeafId {
        let next = self.known.len() as LeafId;
        *self.known.entry(Leaf { field, test: Test::of(predicate) }).or_insert(next)
    }

    /// The leaves, each at its number.
    pub(crate) fn into_list(self) -> Vec<Leaf> {
        let mut numbered: Vec<(Leaf, LeafId)> = self.known.into_iter().collect();
        numbered.sort_unstable_by_key(|(_, id)| *id);
        numbered.into_iter().map(|(leaf, _)| leaf).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_at_the_ends_only_loosen_the_anchor() {
        let of = |text: &str, anchor| plain(&Pattern::parse(text, Case::Ignored), anchor);
        let is = |anchor, text: &str| Some((anchor, text.to_owned()));
        assert_eq!(of("*Foo*", Anchor::Whole), is(Anchor::Anywhere, "foo"));
        assert_eq!(of("**foo", Anchor::Whole), is(Anchor::End, "foo"));
        assert_eq!(of("foo*", Anchor::End), is(Anchor::Anywhere, "foo"));
        assert_eq!(of("foo", Anchor::Start), is(Anchor::Start, "foo"));
        assert_eq!(of("*", Anchor::Whole), is(Anchor::End, ""));
        assert_eq!(of("", Anchor::Whole), is(Anchor::Whole, ""));
        assert_eq!(of("a*b", Anchor::Whole), None);
        assert_eq!(of("a?", Anchor::Whole), None);
    }
}
