//! The figures as Markdown, the differences as JSON lines.

use super::Known;
use super::count::{Ledger, Pair, Way};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tandem_model::Level;

type Rules = HashMap<Arc<str>, Known>;

pub(crate) fn print(ledger: &Ledger, rules: &Rules) {
    println!("{} files, {} events\n", ledger.files.len(), ledger.events);
    shares(ledger, rules);
    println!("| SigmaHQ rule and file | both | only Tandem | only rsigma-eval | events equal where both |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let compared = [
        ("same fields (`evtx` and `fields`)", Way::Evtx, Way::Fields),
        ("JSON, flattened (`evtx` and `plain`)", Way::Evtx, Way::Plain),
        ("Tandem's two readers (`evtx` and `json`)", Way::Evtx, Way::Json),
    ];
    for (name, ours, theirs) in compared {
        let (mut both, mut only_ours, mut only_theirs, mut equal) = (0, 0, 0, 0);
        for (_, pair) in sigma_pairs(ledger, rules) {
            match (pair.count(ours), pair.count(theirs)) {
                (0, 0) => {}
                (_, 0) => only_ours += 1,
                (0, _) => only_theirs += 1,
                (a, b) => {
                    both += 1;
                    equal += u64::from(a == b);
                }
            }
        }
        println!("| {name} | {both} | {only_ours} | {only_theirs} | {equal} |");
    }
    println!();
    for (name, ours, theirs) in compared {
        println!("{name}: rules that differ\n\n| files only Tandem | only the other | rule |\n| ---: | ---: | --- |");
        let mut by_rule: BTreeMap<&Arc<str>, [u64; 2]> = BTreeMap::new();
        for (id, pair) in sigma_pairs(ledger, rules) {
            let (a, b) = (pair.count(ours), pair.count(theirs));
            if (a == 0) != (b == 0) {
                let row = by_rule.entry(id).or_default();
                row[usize::from(a == 0)] += 1;
            }
        }
        for (id, [only_ours, only_theirs]) in by_rule {
            println!("| {only_ours} | {only_theirs} | {} ({}) |", rules[id].title, id.get(..8).unwrap_or(id));
        }
        println!();
    }
}

/// Pairs of rules that both engines have.
fn sigma_pairs<'a>(ledger: &'a Ledger, rules: &'a Rules) -> impl Iterator<Item = (&'a Arc<str>, &'a Pair)> {
    ledger
        .pairs
        .iter()
        .filter(|((id, _), _)| rules.get(id).is_some_and(|rule| !rule.is_own))
        .map(|((id, _), pair)| (id, pair))
}

/// Files with a detection of level medium or above.
fn shares(ledger: &Ledger, rules: &Rules) {
    let with = |way: Way, wanted: &dyn Fn(&Known) -> bool| -> BTreeSet<usize> {
        let fits = |id: &Arc<str>| rules.get(id).is_some_and(|rule| rule.level >= Level::Medium && wanted(rule));
        ledger
            .pairs
            .iter()
            .filter(|((id, _), pair)| pair.count(way) > 0 && fits(id))
            .map(|((_, file), _)| *file)
            .collect()
    };
    let columns = [
        ("our own rules", with(Way::Evtx, &|rule| rule.is_own)),
        ("SigmaHQ, Tandem", with(Way::Evtx, &|rule| !rule.is_own)),
        ("SigmaHQ, Tandem on JSON", with(Way::Json, &|rule| !rule.is_own)),
        ("SigmaHQ, rsigma-eval, same fields", with(Way::Fields, &|rule| !rule.is_own)),
        ("SigmaHQ, rsigma-eval, flattened JSON", with(Way::Plain, &|rule| !rule.is_own)),
        ("own and SigmaHQ, Tandem", with(Way::Evtx, &|_| true)),
    ];
    let total = ledger.files.len();
    println!("| files with a detection of level medium or above | files | share |\n| --- | ---: | ---: |");
    for (name, files) in &columns {
        println!("| {name} | {} of {total} | {:.1} % |", files.len(), 100.0 * files.len() as f64 / total as f64);
    }
    let mut folders: BTreeMap<&str, [usize; 7]> = BTreeMap::new();
    for (index, file) in ledger.files.iter().enumerate() {
        let row = folders.entry(folder(file)).or_default();
        row[0] += 1;
        for (cell, (_, files)) in row[1..].iter_mut().zip(&columns) {
            *cell += usize::from(files.contains(&index));
        }
    }
    println!(
        "\n| folder | files | own | SigmaHQ | rsigma-eval | own and SigmaHQ |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    );
    for (folder, [files, own, sigma, _, peer, _, all]) in folders {
        println!("| {folder} | {files} | {own} | {sigma} | {peer} | {all} |");
    }
    println!(
        "\n| tactic of the rules that fired (≥ medium) | files, own | files, own and SigmaHQ | own rules that fired |"
    );
    println!("| --- | ---: | ---: | ---: |");
    let mut tactics: BTreeMap<&str, [BTreeSet<usize>; 2]> = BTreeMap::new();
    let mut fired: BTreeMap<&str, BTreeSet<&Arc<str>>> = BTreeMap::new();
    for ((id, file), pair) in &ledger.pairs {
        let Some(rule) = rules.get(id).filter(|rule| rule.level >= Level::Medium && pair.count(Way::Evtx) > 0) else {
            continue;
        };
        for tactic in rule.tags.iter().filter_map(|tag| tag.strip_prefix("attack.")) {
            if tactic.starts_with(['t', 's', 'g']) && tactic[1..].starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let row = tactics.entry(tactic).or_default();
            row[1].insert(*file);
            if rule.is_own {
                row[0].insert(*file);
                fired.entry(tactic).or_default().insert(id);
            }
        }
    }
    for (tactic, [own, all]) in &tactics {
        println!("| {tactic} | {} | {} | {} |", own.len(), all.len(), fired.get(tactic).map_or(0, BTreeSet::len));
    }
    println!();
}

/// The folder below the collection that a file lies in: the tactic, where the collection sorts by it.
fn folder(file: &str) -> &str {
    let mut parts = file.split('/');
    let collection = parts.next().unwrap_or_default();
    let inner = parts.next().filter(|_| parts.next().is_some());
    inner.map_or(collection, |inner| &file[..collection.len() + 1 + inner.len()])
}

/// A line for each pair that some ways know and others do not.
pub(crate) fn differences(ledger: &Ledger, rules: &Rules) -> String {
    let mut text = String::new();
    for ((id, file), pair) in &ledger.pairs {
        let counts = [Way::Evtx, Way::Json, Way::Fields, Way::Plain].map(|way| pair.count(way));
        let known = rules.get(id);
        if known.is_some_and(|rule| rule.is_own) || counts.iter().all(|count| *count == counts[0]) {
            continue;
        }
        let example = pair.examples.iter().flatten().next();
        let line = serde_json::json!({
            "rule": &**id,
            "title": known.map(|rule| &*rule.title),
            "file": &*ledger.files[*file],
            "evtx": counts[0], "json": counts[1], "fields": counts[2], "plain": counts[3],
            "event": example,
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text
}
