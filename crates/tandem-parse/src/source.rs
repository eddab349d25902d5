//! Sources of values: a field, a template, the first of several, a constant, and `{from, part, as, lookup, default}`.

use crate::compile::Compiler;
use crate::condition::Condition;
use crate::convert::Conversion;
use crate::work::{Ref, Work, has_value, text_of};
use crate::yaml::{Data, Node, Scalar};
use regex::Regex;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tandem_model::Value;

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Field(Ref),
    Template(Vec<Part>),
    First(Vec<Source>),
    Constant(Value),
    Shaped(Box<Shaped>),
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Literal(String),
    Field(Ref),
}

/// `{from, when, part, as, lookup, default}`.
#[derive(Debug, Clone)]
pub(crate) struct Shaped {
    from: Option<Source>,
    when: Option<Condition>,
    part: Option<Regex>,
    conversions: Vec<Conversion>,
    lookup: Option<Arc<Table>>,
    /// In a lookup: values that the table does not have are kept.
    keeps_unknown: bool,
    default: Option<Source>,
}

/// Codes and their words; keys folded to lower case.
pub(crate) type Table = HashMap<String, Value>;

/// What a plain text means at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    Field,
    Text,
}

impl Source {
    pub(crate) fn compile(node: &Node, plain: Plain, compiler: &mut Compiler<'_>) -> Option<Self> {
        match &node.data {
            Data::Scalar(Scalar::Null) => {
                compiler.problems.shape(node.line, "a source is empty; name a field, or leave the line out");
                None
            }
            Data::Scalar(Scalar::Text(text)) if text.contains('{') || plain == Plain::Text => {
                template(text, node.line, compiler)
            }
            Data::Scalar(Scalar::Text(text)) => {
                Some(Self::Field(Ref::compile(text, node.line, compiler.names, compiler.problems)))
            }
            Data::Scalar(scalar) if plain == Plain::Text => constant(scalar).map(Self::Constant),
            Data::Scalar(_) => {
                compiler
                    .problems
                    .shape(node.line, "a number is no source here; write {value: …} or quote the field name");
                None
            }
            Data::List(items) => {
                Some(Self::First(items.iter().filter_map(|item| Self::compile(item, plain, compiler)).collect()))
            }
            Data::Map(_) => Self::shaped(node, compiler),
        }
    }

    fn shaped(node: &Node, compiler: &mut Compiler<'_>) -> Option<Self> {
        node.refuse_unknown(
            "a source",
            &["value", "from", "when", "part", "as", "lookup", "default"],
            compiler.problems,
        );
        let when = node.get("when").and_then(|when| Condition::compile(when, compiler));
        if let Some(value) = node.get("value") {
            if let Some(other) = ["from", "part", "as", "lookup", "default"].iter().find(|key| node.get(key).is_some())
            {
                compiler.problems.shape(value.line, format!("`value` and `{other}` do not go together"));
            }
            let constant = value_of(value, compiler).map(Self::Constant)?;
            return Some(match when {
                None => constant,
                when => Self::Shaped(Box::new(Shaped {
                    from: Some(constant),
                    when,
                    part: None,
                    conversions: Vec::new(),
                    lookup: None,
                    keeps_unknown: true,
                    default: None,
                })),
            });
        }
        let from = node.get("from").and_then(|from| Self::compile(from, Plain::Field, compiler));
        if from.is_none() {
            compiler.problems.shape(node.line, "a source that is a map needs `from` or `value`");
        }
        let part = node.get("part").and_then(|part| {
            let text = part.text("part", compiler.problems);
            crate::pattern::plain(&text, part.line, compiler.problems)
        });
        let conversions = node.get("as").map(|words| conversions(words, compiler)).unwrap_or_default();
        let lookup = node.get("lookup").and_then(|table| compiler.table(table));
        let default = node.get("default");
        Some(Self::Shaped(Box::new(Shaped {
            from,
            when,
            part,
            conversions,
            keeps_unknown: lookup.is_none() || default.is_none(),
            lookup,
            default: default.filter(|node| !node.is_null()).and_then(|node| Self::compile(node, Plain::Text, compiler)),
        })))
    }

    /// The value; nothing for what counts as no value.
    pub(crate) fn eval(&self, work: &Work<'_, '_>) -> Option<Value> {
        self.eval_ref(work).map(Cow::into_owned)
    }

