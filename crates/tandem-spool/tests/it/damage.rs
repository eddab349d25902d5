//! Every byte cut, every bit flipped.

use crate::{EPOCH, Records, append, create, folder, open, read_all, small, spool_files};
use std::sync::Arc;
use tandem_spool::{Limits, OpenError, Spool};
use tandem_testkit::disk::MemDisk;

/// A spool of one file with five blocks of one or two records.
fn one_file() -> (MemDisk, Records) {
    let disk = MemDisk::new();
    let spool = create(&disk);
    for n in 0..4_u8 {
        let second = vec![n + 100; 3];
        let batch = if n % 2 == 0 { vec![vec![n; 40], second] } else { vec![vec![n; 5]] };
        spool.append(batch).wait().unwrap();
    }
    append(&spool, b"last");
    let records = read_all(&spool).0;
    drop(spool);
    assert_eq!(spool_files(&disk).len(), 1);
    (disk, records)
}

/// Opens, and checks what must hold whatever happened to the bytes: no record that was not written, in order, and
/// each that is missing is reported or cut.
fn check(disk: &MemDisk, written: &Records, what: &str, ends_between_blocks: bool) -> Option<bool> {
    let (spool, recovery) = match Spool::open(Arc::new(disk.clone()), &folder(), small(), 0) {
        Ok(opened) => opened,
        Err(OpenError::Unreadable | OpenError::Version { .. } | OpenError::Mixed { .. }) => return None,
        Err(error) => panic!("{what}: {error}"),
    };
    let (records, lost) = read_all(&spool);
    assert!(records.is_sorted_by(|a, b| a.0 < b.0), "{what}");
    for record in &records {
        assert!(written.contains(record), "{what}: {record:?} was never written");
    }
    let next = spool.status().next;
    for (offset, _) in written {
        let is_there = records.iter().any(|(found, _)| found == offset);
        let is_lost = lost.iter().any(|lost| lost.contains(offset));
        // A file that ends between two blocks looks whole: only the caller's floor can tell.
        let is_cut = *offset >= next && (recovery.cut.is_some() || ends_between_blocks);
        assert!(is_there != (is_lost || is_cut), "{what}: record {offset}: {recovery:?}, lost {lost:?}");
    }
    // What is missing in the middle is said at opening, too, since this is the last file.
    for range in lost {
        assert!(recovery.damage.iter().any(|damage| damage.records == range), "{what}: {recovery:?}");
    }
    let is_clean = recovery.is_clean();
    drop(spool);
    let (_, again) = open(disk);
    assert!(again.cut.is_none(), "{what}: opening again finds nothing more to cut");
    Some(is_clean)
}

#[test]
fn every_cut_of_the_last_file_keeps_the_whole_blocks() {
    let (disk, records) = one_file();
    let path = spool_files(&disk).pop().unwrap();
    let bytes = disk.read(&path).unwrap();
    let mut ends = vec![32];
    while let Some(stored) = bytes.get(ends[ends.len() - 1] + 36) {
        ends.push(ends[ends.len() - 1] + 56 + usize::from(*stored));
    }
    assert_eq!((ends.len(), ends[5]), (6, bytes.len()), "five blocks, each smaller than 256 bytes");
    let mut kept = Vec::new();
    for cut in 0..bytes.len() {
        let disk = disk.copy();
        disk.write(&path, bytes[..cut].to_vec());
        if check(&disk, &records, &format!("cut at {cut}"), ends.contains(&cut)).is_some() {
            kept.push(read_all(&open(&disk).0).0.len());
        }
    }
    assert!(kept.is_sorted(), "more bytes, more records");
    kept.dedup();
    assert_eq!(kept, [0, 2, 3, 5, 6]);
}

#[test]
fn every_flipped_bit_is_seen() {
    let (disk, records) = one_file();
    let path = spool_files(&disk).pop().unwrap();
    for bit in 0..disk.read(&path).unwrap().len() * 8 {
        let disk = disk.copy();
        disk.flip(&path, bit);
        assert_ne!(check(&disk, &records, &format!("bit {bit}"), false), Some(true), "bit {bit} was not seen");
    }
}

