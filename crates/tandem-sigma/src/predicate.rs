//! One predicate of one value, the leaf of a detection.

use std::cmp::Ordering;

use crate::cidr::Network;
use crate::event::Event;
use crate::number::Number;
use crate::pattern::{Anchor, Case, Pattern};
use crate::regexp::RegexPredicate;
use crate::time::TimePart;
use crate::value::Value;

/// A predicate of a value.
///
/// Where a field has several values, the predicate holds if it holds for any of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// The text of the value matches a pattern.
    Text {
        /// What to find.
        pattern: Pattern,
        /// Where it must stand.
        anchor: Anchor,
    },
    /// The value is this number, or text that spells it.
    Number {
        /// The number.
        number: Number,
        /// The number as the rule spells it (`0x10`), which text in the event may repeat.
        written: String,
    },
    /// The value is this boolean, or text that spells it.
    Bool(bool),
    /// The field is absent, null, an empty list, or has a null among its values.
    Null,
    /// The field is there (`true`), whatever its value, or not (`false`).
    Exists(bool),
    /// A regular expression matches the text of the value.
    Regex(RegexPredicate),
    /// The value is an address in this network.
    Cidr(Network),
    /// The value is a number, or text that spells one, and compares so with this number.
    Compare(Ordinal, Number),
    /// The value is a date, and this part of it compares so (or is equal) with the number.
    Time(TimePart, Option<Ordinal>, i64),
    /// The value compares with the value of another field.
    FieldRef {
        /// The other field.
        field: String,
        /// Where the other field's text must stand in this one's.
        anchor: Anchor,
        /// Whether letter case counts.
        case: Case,
    },
}

/// An order comparison: the value is … than the number of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ordinal {
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
}

impl Ordinal {
    /// True if a value that compares with the rule's number as `ordering` passes.
    pub fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A range of bytes.
type Span = (usize, usize);

/// What a predicate found: the value's text and the byte range in it that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Empty if there is no value to show (absent, null).
    pub(crate) text: String,
    pub(crate) span: Option<Span>,
}

impl Predicate {
    /// True if the predicate holds for the value of a field (`None` = the event does not have it).
    pub(crate) fn holds(&self, value: Option<&Value<'_>>, event: &dyn Event) -> bool {
        match (self, value) {
            (Self::Exists(wanted), value) => value.is_some() == *wanted,
            (Self::Null, value) => value.is_none_or(Value::has_null),
            (_, None) => false,
            (Self::FieldRef { field, anchor, case }, Some(value)) => {
                let Some(other) = event.field(field) else { return false };
                let mut refers = |left: &Value<'_>| find_reference(left, &other, *anchor, *case);
                value.find_element(&mut refers).is_some()
            }
            (_, Some(value)) => value.find_element(&mut |single| self.find_in(single)).is_some(),
        }
    }

    /// Like [`Predicate::holds`], and tells what was found.
    pub(crate) fn find(&self, value: Option<&Value<'_>>, event: &dyn Event) -> Option<Found> {
        if !self.holds(value, event) {
            return None;
        }
        let nothing_to_show = Found { text: String::new(), span: None };
        let Some(value) = value else { return Some(nothing_to_show) };
        let other = match self {
            Self::FieldRef { field, .. } => event.field(field),
            _ => None,
        };
        let found = value.find_element(&mut |single| {
            let span = match (self, &other) {
                (Self::FieldRef { anchor, case, .. }, Some(other)) => {
                    Some(find_reference(single, other, *anchor, *case)?)
                }
                (Self::Exists(_), _) => None,
                _ => Some(self.find_in(single)?),
            };
            let text = single.text().unwrap_or_default().into_owned();
            Some(Found { text, span })
        });
        Some(found.unwrap_or(nothing_to_show))
    }

    /// Tries a single value: `None` if the predicate does not hold, otherwise the range that matched.
    fn find_in(&self, single: &Value<'_>) -> Option<Span> {
        match self {
            Self::Text { pattern, anchor } => single.text().and_then(|text| pattern.find(&text, *anchor)),
            Self::Regex(regex) => single.text().and_then(|text| regex.find(&text)),
            Self::Number { number, written } => whole_if(single, number_equals(single, *number, written)),
            Self::Bool(wanted) => whole_if(single, bool_equals(single, *wanted)),
            Self::Cidr(network) => whole_if(single, matches!(single, Value::Str(text) if network.contains_text(text))),
            Self::Compare(ordinal, number) => {
                let ordering = number_of(single).and_then(|value| value.compare(*number));
                whole_if(single, ordering.is_some_and(|ordering| ordinal.accepts(ordering)))
            }
            Self::Time(part, ordinal, wanted) => {
                let Value::Str(text) = single else { return None };
                let ordering = part.of(text)?.cmp(wanted);
                let accepted = ordinal.map_or(ordering.is_eq(), |ordinal| ordinal.accepts(ordering));
                whole_if(single, accepted)
            }
            // Decided by `holds`, which knows whether the field is there, and the event.
            Self::Null | Self::Exists(_) | Self::FieldRef { .. } => None,
        }
    }
}

/// The whole value as range, if the predicate holds.
fn whole_if(single: &Value<'_>, holds: bool) -> Option<Span> {
    single.text().filter(|_| holds).map(|text| (0, text.len()))
}

fn number_of(single: &Value<'_>) -> Option<Number> {
    match single {
        Value::Str(text) => Number::from_event_text(text),
        other => other.number(),
    }
}

/// Numbers are compared as numbers; text is compared as text with the number in decimal and as
/// the rule spells it, so that `01` or `1.0` in an event are not `1`.
fn number_equals(single: &Value<'_>, number: Number, written: &str) -> bool {
    match single {
        Value::Str(text) => text.eq_ignore_ascii_case(written) || text.eq_ignore_ascii_case(&number.to_string()),
        other => other.number().and_then(|value| value.compare(number)) == Some(Ordering::Equal),
    }
}

fn bool_equals(single: &Value<'_>, wanted: bool) -> bool {
    match single {
        Value::Bool(value) => *value == wanted,
        Value::Str(text) => text.eq_ignore_ascii_case(if wanted { "true" } else { "false" }),
        _ => false,
    }
}

/// Compares a single value with any value of another field. Null on either side is unequal to
/// everything, and an empty text stands in nothing.
fn find_reference(left: &Value<'_>, right: &Value<'_>, anchor: Anchor, case: Case) -> Option<Span> {
    let text = left.text()?;
    right.find_element(&mut |other| {
        if anchor == Anchor::Whole
            && let (Some(left), Some(right)) = (left.number(), other.number())
        {
            let equal = left.compare(right) == Some(Ordering::Equal);
            return equal.then_some((0, text.len()));
        }
        let wanted = other.text()?;
        if wanted.is_empty() && anchor != Anchor::Whole {
            return None;
        }
        Pattern::literal(&wanted, case).find(&text, anchor)
    })
}
