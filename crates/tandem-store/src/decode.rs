//! Rows of batches as events again.

use crate::layout::{ERROR, EXTRA, ID, Layout, PARSER, RAW, RAW_PRIVATE, RECEIVED, RUN, SOURCE, TIME, TYPED};
use crate::{extra, extra::Unpacked};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Event, EventId, Value};

/// The text at `row`, whichever of the text types the column has.
pub(crate) fn text_at(array: &dyn Array, row: usize) -> Option<&str> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        _ => None,
    }
}

/// The instant at `row`.
pub(crate) fn time_at(array: &dyn Array, row: usize) -> Option<Timestamp> {
    let array = array.as_primitive_opt::<TimestampMicrosecondType>()?;
    array.is_valid(row).then(|| Timestamp::from_micros(array.value(row)))
}

/// The value at `row`.
pub(crate) fn value_at(array: &ArrayRef, row: usize) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8 => Value::text(text_at(array, row)?),
        DataType::Int64 => Value::Long(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Timestamp(..) => Value::Time(time_at(array, row)?),
        DataType::List(_) => {
            let values = array.as_list::<i32>().value(row);
            Value::List((0..values.len()).filter_map(|at| value_at(&values, at)).collect())
        }
        _ => return None,
    })
}

/// The event at `row` of `batch`; columns that the batch lacks are absent. `None` when the row has no
/// readable id, which no row of ours lacks.
pub(crate) fn event_at(layout: &Layout, batch: &RecordBatch, row: usize) -> Option<Event> {
    let column = |name: &str| batch.column_by_name(name);
    let text = |name: &str| column(name).and_then(|array| text_at(array, row));
    let time = |name: &str| column(name).and_then(|array| time_at(array, row));
    let id: EventId = text(ID)?.parse().ok()?;
    let unpacked = Unpacked::new(text(EXTRA));
    let first_record = unpacked.first_record.unwrap_or(id.record);
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).filter_map(|(field, array)| {
        let column = layout.of_column(field.name())?;
        Some((column.field.name.clone(), value_at(array, row)?))
    });
    let (mut vendor, mut common) = unpacked.layers(layout, columns);
    let typed = text(TYPED).map(|text| extra::typed_from(text, &mut vendor, &mut common)).unwrap_or_default();
    let raw_private = column(RAW_PRIVATE)
        .filter(|array| array.is_valid(row))
        .map(|array| {
            let values = array.as_list::<i32>().value(row);
            let values = values.as_primitive::<Int32Type>().values();
            values.chunks_exact(2).map(|pair| (pair[0].cast_unsigned(), pair[1].cast_unsigned())).collect()
        })
        .unwrap_or_default();
    Some(Event {
        id,
        first_record,
        time: time(TIME).unwrap_or_default(),
        received: time(RECEIVED).unwrap_or_default(),
        source: text(SOURCE).unwrap_or_default().into(),
        parser: text(PARSER).unwrap_or_default().into(),
        typed,
        vendor,
        common,
        raw: text(RAW).unwrap_or_default().into(),
        raw_private,
        error: text(ERROR).map(Arc::from),
        run: text(RUN).and_then(|text| text.parse().ok()),
    })
}
