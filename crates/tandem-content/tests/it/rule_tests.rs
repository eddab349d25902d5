//! Every built-in rule has records that it must find and records that it must leave alone.

use crate::site::{built_in, files, root};
use std::collections::BTreeSet;
use std::fs;
use tandem_content::{Content, RuleTest, load_rules};
use tandem_detect::Detector;

#[test]
fn every_rule_fires_on_its_positive_records_and_on_no_negative_one() {
    let (parsers, rules) = built_in();
    let detector = Detector::new(rules.rules);
    let folder = root().join("content/rule_tests");
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for file in Content::built_in().unwrap().rules {
        let stem = file.name.trim_start_matches("rules/").trim_end_matches(".yml");
        let path = folder.join(format!("{stem}.yaml"));
        known.insert(path.clone());
        let Ok(text) = fs::read_to_string(&path) else {
            wrong.push(format!("{stem}: there is no content/rule_tests/{stem}.yaml"));
            continue;
        };
        let of_file = load_rules([&file]);
        let rule = &of_file.rules[0];
        match RuleTest::from_yaml(&text).and_then(|test| test.run(rule, &parsers, &detector)) {
            Ok(sentences) => wrong.extend(sentences.iter().map(|sentence| format!("{stem}: {sentence}"))),
            Err(error) => wrong.push(format!("{stem}: {error}")),
        }
    }
    for path in files(&folder, ".yaml") {
        if !known.contains(&path) {
            wrong.push(format!("{}: there is no rule of this name", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
