//! Values of events, as an event hands them to the evaluator.

use std::borrow::Cow;

use crate::number::Number;

/// The value of a field of an event.
///
/// Borrow what the event has; nothing here asks for a copy.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// The field is there and has no value.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Text, also empty text.
    Str(Cow<'a, str>),
    /// Several values: a predicate holds if it holds for any of them. An empty list counts as null.
    List(Vec<Value<'a>>),
    /// A structure; it is there, but no predicate holds for it.
    Object,
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl Value<'_> {
    /// The number that the value is; text is not a number here.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Int(int) => Some(Number::Int(i128::from(*int))),
            Self::Uint(uint) => Some(Number::Int(i128::from(*uint))),
            Self::Float(float) => Some(Number::Float(*float)),
            Self::Null | Self::Bool(_) | Self::Str(_) | Self::List(_) | Self::Object => None,
        }
    }

    /// The value as text: numbers in decimal, booleans as `true` or `false`; null, lists and
    /// structures have no text.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null | Self::List(_) | Self::Object => None,
            Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Int(int) => Some(Cow::Owned(int.to_string())),
            Self::Uint(uint) => Some(Cow::Owned(uint.to_string())),
            Self::Float(float) => Some(Cow::Owned(float.to_string())),
            Self::Str(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// The first single value for which `test` answers something: the value itself, or the
    /// elements of a list in order, lists inside lists included.
    pub(crate) fn find_element<T>(&self, test: &mut dyn FnMut(&Value<'_>) -> Option<T>) -> Option<T> {
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            match value {
                Self::List(elements) => open.extend(elements.iter().rev()),
                single => {
                    if let Some(answer) = test(single) {
                        return Some(answer);
                    }
                }
            }
        }
        None
    }

    /// True for null, an empty list, and a list with a null in it.
    pub(crate) fn has_null(&self) -> bool {
        match self {
            Self::List(elements) if elements.is_empty() => true,
            _ => self.find_element(&mut |value| (*value == Value::Null).then_some(())).is_some(),
        }
    }
}
