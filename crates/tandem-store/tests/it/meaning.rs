//! Every query answers what the slow evaluator answers, wherever the events are.

use crate::sample::{EPOCH, catalogue, clock, event, field, search, unordered, up_to};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Catalogue, Event, FieldType, Fields, Layer, LogType, ReadScope, TypedAs, Value};
use tandem_query::{Answer, Bound, Expr, Literal, Network, Operator, Piece, Query, Test, evaluate, matches};
use tandem_store::{SearchRequest, Store};

const NAMES: [&str; 14] = [
    "user.name",
    "source.ip",
    "tags",
    "http.bytes",
    "event.start",
    "score",
    "ok",
    "EventID",
    "Image",
    "CommandLine",
    "host.name",
    "late.ip",
    "free",
    "no.such",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["alice", "Bob", "äpfel", "ÄPFEL", "cmd", "x", "4624", "7", "10.0.0.1", "a.b", ""])
            .prop_map(str::to_owned),
        1 => "[a-cA-C]{1,3}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => word().prop_map(Value::from),
        2 => prop::sample::select(vec!["10.0.0.1", "::ffff:10.0.0.9", "192.168.1.7", "fe80::1", "2026-10-11T22:00:00Z"])
            .prop_map(Value::from),
        3 => (-3_i64..12).prop_map(Value::Long),
        1 => Just(Value::Long(4624)),
        1 => (-6_i64..24).prop_map(|half| Value::Double(half as f64 / 2.0)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => (0_i64..3).prop_map(|day| Value::Time(Timestamp::from_seconds(1_791_756_000 + day * 3600))),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![4 => scalar(), 1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::List)]
}

/// A value that fits the column mostly.
fn fitting(kind: FieldType) -> BoxedStrategy<Value> {
    let fits = match kind {
        FieldType::String => word().prop_map(Value::from).boxed(),
        FieldType::Strings => prop::collection::vec(word().prop_map(Value::from), 0..3).prop_map(Value::List).boxed(),
        FieldType::Long => (-3_i64..12).prop_map(Value::Long).boxed(),
        FieldType::Double => (-6_i64..24).prop_map(|half| Value::Double(half as f64 / 2.0)).boxed(),
        FieldType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        FieldType::Timestamp => {
            (0_i64..3).prop_map(|hour| Value::Time(Timestamp::from_seconds(1_791_756_000 + hour * 3600))).boxed()
        }
        FieldType::Ip => prop::sample::select(vec!["10.0.0.1", "::ffff:10.0.0.9", "192.168.1.7", "fe80::1"])
            .prop_map(Value::from)
            .boxed(),
    };
    prop_oneof![5 => fits, 1 => value()].boxed()
}

fn fields() -> impl Strategy<Value = Fields> {
    let wide = wide();
    let pairs = NAMES.map(|name| {
        let kind = wide.get(name).map_or(FieldType::String, |field| field.kind);
        prop::option::weighted(0.3, fitting(kind)).prop_map(move |value| value.map(|value| (name, value)))
    });
    pairs.to_vec().prop_map(|pairs| pairs.into_iter().flatten().collect())
}

fn raw() -> impl Strategy<Value = String> {
    let separator = prop::sample::select(vec![" ", ", ", "\\", "/", "=", "&amp;", "-"]);
    let text = prop::collection::vec((word(), separator), 0..6);
    let text = text
        .prop_map(|parts| {
            parts.into_iter().flat_map(|(word, separator)| [word, separator.to_owned()]).collect::<String>()
        })
        .boxed();
    prop_oneof![3 => text.clone(), 1 => text.prop_map(|text: String| format!("{{\"key\": {}}}", serde_json::json!(text)))]
}

