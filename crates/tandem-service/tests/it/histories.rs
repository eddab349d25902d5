//! Random lives of cases: no transition outside the table, every state reached, every open case able to end.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use tandem_base::{Chance, SeededChance, Timestamp};
use tandem_service::{
    ActNo, Actor, Case, CaseAct, CaseId, CaseKind, Change, Gathered, Owner, Party, Priority, Role, State, Undo, UserId,
    Verdict, act, merge, transitions, undo,
};

fn person(number: u8) -> Actor {
    Actor::person(UserId([number; 16]), "somebody", [Role::AnalystL2].into_iter().collect())
}

/// Dice from a seed, so that a failure can be repeated.
struct Dice(SeededChance);

impl Dice {
    /// 0 to `sides` - 1.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0.next_u64() % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    fn text(&mut self) -> String {
        if self.roll(5) == 0 { " ".into() } else { "because".into() }
    }

    fn act(&mut self) -> CaseAct {
        match self.roll(30) {
            0..3 => CaseAct::Take,
            3 => CaseAct::Release { reason: self.text() },
            4 => CaseAct::Reassign {
                to: Owner {
                    id: UserId([2; 16]),
                    name: "two".into(),
                    party: Party::Customer,
                    since: Timestamp::default(),
                },
                reason: self.text(),
            },
            5..7 => CaseAct::StartTriage,
            7..10 => CaseAct::Escalate { checked: self.text(), why: self.text() },
            10..13 => CaseAct::Respond { text: self.text() },
            13 => CaseAct::Gate { checked: self.text(), why: self.text() },
            14..17 => CaseAct::Recover { text: self.text() },
            17 => CaseAct::GoBack { reason: self.text() },
            18..22 => CaseAct::Close { verdict: self.pick(Verdict::ALL), reason: self.text() },
            22 => CaseAct::Reopen { reason: self.text() },
            23 => CaseAct::SetPriority { priority: self.pick(Priority::ALL), reason: self.text() },
            24 => CaseAct::Note { text: self.text(), provider_only: false },
            25 => CaseAct::Snooze { until: None },
            26 => CaseAct::Snooze { until: Some(Timestamp::from_seconds(1_790_000_000 + self.roll(200_000) as i64)) },
            27 => CaseAct::Tag { tag: "vip".into() },
            _ => CaseAct::Untag { tag: "vip".into() },
        }
    }
}

fn a_case(kind: CaseKind, priority: Priority) -> Case {
    Case::new(CaseId(1), kind, Gathered::new("a case", priority, "so"), Timestamp::from_seconds(1_790_000_000))
}

/// The steps that an act took, compared with the table step by step.
fn check_steps(case: &Case, changes: &[Change], reached: &Mutex<BTreeSet<State>>) {
    let mut at = case.state;
    for change in changes {
        if let Change::State { from, to } = change {
            assert_eq!(*from, at);
            assert!(transitions(case.kind, case.gathered.priority, at).contains(to), "{at} → {to}");
            at = *to;
            reached.lock().unwrap().insert(at);
        }
    }
}

fn check_sound(case: &Case, seed: u64) {
    assert_eq!(case.verdict.is_some(), !case.state.is_open(), "seed {seed}: {case:?}");
    assert_eq!(case.instants.closed.is_some(), !case.state.is_open());
    assert_eq!(case.merged_into.is_some(), case.state == State::Merged);
    if matches!(case.state, State::Response | State::Recovered) {
        assert!(case.incident);
    }
    if case.state == State::Closed && case.kind == CaseKind::Security {
        assert!(case.gate_due.is_none());
    }
    if case.state == State::Analysis && case.kind == CaseKind::Security {
        assert!(case.gate.is_some() || case.gate_due.is_none());
    }
}

/// Acts that end any open case, as a person would.
fn end(mut case: Case) -> Case {
    let actor = person(1);
    let now = Timestamp::from_seconds(1_790_100_000);
    let perform = |case: &mut Case, what: CaseAct| {
        let done = act(case, &actor, &what, now).unwrap_or_else(|refusal| panic!("{what:?} of {case:?}: {refusal:?}"));
        case.apply(&done.changes, true, now);
    };
    if case.gate_due.is_some() {
        perform(&mut case, CaseAct::Gate { checked: "all".into(), why: "it burns".into() });
    }
    if case.owner.as_ref().is_some_and(|owner| owner.id != UserId([1; 16])) {
        let to = Owner { id: UserId([1; 16]), name: "one".into(), party: Party::Customer, since: now };
        perform(&mut case, CaseAct::Reassign { to, reason: "shift ends".into() });
    }
    let reason = || "done".to_owned();
    if case.kind != CaseKind::Security {
        perform(&mut case, CaseAct::Close { verdict: Verdict::Resolved, reason: reason() });
        return case;
    }
    if case.state == State::Response {
        perform(&mut case, CaseAct::Recover { text: reason() });
    }
    let verdict = if case.state == State::Recovered { Verdict::TruePositive } else { Verdict::FalsePositive };
    perform(&mut case, CaseAct::Close { verdict, reason: reason() });
    case
}

