//! Reads YAML and JSON test data into events.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{Scalar, Yaml};
use tandem_sigma::{MapEvent, MapValue};

/// Every file below a folder whose name ends so, sorted.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn value_of_yaml(node: &Yaml<'_>) -> MapValue {
    match node {
        Yaml::Value(Scalar::Null) => MapValue::Null,
        Yaml::Value(Scalar::Boolean(value)) => MapValue::Bool(*value),
        Yaml::Value(Scalar::Integer(int)) => MapValue::Int(*int),
        Yaml::Value(Scalar::FloatingPoint(float)) => MapValue::Float(float.into_inner()),
        Yaml::Value(Scalar::String(text)) => MapValue::Str(text.to_string()),
        Yaml::Sequence(nodes) => MapValue::List(nodes.iter().map(value_of_yaml).collect()),
        Yaml::Mapping(entries) => {
            MapValue::Map(entries.iter().map(|(key, value)| (key_of(key), value_of_yaml(value))).collect())
        }
        other => panic!("no value of an event: {other:?}"),
    }
}

fn key_of(node: &Yaml<'_>) -> String {
    node.as_str().unwrap_or_else(|| panic!("a key must be text: {node:?}")).to_owned()
}

/// An event; the key `$message` is the full log message.
pub(crate) fn event_of_yaml(node: &Yaml<'_>) -> MapEvent {
    let entries = node.as_mapping().unwrap_or_else(|| panic!("an event must be a map: {node:?}"));
    let mut event = MapEvent::new();
    for (key, value) in entries {
        match (key_of(key).as_str(), value) {
            ("$message", message) => event = event.with_message(message.as_str().expect("a message is text")),
            (name, value) => event = event.with(name, value_of_yaml(value)),
        }
    }
    event
}

fn value_of_json(value: &serde_json::Value) -> MapValue {
    use serde_json::Value;
    match value {
        Value::Null => MapValue::Null,
        Value::Bool(value) => MapValue::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => MapValue::Int(int),
            (None, Some(uint)) => MapValue::Uint(uint),
            (None, None) => MapValue::Float(number.as_f64().expect("a number")),
        },
        Value::String(text) => MapValue::Str(text.clone()),
        Value::Array(values) => MapValue::List(values.iter().map(value_of_json).collect()),
        Value::Object(entries) => {
            MapValue::Map(entries.iter().map(|(key, value)| (key.clone(), value_of_json(value))).collect())
        }
    }
}

/// An event whose fields are those of a JSON object.
pub(crate) fn flat_event(json: &serde_json::Value) -> MapEvent {
    let entries = json.as_object().expect("an object");
    entries.iter().fold(MapEvent::new(), |event, (name, value)| event.with(name, value_of_json(value)))
}

/// A Windows event as JSON, flattened the way that the specification names its fields: attributes
/// of `System` joined to their tag by `_`, data by their names, without spaces.
pub(crate) fn windows_event(json: &serde_json::Value) -> MapEvent {
    let mut fields = BTreeMap::new();
    let event = &json["Event"];
    if let Some(system) = event["System"].as_object() {
        for (tag, value) in system {
            flatten_system(tag, value, &mut fields);
        }
    }
    for part in ["EventData", "UserData"] {
        flatten_data(&event[part], &mut fields);
    }
    let event = MapEvent::new().with_message(&json.to_string());
    fields.into_iter().fold(event, |event, (name, value)| event.with(&name, value))
}

fn flatten_system(tag: &str, value: &serde_json::Value, fields: &mut BTreeMap<String, MapValue>) {
    let Some(entries) = value.as_object() else {
        fields.insert(tag.to_owned(), value_of_json(value));
        return;
    };
    for (key, value) in entries {
        match key.as_str() {
            "#text" => {
                fields.insert(tag.to_owned(), value_of_json(value));
            }
            "#attributes" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    fields.insert(format!("{tag}_{name}"), value_of_json(value));
                }
            }
            other => panic!("unexpected key {other} in {tag}"),
        }
    }
}

fn flatten_data(data: &serde_json::Value, fields: &mut BTreeMap<String, MapValue>) {
    for (name, value) in data.as_object().into_iter().flatten() {
        if name == "#attributes" {
            continue;
        }
        if value.is_object() {
            flatten_data(value, fields);
        } else {
            fields.insert(name.replace(' ', ""), value_of_json(value));
        }
    }
}
