//! What the pipe means, as slowly and plainly as the filter.

use crate::evaluate::{compare_numbers, number_of};
use crate::{Aggregate, Function, Literal, Order, Query, SortKey, Stage, matches, value_of};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use tandem_model::{Event, Value};

/// Named columns and rows of cells; `None` is an absent value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, each with one cell per column.
    pub rows: Vec<Vec<Option<Value>>>,
}

/// What a query answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<'a> {
    /// Events, when the pipe has neither `stats` nor `fields`.
    Events(Vec<&'a Event>),
    /// Figures or columns.
    Table(Table),
}

/// Runs a whole query over `events`. Without `sort` the events keep their order, and groups are ordered by
/// the texts of their values, absent ones first; a caller must not rely on either.
pub fn evaluate<'a>(query: &Query, events: &'a [Event]) -> Answer<'a> {
    let passed = events.iter().filter(|event| matches(&query.filter, event)).collect();
    query.pipe.iter().fold(Answer::Events(passed), Answer::through)
}

impl Answer<'_> {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Events(events) => events.len(),
            Self::Table(table) => table.rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of `column` in row `row`.
    pub fn cell(&self, row: usize, column: &str) -> Option<Value> {
        match self {
            Self::Events(events) => value_of(events.get(row)?, column),
            Self::Table(table) => {
                let index = table.columns.iter().position(|name| name == column)?;
                table.rows.get(row)?.get(index)?.clone()
            }
        }
    }

    /// One stage on.
    #[must_use]
    pub fn through(self, stage: &Stage) -> Self {
        match stage {
            Stage::Stats { aggregates, by } => Self::Table(stats(&self, aggregates, by)),
            Stage::Sort(keys) => self.sorted(keys),
            Stage::Head(count) => {
                let count = usize::try_from(*count).map_or(self.len(), |count| count.min(self.len()));
                self.picked(&(0..count).collect::<Vec<_>>())
            }
            Stage::Fields(names) => {
                let row = |row| names.iter().map(|name| self.cell(row, name)).collect();
                Self::Table(Table { columns: names.clone(), rows: (0..self.len()).map(row).collect() })
            }
        }
    }

    fn sorted(self, keys: &[SortKey]) -> Self {
        let mut rows: Vec<usize> = (0..self.len()).collect();
        rows.sort_by(|a, b| {
            keys.iter().fold(Ordering::Equal, |order, key| {
                order.then_with(|| {
                    match (self.cell(*a, &key.column), self.cell(*b, &key.column)) {
                        (None, None) => Ordering::Equal,
                        // Absent values come last in either direction.
                        (None, Some(_)) => Ordering::Greater,
                        (Some(_), None) => Ordering::Less,
                        (Some(a), Some(b)) if key.order == Order::Descending => order_of(&b, &a),
                        (Some(a), Some(b)) => order_of(&a, &b),
                    }
                })
            })
        });
        self.picked(&rows)
    }

    /// These rows, in this order.
    fn picked(self, rows: &[usize]) -> Self {
        match self {
            Self::Events(events) => Self::Events(rows.iter().map(|row| events[*row]).collect()),
            Self::Table(Table { columns, rows: all }) => {
                Self::Table(Table { columns, rows: rows.iter().map(|row| all[*row].clone()).collect() })
            }
        }
    }
}

/// The order of `sort`: numbers and numeric text, then instants, then texts by code points. A list stands
/// where its first value stands.
pub fn order_of(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        value if number_of(value).is_some() => 0,
        Value::Time(_) => 1,
        _ => 2,
    };
    let first = |value: &Value| value.each().next().cloned().unwrap_or(Value::text(""));
    let (a, b) = (first(a), first(b));
    rank(&a).cmp(&rank(&b)).then_with(|| match (number_of(&a), number_of(&b), &a, &b) {
        (Some(a), Some(b), ..) => compare_numbers(&a, &b).unwrap_or(Ordering::Equal),
        (.., Value::Time(a), Value::Time(b)) => a.cmp(b),
        _ => a.to_string().cmp(&b.to_string()),
    })
}

/// One group: rows that share the values of `by`.
#[derive(Default)]
struct Group {
    key: Vec<Option<Value>>,
    rows: Vec<usize>,
}

