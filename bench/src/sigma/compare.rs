//! The hits of both sides, and every difference with its cause as far as it can be told.

use std::collections::{BTreeMap, BTreeSet};
use tandem_sigma::Readiness;

use super::json::Line;
use super::ours::Ours;

/// Prints what only one side found, by rule.
pub(crate) fn print(lines: &[&str], ours: &Ours, found: &[(usize, u32)], found_by_peer: &[(usize, String)]) {
    let rules = ours.engine.rules();
    let id_of = |rule: u32| rules[rule as usize].id.clone().unwrap_or_default();
    let mine: BTreeSet<(usize, String)> = found.iter().map(|(line, rule)| (*line, id_of(*rule))).collect();
    let peer: BTreeSet<(usize, String)> = found_by_peer.iter().cloned().collect();
    let same = mine.intersection(&peer).count();
    let mut differing: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
    for (line, rule) in mine.difference(&peer) {
        differing.entry(rule).or_default()[0].push(*line);
    }
    for (line, rule) in peer.difference(&mine) {
        differing.entry(rule).or_default()[1].push(*line);
    }
    let rules_of =
        |pairs: &BTreeSet<(usize, String)>| pairs.iter().map(|(_, rule)| rule).collect::<BTreeSet<_>>().len();
    eprintln!("  {same} hits of both; {} rules here, {} at the peer", rules_of(&mine), rules_of(&peer));
    for (id, [only_mine, only_peer]) in differing {
        let rule = rules.iter().find(|rule| rule.id.as_deref() == Some(id));
        let title = rule.map_or("?", |rule| &rule.title);
        let (side, example) = match (only_mine.first(), only_peer.first()) {
            (Some(line), _) => ("only here", *line),
            (None, Some(line)) => ("only at the peer", *line),
            (None, None) => continue,
        };
        let cause = match rule.map(|rule| (rule.readiness(), rule.evaluate(&Line(lines[example])))) {
            Some((Readiness::NeedsValues(names), _)) => {
                format!("the rule waits for placeholders ({})", names.iter().cloned().collect::<Vec<_>>().join(", "))
            }
            Some((_, Some(found))) => {
                let words: Vec<String> = found.predicates.iter().map(|predicate| predicate.words.clone()).collect();
                format!("the rule itself says: {}", words.join("; "))
            }
            Some((_, None)) => "the rule itself says no".to_owned(),
            None => "unknown".to_owned(),
        };
        eprintln!("  {side}: {} events, {id} {title}, line {example}: {cause}", only_mine.len() + only_peer.len());
    }
}
