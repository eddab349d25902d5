//! The fast engine answers what the rules themselves answer: generated rules and events built to collide.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRng;
use tandem_sigma::{
    Column, Engine, Event, LogType, MapEvent, MapValue, Row, Rule, Session, Severity, Value, parse_rules,
};

/// Whether an engine of this rule alone says that it fires, asked twice, so that the second answer
/// comes from memory.
pub(crate) fn fires_in_engine(rule: &Rule, event: &MapEvent) -> bool {
    let engine = Arc::new(Engine::builder().with_rules([Arc::new(rule.clone())]).with_memo_bytes_max(1 << 10).build());
    let route = engine.route_where(|_, _| true);
    let mut session = Session::new(engine);
    let first = !session.evaluate(&route, event).is_empty();
    let second = !session.evaluate(&route, event).is_empty();
    assert_eq!(first, second, "the second answer differs");
    first
}

/// Few letters, so that rules and events meet; among them those that fold in odd ways.
const TEXT: &str = r"[abAB]{1,3}|[abAkK\u{212a}äÄß/ -]{0,4}|(ab|ba|\\|\.){1,3}|true|12|0x1F|1\.5|é";
const PATTERN: &str = r"[abAB]{1,2}|[abAkK\u{212a}äÄ*?\\ /-]{0,4}|\*[abAB]{1,3}\*|[ab]{1,2}\*[ab]{1,2}|true|12|1\.5";
const EXPRESSION: &str =
    r"\^?[abk]{1,3}\$?|\(ab\|b\)\+a|\(\?i\)[aks]{2}|[ab]\.\*[ab]|\[ab\]k|a\{2\}b\?|\.\*|b\?|\(ab\)\?\(ba\|aa\|k\)";

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "a", "a", "b", "b", "c", "n", "d.e", "a.b", "l.x"])
}

/// One line of a map: key and values.
fn item() -> BoxedStrategy<String> {
    let place = prop::sample::select(vec!["", "|contains", "|startswith", "|endswith"]);
    let more = prop::sample::select(vec![
        "",
        "",
        "",
        "",
        "",
        "|all",
        "|all",
        "|cased",
        "|neq",
        "|windash",
        "|cased|all",
        "|windash|all",
    ]);
    let text = (field(), place, more, prop::collection::vec(PATTERN, 1..4)).prop_map(|(field, place, more, values)| {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        format!("{field}{place}{more}: [{}]", values.join(", "))
    });
    let encoded = (field(), prop::sample::select(vec!["base64", "wide|base64offset|contains", "utf16le"]), "[ab]{2,3}")
        .prop_map(|(field, encoding, value)| format!("{field}|{encoding}: {}", quoted(&value)));
    let number = (field(), prop::sample::select(vec!["", "|neq", "|lt", "|lte", "|gt", "|gte"]), number())
        .prop_map(|(field, modifier, value)| format!("{field}{modifier}: {value}"));
    let typed = (
        field(),
        prop::sample::select(vec![
            ": null",
            ": true",
            ": false",
            ": ''",
            "|exists: true",
            "|exists: false",
            "|neq: null",
            ": [null, ab]",
            "|cidr: 10.0.0.0/8",
            "|cidr: [10.1.0.0/16, '::ffff:10.2.0.0/112', 'fe80::/10']",
            "|cidr|neq: 10.0.0.0/9",
            "|hour: 2",
            "|week|gte: 9",
            "|contains: ''",
            ": '*'",
        ]),
    )
        .prop_map(|(field, rest)| format!("{field}{rest}"));
    let regex =
        (field(), prop::sample::select(vec!["", "|i", "|m", "|s", "|neq"]), prop::collection::vec(EXPRESSION, 1..3))
            .prop_map(|(field, flags, values)| {
                let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                let (flags, neq) = if flags == "|neq" { ("", "|neq") } else { (flags, "") };
                format!("{field}|re{flags}{neq}: [{}]", values.join(", "))
            });
    let reference = (field(), prop::sample::select(vec!["", "|startswith", "|contains", "|cased", "|neq"]), field())
        .prop_map(|(field, modifier, other)| format!("{field}|fieldref{modifier}: {other}"));
    prop_oneof![8 => text, 1 => encoded, 3 => number, 4 => typed, 2 => regex, 1 => reference].boxed()
}

fn number() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["0", "1", "12", "-1", "1.5", "12.0", "0x1F", "31", "18446744073709551615", "1e2"])
}

