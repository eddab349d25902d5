//! A process that dies at any step of a seal, a compaction or a retention loses nothing and doubles nothing.

use crate::sample::{EPOCH, arcs, detection, event, number, open, up_to};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tandem_store::{Store, StoreConfig, StoreError};

/// A store that stops at its `at`-th step, and the names of the steps that it took.
async fn opened(folder: &Path, at: usize) -> (Store, Arc<Mutex<Vec<&'static str>>>) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let count = AtomicUsize::new(0);
    let names = steps.clone();
    let config = StoreConfig {
        fail_point: Some(Arc::new(move |name| {
            names.lock().push(name);
            count.fetch_add(1, Ordering::SeqCst) >= at
        })),
        merge_files: 2,
        ..StoreConfig::default()
    };
    (crate::sample::open_with(folder, config).await, steps)
}

/// Files in the folders of the tables that are no part of the Delta log.
fn files(folder: &Path) -> BTreeSet<String> {
    fn walk(folder: &Path, root: &Path, all: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, all);
            } else {
                all.insert(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut all = BTreeSet::new();
    walk(&folder.join("tables"), &folder.join("tables"), &mut all);
    all.retain(|name| !name.contains("_delta_log"));
    all
}

async fn check(store: &Store, events: i64, detections: i64) {
    assert_eq!(number(store, "SELECT count(*) FROM events").await, events);
    assert_eq!(number(store, "SELECT count(DISTINCT id) FROM events").await, events);
    assert_eq!(number(store, "SELECT count(*) FROM detections").await, detections);
    assert_eq!(number(store, "SELECT count(DISTINCT id) FROM detections").await, detections);
}

/// What a site does at its start: read the spool again from the sealed position, and detect again.
async fn replay(store: &Store) {
    let from = store.sealed_position(EPOCH).await.unwrap().unwrap_or(0);
    store.append(arcs((from..20).map(event))).unwrap();
    for offset in from..20 {
        store.append_detections(vec![detection("rule", offset)]).await.unwrap();
    }
}

#[tokio::test]
async fn a_seal_that_dies_at_any_step_is_made_good_at_the_next_start() {
    let mut at = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let (store, steps) = opened(folder.path(), at).await;
        replay(&store).await;
        let died = match store.seal(up_to(15), &[("import".to_owned(), 3)]).await {
            Ok(_) => false,
            Err(StoreError::FailPoint(_)) => true,
            Err(other) => panic!("{other:?}"),
        };
        drop(store);
        let store = open(folder.path()).await;
        replay(&store).await;
        check(&store, 20, 20).await;
        store.seal(up_to(20), &[]).await.unwrap();
        check(&store, 20, 20).await;
        // Files that no commit names are gone.
        let stats = store.stats();
        let left =
            files(folder.path()).iter().filter(|name| name.starts_with("events") && name.ends_with(".parquet")).count();
        assert_eq!(left as u64, stats.files, "died at {:?}", steps.lock().last());
        if !died {
            assert!(at >= 6, "the seal has at least so many steps: {:?}", steps.lock());
            return;
        }
        at += 1;
    }
}

/// The process dies between the two commits of a seal, and the next one seals before it has come that far again.
#[tokio::test]
async fn detections_that_came_further_than_events_stay_known_through_smaller_seals() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        fail_point: Some(Arc::new(|name| name == "seal: detections are committed")),
        ..StoreConfig::default()
    };
    let store = crate::sample::open_with(folder.path(), config).await;
    replay(&store).await;
    assert!(matches!(store.seal(up_to(15), &[]).await, Err(StoreError::FailPoint(_))));
    drop(store);
    let again = async |store: &Store, offsets: std::ops::Range<u64>| {
        for offset in offsets {
            store.append(arcs([event(offset)])).unwrap();
            store.append_detections(vec![detection("rule", offset)]).await.unwrap();
        }
    };
    let store = open(folder.path()).await;
    assert_eq!(store.sealed_position(EPOCH).await.unwrap(), None);
    again(&store, 0..5).await;
    // Something new on an early event, so that detections are committed, too.
    store.append_detections(vec![detection("another rule", 2)]).await.unwrap();
    store.seal(up_to(5), &[]).await.unwrap();
    again(&store, 5..8).await;
    check(&store, 8, 16).await;
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(store.sealed_position(EPOCH).await.unwrap(), Some(5));
    again(&store, 5..20).await;
    check(&store, 20, 21).await;
    store.seal(up_to(20), &[]).await.unwrap();
    check(&store, 20, 21).await;
}

