//! Rows of many batches as one batch per partition, sorted by event time.

use crate::StoreError;
use crate::layout::{DAY, FAMILY, TIME};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::{Date32Type, Field as ArrowField, Schema, SchemaRef, TimestampMicrosecondType};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of one (day, family).
pub(crate) struct Group {
    pub(crate) day: i32,
    pub(crate) family: Option<Arc<str>>,
    /// Sorted by event time; without the partition columns; only columns with a value.
    pub(crate) batch: RecordBatch,
    /// For each row, which input batch and row it was.
    pub(crate) origin: Vec<(usize, usize)>,
}

/// Event time, batch and row.
type Row = (i64, usize, usize);

/// Groups and sorts the rows of `batches`, whose columns are subsets of `order` with `day` and perhaps `family`.
pub(crate) fn arrange(order: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<Group>, StoreError> {
    let mut groups: BTreeMap<(i32, Option<String>), Vec<Row>> = BTreeMap::new();
    for (which, batch) in batches.iter().enumerate() {
        let days = batch.column_by_name(DAY).map(AsArray::as_primitive::<Date32Type>);
        let families = batch.column_by_name(FAMILY).map(AsArray::as_string::<i32>);
        let times = batch.column_by_name(TIME).map(AsArray::as_primitive::<TimestampMicrosecondType>);
        for row in 0..batch.num_rows() {
            let day = days.map_or(0, |days| days.value(row));
            let family = families.map(|families| families.value(row));
            let time = times.map_or(0, |times| times.value(row));
            let key = (day, family.map(str::to_owned));
            groups.entry(key).or_default().push((time, which, row));
        }
    }
    groups
        .into_iter()
        .map(|((day, family), mut rows)| {
            rows.sort_unstable();
            let origin: Vec<_> = rows.iter().map(|(_, which, row)| (*which, *row)).collect();
            let batch = gather(order, batches, &origin)?;
            Ok(Group { day, family: family.map(Arc::from), batch, origin })
        })
        .collect()
}

/// The rows `origin` of `batches` as one batch: columns of `order` in which any of the rows has a value.
fn gather(order: &SchemaRef, batches: &[RecordBatch], origin: &[(usize, usize)]) -> Result<RecordBatch, StoreError> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for field in order.fields() {
        let name = field.name();
        if name == DAY || name == FAMILY || !batches.iter().any(|batch| batch.column_by_name(name).is_some()) {
            continue;
        }
        let nulls = new_null_array(field.data_type(), 1);
        let sources: Vec<ArrayRef> =
            batches.iter().map(|batch| batch.column_by_name(name).unwrap_or(&nulls).clone()).collect();
        // Row 0 of the one-row null array stands for every row of a batch without the column.
        let absent: Vec<bool> = batches.iter().map(|batch| batch.column_by_name(name).is_none()).collect();
        let any = origin.iter().any(|(which, row)| !absent[*which] && sources[*which].is_valid(*row));
        if !any {
            continue;
        }
        let rows: Vec<_> = origin.iter().map(|(which, row)| (*which, if absent[*which] { 0 } else { *row })).collect();
        let sources: Vec<&dyn Array> = sources.iter().map(AsRef::as_ref).collect();
        fields.push(ArrowField::new(name, field.data_type().clone(), true));
        arrays.push(interleave(&sources, &rows)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(origin.len()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
}
