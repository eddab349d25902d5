//! Detections become cases in one transaction, once.

use crate::world::World;
use std::collections::BTreeMap;
use tandem_control::{CaseQuery, CaseView, Control, DetectionQuery};
use tandem_model::{Detection, Entities, Level, RunId};
use tandem_service::{Actor, CaseId, State};

/// What is stored of grouping: for each case its state, priority and detections; and where each detection is.
async fn picture(control: &Control) -> (Vec<String>, BTreeMap<String, String>) {
    let query = CaseQuery { view: CaseView::All, limit: 500, ..CaseQuery::default() };
    let mut cases: Vec<String> = control
        .case_page(&query)
        .await
        .unwrap()
        .items
        .iter()
        .map(|case| format!("{} {} {} {}", case.id, case.state, case.gathered.priority, case.gathered.detections))
        .collect();
    cases.sort();
    let query = DetectionQuery { limit: 1000, ..DetectionQuery::default() };
    let page = control.detection_page(&query).await.unwrap();
    assert!(page.next_cursor.is_none());
    let places = page
        .items
        .iter()
        .map(|each| (each.detection.id.to_string(), each.case.map_or_else(|| "signal".into(), |case| case.to_string())))
        .collect();
    (cases, places)
}

/// A day of everything: same keys, spread, shared users, risk, signals.
fn a_day(world: &World) -> Vec<Detection> {
    let mut detections = Vec::new();
    let mut add = |rule: &str, level, host: &str, user: Option<&str>| {
        world.seconds(30);
        let mut each = world.detection(detections.len() as u64, rule, level, host);
        each.entities.user = user.map(Into::into);
        detections.push(each);
    };
    for round in 0..4 {
        add("dump", Level::High, "ws-1", Some("CORP\\dana"));
        add("low", Level::Low, "ws-1", None);
        add("move", Level::High, "srv-9.corp.example", Some("CORP\\dana"));
        for host in 0..3 {
            add("encrypt", Level::Critical, &format!("fs{}", host + round), None);
        }
        add(&format!("odd{round}"), Level::Medium, "kiosk", None);
        add(&format!("odder{round}"), Level::Medium, "KIOSK", None);
    }
    detections
}

#[tokio::test]
async fn a_batch_opens_joins_and_signals() {
    let world = World::new();
    let control = world.open().await;
    let detections = a_day(&world);
    let judged = control.judge(&detections, &[("detect", b"here")]).await.unwrap();
    assert_eq!(judged.judgements.len(), detections.len());
    assert_eq!(control.position("detect").await.unwrap().unwrap(), b"here");
    let (cases, places) = picture(&control).await;
    assert_eq!(cases, ["C-1 new P3 8", "C-2 new P1 12", "C-3 merged P2 1", "C-4 new P3 8"]);
    assert_eq!(places.values().filter(|place| *place == "signal").count(), 4);
    let case = control.case(CaseId(2)).await.unwrap();
    assert_eq!(case.gathered.spreading.as_ref().unwrap().rule, "encrypt");
    assert_eq!(control.case(CaseId(3)).await.unwrap().merged_into, Some(CaseId(2)));
    let evidence = control.case_evidence(CaseId(1)).await.unwrap();
    let rules: Vec<(String, u64)> =
        evidence.iter().map(|(each, count)| (each.detection.rule_id.to_string(), *count)).collect();
    assert_eq!(rules, [("dump".to_owned(), 4), ("move".to_owned(), 4)]);
    assert_eq!(evidence[0].0.detection, detections[0]);
    let hits: u64 = control
        .rule_hits(world.now().minus(std::time::Duration::from_hours(24)))
        .await
        .unwrap()
        .iter()
        .map(|each| each.hits)
        .sum();
    assert_eq!(hits, detections.len() as u64);
}

