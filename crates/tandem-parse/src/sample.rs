//! Samples of a parser and the events they become: what `expected/` holds.

use crate::container::{self, RawRecord};
use crate::state::ParserState;
use serde_json::{Map, Value as Json, json};
use tandem_base::Timestamp;
use tandem_model::{Event, Fields, Record, RecordId, Transport, Value};

/// Records of a file under `samples/`.
#[derive(Debug, Clone)]
pub struct Sample {
    /// In order; ids count from 0 in epoch 0.
    pub records: Vec<Record>,
}

/// Why a sample cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The line `#! {…}` is not JSON of the right shape.
    #[error("the first line of the sample is not usable: {0}")]
    Head(String),
    /// The name ends in something else.
    #[error("a sample is called *.log, *.json or *.xml")]
    Name,
}

impl Sample {
    /// The records of a sample file; the end of `name` says how it is cut.
    pub fn read(name: &str, text: &str) -> Result<Self, SampleError> {
        let (head, body) = match text.strip_prefix("#!") {
            Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
            None => ("{}", text),
        };
        let head: Json = serde_json::from_str(head.trim()).map_err(|error| SampleError::Head(error.to_string()))?;
        let received = head.get("received").and_then(Json::as_str).unwrap_or("2026-10-11T22:20:00Z");
        let received: Timestamp = received.parse().map_err(|error| SampleError::Head(format!("{error}")))?;
        let transport = head.get("transport").and_then(Json::as_str).unwrap_or("syslog-udp");
        let transport: Transport =
            transport.parse().map_err(|()| SampleError::Head(format!("there is no transport `{transport}`")))?;
        let mut facts = Vec::new();
        for (name, value) in head.get("facts").and_then(Json::as_object).into_iter().flatten() {
            facts.push((name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        let raws: Vec<Vec<u8>> = match name.rsplit_once('.').map(|(_, end)| end) {
            Some("xml") => vec![body.trim().as_bytes().to_vec()],
            Some("json") => container::json_documents(body.as_bytes())
                .filter_map(Result::ok)
                .map(|record: RawRecord| record.raw)
                .collect(),
            Some("log") => {
                body.lines().filter(|line| !line.trim().is_empty()).map(|line| line.as_bytes().to_vec()).collect()
            }
            _ => return Err(SampleError::Name),
        };
        let records = raws.into_iter().enumerate().map(|(offset, raw)| Record {
            id: RecordId { epoch: 0, offset: offset as u64 },
            source: "sample".to_owned(),
            peer: None,
            received,
            transport,
            facts: facts.clone(),
            run: None,
            raw,
        });
        Ok(Self { records: records.collect() })
    }

    /// All events of the sample, open joins completed at its end.
    pub fn parse(&self, state: &mut ParserState) -> Vec<Event> {
        let mut events = Vec::new();
        for record in &self.records {
            state.parse(record, &mut events);
        }
        state.flush(Timestamp::from_micros(i64::MAX), &mut events);
        events
    }
}

/// An event as `expected/` shows it: without raw text and source, with what the private ranges hold.
pub fn event_json(event: &Event) -> Json {
    let mut out = Map::new();
    out.insert("id".into(), json!(format!("{}-{}", event.id.record.offset, event.id.index)));
    if event.first_record != event.id.record {
        out.insert("first_record".into(), json!(event.first_record.offset));
    }
    out.insert("time".into(), json!(event.time.to_string()));
    out.insert("parser".into(), json!(&*event.parser));
    let mut types = Map::new();
    for typed in &event.typed {
        types.insert(typed.log_type.to_string(), fields_json(&typed.aliases));
    }
    out.insert("types".into(), Json::Object(types));
    if let Some(error) = &event.error {
        out.insert("error".into(), json!(&**error));
    }
    out.insert("common".into(), fields_json(&event.common));
    out.insert("vendor".into(), fields_json(&event.vendor));
    let private: Vec<_> =
        event.raw_private.iter().filter_map(|(start, end)| event.raw.get(*start as usize..*end as usize)).collect();
    out.insert("private".into(), json!(private));
    Json::Object(out)
}

fn fields_json(fields: &Fields) -> Json {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| (*name).clone());
    Json::Object(sorted.into_iter().map(|(name, value)| (name.to_string(), value_json(value))).collect())
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::Long(value) => json!(value),
        Value::Double(value) => json!(value),
        Value::Text(text) => json!(&**text),
        Value::Time(time) => json!(time.to_string()),
        Value::List(values) => Json::Array(values.iter().map(value_json).collect()),
    }
}
