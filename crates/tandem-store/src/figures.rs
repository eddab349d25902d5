//! `| stats`: figures over groups, in one pass, in parts that can be joined.

use crate::QueryError;
use crate::read::Cells;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use tandem_model::Value;
use tandem_query::{Aggregate, Function, Literal, Table, order_of};

/// Groups and different values together; more need more memory than a query may have.
const PARTS_MAX: usize = 500_000;

/// Figures of all groups.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    aggregates: Vec<Aggregate>,
    by: Vec<String>,
    groups: HashMap<Vec<Option<String>>, Group>,
    parts: usize,
}

/// The values of a group, as texts and as they are.
type Key = (Vec<Option<String>>, Vec<Option<Value>>);

#[derive(Debug, Clone)]
struct Group {
    key: Vec<Option<Value>>,
    figures: Vec<Figure>,
}

#[derive(Debug, Clone)]
enum Figure {
    Count(i64),
    Distinct(BTreeSet<String>),
    Sum { whole: Option<i64>, double: f64, any: bool },
    Avg { sum: f64, count: u64 },
    Extreme { wanted: Ordering, number: Option<Value>, instant: Option<Value>, text: Option<Value> },
}

impl Figures {
    pub(crate) fn new(aggregates: &[Aggregate], by: &[String]) -> Self {
        let mut figures = Self { aggregates: aggregates.to_vec(), by: by.to_vec(), groups: HashMap::new(), parts: 0 };
        if by.is_empty() {
            group_of(&mut figures.groups, &figures.aggregates, Vec::new(), Vec::new());
        }
        figures
    }

