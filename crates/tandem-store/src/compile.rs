//! Filters of the search language as DataFusion expressions over the table `events`.
//!
//! The meaning is that of `tandem_query::matches`. Where a comparison of the engine means the same, it is used,
//! because files, row groups and pages can then be left out by their least and greatest values; everything
//! else is a [`Leaf`]. Leaves are never null; comparisons are made so below a `NOT`.

use crate::QueryError;
use crate::functions::Leaf;
use crate::layout::{Column, EXTRA, LOG_TYPES, Layout, RAW, RECEIVED, TIME};
use datafusion::common::{Column as ColumnName, ScalarValue};
use datafusion::logical_expr::{Expr, cast, lit};
use tandem_model::FieldType;
use tandem_query::{Literal, Operator, Place, Test, resolve};

/// A column by its exact name.
pub(crate) fn column(name: &str) -> Expr {
    Expr::Column(ColumnName::new_unqualified(name))
}

/// An instant as a literal of the type of the time columns.
pub(crate) fn instant(micros: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
}

/// `filter` as an expression; true for exactly the events that pass.
pub(crate) fn compile(layout: &Layout, filter: &tandem_query::Expr) -> Result<Expr, QueryError> {
    Compiler { layout }.expr(filter, Sign::Plain)
}

/// Whether a null may stand for false.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plain,
    BelowNot,
}

struct Compiler<'a> {
    layout: &'a Layout,
}

impl Compiler<'_> {
    fn expr(&self, filter: &tandem_query::Expr, sign: Sign) -> Result<Expr, QueryError> {
        let all = |parts: &[tandem_query::Expr]| -> Result<Vec<Expr>, QueryError> {
            parts.iter().map(|part| self.expr(part, sign)).collect()
        };
        Ok(match filter {
            tandem_query::Expr::All => lit(true),
            tandem_query::Expr::And(parts) => balanced(all(parts)?, Expr::and, true),
            tandem_query::Expr::Or(parts) => balanced(all(parts)?, Expr::or, false),
            tandem_query::Expr::Not(part) => Expr::Not(Box::new(self.expr(part, Sign::BelowNot)?)),
            tandem_query::Expr::Text { tokens } => Leaf::tokens(tokens, column(RAW)),
            tandem_query::Expr::Field { name, test } => {
                let test = self.field(name, test)?;
                if sign == Sign::BelowNot { test.is_true() } else { test }
            }
        })
    }

    fn field(&self, name: &str, test: &Test) -> Result<Expr, QueryError> {
        match resolve(name, &self.layout.catalogue) {
            Place::Event(TIME) => Self::instants(TIME, test),
            Place::Event(RECEIVED) => Self::instants(RECEIVED, test),
            Place::Event(LOG_TYPES) => Self::leaf(LOG_TYPES, test),
            Place::Event(own) if *test == Test::Exists => Ok(column(own).is_not_null()),
            Place::Event(own) => Self::leaf(own, test),
            Place::Column(field) => {
                let Some(column) = self.layout.of_field(&field.name) else { return Self::extra(name, test) };
                // A value that is not of the column's type is in `extra`.
                Ok(Self::column(column, test)?.or(Self::extra(name, test)?))
            }
            Place::Extra => Self::extra(name, test),
        }
    }

    fn column(of: &Column, test: &Test) -> Result<Expr, QueryError> {
        if *test == Test::Exists && of.field.kind != FieldType::Strings {
            return Ok(column(&of.name).is_not_null());
        }
        match of.field.kind {
            FieldType::Long => Self::longs(&of.name, test),
            FieldType::Timestamp => Self::instants(&of.name, test),
            FieldType::Ip => Self::addresses(of, test),
            FieldType::String | FieldType::Strings | FieldType::Double | FieldType::Bool => Self::leaf(&of.name, test),
        }
    }

    fn leaf(name: &str, test: &Test) -> Result<Expr, QueryError> {
        Leaf::column(test, column(name)).map_err(|error| regex_error(&error))
    }

    fn extra(name: &str, test: &Test) -> Result<Expr, QueryError> {
        Leaf::extra(name, test, column(EXTRA)).map_err(|error| regex_error(&error))
    }

    fn longs(name: &str, test: &Test) -> Result<Expr, QueryError> {
        let compare = |operator: Compare, literal: &Literal| match literal {
            Literal::Long(number) => operator.of(column(name), lit(*number)),
            Literal::Double(number) => {
                operator.of(cast(column(name), arrow::datatypes::DataType::Float64), lit(*number))
            }
            _ => lit(false),
        };
        match test {
            Test::Equals(wanted) => Ok(compare(Compare::Equal, &Literal::parse(wanted))),
            Test::Range { .. } | Test::Compare { .. } => Ok(bounds(name, test, &compare)),
            Test::Cidr(_) => Ok(lit(false)),
            Test::Wildcard(_) | Test::Regex(_) | Test::Exists => Self::leaf(name, test),
        }
    }

    fn instants(name: &str, test: &Test) -> Result<Expr, QueryError> {
        let compare = |operator: Compare, literal: &Literal| match literal {
            Literal::Instant(at) => operator.of(column(name), instant(at.micros())),
            _ => lit(false),
        };
        match test {
            Test::Equals(wanted) => Ok(compare(Compare::Equal, &Literal::parse(wanted))),
            Test::Range { .. } | Test::Compare { .. } => Ok(bounds(name, test, &compare)),
            Test::Cidr(_) => Ok(lit(false)),
            Test::Exists => Ok(column(name).is_not_null()),
            Test::Wildcard(_) | Test::Regex(_) => Self::leaf(name, test),
        }
    }

    /// The column holds nothing but addresses, and beside it stands the key that orders them.
    fn addresses(of: &Column, test: &Test) -> Result<Expr, QueryError> {
        let Some(key) = &of.key else { return Self::leaf(&of.name, test) };
        let bytes = |key: [u8; 16]| lit(ScalarValue::Binary(Some(key.to_vec())));
        match test {
            Test::Cidr(network) => {
                let (first, last) = network.keys();
                Ok(column(key).gt_eq(bytes(first)).and(column(key).lt_eq(bytes(last))))
            }
            Test::Equals(wanted) => Ok(match Literal::parse(wanted) {
                Literal::Address(address) => column(key).eq(bytes(tandem_query::address_key(address))),
                _ => lit(false),
            }),
            _ => Self::leaf(&of.name, test),
        }
    }
}

