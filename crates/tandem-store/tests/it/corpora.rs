//! Real Windows events: every one is found by what is in it, and the table stays small.

use crate::sample::{EPOCH, clock, search, up_to};
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Catalogue, Event, EventId, FieldType, Fields, LogType, RecordId, TypedAs, Value};
use tandem_query::{Expr, Query, Test, matches};
use tandem_store::{SearchRequest, Store};

/// The catalogue that ships, when it can be found.
fn shipped() -> Arc<Catalogue> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/fields.yaml");
    Arc::new(Catalogue::from_yaml(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// One JSON line as a parser would give it: names as they are, typed as their columns.
fn an_event(catalogue: &Catalogue, offset: u64, line: &str) -> Event {
    let mut vendor = Fields::new();
    let json: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    for (name, value) in json.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match catalogue.get(name).map(|field| field.kind) {
            Some(FieldType::Long) => text.parse().map_or_else(|_| Value::from(text.clone()), Value::Long),
            Some(FieldType::Bool) => text.parse().map_or_else(|_| Value::from(text.clone()), Value::Bool),
            _ => Value::from(text),
        };
        vendor.push(name.as_str(), value);
    }
    let at = 1_791_756_000_000_000 + offset.cast_signed() * 10_000;
    let record = RecordId { epoch: EPOCH, offset };
    Event {
        id: EventId { record, index: 0 },
        first_record: record,
        time: Timestamp::from_micros(at),
        received: Timestamp::from_micros(at),
        source: "otrf".into(),
        parser: "microsoft.windows".into(),
        typed: vec![TypedAs { log_type: LogType::new("windows", "", "sysmon"), aliases: Fields::new() }],
        vendor,
        common: Fields::new(),
        raw: line.into(),
        raw_private: vec![],
        error: None,
        run: None,
    }
}

#[tokio::test]
async fn windows_events_are_found_by_their_fields_and_words() {
    let Some(corpora) = tandem_testkit::corpora("windows_events_are_found_by_their_fields_and_words") else { return };
    let path = corpora.join("otrf-bench/process-creation.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let catalogue = shipped();
    let events: Vec<Arc<Event>> =
        text.lines().enumerate().map(|(offset, line)| Arc::new(an_event(&catalogue, offset as u64, line))).collect();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), catalogue, clock()).await.unwrap();
    store.append(events.clone()).unwrap();
    store.seal(up_to(events.len() as u64), &[]).await.unwrap();
    let stats = store.stats();
    println!(
        "{} events, {} bytes of raw text; data {} bytes, index {} bytes",
        events.len(),
        text.len(),
        stats.file_bytes,
        stats.index_bytes
    );
    assert!(stats.file_bytes < text.len() as u64 / 5);
    assert!(stats.index_bytes < stats.file_bytes);

    let tokens: Vec<Vec<String>> = events.iter().map(|event| tandem_query::tokens(&event.raw)).collect();
    let has = |at: usize, run: &[String]| tokens[at].windows(run.len()).any(|found| found == run);
    // A field and a run of words of every 400th event.
    for (at, event) in events.iter().enumerate().step_by(400) {
        let (name, value) = event.vendor.iter().nth(at / 400 % event.vendor.len()).unwrap();
        let of_field = Expr::field(&**name, Test::Equals(value.to_string()));
        let from = at % (tokens[at].len() - 3);
        let run = &tokens[at][from..from + 3];
        let of_run = Expr::Text { tokens: run.to_vec() };
        let expected = [
            events.iter().filter(|event| matches(&of_field, event)).count(),
            (0..events.len()).filter(|at| has(*at, run)).count(),
        ];
        for (filter, expected) in [of_field, of_run].into_iter().zip(expected) {
            let query = Query { filter, pipe: Vec::new() };
            let text = query.to_string();
            let found = search(&store, SearchRequest { histogram: Some(1), ..SearchRequest::new(query) }).await;
            assert_eq!(found.done.total, expected as u64, "{text}");
            assert!(expected > 0, "{text}");
        }
    }
}
