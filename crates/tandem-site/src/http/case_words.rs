//! The words of the API for acts on cases, and which of them somebody may do now.

use std::time::Duration;
use tandem_api::AllowedAct;
use tandem_base::Timestamp;
use tandem_model::EventId;
use tandem_service::{
    Actor, Case, CaseAct, CaseId, Decision, Matrix, Object, Priority, Refusal, Verb, Verdict, decide, ends_from,
};
use tandem_web::{Answer, Refused};

/// Every word, in the order in which screens offer them.
const WORDS: [&str; 15] = [
    "take",
    "release",
    "start_triage",
    "escalate",
    "respond",
    "recover",
    "go_back",
    "close",
    "reopen",
    "set_priority",
    "note",
    "merge",
    "snooze",
    "pin",
    "unpin",
];

/// What is to be done: with one case, or with two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// An act on the case.
    Act(CaseAct),
    /// The case becomes part of another.
    Merge(CaseId),
}

impl Wanted {
    /// The verb that it needs.
    pub(super) fn verb(&self) -> Verb {
        match self {
            Self::Act(act) => act.verb(),
            Self::Merge(_) => Verb::CaseMerge,
        }
    }
}

/// What the API's `wire` act means for `case`. The gate's text that is still owed is given by `escalate`, too.
pub(super) fn wanted(wire: &tandem_api::CaseAct, case: &Case) -> Answer<Wanted> {
    let text = |given: &Option<String>| given.clone().unwrap_or_default();
    let reason = || text(&wire.reason);
    let said = || wire.text.clone().or_else(|| wire.reason.clone()).unwrap_or_default();
    Ok(Wanted::Act(match wire.act.as_str() {
        "take" => CaseAct::Take,
        "release" => CaseAct::Release { reason: reason() },
        "start_triage" => CaseAct::StartTriage,
        "escalate" if case.gate_due.is_some() => CaseAct::Gate { checked: text(&wire.checked), why: reason() },
        "escalate" => CaseAct::Escalate { checked: text(&wire.checked), why: reason() },
        "respond" => CaseAct::Respond { text: said() },
        "recover" => CaseAct::Recover { text: said() },
        "go_back" => CaseAct::GoBack { reason: reason() },
        "close" => {
            let verdict: Verdict = named("verdict", wire.verdict.as_deref())?;
            match (&wire.into, verdict) {
                (Some(_), Verdict::Duplicate) => return into(wire).map(Wanted::Merge),
                _ => CaseAct::Close { verdict, reason: reason() },
            }
        }
        "reopen" => CaseAct::Reopen { reason: reason() },
        "set_priority" => {
            CaseAct::SetPriority { priority: named("priority", wire.priority.as_deref())?, reason: reason() }
        }
        "note" => CaseAct::Note { text: text(&wire.text), provider_only: false },
        "merge" => return into(wire).map(Wanted::Merge),
        "snooze" => CaseAct::Snooze { until: super::extract::instant_if("until", wire.until.as_deref())? },
        "pin" => CaseAct::Pin { event: event(wire)?, why: said() },
        "unpin" => CaseAct::Unpin { event: event(wire)? },
        other => {
            let other: String = other.chars().take(40).collect();
            return Err(Refused::invalid(format!("`{other}` is no act")).hint(format!("acts are {}", WORDS.join(", "))));
        }
    }))
}

fn named<T: std::str::FromStr>(field: &str, given: Option<&str>) -> Answer<T>
where
    T::Err: std::fmt::Display,
{
    super::extract::word(field, given.ok_or_else(|| missing(field))?)
}

fn into(wire: &tandem_api::CaseAct) -> Answer<CaseId> {
    named("into", wire.into.as_deref())
}

fn event(wire: &tandem_api::CaseAct) -> Answer<EventId> {
    named("event_id", wire.event_id.as_deref())
}

fn missing(field: &str) -> Refused {
    Refused::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "text-missing", format!("`{field}` is missing"))
}

