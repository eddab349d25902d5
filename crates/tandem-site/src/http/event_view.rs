//! Events as other programs see them.

use serde_json::{Map, Value as Json};
use tandem_api::{EventDetail, EventRow};
use tandem_model::{Event, Fields, Value};

/// Raw text of a row beyond this is cut; the event itself has all of it.
const RAW_BYTES_MAX: usize = 1024;

/// A value as JSON; a number that JSON has no form for is its text.
pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Long(value) => Json::from(*value),
        Value::Double(number) => {
            serde_json::Number::from_f64(*number).map_or_else(|| Json::String(number.to_string()), Json::Number)
        }
        Value::Text(text) => Json::String(text.to_string()),
        Value::Time(instant) => Json::String(instant.to_string()),
        Value::List(values) => Json::Array(values.iter().map(json).collect()),
    }
}

fn layer(fields: &Fields) -> Map<String, Json> {
    fields.iter().map(|(name, value)| (name.to_string(), json(value))).collect()
}

fn log_types(event: &Event) -> Vec<String> {
    event.typed.iter().map(|typed| typed.log_type.to_string()).collect()
}

/// An event in a list: both layers flat, the vendor's name first where both have it. Of `columns`, where some
/// are named, those that the event has.
pub(super) fn row(event: &Event, columns: &[String]) -> EventRow {
    let fields = if columns.is_empty() {
        let mut fields = layer(&event.vendor);
        for (name, value) in event.common.iter() {
            fields.entry(name.to_string()).or_insert_with(|| json(value));
        }
        fields
    } else {
        let named = columns.iter().filter_map(|name| Some((name.clone(), json(&tandem_query::value_of(event, name)?))));
        named.collect()
    };
    let end = event.raw.floor_char_boundary(RAW_BYTES_MAX);
    EventRow {
        id: event.id.to_string(),
        time: event.time.to_string(),
        received: event.received.to_string(),
        source: event.source.to_string(),
        parser: event.parser.to_string(),
        log_types: log_types(event),
        raw: event.raw[..end].to_owned(),
        truncated: end < event.raw.len(),
        fields,
    }
}

/// An event, whole.
pub(super) fn detail(event: &Event) -> EventDetail {
    EventDetail {
        id: event.id.to_string(),
        time: event.time.to_string(),
        received: event.received.to_string(),
        source: event.source.to_string(),
        parser: event.parser.to_string(),
        log_types: log_types(event),
        raw: event.raw.to_string(),
        common: layer(&event.common),
        vendor: layer(&event.vendor),
        error: event.error.as_deref().map(str::to_owned),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json as j;
    use tandem_base::Timestamp;
    use tandem_model::{EventId, LogType, RecordId, TypedAs};

    /// An event of a test.
    pub(in crate::http) fn event(offset: u64, raw: &str) -> Event {
        let record = RecordId { epoch: 1, offset };
        let mut vendor = Fields::new();
        vendor.set("EventID", 4688_i64);
        vendor.set("User", "dana");
        let mut common = Fields::new();
        common.set("user.name", "dana");
        common.set("User", "shadowed");
        Event {
            id: EventId { record, index: 0 },
            first_record: record,
            time: Timestamp::from_seconds(1_000),
            received: Timestamp::from_seconds(1_001),
            source: "dc1".into(),
            parser: "microsoft.windows".into(),
            typed: vec![TypedAs { log_type: LogType::new("windows", "process_creation", ""), aliases: Fields::new() }],
            vendor,
            common,
            raw: raw.into(),
            raw_private: vec![],
            error: None,
            run: None,
        }
    }

    #[test]
    fn a_row_is_flat_and_its_raw_text_cut_at_a_character() {
        let raw = "ä".repeat(600);
        let row = row(&event(1, &raw), &[]);
        assert_eq!(Json::Object(row.fields), j!({"EventID": 4688, "User": "dana", "user.name": "dana"}));
        assert_eq!((row.raw.len(), row.truncated), (1024, true));
        assert_eq!(row.log_types, ["windows/process_creation"]);
        let named = super::row(&event(1, "x"), &["user.name".to_owned(), "source".to_owned(), "gone".to_owned()]);
        assert_eq!(Json::Object(named.fields), j!({"user.name": "dana", "source": "dc1"}));
    }

    #[test]
    fn values_keep_their_types() {
        let list = Value::List(vec![Value::Bool(true), Value::Double(0.5), Value::Time(Timestamp::from_seconds(0))]);
        assert_eq!(json(&list), j!([true, 0.5, "1970-01-01T00:00:00Z"]));
        assert_eq!(json(&Value::Double(f64::NAN)), j!("NaN"));
    }

    #[test]
    fn a_whole_event_keeps_its_layers_apart() {
        let detail = detail(&event(7, "text"));
        assert_eq!(detail.id, "0000000000000001-7-0");
        assert_eq!(detail.common["User"], "shadowed");
        assert_eq!(detail.vendor["User"], "dana");
    }
}
