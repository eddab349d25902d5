//! How much of recorded attacks the rules notice, and how often they fire on background.
//!
//! `cargo run -p tandem-content --example coverage -- CORPORA [--sigmahq] [--missed] [--fired] [--noise]`
//!
//! CORPORA is a folder in which the archives are unpacked under their names. Without options: files with a detection
//! of level medium or higher per tactic, by the built-in rules. `--sigmahq` compares with the rules in
//! CORPORA/sigma-rules; `--missed` names the files without such a detection; `--fired` shows what fired on each file;
//! `--noise` counts detections per rule on the background mix instead.

#![expect(clippy::print_stdout, reason = "it is a program that prints a report")]

use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_content::{Content, Workbench, compile_parsers, load_rules, read_texts};
use tandem_detect::LoadedRule;
use tandem_model::{DetectionKind, Level};
use tandem_parse::Parsers;

/// Recorded attacks.
struct Set {
    name: &'static str,
    folder: &'static str,
    /// How the file names end.
    end: &'static str,
    /// The part of a path that names the tactic.
    tactic: fn(&str) -> Option<&str>,
}

const SETS: [Set; 4] = [
    Set { name: "evtx-attack", folder: "evtx-attack", end: ".evtx", tactic: |path| path.split('/').nth(1) },
    Set { name: "otrf", folder: "otrf", end: ".json", tactic: |path| path.split("__").nth(2) },
    Set {
        name: "stratus-red-team",
        folder: "logs/stratus-red-team",
        end: ".json",
        tactic: |path| path.split('.').nth(1),
    },
    // Nobody looked at these while writing rules: one event each, sorted by log type.
    Set {
        name: "sigma-rules/regression_data",
        folder: "sigma-rules/regression_data",
        end: ".evtx",
        tactic: |path| path.split('/').nth(2),
    },
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let [corpora] = arguments.iter().filter(|argument| !argument.starts_with("--")).collect::<Vec<_>>()[..] else {
        bail!("name the folder of the corpora");
    };
    let corpora = Path::new(corpora);

    let content = Content::built_in()?;
    let (parsers, problems) = compile_parsers(&content);
    if let Some(problem) = problems.first() {
        bail!("{problem}");
    }
    let mut rules = load_rules(&content.rules).rules;
    let own: HashSet<Arc<str>> = rules.iter().map(|rule| Arc::clone(&rule.id)).collect();
    if has("--sigmahq") {
        let mut problems = Vec::new();
        let texts =
            ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-compliance", "rules-placeholder"]
                .iter()
                .flat_map(|part| {
                    let folder = corpora.join("sigma-rules").join(part);
                    read_texts(
                        &folder,
                        |name| Path::new(name).extension().is_some_and(|end| end == "yml"),
                        &mut problems,
                    )
                })
                .collect::<Vec<_>>();
        rules.extend(load_rules(&texts).rules);
    }
    println!("{} built-in rules, {} others", own.len(), rules.len() - own.len());

    if has("--noise") {
        return noise(&parsers, &rules, &corpora.join("otrf-bench/as-is.jsonl"));
    }
    for Set { name, folder, end, tactic } in SETS {
        let mut table = Table::default();
        for path in files(&corpora.join(folder), end)? {
            let inner = path.strip_prefix(corpora.join(folder))?.display().to_string();
            let found = judge(&parsers, &rules, &own, &path)?;
            table.add(&tactic_name(tactic(&inner).unwrap_or_default()), &found);
            if (has("--missed") && found.own < Level::Medium) || has("--fired") {
                println!("{name}: {inner} ({}, others {})", found.own, found.others);
                if has("--fired") {
                    for (line, count) in &found.fired {
                        println!("  {count:>5} {line}");
                    }
                }
            }
        }
        table.print(name);
    }
    Ok(())
}

/// What a file gave.
struct Found {
    own: Level,
    others: Level,
    fired: BTreeMap<String, u64>,
}

fn judge(parsers: &Parsers, rules: &[Arc<LoadedRule>], own: &HashSet<Arc<str>>, path: &Path) -> Result<Found> {
    let mut result = Found { own: Level::Informational, others: Level::Informational, fired: BTreeMap::new() };
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    Workbench::new(parsers, rules.iter().cloned()).file(&path.to_string_lossy(), file, &mut |_, found| {
        for detection in found.iter().filter(|detection| detection.kind == DetectionKind::Rule) {
            let is_own = own.contains(&detection.rule_id);
            let level = if is_own { &mut result.own } else { &mut result.others };
            *level = (*level).max(detection.level);
            if is_own {
                *result.fired.entry(format!("{} {}", detection.level, detection.rule_title)).or_default() += 1;
            }
        }
    })?;
    Ok(result)
}

/// Files per tactic.
#[derive(Default)]
struct Table(BTreeMap<String, [u64; 4]>);

impl Table {
    fn add(&mut self, tactic: &str, found: &Found) {
        let (own, others) = (found.own >= Level::Medium, found.others >= Level::Medium);
        for row in [tactic, "~ all"] {
            let row = self.0.entry(row.to_owned()).or_default();
            for (cell, counts) in row.iter_mut().zip([true, own, others, own || others]) {
                *cell += u64::from(counts);
            }
        }
    }

    fn print(&self, name: &str) {
        println!("\n| {name} | files | own rules | others | both |\n| --- | ---: | ---: | ---: | ---: |");
        for (tactic, [files, own, others, both]) in &self.0 {
            let tactic = tactic.trim_start_matches("~ ");
            println!("| {tactic} | {files} | {own} | {others} | {both} |");
        }
        println!();
    }
}

/// One spelling for `TA0006-Credential Access`, `credential_access` and `credential-access`.
fn tactic_name(label: &str) -> String {
    let label = label.split_once('-').filter(|(head, _)| head.starts_with("TA0")).map_or(label, |(_, rest)| rest);
    let label = label.replace(['_', '-'], " ").to_lowercase();
    if label.contains('.') || label.is_empty() { "other".to_owned() } else { label }
}

fn noise(parsers: &Parsers, rules: &[Arc<LoadedRule>], path: &Path) -> Result<()> {
    let mut fired: BTreeMap<(Level, Arc<str>), u64> = BTreeMap::new();
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let tally =
        Workbench::new(parsers, rules.iter().cloned()).file(&path.to_string_lossy(), file, &mut |_, found| {
            for detection in found {
                *fired.entry((detection.level, Arc::clone(&detection.rule_title))).or_default() += 1;
            }
        })?;
    let mut lines: Vec<_> = fired.iter().collect();
    lines.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    println!("{} events, {} detections\n", tally.events, fired.values().sum::<u64>());
    println!("| detections | level | rule |\n| ---: | --- | --- |");
    for ((level, title), count) in lines {
        println!("| {count} | {level} | {title} |");
    }
    Ok(())
}

fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