/// However a day is cut into batches, whether the program restarts between them, and whether some are judged
/// again: the same cases come out.
#[tokio::test]
async fn batches_restarts_and_repeats_change_nothing() {
    let world = World::new();
    let detections = a_day(&world);
    let mut pictures = Vec::new();
    for (size, restart, repeat) in
        [(1000, false, false), (1, false, false), (3, true, false), (5, true, true), (2, false, true)]
    {
        let other = World::new();
        other.clock.set(world.now());
        let mut control = other.open().await;
        for chunk in detections.chunks(size) {
            control.judge(chunk, &[]).await.unwrap();
            if repeat {
                let again = control.judge(chunk, &[]).await.unwrap();
                assert!(again.judgements.iter().all(|each| each.known) && again.cases.is_empty());
            }
            if restart {
                control.close().await.unwrap();
                control = other.open().await;
            }
        }
        pictures.push(picture(&control).await);
    }
    for other in &pictures[1..] {
        assert_eq!(*other, pictures[0]);
    }
}

#[tokio::test]
async fn a_case_that_a_person_closed_is_never_joined() {
    let world = World::new();
    let control = world.open().await;
    let actor = Actor::local();
    control.judge(&[world.detection(1, "r", Level::High, "ws-1")], &[]).await.unwrap();
    let close =
        tandem_service::CaseAct::Close { verdict: tandem_service::Verdict::FalsePositive, reason: "ours".into() };
    control.case_act(&actor, CaseId(1), None, &close).await.unwrap();
    let judged = control.judge(&[world.detection(2, "r", Level::High, "WS-1")], &[]).await.unwrap();
    assert!(judged.judgements[0].opened);
    let case = control.case(CaseId(2)).await.unwrap();
    assert_eq!(case.links, [CaseId(1)]);
    let similar = control.similar(CaseId(2)).await.unwrap();
    assert_eq!((similar.count, similar.benign), (1, 1));
    let page = control.similar_to(&[CaseId(1), CaseId(2), CaseId(99)]).await.unwrap();
    assert_eq!(page.get(&CaseId(2)), Some(&similar));
    assert_eq!(page.get(&CaseId(99)), None);
    control
        .case_act(&actor, CaseId(1), None, &tandem_service::CaseAct::Reopen { reason: "again".into() })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_newer_rule_brings_its_detection_up_to_date() {
    let world = World::new();
    let control = world.open().await;
    let mut detection = world.detection(1, "r", Level::High, "ws-1");
    control.judge(std::slice::from_ref(&detection), &[]).await.unwrap();
    detection.rule_version = "v2".into();
    detection.matches[0].value = "other".into();
    let judged = control.judge(std::slice::from_ref(&detection), &[]).await.unwrap();
    assert!(judged.judgements[0].known);
    let stored = control.detection(detection.id).await.unwrap();
    assert_eq!(stored.detection, detection);
    assert_eq!(control.case(CaseId(1)).await.unwrap().gathered.detections, 1);
}

#[tokio::test]
async fn history_stays_in_its_run_until_promoted() {
    let world = World::new();
    let control = world.open().await;
    let run = RunId([7; 16]);
    control.run_start(&Actor::local(), run, "old logs").await.unwrap();
    let mut detections: Vec<Detection> =
        (0..6).map(|each| world.detection(each, "r", Level::High, &format!("h{}", each % 4))).collect();
    detections.push(world.detection(9, "odd", Level::Medium, "kiosk"));
    for each in &mut detections {
        each.run = Some(run);
    }
    for each in &detections {
        control.judge(std::slice::from_ref(each), &[]).await.unwrap();
    }
    control.run_progress(run, tandem_control::RunProgress { files: 1, records: 70, events: 69 }).await.unwrap();
    control.run_end(run).await.unwrap();
    assert_eq!(control.case_counts(None).await.unwrap().open, 0);
    assert!(control.rule_hits(world.now().minus(std::time::Duration::from_hours(24))).await.unwrap().is_empty());
    let shown = control.run(run).await.unwrap();
    assert_eq!((shown.files, shown.records, shown.detections), (1, 70, 7));
    let groups = control.run_groups(run).await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0].gathered.detections, groups[0].gathered.priority.word()), (6, "P2"));
    assert!(
        control
            .detection_page(&DetectionQuery { limit: 10, ..DetectionQuery::default() })
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let case = control.run_promote(&Actor::local(), run, groups[0].number).await.unwrap();
    assert_eq!(control.run_promote(&Actor::local(), run, groups[0].number).await.unwrap().id, case.id);
    assert_eq!((case.id, case.state), (CaseId(1), State::New));
    let held = DetectionQuery { case: Some(case.id), limit: 10, ..DetectionQuery::default() };
    assert_eq!(control.detection_page(&held).await.unwrap().items.len(), 6);
    // What happens live on the same host joins the case that a person made of it.
    let live = control.judge(&[world.detection(50, "s", Level::High, "h1")], &[]).await.unwrap();
    assert_eq!(live.judgements[0].case, Some(CaseId(1)));
}

