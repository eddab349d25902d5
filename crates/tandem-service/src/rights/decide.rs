//! One function decides. In order, the first deny wins.

use crate::case::Priority;
use crate::rights::{Activity, Actor, ActorKind, Matrix, Party, UserId, Verb};
use crate::words::words;
use tandem_base::Timestamp;

words! {
    /// What a verb is done to.
    ObjectKind {
        /// The site as a whole.
        Site = "site",
        /// One case.
        Case = "case",
        /// Events, all or some.
        Events = "events",
        /// Detections and signals.
        Detections = "detections",
        /// A run over history.
        Run = "run",
        /// A source.
        Source = "source",
        /// A rule.
        Rule = "rule",
        /// An account.
        User = "user",
        /// A token.
        Token = "token",
        /// Something of one's own.
        Own = "own",
    }
}

/// What a decision must know about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFacts {
    /// Its priority now.
    pub priority: Priority,
    /// Who took it, and for which party, while that party was responsible.
    pub taken_by: Option<(UserId, Party)>,
}

/// What the verb is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its id, where it is one thing.
    pub id: Option<String>,
    /// Of a case: what counts.
    pub case: Option<CaseFacts>,
    /// The second person who agreed, for the verbs that need one.
    pub second: Option<(UserId, Party)>,
}

impl Object {
    /// The whole of a kind.
    pub fn all(kind: ObjectKind) -> Self {
        Self { kind, id: None, case: None, second: None }
    }

    /// One thing.
    pub fn one(kind: ObjectKind, id: &impl ToString) -> Self {
        Self { id: Some(id.to_string()), ..Self::all(kind) }
    }

    /// One case.
    pub fn case(case: &crate::Case) -> Self {
        Self {
            id: Some(case.id.to_string()),
            case: Some(CaseFacts {
                priority: case.gathered.priority,
                taken_by: case.owner.as_ref().map(|owner| (owner.id, owner.party.clone())),
            }),
            ..Self::all(ObjectKind::Case)
        }
    }
}

/// The answer, with the rule that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allow {
        /// Which rule allows it, as a sentence.
        because: String,
    },
    /// It may not.
    Deny {
        /// Which rule forbids it, as a sentence.
        because: String,
        /// What would change that.
        how_to_get_access: String,
    },
}

impl Decision {
    /// Whether it may be done.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }

    fn deny(because: impl Into<String>, how: impl Into<String>) -> Self {
        Self::Deny { because: because.into(), how_to_get_access: how.into() }
    }
}

/// Whether `actor` may do `verb` to `object` at `now` under `matrix`.
pub fn decide(matrix: &Matrix, actor: &Actor, verb: Verb, object: &Object, now: Timestamp) -> Decision {
    if matches!(actor.kind, ActorKind::Program | ActorKind::Local) {
        // The holder of the data folder could read and write it anyway; four eyes still hold.
        return second_person(actor, verb, object).unwrap_or_else(|| Decision::Allow {
            because: match actor.kind {
                ActorKind::Program => "tandem itself does this".into(),
                _ => "whoever holds the site's local socket may do this".into(),
            },
        });
    }
    account(actor, verb, now)
        .or_else(|| role(actor, verb))
        .or_else(|| case(matrix, actor, verb, object, now))
        .or_else(|| events(actor, verb))
        .or_else(|| second_person(actor, verb, object))
        .unwrap_or_else(|| allow(matrix, actor, verb, object, now))
}

