//! Comparing a field with another one.

use crate::event::Event;
use crate::pattern::{Anchor, Case};
use crate::predicate::Predicate;
use crate::value::Value;

/// Whether a predicate that refers to another field holds for these values of the two.
pub(super) fn holds(predicate: &Predicate, value: &Value<'_>, other: &Value<'_>) -> bool {
    let Predicate::FieldRef { anchor, case, .. } = predicate else { return false };
    if let (Anchor::Whole, Value::Str(left), Value::Str(right)) = (anchor, value, other)
        && left.is_ascii()
        && right.is_ascii()
    {
        return match case {
            Case::Ignored => left.eq_ignore_ascii_case(right),
            Case::Kept => left == right,
        };
    }
    predicate.holds(Some(value), &Other(other))
}

/// An event in which every field is the other one.
struct Other<'v>(&'v Value<'v>);

impl Event for Other<'_> {
    fn field(&self, _: &str) -> Option<Value<'_>> {
        Some(self.0.clone())
    }

    fn each_text(&self, _: &mut dyn FnMut(&str) -> bool) {}
}
