//! What a filter means. Obvious and slow on purpose: every faster way of answering is compared with this.

use crate::{Expr, Literal, Operator, Piece, Test, address_key, compile_regex, fold, literal, parse_address, tokens};
use std::cmp::Ordering;
use tandem_model::{Event, Value};

/// Whether `event` passes `filter`.
pub fn matches(filter: &Expr, event: &Event) -> bool {
    match filter {
        Expr::All => true,
        Expr::And(parts) => parts.iter().all(|part| matches(part, event)),
        Expr::Or(parts) => parts.iter().any(|part| matches(part, event)),
        Expr::Not(part) => !matches(part, event),
        Expr::Text { tokens: wanted } => tokens(&event.raw).windows(wanted.len()).any(|found| found == wanted),
        Expr::Field { name, test } => value_of(event, name).is_some_and(|value| test.passes(&value)),
    }
}

/// The value of `name` in `event`; an empty list is none.
///
/// The event's own columns ([`EVENT_FIELDS`](crate::EVENT_FIELDS)) come first, then vendor names, then common
/// names, then the names that its log types add.
pub fn value_of(event: &Event, name: &str) -> Option<Value> {
    let value = match name {
        "time" => Value::Time(event.time),
        "received" => Value::Time(event.received),
        "source" => Value::Text(event.source.clone()),
        "parser" => Value::Text(event.parser.clone()),
        "log_types" => Value::List(event.typed.iter().map(|typed| Value::text(typed.log_type.to_string())).collect()),
        "id" => Value::text(event.id.to_string()),
        "raw" => Value::Text(event.raw.clone()),
        "error" => Value::Text(event.error.clone()?),
        "run" => Value::text(event.run?.to_string()),
        _ => {
            let alias = || event.typed.iter().find_map(|typed| typed.aliases.get(name));
            event.field(name).or_else(alias)?.clone()
        }
    };
    let is_empty_list = matches!(&value, Value::List(values) if values.is_empty());
    (!is_empty_list).then_some(value)
}

impl Test {
    /// Whether a value passes; of a list, any element.
    pub fn passes(&self, value: &Value) -> bool {
        value.each().any(|single| self.passes_single(single))
    }

    fn passes_single(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => equals(value, wanted),
            Self::Wildcard(pieces) => fits(&value.to_string(), pieces),
            Self::Regex(pattern) => compile_regex(pattern).is_ok_and(|regex| regex.is_match(&value.to_string())),
            Self::Range { low, high } => {
                let above = low.as_ref().is_none_or(|bound| {
                    compare(value, &bound.value)
                        .is_some_and(|order| order.is_gt() || (order.is_eq() && bound.inclusive))
                });
                let below = high.as_ref().is_none_or(|bound| {
                    compare(value, &bound.value)
                        .is_some_and(|order| order.is_lt() || (order.is_eq() && bound.inclusive))
                });
                above && below
            }
            Self::Compare { operator, value: wanted } => compare(value, wanted).is_some_and(|order| match operator {
                Operator::Less => order.is_lt(),
                Operator::LessOrEqual => order.is_le(),
                Operator::Greater => order.is_gt(),
                Operator::GreaterOrEqual => order.is_ge(),
            }),
            Self::Cidr(network) => {
                value.as_text().and_then(parse_address).is_some_and(|address| network.contains(address))
            }
            Self::Exists => true,
        }
    }
}

/// Same text, ignoring case; else a number, an instant or an address that `wanted` spells in another way.
fn equals(value: &Value, wanted: &str) -> bool {
    if fold(&value.to_string()) == fold(wanted) {
        return true;
    }
    match (value, Literal::parse(wanted)) {
        (Value::Long(_) | Value::Double(_), literal @ (Literal::Long(_) | Literal::Double(_)))
        | (Value::Time(_), literal @ Literal::Instant(_))
        | (Value::Text(_), literal @ Literal::Address(_)) => compare(value, &literal) == Some(Ordering::Equal),
        _ => false,
    }
}

/// How `value` stands to `literal`; `None` when the two are of different kinds. The literal decides the kind:
/// a number compares with numbers and numeric text, an instant with instants and their text, an address with
/// addresses, a text with texts by the code points of their folds.
pub(crate) fn compare(value: &Value, literal: &Literal) -> Option<Ordering> {
    match literal {
        Literal::Long(_) | Literal::Double(_) => compare_numbers(&number_of(value)?, literal),
        Literal::Instant(wanted) => instant_of(value).map(|instant| instant.cmp(wanted)),
        Literal::Address(wanted) => {
            let address = value.as_text().and_then(parse_address)?;
            Some(address_key(address).cmp(&address_key(*wanted)))
        }
        Literal::Text(wanted) => value.as_text().map(|text| fold(text).cmp(&fold(wanted))),
    }
}

/// The number that a value is or spells.
pub(crate) fn number_of(value: &Value) -> Option<Literal> {
    match value {
        Value::Long(number) => Some(Literal::Long(*number)),
        Value::Double(number) => Some(Literal::Double(*number)),
        Value::Text(text) => Literal::number(text),
        Value::Bool(_) | Value::Time(_) | Value::List(_) => None,
    }
}

fn instant_of(value: &Value) -> Option<tandem_base::Timestamp> {
    match value {
        Value::Time(instant) => Some(*instant),
        Value::Text(text) => literal::instant(text),
        _ => None,
    }
}

/// Whole numbers exactly, everything else as floating point.
pub(crate) fn compare_numbers(a: &Literal, b: &Literal) -> Option<Ordering> {
    match (a, b) {
        (Literal::Long(a), Literal::Long(b)) => Some(a.cmp(b)),
        _ => a.as_double()?.partial_cmp(&b.as_double()?),
    }
}

/// Whether the whole text fits the pattern: follows every way through the text at once.
fn fits(text: &str, pieces: &[Piece]) -> bool {
    let text: Vec<char> = fold(text).chars().collect();
    // reached[n]: the pieces so far fit the first n characters.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pieces {
        let mut next = vec![false; text.len() + 1];
        match piece {
            Piece::Literal(literal) => {
                let literal: Vec<char> = fold(literal).chars().collect();
                for start in (0..=text.len()).filter(|start| reached[*start]) {
                    if text[start..].starts_with(&literal) {
                        next[start + literal.len()] = true;
                    }
                }
            }
            Piece::AnyOne => next[1..].copy_from_slice(&reached[..text.len()]),
            Piece::AnyRun => {
                let first = reached.iter().position(|reached| *reached).unwrap_or(next.len());
                next[first..].fill(true);
            }
        }
        reached = next;
    }
    reached[text.len()]
}
