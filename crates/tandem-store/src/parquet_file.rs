//! Batches as the bytes of a Parquet file.

use crate::StoreError;
use crate::layout::{CATALOGUE_KEY, EXTRA, EXTRA_NAMES_KEY, ID, LOG_TYPES, RAW, RAW_PRIVATE, RECEIVED, TIME, TYPED};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

/// Rows in a row group: what a reader holds in memory per column, and the unit of parallel reading.
pub(crate) const ROW_GROUP_ROWS: usize = 65_536;
/// Rows in a page: the unit that late materialisation skips.
const PAGE_ROWS: usize = 4_096;

/// A finished file.
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) catalogue: u32,
    pub(crate) rows: u64,
    pub(crate) time: (i64, i64),
    pub(crate) received: (i64, i64),
}

/// Writes batches of one schema, sorted by event time, into memory.
pub(crate) struct FileWriter {
    path: String,
    writer: ArrowWriter<Vec<u8>>,
    catalogue: u32,
    rows: u64,
    time: (i64, i64),
    received: (i64, i64),
}

impl FileWriter {
    /// `extra_names`: what [`EXTRA_NAMES_KEY`] says of the file. `path` is for messages.
    pub(crate) fn new(
        path: &str,
        schema: &SchemaRef,
        catalogue: u32,
        extra_names: Option<String>,
    ) -> Result<Self, StoreError> {
        let properties = properties(schema, catalogue, extra_names);
        let options = parquet::arrow::arrow_writer::ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options)
            .map_err(|source| StoreError::Parquet { path: path.to_owned(), verb: "written", source })?;
        let empty = (i64::MAX, i64::MIN);
        Ok(Self { path: path.to_owned(), writer, catalogue, rows: 0, time: empty, received: empty })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        let widen = |range: &mut (i64, i64), name: &str| {
            if let Some(array) =
                batch.column_by_name(name).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
            {
                range.0 = range.0.min(arrow::compute::min(array).unwrap_or(i64::MAX));
                range.1 = range.1.max(arrow::compute::max(array).unwrap_or(i64::MIN));
            }
        };
        widen(&mut self.time, TIME);
        widen(&mut self.received, RECEIVED);
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(|source| StoreError::Parquet {
            path: self.path.clone(),
            verb: "written",
            source,
        })
    }

    pub(crate) fn finish(self) -> Result<Written, StoreError> {
        let bytes = self.writer.into_inner().map_err(|source| StoreError::Parquet {
            path: self.path.clone(),
            verb: "written",
            source,
        })?;
        Ok(Written { bytes, catalogue: self.catalogue, rows: self.rows, time: self.time, received: self.received })
    }
}

fn properties(schema: &SchemaRef, catalogue: u32, extra_names: Option<String>) -> WriterProperties {
    let mut metadata = vec![KeyValue::new(CATALOGUE_KEY.to_owned(), catalogue.to_string())];
    metadata.extend(extra_names.map(|names| KeyValue::new(EXTRA_NAMES_KEY.to_owned(), names)));
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by("tandem".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS / 4)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_column_index_truncate_length(Some(32))
        .set_statistics_truncate_length(Some(64))
        .set_key_value_metadata(Some(metadata));
    if let Ok(time) = schema.index_of(TIME) {
        let sorting = SortingColumn { column_idx: leaf_index(schema, time), descending: false, nulls_first: false };
        properties = properties.set_sorting_columns(Some(vec![sorting]));
    }
    // Least and greatest of free text or JSON prune nothing and cost space.
    for name in [RAW, EXTRA, TYPED] {
        properties =
            properties.set_column_statistics_enabled(ColumnPath::new(vec![name.to_owned()]), EnabledStatistics::None);
    }
    for name in [LOG_TYPES, RAW_PRIVATE] {
        let path = ColumnPath::new(vec![name.to_owned(), "list".to_owned(), "element".to_owned()]);
        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    // Values that hardly repeat: a dictionary would only be given up halfway.
    for name in [ID, RAW] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::new(vec![name.to_owned()]), false)
            .set_column_encoding(
                ColumnPath::new(vec![name.to_owned()]),
                if name == ID { Encoding::DELTA_BYTE_ARRAY } else { Encoding::PLAIN },
            );
    }
    for name in [TIME, RECEIVED] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::new(vec![name.to_owned()]), false)
            .set_column_encoding(ColumnPath::new(vec![name.to_owned()]), Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

/// The Parquet leaf of the Arrow column `index`: lists have one leaf here, so the two coincide.
fn leaf_index(schema: &SchemaRef, index: usize) -> i32 {
    debug_assert!(schema.fields().iter().all(|field| !matches!(field.data_type(), DataType::Struct(_))));
    index as i32
}
