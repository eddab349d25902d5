//! The field catalogue: the one list of columns (`content/fields.yaml`).

use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// Columns that every event has, whatever its type. No field may have one of these names as a column;
/// a vendor field that does stays in `extra`.
pub const META_COLUMNS: [&str; 14] = [
    "id",
    "time",
    "received",
    "source",
    "parser",
    "log_types",
    "typed",
    "raw",
    "raw_private",
    "extra",
    "error",
    "run",
    "day",
    "family",
];

/// Types of columns; a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text.
    String,
    /// A list of texts.
    Strings,
    /// 64-bit whole number.
    Long,
    /// 64-bit floating point.
    Double,
    /// True or false.
    Bool,
    /// Microseconds, UTC.
    Timestamp,
    /// An IP address as text, with a 16-byte key beside it for CIDR.
    Ip,
}

/// Which of the two layers of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Elastic Common Schema.
    Common,
    /// As the product writes it.
    Vendor,
}

/// What a value says about a person or a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// Names or identifies a person or an account.
    Person,
    /// Names a machine.
    Host,
    /// A network address.
    Address,
    /// Free text that may hold any of these.
    Text,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name of field and column.
    pub name: Arc<str>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Layer.
    pub layer: Layer,
    /// One sentence.
    pub description: String,
    /// Privacy tag.
    #[serde(default)]
    pub privacy: Option<Privacy>,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not YAML of the right shape.
    #[error("field catalogue is not readable: {0}")]
    Syntax(String),
    /// A name occurs twice.
    #[error("field `{0}` occurs twice in the catalogue")]
    Twice(Arc<str>),
    /// A name belongs to the table itself.
    #[error("field `{0}` has the name of a column that every event has")]
    Reserved(Arc<str>),
}

/// All columns, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    version: u32,
    fields: Vec<Field>,
    by_name: HashMap<Arc<str>, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    fields: Vec<Field>,
}

impl Catalogue {
    /// Reads `content/fields.yaml`.
    pub fn from_yaml(text: &str) -> Result<Self, CatalogueError> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| CatalogueError::Syntax(error.to_string()))?;
        Self::new(file.version, file.fields)
    }

    /// A catalogue of these fields.
    pub fn new(version: u32, fields: Vec<Field>) -> Result<Self, CatalogueError> {
        let mut by_name = HashMap::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            if META_COLUMNS.contains(&&*field.name) {
                return Err(CatalogueError::Reserved(field.name.clone()));
            }
            if by_name.insert(field.name.clone(), index).is_some() {
                return Err(CatalogueError::Twice(field.name.clone()));
            }
        }
        Ok(Self { version, fields, by_name })
    }

    /// Grows by one with every change of the file; written into each data file.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The field `name`.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|index| &self.fields[*index])
    }

    /// All fields in the order of the file.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_occur_twice_or_are_taken() {
        let field = |name: &str| format!("  - {{name: {name}, type: string, layer: vendor, description: x}}\n");
        let read = |names: &[&str]| {
            let fields: String = names.iter().map(|name| field(name)).collect();
            Catalogue::from_yaml(&format!("version: 1\nfields:\n{fields}"))
        };
        assert_eq!(read(&["Image", "User"]).unwrap().get("User").unwrap().kind, FieldType::String);
        assert!(matches!(read(&["Image", "Image"]), Err(CatalogueError::Twice(_))));
        assert!(matches!(read(&["raw"]), Err(CatalogueError::Reserved(_))));
    }

    #[test]
    fn the_shipped_catalogue_has_names_that_differ_by_more_than_case() {
        let catalogue = Catalogue::from_yaml(include_str!("../../../content/fields.yaml")).unwrap();
        let mut seen: std::collections::HashSet<String> = META_COLUMNS.iter().map(ToString::to_string).collect();
        for field in catalogue.fields() {
            assert!(seen.insert(field.name.to_lowercase()), "{}", field.name);
            let dotted = field.name.contains('.');
            assert!(dotted || field.layer == Layer::Vendor || ["message", "tags", "labels"].contains(&&*field.name));
            assert!(field.description.ends_with('.'), "{}", field.name);
        }
        assert_eq!(catalogue.get("source.ip").unwrap().kind, FieldType::Ip);
    }
}
