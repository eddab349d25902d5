//! Acts on cases: stored with their act, refused with a reason, taken back within 60 seconds.

use crate::world::{World, somebody};
use tandem_control::{CaseQuery, CaseSort, CaseView, ControlError, NewCase};
use tandem_model::Level;
use tandem_service::{ActNo, CaseAct, CaseId, CaseKind, Priority, Role, State, Verdict};

fn new_case(title: &str, priority: Priority) -> NewCase {
    NewCase { title: title.into(), kind: CaseKind::Security, priority, text: "they called".into() }
}

#[tokio::test]
async fn two_people_cannot_take_one_case() {
    let world = World::new();
    let control = world.open().await;
    let (_, dana) = somebody(&control, "dana", &[Role::AnalystL1]).await;
    let (_, eve) = somebody(&control, "eve", &[Role::AnalystL1]).await;
    let mut changes = control.subscribe();
    let case = control.case_open(&dana, &new_case("Odd mail", Priority::P2)).await.unwrap();
    assert_eq!(case.id, CaseId(1));
    let taken = control.case_act(&dana, case.id, Some(case.version), &CaseAct::Take).await.unwrap();
    assert_eq!(taken.state, State::Triage);
    world.seconds(3);
    let refused = control.case_act(&eve, case.id, Some(case.version), &CaseAct::Take).await.unwrap_err();
    assert_eq!(refused.to_string(), "DANA took it 3 s ago");
    assert_eq!(refused.refusal().unwrap().code, "taken");
    // What the state allows is still a conflict when somebody acted on what was seen.
    let set = CaseAct::SetPriority { priority: Priority::P1, reason: "the boss".into() };
    let conflict = control.case_act(&eve, case.id, Some(case.version), &set).await.unwrap_err();
    assert_eq!(conflict.to_string(), "DANA acted on C-1 3 s ago: take");
    assert!(matches!(conflict, ControlError::Conflict { version: 2, .. }));
    control.case_act(&eve, case.id, Some(taken.version), &set).await.unwrap();
    let told: Vec<String> = std::iter::from_fn(|| changes.try_recv().ok()).map(|change| change.change).collect();
    assert_eq!(told, ["opened", "take", "set_priority"]);
}

#[tokio::test]
async fn detections_that_join_are_no_conflict() {
    let world = World::new();
    let control = world.open().await;
    let (_, dana) = somebody(&control, "dana", &[Role::AnalystL1]).await;
    control.judge(&[world.detection(1, "r", Level::High, "ws-1")], &[]).await.unwrap();
    let seen = control.case(CaseId(1)).await.unwrap().version;
    control.judge(&[world.detection(2, "r", Level::High, "ws-1")], &[]).await.unwrap();
    let case = control.case_act(&dana, CaseId(1), Some(seen), &CaseAct::Take).await.unwrap();
    assert!(case.version > seen + 1);
}

#[tokio::test]
async fn undo_restores_and_keeps_what_detections_brought() {
    let world = World::new();
    let control = world.open().await;
    let (_, dana) = somebody(&control, "dana", &[Role::AnalystL1]).await;
    let (_, eve) = somebody(&control, "eve", &[Role::AnalystL1]).await;
    control.judge(&[world.detection(1, "r", Level::High, "ws-1")], &[]).await.unwrap();
    let close = CaseAct::Close { verdict: Verdict::FalsePositive, reason: "ours".into() };
    control.case_act(&dana, CaseId(1), None, &close).await.unwrap();
    let history = control.case_history(CaseId(1)).await.unwrap();
    let closed = history.iter().find(|entry| entry.word == "close").unwrap();
    assert_eq!(closed.undo_until, Some(world.now().plus(std::time::Duration::from_mins(1))));
    let seq = closed.act;
    assert_eq!(control.case_undo(&eve, CaseId(1), seq).await.unwrap_err().refusal().unwrap().code, "not-yours");
    world.seconds(59);
    let back = control.case_undo(&dana, CaseId(1), seq).await.unwrap();
    assert_eq!((back.state, back.verdict, back.owner), (State::New, None, None));
    assert_eq!(control.case_undo(&dana, CaseId(1), seq).await.unwrap_err().refusal().unwrap().code, "too-late");
    // It is open again for grouping too.
    control.judge(&[world.detection(2, "r", Level::High, "ws-1")], &[]).await.unwrap();
    assert_eq!(control.case(CaseId(1)).await.unwrap().gathered.detections, 2);
    control.case_act(&dana, CaseId(1), None, &CaseAct::Take).await.unwrap();
    let seq = control.case_history(CaseId(1)).await.unwrap().last().unwrap().act;
    world.seconds(61);
    assert_eq!(control.case_undo(&dana, CaseId(1), seq).await.unwrap_err().refusal().unwrap().code, "too-late");
    assert!(matches!(control.case_undo(&dana, CaseId(1), ActNo(999)).await, Err(ControlError::NotFound { .. })));
}

