//! The JSON columns: `extra` (fields without a column) and `typed` (log types with their aliases).
//!
//! `extra` is one flat object `{"name": value}`. The member `_tandem` says what a flat object cannot:
//! `layers` (a name whose layer is not the one expected, or which both layers have) and `first`
//! (the first record of a joined event). A column or a flat member holds the *effective* value of a
//! name, the one of [`Event::field`]: vendor before common.

use crate::layout::Layout;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;
use tandem_model::{Event, Fields, Layer, LogType, RecordId, TypedAs, Value};

/// The member of `extra` that is ours. A field of this name is kept under `__tandem`.
pub(crate) const OURS: &str = "_tandem";

/// Which layer gave the effective value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effective {
    Vendor,
    Common,
}

/// The layer of a name's value unless `layers` says otherwise.
fn expected(layout: &Layout, name: &str) -> Effective {
    match layout.of_field(name).map(|column| column.field.layer) {
        Some(Layer::Common) => Effective::Common,
        Some(Layer::Vendor) | None => Effective::Vendor,
    }
}

/// What of one event has no column.
#[derive(Default)]
pub(crate) struct Rest {
    flat: Map<String, Json>,
    layers: Map<String, Json>,
    pub(crate) first_record: Option<RecordId>,
}

impl Rest {
    /// Notes the layer of `name` where it is not the expected one; `shadowed` is the common value behind a vendor value.
    pub(crate) fn note_layer(&mut self, layout: &Layout, name: &str, effective: Effective, shadowed: Option<&Value>) {
        let mark = match (effective, shadowed) {
            (Effective::Vendor, Some(common)) => json!({ "common": to_json(common) }),
            (effective, None) if effective == expected(layout, name) => return,
            (Effective::Vendor, None) => json!("vendor"),
            (Effective::Common, _) => json!("common"),
        };
        self.layers.insert(name.to_owned(), mark);
    }

    pub(crate) fn put(&mut self, name: &str, value: &Value) {
        let name = if name == OURS { "__tandem" } else { name };
        self.flat.insert(name.to_owned(), to_json(value));
    }

    /// The text of the column, `None` when there is nothing to say; adds the names of fields to `names`.
    pub(crate) fn text(mut self, names: &mut BTreeSet<String>) -> Option<String> {
        for name in self.flat.keys() {
            if !names.contains(name) {
                names.insert(name.clone());
            }
        }
        if !self.layers.is_empty() || self.first_record.is_some() {
            let mut ours = Map::new();
            if !self.layers.is_empty() {
                ours.insert("layers".to_owned(), Json::Object(self.layers));
            }
            if let Some(first) = self.first_record {
                ours.insert("first".to_owned(), Json::String(first.to_string()));
            }
            self.flat.insert(OURS.to_owned(), Json::Object(ours));
        }
        if self.flat.is_empty() { None } else { serde_json::to_string(&self.flat).ok() }
    }
}

/// JSON of a value: instants and numbers that JSON lacks become text.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Long(value) => Json::from(*value),
        Value::Double(value) => {
            serde_json::Number::from_f64(*value).map_or_else(|| Json::String(value.to_string()), Json::Number)
        }
        Value::Text(text) => Json::String(text.to_string()),
        Value::Time(instant) => Json::String(instant.to_string()),
        Value::List(values) => Json::Array(values.iter().map(to_json).collect()),
    }
}

/// The value of a JSON member; objects, which we never write, become their text.
pub(crate) fn from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Long(value),
            None => Value::Double(number.as_f64()?),
        },
        Json::String(text) => Value::text(text),
        Json::Array(values) => Value::List(values.iter().filter_map(from_json).collect()),
        Json::Object(_) => Value::text(json.to_string()),
    })
}

/// What `extra` says, for putting an event together again.
#[derive(Default)]
pub(crate) struct Unpacked {
    flat: Vec<(String, Value)>,
    layers: Map<String, Json>,
    pub(crate) first_record: Option<RecordId>,
}

