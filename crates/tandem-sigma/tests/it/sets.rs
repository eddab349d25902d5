//! The meaning of whole rule sets as data: every case of `tests/data/sets`.
//!
//! A case is a map with
//! - `case`, its name, and `shows`, the sentence of the specification or the decision of
//!   `docs/sigma.md` that it shows;
//! - `set`, the text, or `files`, several texts by name; `placeholders`: lists by name;
//! - `problems`: every problem, as `file:line:column code`; none if left out;
//! - `words`: correlations and anomaly rules in words, by title;
//! - `alert`: titles of what alerts by itself; `levels`: levels of correlations by title;
//! - `fires` and `silent`: events by title of a plain rule;
//! - `correlations`, instead of `set`: one a line by name, over three rules `a`, `b`, `c` of the field `kind`;
//! - `events`, a stream, and `detections`, what correlations find in it (see `streams.yaml`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use saphyr::{LoadableYamlNode, Yaml};
use tandem_sigma::{
    Arrival, CorrelationPlan, CorrelationSettings, CorrelationState, EventId, Hit, Outcome, RuleSet, RuleSetBuilder,
};

use crate::cases::{list_of, loader, text_of, texts_of};
use crate::data::{event_of_yaml, files};

const KEYS: [&str; 14] = [
    "case",
    "shows",
    "set",
    "files",
    "placeholders",
    "problems",
    "words",
    "alert",
    "levels",
    "fires",
    "silent",
    "correlations",
    "events",
    "detections",
];

/// At least so many cases are there; a lower number means that some got lost.
const CASES_MIN: usize = 125;

#[test]
fn every_case_of_a_set_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sets");
    let mut names = BTreeSet::new();
    let mut failures = Vec::new();
    for path in files(&folder, ".yaml") {
        let file = path.strip_prefix(&folder).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        for case in documents[0].as_sequence().unwrap_or_else(|| panic!("{file}: not a list of cases")) {
            let name = text_of(case, "case").unwrap_or_else(|| panic!("{file}: a case has no name"));
            assert!(names.insert(name.to_owned()), "{file}: two cases are called {name}");
            if let Err(failure) = check(case) {
                failures.push(format!("{file}: {name}: {failure}"));
            }
        }
    }
    println!("{} cases", names.len());
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), names.len(), failures.join("\n"));
    assert!(names.len() >= CASES_MIN, "only {} cases", names.len());
}

fn check(case: &Yaml<'_>) -> Result<(), String> {
    for key in case.as_mapping().expect("a case is a map").keys() {
        let key = key.as_str().unwrap_or_default();
        if !KEYS.contains(&key) {
            return Err(format!("unknown key {key}"));
        }
    }
    if text_of(case, "shows").is_none_or(str::is_empty) {
        return Err("'shows' is missing".to_owned());
    }
    let mut builder = RuleSetBuilder::new(loader(case));
    if let Some(set) = text_of(case, "set") {
        builder.add("set.yml", set);
    }
    for (name, text) in case.as_mapping_get("files").and_then(Yaml::as_mapping).into_iter().flatten() {
        builder.add(name.as_str().expect("as the case format says"), text.as_str().expect("as the case format says"));
    }
    if let Some(correlations) = text_of(case, "correlations") {
        builder.add("set.yml", &stream_set(correlations));
    }
    let (set, problems) = builder.build();
    let listed: Vec<String> = problems
        .iter()
        .map(|problem| {
            format!("{}:{} {}", problem.source_name.trim_end_matches(".yml"), problem.position, problem.code)
        })
        .collect();
    let wanted = texts_of(case, "problems");
    let shown =
        || problems.iter().map(|problem| format!("{problem} ({:?})", problem.hint)).collect::<Vec<_>>().join("\n    ");
    if listed != wanted {
        return Err(format!("problems are {listed:?}, wanted {wanted:?}\n    {}", shown()));
    }
    check_words(case, &set)?;
    check_stream(case, &set)?;
    check_events(case, &set)
}

fn stream_set(correlations: &str) -> String {
    let rule = |name: &str| {
        format!(
            "title: {name}\nname: {name}\nlogsource: {{product: test}}\ndetection:\n  selection: {{kind: {name}}}\n  condition: selection\n---\n"
        )
    };
    let mut text: String = ["a", "b", "c"].map(rule).concat();
    for line in correlations.lines() {
        let (name, section) = line.split_once(": ").expect("name: {…}");
        text.push_str(&format!("title: {name}\nname: {name}\ncorrelation: {section}\n---\n"));
    }
    text
}

