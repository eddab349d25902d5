//! Makes the index of a file from its rows.

use super::term::{Kind, Quads, address, field_key, for_each_value_token, hash};
use super::{BLOCK_ROWS, file};
use crate::decode::{text_at, value_at};
use crate::layout::{ERROR, EXTRA, LOG_TYPES, Layout, PARSER, RAW, RUN, SOURCE};
use crate::{StoreError, extra};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tandem_model::{FieldType, Value};
use tandem_query::{fold, for_each_token};

/// Bits of a hash that are kept until the number of terms is known; the block takes the others.
const HASH_BITS: u32 = 40;
const BLOCK_BITS: u32 = 64 - HASH_BITS;

/// Takes rows in the order of the file.
pub(crate) struct IndexBuilder {
    layout: Arc<Layout>,
    /// Hash in the upper bits, block in the lower ones.
    pairs: Vec<u64>,
    block: Terms,
    rows: u64,
    /// Rows that do not fill a block yet.
    rest: Option<RecordBatch>,
}

/// The different terms of one block.
#[derive(Default)]
struct Terms(HashSet<u64, std::hash::BuildHasherDefault<Identity>>);

/// Terms are hashes already.
#[derive(Default)]
struct Identity(u64);

impl std::hash::Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

type HashesOfRow = HashSet<u64, std::hash::BuildHasherDefault<Identity>>;

/// One field of a block: its values row by row.
struct FieldOfBlock {
    key: u64,
    cells: Cells,
}

enum Cells {
    Column(ArrayRef),
    /// From `extra`: row and value.
    Some(Vec<(usize, Value)>),
}

impl IndexBuilder {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        Self { layout, pairs: Vec::new(), block: Terms::default(), rows: 0, rest: None }
    }

    /// Takes the next rows; all batches have one schema.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        let batch = match self.rest.take() {
            Some(rest) => concat_batches(&batch.schema(), [&rest, batch])?,
            None => batch.clone(),
        };
        let block = BLOCK_ROWS as usize;
        let mut at = 0;
        while batch.num_rows() - at >= block {
            self.add_block(&batch.slice(at, block));
            at += block;
        }
        if at < batch.num_rows() {
            self.rest = Some(batch.slice(at, batch.num_rows() - at));
        }
        Ok(())
    }

    /// The bytes of the index file.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if let Some(rest) = self.rest.take() {
            self.add_block(&rest);
        }
        self.pairs.sort_unstable();
        file::write(self.rows, &Groups(&self.pairs))
    }

    fn add_block(&mut self, batch: &RecordBatch) {
        let number = self.rows / BLOCK_ROWS;
        let rows = batch.num_rows();
        let raw = batch.column_by_name(RAW);
        let fields = self.fields(batch);
        let mut is_own = vec![false; fields.len()];
        let mut of_raw = HashesOfRow::default();
        let mut of_values: HashMap<u128, Vec<u64>> = HashMap::new();
        for row in 0..rows {
            of_raw.clear();
            if let Some(text) = raw.and_then(|raw| text_at(raw, row)) {
                let mut quads = Quads::default();
                for_each_token(text, |token| {
                    let term = hash(Kind::Raw, 0, token.as_bytes());
                    if of_raw.insert(term) {
                        self.block.0.insert(term);
                    }
                    if let Some(quad) = quads.next(token) {
                        self.block.0.insert(hash(Kind::RawQuad, 0, &quad));
                    }
                });
            }
            for (field, is_own) in fields.iter().zip(&mut is_own) {
                if *is_own {
                    continue;
                }
                *is_own = match &field.cells {
                    Cells::Column(array) if array.is_null(row) => false,
                    Cells::Column(array) if *array.data_type() == DataType::Utf8View => {
                        // The same text of the same dictionary is taken apart once.
                        let texts = array.as_string_view();
                        let hashes = of_values
                            .entry(texts.views()[row] ^ u128::from(field.key) << 64)
                            .or_insert_with(|| hashes_in_raw(texts.value(row)));
                        hashes.iter().any(|hash| !of_raw.contains(hash))
                    }
                    Cells::Column(array) => value_at(array, row).is_some_and(|value| !is_in_raw(&value, &of_raw)),
                    // Looked at below: there are few of them.
                    Cells::Some(_) => true,
                };
            }
        }
        for (field, is_own) in fields.iter().zip(is_own) {
            self.add_field(field, is_own, rows);
        }
        self.rows += rows as u64;
        let block = number & ((1 << BLOCK_BITS) - 1);
        self.pairs.extend(self.block.0.drain().map(|hash| hash >> BLOCK_BITS << BLOCK_BITS | block));
    }

    fn add_field(&mut self, field: &FieldOfBlock, is_own: bool, rows: usize) {
        let terms = &mut self.block.0;
        let mut any = false;
        let mut seen: HashSet<u128> = HashSet::new();
        let mut take = |value: &Value| {
            for value in value.each() {
                let text = match value {
                    Value::Text(text) => {
                        if let Some(address) = address(text) {
                            terms.insert(hash(Kind::Address, field.key, address.as_bytes()));
                        }
                        text.to_string()
                    }
                    other => other.to_string(),
                };
                any = true;
                if is_own {
                    for_each_value_token(&fold(&text), |token| {
                        terms.insert(hash(Kind::Token, field.key, token.as_bytes()));
                    });
                }
            }
        };
        match &field.cells {
            Cells::Column(array) => {
                let views = (*array.data_type() == DataType::Utf8View).then(|| array.as_string_view().views());
                for row in 0..rows {
                    if views.is_some_and(|views| !seen.insert(views[row])) {
                        continue;
                    }
                    if let Some(value) = value_at(array, row) {
                        take(&value);
                    }
                }
            }
            Cells::Some(values) => values.iter().for_each(|(_, value)| take(value)),
        }
        if any {
            terms.insert(hash(Kind::Present, field.key, b""));
            if is_own {
                terms.insert(hash(Kind::Own, field.key, b""));
            }
        }
    }

    /// The fields of a block that are indexed. A name may be there twice, as a column and in `extra`.
    fn fields(&self, batch: &RecordBatch) -> Vec<FieldOfBlock> {
        let schema = batch.schema();
        let mut fields = Vec::new();
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            let name = match field.name().as_str() {
                own @ (SOURCE | PARSER | LOG_TYPES | ERROR | RUN) => own,
                other => match self.layout.of_column(other) {
                    Some(column) if is_indexed(column.field.kind) => &column.field.name,
                    _ => continue,
                },
            };
            if array.null_count() < array.len() {
                fields.push(FieldOfBlock { key: field_key(name), cells: Cells::Column(array.clone()) });
            }
        }
        let Some(array) = batch.column_by_name(EXTRA) else { return fields };
        let mut others: HashMap<String, Vec<(usize, Value)>> = HashMap::new();
        for row in 0..batch.num_rows() {
            for (name, value) in text_at(array, row).map(extra::members).unwrap_or_default() {
                others.entry(name).or_default().push((row, value));
            }
        }
        fields.extend(
            others.into_iter().map(|(name, values)| FieldOfBlock { key: field_key(&name), cells: Cells::Some(values) }),
        );
        fields
    }
}

