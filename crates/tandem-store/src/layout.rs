//! Columns of the event table, from the field catalogue.

use crate::StoreError;
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tandem_model::{Catalogue, Field, FieldType};

/// Columns of every data file, in this order, before those of the catalogue.
pub(crate) const ID: &str = "id";
pub(crate) const TIME: &str = "time";
pub(crate) const RECEIVED: &str = "received";
pub(crate) const SOURCE: &str = "source";
pub(crate) const PARSER: &str = "parser";
pub(crate) const LOG_TYPES: &str = "log_types";
pub(crate) const TYPED: &str = "typed";
pub(crate) const RAW: &str = "raw";
pub(crate) const RAW_PRIVATE: &str = "raw_private";
pub(crate) const EXTRA: &str = "extra";
pub(crate) const ERROR: &str = "error";
pub(crate) const RUN: &str = "run";
/// Partition columns: in the path, not in the files.
pub(crate) const DAY: &str = "day";
pub(crate) const FAMILY: &str = "family";

/// File and schema metadata: the names that occur in `extra`, as a JSON list; `*` when there are too many to list.
pub(crate) const EXTRA_NAMES_KEY: &str = "tandem.extra_names";
/// File metadata: the catalogue version that the file was written with.
pub(crate) const CATALOGUE_KEY: &str = "tandem.catalogue_version";

/// Characters that Delta refuses in column names.
const REFUSED: [char; 9] = [' ', ',', ';', '{', '}', '(', ')', '=', '\t'];

pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(crate) fn text_list() -> DataType {
    DataType::List(Arc::new(ArrowField::new("element", DataType::Utf8View, true)))
}

pub(crate) fn int_list() -> DataType {
    DataType::List(Arc::new(ArrowField::new("element", DataType::Int32, true)))
}

/// The Arrow type of a catalogue type.
pub(crate) fn arrow_type(kind: FieldType) -> DataType {
    match kind {
        FieldType::String | FieldType::Ip => DataType::Utf8View,
        FieldType::Strings => text_list(),
        FieldType::Long => DataType::Int64,
        FieldType::Double => DataType::Float64,
        FieldType::Bool => DataType::Boolean,
        FieldType::Timestamp => timestamp(),
    }
}

/// One catalogue field and its column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The field.
    pub(crate) field: Field,
    /// The column's name; the field's unless another column has that in other letter case.
    pub(crate) name: String,
    /// Name of the 16-byte key column of an IP field; it is the next in the file schema.
    pub(crate) key: Option<String>,
}

/// Which column holds what.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) catalogue: Arc<Catalogue>,
    /// Columns of data files.
    pub(crate) file_schema: SchemaRef,
    /// Columns of data files, then `day` and `family`.
    pub(crate) table_schema: SchemaRef,
    pub(crate) columns: Vec<Column>,
    by_field: HashMap<Arc<str>, usize>,
    by_column: HashMap<String, usize>,
}

impl Layout {
    /// The layout for `catalogue`.
    pub(crate) fn new(catalogue: Arc<Catalogue>) -> Result<Self, StoreError> {
        let mut fields = meta_fields();
        let mut taken: HashSet<String> = fields.iter().map(|field| field.name().to_lowercase()).collect();
        taken.extend([DAY.to_owned(), FAMILY.to_owned()]);
        let mut columns = Vec::with_capacity(catalogue.fields().len());
        for field in catalogue.fields() {
            let mut claim = |name: String| {
                if taken.insert(name.to_lowercase()) {
                    Ok(name)
                } else {
                    Err(StoreError::ColumnTaken { field: field.name.to_string(), column: name })
                }
            };
            let plain: String =
                field.name.chars().map(|c| if REFUSED.contains(&c) || c == '\n' { '_' } else { c }).collect();
            // Delta and DuckDB hold `Message` and `message` for one name.
            let name = claim(plain.clone()).or_else(|_| {
                claim(format!(
                    "{plain}.{}",
                    match field.layer {
                        tandem_model::Layer::Common => "common",
                        tandem_model::Layer::Vendor => "vendor",
                    }
                ))
            })?;
            fields.push(ArrowField::new(&name, arrow_type(field.kind), true));
            let key = if field.kind == FieldType::Ip {
                let key = claim(format!("{name}.key"))?;
                fields.push(ArrowField::new(&key, DataType::Binary, true));
                Some(key)
            } else {
                None
            };
            columns.push(Column { field: field.clone(), name, key });
        }
        let file_schema = Arc::new(Schema::new(fields.clone()));
        fields.extend(partition_fields());
        let by_field = columns.iter().enumerate().map(|(at, column)| (column.field.name.clone(), at)).collect();
        let by_column = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        Ok(Self { catalogue, file_schema, table_schema: Arc::new(Schema::new(fields)), columns, by_field, by_column })
    }

    /// Position of the column of the field `name` in `columns`.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_field.get(name).copied()
    }

    /// The column of the field `name`.
    pub(crate) fn of_field(&self, name: &str) -> Option<&Column> {
        self.by_field.get(name).map(|at| &self.columns[*at])
    }

    /// The column `name`.
    pub(crate) fn of_column(&self, name: &str) -> Option<&Column> {
        self.by_column.get(name).map(|at| &self.columns[*at])
    }
}

/// `day` and `family`.
pub(crate) fn partition_fields() -> [ArrowField; 2] {
    [ArrowField::new(DAY, DataType::Date32, true), ArrowField::new(FAMILY, DataType::Utf8, true)]
}

fn meta_fields() -> Vec<ArrowField> {
    let field = |name: &str, kind: DataType| ArrowField::new(name, kind, true);
    vec![
        field(ID, DataType::Utf8View),
        field(TIME, timestamp()),
        field(RECEIVED, timestamp()),
        field(SOURCE, DataType::Utf8View),
        field(PARSER, DataType::Utf8View),
        field(LOG_TYPES, text_list()),
        field(TYPED, DataType::Utf8View),
        field(RAW, DataType::Utf8View),
        field(RAW_PRIVATE, int_list()),
        field(EXTRA, DataType::Utf8View),
        field(ERROR, DataType::Utf8View),
        field(RUN, DataType::Utf8View),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_model::Layer;

    #[test]
    fn names_that_differ_in_case_only_get_columns_of_their_own() {
        let field = |name: &str, kind, layer| Field {
            name: name.into(),
            kind,
            layer,
            description: "x".to_owned(),
            privacy: None,
        };
        let catalogue = Catalogue::new(
            1,
            vec![
                field("message", FieldType::String, Layer::Common),
                field("Message", FieldType::String, Layer::Vendor),
                field("Source", FieldType::String, Layer::Vendor),
                field("source.ip", FieldType::Ip, Layer::Common),
                field("Log Name", FieldType::String, Layer::Vendor),
            ],
        )
        .unwrap();
        let layout = Layout::new(Arc::new(catalogue)).unwrap();
        let names: Vec<_> = layout.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["message", "Message.vendor", "Source.vendor", "source.ip", "Log_Name"]);
        let address = layout.file_schema.index_of("source.ip").unwrap();
        assert_eq!(layout.file_schema.field(address + 1).name(), "source.ip.key");
    }
}
