//! The syntax tree. `Display` writes it as query text that parses to the same tree.

use crate::{Bound, Literal, Network};

/// A filter and what to do with the events that pass it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Which events.
    pub filter: Expr,
    /// Stages after `|`, in order; empty for plain search.
    pub pipe: Vec<Stage>,
}

/// Which events. Logic is two-valued: a test of an absent field is false, its `Not` is true.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Expr {
    /// Every event: the empty query, or `*`.
    #[default]
    All,
    /// Each of these; from the parser at least two, none of them an `And`.
    And(Vec<Expr>),
    /// Any of these; from the parser at least two, none of them an `Or`.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// These tokens one directly after the other among [`tokens`](crate::tokens) of `raw`. Folded, at least one.
    Text {
        /// Folded tokens.
        tokens: Vec<String>,
    },
    /// A field whose value passes a test; of a list, any element.
    Field {
        /// Name as written: one of the event's own columns, of the catalogue, or of `extra`.
        name: String,
        /// What its value must pass.
        test: Test,
    },
}

/// What a value must pass. [`Test::passes`] is the definition.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Same text, ignoring case; or the same number, instant or address.
    Equals(String),
    /// The whole text fits the pattern, ignoring case. Never two `AnyRun` in a row, never only `AnyRun`.
    Wildcard(Vec<Piece>),
    /// The regular expression (syntax of the `regex` crate) is found somewhere in the text, ignoring case.
    Regex(String),
    /// Between two bounds; `None` is open.
    Range {
        /// Lower bound.
        low: Option<Bound>,
        /// Upper bound.
        high: Option<Bound>,
    },
    /// Less or greater than a literal.
    Compare {
        /// How.
        operator: Operator,
        /// With what.
        value: Literal,
    },
    /// An address within a network.
    Cidr(Network),
    /// The field has a value (an empty list is none).
    Exists,
}

/// A part of a wildcard pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// This text; not empty.
    Literal(String),
    /// `*`: any characters, also none.
    AnyRun,
    /// `?`: exactly one character.
    AnyOne,
}

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// One stage of the pipe: a table in, a table out. Before the first `Stats` or `Fields` the rows are events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// One row for each combination of values of `by`: columns `by`, then the aggregates.
    Stats {
        /// Figures; at least one.
        aggregates: Vec<Aggregate>,
        /// Fields to group by; none means one row for everything.
        by: Vec<String>,
    },
    /// Orders rows; rows without a value come last in either order.
    Sort(Vec<SortKey>),
    /// The first rows, at most this many.
    Head(u64),
    /// Only these columns, in this order.
    Fields(Vec<String>),
}

/// A figure over a group of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// What is computed.
    pub function: Function,
    /// Over which field; `None` only for `Count`, which then counts rows, else rows with a value.
    pub field: Option<String>,
    /// Name of the column: what follows `as`, else the figure as written (`count`, `sum(http.bytes)`).
    pub name: String,
}

/// What is computed over a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// How many rows.
    Count,
    /// Sum of numbers (numeric text counts as a number; anything else is left out).
    Sum,
    /// Mean of numbers.
    Avg,
    /// Least: of the numbers if there are any, else of the instants, else of the texts.
    Min,
    /// Greatest, in the same way.
    Max,
    /// How many different values.
    CountDistinct,
}

/// Order by one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// Field or column.
    pub column: String,
    /// Direction.
    pub order: Order,
}

/// Direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Least first.
    Ascending,
    /// Greatest first.
    Descending,
}

impl Expr {
    /// Each of `parts`, in the parser's form: flat, and no list of one.
    pub fn and(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::All,
            1 => flat.remove(0),
            _ => Self::And(flat),
        }
    }

    /// Any of `parts`, in the parser's form: flat, and no list of one. Of nothing: no event.
    pub fn or(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::negate(Self::All),
            1 => flat.remove(0),
            _ => Self::Or(flat),
        }
    }

    /// Not `part`.
    pub fn negate(part: Self) -> Self {
        Self::Not(Box::new(part))
    }

    /// A test of one field.
    pub fn field(name: impl Into<String>, test: Test) -> Self {
        Self::Field { name: name.into(), test }
    }

    /// Calls `visit` with the name of every field that is tested, in order, repeated names repeatedly.
    pub fn for_each_field<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        match self {
            Self::All | Self::Text { .. } => {}
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.for_each_field(visit)),
            Self::Not(part) => part.for_each_field(visit),
            Self::Field { name, .. } => visit(name),
        }
    }
}

impl Test {
    /// The test for a pattern, in the parser's form: texts joined, runs of `*` as one, a pattern without
    /// wildcards as `Equals`, one of nothing but `*` as `Exists`.
    pub fn wildcard(pieces: Vec<Piece>) -> Self {
        let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match (joined.last_mut(), piece) {
                (_, Piece::Literal(text)) if text.is_empty() => {}
                (Some(Piece::Literal(before)), Piece::Literal(text)) => before.push_str(&text),
                (Some(Piece::AnyRun), Piece::AnyRun) => {}
                (_, piece) => joined.push(piece),
            }
        }
        match joined.as_mut_slice() {
            [] => Self::Equals(String::new()),
            [Piece::Literal(text)] => Self::Equals(std::mem::take(text)),
            [Piece::AnyRun] => Self::Exists,
            _ => Self::Wildcard(joined),
        }
    }
}

impl Function {
    pub(crate) const ALL: [(Self, &'static str); 6] = [
        (Self::Count, "count"),
        (Self::Sum, "sum"),
        (Self::Avg, "avg"),
        (Self::Min, "min"),
        (Self::Max, "max"),
        (Self::CountDistinct, "count_distinct"),
    ];

    /// The word in a query.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(function, _)| *function == self).map_or("", |(_, word)| word)
    }
}

impl Operator {
    /// The sign in a query.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}
