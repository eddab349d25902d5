//! `tandem parse`: what the parsers make of log files.

use super::files::{Found, parsers, read_all};
use crate::arguments::ParseArguments;
use crate::output;
use anyhow::Result;
use serde_json::{Map, Value as Json, json};
use tandem_model::{Fields, Value};

pub(crate) fn run(arguments: &ParseArguments) -> Result<u8> {
    let (_, parsers) = parsers(&arguments.parsers)?;
    let summary = read_all(&parsers, &arguments.files, &mut |found| output::line(&line(&found)));
    output::note(&format!(
        "{} files, {} records, {} events; {} records and {} files could not be read",
        summary.files, summary.records, summary.events, summary.leftovers, summary.unreadable
    ));
    Ok(summary.exit_code())
}

fn line(found: &Found<'_>) -> String {
    let event = &found.event;
    let log_types: Vec<String> = event.typed.iter().map(|typed| typed.log_type.to_string()).collect();
    json!({
        "file": found.file,
        "record": found.record,
        "log_types": log_types,
        "parser": &*event.parser,
        "time": event.time.to_string(),
        "raw": &*event.raw,
        "ecs": fields(&event.common),
        "vendor": fields(&event.vendor),
        "error": event.error.as_deref(),
    })
    .to_string()
}

/// Fields as JSON, in their order.
pub(crate) fn fields(fields: &Fields) -> Map<String, Json> {
    fields.iter().map(|(name, field)| (name.to_string(), value(field))).collect()
}

fn value(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::Long(value) => json!(value),
        Value::Double(value) => json!(value),
        Value::Text(value) => json!(&**value),
        Value::Time(value) => json!(value.to_string()),
        Value::List(values) => Json::Array(values.iter().map(self::value).collect()),
    }
}