/// The verb behind a word of a case's history; undoing it needs the same right.
pub(super) fn verb_of(word: &str) -> Verb {
    match word {
        "gate" => Verb::CaseEscalate,
        "start_triage" => Verb::CaseTriage,
        "set_priority" => Verb::CasePriority,
        "unpin" => Verb::CasePin,
        "tag" | "untag" | "link" => Verb::CaseTag,
        other => format!("case_{other}").parse().unwrap_or(Verb::CaseNote),
    }
}

/// What `actor` may do with `case` at `now`: the decision first, then whether the case's state has such a step.
pub(super) fn allowed(matrix: &Matrix, actor: &Actor, case: &Case, now: Timestamp) -> Vec<AllowedAct> {
    let object = Object::case(case);
    let one = |word: &&str| {
        let trial = trial(word, case, now);
        let because = match decide(matrix, actor, trial.verb(), &object, now) {
            Decision::Deny { because, how_to_get_access } => {
                return answer(word, false, because, Some(how_to_get_access));
            }
            Decision::Allow { because } => because,
        };
        match possible(&trial, case, actor, now) {
            Err(refusal) => answer(word, false, refusal.because, Some(refusal.hint)),
            Ok(()) => answer(word, true, because, None),
        }
    };
    WORDS.iter().map(one).collect()
}

fn answer(word: &str, allowed: bool, because: String, how_to_get_access: Option<String>) -> AllowedAct {
    AllowedAct { act: word.to_owned(), allowed, because, how_to_get_access }
}

/// The act with texts that would do: what is left to refuse is the state's.
fn trial(word: &str, case: &Case, now: Timestamp) -> Wanted {
    let text = || "–".to_owned();
    Wanted::Act(match word {
        "take" => CaseAct::Take,
        "release" => CaseAct::Release { reason: text() },
        "start_triage" => CaseAct::StartTriage,
        "escalate" if case.gate_due.is_some() => CaseAct::Gate { checked: text(), why: text() },
        "escalate" => CaseAct::Escalate { checked: text(), why: text() },
        "respond" => CaseAct::Respond { text: text() },
        "recover" => CaseAct::Recover { text: text() },
        "go_back" => CaseAct::GoBack { reason: text() },
        "close" => CaseAct::Close { verdict: some_verdict(case), reason: text() },
        "reopen" => CaseAct::Reopen { reason: text() },
        "set_priority" => {
            let priority = if case.gathered.priority == Priority::P4 { Priority::P3 } else { Priority::P4 };
            CaseAct::SetPriority { priority, reason: text() }
        }
        "merge" => return Wanted::Merge(CaseId(if case.id.0 == u64::MAX { 1 } else { case.id.0 + 1 })),
        "snooze" => CaseAct::Snooze { until: Some(now.plus(Duration::from_hours(1))) },
        "pin" => CaseAct::Pin { event: EventId::default(), why: text() },
        "unpin" => CaseAct::Unpin { event: case.pins.first().map_or_else(EventId::default, |pin| pin.event) },
        _ => CaseAct::Note { text: text(), provider_only: false },
    })
}

/// A verdict that ends the case from where closing it would begin.
fn some_verdict(case: &Case) -> Verdict {
    let security = case.kind == tandem_service::CaseKind::Security;
    let from =
        if security && case.state == tandem_service::State::New { tandem_service::State::Triage } else { case.state };
    ends_from(case.kind, from).first().copied().unwrap_or(Verdict::Undetermined)
}

