//! Accounts, sign-in, sessions, links, second factor, tokens.

use crate::world::{PASSWORD, World, somebody};
use sha2::{Digest, Sha256};
use tandem_control::{ControlError, NewUser, SignInError, TokenKind, UserChange};
use tandem_service::{Actor, ActorKind, Party, Role, RoleSet, Scope};
use totp_rs::Builder;

#[tokio::test]
async fn sign_in_and_out() {
    let world = World::new();
    let control = world.open().await;
    let (user, _) = somebody(&control, "dana", &[Role::AnalystL1]).await;
    for (name, password) in [("dana", "wrong horse battery"), ("nobody", PASSWORD), ("dana", "")] {
        assert!(matches!(control.sign_in(name, password, None, "10.0.0.1").await, Err(SignInError::Failed)));
    }
    let signed = control.sign_in(" DANA ", PASSWORD, None, "10.0.0.1").await.unwrap();
    assert_eq!(signed.user.id, user.id);
    assert!(!format!("{signed:?}").contains(&signed.token));
    let session = control.session(&signed.token).await.unwrap().unwrap();
    assert_eq!((session.actor.id, session.actor.roles), (user.id, user.roles));
    assert!(control.session("tandem_session_00").await.unwrap().is_none());
    let stored = std::fs::read(world.folder.path().join("control.db-wal")).unwrap();
    let needle = signed.token.as_bytes();
    assert!(!stored.windows(needle.len()).any(|bytes| bytes == needle), "the token itself is stored");
    control.session_end(&signed.token).await.unwrap();
    assert!(control.session(&signed.token).await.unwrap().is_none());
}

#[tokio::test]
async fn sessions_end_when_idle_and_at_last() {
    let world = World::new();
    let control = world.open().await;
    somebody(&control, "dana", &[]).await;
    let signed = control.sign_in("dana", PASSWORD, None, "p").await.unwrap();
    for _ in 0..14 {
        world.seconds(11 * 3600);
        assert!(control.session(&signed.token).await.unwrap().is_some());
    }
    world.seconds(14 * 3600);
    assert!(control.session(&signed.token).await.unwrap().is_none(), "7 days are over");
    let signed = control.sign_in("dana", PASSWORD, None, "p").await.unwrap();
    world.seconds(12 * 3600);
    assert!(control.session(&signed.token).await.unwrap().is_none(), "12 hours idle");
    world.seconds(8 * 86_400);
    assert_eq!(control.tidy(30).await.unwrap().sessions, 2);
}

#[tokio::test]
async fn failures_slow_down_and_are_forgotten() {
    let world = World::new();
    let control = world.open().await;
    somebody(&control, "dana", &[]).await;
    for _ in 0..5 {
        assert!(matches!(control.sign_in("dana", "wrong wrong", None, "p1").await, Err(SignInError::Failed)));
    }
    let Err(SignInError::Throttled { until }) = control.sign_in("dana", PASSWORD, None, "p2").await else {
        panic!("the right password must wait too")
    };
    assert_eq!(until, world.now().plus(std::time::Duration::from_secs(1)));
    world.seconds(1);
    assert!(matches!(control.sign_in("Dana", "wrong wrong", None, "p1").await, Err(SignInError::Failed)));
    world.seconds(1);
    assert!(matches!(control.sign_in("dana", PASSWORD, None, "p1").await, Err(SignInError::Throttled { .. })));
    world.seconds(1);
    control.sign_in("dana", PASSWORD, None, "p1").await.unwrap();
    assert!(
        matches!(control.sign_in("dana", "wrong wrong", None, "p1").await, Err(SignInError::Failed)),
        "counts anew"
    );
    for other in 0..30 {
        drop(control.sign_in(&format!("guess{other}"), "wrong wrong", None, "attacker").await);
    }
    assert!(matches!(control.sign_in("dana", PASSWORD, None, "attacker").await, Err(SignInError::Throttled { .. })));
}

#[tokio::test]
async fn a_link_opens_once_within_fifteen_minutes() {
    let world = World::new();
    let control = world.open().await;
    let new = NewUser {
        name: "new".into(),
        display_name: String::new(),
        party: Party::Customer,
        roles: RoleSet::all(),
        password: None,
    };
    let user = control.user_create(&Actor::local(), &new).await.unwrap();
    assert!(matches!(control.sign_in("new", "", None, "p").await, Err(SignInError::Failed)));
    let link = control.link_create(&Actor::local(), user.id).await.unwrap();
    let signed = control.link_use(&link, "p").await.unwrap();
    assert!(control.session(&signed.token).await.unwrap().is_some());
    assert!(matches!(control.link_use(&link, "p").await, Err(SignInError::Link)));
    let link = control.link_create(&Actor::local(), user.id).await.unwrap();
    world.seconds(15 * 60);
    assert!(matches!(control.link_use(&link, "p").await, Err(SignInError::Link)));
    // Whoever came by a link may choose a first password.
    control.password_change(&user.actor(), "", PASSWORD, Some(&signed.token)).await.unwrap();
    assert!(control.session(&signed.token).await.unwrap().is_some());
    control.sign_in("new", PASSWORD, None, "p").await.unwrap();
}