fn an_event(offset: u64) -> impl Strategy<Value = Event> {
    let aliases = prop::option::weighted(0.3, (prop::sample::select(NAMES.to_vec()), value()));
    (fields(), fields(), raw(), aliases, 0_i64..50, any::<bool>(), any::<bool>()).prop_map(
        move |(vendor, common, raw, alias, back, same, error)| {
            let mut event = event(offset);
            event.time = Timestamp::from_seconds(event.received.seconds() - back);
            event.vendor = vendor;
            // Mostly each layer has names of its own.
            event.common =
                common.iter().filter(|(name, _)| name.contains('.')).map(|(n, v)| (n.clone(), v.clone())).collect();
            event.raw = raw.into();
            event.error = error.then(|| "it fell short".into());
            if let Some((name, value)) = alias {
                let value =
                    if same { event.vendor.iter().next().map_or(value.clone(), |(_, v)| v.clone()) } else { value };
                let mut more = Fields::new();
                more.set(name, value);
                event.typed.push(TypedAs { log_type: LogType::new("windows", "process_creation", ""), aliases: more });
            }
            event
        },
    )
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        word().prop_map(|text| Literal::parse(&text)),
        (-3_i64..12).prop_map(Literal::Long),
        (-6_i64..24).prop_map(|half| Literal::Double(half as f64 / 2.0)),
        Just(Literal::parse("10.0.0.4")),
        Just(Literal::parse("2026-10-11T22:30:00Z")),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let piece = prop_oneof![
        2 => "[aAbBcä.]{1,2}".prop_map(Piece::Literal),
        3 => Just(Piece::AnyRun),
        1 => Just(Piece::AnyOne),
    ];
    let bound =
        || prop::option::of((literal(), any::<bool>()).prop_map(|(value, inclusive)| Bound { value, inclusive }));
    let operator =
        prop::sample::select(vec![Operator::Less, Operator::LessOrEqual, Operator::Greater, Operator::GreaterOrEqual]);
    prop_oneof![
        4 => word().prop_map(Test::Equals),
        2 => scalar().prop_map(|value| Test::Equals(value.to_string())),
        2 => prop::collection::vec(piece, 1..5).prop_map(Test::wildcard),
        1 => prop::sample::select(vec!["^a", "b$", "[0-9]+", "l.c", "true"]).prop_map(|text| Test::Regex(text.to_owned())),
        2 => (bound(), bound()).prop_map(|(low, high)| Test::Range { low, high }),
        2 => (operator, literal()).prop_map(|(operator, value)| Test::Compare { operator, value }),
        1 => prop::sample::select(vec!["10.0.0.0/8", "10.0.0.0/31", "fe80::/10", "0.0.0.0/0"])
            .prop_map(|text| Test::Cidr(Network::parse(text).unwrap())),
        1 => Just(Test::Exists),
    ]
}

fn filter() -> impl Strategy<Value = Expr> {
    let names: Vec<&str> = NAMES
        .into_iter()
        .chain(["time", "source", "parser", "log_types", "id", "raw", "error", "run", "received", "_tandem"])
        .collect();
    let leaf = prop_oneof![
        1 => Just(Expr::All),
        2 => prop::collection::vec(word(), 1..3)
            .prop_map(|words| tandem_query::tokens(&words.join(" ")))
            .prop_filter("some token", |tokens| !tokens.is_empty())
            .prop_map(|tokens| Expr::Text { tokens }),
        6 => (prop::sample::select(names), test()).prop_map(|(name, test)| Expr::field(name, test)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::and),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::or),
            inner.prop_map(Expr::negate),
        ]
    })
}

/// Version 2 of the catalogue: three more columns.
fn wide() -> Catalogue {
    let mut fields = catalogue().fields().to_vec();
    fields.push(field("host.name", FieldType::String, Layer::Common));
    fields.push(field("late.ip", FieldType::Ip, Layer::Common));
    fields.push(field("free", FieldType::Strings, Layer::Vendor));
    Catalogue::new(2, fields).unwrap()
}

fn runner() -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(80);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Events in a file of the first catalogue, a file of the second, and the tail.
async fn filled(folder: &std::path::Path, events: &[Arc<Event>]) -> Store {
    let third = events.len() / 3;
    let store = Store::open(folder, catalogue(), clock()).await.unwrap();
    store.append(events[..third].to_vec()).unwrap();
    store.seal(up_to(third as u64), &[]).await.unwrap();
    drop(store);
    let store = Store::open(folder, Arc::new(wide()), clock()).await.unwrap();
    assert_eq!(store.sealed_position(EPOCH).await.unwrap(), Some(third as u64));
    store.append(events[third..].to_vec()).unwrap();
    store.seal(up_to(2 * third as u64), &[]).await.unwrap();
    store
}

