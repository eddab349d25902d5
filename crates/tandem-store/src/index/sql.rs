//! What a filter of SQL needs of the index.

use super::build::is_indexed;
use super::probe::{Probe, all, either, tokens, whole_tokens};
use super::term::{Kind, field_key, hash, number, value_tokens};
use crate::layout::{ERROR, LOG_TYPES, Layout, PARSER, RAW, RUN, SOURCE};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Like, Operator};
use tandem_model::FieldType;
use tandem_query::{Literal, Piece};

/// What `filter` needs: SQL compares letter by letter, so what is equal there is equal ignoring case too.
pub(crate) fn probe_sql(layout: &Layout, filter: &Expr) -> Probe {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            all([probe_sql(layout, left), probe_sql(layout, right)])
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            either([probe_sql(layout, left), probe_sql(layout, right)])
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (left.as_literal(), right.as_literal())
        {
            (None, Some(value)) => equals(layout, left, value),
            (Some(value), None) => equals(layout, right, value),
            _ => Probe::Any,
        },
        Expr::InList(InList { expr, list, negated: false }) => {
            either(list.iter().map(|item| item.as_literal().map_or(Probe::Any, |value| equals(layout, expr, value))))
        }
        Expr::Like(like) => self::like(layout, like),
        Expr::IsNotNull(expr) => match field(layout, expr) {
            Some((key, kind)) if kind != FieldType::Strings => Probe::Term(hash(Kind::Present, key, b"")),
            _ => Probe::Any,
        },
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "array_has" => match args.as_slice() {
            [list, item] => item.as_literal().map_or(Probe::Any, |value| equals(layout, list, value)),
            _ => Probe::Any,
        },
        _ => Probe::Any,
    }
}

/// The field of a column that is indexed, or of a call of `extra_text`.
fn field(layout: &Layout, expr: &Expr) -> Option<(u64, FieldType)> {
    match expr {
        Expr::Column(column) => match column.name.as_str() {
            own @ (SOURCE | PARSER | ERROR | RUN) => Some((field_key(own), FieldType::String)),
            LOG_TYPES => Some((field_key(LOG_TYPES), FieldType::Strings)),
            other => {
                let field = &layout.of_column(other)?.field;
                is_indexed(field.kind).then(|| (field_key(&field.name), field.kind))
            }
        },
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "extra_text" => {
            let name = args.get(1)?.as_literal()?.try_as_str().flatten()?;
            Some((field_key(name), FieldType::String))
        }
        _ => None,
    }
}

fn equals(layout: &Layout, expr: &Expr, value: &ScalarValue) -> Probe {
    let Some((key, _)) = field(layout, expr) else { return Probe::Any };
    if let Some(Some(text)) = value.try_as_str() {
        return tokens(key, &value_tokens(text));
    }
    match value {
        ScalarValue::Int64(Some(value)) => {
            number(&Literal::Long(*value)).map_or(Probe::Any, |same| tokens(key, &value_tokens(&same)))
        }
        _ => Probe::Any,
    }
}

fn like(layout: &Layout, like: &Like) -> Probe {
    let Some(Some(pattern)) = like.pattern.as_literal().and_then(ScalarValue::try_as_str) else { return Probe::Any };
    if like.negated || like.escape_char.is_some() || pattern.contains('\\') {
        return Probe::Any;
    }
    let mut pieces = Vec::new();
    let mut literal = String::new();
    for c in pattern.chars() {
        let wildcard = match c {
            '%' => Piece::AnyRun,
            '_' => Piece::AnyOne,
            other => {
                literal.push(other);
                continue;
            }
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(wildcard);
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    let mut whole = whole_tokens(&pieces);
    if like.case_insensitive {
        // Other letters are equal to these two ignoring case than the index knows.
        whole.retain(|token| token.is_ascii() && !token.contains(['s', 'k']));
    }
    if matches!(like.expr.as_ref(), Expr::Column(column) if column.name == RAW) {
        // The tokens of `raw` have the escapes of XML undone.
        if pattern.contains(['&', ';']) {
            return Probe::Any;
        }
        return all(whole.iter().map(|token| Probe::Term(hash(Kind::Raw, 0, token.as_bytes()))));
    }
    match field(layout, &like.expr) {
        Some((key, FieldType::String | FieldType::Ip)) => tokens(key, &whole),
        _ => Probe::Any,
    }
}