/// The text below a selection's name, indented.
fn selection() -> impl Strategy<Value = String> {
    let map = prop::collection::vec(item(), 1..4).prop_map(|items| {
        let mut keys: Vec<&str> = Vec::new();
        let mut lines = String::new();
        for item in &items {
            let key = item.split(':').next().unwrap_or_default();
            if !keys.contains(&key) {
                keys.push(key);
                lines.push_str(&format!("      {item}\n"));
            }
        }
        lines
    });
    let maps = prop::collection::vec(map.clone(), 1..3)
        .prop_map(|maps| maps.iter().fold(String::new(), |text, map| text + "    -\n" + map));
    let keywords = (prop::collection::vec(PATTERN, 1..3), any::<bool>()).prop_map(|(values, all)| {
        let lines: Vec<String> = values.iter().map(|value| format!("- {}", quoted(value))).collect();
        if all {
            format!("      '|all':\n        {}\n", lines.join("\n        "))
        } else {
            format!("      {}\n", lines.join("\n      "))
        }
    });
    prop_oneof![6 => map, 3 => maps, 1 => keywords]
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["s0", "s1", "s2", "1 of s*", "all of s*", "1 of them", "all of them"])
        .prop_map(str::to_owned);
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

fn rule() -> impl Strategy<Value = String> {
    let source = prop::sample::select(vec!["product: x", "product: x\n  category: p", "category: q", "service: s"]);
    (source, prop::collection::vec(selection(), 3), prop::collection::vec(condition(), 1..3)).prop_map(
        |(source, selections, conditions)| {
            let mut text = format!("title: T\nlogsource:\n  {source}\ndetection:\n");
            for (number, selection) in selections.iter().enumerate() {
                text.push_str(&format!("    s{number}:\n{selection}"));
            }
            text.push_str(&format!("    condition: [{}]\n", conditions.join(", ")));
            text
        },
    )
}

fn single_value() -> impl Strategy<Value = MapValue> {
    prop_oneof![
        8 => TEXT.prop_map(MapValue::Str),
        1 => Just(MapValue::Null),
        1 => any::<bool>().prop_map(MapValue::Bool),
        2 => prop::sample::select(vec![0, 1, 2, 12, 31, -1, 100]).prop_map(MapValue::Int),
        1 => Just(MapValue::Uint(u64::MAX)),
        1 => prop::sample::select(vec![1.0, 1.5, 12.0, -0.0, f64::NAN, 1e300, 100.0]).prop_map(MapValue::Float),
        1 => prop::sample::select(vec![
            "10.1.2.3", " 10.200.0.1 ", "::ffff:10.2.0.9", "fe80::1%eth0", "10.1.2", "2026-03-01T02:07:09Z", "2026-01-01",
            "YQBiAA==", "a\0b\0", "AAA", "31", "0X1f",
        ]).prop_map(MapValue::from),
    ]
}

fn value() -> impl Strategy<Value = MapValue> {
    let map = |name: &str, value: MapValue| MapValue::Map([(name.to_owned(), value)].into());
    prop_oneof![
        10 => single_value(),
        2 => prop::collection::vec(single_value(), 0..4).prop_map(MapValue::List),
        1 => single_value().prop_map(move |value| map("e", value)),
        1 => prop::collection::vec(single_value(), 1..3)
            .prop_map(move |values| MapValue::List(values.into_iter().map(|value| map("x", value)).collect())),
    ]
}

fn event() -> impl Strategy<Value = MapEvent> {
    let names = prop::sample::select(vec!["a", "a", "b", "b", "c", "n", "d", "d.e", "a.b", "l", "other"]);
    (prop::collection::vec((names, value()), 0..7), prop::option::of(TEXT)).prop_map(|(fields, message)| {
        let event = fields.into_iter().fold(MapEvent::new(), |event, (name, value)| event.with(name, value));
        message.iter().fold(event, |event, message| event.with_message(message))
    })
}

const TYPES: [LogType<'static>; 4] = [
    LogType { product: Some("x"), category: Some("p"), service: None },
    LogType { product: Some("X"), category: None, service: Some("s") },
    LogType { product: None, category: Some("q"), service: None },
    LogType { product: Some("y"), category: Some("q"), service: Some("s") },
];

fn types() -> impl Strategy<Value = Vec<LogType<'static>>> {
    prop::sample::subsequence(TYPES.to_vec(), 0..=3)
}