fn possible(wanted: &Wanted, case: &Case, actor: &Actor, now: Timestamp) -> Result<(), Refusal> {
    match wanted {
        Wanted::Act(act) => tandem_service::act(case, actor, act, now).map(|_| ()),
        // Whether the other one can take it is seen when it is known.
        Wanted::Merge(other) => {
            let other = Case { id: *other, ..case.clone() };
            tandem_service::merge(case, &other).map(|_| ())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::case_view::tests::case;
    use super::*;
    use tandem_service::{Role, State, UserId};

    fn actor(role: Role) -> Actor {
        Actor::person(UserId([1; 16]), "Dana", [role].into_iter().collect())
    }

    fn may(case: &Case, actor: &Actor) -> Vec<String> {
        let now = Timestamp::from_seconds(300);
        let list = allowed(&Matrix::customer_does_everything(), actor, case, now);
        assert_eq!(list.iter().map(|each| each.act.as_str()).collect::<Vec<_>>(), WORDS);
        list.into_iter().filter(|each| each.allowed).map(|each| each.act).collect()
    }

    fn wire(act: &str) -> tandem_api::CaseAct {
        tandem_api::CaseAct { act: act.to_owned(), ..tandem_api::CaseAct::default() }
    }

    #[test]
    fn an_analyst_may_what_the_state_offers() {
        let mut case = case();
        let analyst = actor(Role::AnalystL1);
        let always = ["set_priority", "note", "merge", "snooze", "pin"];
        let with = |more: &[&str]| {
            let in_order = WORDS.iter().filter(|word| more.contains(word) || always.contains(word));
            in_order.map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(may(&case, &analyst), with(&["take", "start_triage", "close"]));
        case.state = State::Triage;
        assert_eq!(may(&case, &analyst), with(&["take", "escalate", "close"]));
        case.state = State::Response;
        assert_eq!(may(&case, &analyst), with(&["take", "recover", "go_back"]));
        case.gate_due = Some(Timestamp::from_seconds(9_999));
        let owed = may(&case, &analyst);
        assert!(owed.contains(&"escalate".to_owned()) && !owed.contains(&"merge".to_owned()), "{owed:?}");
        case.gate_due = None;
        case.state = State::Closed;
        assert_eq!(may(&case, &analyst), ["reopen", "note", "pin"]);
    }

    #[test]
    fn a_viewer_may_nothing_and_learns_how_to_get_access() {
        assert_eq!(may(&case(), &actor(Role::Viewer)), Vec::<String>::new());
        let now = Timestamp::from_seconds(300);
        let list = allowed(&Matrix::customer_does_everything(), &actor(Role::Viewer), &case(), now);
        assert_eq!(list[0].because, "none of your roles allows `case take`");
        assert!(list[0].how_to_get_access.as_deref().unwrap().contains("analyst_l1"));
        let mut closed = case();
        closed.state = State::Closed;
        let list = allowed(&Matrix::customer_does_everything(), &actor(Role::SiteAdmin), &closed, now);
        assert_eq!(
            (list[0].because.as_str(), list[0].how_to_get_access.as_deref()),
            ("the case is closed", Some("reopen it first"))
        );
    }

    #[test]
    fn words_become_acts() {
        let case = case();
        let act = |wire: &tandem_api::CaseAct| wanted(wire, &case).map_err(|refused| refused.0.title);
        assert_eq!(act(&wire("take")), Ok(Wanted::Act(CaseAct::Take)));
        let mut close = wire("close");
        assert_eq!(act(&close), Err("`verdict` is missing".to_owned()));
        close.verdict = Some("false_positive".to_owned());
        close.reason = Some("backup job".to_owned());
        let expected = CaseAct::Close { verdict: Verdict::FalsePositive, reason: "backup job".to_owned() };
        assert_eq!(act(&close), Ok(Wanted::Act(expected)));
        close.verdict = Some("duplicate".to_owned());
        close.into = Some("C-7".to_owned());
        assert_eq!(act(&close), Ok(Wanted::Merge(CaseId(7))));
        let mut merge = wire("merge");
        assert_eq!(act(&merge), Err("`into` is missing".to_owned()));
        merge.into = Some("7".to_owned());
        assert_eq!(act(&merge), Err("`into` has a value that is not known".to_owned()));
        assert_eq!(act(&wire("delete")), Err("`delete` is no act".to_owned()));
        let owed = Case { gate_due: Some(Timestamp::from_seconds(1)), ..case.clone() };
        let gate = wanted(&wire("escalate"), &owed).unwrap();
        assert_eq!(gate, Wanted::Act(CaseAct::Gate { checked: String::new(), why: String::new() }));
    }

    #[test]
    fn every_word_of_a_history_has_its_verb() {
        let now = Timestamp::from_seconds(300);
        for word in WORDS {
            let Wanted::Act(act) = trial(word, &case(), now) else { continue };
            assert_eq!(verb_of(act.word()), act.verb(), "{word}");
        }
        assert_eq!(verb_of("merge"), Verb::CaseMerge);
    }
}
