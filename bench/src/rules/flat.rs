//! Events as flat JSON: Tandem's fields for the peer, and the `evtx` crate's JSON without Tandem.

use anyhow::{Context, Result};
use evtx::{EvtxParser, ParserSettings};
use serde_json::{Map, Value as Json};
use std::path::Path;
use tandem_model::{Event, Fields, TypedAs, Value};

/// The records of an event log as the `evtx` crate writes them in JSON.
pub(crate) fn documents(path: &Path) -> Result<Vec<Json>> {
    let settings = ParserSettings::new().indent(false).num_threads(1);
    let mut parser = EvtxParser::from_path(path)?.with_configuration(settings);
    parser.records_json_value().map(|record| record.map(|record| record.data).context("reading a record")).collect()
}

/// Whether a document and an event are the same record.
pub(crate) fn same(document: &Json, event: &Event) -> bool {
    let id = document.pointer("/Event/System/EventRecordID").map(text);
    id.is_none() || id == event.vendor.get("EventRecordID").map(ToString::to_string)
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// The fields of an event as rules of one of its log types see them.
pub(crate) fn seen_as(event: &Event, typed: &TypedAs) -> Json {
    let mut object = Map::new();
    for fields in [&event.common, &event.vendor, &typed.aliases] {
        put(fields, &mut object);
    }
    Json::Object(object)
}

/// All that the event says, for a person who looks at a difference.
pub(crate) fn event_json(event: &Event) -> Json {
    let mut object = Map::new();
    put(&event.vendor, &mut object);
    for typed in &event.typed {
        let mut names = Map::new();
        put(&typed.aliases, &mut names);
        object.insert(format!("as {}", typed.log_type), Json::Object(names));
    }
    Json::Object(object)
}

fn put(fields: &Fields, object: &mut Map<String, Json>) {
    for (name, value) in fields.iter() {
        object.insert(name.to_string(), json(value));
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::Long(value) => Json::from(*value),
        Value::Double(value) => Json::from(*value),
        Value::Text(text) => Json::from(&**text),
        Value::Time(time) => Json::from(time.to_string()),
        Value::List(values) => Json::Array(values.iter().map(json).collect()),
    }
}

/// `Event.System` and the data below it in one object: attributes as `Provider_Name`, data under its own names.
pub(crate) fn flatten(document: &Json) -> Json {
    let mut object = Map::new();
    let event = &document["Event"];
    for (name, value) in event["System"].as_object().into_iter().flatten() {
        match value {
            Json::Object(parts) => {
                if let Some(text) = parts.get("#text") {
                    object.insert(name.clone(), text.clone());
                }
                for (attribute, value) in parts.get("#attributes").and_then(Json::as_object).into_iter().flatten() {
                    object.insert(format!("{name}_{attribute}"), value.clone());
                }
            }
            single => {
                object.insert(name.clone(), single.clone());
            }
        }
    }
    for part in ["EventData", "UserData"] {
        data(&event[part], &mut object);
    }
    Json::Object(object)
}

fn data(value: &Json, object: &mut Map<String, Json>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            _ if name == "#attributes" => {}
            Json::Object(parts) => match parts.get("#text") {
                Some(text) => put_new(name, text, object),
                None => data(value, object),
            },
            single => put_new(name, single, object),
        }
    }
}

/// Event data does not replace what `System` says.
fn put_new(name: &str, value: &Json, object: &mut Map<String, Json>) {
    object.entry(name.to_owned()).or_insert_with(|| value.clone());
}