#[derive(Clone, Copy)]
enum Compare {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    fn of(self, a: Expr, b: Expr) -> Expr {
        match self {
            Self::Equal => a.eq(b),
            Self::Less => a.lt(b),
            Self::LessOrEqual => a.lt_eq(b),
            Self::Greater => a.gt(b),
            Self::GreaterOrEqual => a.gt_eq(b),
        }
    }
}

/// A range or comparison by `compare`. A range without any bound is passed by every value.
fn bounds(name: &str, test: &Test, compare: &dyn Fn(Compare, &Literal) -> Expr) -> Expr {
    match test {
        Test::Range { low, high } => {
            let low = low.as_ref().map(|bound| {
                compare(if bound.inclusive { Compare::GreaterOrEqual } else { Compare::Greater }, &bound.value)
            });
            let high = high
                .as_ref()
                .map(|bound| compare(if bound.inclusive { Compare::LessOrEqual } else { Compare::Less }, &bound.value));
            low.into_iter().chain(high).reduce(Expr::and).unwrap_or_else(|| column(name).is_not_null())
        }
        Test::Compare { operator, value } => compare(
            match operator {
                Operator::Less => Compare::Less,
                Operator::LessOrEqual => Compare::LessOrEqual,
                Operator::Greater => Compare::Greater,
                Operator::GreaterOrEqual => Compare::GreaterOrEqual,
            },
            value,
        ),
        _ => lit(false),
    }
}

/// Joined as a tree of little depth: a thousand terms in a row would be a thousand calls deep.
fn balanced(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr, of_none: bool) -> Expr {
    match parts.len() {
        0 => lit(of_none),
        1 => parts.remove(0),
        count => {
            let rest = parts.split_off(count / 2);
            join(balanced(parts, join, of_none), balanced(rest, join, of_none))
        }
    }
}

fn regex_error(error: &tandem_query::RegexError) -> QueryError {
    QueryError::invalid(format!("the regular expression cannot be used: {error}"))
}
