//! JSON shapes: evtx tools (`Event.System`), Winlogbeat (`winlog.*`, before version 7 `event_data`), and flat objects
//! (NXLog, exports, Get-WinEvent).

use super::put_data;
use crate::step::{json_scalar, parse_xml};
use crate::work::Work;
use serde_json::{Map, Value as Json};
use tandem_model::Value;

/// Nesting of user data that is followed.
const DEPTH_MAX: usize = 8;

pub(super) fn read(value: &Json, work: &mut Work<'_, '_>) -> Result<(), String> {
    let object = value.as_object().ok_or("it is no JSON object")?;
    let nested = object.get("Event").and_then(Json::as_object).unwrap_or(object);
    if let Some(system) = nested.get("System").and_then(Json::as_object) {
        tool(system, nested, work);
    } else if object.contains_key("winlog") || object.keys().any(|key| key.starts_with("winlog.")) {
        beat(value, "winlog.", work);
    } else if object.contains_key("event_id") && (object.contains_key("log_name") || object.contains_key("source_name"))
    {
        beat(value, "", work);
    } else {
        flat(object, work);
    }
    Ok(())
}

/// A plain value of an evtx tool. They write GUIDs in capitals without the braces that Windows has.
fn tool_scalar(value: &Json) -> Option<Value> {
    let guid = value.as_str().filter(|text| {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte),
            })
    });
    match guid {
        Some(text) => Some(Value::from(format!("{{{}}}", text.to_ascii_lowercase()))),
        None => json_scalar(value),
    }
}

/// `Event.System` and its siblings.
fn tool(system: &Map<String, Json>, event: &Map<String, Json>, work: &mut Work<'_, '_>) {
    for (key, value) in system {
        if let Some(base) = key.strip_suffix("_attributes") {
            attributes(base, value, work);
            continue;
        }
        match value {
            Json::Object(parts) => {
                let text = parts.get("#text").or_else(|| parts.get("Value")).and_then(tool_scalar);
                if let Some(text) = text {
                    work.set_named(key, text);
                }
                attributes(key, parts.get("#attributes").unwrap_or(value), work);
            }
            single => {
                if let Some(value) = tool_scalar(single) {
                    work.set_named(key, value);
                }
            }
        }
    }
    let time = super::text("TimeCreated_SystemTime", work).or_else(|| super::text("TimeCreated", work));
    if let Some(time) = time {
        work.set_named("_time", Value::from(time));
    }
    for name in ["EventData", "UserData"] {
        if let Some(data) = event.get(name) {
            event_data(data, 0, work);
        }
    }
    let message = event.get("Message").or_else(|| event.get("RenderingInfo").and_then(|info| info.get("Message")));
    if let Some(message) = message.and_then(tool_scalar) {
        work.set_named("Message", message);
    }
}

fn attributes(base: &str, value: &Json, work: &mut Work<'_, '_>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let key = key.trim_start_matches(['@', '#', '_']);
        if matches!(key, "text" | "Value" | "attributes") {
            continue;
        }
        if let Some(value) = tool_scalar(value) {
            work.set_named(&format!("{base}_{key}"), value);
        }
    }
}

/// Named values, `Data` lists with or without names, and whatever user data nests.
fn event_data(data: &Json, depth: usize, work: &mut Work<'_, '_>) {
    let Json::Object(data) = data else {
        if let Json::String(text) = data
            && text.trim_start().starts_with('<')
            && let Ok(root) = parse_xml(text)
        {
            for part in &root.children {
                if let Some(name) = part.attribute("Name") {
                    put_data(name, Value::text(&part.text), work);
                }
            }
        }
        return;
    };
    for (key, value) in data {
        match (key.as_str(), value) {
            ("#attributes" | "xmlns" | "xml_name", _) => {}
            ("Data", Json::Object(parts)) => match parts.get("#text") {
                Some(list) => positional_data(list, work),
                None => {
                    named(value, work);
                }
            },
            ("Data", list) => positional_data(list, work),
            ("#text", list) if depth == 0 => positional_data(list, work),
            (_, Json::Object(parts)) => match parts.get("#text").and_then(tool_scalar) {
                Some(text) => put_data(key, text, work),
                None if depth < DEPTH_MAX => event_data(value, depth + 1, work),
                None => {}
            },
            (_, Json::Array(items)) => put_data(key, list_value(items), work),
            (_, single) => {
                if let Some(value) = tool_scalar(single) {
                    put_data(key, value, work);
                }
            }
        }
    }
}

/// `{"@Name": "LogonType", "#text": "3"}`
fn named(value: &Json, work: &mut Work<'_, '_>) -> bool {
    let name = ["@Name", "Name", "_Name"].iter().find_map(|key| value.get(key)).and_then(Json::as_str);
    let text = ["#text", "Value", "_", "text"].iter().find_map(|key| value.get(key)).and_then(json_scalar);
    match (name, text) {
        (Some(name), Some(text)) => {
            put_data(name, text, work);
            true
        }
        _ => false,
    }
}