fn check_stream(case: &Yaml<'_>, set: &RuleSet) -> Result<(), String> {
    let Some(events) = list_of(case, "events") else { return Ok(()) };
    let plan = Arc::new(CorrelationPlan::new(set));
    let mut state = CorrelationState::new(plan, CorrelationSettings::default(), [1, 2]);
    let mut out = Vec::new();
    let mut received_ms = 0;
    for (number, node) in events.iter().enumerate() {
        let seconds = node.as_mapping_get("$at").and_then(Yaml::as_integer).expect("an event has a time");
        let time_ms = 1_700_000_000_000 + seconds * 1000;
        received_ms = time_ms.max(received_ms);
        let event = event_of_yaml(node);
        let rules = (0..set.rules().len()).filter(|rule| set.rules()[*rule].fires(&event));
        let hits: Vec<Hit<'_>> = rules.map(|rule| Hit { rule, event: &event }).collect();
        state.observe(&Arrival { id: EventId::at(number as u64 + 1), time_ms, received_ms }, &hits, &mut out);
    }
    let title = |correlation: usize| &set.correlations()[correlation].heading.title;
    let values =
        |group: &[(String, String)]| group.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ");
    let listed: Vec<String> = out
        .iter()
        .map(|outcome| match outcome {
            Outcome::Detected(found) => {
                let events: Vec<String> = found.events.iter().map(|id| id.offset.to_string()).collect();
                let late = if found.late { " late" } else { "" };
                let replaces = found.replaces.map_or_else(String::new, |id| format!(", replaces {}", id.offset));
                let (title, group) = (title(found.correlation), values(&found.group));
                format!("{title} ({group}) {}: {}{late}{replaces}", found.crossing.offset, events.join(" "))
            }
            Outcome::Withdrawn(gone) => {
                format!("{} ({}) {} withdrawn", title(gone.correlation), values(&gone.group), gone.crossing.offset)
            }
        })
        .collect();
    let wanted = texts_of(case, "detections");
    if listed == wanted { Ok(()) } else { Err(format!("detections are {listed:?}, wanted {wanted:?}")) }
}

fn check_words(case: &Yaml<'_>, set: &RuleSet) -> Result<(), String> {
    for (title, words) in case.as_mapping_get("words").and_then(Yaml::as_mapping).into_iter().flatten() {
        let (title, words) =
            (title.as_str().expect("as the case format says"), words.as_str().expect("as the case format says"));
        let correlations = set.correlations().iter().map(|rule| (&rule.heading.title, rule.in_words()));
        let anomalies = set.anomalies().iter().map(|rule| (&rule.rule.title, rule.in_words()));
        let rules = set.rules().iter().map(|rule| (&rule.title, rule.in_words()));
        let found = correlations.chain(anomalies).chain(rules).find(|(known, _)| *known == title);
        let found = found.map(|(_, words)| words);
        if found.as_deref() != Some(words) {
            return Err(format!("'{title}' in words is\n    {found:?}, wanted\n    {words}"));
        }
    }
    if case.as_mapping_get("alert").is_some() {
        let rules = set.rules().iter().enumerate().filter(|(number, _)| set.rule_alerts(*number));
        let correlations = set.correlations().iter().enumerate().filter(|(number, _)| set.correlation_alerts(*number));
        let mut alert: Vec<&str> = rules.map(|(_, rule)| rule.title.as_str()).collect();
        alert.extend(correlations.map(|(_, rule)| rule.heading.title.as_str()));
        if alert != texts_of(case, "alert") {
            return Err(format!("what alerts is {alert:?}"));
        }
    }
    for (title, level) in case.as_mapping_get("levels").and_then(Yaml::as_mapping).into_iter().flatten() {
        let number = set
            .correlations()
            .iter()
            .position(|rule| rule.heading.title == title.as_str().expect("as the case format says"))
            .expect("as the case format says");
        let found = set.correlation_level(number).map(tandem_sigma::Level::as_str);
        if found != level.as_str() {
            return Err(format!("the level of {title:?} is {found:?}"));
        }
    }
    Ok(())
}

fn check_events(case: &Yaml<'_>, set: &RuleSet) -> Result<(), String> {
    for (key, wanted) in [("fires", true), ("silent", false)] {
        for (title, events) in case.as_mapping_get(key).and_then(Yaml::as_mapping).into_iter().flatten() {
            let title = title.as_str().expect("as the case format says");
            let rule = set.rules().iter().find(|rule| rule.title == title).ok_or(format!("no rule {title}"))?;
            for (number, event) in events.as_sequence().expect("as the case format says").iter().enumerate() {
                let event = event_of_yaml(event);
                if rule.fires(&event) != wanted || rule.evaluate(&event).is_some() != wanted {
                    return Err(format!("event {number} of '{key}' of {title} is wrong"));
                }
            }
        }
    }
    Ok(())
}
