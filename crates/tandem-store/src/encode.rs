//! Events as columns. Only columns with a value are made: a batch has its own, narrower schema.

use crate::family::family;
use crate::layout::{
    CATALOGUE_KEY, DAY, ERROR, EXTRA, EXTRA_NAMES_KEY, FAMILY, ID, LOG_TYPES, Layout, PARSER, RAW, RAW_PRIVATE,
    RECEIVED, RUN, SOURCE, TIME, TYPED,
};
use crate::{StoreError, extra};
use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int32Builder, Int64Builder, ListBuilder,
    RecordBatch, StringBuilder, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use std::collections::BTreeSet;
use std::sync::Arc;
use tandem_model::{Event, FieldType, Value};
use tandem_query::{address_key, parse_address};

/// More names than this in the `extra` of one batch are not listed.
const EXTRA_NAMES_MAX: usize = 2000;

/// The cells of one column, as they are collected.
pub(crate) enum Cells {
    Text(StringViewBuilder),
    Texts(ListBuilder<StringViewBuilder>),
    Long(Int64Builder),
    Double(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Ip(StringViewBuilder, BinaryBuilder),
}

impl Cells {
    pub(crate) fn new(kind: FieldType) -> Self {
        match kind {
            FieldType::String => Self::Text(StringViewBuilder::new()),
            FieldType::Strings => Self::Texts(ListBuilder::new(StringViewBuilder::new()).with_field(ArrowField::new(
                "element",
                DataType::Utf8View,
                true,
            ))),
            FieldType::Long => Self::Long(Int64Builder::new()),
            FieldType::Double => Self::Double(Float64Builder::new()),
            FieldType::Bool => Self::Bool(BooleanBuilder::new()),
            FieldType::Timestamp => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            FieldType::Ip => Self::Ip(StringViewBuilder::new(), BinaryBuilder::new()),
        }
    }

    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder;
        match self {
            Self::Text(builder) | Self::Ip(builder, _) => builder.len(),
            Self::Texts(builder) => builder.len(),
            Self::Long(builder) => builder.len(),
            Self::Double(builder) => builder.len(),
            Self::Bool(builder) => builder.len(),
            Self::Time(builder) => builder.len(),
        }
    }

    pub(crate) fn null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Texts(builder) => builder.append_null(),
            Self::Long(builder) => builder.append_null(),
            Self::Double(builder) => builder.append_null(),
            Self::Bool(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Ip(builder, key) => {
                builder.append_null();
                key.append_null();
            }
        }
    }

    fn pad(&mut self, rows: usize) {
        while self.len() < rows {
            self.null();
        }
    }

    /// Appends `value` when it is of the column's type; otherwise answers `false` and appends nothing.
    /// Nothing is converted here: parsers do that, and what they left alone has a meaning of its own.
    pub(crate) fn take(&mut self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Texts(builder), Value::List(values))
                if values.iter().all(|value| matches!(value, Value::Text(_))) =>
            {
                for text in values.iter().filter_map(Value::as_text) {
                    builder.values().append_value(text);
                }
                builder.append(true);
            }
            (Self::Long(builder), Value::Long(number)) => builder.append_value(*number),
            (Self::Double(builder), Value::Double(number)) => builder.append_value(*number),
            (Self::Bool(builder), Value::Bool(value)) => builder.append_value(*value),
            (Self::Time(builder), Value::Time(instant)) => builder.append_value(instant.micros()),
            (Self::Ip(builder, key), Value::Text(text)) => match parse_address(text) {
                Some(address) => {
                    builder.append_value(text);
                    key.append_value(address_key(address));
                }
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// The column, and for addresses its key column.
    pub(crate) fn finish(self) -> (ArrayRef, Option<ArrayRef>) {
        match self {
            Self::Text(mut builder) => (Arc::new(builder.finish()), None),
            Self::Texts(mut builder) => (Arc::new(builder.finish()), None),
            Self::Long(mut builder) => (Arc::new(builder.finish()), None),
            Self::Double(mut builder) => (Arc::new(builder.finish()), None),
            Self::Bool(mut builder) => (Arc::new(builder.finish()), None),
            Self::Time(mut builder) => (Arc::new(builder.finish()), None),
            Self::Ip(mut builder, mut key) => (Arc::new(builder.finish()), Some(Arc::new(key.finish()))),
        }
    }
}