/// 1. The account is alive, its second factor fresh enough, a token wide enough.
fn account(actor: &Actor, verb: Verb, now: Timestamp) -> Option<Decision> {
    if !actor.alive {
        return Some(Decision::deny("this account is switched off", "ask a site admin to switch it on"));
    }
    if let ActorKind::Token(scopes) = &actor.kind {
        let scope = verb.scope();
        if !scopes.contains(&scope) {
            return Some(Decision::deny(
                format!("this token has no scope `{scope}`"),
                format!("make a token with the scope `{scope}`"),
            ));
        }
        if verb.second_person().is_some() {
            return Some(Decision::deny("a token cannot stand for one of two people", "sign in and do it yourself"));
        }
        return None;
    }
    let guest = actor.party != Party::Customer;
    let must =
        guest || verb.second_person().is_some() || (actor.second_factor_set && verb.second_factor_age().is_some());
    if !must {
        return None;
    }
    match actor.second_factor_at {
        _ if !actor.second_factor_set => {
            Some(Decision::deny("this needs a second factor and the account has none", "set one up under Profile"))
        }
        None => Some(Decision::deny("the second factor was not proved in this session", "sign in with the code")),
        Some(at) => match verb.second_factor_age() {
            Some(age) if now.since(at) > age => Some(Decision::deny(
                format!("the second factor was proved more than {} min ago", age.as_secs() / 60),
                "give the code again",
            )),
            _ => None,
        },
    }
}

/// 2. A role gives the verb.
fn role(actor: &Actor, verb: Verb) -> Option<Decision> {
    if actor.roles.iter().any(|role| verb.given_by(role)) {
        return None;
    }
    let given: Vec<&str> =
        crate::Role::ALL.iter().filter(|role| verb.given_by(**role)).map(|role| role.word()).collect();
    Some(Decision::deny(
        format!("none of your roles allows `{}`", verb.phrase()),
        format!("ask a site admin for one of the roles {}", given.join(", ")),
    ))
}

/// 3. Acting on a case: the party is responsible now, or took it while it was; accountable may read, approve, reassign.
fn case(matrix: &Matrix, actor: &Actor, verb: Verb, object: &Object, now: Timestamp) -> Option<Decision> {
    let facts = object.case.as_ref();
    let priority = facts.map(|case| case.priority);
    if verb == Verb::CaseRead {
        let involved = Activity::ALL.iter().any(|each| matrix.cell(*each, priority, now).involves(&actor.party));
        return (!involved).then(|| {
            Decision::deny("your party has no part in this case's work", "ask the customer to change the matrix")
        });
    }
    let activity = verb.activity()?;
    let cell = matrix.cell(activity, priority, now);
    if !verb.acts_on_case() && actor.party == Party::Customer {
        return None; // the customer's own content, sources and platform: the role decided
    }
    let responsible = cell.responsible.as_ref() == Some(&actor.party);
    let took = facts.is_some_and(|case| case.taken_by.as_ref().is_some_and(|(_, party)| *party == actor.party));
    let reassigns = verb == Verb::CaseReassign && cell.accountable == actor.party;
    if responsible || took || reassigns {
        return None;
    }
    let who = cell.responsible.map_or_else(|| "nobody".to_owned(), |party| party.to_string());
    Some(Decision::deny(
        format!("{activity} is the work of: {who} ({})", cell.name),
        "ask them to hand the case over, or change the matrix",
    ))
}

/// 4. Everyone but the customer reads events only under a grant.
fn events(actor: &Actor, verb: Verb) -> Option<Decision> {
    (verb.reads_events() && actor.party != Party::Customer).then(|| {
        Decision::deny("your party reads events only under a grant", "ask the customer for a grant from the case")
    })
}

/// 5. Some verbs need a second person of a named party.
fn second_person(actor: &Actor, verb: Verb, object: &Object) -> Option<Decision> {
    let party = verb.second_person()?;
    let fits = object.second.as_ref().is_some_and(|(id, theirs)| *id != actor.id && *theirs == party);
    (!fits).then(|| {
        Decision::deny(
            format!("`{}` needs a second person of the {party}", verb.phrase()),
            format!("ask another person of the {party} to agree"),
        )
    })
}

fn allow(matrix: &Matrix, actor: &Actor, verb: Verb, object: &Object, now: Timestamp) -> Decision {
    let role = actor.roles.iter().find(|role| verb.given_by(*role)).map_or("role", crate::Role::word);
    let because = match verb.activity() {
        Some(activity) if verb.acts_on_case() => {
            let cell = matrix.cell(activity, object.case.as_ref().map(|case| case.priority), now);
            format!("{role} of the {}; {activity}: {}", actor.party, cell.name)
        }
        _ => format!("{role} of the {}", actor.party),
    };
    Decision::Allow { because }
}