#[tokio::test]
async fn a_seal_that_failed_can_be_made_again_by_the_same_process() {
    let folder = tempfile::tempdir().unwrap();
    let fails = Arc::new(AtomicUsize::new(0));
    let counter = fails.clone();
    let config = StoreConfig {
        fail_point: Some(Arc::new(move |_| [1, 4, 9, 15, 22].contains(&counter.fetch_add(1, Ordering::SeqCst)))),
        ..StoreConfig::default()
    };
    let store = crate::sample::open_with(folder.path(), config).await;
    replay(&store).await;
    let mut tries = 0;
    while store.seal(up_to(20), &[]).await.is_err() {
        tries += 1;
        check(&store, 20, 20).await;
    }
    assert!(tries > 2, "{tries}");
    check(&store, 20, 20).await;
    assert_eq!(store.stats().tail_events, 0);
}

#[tokio::test]
async fn a_compaction_that_dies_at_any_step_changes_no_answer() {
    let mut at = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        {
            let store = open(folder.path()).await;
            for part in 0..4 {
                store.append(arcs((part * 5..part * 5 + 5).map(event))).unwrap();
                store.seal(up_to(part * 5 + 5), &[]).await.unwrap();
            }
        }
        let (store, steps) = opened(folder.path(), at).await;
        let died = match store.compact().await {
            Ok(done) => {
                assert_eq!(done.files_before, 4);
                false
            }
            Err(StoreError::FailPoint(_)) => true,
            Err(other) => panic!("{other:?}"),
        };
        check(&store, 20, 0).await;
        drop(store);
        let store = open(folder.path()).await;
        check(&store, 20, 0).await;
        if !died {
            assert!(at >= 4, "{:?}", steps.lock());
            return;
        }
        at += 1;
    }
}

#[tokio::test]
async fn a_retention_that_dies_at_any_step_is_ended_by_the_next() {
    let mut at = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let now = |days: u64| {
            let start = tandem_base::Timestamp::from_seconds(crate::sample::START);
            Arc::new(tandem_base::ManualClock::at(start.plus(std::time::Duration::from_hours(24 * days))))
        };
        {
            let store = open(folder.path()).await;
            store.append(arcs([event(0), event(86_400 * 30)])).unwrap();
            store.append_detections(vec![detection("rule", 0)]).await.unwrap();
            store.seal(up_to(u64::MAX / 2), &[]).await.unwrap();
        }
        let count = AtomicUsize::new(0);
        let config = StoreConfig {
            fail_point: Some(Arc::new(move |_| count.fetch_add(1, Ordering::SeqCst) >= at)),
            removed_grace: std::time::Duration::ZERO,
            ..StoreConfig::default()
        };
        let clock = now(31);
        let store = Store::open_with(folder.path(), crate::sample::catalogue(), clock.clone(), config).await.unwrap();
        let run = async |store: &Store, clock: &tandem_base::ManualClock| {
            store.retain(10, 10).await?;
            clock.advance(std::time::Duration::from_secs(1));
            store.vacuum().await
        };
        let died = run(&store, &clock).await.is_err();
        drop(store);
        let config = StoreConfig { removed_grace: std::time::Duration::ZERO, ..StoreConfig::default() };
        let clock = now(32);
        let store = Store::open_with(folder.path(), crate::sample::catalogue(), clock.clone(), config).await.unwrap();
        run(&store, &clock).await.unwrap();
        check(&store, 1, 0).await;
        let left = files(folder.path());
        assert_eq!(left.len(), 2, "one data file and its index: {left:?}");
        if !died {
            assert!(at >= 4);
            return;
        }
        at += 1;
    }
}