#[test]
fn damage_in_the_middle_costs_one_block_and_is_certain() {
    let (disk, records) = one_file();
    let path = spool_files(&disk).pop().unwrap();
    let bytes = disk.read(&path).unwrap();
    let second = 32 + 56 + bytes[32 + 36] as usize;
    // In its header, and in its body.
    for at in [second + 20, second + 56 + 3] {
        let disk = disk.copy();
        disk.flip(&path, at * 8);
        let (spool, recovery) = open(&disk);
        assert!(recovery.cut.is_none());
        let [damage] = recovery.damage.as_slice() else { panic!("{recovery:?}") };
        assert_eq!((damage.bytes.start, damage.records.clone(), damage.is_certain), (second as u64, 2..3, true));
        let read = spool.read_from(0, 1_000_000).unwrap();
        assert_eq!((read.records.len(), read.next), (records.len() - 1, 7));
        assert_eq!(read.lost.as_slice(), std::slice::from_ref(&damage.records));
        assert_eq!(spool.status().damage, recovery.damage);
        assert_eq!(append(&spool, b"new"), 7);
    }
}

#[test]
fn the_next_block_is_found_wherever_it_starts() {
    const WINDOW: usize = 1024 * 1024;
    let limits = Limits { record_bytes_max: 2 * WINDOW, ..Limits::default() };
    // The search for the second block begins one byte behind the damaged first; around its windows' edge.
    for distance in WINDOW - 3..WINDOW + 4 {
        let disk = MemDisk::new();
        let spool = Spool::create(Arc::new(disk.clone()), &folder(), EPOCH, limits).unwrap();
        append(&spool, &noise(distance - 56 - 4));
        append(&spool, b"second");
        drop(spool);
        let path = spool_files(&disk).pop().unwrap();
        assert_eq!(&disk.read(&path).unwrap()[32 + distance..][..4], b"TSB1");
        disk.flip(&path, 32 * 8);
        let (spool, recovery) = Spool::open(Arc::new(disk), &folder(), limits, 0).unwrap();
        assert_eq!(recovery.damage.len(), 1);
        assert_eq!(read_all(&spool).0, [(1, b"second".to_vec())], "at {distance}");
    }
}

#[test]
fn a_record_that_imitates_a_block_is_not_taken_for_one() {
    let other = MemDisk::new();
    let spool = create(&other);
    append(&spool, b"a");
    append(&spool, b"invented");
    drop(spool);
    let bytes = other.read(&spool_files(&other)[0]).unwrap();
    let imitation = &bytes[bytes.len() - 56 - 4 - b"invented".len()..];
    assert_eq!(&imitation[..4], b"TSB1");
    let disk = MemDisk::new();
    let spool = create(&disk);
    append(&spool, &[noise(1_900).as_slice(), imitation].concat());
    drop(spool);
    assert!(disk.read(&spool_files(&disk)[0]).unwrap().ends_with(imitation), "stored as it is");
    // More than a file may hold, so that the second block would begin a new one.
    let spool = Spool::open(Arc::new(disk.clone()), &folder(), Limits::default(), 0).unwrap().0;
    append(&spool, b"second");
    drop(spool);
    // The block's header is good and says where the next one is.
    disk.flip(&spool_files(&disk)[0], (32 + 56 + 10) * 8);
    let (spool, recovery) = open(&disk);
    assert_eq!(recovery.damage.len(), 1);
    assert_eq!(read_all(&spool).0, [(1, b"second".to_vec())]);
}

#[test]
fn a_block_that_comes_again_is_not_read_again() {
    let (disk, records) = one_file();
    let path = spool_files(&disk).pop().unwrap();
    let mut bytes = disk.read(&path).unwrap();
    bytes.extend_from_within(32..32 + 56 + usize::from(bytes[32 + 36]));
    disk.write(&path, bytes);
    assert_eq!(check(&disk, &records, "the first block again", false), Some(false));
    assert_eq!(read_all(&open(&disk).0).0, records);
}

