//! Random days: a grouper that is rebuilt from what is stored goes on as the one that never stopped, and what
//! comes out is sound.

use crate::desk::{Desk, detection};
use std::time::Duration;
use tandem_base::{Chance, SeededChance, Timestamp};
use tandem_model::{Detection, DetectionKind, Entities, Level, RuleStatus, RunId};
use tandem_service::{AlertPolicy, CaseKind, Change, Owner, Party, State, UserId, Verdict};

struct Dice(SeededChance);

impl Dice {
    fn roll(&self, sides: u64) -> u64 {
        self.0.next_u64() % sides
    }

    fn pick<'a>(&self, from: &[&'a str]) -> Option<&'a str> {
        Some(from[self.roll(from.len() as u64) as usize]).filter(|name| !name.is_empty())
    }
}

const HOSTS: &[&str] =
    &["", "ws1", "WS1", "ws1.corp.example", "ws2", "ws2.corp.example", "ws2.lab.example", "ws3", "ws4", "localhost"];
const USERS: &[&str] =
    &["", "CORP\\dana", "corp\\Dana", "dana@corp.example", "dana", "SYSTEM", "WS1$", "root", "CORP\\eve"];
const ADDRESSES: &[&str] = &["", "", "10.0.0.5", "::ffff:10.0.0.5", "127.0.0.1", "198.51.100.7"];

fn a_detection(dice: &Dice, ordinal: u64, at: Timestamp) -> Detection {
    let level =
        [Level::Low, Level::Medium, Level::Medium, Level::High, Level::High, Level::Critical][dice.roll(6) as usize];
    let rule = format!("{level}{}", dice.roll(3));
    let entities = Entities {
        host: dice.pick(HOSTS).map(Into::into),
        user: dice.pick(USERS).map(Into::into),
        source_address: dice.pick(ADDRESSES).map(Into::into),
    };
    let mut each = detection(ordinal, &rule, level, at, entities);
    each.status = [RuleStatus::Test, RuleStatus::Experimental][usize::from(rule.ends_with('0'))];
    if dice.roll(12) == 0 {
        each.kind = DetectionKind::VendorAlert;
    }
    if dice.roll(8) == 0 {
        each.run = Some(RunId([1; 16]));
    }
    each
}

#[test]
fn a_restart_at_any_point_changes_nothing() {
    for seed in 0..25 {
        let dice = Dice(SeededChance::new(seed));
        let mut at = Timestamp::from_seconds(1_790_000_000);
        let mut steady = Desk::new(AlertPolicy::standard());
        let mut restarted = Desk::new(AlertPolicy::standard());
        for ordinal in 0..80 {
            at = at.plus(Duration::from_secs(dice.roll(3) * dice.roll(3600)));
            at = at.plus(Duration::from_micros(1));
            if dice.roll(3) == 0 {
                restarted.restart();
            }
            if dice.roll(15) == 0 && !steady.cases.is_empty() {
                let number = 1 + dice.roll(steady.cases.len() as u64);
                let changes = by_a_person(&steady, number, &dice, at);
                steady.change(number, &changes, at);
                restarted.change(number, &changes, at);
                continue;
            }
            let mut each = a_detection(&dice, ordinal, at);
            // Some are late.
            each.time = at.minus(Duration::from_secs(dice.roll(2) * dice.roll(600)));
            let (one, other) = (steady.judge(&each), restarted.judge(&each));
            assert_eq!(one, other, "seed {seed}, step {ordinal}: {each:?}");
        }
        assert_eq!(steady.cases, restarted.cases, "seed {seed}");
        assert_eq!(steady.groups, restarted.groups, "seed {seed}");
        check_sound(&steady, seed);
    }
}

fn by_a_person(desk: &Desk, number: u64, dice: &Dice, at: Timestamp) -> Vec<Change> {
    let case = &desk.cases[&number];
    let owner = Owner { id: UserId([1; 16]), name: "dana".into(), party: Party::Customer, since: at };
    match case.state {
        State::New if dice.roll(2) == 0 => {
            vec![Change::State { from: State::New, to: State::Triage }, Change::Owner { from: None, to: Some(owner) }]
        }
        State::Triage => vec![
            Change::State { from: State::Triage, to: State::Closed },
            Change::Verdict { verdict: Some(Verdict::FalsePositive), reason: Some("ours".into()) },
        ],
        State::Closed => vec![
            Change::State { from: State::Closed, to: State::Triage },
            Change::Verdict { verdict: None, reason: None },
        ],
        _ => vec![Change::Tagged { tag: "seen".into() }],
    }
}

/// Every detection is in one place, counts agree, and no two open cases have the same key.
fn check_sound(desk: &Desk, seed: u64) {
    let mut keys = std::collections::BTreeMap::new();
    for (number, case) in &desk.cases {
        assert_eq!(case.kind, CaseKind::Security);
        if case.state == State::Merged {
            continue;
        }
        let held =
            desk.stored.iter().filter(|each| each.detection.run.is_none() && each.number == Some(*number)).count();
        assert_eq!(case.gathered.detections, held as u64, "seed {seed}, C-{number}");
        assert!(case.gathered.first_event <= case.gathered.last_event);
        if case.state.is_open() {
            for key in &case.gathered.keys {
                keys.entry(key.clone()).or_insert_with(Vec::new).push(*number);
            }
        }
    }
    // A reopened case may share keys with the one that was opened meanwhile; otherwise each key has one case.
    let reopened = desk.cases.values().any(|case| case.state == State::Triage && case.verdict.is_none());
    assert!(reopened || keys.values().all(|numbers| numbers.len() == 1), "seed {seed}: {keys:?}");
    let live = desk.stored.iter().filter(|each| each.detection.run.is_none()).count();
    let ids: std::collections::BTreeSet<_> = desk.stored.iter().map(|each| each.detection.id).collect();
    assert_eq!(ids.len(), desk.stored.len());
    assert!(live > 0);
}
