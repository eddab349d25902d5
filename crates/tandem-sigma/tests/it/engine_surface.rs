//! What surrounds the fast engine: columns, replacing rules, costs, budgets, hostile events.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tandem_sigma::{
    Budget, Column, Engine, EngineSlot, FastEvent, Field, LogType, MapEvent, MapValue, Route, Row, Rule, Session,
    Value, parse_rules,
};

/// An engine of rules `product: x` with these detections.
fn engine(detections: &[&str]) -> Engine {
    Engine::builder().with_rules(rules(detections)).with_seed(7).build()
}

fn rules(detections: &[&str]) -> Vec<Arc<Rule>> {
    let load = |detection: &&str| {
        let text = format!("title: T\nlogsource: {{product: x}}\ndetection:\n  s:\n    {detection}\n  condition: s\n");
        let (rules, problems) = parse_rules("test", &text);
        assert_eq!(rules.len(), 1, "{detection}: {problems:?}");
        rules.into_iter().map(Arc::new)
    };
    detections.iter().flat_map(load).collect()
}

fn route(engine: &Engine) -> Arc<Route> {
    engine.route(&[LogType { product: Some("x"), category: None, service: None }])
}

#[test]
fn routes_take_every_log_type_of_an_event() {
    let text = |source: &str| format!("title: T\nlogsource: {{{source}}}\ndetection:\n  s: {{a: 1}}\n  condition: s\n");
    let sources =
        ["category: registry_event", "category: registry_set, product: Windows", "service: sysmon", "product: linux"];
    let load = |source: &&str| parse_rules("t", &text(source)).0.into_iter().map(Arc::new);
    let engine = Arc::new(Engine::builder().with_rules(sources.iter().flat_map(load)).build());
    let of = |category| LogType { product: Some("windows"), category: Some(category), service: Some("sysmon") };
    let one = engine.route(&[of("registry_set")]);
    let both = engine.route(&[of("registry_set"), of("registry_event")]);
    assert_eq!(one.rules(), [1, 2]);
    assert_eq!(both.rules(), [0, 1, 2]);
    assert!(Arc::ptr_eq(&both, &engine.route(&[of("registry_event"), of("REGISTRY_SET"), of("registry_set")])));
    assert_eq!(engine.route(&[]).rules(), [0; 0]);
    assert_eq!(engine.fields_of(&both).collect::<Vec<_>>(), ["a"]);
}

/// A parser that hands over JSON text as it stands; counts what it is asked to decode.
struct Encoded<'e> {
    fields: &'e [(&'e str, &'e str)],
    decoded: std::cell::Cell<usize>,
}

impl tandem_sigma::Event for Encoded<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        let (_, value) = self.fields.iter().rev().find(|(field, _)| *field == name)?;
        Some(Value::from(value.trim_matches('"')))
    }

    fn each_text(&self, visit: &mut dyn FnMut(&str) -> bool) {
        let _ = self.fields.iter().any(|(_, value)| visit(value.trim_matches('"')));
    }
}

impl FastEvent for Encoded<'_> {
    fn each_field<'e>(&'e self, visit: &mut dyn FnMut(&'e str, Field<'e>)) {
        self.fields.iter().for_each(|(name, value)| visit(name, Field::Encoded(value.as_bytes())));
    }

    fn decode<'e>(&'e self, encoded: &'e [u8]) -> Value<'e> {
        self.decoded.set(self.decoded.get() + 1);
        Value::from(std::str::from_utf8(encoded).expect("text").trim_matches('"'))
    }
}

#[test]
fn values_seen_before_are_not_decoded_again() {
    let engine = Arc::new(engine(&["a|contains: foo", "b: 1"]));
    let route = route(&engine);
    let mut session = Session::new(engine);
    let fields = [("other", "\"foo\""), ("a", "\"xfoo\""), ("b", "\"2\""), ("a", "\"a foo\"")];
    let event = Encoded { fields: &fields, decoded: 0.into() };
    for _ in 0..3 {
        assert_eq!(session.evaluate(&route, &event), [0]);
    }
    assert_eq!(event.decoded.get(), 2, "the later of two fields and one more, once each");
}

#[test]
fn columns_answer_what_their_rows_do() {
    let engine = Arc::new(engine(&[
        "a|contains: foo",
        "a: null",
        "b|gte: 3",
        "a|fieldref: c",
        "b|exists: false",
        "d.e|startswith: x",
    ]));
    let route = route(&engine);
    let mut session = Session::new(Arc::clone(&engine));
    let texts = [
        Value::from("Foo bar"),
        Value::Null,
        Value::from("baz"),
        Value::List(vec![Value::from("x"), Value::from("FOO")]),
    ];
    let numbers = [Value::Int(1), Value::Int(3), Value::from("12")];
    let paths = [Value::from("xyz")];
    let absent = Column::ABSENT;
    let columns = [
        Column { name: "a", values: &texts, places: &[0, 1, 2, 3, absent, 2] },
        Column { name: "b", values: &numbers, places: &[0, 1, 2, absent, 7] },
        Column { name: "c", values: &texts, places: &[2, 2, 2, 0, absent, 0] },
        Column { name: "d.e", values: &paths, places: &[absent, 0, absent, absent, absent, 0] },
        Column { name: "unknown", values: &paths, places: &[0; 6] },
    ];
    let mut found = vec![Vec::new(); 6];
    session.evaluate_columns(&route, 6, &columns, &mut |row, rules| found[row] = rules.to_vec());
    for (row, rules) in found.iter().enumerate() {
        let event = Row { columns: &columns, row };
        let wanted: Vec<u32> = (0..6).filter(|rule| engine.rules()[*rule as usize].fires(&event)).collect();
        assert_eq!(*rules, wanted, "row {row}");
        assert_eq!(session.evaluate(&route, &event), wanted, "row {row} as an event");
    }
    assert!(found.iter().all(|rules| !rules.is_empty()), "{found:?}");
}