/// In ordinary runs few, since they run unoptimised; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    wanted.unwrap_or(32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// Each case compares some hundred pairs; `PROPTEST_CASES` makes more of them.
    #[test]
    fn engine_equals_the_rules(
        texts in prop::collection::vec(rule(), 1..16),
        events in prop::collection::vec((event(), types()), 1..16),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..16),
    ) {
        let loaded = texts.iter().flat_map(|text| {
            let (rules, problems) = parse_rules("generated", text);
            let errors = problems.iter().filter(|problem| problem.severity() == Severity::Error).count();
            if errors == 0 { rules } else { Vec::new() }
        });
        let rules: Vec<Arc<Rule>> = loaded.map(Arc::new).collect();
        // A small memory, so that forgetting is part of the test.
        let engine = Engine::builder().with_rules(rules.iter().cloned()).with_seed(1).with_memo_bytes_max(8 << 10).build();
        let mut session = Session::new(Arc::new(engine));
        let again = order.iter().map(|index| index.get(&events));
        for (event, types) in events.iter().chain(again) {
            let route = session.engine().route(types);
            let fired = session.evaluate(&route, event).to_vec();
            let meant = |rule: &Rule| {
                types.iter().any(|t| rule.logsource.matches(t.product, t.category, t.service))
            };
            let by_name = session.evaluate_by_name(&route, event).to_vec();
            prop_assert_eq!(&by_name, &fired, "asked by name");
            let wanted: Vec<u32> =
                (0..rules.len() as u32).filter(|number| meant(&rules[*number as usize]) && rules[*number as usize].fires(event)).collect();
            if fired != wanted {
                let differ = fired.iter().chain(&wanted).find(|rule| fired.contains(rule) != wanted.contains(rule));
                let texts = differ.map(|rule| format!("{:#?}", rules[*rule as usize].detection));
                prop_assert_eq!(fired, wanted, "types {:?}, event {:?}, rule {}", types, event, texts.unwrap_or_default());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// The same events as columns.
    #[test]
    fn columns_equal_the_rules(
        texts in prop::collection::vec(rule(), 1..12),
        events in prop::collection::vec(event(), 1..12),
    ) {
        let rules: Vec<Arc<Rule>> = texts
            .iter()
            .flat_map(|text| parse_rules("generated", text).0)
            .filter(|rule| rule.logsource.product.is_some())
            .map(Arc::new)
            .collect();
        let engine = Arc::new(Engine::builder().with_rules(rules.iter().cloned()).build());
        let route = engine.route_where(|_, _| true);
        let names = ["a", "b", "c", "n", "d.e", "a.b", "l.x", "other"];
        let values: Vec<Vec<Value<'_>>> = names
            .iter()
            .map(|name| events.iter().map(|event| event.field(name).unwrap_or(Value::Object)).collect())
            .collect();
        let places: Vec<Vec<u32>> = names
            .iter()
            .map(|name| {
                let place = |(row, event): (usize, &MapEvent)| match event.field(name) {
                    Some(_) => row as u32,
                    None => Column::ABSENT,
                };
                events.iter().enumerate().map(place).collect()
            })
            .collect();
        let columns: Vec<Column<'_>> = (0..names.len())
            .map(|number| Column { name: names[number], values: &values[number], places: &places[number] })
            .collect();
        let mut session = Session::new(engine);
        let mut found = vec![Vec::new(); events.len()];
        session.evaluate_columns(&route, events.len(), &columns, &mut |row, rules| found[row] = rules.to_vec());
        for (row, fired) in found.iter().enumerate() {
            let event = Row { columns: &columns, row };
            let wanted: Vec<u32> = (0..rules.len() as u32).filter(|number| rules[*number as usize].fires(&event)).collect();
            prop_assert_eq!(fired, &wanted);
        }
    }
}

/// Most of what is generated must be sound, or the test above compares nothing.
#[test]
fn generated_rules_are_mostly_sound_and_fire() {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
    );
    let (mut sound, mut fired) = (0, 0);
    for _ in 0..400 {
        let text = rule().new_tree(&mut runner).unwrap().current();
        let event = event().new_tree(&mut runner).unwrap().current();
        let (rules, problems) = parse_rules("generated", &text);
        if problems.iter().all(|problem| problem.severity() != Severity::Error) {
            sound += 1;
            fired += usize::from(rules.iter().any(|rule| rule.fires(&event)));
        }
    }
    println!("{sound} of 400 rules are sound, {fired} fire on an event");
    assert!(sound > 200 && (20..sound).contains(&fired), "{sound} sound, {fired} fire");
}
