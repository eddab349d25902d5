//! Catalogues and events for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tandem_base::{ManualClock, Timestamp};
use tandem_model::{
    Catalogue, Detection, DetectionId, DetectionKind, Entities, Event, EventId, Field, FieldType, Fields, Layer, Level,
    LogType, MatchedField, ReadScope, RecordId, RuleStatus, TypedAs, Value,
};
use tandem_store::{QueryLimits, Store, StoreConfig};
use tokio_util::sync::CancellationToken;

pub(crate) const EPOCH: u64 = 0xabcd;
/// 2026-10-11T22:00:00Z.
pub(crate) const START: i64 = 1_791_756_000;

pub(crate) fn field(name: &str, kind: FieldType, layer: Layer) -> Field {
    Field { name: name.into(), kind, layer, description: "for tests".to_owned(), privacy: None }
}

pub(crate) fn catalogue() -> Arc<Catalogue> {
    let common = |name, kind| field(name, kind, Layer::Common);
    let vendor = |name, kind| field(name, kind, Layer::Vendor);
    let fields = vec![
        common("user.name", FieldType::String),
        common("source.ip", FieldType::Ip),
        common("tags", FieldType::Strings),
        common("http.bytes", FieldType::Long),
        common("event.start", FieldType::Timestamp),
        common("score", FieldType::Double),
        common("ok", FieldType::Bool),
        vendor("EventID", FieldType::Long),
        vendor("Image", FieldType::String),
        vendor("CommandLine", FieldType::String),
    ];
    Arc::new(Catalogue::new(1, fields).unwrap())
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_seconds(START)))
}

/// An event of record `offset`, received `offset` seconds after [`START`], that happened a second before.
pub(crate) fn event(offset: u64) -> Event {
    let received = START + offset.cast_signed();
    Event {
        id: EventId { record: RecordId { epoch: EPOCH, offset }, index: 0 },
        first_record: RecordId { epoch: EPOCH, offset },
        time: Timestamp::from_seconds(received - 1),
        received: Timestamp::from_seconds(received),
        source: "web1".into(),
        parser: "test".into(),
        typed: vec![TypedAs { log_type: LogType::new("windows", "", "security"), aliases: Fields::new() }],
        vendor: Fields::new(),
        common: Fields::new(),
        raw: format!("record number {offset}").into(),
        raw_private: vec![],
        error: None,
        run: None,
    }
}

pub(crate) fn detection(rule: &str, offset: u64) -> Detection {
    let event = event(offset);
    Detection {
        id: DetectionId::of(rule, event.id),
        kind: DetectionKind::Rule,
        rule_id: rule.into(),
        rule_title: "A rule".into(),
        rule_author: Some("someone".into()),
        rule_version: "v1".into(),
        level: Level::High,
        status: RuleStatus::Stable,
        tags: vec!["attack.t1059".into()],
        time: event.time,
        received: event.received,
        detected: event.received,
        events: vec![event.id],
        source: event.source,
        log_types: vec!["windows/security".to_owned()],
        matches: vec![MatchedField { field: Some("Image".to_owned()), value: "x".to_owned(), span: Some((0, 1)) }],
        entities: Entities { host: Some("h".to_owned()), user: None, source_address: None },
        run: None,
    }
}

pub(crate) fn arcs(events: impl IntoIterator<Item = Event>) -> Vec<Arc<Event>> {
    events.into_iter().map(Arc::new).collect()
}

pub(crate) fn up_to(offset: u64) -> RecordId {
    RecordId { epoch: EPOCH, offset }
}

pub(crate) async fn open(dir: &Path) -> Store {
    open_with(dir, StoreConfig::default()).await
}

pub(crate) async fn open_with(dir: &Path, config: StoreConfig) -> Store {
    let store = Store::open_with(dir, catalogue(), clock(), config).await.unwrap();
    store.sealed_position(EPOCH).await.unwrap();
    store
}

/// The rows that a SQL query answers.
pub(crate) async fn sql(store: &Store, text: &str) -> Vec<Vec<Option<Value>>> {
    let limits = QueryLimits::default();
    store.sql(text, &ReadScope::Everything, limits, CancellationToken::new()).await.unwrap().rows().await.unwrap()
}

/// The one number that a SQL query answers.
pub(crate) async fn number(store: &Store, text: &str) -> i64 {
    match sql(store, text).await.as_slice() {
        [row] => match row.as_slice() {
            [Some(Value::Long(number))] => *number,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// An event whose fields are in no particular order, for comparing.
pub(crate) fn unordered(event: &Event) -> (Event, [BTreeMap<String, String>; 2]) {
    let map = |fields: &Fields| fields.iter().map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
    let maps = [map(&event.vendor), map(&event.common)];
    let mut bare = event.clone();
    bare.vendor = Fields::new();
    bare.common = Fields::new();
    for typed in &mut bare.typed {
        let mut aliases: Vec<_> = typed.aliases.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        aliases.sort_by(|a, b| a.0.cmp(&b.0));
        typed.aliases = aliases.into_iter().collect();
    }
    (bare, maps)
}

/// Everything that a search answers.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Event>,
    pub(crate) histogram: Vec<tandem_store::Bucket>,
    pub(crate) facets: Vec<tandem_store::Facet>,
    pub(crate) table: Option<tandem_query::Table>,
    pub(crate) done: tandem_store::Done,
}

pub(crate) async fn search(store: &Store, request: tandem_store::SearchRequest) -> Found {
    use futures::StreamExt;
    use tandem_store::SearchPart;
    let limits = QueryLimits::default();
    let cancel = CancellationToken::new();
    let mut parts = store.search(request, &ReadScope::Everything, limits, cancel).await.unwrap();
    let mut found = Found::default();
    let mut is_done = false;
    while let Some(part) = parts.next().await {
        assert!(!is_done, "nothing follows the end");
        match part.unwrap() {
            SearchPart::Progress(_) => {}
            SearchPart::Rows(rows) => found.rows.extend(rows),
            SearchPart::Histogram(histogram) => found.histogram = histogram,
            SearchPart::Facets(facets) => found.facets = facets,
            SearchPart::Table(table) => found.table = Some(table),
            SearchPart::Done(done) => {
                found.done = done;
                is_done = true;
            }
        }
    }
    assert!(is_done);
    found
}

/// A request for a query text without problems.
pub(crate) fn request(text: &str) -> tandem_store::SearchRequest {
    let (query, problems) = tandem_query::parse(text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    tandem_store::SearchRequest::new(query)
}
