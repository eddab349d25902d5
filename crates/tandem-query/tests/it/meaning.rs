//! Meaning by data: `tests/data/meaning.json` has events, and queries with the events that they find;
//! `tests/data/figures.txt` has queries with the tables that they answer.

use serde_json::Value as Json;
use tandem_model::{Catalogue, Event, EventId, Fields, LogType, RecordId, TypedAs, Value};
use tandem_query::{Answer, evaluate, matches, parse};

fn value(json: &Json) -> Value {
    match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Double(number.as_f64().unwrap()), Value::Long),
        Json::String(text) => Value::text(text),
        Json::Array(values) => Value::List(values.iter().map(value).collect()),
        Json::Object(object) => Value::Time(object["time"].as_str().unwrap().parse().unwrap()),
        Json::Null => panic!("a null is an absent field"),
    }
}

fn fields(json: &Json) -> Fields {
    json.as_object().into_iter().flatten().map(|(name, json)| (name.as_str(), value(json))).collect()
}

fn events(json: &Json) -> Vec<Event> {
    let event = |(index, json): (usize, &Json)| {
        let text = |name: &str, default: &str| json[name].as_str().unwrap_or(default).to_owned();
        let record = RecordId { epoch: 1, offset: index as u64 };
        let log_type = text("log_type", "generic//");
        let mut parts = log_type.split('/');
        let mut part = || parts.next().unwrap_or_default();
        Event {
            id: EventId { record, index: 0 },
            first_record: record,
            time: text("time", "2026-10-11T10:00:00Z").parse().unwrap(),
            received: text("received", "2026-10-11T10:00:01Z").parse().unwrap(),
            source: text("source", "web1").into(),
            parser: text("parser", "generic").into(),
            typed: vec![TypedAs { log_type: LogType::new(part(), part(), part()), aliases: fields(&json["aliases"]) }],
            vendor: fields(&json["vendor"]),
            common: fields(&json["common"]),
            raw: text("raw", "").into(),
            raw_private: Vec::new(),
            error: json["error"].as_str().map(Into::into),
            run: None,
        }
    };
    json.as_array().unwrap().iter().enumerate().map(event).collect()
}

#[test]
fn queries_find_the_expected_events() {
    let data: Json = serde_json::from_str(include_str!("../data/meaning.json")).unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for group in data["groups"].as_array().unwrap() {
        let events = events(&group["events"]);
        for (text, expected) in group["queries"].as_object().unwrap() {
            cases += 1;
            let (query, problems) = parse(text);
            let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
            let found: Vec<usize> = (0..events.len()).filter(|index| matches(&query.filter, &events[*index])).collect();
            let expected: Vec<usize> = serde_json::from_value(expected.clone()).unwrap();
            if found != expected || !errors.is_empty() {
                wrong.push(format!("{text}: expected {expected:?}, found {found:?} {errors:?} as {query:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 100, "the file lost its cases");
}

#[test]
fn pipes_answer_the_expected_tables() {
    let data: Json = serde_json::from_str(include_str!("../data/figures.json")).unwrap();
    let events = events(&data["events"]);
    let catalogue = Catalogue::from_yaml(include_str!("../data/fields.yaml")).unwrap();
    let committed = include_str!("../data/figures.txt");
    let mut shown = String::new();
    for block in committed.split("\n\n") {
        let text = block.lines().next().unwrap();
        let (query, problems) = tandem_query::parse_with(text, &catalogue);
        assert!(!problems.iter().any(tandem_query::Problem::is_error), "{text}: {problems:?}");
        let answer = evaluate(&query, &events);
        let columns = match &answer {
            Answer::Events(_) => vec!["id".to_owned()],
            Answer::Table(table) => table.columns.clone(),
        };
        if !shown.is_empty() {
            shown.push_str("\n\n");
        }
        shown.push_str(&format!("{text}\n| {} |", columns.join(" | ")));
        for row in 0..answer.len() {
            let cells =
                columns.iter().map(|name| answer.cell(row, name).map_or("–".to_owned(), |cell| cell.to_string()));
            shown.push_str(&format!("\n| {} |", cells.collect::<Vec<_>>().join(" | ")));
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/figures.txt");
        std::fs::write(path, format!("{}\n", shown.trim_end())).unwrap();
        return;
    }
    assert_eq!(shown.trim_end(), committed.trim_end(), "set UPDATE_EXPECT=1 to rewrite the file");
}
