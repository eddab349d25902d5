//! The fast engine over recorded events and all public rules, beside the rules themselves.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use tandem_sigma::{Engine, LogType, MapEvent, Session, parse_rules};
use tandem_testkit::corpora;

use crate::data::{files, flat_event};

const EVENTS: usize = 5_000;

/// Channel (or provider) and event id of a record.
type Kind = (String, i64);

#[test]
fn engine_equals_the_public_rules() {
    let Some(corpora) = corpora("engine_equals_the_public_rules") else { return };
    let mut rules = Vec::new();
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance"] {
        for path in files(&corpora.join("sigma-rules").join(folder), ".yml") {
            let (loaded, _) = parse_rules(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
            rules.extend(loaded.into_iter().map(Arc::new));
        }
    }
    let engine = Arc::new(Engine::builder().with_rules(rules.iter().cloned()).build());
    let mut session = Session::new(Arc::clone(&engine));
    let (mut pairs, mut hits, mut events) = (0, 0, 0);
    for (kind, event) in stratified(&corpora.join("otrf-bench/balanced.jsonl")) {
        events += 1;
        let route = engine.route(&types(&kind));
        let fired = session.evaluate(&route, &event).to_vec();
        assert_eq!(session.evaluate_by_name(&route, &event), fired, "asked by name");
        let wanted: Vec<u32> =
            route.rules().iter().copied().filter(|number| rules[*number as usize].fires(&event)).collect();
        assert_eq!(fired, wanted, "{kind:?}: {event:?}");
        pairs += route.rules().len();
        hits += fired.len();
    }
    println!("{events} events, {pairs} pairs of rule and event, {hits} hits, no difference");
    assert_eq!(events, EVENTS);
    assert!(hits > 0 && pairs > 10_000, "{hits} hits of {pairs} pairs");
}

/// Events of every kind in turn, until there are enough.
fn stratified(path: &std::path::Path) -> Vec<(Kind, MapEvent)> {
    let text = fs::read_to_string(path).expect("a readable file");
    let mut kinds: BTreeMap<Kind, Vec<serde_json::Value>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let channel = json["Channel"].as_str().or(json["log_name"].as_str()).unwrap_or_default();
        let id = json["EventID"].as_i64().or(json["event_id"].as_i64()).unwrap_or(-1);
        kinds.entry((channel.to_ascii_lowercase(), id)).or_default().push(json);
    }
    let mut chosen = Vec::new();
    for turn in 0.. {
        for (kind, of_kind) in &kinds {
            if let Some(json) = of_kind.get(turn) {
                chosen.push((kind.clone(), flat_event(json)));
            }
            if chosen.len() == EVENTS {
                return chosen;
            }
        }
    }
    unreachable!("there are more events than asked for")
}

/// Log types of a record, several where it has several.
fn types((channel, id): &Kind) -> Vec<LogType<'static>> {
    let of = |service, category| LogType { product: Some("windows"), category, service };
    match (channel.as_str(), *id) {
        ("microsoft-windows-sysmon/operational", id) => {
            let categories: &[&'static str] = match id {
                1 => &["process_creation"],
                3 => &["network_connection"],
                7 => &["image_load"],
                8 => &["create_remote_thread"],
                10 => &["process_access"],
                11 => &["file_event"],
                12 => &["registry_event", "registry_add", "registry_delete"],
                13 => &["registry_event", "registry_set"],
                14 => &["registry_event", "registry_rename"],
                17 | 18 => &["pipe_created"],
                19..=21 => &["wmi_event"],
                22 => &["dns_query"],
                _ => &[],
            };
            let plain = std::iter::once(of(Some("sysmon"), None));
            plain.chain(categories.iter().map(|category| of(Some("sysmon"), Some(*category)))).collect()
        }
        ("security", 4688) => vec![of(Some("security"), None), of(Some("security"), Some("process_creation"))],
        ("security", _) => vec![of(Some("security"), None)],
        ("system", _) => vec![of(Some("system"), None)],
        ("application", _) => vec![of(Some("application"), None)],
        ("windows powershell", _) => vec![of(Some("powershell-classic"), None), of(None, Some("ps_classic_start"))],
        ("microsoft-windows-powershell/operational", 4104) => vec![of(Some("powershell"), Some("ps_script"))],
        ("microsoft-windows-powershell/operational", _) => vec![of(Some("powershell"), Some("ps_module"))],
        // Nothing is known: every rule of the product that names neither service nor category, and all of Linux.
        _ => vec![of(None, None), LogType { product: Some("linux"), category: None, service: None }],
    }
}