impl Unpacked {
    pub(crate) fn new(text: Option<&str>) -> Self {
        let Some(Ok(Json::Object(mut flat))) = text.map(serde_json::from_str) else {
            return Self::default();
        };
        let mut layers = Map::new();
        let mut first_record = None;
        if let Some(Json::Object(mut ours)) = flat.shift_remove(OURS) {
            if let Some(Json::Object(marks)) = ours.shift_remove("layers") {
                layers = marks;
            }
            first_record = ours.get("first").and_then(Json::as_str).and_then(|text| text.parse().ok());
        }
        let flat = flat.iter().filter_map(|(name, json)| Some((name.clone(), from_json(json)?))).collect();
        Self { flat, layers, first_record }
    }

    /// Both layers, from the values of the columns and `extra`: (vendor, common).
    pub(crate) fn layers(
        self,
        layout: &Layout,
        columns: impl Iterator<Item = (std::sync::Arc<str>, Value)>,
    ) -> (Fields, Fields) {
        let (mut vendor, mut common) = (Fields::new(), Fields::new());
        let flat = self.flat.into_iter().map(|(name, value)| (name.into(), value));
        for (name, value) in columns.chain(flat) {
            match self.layers.get(&*name) {
                None => match expected(layout, &name) {
                    Effective::Vendor => vendor.push(name, value),
                    Effective::Common => common.push(name, value),
                },
                Some(Json::String(mark)) if mark == "common" => common.push(name, value),
                Some(Json::Object(mark)) => {
                    if let Some(shadowed) = mark.get("common").and_then(from_json) {
                        common.push(name.clone(), shadowed);
                    }
                    vendor.push(name, value);
                }
                Some(_) => vendor.push(name, value),
            }
        }
        (vendor, common)
    }
}

/// The column `typed`: per log type its parts, and each alias as the name of a field of the same value
/// (so that the text repeats from event to event) or, where no field has it, `{"=": value}`.
pub(crate) fn typed_text(event: &Event) -> String {
    let types: Vec<Json> = event
        .typed
        .iter()
        .map(|typed| {
            let mut object = Map::new();
            let parts = [("p", &typed.log_type.product), ("c", &typed.log_type.category), ("s", &typed.log_type.service)];
            for (key, part) in parts {
                if let Some(part) = part {
                    object.insert(key.to_owned(), Json::String(part.to_string()));
                }
            }
            if !typed.aliases.is_empty() {
                let aliases = typed.aliases.iter().map(|(alias, value)| {
                    let same = event.vendor.iter().chain(event.common.iter()).find(|(_, other)| *other == value);
                    let target = match same {
                        Some((name, _)) => Json::String(name.to_string()),
                        None => json!({ "=": to_json(value) }),
                    };
                    (alias.to_string(), target)
                });
                object.insert("a".to_owned(), Json::Object(aliases.collect()));
            }
            Json::Object(object)
        })
        .collect();
    Json::Array(types).to_string()
}

/// The log types that [`typed_text`] wrote.
pub(crate) fn typed_from(text: &str, vendor: &Fields, common: &Fields) -> Vec<TypedAs> {
    let Ok(Json::Array(types)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let part = |json: &Json, key: &str| json.get(key).and_then(Json::as_str).unwrap_or("").to_owned();
    types
        .iter()
        .map(|json| {
            let mut aliases = Fields::new();
            if let Some(Json::Object(object)) = json.get("a") {
                for (alias, target) in object {
                    let value = match target {
                        Json::String(name) => vendor.get(name).or_else(|| common.get(name)).cloned(),
                        other => other.get("=").and_then(from_json),
                    };
                    if let Some(value) = value {
                        aliases.push(alias.as_str(), value);
                    }
                }
            }
            TypedAs { log_type: LogType::new(&part(json, "p"), &part(json, "c"), &part(json, "s")), aliases }
        })
        .collect()
}