#[tokio::test]
async fn what_is_dropped_midway_leaves_nothing() {
    let world = World::new();
    let control = world.open().await;
    let detections = a_day(&world);
    for polls in 1..200 {
        // A future that is dropped after some polls: a cancelled request, a shutdown.
        let mut work = Box::pin(control.judge(&detections, &[("detect", b"there")]));
        let mut left = polls;
        let done = std::future::poll_fn(|context| {
            left -= 1;
            match work.as_mut().poll(context) {
                std::task::Poll::Pending if left > 0 => std::task::Poll::Pending,
                std::task::Poll::Pending => std::task::Poll::Ready(false),
                std::task::Poll::Ready(result) => {
                    result.unwrap();
                    std::task::Poll::Ready(true)
                }
            }
        })
        .await;
        drop(work);
        if done {
            break;
        }
    }
    control.judge(&detections, &[("detect", b"there")]).await.unwrap();
    let (cases, _) = picture(&control).await;
    assert_eq!(cases, ["C-1 new P3 8", "C-2 new P1 12", "C-3 merged P2 1", "C-4 new P3 8"]);
    let acts = control.acts_from(tandem_service::ActNo(1), 1000).await.unwrap();
    assert!(acts.iter().enumerate().all(|(index, act)| act.seq.0 == index as u64 + 1));
}

#[tokio::test]
async fn observed_hubs_are_not_joined_through() {
    let world = World::new();
    let control = world.open().await;
    let seen: Vec<_> = (0..40)
        .map(|host| {
            let entities =
                Entities { host: Some(format!("w{host}")), user: Some("CORP\\backup".into()), source_address: None };
            (entities, world.now())
        })
        .collect();
    control.observe(&seen).await.unwrap();
    let mut batch = vec![world.detection(1, "r", Level::High, "w1"), world.detection(2, "s", Level::High, "w2")];
    for each in &mut batch {
        each.entities.user = Some("CORP\\backup".into());
    }
    let judged = control.judge(&batch, &[]).await.unwrap();
    assert!(judged.judgements.iter().all(|each| each.opened));
}

#[tokio::test]
async fn a_storm_is_counted_whole_and_kept_in_part() {
    let world = World::new();
    let control = world.open().await;
    let storm: Vec<Detection> = (0..10_200).map(|each| world.detection(each, "storm", Level::High, "ws-1")).collect();
    let noise: Vec<Detection> =
        (0..90).map(|each| world.detection(each, "noise", Level::Low, &format!("h{}", each % 2))).collect();
    for chunk in storm.chunks(3000).chain([&noise[..]]) {
        control.judge(chunk, &[]).await.unwrap();
    }
    let again = control.judge(&storm[10_000..], &[]).await.unwrap();
    assert!(again.judgements.iter().all(|each| each.known && each.case == Some(CaseId(1))));
    assert!(control.judge(&noise, &[]).await.unwrap().judgements.iter().all(|each| each.known));
    let case = control.case(CaseId(1)).await.unwrap();
    assert_eq!((case.gathered.detections, case.gathered.rules[0].detections), (10_200, 10_200));
    assert_eq!(control.case_evidence(CaseId(1)).await.unwrap()[0].1, 10_000);
    let kept = DetectionQuery { rule: Some("noise".into()), limit: 1000, ..DetectionQuery::default() };
    assert_eq!(control.detection_page(&kept).await.unwrap().items.len(), 40);
    let hits: u64 = control.rule_hits(world.now()).await.unwrap().iter().map(|each| each.hits).sum();
    assert_eq!(hits, 10_290);
}
