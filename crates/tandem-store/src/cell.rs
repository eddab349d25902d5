//! Cells of any Arrow type as values.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tandem_base::Timestamp;
use tandem_model::Value;

/// The value at `row`; of a type without a value of ours (intervals, maps …) its text.
pub(crate) fn cell(array: &ArrayRef, row: usize) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    let one = array.slice(row, 1);
    let to = |kind: &DataType| cast(&one, kind).ok().filter(|one| one.is_valid(0));
    match array.data_type() {
        DataType::Null => None,
        DataType::Boolean => Some(Value::Bool(one.as_boolean().value(0))),
        kind if kind.is_integer() => {
            to(&DataType::Int64).map(|one| Value::Long(one.as_primitive::<Int64Type>().value(0))).or_else(|| text(&one))
        }
        kind if kind.is_floating() || matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..)) => {
            to(&DataType::Float64).map(|one| Value::Double(one.as_primitive::<Float64Type>().value(0)))
        }
        DataType::Timestamp(..) => {
            let micros = to(&DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
            let micros = micros.as_primitive::<TimestampMicrosecondType>().value(0);
            Some(Value::Time(Timestamp::from_micros(micros)))
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::ListView(_) => {
            let values = match array.data_type() {
                DataType::List(_) => one.as_list::<i32>().value(0),
                DataType::LargeList(_) => one.as_list::<i64>().value(0),
                DataType::FixedSizeList(..) => one.as_fixed_size_list().value(0),
                _ => one.as_list_view::<i32>().value(0),
            };
            Some(Value::List((0..values.len()).filter_map(|at| cell(&values, at)).collect()))
        }
        DataType::Dictionary(_, inner) => to(inner).and_then(|one| cell(&one, 0)),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            let bytes = to(&DataType::Binary)?;
            Some(Value::from(tandem_base::hex(bytes.as_binary::<i32>().value(0))))
        }
        _ => crate::decode::text_at(&one, 0).map(Value::text).or_else(|| text(&one)),
    }
}

fn text(one: &ArrayRef) -> Option<Value> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(one, &options).ok()?;
    Some(Value::from(formatter.value(0).to_string()))
}