/// A row with a list in a `by` field is in one group for each different element.
fn stats(rows: &Answer<'_>, aggregates: &[Aggregate], by: &[String]) -> Table {
    let mut groups: BTreeMap<Vec<Option<String>>, Group> = BTreeMap::new();
    if by.is_empty() {
        groups.insert(Vec::new(), Group::default());
    }
    for row in 0..rows.len() {
        let mut keys: BTreeMap<Vec<Option<String>>, Vec<Option<Value>>> = BTreeMap::from([(Vec::new(), Vec::new())]);
        for field in by {
            let values: Vec<Option<Value>> = match rows.cell(row, field) {
                None => vec![None],
                Some(value) => value.each().cloned().map(Some).collect(),
            };
            let mut longer = BTreeMap::new();
            for (text, key) in &keys {
                for value in &values {
                    let text = text.iter().cloned().chain([value.as_ref().map(ToString::to_string)]).collect();
                    longer.entry(text).or_insert_with(|| key.iter().cloned().chain([value.clone()]).collect());
                }
            }
            keys = longer;
        }
        for (text, key) in keys {
            let group = groups.entry(text).or_insert_with(|| Group { key, rows: Vec::new() });
            group.rows.push(row);
        }
    }
    let columns = by.iter().cloned().chain(aggregates.iter().map(|aggregate| aggregate.name.clone())).collect();
    let rows = groups
        .into_values()
        .map(|group| {
            let figures = aggregates.iter().map(|aggregate| figure(rows, &group.rows, aggregate)).collect::<Vec<_>>();
            group.key.into_iter().chain(figures).collect()
        })
        .collect();
    Table { columns, rows }
}

fn figure(all: &Answer<'_>, rows: &[usize], aggregate: &Aggregate) -> Option<Value> {
    let Some(field) = &aggregate.field else { return Some(Value::Long(rows.len() as i64)) };
    let cells: Vec<Value> = rows.iter().filter_map(|row| all.cell(*row, field)).collect();
    let values: Vec<&Value> = cells.iter().flat_map(Value::each).collect();
    let numbers: Vec<Literal> = values.iter().filter_map(|value| number_of(value)).collect();
    match aggregate.function {
        Function::Count => Some(Value::Long(cells.len() as i64)),
        Function::CountDistinct => {
            let different: BTreeSet<String> = values.iter().map(ToString::to_string).collect();
            Some(Value::Long(different.len() as i64))
        }
        Function::Sum => sum(&numbers),
        Function::Avg if numbers.is_empty() => None,
        Function::Avg => {
            let sum: f64 = numbers.iter().filter_map(Literal::as_double).sum();
            Some(Value::Double(sum / numbers.len() as f64))
        }
        Function::Min => extreme(&values, &numbers, Ordering::Less),
        Function::Max => extreme(&values, &numbers, Ordering::Greater),
    }
}

/// A whole number as long as all are and it fits.
fn sum(numbers: &[Literal]) -> Option<Value> {
    if numbers.is_empty() {
        return None;
    }
    let mut whole = Some(0_i64);
    for number in numbers {
        whole = match (whole, number) {
            (Some(sum), Literal::Long(number)) => sum.checked_add(*number),
            _ => None,
        };
    }
    let double = || Value::Double(numbers.iter().filter_map(Literal::as_double).sum());
    Some(whole.map_or_else(double, Value::Long))
}

/// The value that stands `wanted` to all others: of the numbers if there are any, else of the instants,
/// else of the texts.
fn extreme(values: &[&Value], numbers: &[Literal], wanted: Ordering) -> Option<Value> {
    let mut candidates: Vec<Value> = numbers.iter().filter_map(Literal::to_number).collect();
    if candidates.is_empty() {
        candidates =
            values.iter().filter(|value| matches!(value, Value::Time(_))).map(|value| (*value).clone()).collect();
    }
    if candidates.is_empty() {
        candidates = values.iter().map(|value| Value::text(value.to_string())).collect();
    }
    candidates.into_iter().reduce(|best, next| if order_of(&next, &best) == wanted { next } else { best })
}
