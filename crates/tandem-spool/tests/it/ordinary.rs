//! When nothing fails.

use crate::{EPOCH, append, create, folder, open, read_all, small, spool_files};
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tandem_base::RealDisk;
use tandem_spool::{AppendError, Limits, OpenError, ReadError, Spool};
use tandem_testkit::disk::MemDisk;

#[test]
fn records_come_back_in_order_after_opening_again() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    let payloads: Vec<Vec<u8>> = (0..300_usize).map(|n| format!("record {n} {}", "x".repeat(n)).into_bytes()).collect();
    for batch in payloads.chunks(7) {
        spool.append(batch.to_vec()).wait().unwrap();
    }
    let expected: Vec<(u64, Vec<u8>)> = (0..).zip(payloads).collect();
    assert_eq!(read_all(&spool), (expected.clone(), Vec::new()));
    assert!(spool.status().files > 5);
    drop(spool);
    let (spool, recovery) = open(&disk);
    assert!(recovery.is_clean());
    assert_eq!(spool.epoch(), EPOCH);
    assert_eq!(read_all(&spool), (expected.clone(), Vec::new()));
    for offset in [0, 1, 6, 7, 150, 299] {
        assert_eq!(spool.read_from(offset, 1).unwrap().records[0], expected[offset as usize], "{offset}");
    }
    assert_eq!(append(&spool, b"next"), 300);
}

#[test]
fn one_sync_covers_what_gathered() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    // The writer stands in the first completion until all others have been queued.
    let (go, wait) = mpsc::channel::<()>();
    spool.append_then(vec![b"first".to_vec()], move |_| wait.recv().unwrap());
    let tickets: Vec<_> = (0..50).map(|n| spool.append(vec![vec![n]])).collect();
    go.send(()).unwrap();
    let offsets: Vec<u64> = tickets.into_iter().map(|ticket| ticket.wait().unwrap().start).collect();
    assert_eq!(offsets, (1..51).collect::<Vec<_>>());
    assert!(spool.status().groups <= 3, "{}", spool.status().groups);
}

#[test]
fn a_ticket_is_a_future() {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let spool = create(&MemDisk::new());
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut ticket = std::pin::pin!(spool.append(vec![b"a".to_vec(), b"b".to_vec()]));
    let offsets = loop {
        match ticket.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(offsets) => break offsets.unwrap(),
            Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(offsets, 0..2);
}

#[test]
fn empty_records_and_empty_appends() {
    let spool = create(&MemDisk::new());
    assert_eq!(spool.append(Vec::new()).wait().unwrap(), 0..0);
    assert_eq!(spool.append(vec![Vec::new(), Vec::new()]).wait().unwrap(), 0..2);
    assert_eq!(spool.read_from(0, 1).unwrap().records, [(0, Vec::new()), (1, Vec::new())]);
    assert_eq!(spool.read_from(2, 1).unwrap().next, 2);
}

#[test]
fn trimming_removes_whole_files_only_and_keeps_the_last() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    for n in 0..100_u8 {
        append(&spool, &[n; 40]);
    }
    let files = spool_files(&disk).len();
    let first = spool.trim(50).unwrap();
    assert!(first > 0 && first <= 50);
    assert!(spool_files(&disk).len() < files);
    assert_eq!(spool.read_from(50, 1).unwrap().records[0], (50, vec![50; 40]));
    assert!(matches!(spool.read_from(first - 1, 1), Err(ReadError::Trimmed { first: kept }) if kept == first));
    assert!(matches!(spool.read_from(101, 1), Err(ReadError::BeyondEnd { next: 100 })));
    spool.trim(u64::MAX).unwrap();
    assert_eq!(spool_files(&disk).len(), 1);
    drop(spool);
    let (spool, _) = open(&disk);
    assert_eq!(append(&spool, b"next"), 100);
}

