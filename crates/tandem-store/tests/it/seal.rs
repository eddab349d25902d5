//! From the tail to files and back.

use crate::sample::{EPOCH, arcs, detection, event, number, open, open_with, sql, up_to};
use tandem_model::Value;
use tandem_store::StoreConfig;

#[tokio::test]
async fn events_are_searchable_before_and_after_the_seal_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    assert_eq!(store.sealed_position(EPOCH).await.unwrap(), None);
    assert_eq!(store.append(arcs((0..10).map(event))).unwrap().taken, 10);
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 10);

    let sealed = store.seal(up_to(6), &[("import-1".to_owned(), 42)]).await.unwrap();
    assert_eq!((sealed.events, sealed.files), (6, 1));
    assert_eq!(store.stats().tail_events, 4);
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 10);
    assert_eq!(number(&store, "select COUNT(*) from Events where \"raw\" like '%number 7'").await, 1);
    drop(store);

    let store = open(folder.path()).await;
    assert_eq!(store.sealed_position(EPOCH).await.unwrap(), Some(6));
    assert_eq!(store.txn_version("import-1").await.unwrap(), Some(42));
    assert_eq!(store.txn_version("import-2").await.unwrap(), None);
    // The spool is read again from the sealed position; what lies before it is known.
    let appended = store.append(arcs((4..12).map(event))).unwrap();
    assert_eq!((appended.taken, appended.known), (6, 2));
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 12);
    assert_eq!(number(&store, "SELECT count(DISTINCT id) FROM events").await, 12);
}

#[tokio::test]
async fn days_of_receipt_and_families_have_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut events: Vec<_> = (0..3).map(|day| event(day * 86_400)).collect();
    events[2].typed[0].log_type = tandem_model::LogType::new("linux", "", "sshd");
    // A mad clock makes no further day.
    events[1].time = tandem_base::Timestamp::from_seconds(0);
    store.append(arcs(events)).unwrap();
    assert_eq!(store.seal(up_to(u64::MAX / 2), &[]).await.unwrap().files, 3);
    let rows = sql(&store, "SELECT day, family, count(*) FROM events GROUP BY day, family ORDER BY day").await;
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|v| v.as_ref().unwrap().to_string()).collect()).collect();
    let expected: Vec<Vec<String>> = vec![
        vec!["2026-10-11".into(), "windows".into(), "1".into()],
        vec!["2026-10-12".into(), "windows".into(), "1".into()],
        vec!["2026-10-13".into(), "linux".into(), "1".into()],
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_full_tail_takes_nothing_until_it_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), StoreConfig { tail_events_max: 5, ..StoreConfig::default() }).await;
    store.append(arcs((0..4).map(event))).unwrap();
    let full = store.append(arcs((4..6).map(event))).unwrap_err();
    assert_eq!(full.events, 4);
    store.seal(up_to(4), &[]).await.unwrap();
    store.append(arcs((4..6).map(event))).unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 6);
}

#[tokio::test]
async fn a_detection_is_there_once_however_often_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    store.append(arcs((0..4).map(event))).unwrap();
    let both = || vec![detection("r1", 0), detection("r2", 3)];
    assert_eq!(store.append_detections(both()).await.unwrap(), 2);
    assert_eq!(store.append_detections(both()).await.unwrap(), 0);
    let sealed = store.seal(up_to(2), &[]).await.unwrap();
    assert_eq!((sealed.events, sealed.detections), (2, 1));
    assert_eq!(store.append_detections(both()).await.unwrap(), 0);
    drop(store);

    let store = open(folder.path()).await;
    assert_eq!(store.append_detections(both()).await.unwrap(), 1);
    let rows = sql(&store, "SELECT rule_id, level, events FROM detections ORDER BY rule_id").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][0], Some(Value::from("r1")));
    assert_eq!(rows[1][2], Some(Value::List(vec![Value::from("000000000000abcd-3-0")])));
    let list = store
        .detections(
            &tandem_store::DetectionRequest::default(),
            &tandem_model::ReadScope::Everything,
            tandem_store::QueryLimits::default(),
            tokio_util::sync::CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(list, vec![detection("r2", 3), detection("r1", 0)]);
}
