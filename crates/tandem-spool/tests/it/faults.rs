//! When the disk refuses.

use crate::{EPOCH, append, create, folder, open, read_all, small, spool_files};
use std::sync::Arc;
use tandem_spool::{AppendError, OpenError, Spool};
use tandem_testkit::disk::MemDisk;

#[test]
fn a_full_disk_refuses_and_later_appends_succeed() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    append(&spool, b"before");
    // Within the file, and where a new one is needed.
    for round in 0..20_u64 {
        disk.limit_space(Some(spool.status().size_bytes + round * 7));
        let error = spool.append(vec![vec![b'x'; 1_000], (0..=255).collect()]).wait().unwrap_err();
        assert!(matches!(&error, AppendError::Disk(_)) && error.is_temporary(), "{error}");
        disk.limit_space(None);
        assert_eq!(append(&spool, &[round as u8; 60]), round + 1);
    }
    let (records, lost) = read_all(&spool);
    assert_eq!((records.len(), lost.len()), (21, 0));
    drop(spool);
    assert_eq!(read_all(&open(&disk).0).0.len(), 21);
}

#[test]
fn a_failed_sync_stops_until_opened_again() {
    for at_new_file in [false, true] {
        let disk = MemDisk::new();
        let spool = create(&disk);
        let mut count = 0;
        loop {
            append(&spool, &[count; 40]);
            count += 1;
            // The last file is closed when it has passed 500 bytes.
            let is_closed = disk.read(spool_files(&disk).last().unwrap()).unwrap().len() >= 500;
            if is_closed == at_new_file {
                break;
            }
        }
        disk.fail_syncs(1);
        let error = spool.append(vec![b"lost".to_vec()]).wait().unwrap_err();
        assert!(matches!(error, AppendError::Stopped(_)), "{error}");
        let error = spool.append(vec![b"refused".to_vec()]).wait().unwrap_err();
        assert!(matches!(error, AppendError::Stopped(_)), "{error}");
        assert!(spool.status().stopped.is_some());
        assert_eq!(read_all(&spool).0.len(), usize::from(count), "reading goes on");
        drop(spool);
        let (spool, _) = open(&disk);
        assert_eq!(read_all(&spool).0.len(), usize::from(count), "what was refused is not there");
        assert_eq!(append(&spool, b"again"), u64::from(count));
        drop(spool);
        disk.crash(3);
        let (spool, recovery) = open(&disk);
        assert!(recovery.damage.is_empty());
        assert_eq!(read_all(&spool).0.last().unwrap(), &(u64::from(count), b"again".to_vec()));
    }
}

#[test]
fn a_failed_sync_of_the_folder_stops_too() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    while disk.read(spool_files(&disk).last().unwrap()).unwrap().len() < 500 {
        append(&spool, &[1; 40]);
    }
    let next = spool.status().next;
    disk.fail_folder_syncs(1);
    assert!(matches!(spool.append(vec![b"lost".to_vec()]).wait(), Err(AppendError::Stopped(_))));
    drop(spool);
    assert_eq!(append(&open(&disk).0, b"again"), next);
}

#[test]
fn what_is_left_of_a_new_file_is_overwritten() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    while disk.read(spool_files(&disk).last().unwrap()).unwrap().len() < 500 {
        append(&spool, &[1; 40]);
    }
    let next = spool.status().next;
    disk.limit_space(Some(spool.status().size_bytes + 50));
    disk.fail_removes(1);
    assert!(matches!(spool.append(vec![b"refused".to_vec()]).wait(), Err(AppendError::Disk(_))));
    disk.limit_space(None);
    assert_eq!(append(&spool, b"taken"), next);
    drop(spool);
    let (spool, recovery) = open(&disk);
    assert!(recovery.is_clean());
    assert_eq!(read_all(&spool).0.last().unwrap(), &(next, b"taken".to_vec()));
}

#[test]
fn what_was_written_and_not_synced_is_synced_before_it_is_shown() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    // The write succeeds, the sync does not, nor does anything after it.
    disk.stop_after(1);
    assert!(spool.append(vec![b"unanswered".to_vec()]).wait().is_err());
    drop(spool);
    disk.kill();
    let (spool, _) = open(&disk);
    let shown = read_all(&spool).0;
    assert_eq!(shown, [(0, b"unanswered".to_vec())]);
    drop(spool);
    for seed in 0..8 {
        disk.crash(seed);
        assert_eq!(read_all(&open(&disk).0).0, shown);
    }
}

#[test]
fn trimming_that_fails_can_be_repeated() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    for n in 0..60_u8 {
        append(&spool, &[n; 40]);
    }
    disk.fail_removes(1);
    assert!(spool.trim(50).is_err());
    assert_eq!(read_all(&spool).0.len(), 60);
    disk.fail_folder_syncs(1);
    assert!(spool.trim(50).is_err());
    let first = spool.trim(50).unwrap();
    assert_eq!(read_all(&spool).0.len() as u64, 60 - first);
}

#[test]
fn a_write_that_cannot_be_taken_back_stops() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    append(&spool, b"before");
    disk.limit_space(Some(spool.status().size_bytes + 70));
    disk.fail_truncates(1);
    assert!(matches!(spool.append(vec![vec![9; 500]]).wait(), Err(AppendError::Stopped(_))));
    drop(spool);
    disk.limit_space(None);
    let (spool, recovery) = open(&disk);
    assert!(recovery.cut.is_some());
    assert_eq!(append(&spool, b"after"), 1);
}

#[test]
fn creation_can_be_interrupted_anywhere() {
    for operations in 0..20 {
        for seed in 0..8 {
            let disk = MemDisk::new();
            disk.stop_after(operations);
            let created = Spool::create(Arc::new(disk.clone()), &folder(), EPOCH, small()).is_ok();
            disk.crash(seed);
            match Spool::open(Arc::new(disk.clone()), &folder(), small(), 0) {
                Ok((spool, _)) => assert_eq!(spool.epoch(), EPOCH),
                Err(OpenError::Missing | OpenError::Unreadable) => {
                    assert!(!created, "a spool that was made is there");
                    assert_eq!(append(&create(&disk), b"a"), 0);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn opening_can_be_interrupted_anywhere() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    for n in 0..40_u8 {
        append(&spool, &[n; 40]);
    }
    drop(spool);
    let last = spool_files(&disk).pop().unwrap();
    let mut bytes = disk.read(&last).unwrap();
    bytes.extend_from_slice(b"TSB1 torn");
    disk.write(&last, bytes);
    for operations in 0..60 {
        let disk = disk.copy();
        disk.stop_after(operations);
        let _ = Spool::open(Arc::new(disk.clone()), &folder(), small(), 40 + operations % 2);
        disk.crash(operations);
        let (spool, _) = open(&disk);
        assert_eq!(read_all(&spool).0.len(), 40, "after {operations} operations");
    }
}

#[test]
fn a_panic_of_a_completion_leaves_nobody_waiting() {
    let spool = create(&MemDisk::new());
    spool.append_then(vec![b"a".to_vec()], |_| panic!("a mistake of the caller"));
    let answer = spool.append(vec![b"b".to_vec()]).wait();
    assert!(matches!(answer, Ok(_) | Err(AppendError::Stopped(_) | AppendError::Closed)), "{answer:?}");
    while spool.status().stopped.is_none() {
        std::thread::yield_now();
    }
    assert!(matches!(spool.append(vec![b"c".to_vec()]).wait(), Err(AppendError::Stopped(_))));
}
