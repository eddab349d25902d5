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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_every_event_once_while_it_moves() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig { merge_files: 2, ..StoreConfig::default() };
    let store = open_with(folder.path(), config).await;
    let appended = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let writer = {
        let (store, appended) = (store.clone(), appended.clone());
        tokio::spawn(async move {
            for part in 0..12_u64 {
                store.append(arcs((part * 20..part * 20 + 20).map(event))).unwrap();
                appended.fetch_add(20, std::sync::atomic::Ordering::SeqCst);
                store.seal(up_to(part * 20 + 10), &[]).await.unwrap();
                store.compact().await.unwrap();
            }
        })
    };
    let mut rounds = 0;
    while !writer.is_finished() || rounds < 2 {
        let before = appended.load(std::sync::atomic::Ordering::SeqCst);
        let rows = sql(&store, "SELECT count(*), count(DISTINCT id) FROM events").await;
        let found = crate::sample::search(&store, crate::sample::request("* | stats count")).await;
        let after = appended.load(std::sync::atomic::Ordering::SeqCst) + 20;
        let searched = found.table.unwrap().rows[0][0].clone();
        assert_eq!(rows[0][0], rows[0][1]);
        for count in [rows[0][0].clone(), searched] {
            let Some(Value::Long(count)) = count else { panic!("{count:?}") };
            assert!((before..=after).contains(&count), "{count} of {before} to {after}");
        }
        rounds += 1;
    }
    writer.await.unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 240);
}

#[tokio::test]
async fn a_folder_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["with space", "per%20cent", "question?", "hash#1", "umlaut ä", "plus+equals=", "a;b'c\"d"] {
        let folder = folder.path().join(name);
        {
            let store = open(&folder).await;
            store.append(arcs((0..3).map(event))).unwrap();
            store.seal(up_to(3), &[]).await.unwrap();
        }
        let store = open(&folder).await;
        assert_eq!(number(&store, "SELECT count(*) FROM events").await, 3, "{name}");
        assert_eq!(store.sealed_position(EPOCH).await.unwrap(), Some(3), "{name}");
        assert!(folder.join("tables/events/_delta_log/00000000000000000000.json").exists(), "{name}");
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_refused_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await);
    let kind = tandem_model::FieldType::String;
    let other = vec![crate::sample::field("EventID", kind, tandem_model::Layer::Vendor)];
    let other = std::sync::Arc::new(tandem_model::Catalogue::new(2, other).unwrap());
    let opened = tandem_store::Store::open(folder.path(), other, crate::sample::clock()).await;
    let error = opened.err().unwrap().to_string();
    assert!(error.contains("`EventID`") && error.contains("long") && error.contains("string"), "{error}");
}
