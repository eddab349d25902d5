//! Many events at once, as columns: each distinct value is looked at once.

use crate::event::Event;
use crate::value::Value;

use super::fields::{FastEvent, Field};
use super::set::SetId;
use super::{Route, Session};

/// A column of a batch: distinct values, and for each row which of them it has.
///
/// This is what a dictionary array of Arrow is; any other column can be handed over with as many
/// values as rows.
#[derive(Clone, Copy, Debug)]
pub struct Column<'c> {
    /// The name of the field.
    pub name: &'c str,
    /// The values; a value may stand here twice.
    pub values: &'c [Value<'c>],
    /// For each row the place of its value in `values`; [`Column::ABSENT`], or any other place where
    /// there is none, if the row does not have the field.
    pub places: &'c [u32],
}

impl Column<'_> {
    /// The place of a value that is not there.
    pub const ABSENT: u32 = u32::MAX;

    fn value(&self, row: usize) -> Option<&Value<'_>> {
        self.values.get(*self.places.get(row)? as usize)
    }
}

/// A row of columns as an event.
///
/// Use it to explain a hit: `engine.rules()[rule].evaluate(&Row { columns, row })`.
#[derive(Clone, Copy, Debug)]
pub struct Row<'c> {
    /// The columns.
    pub columns: &'c [Column<'c>],
    /// The number of the row, from 0.
    pub row: usize,
}

impl Event for Row<'_> {
    /// The column of that name; columns have no structure, so a dotted path is a name like any other.
    fn field(&self, name: &str) -> Option<Value<'_>> {
        let column = self.columns.iter().rev().find(|column| column.name == name)?;
        column.value(self.row).cloned()
    }

    fn each_text(&self, visit: &mut dyn FnMut(&str) -> bool) {
        for value in self.columns.iter().filter_map(|column| column.value(self.row)) {
            let mut visit_single = |single: &Value<'_>| single.text().filter(|text| visit(text)).map(|_| ());
            if value.find_element(&mut visit_single).is_some() {
                return;
            }
        }
    }
}

impl FastEvent for Row<'_> {
    fn each_field<'e>(&'e self, visit: &mut dyn FnMut(&'e str, Field<'e>)) {
        for column in self.columns {
            if let Some(value) = column.value(self.row) {
                visit(column.name, Field::Value(value.clone()));
            }
        }
    }
}

impl Session {
    /// Evaluates rows of columns, and calls `fired` with the number of each row for which rules
    /// fire, and with those rules' numbers, sorted. Of several columns with one name the last counts.
    ///
    /// # Panics
    ///
    /// If the route is that of another engine.
    pub fn evaluate_columns(
        &mut self,
        route: &Route,
        rows: usize,
        columns: &[Column<'_>],
        fired: &mut dyn FnMut(usize, &[u32]),
    ) {
        self.begin(route);
        let mut found: Vec<(u32, &[u32], Vec<SetId>)> = Vec::new();
        for column in columns {
            let Some(field) = self.field(column.name).filter(|field| route.wants(*field)) else { continue };
            let sets = column.values.iter().map(|value| self.local_set(route, field, value)).collect();
            found.retain(|(other, ..)| *other != field);
            found.push((field, column.places, sets));
        }
        for row in 0..rows {
            self.begin_row(route);
            for (field, places, sets) in &found {
                let place = places.get(row).copied().unwrap_or(Column::ABSENT);
                if let Some(set) = sets.get(place as usize) {
                    self.note_local(route, *field, *set);
                }
            }
            let event = Row { columns, row };
            self.compare_fields(route, &|_, name| event.field(name));
            let rules = self.finish(route, &event, None);
            if !rules.is_empty() {
                fired(row, rules);
            }
        }
    }
}