#[tokio::test]
async fn second_factor_is_asked_for_and_taken_once() {
    let world = World::new();
    let control = world.open().await;
    let (user, actor) = somebody(&control, "dana", &[Role::AnalystL1]).await;
    let setup = control.second_factor_begin(&actor).await.unwrap();
    assert!(setup.uri.starts_with("otpauth://totp/Tandem%3Adana?secret="));
    let seed = unbase32(&setup.secret);
    let code = |world: &World| {
        let totp = Builder::new().with_secret(seed.clone()).build().unwrap();
        totp.generate(u64::try_from(world.now().seconds()).unwrap()).to_string()
    };
    control.sign_in("dana", PASSWORD, None, "p").await.expect("not confirmed yet");
    assert!(control.second_factor_confirm(&actor, "000000").await.is_err());
    let first = code(&world);
    control.second_factor_confirm(&actor, &first).await.unwrap();
    assert!(matches!(control.sign_in("dana", PASSWORD, None, "p").await, Err(SignInError::SecondFactorRequired)));
    assert!(
        matches!(control.sign_in("dana", PASSWORD, Some(&first), "p").await, Err(SignInError::Failed)),
        "used before"
    );
    world.seconds(30);
    let signed = control.sign_in("dana", PASSWORD, Some(&code(&world)), "p").await.unwrap();
    let session = control.session(&signed.token).await.unwrap().unwrap();
    assert_eq!(session.actor.second_factor_at, Some(world.now()));
    world.seconds(30);
    assert!(control.session_prove(&signed.token, user.id, &code(&world)).await.unwrap());
    control.second_factor_off(&Actor::local(), user.id).await.unwrap();
    control.sign_in("dana", PASSWORD, None, "p").await.unwrap();
}

fn unbase32(text: &str) -> Vec<u8> {
    let (mut held, mut bits, mut bytes) = (0_u32, 0, Vec::new());
    for c in text.bytes() {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|each| *each == c).unwrap();
        held = (held << 5 | digit as u32) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    bytes
}

#[tokio::test]
async fn accounts_are_checked() {
    let world = World::new();
    let control = world.open().await;
    let (admin, _) = somebody(&control, "admin", &[Role::SiteAdmin]).await;
    let make = async |name: &str, password: &str| {
        let new = NewUser {
            name: name.into(),
            display_name: String::new(),
            party: Party::Customer,
            roles: RoleSet::default(),
            password: Some(password.into()),
        };
        control.user_create(&Actor::local(), &new).await.map_err(|error| error.to_string())
    };
    for (name, password) in [
        ("", PASSWORD),
        ("a b", PASSWORD),
        ("Admin", PASSWORD),
        ("x", "short"),
        ("xavier", "xavierxavier1"),
        ("x", "aaaaaaaaaaaa"),
    ] {
        assert!(make(name, password).await.is_err(), "{name} {password}");
    }
    let last = UserChange { roles: Some(RoleSet::default()), ..UserChange::default() };
    let refused = control.user_change(&Actor::local(), admin.id, &last).await.unwrap_err();
    assert_eq!(refused.to_string(), "this is the last site admin; make another one first");
    let other = make("other", PASSWORD).await.unwrap();
    let up = UserChange { roles: Some([Role::SiteAdmin].into_iter().collect()), ..UserChange::default() };
    control.user_change(&Actor::local(), other.id, &up).await.unwrap();
    let signed = control.sign_in("admin", PASSWORD, None, "p").await.unwrap();
    let off = UserChange { enabled: Some(false), ..UserChange::default() };
    control.user_change(&Actor::local(), admin.id, &off).await.unwrap();
    assert!(control.session(&signed.token).await.unwrap().is_none());
    assert!(matches!(control.sign_in("admin", PASSWORD, None, "p").await, Err(SignInError::Failed)));
    assert_eq!(control.users().await.unwrap().len(), 2);
}

#[tokio::test]
async fn tokens_are_shown_once_and_end() {
    let world = World::new();
    let control = world.open().await;
    let (user, actor) = somebody(&control, "dana", &[Role::AnalystL1, Role::SiteAdmin]).await;
    let narrowed = Some([Role::AnalystL1].into_iter().collect());
    let made = control.api_token_create(&actor, "script", &[Scope::Read], narrowed, Some(1)).await.unwrap();
    let acting = control.api_token_actor(&made.secret).await.unwrap().unwrap();
    assert_eq!(acting.kind, ActorKind::Token(vec![Scope::Read]));
    assert!(acting.roles.contains(Role::AnalystL1) && !acting.roles.contains(Role::SiteAdmin));
    assert!(control.ingest_token(&made.secret).await.unwrap().is_none(), "of another kind");
    let ingest = control.ingest_token_create(&actor, "firewall").await.unwrap();
    assert_eq!(control.ingest_token(&ingest.secret).await.unwrap().unwrap().name, "firewall");
    let hashes = control.ingest_token_hashes().await.unwrap();
    assert_eq!(hashes.len(), 1);
    assert_eq!((&hashes[0].1.name[..], hashes[0].0), ("firewall", Sha256::digest(ingest.secret.as_bytes()).into()));
    assert_eq!(control.tokens(TokenKind::Ingest, None).await.unwrap()[0].last_used, Some(world.now()));
    assert_eq!(control.tokens(TokenKind::Api, Some(user.id)).await.unwrap().len(), 1);
    let wrong_kind = control.token_end(&actor, TokenKind::Api, &ingest.token.id, None).await;
    assert!(matches!(wrong_kind, Err(ControlError::NotFound { .. })));
    control.token_end(&actor, TokenKind::Ingest, &ingest.token.id, None).await.unwrap();
    assert!(control.ingest_token(&ingest.secret).await.unwrap().is_none());
    assert_eq!(control.ingest_token_hashes().await.unwrap(), []);
    world.seconds(86_400);
    assert!(control.api_token_actor(&made.secret).await.unwrap().is_none());
}
