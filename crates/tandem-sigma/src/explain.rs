//! Why a rule fired: the predicates that held, with the values and the places in them.

use std::borrow::Cow;

use crate::condition::{Condition, Quantity};
use crate::detection::{Detection, Item};
use crate::event::Event;
use crate::predicate::{Found, Predicate};
use crate::problem::Position;
use crate::value::Value;
use crate::words::predicate_in_words;

/// A rule fired, and this is why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Which of the rule's conditions held (the first that did), from 0.
    pub condition: usize,
    /// The predicates that held and stand under no `not`, in the order of the condition. Empty if the
    /// condition is made of negations alone. At most [`PREDICATES_MAX`].
    pub predicates: Vec<MatchedPredicate>,
}

/// A predicate that held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedPredicate {
    /// The selection that it belongs to.
    pub selection: String,
    /// Where the rule has it.
    pub position: Position,
    /// The field; `None` for a keyword.
    pub field: Option<String>,
    /// The value of the field (of several values the one that matched), or the text in which a
    /// keyword was found; empty if the field is absent or null. Of a text longer than
    /// [`VALUE_BYTES_MAX`] a part around the match.
    pub value: String,
    /// How many bytes of the whole text are left out before `value`.
    pub value_offset: usize,
    /// The byte range of `value` that matched: the first occurrence, the whole value for
    /// comparisons; `None` if no part of the value can be pointed at.
    pub span: Option<(usize, usize)>,
    /// The predicate in words, such as `CommandLine contains 'mimikatz'`.
    pub words: String,
}

/// Most predicates shown in one [`Match`].
pub const PREDICATES_MAX: usize = 256;

/// Longest value shown in a [`MatchedPredicate`], in bytes.
pub const VALUE_BYTES_MAX: usize = 2048;

/// Explains why condition number `condition`, which holds, does.
pub(crate) fn explain(detection: &Detection, condition: usize, event: &dyn Event) -> Match {
    let mut explainer = Explainer { detection, event, predicates: Vec::new() };
    if let Some(condition) = detection.conditions.get(condition) {
        explainer.condition(condition);
    }
    Match { condition, predicates: explainer.predicates }
}

struct Explainer<'e> {
    detection: &'e Detection,
    event: &'e dyn Event,
    predicates: Vec<MatchedPredicate>,
}

impl Explainer<'_> {
    /// Adds what held below `condition`; tells whether it holds.
    fn condition(&mut self, condition: &Condition) -> bool {
        let before = self.predicates.len();
        let holds = match condition {
            // Every branch that holds is a reason, so none is left out once one holds.
            Condition::Or(parts) => {
                let mut holds = false;
                for part in parts {
                    holds |= self.condition(part);
                }
                holds
            }
            Condition::And(parts) => parts.iter().all(|part| self.condition(part)),
            Condition::Not(part) => {
                let inner = self.condition(part);
                self.predicates.truncate(before);
                !inner
            }
            Condition::Selection(name) => self.selection(name),
            Condition::Of(quantity, target) => {
                let detection = self.detection;
                let names = detection.selections.iter().map(|selection| selection.name.as_str());
                let mut meant = names.filter(|name| target.includes(name));
                match quantity {
                    Quantity::One => {
                        let mut holds = false;
                        for name in meant {
                            holds |= self.selection(name);
                        }
                        holds
                    }
                    Quantity::All => meant.all(|name| self.selection(name)),
                }
            }
        };
        if !holds {
            self.predicates.truncate(before);
        }
        holds
    }

    fn selection(&mut self, name: &str) -> bool {
        let Some(selection) = self.detection.selection(name) else { return false };
        let mut holds = false;
        for block in &selection.blocks {
            if block.holds(self.event) {
                holds = true;
                for item in &block.items {
                    self.item(name, item);
                }
            }
        }
        holds
    }

    /// Adds the predicates of an item that holds.
    fn item(&mut self, selection: &str, item: &Item) {
        let value = item.field.as_deref().and_then(|field| self.event.field(field));
        for predicate in item.predicates() {
            let found = match (&item.field, item.negated) {
                (Some(_), false) => predicate.find(value.as_ref(), self.event),
                (Some(_), true) => Some(Found {
                    text: value.as_ref().and_then(Value::text).unwrap_or_default().into_owned(),
                    span: None,
                }),
                (None, _) => find_keyword(predicate, self.event),
            };
            let Some(found) = found else { continue };
            if self.predicates.len() >= PREDICATES_MAX {
                return;
            }
            let (value, value_offset, span) = cut(&found);
            self.predicates.push(MatchedPredicate {
                selection: selection.to_owned(),
                position: item.position,
                field: item.field.clone(),
                value,
                value_offset,
                span,
                words: predicate_in_words(item.field.as_deref(), predicate, item.negated),
            });
        }
    }
}

fn find_keyword(predicate: &Predicate, event: &dyn Event) -> Option<Found> {
    let mut found = None;
    event.each_text(&mut |text| {
        found = predicate.find(Some(&Value::Str(Cow::Borrowed(text))), event);
        found.is_some()
    });
    found
}

/// Cuts a long text to a window that begins a little before the match.
fn cut(found: &Found) -> (String, usize, Option<(usize, usize)>) {
    let text = found.text.as_str();
    if text.len() <= VALUE_BYTES_MAX {
        return (text.to_owned(), 0, found.span);
    }
    let match_start = found.span.map_or(0, |(start, _)| start);
    let start = text.floor_char_boundary(match_start.saturating_sub(VALUE_BYTES_MAX / 4));
    let end = text.floor_char_boundary((start + VALUE_BYTES_MAX).min(text.len()));
    let span = found.span.map(|(from, to)| (from - start, to.min(end) - start));
    (text[start..end].to_owned(), start, span)
}