    /// As [`Self::eval`], without copying a field's value.
    pub(crate) fn eval_ref<'v>(&'v self, work: &'v Work<'_, '_>) -> Option<Cow<'v, Value>> {
        match self {
            Self::Field(from) => work.value(from),
            Self::Template(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Field(from) => text.push_str(&text_of(&*work.value(from)?)),
                    }
                }
                Some(Cow::Owned(Value::from(text)))
            }
            Self::First(sources) => sources.iter().find_map(|source| source.eval_ref(work)),
            Self::Constant(value) => Some(Cow::Borrowed(value)),
            Self::Shaped(shaped) => shaped.eval(work).map(Cow::Owned),
        }
    }
}

impl Shaped {
    fn eval(&self, work: &Work<'_, '_>) -> Option<Value> {
        if self.when.as_ref().is_some_and(|when| !when.holds(work)) {
            return None;
        }
        let found = self.from.as_ref().and_then(|from| from.eval(work)).and_then(|value| self.shape(value));
        found.or_else(|| self.default.as_ref()?.eval(work))
    }

    fn shape(&self, mut value: Value) -> Option<Value> {
        if let Some(part) = &self.part {
            let text = text_of(&value).into_owned();
            let captures = part.captures(&text)?;
            let group = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0))?;
            value = Value::text(group.as_str());
        }
        for conversion in &self.conversions {
            value = conversion.apply(&value)?;
        }
        if let Some(table) = &self.lookup {
            value = match value {
                Value::List(values) => {
                    Value::List(values.into_iter().filter_map(|value| self.look_up(table, value)).collect())
                }
                single => self.look_up(table, single)?,
            };
        }
        Some(value).filter(has_value)
    }

    fn look_up(&self, table: &Table, value: Value) -> Option<Value> {
        let text = text_of(&value);
        let found = match table.get(text.as_ref()) {
            None if text.bytes().any(|byte| byte.is_ascii_uppercase()) => table.get(&text.to_ascii_lowercase()),
            found => found,
        };
        match found {
            Some(Value::List(words)) if words.is_empty() => None,
            Some(word) => Some(word.clone()),
            None if self.keeps_unknown => Some(value),
            None => None,
        }
    }
}

/// The words of `as:`.
pub(crate) fn conversions(node: &Node, compiler: &mut Compiler<'_>) -> Vec<Conversion> {
    let mut list = Vec::new();
    for word in node.texts("a conversion", compiler.problems) {
        match Conversion::from_word(&word) {
            Some(conversion) => list.push(conversion),
            None => compiler.problems.add(
                "parser.unknown_name",
                node.line,
                format!("there is no conversion `{word}`; known are {}", Conversion::WORDS.join(", ")),
            ),
        }
    }
    list
}

/// A constant: text, number, truth value or a list of them.
pub(crate) fn value_of(node: &Node, compiler: &mut Compiler<'_>) -> Option<Value> {
    match &node.data {
        Data::Scalar(scalar) => constant(scalar),
        Data::List(items) => Some(Value::List(items.iter().filter_map(|item| value_of(item, compiler)).collect())),
        Data::Map(_) => {
            compiler.problems.shape(node.line, "a value is a text, a number or a list of them, not a map");
            None
        }
    }
}

fn constant(scalar: &Scalar) -> Option<Value> {
    Some(match scalar {
        Scalar::Null => return None,
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Long(value) => Value::Long(*value),
        Scalar::Double(value) => Value::Double(*value),
        Scalar::Text(text) => Value::text(text),
    })
}

/// `"{a} and {b}"`; `{{` is a brace.
fn template(text: &str, line: usize, compiler: &mut Compiler<'_>) -> Option<Source> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            literal.push('{');
            rest = after;
            continue;
        }
        let Some((name, after)) = rest.split_once('}') else {
            compiler.problems.shape(line, "a template has `{` without `}`; write `{{` for a brace");
            return None;
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Field(Ref::compile(name, line, compiler.names, compiler.problems)));
        rest = after;
    }
    literal.push_str(rest);
    if parts.is_empty() {
        return Some(Source::Constant(Value::from(literal)));
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Some(Source::Template(parts))
}
