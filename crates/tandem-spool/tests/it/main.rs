//! The spool from outside, on a disk that lies and on a real one.
#![expect(clippy::unwrap_used, reason = "a test that fails here says so")]

mod damage;
mod faults;
mod model;
mod ordinary;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_spool::{Limits, Spool};
use tandem_testkit::disk::MemDisk;

const EPOCH: u64 = 0x0123_4567_89ab_cdef;

fn folder() -> PathBuf {
    PathBuf::from("data/spool")
}

/// Small enough that a few records fill a file.
fn small() -> Limits {
    Limits { record_bytes_max: 2_000, file_bytes_max: 500, spool_bytes_max: 1_000_000, queue_bytes_max: 100_000 }
}

fn create(disk: &MemDisk) -> Spool {
    Spool::create(Arc::new(disk.clone()), &folder(), EPOCH, small()).unwrap()
}

fn open(disk: &MemDisk) -> (Spool, tandem_spool::Recovery) {
    Spool::open(Arc::new(disk.clone()), &folder(), small(), 0).unwrap()
}

fn append(spool: &Spool, payload: &[u8]) -> u64 {
    spool.append(vec![payload.to_vec()]).wait().unwrap().start
}

type Records = Vec<(u64, Vec<u8>)>;

/// Everything from the first record on, and what is lost.
fn read_all(spool: &Spool) -> (Records, Vec<Range<u64>>) {
    let status = spool.status();
    let (mut records, mut lost, mut at) = (Vec::new(), Vec::new(), status.first);
    while at < status.next {
        let read = spool.read_from(at, 300).unwrap();
        assert!(read.next > at, "a reader must get on");
        at = read.next;
        records.extend(read.records);
        lost.extend(read.lost);
    }
    (records, lost)
}

fn spool_files(disk: &MemDisk) -> Vec<PathBuf> {
    disk.paths().into_iter().filter(|path| path.extension() == Some(Path::new("spool").as_os_str())).collect()
}
