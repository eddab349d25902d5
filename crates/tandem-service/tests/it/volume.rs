//! Many detections: a storm is one case, distinct incidents stay distinct.

use crate::desk::{Desk, detection};
use std::collections::BTreeSet;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::{Entities, Level};
use tandem_service::{AlertPolicy, State};

fn start() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}

#[test]
fn a_storm_of_ten_thousand_is_one_case() {
    let mut desk = Desk::new(AlertPolicy::standard());
    for ordinal in 0..10_000_u64 {
        let at = start().plus(Duration::from_millis(ordinal * 700));
        let host = ["WS-7", "ws-7.corp.example", "Ws-7.CORP.example."][ordinal as usize % 3];
        let entities = Entities { host: Some(host.into()), user: Some("CORP\\dana".into()), source_address: None };
        desk.judge(&detection(ordinal, "storm", Level::High, at, entities));
    }
    assert_eq!(desk.cases.len(), 1);
    let case = &desk.cases[&1].gathered;
    assert_eq!((case.detections, case.rules[0].detections, case.entities.len()), (10_000, 10_000, 2));
}

/// Fifty incidents of four steps each on a host and account of their own, interleaved, among the noise of
/// machine accounts, well-known accounts and a scanner that touches everybody.
#[test]
fn fifty_distinct_incidents_stay_fifty_cases() {
    let mut desk = Desk::new(AlertPolicy::standard());
    let mut ordinal = 0;
    let mut next = |rule: &str, level, minutes: u64, entities| {
        ordinal += 1;
        detection(ordinal, rule, level, start().plus(Duration::from_mins(minutes)), entities)
    };
    let entities = |host: String, user: &str, address: &str| Entities {
        host: Some(host),
        user: Some(user.into()),
        source_address: Some(address.into()),
    };
    for step in 0..4 {
        for incident in 0..50_u64 {
            // Begun 31 minutes apart, so that no rule is on three hosts within an hour.
            let minutes = incident * 31 + step;
            let user = if step % 2 == 0 { format!("CORP\\user{incident}") } else { "NT AUTHORITY\\SYSTEM".into() };
            let host = if step == 3 { format!("srv{incident}.corp.example") } else { format!("SRV{incident}") };
            let one = next(&format!("step{step}"), Level::High, minutes, entities(host, &user, "10.9.9.9"));
            desk.judge(&one);
        }
    }
    for host in 0..50 {
        for (user, rule) in [("SYSTEM", "noise"), ("CORP\\SCANNER$", "noise2"), ("root", "noise3")] {
            let host = format!("other{host}");
            desk.judge(&next(rule, Level::Low, 30, entities(host, user, "127.0.0.1")));
        }
    }
    let open: Vec<_> = desk.cases.values().filter(|case| case.state != State::Merged).collect();
    assert_eq!(open.len(), 50);
    let mut hosts = BTreeSet::new();
    for case in open {
        let of_case: BTreeSet<&str> = case
            .gathered
            .entities
            .iter()
            .filter(|entity| entity.key.value.starts_with("srv"))
            .map(|entity| entity.key.value.as_str())
            .collect();
        assert_eq!((of_case.len(), case.gathered.detections), (1, 4), "{}", case.gathered.title);
        hosts.extend(of_case);
    }
    assert_eq!(hosts.len(), 50);
}

/// A company of 100 hosts on a quiet day: mostly low and medium noise.
#[test]
fn noise_of_a_hundred_hosts_stays_signals() {
    let mut desk = Desk::new(AlertPolicy::standard());
    for ordinal in 0..20_000_u64 {
        let at = start().plus(Duration::from_secs(ordinal * 4));
        let level = if ordinal % 10 == 0 { Level::Medium } else { Level::Low };
        // Three medium rules per host at most, however often they fire.
        let rule = format!("noise{}", if level == Level::Medium { ordinal / 10 % 3 } else { ordinal % 40 % 7 + 10 });
        let entities = Entities { host: Some(format!("ws{}", ordinal % 97)), ..Entities::default() };
        desk.judge(&detection(ordinal, &rule, level, at, entities));
    }
    assert!(desk.cases.len() < 5, "{} cases", desk.cases.len());
}