/// The events as one batch, in the order given. Columns: those of the file schema that have a value,
/// in its order, then `day` and `family`. The schema's metadata lists the names in `extra`.
pub(crate) fn encode(layout: &Layout, events: &[Arc<Event>]) -> Result<RecordBatch, StoreError> {
    let mut id = StringViewBuilder::with_capacity(events.len());
    let mut time = TimestampMicrosecondBuilder::with_capacity(events.len()).with_timezone("UTC");
    let mut received = TimestampMicrosecondBuilder::with_capacity(events.len()).with_timezone("UTC");
    let mut source = StringViewBuilder::with_capacity(events.len());
    let mut parser = StringViewBuilder::with_capacity(events.len());
    let mut log_types =
        ListBuilder::new(StringViewBuilder::new()).with_field(ArrowField::new("element", DataType::Utf8View, true));
    let mut typed = StringViewBuilder::with_capacity(events.len());
    let mut raw = StringViewBuilder::with_capacity(events.len()).with_fixed_block_size(1 << 16);
    let mut raw_private =
        ListBuilder::new(Int32Builder::new()).with_field(ArrowField::new("element", DataType::Int32, true));
    let mut extra_text = StringViewBuilder::with_capacity(events.len());
    let mut error = StringViewBuilder::with_capacity(events.len());
    let mut run = StringViewBuilder::with_capacity(events.len());
    let mut day = Date32Builder::with_capacity(events.len());
    let mut families = StringBuilder::new();
    let mut cells: Vec<Option<Cells>> = layout.columns.iter().map(|_| None).collect();
    let mut extra_names = BTreeSet::new();
    let mut last_typed: Option<(&Event, String)> = None;

    for (row, event) in events.iter().enumerate() {
        id.append_value(event.id.to_string());
        time.append_value(event.time.micros());
        received.append_value(event.received.micros());
        source.append_value(&event.source);
        parser.append_value(&event.parser);
        for typed in &event.typed {
            log_types.values().append_value(typed.log_type.to_string());
        }
        log_types.append(true);
        // Neighbours are mostly of one kind without aliases; their text is the same.
        let same = last_typed.as_ref().filter(|(before, _)| {
            before.typed == event.typed && event.typed.iter().all(|typed| typed.aliases.is_empty())
        });
        let text = match same {
            Some((_, text)) => text.clone(),
            None => extra::typed_text(event),
        };
        typed.append_value(&text);
        last_typed = Some((event, text));
        raw.append_value(&event.raw);
        if event.raw_private.is_empty() {
            raw_private.append(false);
        } else {
            for (from, to) in &event.raw_private {
                raw_private.values().append_value(i32::try_from(*from).unwrap_or(i32::MAX));
                raw_private.values().append_value(i32::try_from(*to).unwrap_or(i32::MAX));
            }
            raw_private.append(true);
        }
        error.append_option(event.error.as_deref());
        run.append_option(event.run.map(|run| run.to_string()));
        day.append_value(i32::try_from(event.received.day()).unwrap_or(0));
        families.append_value(family(event));

        let mut rest = extra::Rest::default();
        for (name, value) in event.vendor.iter() {
            place(layout, &mut cells, row, name, value, &mut rest);
            rest.note_layer(layout, name, extra::Effective::Vendor, event.common.get(name));
        }
        for (name, value) in event.common.iter() {
            if event.vendor.get(name).is_none() {
                place(layout, &mut cells, row, name, value, &mut rest);
                rest.note_layer(layout, name, extra::Effective::Common, None);
            }
        }
        for typed in &event.typed {
            for (alias, value) in typed.aliases.iter() {
                let is_placed = |at: usize| cells[at].as_ref().is_some_and(|cells| cells.len() > row);
                if event.field(alias).is_none() && !rest.has(alias) && !layout.position(alias).is_some_and(is_placed) {
                    place(layout, &mut cells, row, alias, value, &mut rest);
                }
            }
        }
        if event.first_record != event.id.record {
            rest.first_record = Some(event.first_record);
        }
        match rest.text(&mut extra_names) {
            Some(text) => extra_text.append_value(text),
            None => extra_text.append_null(),
        }
    }

    let mut fields: Vec<ArrowField> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut put = |name: &str, array: ArrayRef| {
        if array.null_count() < array.len() || name == ID {
            fields.push(ArrowField::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
    };
    put(ID, Arc::new(id.finish()));
    put(TIME, Arc::new(time.finish()));
    put(RECEIVED, Arc::new(received.finish()));
    put(SOURCE, Arc::new(source.finish()));
    put(PARSER, Arc::new(parser.finish()));
    put(LOG_TYPES, Arc::new(log_types.finish()));
    put(TYPED, Arc::new(typed.finish()));
    put(RAW, Arc::new(raw.finish()));
    put(RAW_PRIVATE, Arc::new(raw_private.finish()));
    put(EXTRA, Arc::new(extra_text.finish()));
    put(ERROR, Arc::new(error.finish()));
    put(RUN, Arc::new(run.finish()));
    for (column, cells) in layout.columns.iter().zip(cells) {
        let Some(mut cells) = cells else { continue };
        cells.pad(events.len());
        let (array, key) = cells.finish();
        put(&column.name, array);
        if let (Some(name), Some(array)) = (&column.key, key) {
            put(name, array);
        }
    }
    put(DAY, Arc::new(day.finish()));
    put(FAMILY, Arc::new(families.finish()));
    let metadata = [
        (EXTRA_NAMES_KEY.to_owned(), names_text(&extra_names)),
        (CATALOGUE_KEY.to_owned(), layout.catalogue.version().to_string()),
    ];
    let schema = Schema::new_with_metadata(fields, metadata.into());
    Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
}

fn place(
    layout: &Layout,
    cells: &mut [Option<Cells>],
    row: usize,
    name: &Arc<str>,
    value: &Value,
    rest: &mut extra::Rest,
) {
    let Some(at) = layout.position(name) else {
        rest.put(name, value);
        return;
    };
    let kind = layout.columns[at].field.kind;
    let cell = cells[at].get_or_insert_with(|| Cells::new(kind));
    cell.pad(row);
    // A name occurs once in `Fields`, yet a foreign list of events must not make a row longer than one.
    if cell.len() > row || !cell.take(value) {
        rest.put(name, value);
    }
}

/// The text for [`EXTRA_NAMES_KEY`].
pub(crate) fn names_text(names: &BTreeSet<String>) -> String {
    if names.len() > EXTRA_NAMES_MAX {
        "*".to_owned()
    } else {
        serde_json::to_string(names).unwrap_or_else(|_| "*".to_owned())
    }
}

/// The names in `extra` that a text for [`EXTRA_NAMES_KEY`] lists; `None` when they are not known.
pub(crate) fn names_of(text: Option<&String>) -> Option<BTreeSet<String>> {
    serde_json::from_str(text?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_as_it_is_or_not_at_all() {
        let takes = |kind, value: Value| Cells::new(kind).take(&value);
        assert!(takes(FieldType::Long, Value::Long(12)));
        assert!(!takes(FieldType::Long, "12".into()));
        assert!(!takes(FieldType::Long, Value::Double(1.0)));
        assert!(takes(FieldType::Ip, "::1".into()));
        assert!(!takes(FieldType::Ip, "10.0.0.1:80".into()));
        assert!(!takes(FieldType::String, Value::Long(4)));
        assert!(takes(FieldType::Strings, Value::List(vec!["a".into(), "b".into()])));
        assert!(!takes(FieldType::Strings, Value::List(vec!["a".into(), Value::Long(1)])));
        assert!(!takes(FieldType::Strings, "a".into()));
        assert!(!takes(FieldType::Timestamp, "2026-10-11T22:14:15Z".into()));
    }
}