#[tokio::test]
async fn the_queue_pages_filters_and_sorts() {
    let world = World::new();
    let control = world.open().await;
    let (user, dana) = somebody(&control, "dana", &[Role::AnalystL1]).await;
    let priorities = [Priority::P3, Priority::P1, Priority::P4, Priority::P2, Priority::P3];
    for round in 0..5 {
        for priority in priorities {
            world.seconds(1);
            control.case_open(&dana, &new_case(&format!("Case 100% _{round}_ {priority}"), priority)).await.unwrap();
        }
    }
    for no in [1, 2, 3] {
        control.case_act(&dana, CaseId(no), None, &CaseAct::Take).await.unwrap();
    }
    let until = Some(world.now().plus(std::time::Duration::from_hours(1)));
    control.case_act(&dana, CaseId(1), None, &CaseAct::Snooze { until }).await.unwrap();
    let close = CaseAct::Close { verdict: Verdict::Test, reason: "x".into() };
    control.case_act(&dana, CaseId(4), None, &close).await.unwrap();
    let counts = control.case_counts(Some(user.id)).await.unwrap();
    assert_eq!((counts.mine, counts.unowned, counts.open, counts.closed), (2, 21, 24, 1));
    for sort in [
        CaseSort::Priority,
        CaseSort::LeastUrgent,
        CaseSort::Opened,
        CaseSort::Oldest,
        CaseSort::Updated,
        CaseSort::Stale,
    ] {
        let whole = CaseQuery { view: CaseView::All, sort, limit: 500, ..CaseQuery::default() };
        let whole: Vec<u64> = control.case_page(&whole).await.unwrap().items.iter().map(|case| case.id.0).collect();
        assert_eq!(whole.len(), 25);
        let mut paged = Vec::new();
        let mut query = CaseQuery { view: CaseView::All, sort, limit: 4, ..CaseQuery::default() };
        loop {
            let page = control.case_page(&query).await.unwrap();
            paged.extend(page.items.iter().map(|case| case.id.0));
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, whole, "{sort:?}");
    }
    let find = async |q: &str, priorities: Vec<Priority>, states: Vec<State>| {
        let query =
            CaseQuery { view: CaseView::All, q: q.into(), priorities, states, limit: 100, ..CaseQuery::default() };
        control.case_page(&query).await.unwrap().items.len()
    };
    assert_eq!(find("100% _2_", vec![], vec![]).await, 5);
    assert_eq!(find("", vec![Priority::P1, Priority::P2], vec![]).await, 10);
    assert_eq!(find("", vec![], vec![State::Closed]).await, 1);
    assert_eq!(find("dana", vec![], vec![]).await, 4);
    assert_eq!(find("'; DROP TABLE cases; --", vec![], vec![]).await, 0);
    let wrong = CaseQuery { cursor: Some("x".into()), ..CaseQuery::default() };
    assert!(matches!(control.case_page(&wrong).await, Err(ControlError::Invalid { field: "cursor", .. })));
    world.seconds(3601);
    assert_eq!(control.case_counts(Some(user.id)).await.unwrap().mine, 3);
}

#[tokio::test]
async fn bulk_does_what_can_be_done_and_says_why_not() {
    let world = World::new();
    let control = world.open().await;
    let (_, dana) = somebody(&control, "dana", &[Role::AnalystL1]).await;
    let (_, eve) = somebody(&control, "eve", &[Role::AnalystL1]).await;
    for _ in 0..3 {
        control.case_open(&dana, &new_case("x", Priority::P3)).await.unwrap();
    }
    control.case_act(&eve, CaseId(2), None, &CaseAct::Take).await.unwrap();
    let close = CaseAct::Close { verdict: Verdict::BenignTruePositive, reason: "change 77".into() };
    let ids = [CaseId(1), CaseId(2), CaseId(3), CaseId(99)];
    let results = control.case_bulk(&dana, &ids, &close).await.unwrap();
    let text: Vec<String> = results
        .iter()
        .map(|(id, result)| match result {
            Ok(case) => format!("{id} {}", case.state),
            Err(error) => format!("{id}: {error}"),
        })
        .collect();
    assert_eq!(text, ["C-1 closed", "C-2: EVE took it 0 s ago", "C-3 closed", "C-99: there is no case `C-99`"]);
    let many: Vec<CaseId> = (1..=501).map(CaseId).collect();
    assert!(control.case_bulk(&dana, &many, &close).await.is_err());
}

#[tokio::test]
async fn merge_moves_everything_and_split_takes_some_out() {
    let world = World::new();
    let control = world.open().await;
    let (_, dana) = somebody(&control, "dana", &[Role::AnalystL2]).await;
    let detections = [
        world.detection(1, "r", Level::High, "ws-1"),
        world.detection(2, "s", Level::Critical, "ws-2"),
        world.detection(3, "s", Level::Critical, "ws-2"),
    ];
    control.judge(&detections, &[]).await.unwrap();
    let merged = control.case_merge(&dana, CaseId(2), CaseId(1)).await.unwrap();
    assert_eq!((merged.gathered.detections, merged.gathered.priority), (3, Priority::P2));
    let gone = control.case(CaseId(2)).await.unwrap();
    assert_eq!(
        (gone.state, gone.verdict, gone.merged_into),
        (State::Merged, Some(Verdict::Duplicate), Some(CaseId(1)))
    );
    let judged = control.judge(&[world.detection(4, "s", Level::Critical, "ws-2")], &[]).await.unwrap();
    assert_eq!(judged.judgements[0].case, Some(CaseId(1)));
    let again = control.case_merge(&dana, CaseId(2), CaseId(1)).await.unwrap_err();
    assert_eq!(again.refusal().unwrap().because, "C-2 is merged");
    let out = [detections[1].id, detections[2].id];
    let new = control.case_split(&dana, CaseId(1), &out, "The other matter").await.unwrap();
    assert_eq!((new.id, new.gathered.detections), (CaseId(3), 2));
    assert_eq!(control.case(CaseId(1)).await.unwrap().gathered.detections, 2);
    assert_eq!(control.case_evidence(CaseId(3)).await.unwrap().len(), 1);
    assert!(control.case_split(&dana, CaseId(1), &[], "").await.is_err());
}
