//! The JSON columns: `extra` (fields without a column) and `typed` (log types with their aliases).
//!
//! `extra` is one flat object `{"name": value}`. The member `_tandem` says what a flat object cannot:
//! `layers` (a name whose layer is not the one expected, or which both layers have), `times` (names whose
//! texts are instants) and `first` (the first record of a joined event). A column or a flat member holds the
//! *effective* value of a name, what `tandem_query::value_of` answers: vendor before common before alias.

use crate::layout::Layout;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeSet, HashSet};
use tandem_model::{Event, Fields, Layer, LogType, RecordId, TypedAs, Value};

/// The member of `extra` that is ours. A field of this name is kept under `__tandem`.
pub(crate) const OURS: &str = "_tandem";

/// Which layer gave the effective value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effective {
    Vendor,
    Common,
}

/// The layer of a column's value unless `layers` says otherwise. A member of `extra` is expected to be vendor,
/// whatever the catalogue says of its name now: it may have said something else when the file was written.
fn layer_of_column(layout: &Layout, name: &str) -> Effective {
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
    times: Vec<Json>,
    pub(crate) first_record: Option<RecordId>,
}

impl Rest {
    /// Notes the layer of `name` where it is not the expected one; `shadowed` is the common value behind a vendor
    /// value. To be called when the value has its place.
    pub(crate) fn note_layer(&mut self, layout: &Layout, name: &str, effective: Effective, shadowed: Option<&Value>) {
        let expected = if self.has(name) { Effective::Vendor } else { layer_of_column(layout, name) };
        let mark = match (effective, shadowed) {
            (Effective::Vendor, Some(common)) => json!({ "common": to_exact_json(common) }),
            (effective, None) if effective == expected => return,
            (Effective::Vendor, None) => json!("vendor"),
            (Effective::Common, _) => json!("common"),
        };
        self.layers.insert(name.to_owned(), mark);
    }

    pub(crate) fn put(&mut self, name: &str, value: &Value) {
        let name = if name == OURS { "__tandem" } else { name };
        if is_time(value) {
            self.times.push(Json::String(name.to_owned()));
        }
        self.flat.insert(name.to_owned(), to_json(value));
    }

