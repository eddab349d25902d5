//! Compaction, retention, vacuum, damaged indexes.

use crate::sample::{EPOCH, arcs, catalogue, event, number, request, search, up_to};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tandem_base::{ManualClock, Timestamp};
use tandem_store::{SearchRequest, Store, StoreConfig};

const DAY: u64 = 86_400;

struct Site {
    store: Store,
    clock: Arc<ManualClock>,
}

async fn open(folder: &Path) -> Site {
    let clock = crate::sample::clock();
    let config = StoreConfig { merge_files: 3, removed_grace: Duration::from_mins(10), ..StoreConfig::default() };
    let store = Store::open_with(folder, catalogue(), clock.clone(), config).await.unwrap();
    store.sealed_position(EPOCH).await.unwrap();
    Site { store, clock }
}

async fn add(store: &Store, offsets: std::ops::Range<u64>) {
    let end = offsets.end;
    store
        .append(arcs(offsets.map(|offset| {
            let mut event = event(offset);
            event.vendor.set("EventID", (offset % 7).cast_signed());
            event.vendor.set("Unknown", format!("value {}", offset % 3));
            event
        })))
        .unwrap();
    store.seal(up_to(end), &[]).await.unwrap();
}

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, all: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, all);
            } else {
                all.push(path);
            }
        }
    }
    let mut all = Vec::new();
    walk(&folder.join("tables/events"), &mut all);
    all.retain(|path| path.to_string_lossy().ends_with(end) && !path.to_string_lossy().contains("_delta_log"));
    all
}

#[tokio::test]
async fn small_files_become_one_and_answers_stay_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let Site { store, clock } = open(folder.path()).await;
    add(&store, 0..10).await;
    add(&store, 10..20).await;
    assert_eq!(store.compact().await.unwrap().files_before, 0, "two are not enough on the present day");
    add(&store, 20..30).await;
    let asked = || SearchRequest { histogram: Some(3), ..request("EventID:3 AND Unknown:\"value 1\"") };
    let before = search(&store, asked()).await;
    assert_eq!(before.done.total, 1);
    let done = store.compact().await.unwrap();
    assert_eq!((done.files_before, done.files_after, done.rows), (3, 1, 30));
    assert_eq!(store.stats().files, 1);
    let after = search(&store, asked()).await;
    assert_eq!((after.rows, after.histogram), (before.rows, before.histogram));
    assert_eq!(number(&store, "SELECT count(DISTINCT id) FROM events").await, 30);
    let ordered = "SELECT count(*) FROM (SELECT time, lag(time) OVER () AS before FROM events) WHERE time < before";
    assert_eq!(number(&store, ordered).await, 0);

    // Removed files stay for their grace.
    assert_eq!(files(folder.path(), ".parquet").len(), 4);
    store.vacuum().await.unwrap();
    assert_eq!(files(folder.path(), ".parquet").len(), 4);
    clock.advance(Duration::from_secs(601));
    assert_eq!(store.vacuum().await.unwrap().files, 6);
    assert_eq!((files(folder.path(), ".parquet").len(), files(folder.path(), ".index").len()), (1, 1));
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 30);

    // A day that is over is merged as far as it goes.
    add(&store, 30..40).await;
    clock.advance(Duration::from_secs(DAY));
    assert_eq!(store.compact().await.unwrap().files_after, 1);
    assert_eq!(store.stats().files, 1);
    assert_eq!(store.compact().await.unwrap().files_before, 0);
}

#[tokio::test]
async fn retention_counts_from_the_day_of_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let Site { store, clock } = open(folder.path()).await;
    let mut old = event(0);
    // Happened long ago, received today.
    old.time = Timestamp::from_seconds(0);
    store.append(arcs([old])).unwrap();
    store.append_detections(vec![crate::sample::detection("rule", 0)]).await.unwrap();
    store.seal(up_to(1), &[]).await.unwrap();
    add(&store, 5 * DAY..5 * DAY + 3).await;
    clock.advance(Duration::from_secs(7 * DAY));
    assert_eq!(store.retain(7, 90).await.unwrap().rows, 0);
    let removed = store.retain(6, 90).await.unwrap();
    assert_eq!((removed.files, removed.rows), (1, 1));
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 3);
    assert_eq!(number(&store, "SELECT count(*) FROM detections").await, 1);
    assert_eq!(store.retain(6, 6).await.unwrap().rows, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM detections").await, 0);
    clock.advance(Duration::from_secs(601));
    store.vacuum().await.unwrap();
    assert_eq!(files(folder.path(), ".parquet").len(), 1);
    assert!(!folder.path().join("tables/events/day=2026-10-11").exists());
    drop(store);
    let again = open(folder.path()).await;
    assert_eq!(number(&again.store, "SELECT count(*) FROM events").await, 3);
}

#[tokio::test]
async fn a_damaged_or_missing_index_costs_time_and_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    {
        let Site { store, .. } = open(folder.path()).await;
        add(&store, 0..50).await;
    }
    let [path] = files(folder.path(), ".index").try_into().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let found = async || {
        let Site { store, .. } = open(folder.path()).await;
        search(&store, request("\"number 33\"")).await.done.total
    };
    assert_eq!(found().await, 1);
    for at in (0..whole.len()).step_by(whole.len() / 40 + 1) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&path, &damaged).unwrap();
        assert_eq!(found().await, 1, "byte {at}");
    }
    for length in [0, 7, 20, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(found().await, 1, "cut to {length}");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(found().await, 1);
}
