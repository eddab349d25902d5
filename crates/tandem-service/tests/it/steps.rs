//! The form of a grouping example (`tests/data/grouping/*.yaml`).

use crate::desk::{Desk, detection};
use serde::Deserialize;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::{Entities, RunId};
use tandem_service::{
    Actor, AlertPolicy, CaseAct, Change, Infrastructure, Owner, Party, RoleSet, State, UserId, Verdict, act,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    #[expect(dead_code, reason = "it is for the reader")]
    about: String,
    #[serde(default)]
    infrastructure: Option<Infrastructure>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Minutes since the beginning.
    #[serde(default)]
    at: f64,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    run: Option<u8>,
    /// How many the like, each on its own: `{n}` in host, user or address is 0, 1, 2…
    #[serde(default)]
    repeat: Option<u32>,
    #[serde(default)]
    expect: Option<String>,
    /// Instead of a detection: a person closes this case.
    #[serde(default)]
    close: Option<u64>,
    /// Instead of a detection: a person takes this case.
    #[serde(default)]
    take: Option<u64>,
}

/// Runs an example; with `restart`, the grouper is rebuilt from what is stored before every step.
pub(crate) fn run(text: &str, restart: bool) -> Result<(), String> {
    let example: Example = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let mut policy = AlertPolicy::standard();
    policy.infrastructure = example.infrastructure.unwrap_or_default();
    let mut desk = Desk::new(policy);
    let mut ordinal = 0;
    for (index, step) in example.steps.iter().enumerate() {
        if restart {
            desk.restart();
        }
        let at = Timestamp::from_seconds(1_790_000_000).plus(Duration::from_secs_f64(step.at * 60.0));
        if let Some(number) = step.close {
            close(&mut desk, number, at);
            continue;
        }
        if let Some(number) = step.take {
            let owner = Owner { id: UserId([1; 16]), name: "dana".into(), party: Party::Customer, since: at };
            let taken =
                [Change::State { from: State::New, to: State::Triage }, Change::Owner { from: None, to: Some(owner) }];
            desk.change(number, &taken, at);
            continue;
        }
        let mut said = String::new();
        for n in 0..step.repeat.unwrap_or(1) {
            let name = |name: &Option<String>| name.as_ref().map(|name| name.replace("{n}", &n.to_string()));
            let entities =
                Entities { host: name(&step.host), user: name(&step.user), source_address: name(&step.address) };
            ordinal += 1;
            let mut each = detection(ordinal, &step.rule, step.level.parse().unwrap(), at, entities);
            if let Some(status) = &step.status {
                each.status = status.parse().unwrap();
            }
            if let Some(kind) = &step.kind {
                each.kind = kind.parse().unwrap();
            }
            each.tags = step.tags.iter().map(|tag| tag.as_str().into()).collect();
            each.run = step.run.map(|run| RunId([run; 16]));
            said = desk.judge(&each);
            if desk.judge(&each) != "seen" {
                return Err(format!("step {index}: the same detection was judged twice"));
            }
        }
        if step.expect.as_ref().is_some_and(|expected| *expected != said) {
            let expected = step.expect.as_deref().unwrap_or_default();
            return Err(format!("step {index} (restart: {restart}): expected `{expected}`, got `{said}`"));
        }
    }
    for (number, case) in &desk.cases {
        let held =
            desk.stored.iter().filter(|each| each.detection.run.is_none() && each.number == Some(*number)).count();
        if case.state != State::Merged && case.gathered.detections != held as u64 {
            return Err(format!("C-{number} counts {} detections, {held} are stored", case.gathered.detections));
        }
    }
    Ok(())
}

fn close(desk: &mut Desk, number: u64, at: Timestamp) {
    let actor = Actor::person(UserId([1; 16]), "dana", RoleSet::all());
    let what = CaseAct::Close { verdict: Verdict::FalsePositive, reason: "a test of ours".into() };
    let done = act(&desk.cases[&number], &actor, &what, at).unwrap();
    desk.change(number, &done.changes, at);
}
