//! The meaning of whole rule sets as data: every case of `tests/data/sets`.
//!
//! A case is a map with
//! - `case`, its name, and `shows`, the sentence of the specification or the decision of
//!   `docs/sigma.md` that it shows;
//! - `set`, the text, or `files`, several texts by name; `placeholders`: lists by name;
//! - `problems`: every problem, as `file:line:column code`; none if left out;
//! - `words`: correlations and anomaly rules in words, by title;
//! - `alert`: titles of what alerts by itself; `levels`: levels of correlations by title;
//! - `fires` and `silent`: events by title of a plain rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Yaml};
use tandem_sigma::{RuleSet, RuleSetBuilder};

use crate::cases::{loader, text_of, texts_of};
use crate::data::{event_of_yaml, files};

const KEYS: [&str; 11] =
    ["case", "shows", "set", "files", "placeholders", "problems", "words", "alert", "levels", "fires", "silent"];

/// At least so many cases are there; a lower number means that some got lost.
const CASES_MIN: usize = 40;

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
    check_events(case, &set)
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
