//! Who may do what, as committed text.

use tandem_base::Timestamp;
use tandem_service::{
    Actor, ActorKind, CaseFacts, Decision, Matrix, Object, ObjectKind, Party, Priority, Role, RoleSet, Scope, UserId,
    Verb, decide,
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn person(roles: &[Role], party: Party) -> Actor {
    Actor { party, ..Actor::person(UserId([1; 16]), "dana", roles.iter().copied().collect()) }
}

#[test]
fn roles_give_these_verbs() {
    let mut table = format!("{:<18} {:<18} {:<7} 2nd", "verb", "activity", "scope");
    for role in Role::ALL {
        table.push_str(&format!(" {}", role.word()));
    }
    table.push('\n');
    for verb in Verb::ALL {
        let activity = verb.activity().map_or("-", tandem_service::Activity::word);
        let second = if verb.second_person().is_some() { "yes" } else { "-" };
        table.push_str(&format!("{:<18} {activity:<18} {:<7} {second:<3}", verb.word(), verb.scope().word()));
        for role in Role::ALL {
            let mark = if verb.given_by(*role) { "✔" } else { "·" };
            table.push_str(&format!(" {mark:<width$}", width = role.word().len()));
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

/// What `decide` answers, role by verb, is exactly the table (for the customer, with a fresh second factor).
#[test]
fn decide_agrees_with_the_table() {
    let matrix = Matrix::customer_does_everything();
    for role in Role::ALL {
        for verb in Verb::ALL {
            let mut actor = person(&[*role], Party::Customer);
            (actor.second_factor_set, actor.second_factor_at) = (true, Some(NOW));
            let mut object = Object::all(ObjectKind::Case);
            object.case = Some(CaseFacts { priority: Priority::P2, taken_by: None });
            object.second = Some((UserId([2; 16]), Party::Customer));
            let decision = decide(&matrix, &actor, *verb, &object, NOW);
            assert_eq!(decision.is_allowed(), verb.given_by(*role), "{role} {verb}: {decision:?}");
        }
    }
}

#[test]
fn first_deny_wins_and_says_how_to_get_access() {
    let matrix = Matrix::customer_does_everything();
    let all: Vec<Role> = Role::ALL.to_vec();
    let case = Object {
        case: Some(CaseFacts { priority: Priority::P1, taken_by: None }),
        ..Object::one(ObjectKind::Case, &"C-1")
    };
    let taken = Object {
        case: Some(CaseFacts { priority: Priority::P1, taken_by: Some((UserId([9; 16]), Party::Provider)) }),
        ..case.clone()
    };
    let agreed = Object { second: Some((UserId([2; 16]), Party::Customer)), ..Object::all(ObjectKind::Site) };
    let oneself = Object { second: Some((UserId([1; 16]), Party::Customer)), ..agreed.clone() };
    let fresh = |mut actor: Actor| {
        (actor.second_factor_set, actor.second_factor_at) = (true, Some(NOW));
        actor
    };
    let customer = person(&all, Party::Customer);
    let provider = person(&all, Party::Provider);
    let old = Actor { second_factor_at: Some(Timestamp::from_seconds(1_790_000_000 - 400)), ..fresh(customer.clone()) };
    let mut token = customer.clone();
    token.kind = ActorKind::Token(vec![Scope::Read]);
    let site = Object::all(ObjectKind::Site);
    let rows: Vec<(&str, Decision)> = vec![
        ("off", decide(&matrix, &Actor { alive: false, ..customer.clone() }, Verb::CaseRead, &case, NOW)),
        ("no role", decide(&matrix, &person(&[], Party::Customer), Verb::CaseTake, &case, NOW)),
        ("viewer takes", decide(&matrix, &person(&[Role::Viewer], Party::Customer), Verb::CaseTake, &case, NOW)),
        ("customer takes", decide(&matrix, &customer, Verb::CaseTake, &case, NOW)),
        ("guest without factor", decide(&matrix, &provider, Verb::CaseRead, &case, NOW)),
        ("guest reads case", decide(&matrix, &fresh(provider.clone()), Verb::CaseRead, &case, NOW)),
        ("guest takes", decide(&matrix, &fresh(provider.clone()), Verb::CaseTake, &case, NOW)),
        ("guest goes on", decide(&matrix, &fresh(provider.clone()), Verb::CaseClose, &taken, NOW)),
        (
            "guest reads events",
            decide(&matrix, &fresh(provider), Verb::EventRead, &Object::all(ObjectKind::Events), NOW),
        ),
        ("customer reads events", decide(&matrix, &customer, Verb::EventRead, &Object::all(ObjectKind::Events), NOW)),
        ("read token reads", decide(&matrix, &token, Verb::CaseRead, &case, NOW)),
        ("read token takes", decide(&matrix, &token, Verb::CaseTake, &case, NOW)),
        (
            "token stands for two",
            decide(
                &matrix,
                &Actor { kind: ActorKind::Token(Scope::ALL.to_vec()), ..customer.clone() },
                Verb::BreakGlass,
                &agreed,
                NOW,
            ),
        ),
        ("break glass alone", decide(&matrix, &fresh(customer.clone()), Verb::BreakGlass, &site, NOW)),
        ("break glass with oneself", decide(&matrix, &fresh(customer.clone()), Verb::BreakGlass, &oneself, NOW)),
        ("break glass by two", decide(&matrix, &fresh(customer.clone()), Verb::BreakGlass, &agreed, NOW)),
        ("break glass, old factor", decide(&matrix, &old, Verb::BreakGlass, &agreed, NOW)),
        ("break glass, no factor", decide(&matrix, &customer, Verb::BreakGlass, &agreed, NOW)),
        (
            "users, factor never proved",
            decide(&matrix, &Actor { second_factor_set: true, ..customer.clone() }, Verb::UserManage, &site, NOW),
        ),
        ("users, no factor set", decide(&matrix, &customer, Verb::UserManage, &site, NOW)),
        ("local", decide(&matrix, &Actor::local(), Verb::UserManage, &site, NOW)),
        ("local alone breaks glass", decide(&matrix, &Actor::local(), Verb::BreakGlass, &site, NOW)),
    ];
    let text: String = rows
        .into_iter()
        .map(|(name, decision)| match decision {
            Decision::Allow { because } => format!("{name:<28} allow: {because}\n"),
            Decision::Deny { because, how_to_get_access } => {
                format!("{name:<28} deny: {because} → {how_to_get_access}\n")
            }
        })
        .collect();
    insta::assert_snapshot!(text);
    assert_eq!(RoleSet::all().to_string().parse::<RoleSet>().unwrap(), RoleSet::all());
}