fn some_events(runner: &mut TestRunner, count: u64) -> Vec<Arc<Event>> {
    (0..count).map(|offset| Arc::new(an_event(offset).new_tree(runner).unwrap().current())).collect()
}

#[test]
fn filters_mean_what_the_slow_evaluator_means() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut runner = runner();
    let events = some_events(&mut runner, 240);
    let store = runtime.block_on(filled(folder.path(), &events));
    runner
        .run(&filter(), |filter| {
            let query = Query { filter: filter.clone(), pipe: Vec::new() };
            let request = SearchRequest { limit: 10_000, histogram: Some(7), ..SearchRequest::new(query) };
            let found = runtime.block_on(search(&store, request));
            let expected: Vec<_> =
                events.iter().filter(|event| matches(&filter, event)).map(|event| event.id).collect();
            let mut ids: Vec<_> = found.rows.iter().map(|event| event.id).collect();
            ids.sort_unstable();
            prop_assert_eq!(&ids, &expected, "{}", Query { filter: filter.clone(), pipe: Vec::new() });
            prop_assert_eq!(found.done.total, expected.len() as u64);
            prop_assert_eq!(found.histogram.iter().map(|bucket| bucket.count).sum::<u64>(), expected.len() as u64);
            Ok(())
        })
        .unwrap();
}

#[test]
fn figures_mean_what_the_slow_evaluator_means() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut runner = runner();
    let events = some_events(&mut runner, 90);
    let store = runtime.block_on(filled(folder.path(), &events));
    let plain: Vec<Event> = events.iter().map(|event| Event::clone(event)).collect();
    let name = || prop::sample::select(NAMES.to_vec());
    let figure = (prop::sample::select(vec!["sum", "avg", "min", "max", "count", "count_distinct"]), name())
        .prop_map(|(function, name)| format!("{function}({name})"));
    let stats = (prop::collection::vec(figure, 0..3), prop::collection::vec(name(), 0..3)).prop_map(|(figures, by)| {
        let by: std::collections::BTreeSet<_> = by.into_iter().collect();
        let figures: std::collections::BTreeSet<_> = figures.into_iter().collect();
        let figures = figures.into_iter().chain(["count".to_owned()]).collect::<Vec<_>>().join(", ");
        let by = by.into_iter().collect::<Vec<_>>().join(", ");
        format!("stats {figures}{}{by}", if by.is_empty() { "" } else { " by " })
    });
    runner
        .run(&(filter(), stats), |(filter, stats)| {
            let (query, problems) = tandem_query::parse(&format!("* | {stats}"));
            prop_assert!(problems.is_empty(), "{stats}: {problems:?}");
            let query = Query { filter, pipe: query.pipe };
            let Answer::Table(expected) = evaluate(&query, &plain) else { panic!("stats make a table") };
            let found = runtime.block_on(search(&store, SearchRequest::new(query.clone())));
            let table = found.table.unwrap();
            prop_assert_eq!(&table.columns, &expected.columns);
            let rows = |rows: &[Vec<Option<Value>>]| -> Vec<String> {
                let cell = |cell: &Option<Value>| cell.as_ref().map_or("-".to_owned(), |value| format!("{value}"));
                let mut rows: Vec<_> =
                    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | ")).collect();
                rows.sort();
                rows
            };
            prop_assert_eq!(rows(&table.rows), rows(&expected.rows), "{}", query);
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_event_comes_back_as_it_went_in() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut runner = runner();
    let mut events = some_events(&mut runner, 240);
    let joined = Arc::make_mut(&mut events[5]);
    joined.first_record.offset = 3;
    joined.raw_private = vec![(0, 2), (5, 9)];
    joined.run = Some(tandem_model::RunId([7; 16]));
    let store = runtime.block_on(filled(folder.path(), &events));
    let mut back = BTreeMap::new();
    for event in &events {
        let found = runtime.block_on(store.get(event.id, &ReadScope::Everything)).unwrap().unwrap();
        back.insert(event.id, found);
    }
    for event in &events {
        assert_eq!(unordered(&back[&event.id]), unordered(event));
    }
}