    /// Adds rows: `by` and `fields` are the cells of the fields to group by and of each aggregate.
    pub(crate) fn add(
        &mut self,
        by: &[Cells<'_>],
        fields: &[Option<Cells<'_>>],
        rows: usize,
    ) -> Result<(), QueryError> {
        let Some(codes) = by.iter().map(|cells| Codes::new(cells, rows)).collect::<Option<Vec<_>>>() else {
            return self.add_lists(by, fields, rows);
        };
        // Rows of the same group together, so that each group is looked up once a batch.
        for rows in Codes::joined(&codes, rows) {
            let values = codes.iter().map(|codes| codes.values[codes.of_row[rows[0]] as usize].clone());
            let (text, key) = values.map(|value| (value.as_ref().map(ToString::to_string), value)).unzip();
            let before = self.groups.len();
            let group = group_of(&mut self.groups, &self.aggregates, text, key);
            let mut parts = 0;
            for ((figure, aggregate), cells) in group.figures.iter_mut().zip(&self.aggregates).zip(fields) {
                match (figure, cells) {
                    (Figure::Count(count), None) => *count += rows.len() as i64,
                    (figure, cells) => {
                        for row in &rows {
                            parts += figure.add(aggregate, cells.as_ref().and_then(|cells| cells.value(*row)).as_ref());
                        }
                    }
                }
            }
            self.parts += parts + self.groups.len() - before;
            self.check()?;
        }
        Ok(())
    }

    /// The same where a field has lists: a row is in one group for each different element.
    fn add_lists(&mut self, by: &[Cells<'_>], fields: &[Option<Cells<'_>>], rows: usize) -> Result<(), QueryError> {
        for row in 0..rows {
            let cells: Vec<Option<Value>> =
                fields.iter().map(|cells| cells.as_ref().and_then(|cells| cells.value(row))).collect();
            let mut keys: Vec<Key> = vec![(Vec::new(), Vec::new())];
            for cells in by {
                let values: Vec<Option<Value>> = match cells.value(row) {
                    None => vec![None],
                    Some(Value::List(values)) => {
                        let mut seen = BTreeSet::new();
                        values.into_iter().filter(|value| seen.insert(value.to_string())).map(Some).collect()
                    }
                    single => vec![single],
                };
                keys = keys
                    .iter()
                    .flat_map(|(text, key)| {
                        values.iter().map(move |value| {
                            let mut longer = (text.clone(), key.clone());
                            longer.0.push(value.as_ref().map(ToString::to_string));
                            longer.1.push(value.clone());
                            longer
                        })
                    })
                    .collect();
            }
            for (text, key) in keys {
                let before = self.groups.len();
                let group = group_of(&mut self.groups, &self.aggregates, text, key);
                let mut parts = 0;
                for ((figure, aggregate), cell) in group.figures.iter_mut().zip(&self.aggregates).zip(&cells) {
                    parts += figure.add(aggregate, cell.as_ref());
                }
                self.parts += parts + self.groups.len() - before;
            }
            self.check()?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.parts > PARTS_MAX {
            return Err(QueryError::Invalid {
                message: format!("the figures have more than {PARTS_MAX} groups and different values"),
                hint: Some("group by fields with fewer values, or narrow the search".to_owned()),
            });
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Self) -> Result<(), QueryError> {
        for (text, theirs) in other.groups {
            match self.groups.get_mut(&text) {
                None => {
                    self.parts += 1 + theirs.figures.iter().map(Figure::parts).sum::<usize>();
                    self.groups.insert(text, theirs);
                }
                Some(ours) => {
                    for (ours, theirs) in ours.figures.iter_mut().zip(theirs.figures) {
                        self.parts += ours.merge(theirs);
                    }
                }
            }
            self.check()?;
        }
        Ok(())
    }

    /// The table: columns `by`, then the figures; rows by the texts of the groups, absent values first.
    pub(crate) fn finish(self) -> Table {
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        groups.sort_by(|a, b| a.0.cmp(&b.0));
        let columns =
            self.by.iter().cloned().chain(self.aggregates.iter().map(|aggregate| aggregate.name.clone())).collect();
        let rows = groups
            .into_iter()
            .map(|(_, group)| group.key.into_iter().chain(group.figures.into_iter().map(Figure::finish)).collect())
            .collect();
        Table { columns, rows }
    }
}

/// The group with this key, which is made if it is not there.
fn group_of<'g>(
    groups: &'g mut HashMap<Vec<Option<String>>, Group>,
    aggregates: &[Aggregate],
    text: Vec<Option<String>>,
    key: Vec<Option<Value>>,
) -> &'g mut Group {
    let new = || Group { key, figures: aggregates.iter().map(Figure::new).collect() };
    groups.entry(text).or_insert_with(new)
}

/// The values of a field in a batch, numbered: rows with the same text have the same number.
struct Codes {
    of_row: Vec<u32>,
    values: Vec<Option<Value>>,
}

impl Codes {
    /// `None` where a row has a list.
    fn new(cells: &Cells<'_>, rows: usize) -> Option<Self> {
        let mut codes = Self { of_row: Vec::with_capacity(rows), values: Vec::new() };
        if let Some(texts) = cells.texts() {
            let mut known: HashMap<Option<&str>, u32> = HashMap::new();
            for text in texts {
                codes.push(&mut known, text, || text.map(Value::text));
            }
        } else if let Some(numbers) = cells.numbers() {
            let mut known: HashMap<Option<i64>, u32> = HashMap::new();
            for number in numbers {
                codes.push(&mut known, number, || number.map(Value::Long));
            }
        } else {
            let mut known: HashMap<Option<String>, u32> = HashMap::new();
            for row in 0..rows {
                let value = cells.value(row);
                if matches!(value, Some(Value::List(_))) {
                    return None;
                }
                codes.push(&mut known, value.as_ref().map(ToString::to_string), || value);
            }
        }
        Some(codes)
    }

    fn push<K: Eq + Hash>(&mut self, known: &mut HashMap<K, u32>, key: K, value: impl FnOnce() -> Option<Value>) {
        let code = *known.entry(key).or_insert_with(|| {
            self.values.push(value());
            self.values.len() as u32 - 1
        });
        self.of_row.push(code);
    }

    /// The rows of each group, groups in the order of their first row.
    fn joined(all: &[Self], rows: usize) -> Vec<Vec<usize>> {
        let mut of_row = vec![0; rows];
        let mut count = usize::from(rows > 0);
        for codes in all {
            let mut known: HashMap<(u32, u32), u32> = HashMap::new();
            for (group, code) in of_row.iter_mut().zip(&codes.of_row) {
                let next = known.len() as u32;
                *group = *known.entry((*group, *code)).or_insert(next);
            }
            count = known.len();
        }
        let mut groups = vec![Vec::new(); count];
        for (row, group) in of_row.iter().enumerate() {
            groups[*group as usize].push(row);
        }
        groups
    }
}

fn number(value: &Value) -> Option<Literal> {
    match value {
        Value::Long(number) => Some(Literal::Long(*number)),
        Value::Double(number) => Some(Literal::Double(*number)),
        Value::Text(text) => Literal::number(text),
        Value::Bool(_) | Value::Time(_) | Value::List(_) => None,
    }
}

fn better(best: &mut Option<Value>, next: Value, wanted: Ordering) {
    if best.as_ref().is_none_or(|best| order_of(&next, best) == wanted) {
        *best = Some(next);
    }
}

impl Figure {
    fn new(aggregate: &Aggregate) -> Self {
        let extreme = |wanted| Self::Extreme { wanted, number: None, instant: None, text: None };
        match aggregate.function {
            // Without a field every figure counts rows, as the language defines it.
            _ if aggregate.field.is_none() => Self::Count(0),
            Function::Count => Self::Count(0),
            Function::CountDistinct => Self::Distinct(BTreeSet::new()),
            Function::Sum => Self::Sum { whole: Some(0), double: 0.0, any: false },
            Function::Avg => Self::Avg { sum: 0.0, count: 0 },
            Function::Min => extreme(Ordering::Less),
            Function::Max => extreme(Ordering::Greater),
        }
    }

    fn parts(&self) -> usize {
        match self {
            Self::Distinct(values) => values.len(),
            _ => 0,
        }
    }

    /// Answers how many values it holds more than before.
    fn add(&mut self, aggregate: &Aggregate, cell: Option<&Value>) -> usize {
        let before = self.parts();
        match (self, cell) {
            (Self::Count(count), cell) => *count += i64::from(aggregate.field.is_none() || cell.is_some()),
            (_, None) => return 0,
            (Self::Distinct(values), Some(cell)) => {
                values.extend(cell.each().map(ToString::to_string));
                return values.len() - before;
            }
            (Self::Sum { whole, double, any }, Some(cell)) => {
                for number in cell.each().filter_map(number) {
                    *any = true;
                    match number {
                        Literal::Long(number) => {
                            *whole = whole.and_then(|sum| sum.checked_add(number));
                            *double += number as f64;
                        }
                        Literal::Double(number) => {
                            *whole = None;
                            *double += number;
                        }
                        _ => {}
                    }
                }
            }
            (Self::Avg { sum, count }, Some(cell)) => {
                for number in cell.each().filter_map(number) {
                    *count += 1;
                    *sum += match number {
                        Literal::Long(number) => number as f64,
                        Literal::Double(number) => number,
                        _ => 0.0,
                    };
                }
            }
            (Self::Extreme { wanted, number: best, instant, text }, Some(cell)) => {
                for value in cell.each() {
                    if let Some(number) = number(value) {
                        let number = match number {
                            Literal::Long(number) => Value::Long(number),
                            Literal::Double(number) => Value::Double(number),
                            _ => continue,
                        };
                        better(best, number, *wanted);
                    } else if matches!(value, Value::Time(_)) {
                        better(instant, value.clone(), *wanted);
                    } else {
                        better(text, Value::text(value.to_string()), *wanted);
                    }
                }
            }
        }
        0
    }

    /// Answers how many values it holds more than before.
    fn merge(&mut self, other: Self) -> usize {
        match (self, other) {
            (Self::Count(ours), Self::Count(theirs)) => *ours += theirs,
            (Self::Distinct(ours), Self::Distinct(theirs)) => {
                let before = ours.len();
                ours.extend(theirs);
                return ours.len() - before;
            }
            (
                Self::Sum { whole, double, any },
                Self::Sum { whole: their_whole, double: their_double, any: their_any },
            ) => {
                *whole = whole.zip(their_whole).and_then(|(ours, theirs)| ours.checked_add(theirs));
                *double += their_double;
                *any |= their_any;
            }
            (Self::Avg { sum, count }, Self::Avg { sum: their_sum, count: their_count }) => {
                *sum += their_sum;
                *count += their_count;
            }
            (
                Self::Extreme { wanted, number, instant, text },
                Self::Extreme { number: their_number, instant: their_instant, text: their_text, .. },
            ) => {
                for (ours, theirs) in [(number, their_number), (instant, their_instant), (text, their_text)] {
                    if let Some(theirs) = theirs {
                        better(ours, theirs, *wanted);
                    }
                }
            }
            _ => {}
        }
        0
    }

    fn finish(self) -> Option<Value> {
        match self {
            Self::Count(count) => Some(Value::Long(count)),
            Self::Distinct(values) => Some(Value::Long(values.len() as i64)),
            Self::Sum { any: false, .. } | Self::Avg { count: 0, .. } => None,
            Self::Sum { whole: Some(whole), .. } => Some(Value::Long(whole)),
            Self::Sum { double, .. } => Some(Value::Double(double)),
            Self::Avg { sum, count } => Some(Value::Double(sum / count as f64)),
            Self::Extreme { number, instant, text, .. } => number.or(instant).or(text),
        }
    }
}
