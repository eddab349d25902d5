//! The stream's engine finds what each rule by itself finds, on real and typical records.

use crate::site::{built_in, files, root};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_content::{Workbench, load_rules, read_texts};
use tandem_detect::{EventView, LoadedRule};
use tandem_model::{Detection, DetectionKind, Event, LogType};
use tandem_parse::Parsers;

/// How often a rule was asked, and how often it fired.
#[derive(Default)]
struct Compared {
    events: u64,
    pairs: u64,
    fired: u64,
}

impl Compared {
    fn event(&mut self, rules: &[Arc<LoadedRule>], event: &Event, found: &[Detection]) {
        let types: Vec<LogType> = event.typed.iter().map(|typed| typed.log_type.clone()).collect();
        let mut plain = BTreeSet::new();
        for rule in rules.iter().filter(|rule| rule.needs_values().is_none()) {
            let Some(typed) = rule.reads(&types) else { continue };
            self.pairs += 1;
            if rule.rule.fires(&EventView::new(event, &event.typed[typed])) {
                plain.insert(&*rule.id);
            }
        }
        let fast: BTreeSet<&str> = found
            .iter()
            .filter(|detection| detection.kind == DetectionKind::Rule)
            .map(|detection| &*detection.rule_id)
            .collect();
        assert_eq!(fast, plain, "rules that fire on {}", event.raw);
        self.events += 1;
        self.fired += plain.len() as u64;
    }

    /// Every `step`-th record of every file.
    fn files(&mut self, parsers: &Parsers, rules: &[Arc<LoadedRule>], paths: &[PathBuf], step: u64) {
        let mut bench = Workbench::new(parsers, rules.iter().cloned());
        for path in paths {
            let mut number = 0;
            let judged = bench.file(&path.to_string_lossy(), File::open(path).unwrap(), &mut |event, found| {
                if number % step == 0 {
                    self.event(rules, event, found);
                }
                number += 1;
            });
            assert!(judged.is_ok(), "{}", path.display());
        }
        println!("{} events, {} pairs, {} fired", self.events, self.pairs, self.fired);
    }
}

#[test]
fn built_in_rules_on_the_sample_stories() {
    let (parsers, rules) = built_in();
    let folder = root().join("samples");
    let paths: Vec<PathBuf> = files(&folder, "").into_iter().filter(|path| path.parent() != Some(&folder)).collect();
    let mut compared = Compared::default();
    compared.files(&parsers, &rules.rules, &paths, 1);
    assert!(compared.fired > 50, "the samples hold attacks");
}

/// All rules of another project, on one in so many of the recorded events: a step of 1 by TANDEM_EVERY_EVENT compares all.
#[test]
fn all_rules_on_recorded_attacks() {
    let Some(corpora) = tandem_testkit::corpora("all_rules_on_recorded_attacks") else { return };
    let all = std::env::var_os("TANDEM_EVERY_EVENT").is_some();
    let (parsers, own) = built_in();
    let mut problems = Vec::new();
    let texts: Vec<_> = [
        "rules",
        "rules-emerging-threats",
        "rules-threat-hunting",
        "rules-compliance",
        "rules-dfir",
        "rules-placeholder",
    ]
    .iter()
    .flat_map(|part| {
        let yml = |name: &str| Path::new(name).extension().is_some_and(|end| end == "yml");
        read_texts(&corpora.join("sigma-rules").join(part), yml, &mut problems)
    })
    .collect();
    let mut rules = load_rules(&texts).rules;
    assert!(rules.len() > 3_700, "{} rules", rules.len());
    rules.extend(own.rules);
    let evtx = files(&corpora.join("evtx-attack"), ".evtx");
    let otrf = files(&corpora.join("otrf"), ".json");
    let mut compared = Compared::default();
    compared.files(&parsers, &rules, &evtx, if all { 1 } else { 32 });
    compared.files(&parsers, &rules, &otrf, if all { 1 } else { 128 });
    assert!(compared.fired > 300, "{} fired", compared.fired);
}
