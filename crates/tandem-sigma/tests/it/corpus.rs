//! Every rule of the public rule set loads.

use std::collections::BTreeMap;
use std::fs;

use tandem_sigma::{Readiness, Severity, parse_rules};
use tandem_testkit::corpora;

use crate::data::files;

#[test]
fn public_rules_load_without_errors() {
    let Some(corpora) = corpora("public_rules_load_without_errors") else { return };
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    let mut problems_by_code: BTreeMap<String, usize> = BTreeMap::new();
    let mut errors = Vec::new();
    let mut words_longest = 0;
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance"] {
        for path in files(&corpora.join("sigma-rules").join(folder), ".yml") {
            let text = fs::read_to_string(&path).unwrap();
            let (rules, problems) = parse_rules(&path.display().to_string(), &text);
            for problem in problems {
                *problems_by_code.entry(format!("{} {}", problem.severity(), problem.code)).or_default() += 1;
                if problem.severity() == Severity::Warning {
                    println!("{problem}");
                }
                if problem.severity() == Severity::Error {
                    errors.push(problem.to_string());
                }
            }
            let [rule] = rules.as_slice() else { continue };
            words_longest = words_longest.max(rule.in_words().len());
            assert!(!rule.fields().is_empty() || rule.detection.has_keywords(), "{}", path.display());
            let status = match rule.readiness() {
                Readiness::Ready => "ready",
                Readiness::NeedsValues(_) => "needs values",
            };
            *statuses.entry(status.to_owned()).or_default() += 1;
        }
    }
    println!("statuses: {statuses:#?}\nproblems: {problems_by_code:#?}\nlongest rule in words: {words_longest} bytes");
    assert_eq!(errors, [""; 0]);
    assert_eq!(statuses.values().sum::<usize>(), 3_780);
    assert_eq!(statuses.get("needs values"), Some(&25));
}
