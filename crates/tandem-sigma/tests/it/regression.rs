//! The recorded events of the public rule set fire the rules that they were recorded for.

use std::collections::BTreeMap;
use std::fs;

use saphyr::{LoadableYamlNode, Yaml};
use tandem_sigma::{Rule, parse_rules};
use tandem_testkit::corpora;

use crate::data::{files, windows_event};

/// Rules whose recorded file has more matching events than `match_count` says. Read one by one,
/// each of the events has what the rule asks for: the label counts the file, not the events.
const MORE_THAN_LABELLED: [(&str, usize); 4] = [
    // Three of five files that AnyDesk wrote are `user.conf…`.
    ("0b9ad457-2554-44c1-82c2-d56a99c42377", 3),
    // procdump.exe, procdump64.exe and procdump64a.exe; the other three are their zone streams.
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 3),
    // Values `http`, `https` and `*` below one domain.
    ("45e112d0-7759-4c2a-aa36-9f8fb79d3393", 3),
    // AutoShareServer and AutoShareWks.
    ("c7dcacd0-cc59-4004-b0a4-1d6cdebe6f3e", 2),
];

#[test]
fn recorded_events_fire_their_rules() {
    let Some(corpora) = corpora("recorded_events_fire_their_rules") else { return };
    let root = corpora.join("sigma-rules");
    let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
    for path in files(&root, ".yml") {
        if path.starts_with(root.join("regression_data")) {
            continue;
        }
        let (loaded, _) = parse_rules(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
        rules.extend(loaded.into_iter().map(|rule| (rule.id.clone().unwrap(), rule)));
    }
    let (mut tried, mut fired, mut events_total) = (0, 0, 0);
    let mut misses = Vec::new();
    for path in files(&root.join("regression_data"), "info.yml") {
        let text = fs::read_to_string(&path).unwrap();
        let info = &Yaml::load_from_str(&text).unwrap()[0];
        let Some(tests) = info.as_mapping_get("regression_tests_info") else { continue };
        let test = &tests[0];
        let id = info["rule_metadata"][0]["id"].as_str().unwrap();
        let json = path.with_file_name(format!("{id}.json"));
        if !json.exists() {
            println!("no recorded JSON beside {}", path.display());
            continue;
        }
        tried += 1;
        let text = fs::read_to_string(&json).unwrap();
        let events = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
        let events: Vec<_> = events.map(|event| windows_event(&event.unwrap())).collect();
        events_total += events.len();
        let rule = &rules[id];
        let matches: Vec<_> = events.iter().filter_map(|event| rule.evaluate(event)).collect();
        assert!(events.iter().all(|event| rule.fires(event) == rule.evaluate(event).is_some()));
        fired += usize::from(!matches.is_empty());
        let labelled = test.as_mapping_get("match_count").and_then(Yaml::as_integer);
        let exception = MORE_THAN_LABELLED.iter().find(|(known, _)| *known == id).map(|(_, count)| *count);
        let wanted = exception.or(labelled.map(|count| usize::try_from(count).unwrap()));
        if matches.is_empty() || wanted.is_some_and(|wanted| wanted != matches.len()) {
            misses.push(format!(
                "{id} {}: {} of {} events, wanted {wanted:?}",
                rule.title,
                matches.len(),
                events.len()
            ));
        }
        for found in matches {
            for predicate in found.predicates {
                if let Some((start, end)) = predicate.span {
                    assert!(predicate.value.get(start..end).is_some(), "{id}: {predicate:?}");
                }
            }
        }
    }
    println!("{fired} of {tried} rules fire on their events ({events_total} events); differences: {misses:#?}");
    assert_eq!((fired, tried), (202, 202));
    assert_eq!(misses, [""; 0]);
}
