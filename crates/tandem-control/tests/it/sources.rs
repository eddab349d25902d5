//! Sources appear by themselves and are counted; rules are switched with a reason.

use crate::world::World;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_control::{SiteInfo, SourceChange, SourceDelta};
use tandem_service::Actor;

#[tokio::test]
async fn a_source_is_counted_and_described() {
    let world = World::new();
    let control = world.open().await;
    let delta = |records, failures: usize| SourceDelta {
        id: "src-1".into(),
        name: "10.0.0.9".into(),
        transport: "syslog-udp".into(),
        received: world.now(),
        last_event: Some(world.now().minus(Duration::from_secs(5))),
        records,
        events: records * 2,
        parse_errors: failures as u64,
        generic: 1,
        bytes: 100,
        log_types: vec!["linux/sshd".into()],
        failures: (0..failures).map(|each| (format!("raw {each}"), "no time".into())).collect(),
    };
    control.sources_add(&[delta(5, 3)], None).await.unwrap();
    world.seconds(3600);
    let late = SourceDelta { last_event: None, log_types: vec!["linux/sudo".into()], ..delta(7, 30) };
    control.sources_add(&[late], None).await.unwrap();
    let source = control.source("src-1").await.unwrap();
    assert_eq!(
        (source.records, source.events, source.parse_errors, source.generic, source.bytes),
        (12, 24, 33, 2, 200)
    );
    assert_eq!(source.last_seen.since(source.first_seen), Duration::from_hours(1));
    assert_eq!(source.last_event, Some(source.first_seen.minus(Duration::from_secs(5))));
    assert_eq!(source.log_types, ["linux/sshd", "linux/sudo"]);
    assert_eq!(control.parse_failures("src-1").await.unwrap().len(), 20);
    let activity = control.activity(Some("src-1"), Timestamp::default()).await.unwrap();
    let slots: Vec<_> = activity.iter().map(|slot| (slot.records, slot.parse_errors, slot.generic)).collect();
    assert_eq!(slots, [(5, 3, 1), (7, 30, 1)]);

    let change = SourceChange {
        name: Some("edge firewall".into()),
        note: Some("old".into()),
        allowed: Some(false),
        owner: None,
    };
    control.source_change(&Actor::local(), "src-1", &change).await.unwrap();
    let change =
        SourceChange { note: Some(String::new()), owner: Some("network team".into()), ..SourceChange::default() };
    let source = control.source_change(&Actor::local(), "src-1", &change).await.unwrap();
    assert_eq!(
        (source.name.as_str(), source.note, source.owner.as_deref(), source.allowed),
        ("edge firewall", None, Some("network team"), false)
    );
    assert!(control.source_change(&Actor::local(), "other", &change).await.is_err());
    // More records do not undo what a person said.
    control.sources_add(&[delta(1, 0)], None).await.unwrap();
    assert_eq!(control.sources().await.unwrap()[0].name, "edge firewall");
}

#[tokio::test]
async fn rules_are_switched_with_a_reason() {
    let world = World::new();
    let control = world.open().await;
    assert!(control.rule_switch(&Actor::local(), "r", false, " ").await.is_err());
    control.rule_switch(&Actor::local(), "r", false, "too loud").await.unwrap();
    control.rule_switch(&Actor::local(), "r", true, "").await.unwrap();
    let switches = control.rule_switches().await.unwrap();
    assert_eq!((switches.len(), switches[0].enabled, switches[0].by.as_str()), (1, true, "local"));
}

#[tokio::test]
async fn the_site_is_initialised_once() {
    let world = World::new();
    let control = world.open().await;
    assert_eq!(control.site().await.unwrap(), None);
    let info = SiteInfo {
        name: "Example Ltd".into(),
        public_name: "siem.example.com".into(),
        epoch: u64::MAX - 5,
        created: world.now(),
        demo: true,
    };
    control.site_init(&info).await.unwrap();
    assert_eq!(control.site().await.unwrap().unwrap(), info);
    assert!(control.site_init(&info).await.is_err());
    control.set_epoch(&Actor::local(), 7).await.unwrap();
    assert_eq!(control.site().await.unwrap().unwrap().epoch, 7);
}