#[test]
fn a_full_spool_refuses_until_it_is_trimmed() {
    let disk = MemDisk::new();
    let limits = Limits { spool_bytes_max: 4_000, ..small() };
    let spool = Spool::create(Arc::new(disk), &folder(), EPOCH, limits).unwrap();
    // Noise, so that blocks do not shrink.
    let payload =
        |n: u32| -> Vec<u8> { (0..300_u32).map(|m| ((n * 300 + m).wrapping_mul(2_654_435_761) >> 24) as u8).collect() };
    let mut count = 0;
    let error = loop {
        match spool.append(vec![payload(count)]).wait() {
            Ok(_) if count < 1_000 => count += 1,
            Ok(_) => panic!("nothing is refused"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::Full { max_bytes: 4_000, .. }) && error.is_temporary(), "{error}");
    assert!(spool.status().size_bytes <= 4_000 && count > 5);
    spool.trim(u64::from(count)).unwrap();
    assert_eq!(spool.append(vec![payload(count)]).wait().unwrap().start, u64::from(count));
}

#[test]
fn too_large_and_too_much() {
    let spool = create(&MemDisk::new());
    let error = spool.append(vec![vec![0; 2_000], vec![0; 2_001]]).wait().unwrap_err();
    assert!(matches!(error, AppendError::TooLarge { index: Some(1), size_bytes: 2_001, max_bytes: 2_000 }));
    let error = spool.append(vec![vec![0; 2_000]; 51]).wait().unwrap_err();
    assert!(matches!(error, AppendError::TooLarge { index: None, .. }) && !error.is_temporary());
    let (go, wait) = mpsc::channel::<()>();
    spool.append_then(vec![b"first".to_vec()], move |_| wait.recv().unwrap());
    let tickets: Vec<_> = (0..60).map(|_| spool.append(vec![vec![0; 2_000]])).collect();
    go.send(()).unwrap();
    let refused = tickets.into_iter().filter_map(|ticket| ticket.wait().err()).collect::<Vec<_>>();
    assert!(!refused.is_empty() && refused.len() < 15, "{}", refused.len());
    assert!(refused.iter().all(|error| matches!(error, AppendError::QueueFull { .. })));
}

#[test]
fn readers_wait_for_new_records() {
    let spool = Arc::new(create(&MemDisk::new()));
    assert!(!spool.wait_for(0, Duration::from_millis(1)));
    let reader = std::thread::spawn({
        let spool = spool.clone();
        move || spool.wait_for(2, Duration::from_mins(1)).then(|| spool.read_from(0, 1_000_000).unwrap().records.len())
    });
    append(&spool, b"a");
    append(&spool, b"b");
    append(&spool, b"c");
    assert_eq!(reader.join().unwrap(), Some(3));
    // Closing wakes those who wait for what will not come.
    let reader = std::thread::spawn({
        let spool = spool.clone();
        move || spool.wait_for(3, Duration::from_mins(1))
    });
    spool.close();
    assert!(!reader.join().unwrap());
    assert!(matches!(spool.append(vec![b"d".to_vec()]).wait(), Err(AppendError::Closed)));
}

#[test]
fn closing_writes_what_waits() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    let tickets: Vec<_> = (0..20_u8).map(|n| spool.append(vec![vec![n; 100]])).collect();
    drop(spool);
    for (n, ticket) in (0_u64..).zip(tickets) {
        assert_eq!(ticket.wait().unwrap(), n..n + 1);
    }
    assert_eq!(read_all(&open(&disk).0).0.len(), 20);
}

#[test]
fn the_last_reference_may_be_dropped_by_a_completion() {
    let disk = MemDisk::new();
    let spool = Arc::new(create(&disk));
    let (done, is_done) = mpsc::channel();
    let held = spool.clone();
    spool.append_then(vec![b"a".to_vec()], move |answer| {
        drop(held);
        done.send(answer).unwrap();
    });
    drop(spool);
    assert_eq!(is_done.recv().unwrap().unwrap(), 0..1);
}

#[test]
fn one_process_at_a_time_on_a_real_disk() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("spool");
    let disk = Arc::new(RealDisk);
    assert!(matches!(Spool::open(disk.clone(), &folder, Limits::default(), 0), Err(OpenError::Missing)));
    let spool = Spool::create(disk.clone(), &folder, 7, Limits::default()).unwrap();
    assert!(matches!(Spool::open(disk.clone(), &folder, Limits::default(), 0), Err(OpenError::InUse)));
    let records: Vec<Vec<u8>> = (0..2_000_u32).map(|n| n.to_le_bytes().repeat(100)).collect();
    spool.append(records.clone()).wait().unwrap();
    spool.append(vec![vec![7; 1024 * 1024]]).wait().unwrap();
    drop(spool);
    let (spool, recovery) = Spool::open(disk.clone(), &folder, Limits::default(), 0).unwrap();
    assert!(recovery.is_clean());
    let read = spool.read_from(0, usize::MAX).unwrap();
    assert_eq!(read.records.len(), 2_001);
    assert_eq!(read.records[1_999].1, records[1_999]);
    assert_eq!(read.records[2_000].1, vec![7; 1024 * 1024]);
    drop(spool);
    assert!(matches!(Spool::create(disk, &folder, 8, Limits::default()), Err(OpenError::Exists)));
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let create = |limits| Spool::create(Arc::new(MemDisk::new()), &folder(), 1, limits).map(|_| ());
    for limits in [
        Limits { record_bytes_max: 0, ..Limits::default() },
        Limits { record_bytes_max: 9 * 1024 * 1024, ..Limits::default() },
        Limits { spool_bytes_max: 100, ..Limits::default() },
        Limits { queue_bytes_max: 10, ..Limits::default() },
    ] {
        assert!(matches!(create(limits), Err(OpenError::Limits(_))), "{limits:?}");
    }
}