/// Columns of which values are indexed; of the others only `extra` is.
pub(crate) fn is_indexed(kind: FieldType) -> bool {
    match kind {
        FieldType::String | FieldType::Strings | FieldType::Long | FieldType::Ip => true,
        FieldType::Double | FieldType::Bool | FieldType::Timestamp => false,
    }
}

fn hashes_in_raw(text: &str) -> Vec<u64> {
    let mut hashes = Vec::new();
    for_each_value_token(&fold(text), |token| hashes.push(hash(Kind::Raw, 0, token.as_bytes())));
    hashes
}

fn is_in_raw(value: &Value, of_raw: &HashesOfRow) -> bool {
    value.each().all(|value| hashes_in_raw(&value.to_string()).iter().all(|hash| of_raw.contains(hash)))
}

/// Sorted pairs, as terms with their blocks.
pub(super) struct Groups<'a>(&'a [u64]);

impl Groups<'_> {
    /// How many different terms.
    pub(super) fn count(&self) -> usize {
        self.0.chunk_by(|a, b| a >> BLOCK_BITS == b >> BLOCK_BITS).count()
    }

    /// Calls `visit` with the upper 40 bits of each hash, ascending, and the blocks.
    pub(super) fn for_each(&self, mut visit: impl FnMut(u64, &[u32])) {
        let mut blocks = Vec::new();
        for group in self.0.chunk_by(|a, b| a >> BLOCK_BITS == b >> BLOCK_BITS) {
            blocks.clear();
            blocks.extend(group.iter().map(|pair| (pair & ((1 << BLOCK_BITS) - 1)) as u32));
            blocks.dedup();
            visit(group[0] >> BLOCK_BITS, &blocks);
        }
    }
}