    /// Whether `name` is kept here.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.flat.contains_key(name)
    }

    /// The text of the column, `None` when there is nothing to say; adds the names of fields to `names`.
    pub(crate) fn text(mut self, names: &mut BTreeSet<String>) -> Option<String> {
        for name in self.flat.keys() {
            if !names.contains(name) {
                names.insert(name.clone());
            }
        }
        if !self.layers.is_empty() || !self.times.is_empty() || self.first_record.is_some() {
            let mut ours = Map::new();
            if !self.times.is_empty() {
                ours.insert("times".to_owned(), Json::Array(self.times));
            }
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

/// JSON of a value within our own members, where an instant is an object: nothing is lost.
fn to_exact_json(value: &Value) -> Json {
    match value {
        Value::Time(instant) => json!({ "time": instant.to_string() }),
        Value::List(values) => Json::Array(values.iter().map(to_exact_json).collect()),
        other => to_json(other),
    }
}

/// The value of a JSON member; objects that are not ours become their text.
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
        Json::Object(object) => match object.get("time").and_then(Json::as_str).and_then(|text| text.parse().ok()) {
            Some(instant) if object.len() == 1 => Value::Time(instant),
            _ => Value::text(json.to_string()),
        },
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
        let mut times = HashSet::new();
        let mut first_record = None;
        if let Some(Json::Object(mut ours)) = flat.shift_remove(OURS) {
            if let Some(Json::Object(marks)) = ours.shift_remove("layers") {
                layers = marks;
            }
            first_record = ours.get("first").and_then(Json::as_str).and_then(|text| text.parse().ok());
            if let Some(Json::Array(names)) = ours.get("times") {
                times.extend(names.iter().filter_map(Json::as_str).map(str::to_owned));
            }
        }
        let value = |name: &str, json| {
            let value = from_json(json)?;
            Some(if times.contains(name) { as_time(value) } else { value })
        };
        let flat = flat.iter().filter_map(|(name, json)| Some((name.clone(), value(name, json)?))).collect();
        Self { flat, layers, first_record }
    }

    /// Both layers, from the values of the columns and `extra`: (vendor, common).
    pub(crate) fn layers(
        self,
        layout: &Layout,
        columns: impl Iterator<Item = (std::sync::Arc<str>, Value)>,
    ) -> (Fields, Fields) {
        let (mut vendor, mut common) = (Fields::new(), Fields::new());
        let flat = self.flat.into_iter().map(|(name, value)| (name.into(), value, Effective::Vendor));
        let columns = columns.map(|(name, value)| {
            let layer = layer_of_column(layout, &name);
            (name, value, layer)
        });
        for (name, value, expected) in columns.chain(flat) {
            match self.layers.get(&*name) {
                None => match expected {
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

/// The column `typed`: per log type its parts and its aliases. An alias says where its value is:
/// `"name"`, the field of the same value (so that the text repeats from event to event), or `true`, the
/// column of the alias itself. An alias that is also a field of the event, or that an earlier type has too,
/// is an object, `{"g": "name"}` or `{"v": value}`.
pub(crate) fn typed_text(event: &Event) -> String {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut types = Vec::with_capacity(event.typed.len());
    for typed in &event.typed {
        let mut object = Map::new();
        let parts = [("p", &typed.log_type.product), ("c", &typed.log_type.category), ("s", &typed.log_type.service)];
        for (key, part) in parts {
            if let Some(part) = part {
                object.insert(key.to_owned(), Json::String(part.to_string()));
            }
        }
        if !typed.aliases.is_empty() {
            let mut aliases = Map::new();
            for (alias, value) in typed.aliases.iter() {
                let same = event.vendor.iter().chain(event.common.iter()).find(|(_, other)| *other == value);
                let is_own = seen.insert(alias) && event.field(alias).is_none();
                let target = match (is_own, same) {
                    (true, Some((name, _))) => json!(name),
                    (true, None) => Json::Bool(true),
                    (false, Some((name, _))) => json!({ "g": name }),
                    (false, None) => json!({ "v": to_exact_json(value) }),
                };
                aliases.insert(alias.to_string(), target);
            }
            object.insert("a".to_owned(), Json::Object(aliases));
        }
        types.push(Json::Object(object));
    }
    Json::Array(types).to_string()
}

/// The log types that [`typed_text`] wrote. Takes out of `vendor` and `common` what is there as an alias only.
pub(crate) fn typed_from(text: &str, vendor: &mut Fields, common: &mut Fields) -> Vec<TypedAs> {
    let Ok(Json::Array(types)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let mut only_alias: Vec<String> = Vec::new();
    let mut taken: Vec<TypedAs> = Vec::with_capacity(types.len());
    for json in &types {
        let part = |key: &str| json.get(key).and_then(Json::as_str).unwrap_or("");
        let mut aliases = Fields::new();
        if let Some(Json::Object(object)) = json.get("a") {
            for (alias, target) in object {
                let of_field = |name: &str| vendor.get(name).or_else(|| common.get(name)).cloned();
                let value = match target {
                    Json::String(name) => of_field(name),
                    Json::Bool(_) => of_field(alias),
                    other => match other.get("g").and_then(Json::as_str) {
                        Some(name) => of_field(name),
                        None => other.get("v").and_then(from_json),
                    },
                };
                if !target.is_object() {
                    only_alias.push(alias.clone());
                }
                if let Some(value) = value {
                    aliases.push(alias.as_str(), value);
                }
            }
        }
        taken.push(TypedAs { log_type: LogType::new(part("p"), part("c"), part("s")), aliases });
    }
    for alias in only_alias {
        if vendor.remove(&alias).is_none() {
            common.remove(&alias);
        }
    }
    taken
}

/// Whether a value is an instant, or a list of nothing else: JSON has none, so `extra` lists the names.
fn is_time(value: &Value) -> bool {
    value.each().len() > 0 && value.each().all(|value| matches!(value, Value::Time(_)))
}

/// The texts of a value as the instants that they were.
fn as_time(value: Value) -> Value {
    match value {
        Value::Text(text) => text.parse().map_or(Value::Text(text), Value::Time),
        Value::List(values) => Value::List(values.into_iter().map(as_time).collect()),
        other => other,
    }
}

/// All fields in `extra`.
pub(crate) fn members(text: &str) -> Vec<(String, Value)> {
    Unpacked::new(Some(text)).flat
}

/// One member of `extra`, without reading the others into memory.
pub(crate) fn member(text: &str, name: &str) -> Option<Value> {
    use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

    struct Member<'a>(&'a str);
    impl<'de> Visitor<'de> for Member<'_> {
        type Value = (Option<Json>, Option<Json>);
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            struct Key<'a>(&'a str);
            #[derive(PartialEq)]
            enum Which {
                Wanted,
                Ours,
                Other,
            }
            impl<'de> DeserializeSeed<'de> for Key<'_> {
                type Value = Which;
                fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Which, D::Error> {
                    deserializer.deserialize_str(self)
                }
            }
            impl Visitor<'_> for Key<'_> {
                type Value = Which;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a name")
                }
                fn visit_str<E: Error>(self, key: &str) -> Result<Which, E> {
                    Ok(match key {
                        OURS => Which::Ours,
                        key if key == self.0 => Which::Wanted,
                        _ => Which::Other,
                    })
                }
            }
            let (mut wanted, mut ours) = (None, None);
            while let Some(which) = map.next_key_seed(Key(self.0))? {
                match which {
                    Which::Wanted => wanted = Some(map.next_value()?),
                    Which::Ours => ours = Some(map.next_value()?),
                    Which::Other => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Ok((wanted, ours))
        }
    }
    let name = if name == OURS { "__tandem" } else { name };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let (wanted, ours) = deserializer.deserialize_map(Member(name)).ok()?;
    let value = from_json(&wanted?)?;
    let times = ours.as_ref().and_then(|ours| ours.get("times")).and_then(Json::as_array);
    let is_time = times.is_some_and(|times| times.iter().any(|time| time.as_str() == Some(name)));
    Some(if is_time { as_time(value) } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_member_of_many() {
        let text = r#"{"a":{"x":1},"b":[1,"two",2.5,true],"t":"2026-10-11T22:14:15Z","_tandem":{"times":["t"]}}"#;
        let list = vec![Value::Long(1), "two".into(), Value::Double(2.5), Value::Bool(true)];
        assert_eq!(member(text, "b"), Some(Value::List(list)));
        assert_eq!(member(text, "c"), None);
        assert_eq!(member(text, "t"), Some(Value::Time("2026-10-11T22:14:15Z".parse().unwrap())));
        assert_eq!(member("{broken", "a"), None);
        assert_eq!(member("[]", "a"), None);
    }
}
