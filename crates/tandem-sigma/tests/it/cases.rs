//! The meaning of rules as data: every case of `tests/data` with the sentence that it shows.
//!
//! A case is a map with
//! - `case`, its name, and `shows`, the sentence or section of the specification, or the decision
//!   of `docs/sigma.md`, that it shows;
//! - `detection` (the text below `detection:`) or `rule` (a whole text);
//! - `fires` and `silent`: events for which the rule fires, and for which it does not;
//! - `because`: why it fires for the first of the events in `fires`, one line a test;
//! - `words`: the rule in words; `fields`: what it tests;
//! - `placeholders`: lists by name; `needs_values`: names that have none;
//! - `problems`: every problem, as `line:column code`; none if left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Yaml};
use tandem_sigma::{Loader, Match, Placeholders, Readiness, Rule, Severity};

use crate::data::{event_of_yaml, files};
use crate::engine::fires_in_engine;

const KEYS: [&str; 12] = [
    "case",
    "shows",
    "detection",
    "rule",
    "fires",
    "silent",
    "because",
    "words",
    "fields",
    "placeholders",
    "needs_values",
    "problems",
];

/// At least so many cases are there; a lower number means that some got lost.
const CASES_MIN: usize = 400;

#[test]
fn every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut names = BTreeSet::new();
    let mut failures = Vec::new();
    // Cases of whole sets have a runner of their own.
    let sets = folder.join("sets");
    for path in files(&folder, ".yaml").into_iter().filter(|path| !path.starts_with(&sets)) {
        let file = path.strip_prefix(&folder).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let cases = documents[0].as_sequence().unwrap_or_else(|| panic!("{file}: not a list of cases"));
        for case in cases {
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

pub(crate) fn text_of<'c>(case: &'c Yaml<'_>, key: &str) -> Option<&'c str> {
    case.as_mapping_get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("'{key}' must be text: {value:?}")))
}

pub(crate) fn list_of<'c, 'y>(case: &'c Yaml<'y>, key: &str) -> Option<&'c Vec<Yaml<'y>>> {
    case.as_mapping_get(key).map(|value| value.as_sequence().unwrap_or_else(|| panic!("'{key}' must be a list")))
}

pub(crate) fn texts_of(case: &Yaml<'_>, key: &str) -> Vec<String> {
    let list = list_of(case, key).map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|value| value.as_str().unwrap_or_else(|| panic!("{value:?} is not text")).to_owned()).collect()
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
    let (rules, problems) = loader(case).parse_rules("rule.yml", &rule_text(case));
    let listed: Vec<String> = problems.iter().map(|problem| format!("{} {}", problem.position, problem.code)).collect();
    let wanted = texts_of(case, "problems");
    if listed != wanted {
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return Err(format!("problems are {listed:?}, wanted {wanted:?}\n    {}", shown.join("\n    ")));
    }
    if problems.iter().any(|problem| problem.severity() == Severity::Error) {
        return Ok(());
    }
    let rule = rules.first().ok_or("no rule was loaded")?;
    let waiting: Vec<String> = match rule.readiness() {
        Readiness::Ready => Vec::new(),
        Readiness::NeedsValues(names) => names.iter().cloned().collect(),
    };
    let needs_values = texts_of(case, "needs_values");
    if waiting != needs_values {
        return Err(format!("waits for {waiting:?}, wanted {needs_values:?}"));
    }
    check_texts(case, rule)?;
    check_events(case, rule)
}

fn check_texts(case: &Yaml<'_>, rule: &Rule) -> Result<(), String> {
    if let Some(words) = text_of(case, "words")
        && words != rule.in_words()
    {
        return Err(format!("words are\n    {}\n    wanted\n    {words}", rule.in_words()));
    }
    if list_of(case, "fields").is_some() {
        let (fields, wanted) = (rule.fields(), texts_of(case, "fields"));
        if !fields.iter().copied().eq(wanted.iter().map(String::as_str)) {
            return Err(format!("fields are {fields:?}"));
        }
    }
    Ok(())
}

fn check_events(case: &Yaml<'_>, rule: &Rule) -> Result<(), String> {
    let fires = list_of(case, "fires").map(Vec::as_slice).unwrap_or_default();
    let silent = list_of(case, "silent").map(Vec::as_slice).unwrap_or_default();
    let says_something = ["words", "fields", "needs_values"].iter().any(|key| case.as_mapping_get(key).is_some());
    if (fires.is_empty() || silent.is_empty()) && !says_something {
        return Err("needs events in 'fires' and in 'silent'".to_owned());
    }
    for (events, wanted) in [(fires, true), (silent, false)] {
        for (number, event) in events.iter().enumerate() {
            let event = event_of_yaml(event);
            let found = rule.evaluate(&event);
            if found.is_some() != wanted {
                let list = if wanted { "fires" } else { "silent" };
                return Err(format!("event {number} of '{list}' is wrong: {event:?}"));
            }
            if found.is_some() != rule.fires(&event) {
                return Err(format!("evaluate and fires differ on event {number}"));
            }
            if found.is_some() != fires_in_engine(rule, &event) {
                return Err(format!("the engine differs on event {number}: {event:?}"));
            }
            if let (0, Some(found), true) = (number, &found, case.as_mapping_get("because").is_some()) {
                let because = because(found);
                let wanted = texts_of(case, "because");
                if because != wanted {
                    return Err(format!(
                        "because\n    {}\n    wanted\n    {}",
                        because.join("\n    "),
                        wanted.join("\n    ")
                    ));
                }
            }
        }
    }
    Ok(())
}

/// `selection: words [matched part]`, or the bare value in round brackets.
fn because(found: &Match) -> Vec<String> {
    let line = |predicate: &tandem_sigma::MatchedPredicate| {
        let part = match predicate.span {
            Some((start, end)) => format!("[{start}..{end} '{}']", &predicate.value[start..end]),
            None => format!("({})", predicate.value),
        };
        format!("{}: {} {part}", predicate.selection, predicate.words)
    };
    found.predicates.iter().map(line).collect()
}

fn rule_text(case: &Yaml<'_>) -> String {
    match (text_of(case, "rule"), text_of(case, "detection")) {
        (Some(rule), None) => rule.to_owned(),
        (None, Some(detection)) => {
            let mut text = String::from("title: A case\nlogsource:\n  product: test\ndetection:\n");
            for line in detection.lines() {
                text.push_str("  ");
                text.push_str(line);
                text.push('\n');
            }
            text
        }
        _ => panic!("a case has either 'rule' or 'detection': {case:?}"),
    }
}

/// A loader with the case's placeholders.
pub(crate) fn loader(case: &Yaml<'_>) -> Loader {
    let mut placeholders = Placeholders::new();
    if let Some(lists) = case.as_mapping_get("placeholders") {
        for (name, _) in lists.as_mapping().expect("'placeholders' is a map") {
            let name = name.as_str().expect("a name");
            placeholders.set(name, texts_of(lists, name));
        }
    }
    Loader::new().with_placeholders(placeholders)
}
