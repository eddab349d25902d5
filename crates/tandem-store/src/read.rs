//! Values of named fields in batches, whatever column or JSON they are in.

use crate::decode::{text_at, value_at};
use crate::extra;
use crate::layout::{EXTRA, Layout};
use arrow::array::{ArrayRef, AsArray, PrimitiveArray, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Int64Type};
use std::collections::BTreeSet;
use tandem_model::Value;
use tandem_query::{Place, resolve};

/// Where the values of a field are.
#[derive(Debug, Clone)]
pub(crate) struct FieldPlace {
    pub(crate) name: String,
    /// The column, when there is one.
    pub(crate) column: Option<String>,
    /// Whether values may be in `extra` too.
    pub(crate) extra: bool,
}

impl FieldPlace {
    pub(crate) fn new(layout: &Layout, name: &str) -> Self {
        let (column, extra) = match resolve(name, &layout.catalogue) {
            Place::Event(own) => (Some(own.to_owned()), false),
            Place::Column(field) => (layout.of_field(&field.name).map(|column| column.name.clone()), true),
            Place::Extra => (None, true),
        };
        Self { name: name.to_owned(), column, extra }
    }

    /// The columns to read from a source whose `extra` has `names` (`None`: unknown).
    pub(crate) fn columns<'a>(&'a self, names: Option<&BTreeSet<String>>) -> impl Iterator<Item = &'a str> {
        let extra = self.extra && names.is_none_or(|names| names.contains(&self.name));
        self.column.as_deref().into_iter().chain(extra.then_some(EXTRA))
    }

    /// The place within one batch.
    pub(crate) fn within<'a>(&'a self, batch: &'a RecordBatch) -> Cells<'a> {
        Cells {
            name: &self.name,
            column: self.column.as_deref().and_then(|name| batch.column_by_name(name)),
            extra: if self.extra { batch.column_by_name(EXTRA) } else { None },
        }
    }
}

/// The values of one field in one batch.
pub(crate) struct Cells<'a> {
    name: &'a str,
    column: Option<&'a ArrayRef>,
    extra: Option<&'a ArrayRef>,
}

impl<'a> Cells<'a> {
    /// The value at `row`; an empty list is none.
    pub(crate) fn value(&self, row: usize) -> Option<Value> {
        let value = self.column.and_then(|column| value_at(column, row)).or_else(|| {
            self.extra.and_then(|extra| text_at(extra, row)).and_then(|text| extra::member(text, self.name))
        })?;
        let is_empty_list = matches!(&value, Value::List(values) if values.is_empty());
        (!is_empty_list).then_some(value)
    }

    /// The column of texts, when all values are in it.
    pub(crate) fn texts(&self) -> Option<&'a StringViewArray> {
        let column = self.column.filter(|column| *column.data_type() == DataType::Utf8View)?;
        self.extra.is_none().then(|| column.as_string_view())
    }

    /// The column of whole numbers, when all values are in it.
    pub(crate) fn numbers(&self) -> Option<&'a PrimitiveArray<Int64Type>> {
        let column = self.column.filter(|_| self.extra.is_none())?;
        column.as_primitive_opt::<Int64Type>()
    }
}