fn positional_data(list: &Json, work: &mut Work<'_, '_>) {
    let items = match list {
        Json::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut unnamed = Vec::new();
    for item in items {
        if !item.is_object() || !named(item, work) {
            unnamed.extend(json_scalar(item.get("#text").unwrap_or(item)));
        }
    }
    if !unnamed.is_empty() {
        work.set_named("Data", Value::List(unnamed));
    }
}

fn list_value(items: &[Json]) -> Value {
    Value::List(items.iter().map(|item| json_scalar(item).unwrap_or_else(|| Value::from(item.to_string()))).collect())
}

/// Winlogbeat: everything of Windows below `prefix`.
fn beat(value: &Json, prefix: &str, work: &mut Work<'_, '_>) {
    let mut path = String::new();
    let mut positional = Vec::new();
    walk(value, &mut path, 0, &mut |path, value| {
        if let Some(name) = path.strip_prefix(prefix) {
            if let Some(name) = name.strip_prefix("event_data.").or_else(|| name.strip_prefix("user_data.")) {
                if let Some(number) = name.strip_prefix("param").and_then(|number| number.parse::<usize>().ok()) {
                    positional.push((number, value.clone()));
                }
                if name != "xml_name" {
                    put_data(name, value, work);
                }
                return;
            }
            let vendor = match name {
                "channel" | "log_name" => "Channel",
                "event_id" => "EventID",
                "provider_name" | "source_name" => "Provider_Name",
                "provider_guid" => "Provider_Guid",
                "computer_name" => "Computer",
                "record_id" | "record_number" => "EventRecordID",
                "task" => "Task",
                "opcode" => "Opcode",
                "keywords" => "Keywords",
                "version" => "Version",
                "activity_id" => "Correlation_ActivityID",
                "process.pid" | "process_id" => "Execution_ProcessID",
                "process.thread.id" | "thread_id" => "Execution_ThreadID",
                "user.identifier" => "Security_UserID",
                "level" => "Level",
                _ => "",
            };
            if !vendor.is_empty() {
                work.set_named(vendor, value);
                return;
            }
        }
        match path {
            "@timestamp" => work.set_named("_time", value),
            "message" => work.set_named("Message", value),
            "log.level" => work.set_named("Level", value),
            "agent.version" | "agent.type" | "agent.name" | "agent.id" => {
                let id = work.id(path);
                if work.scratch.names.get(id).is_common() {
                    work.scratch.common.set(id, value);
                }
            }
            "event.code" => {
                let id = work.id("EventID");
                if work.scratch.vendor.get(id).is_none() {
                    work.scratch.vendor.set(id, value);
                }
            }
            _ => {}
        }
    });
    if !positional.is_empty() {
        positional.sort_by_key(|(number, _)| *number);
        let id = work.id("Data");
        if work.scratch.vendor.get(id).is_none() {
            work.scratch.vendor.set(id, Value::List(positional.into_iter().map(|(_, value)| value).collect()));
        }
    }
}

/// Calls `take` with the dotted path of each plain value or list of plain values.
fn walk(value: &Json, path: &mut String, depth: usize, take: &mut dyn FnMut(&str, Value)) {
    match value {
        Json::Object(object) if depth <= DEPTH_MAX => {
            for (key, inner) in object {
                let length = path.len();
                if depth > 0 {
                    path.push('.');
                }
                path.push_str(key);
                walk(inner, path, depth + 1, take);
                path.truncate(length);
            }
        }
        Json::Object(_) => {}
        Json::Array(items) => take(path, list_value(items)),
        single => {
            if let Some(value) = json_scalar(single) {
                take(path, value);
            }
        }
    }
}

/// Names of flat collectors and Windows' own.
const FLAT: [(&str, &str); 16] = [
    ("Hostname", "Computer"),
    ("MachineName", "Computer"),
    ("SourceName", "Provider_Name"),
    ("ProviderName", "Provider_Name"),
    ("EventSourceName", "Provider_Name"),
    ("Provider", "Provider_Name"),
    ("ProviderGuid", "Provider_Guid"),
    ("RecordNumber", "EventRecordID"),
    ("EventRecordId", "EventRecordID"),
    ("RecordId", "EventRecordID"),
    ("ExecutionProcessID", "Execution_ProcessID"),
    ("ThreadID", "Execution_ThreadID"),
    ("LogName", "Channel"),
    ("EventId", "EventID"),
    ("Id", "EventID"),
    // As NXLog spells it: the event's own EventType, which its own field of that name hides.
    ("EventTypeOrignal", "EventType"),
];

fn flat(object: &Map<String, Json>, work: &mut Work<'_, '_>) {
    for (key, value) in object {
        match (key.as_str(), value) {
            ("EventData" | "UserData", Json::Object(_) | Json::String(_)) => event_data(value, 0, work),
            // What shippers add.
            ("@timestamp" | "@version" | "tags" | "@metadata", _) => {}
            (_, Json::Object(_)) => event_data(value, 1, work),
            (_, Json::Array(items)) => put_data(key, list_value(items), work),
            (_, single) => {
                if let Some(value) = json_scalar(single) {
                    if key.contains(' ') {
                        work.set_named(&key.replace(' ', ""), value);
                    } else {
                        work.set_named(key, value);
                    }
                }
            }
        }
    }
    for (from, to) in FLAT {
        if !object.contains_key(from) || object.contains_key(to) && to != "EventType" {
            continue;
        }
        let from = work.id(from);
        let Some(value) = work.scratch.vendor.get(from).cloned() else { continue };
        let to = work.id(to);
        if work.scratch.vendor.get(to).is_none() || to == work.id("EventType") {
            work.scratch.vendor.set(to, value);
            // Rules of Defender name SourceName; the others are only another spelling.
            if from != work.id("SourceName") {
                work.scratch.vendor.remove(from);
            }
        }
    }
    // UtcTime is UTC by name; the collectors' own times may be the host's local time.
    let names = ["TimeCreated_SystemTime", "SystemTime", "TimeCreated", "UtcTime", "EventTime", "TimeGenerated"];
    let time = names.iter().find_map(|name| super::text(name, work).filter(|text| !text.is_empty()));
    let time = time.or_else(|| object.get("@timestamp").and_then(Json::as_str).map(str::to_owned));
    if let Some(time) = time {
        // /Date(1600000000000)/ as PowerShell 5 writes it.
        let time = time.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")).unwrap_or(&time).to_owned();
        work.set_named("_time", Value::from(time));
    }
}