#[test]
fn rules_are_replaced_without_a_pause() {
    let slot = EngineSlot::new(Arc::new(engine(&["a: 1"])));
    let mut session = Session::new(slot.engine());
    let event = MapEvent::new().with("a", "2");
    assert!(!session.renew(&slot));
    assert_eq!(session.evaluate(&route(&slot.engine()), &event), [0; 0]);
    let old = slot.replace(Arc::new(engine(&["a: 1", "a: 2"])));
    assert_eq!(session.evaluate(&route(&old), &event), [0; 0], "the session still has the old rules");
    assert!(session.renew(&slot));
    assert!(!session.renew(&slot));
    assert_eq!(session.evaluate(&route(&slot.engine()), &event), [1]);
}

/// A clock that goes on by a thousand nanoseconds each time it is read.
fn ticking() -> u64 {
    static TICKS: AtomicU64 = AtomicU64::new(0);
    TICKS.fetch_add(1000, Ordering::Relaxed)
}

#[test]
fn costs_are_told_by_rule() {
    let engine = Arc::new(engine(&["a|re: '.*x$'", "a|contains: x", "b: 1"]));
    let route = route(&engine);
    let mut session = Session::new(engine);
    assert!(session.costs().is_empty());
    session.measure(ticking);
    for number in 0..10 {
        session.evaluate(&route, &MapEvent::new().with("a", format!("{number}x").as_str()));
    }
    let costs = session.costs();
    assert_eq!(costs.iter().map(|cost| cost.fired).collect::<Vec<_>>(), [10, 10, 0]);
    assert!(costs[0].nanos >= 10_000, "{costs:?}");
    assert_eq!((costs[1].nanos, costs[2].decided), (0, 0));
}

#[test]
fn a_rule_beyond_its_budget_is_disabled_and_named() {
    let budget = Budget { clock: ticking, nanos_per_event_max: 500, events: 100 };
    let detections = ["a|re: '.*x.*y'", "a|re: 'zz.*y'", "a|contains: x"];
    let engine = Arc::new(Engine::builder().with_rules(rules(&detections)).with_budget(budget).build());
    let route = route(&engine);
    let mut session = Session::new(Arc::clone(&engine));
    let mut last = Vec::new();
    for number in 0..300 {
        last = session.evaluate(&route, &MapEvent::new().with("a", format!("{number}x y").as_str())).to_vec();
    }
    let disabled = engine.disabled();
    assert_eq!(disabled.iter().map(|disabled| disabled.rule).collect::<Vec<_>>(), [0]);
    assert!(disabled[0].to_string().contains("more than its budget"), "{}", disabled[0]);
    assert_eq!(last, [2], "the other rules go on");
    let mut other = Session::new(Arc::clone(&engine));
    let event = MapEvent::new().with("a", "x y");
    assert_eq!(other.evaluate(&route, &event), [2], "disabled in every session");
}

#[test]
fn hostile_events_are_answered() {
    let engine =
        Arc::new(engine(&["a|contains: foo", "a|re: '(x+x+)+y$'", "a.b|contains: '*a*b*c*'", "a|endswith: 'é'"]));
    let route = route(&engine);
    let mut session = Session::new(Arc::clone(&engine));
    let mut deep = MapValue::from("foo");
    for _ in 0..1_000 {
        deep = MapValue::Map([("b".to_owned(), MapValue::List(vec![deep]))].into());
    }
    let many = (0..10_000).fold(MapEvent::new(), |event, number| event.with(&format!("field{number}"), "foo"));
    let events = [
        MapEvent::new().with("a", "x".repeat(1 << 20).as_str()),
        MapEvent::new().with("a", ("é".repeat(1 << 19) + "foo").as_str()),
        MapEvent::new().with("a", deep),
        MapEvent::new().with("a", MapValue::List((0..10_000).map(MapValue::Int).collect())),
        many,
    ];
    for event in &events {
        let wanted: Vec<u32> = (0..4).filter(|rule| engine.rules()[*rule as usize].fires(event)).collect();
        assert_eq!(session.evaluate(&route, event), wanted);
    }
    assert_eq!(session.evaluate(&route, &events[1]), [0], "it has 'foo', and ends with that");
}

#[test]
fn memory_of_a_session_is_bounded() {
    let detections: Vec<String> = (0..64).map(|number| format!("a|contains: 'k{number}k'")).collect();
    let detections: Vec<&str> = detections.iter().map(String::as_str).collect();
    let engine = Engine::builder().with_rules(rules(&detections)).with_memo_bytes_max(1 << 20).build();
    let engine = Arc::new(engine);
    let route = route(&engine);
    let mut session = Session::new(engine);
    for number in 0..30_000_u64 {
        let mut value = String::new();
        for needle in 0..64 {
            if number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> needle & 1 == 1 {
                write!(value, "k{needle}k").unwrap();
            }
        }
        let fired = session.evaluate(&route, &MapEvent::new().with("a", value.as_str())).len();
        assert_eq!(fired, value.matches('k').count() / 2);
    }
    assert!(session.memory_bytes() < 12 << 20, "{} bytes", session.memory_bytes());
}