#[test]
fn ten_thousand_lives_keep_to_the_table() {
    let reached = Mutex::new(BTreeSet::from([State::New]));
    for seed in 0..10_000 {
        live(seed, &reached);
    }
    assert_eq!(*reached.lock().unwrap(), State::ALL.iter().copied().collect());
}

fn live(seed: u64, reached: &Mutex<BTreeSet<State>>) {
    let mut dice = Dice(SeededChance::new(seed));
    let kind = if dice.roll(3) == 0 { dice.pick(CaseKind::ALL) } else { CaseKind::Security };
    let mut case = a_case(kind, dice.pick(Priority::ALL));
    let mut now = Timestamp::from_seconds(1_790_000_000);
    let mut latest: Option<(ActNo, UserId, Undo)> = None;
    for number in 0..=dice.roll(24) {
        now = now.plus(Duration::from_secs(dice.roll(90)));
        let actor = person(1 + dice.roll(2) as u8);
        match dice.roll(12) {
            0 => {
                let other = Case { id: CaseId(2), ..a_case(kind, Priority::P3) };
                if let Ok((leaves, _)) = merge(&case, &other) {
                    check_steps(&case, &leaves, reached);
                    case.apply(&leaves, true, now);
                    latest = None;
                }
            }
            1 => {
                if let Some((seq, by, stored)) = latest.take() {
                    let version = case.version;
                    if let Ok(before) = undo(&case, &actor, seq, by, seq, &stored, now) {
                        assert!(by == actor.id && now <= stored.until(), "seed {seed}");
                        assert_eq!(before.version, version + 1);
                        case = before;
                    }
                }
            }
            _ => {
                if let Ok(done) = act(&case, &actor, &dice.act(), now) {
                    check_steps(&case, &done.changes, reached);
                    case.apply(&done.changes, true, now);
                    latest = done.undo.map(|stored| (ActNo(number), actor.id, stored));
                }
            }
        }
        check_sound(&case, seed);
    }
    if case.state.is_open() {
        assert!(!end(case).state.is_open(), "seed {seed}");
    }
}

#[test]
fn the_table_of_transitions() {
    let mut table = String::new();
    for (kind, priority) in
        [(CaseKind::Security, Priority::P1), (CaseKind::Security, Priority::P3), (CaseKind::Source, Priority::P3)]
    {
        table.push_str(&format!("{kind} {priority}\n"));
        for from in State::ALL {
            let to: Vec<&str> = transitions(kind, priority, *from).into_iter().map(State::word).collect();
            let ends: Vec<&str> = tandem_service::ends_from(kind, *from).iter().map(|verdict| verdict.word()).collect();
            table.push_str(&format!("  {:<9} → {:<30} ends: {}", from.word(), to.join(", "), ends.join(", ")));
            table.truncate(table.trim_end().len());
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn refusals_name_who_and_what_to_do() {
    let now = Timestamp::from_seconds(1_790_000_000);
    let mut case = a_case(CaseKind::Security, Priority::P3);
    let taken = act(&case, &person(1), &CaseAct::Take, now).unwrap();
    case.apply(&taken.changes, true, now);
    let later = now.plus(Duration::from_secs(3));
    let mut text = String::new();
    for what in [
        CaseAct::Take,
        CaseAct::Release { reason: String::new() },
        CaseAct::Respond { text: String::new() },
        CaseAct::Recover { text: "x".into() },
        CaseAct::GoBack { reason: "x".into() },
        CaseAct::Close { verdict: Verdict::TruePositive, reason: "x".into() },
        CaseAct::Reopen { reason: "x".into() },
        CaseAct::Escalate { checked: String::new(), why: "x".into() },
        CaseAct::SetPriority { priority: Priority::P3, reason: "x".into() },
        CaseAct::Snooze { until: Some(now) },
        CaseAct::Tag { tag: "x".repeat(61) },
    ] {
        for who in [1, 2] {
            if let Err(refusal) = act(&case, &person(who), &what, later) {
                text.push_str(&format!(
                    "{} by {who}: [{}] {} → {}\n",
                    what.word(),
                    refusal.code,
                    refusal.because,
                    refusal.hint
                ));
            }
        }
    }
    insta::assert_snapshot!(text);
}

/// A benign case: take, verdict. One act is enough too, and it is acknowledged thereby.
#[test]
fn closing_a_new_case_takes_it() {
    let now = Timestamp::from_seconds(1_790_000_000);
    let mut case = a_case(CaseKind::Security, Priority::P3);
    let what = CaseAct::Close { verdict: Verdict::BenignTruePositive, reason: "planned change".into() };
    let done = act(&case, &person(1), &what, now).unwrap();
    case.apply(&done.changes, true, now);
    assert_eq!(case.state, State::Closed);
    assert_eq!((case.instants.acknowledged, case.instants.closed), (Some(now), Some(now)));
    let back = undo(&case, &person(1), ActNo(5), UserId([1; 16]), ActNo(5), &done.undo.unwrap(), now).unwrap();
    assert_eq!((back.state, back.owner, back.instants.closed), (State::New, None, None));
}