/// Bytes that do not shrink.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(next).collect()
}

#[test]
fn damage_in_a_closed_file_is_said_by_the_reader() {
    let disk = MemDisk::new();
    let spool = create(&disk);
    for n in 0..60_u8 {
        append(&spool, &[n; 40]);
    }
    let paths = spool_files(&disk);
    drop(spool);
    assert!(paths.len() > 3);
    let records_of_first: u64 = paths[1].file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let size = disk.read(&paths[0]).unwrap().len();
    for at in (0..size).step_by(3) {
        let disk = disk.copy();
        disk.flip(&paths[0], at * 8 + at % 8);
        let (spool, recovery) = open(&disk);
        let (records, lost) = read_all(&spool);
        let missing: u64 = lost.iter().map(|range| range.end - range.start).sum();
        assert_eq!(records.len() as u64 + missing, 60);
        assert!(lost.iter().all(|range| range.end <= records_of_first));
        // A flipped header of the file costs nothing, a block costs itself; both are said.
        if at < 32 {
            assert_eq!((missing, recovery.damage.len()), (0, 1), "byte {at}");
        } else {
            assert_eq!((missing, spool.status().damage.len()), (1, 1), "byte {at}");
        }
        // Said once, however often it is read.
        read_all(&spool);
        assert_eq!(spool.status().damage.len(), 1);
    }
    // A closed file that is cut, and one that is gone.
    disk.write(&paths[0], disk.read(&paths[0]).unwrap()[..100].to_vec());
    disk.write(&paths[1], Vec::new());
    let (spool, _) = open(&disk);
    let (records, lost) = read_all(&spool);
    assert!(lost[0].start < records_of_first && records.len() > 10);
    assert_eq!(records.len() as u64 + lost.iter().map(|range| range.end - range.start).sum::<u64>(), 60);
}

#[test]
fn a_decayed_end_never_gives_out_an_offset_again_that_is_below_the_floor() {
    let (disk, _) = one_file();
    let path = spool_files(&disk).pop().unwrap();
    let size = disk.read(&path).unwrap().len();
    disk.flip(&path, size * 8 - 1);
    let (spool, recovery) = Spool::open(Arc::new(disk.clone()), &folder(), small(), 7).unwrap();
    assert!(recovery.cut.is_some());
    assert_eq!(recovery.damage.last().unwrap().records, 6..7);
    assert_eq!(append(&spool, b"new"), 7);
    assert_eq!(spool.read_from(0, 1_000_000).unwrap().lost, vec![6..7]);
    drop(spool);
    let (spool, recovery) = open(&disk);
    assert!(recovery.is_clean());
    assert_eq!(spool.read_from(7, 1).unwrap().records, [(7, b"new".to_vec())]);
}

#[test]
fn foreign_files_are_told_apart() {
    let (disk, _) = one_file();
    disk.write(&folder().join("notes.txt"), b"hello".to_vec());
    assert!(open(&disk).1.is_clean());
    let other = MemDisk::new();
    drop(Spool::create(Arc::new(other.clone()), &folder(), EPOCH + 1, small()).unwrap());
    let bytes = other.read(&spool_files(&other)[0]).unwrap();
    disk.write(&folder().join("00000000000000000099.spool"), bytes);
    let error = Spool::open(Arc::new(disk.clone()), &folder(), small(), 0).unwrap_err();
    assert!(matches!(&error, OpenError::Mixed { file } if file.contains("99")), "{error}");
}

#[test]
fn another_version_is_refused_by_its_number() {
    let (disk, _) = one_file();
    let path = spool_files(&disk).pop().unwrap();
    let mut bytes = disk.read(&path).unwrap();
    bytes[8] = 2;
    // Its checksum is right: the polynomial is part of the format.
    let crc = crc32c::crc32c(&bytes[..28]);
    bytes[28..32].copy_from_slice(&crc.to_le_bytes());
    disk.write(&path, bytes);
    let error = Spool::open(Arc::new(disk), &folder(), small(), 0).unwrap_err();
    assert!(matches!(error, OpenError::Version { version: 2, .. }), "{error}");
}
