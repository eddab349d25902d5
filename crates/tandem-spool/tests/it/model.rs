//! Random acts with crashes, against a plain list: every acknowledged record is there once, in order.

use crate::{EPOCH, folder, read_all};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tandem_spool::{AppendError, Limits, Spool, Ticket};
use tandem_testkit::disk::MemDisk;

#[derive(Debug, Clone)]
enum Act {
    /// Appends batches of these sizes without waiting in between, then waits for all.
    Append(Vec<(usize, usize)>),
    /// Trims up to this share of what is there, in percent.
    Trim(u64),
    /// Closes and opens.
    Reopen,
    /// The power goes after so many operations of the appends that follow.
    Crash { operations: u64, batches: Vec<(usize, usize)>, seed: u64 },
    /// The process is killed after so many operations; what it wrote is still in the cache.
    Kill { operations: u64, batches: Vec<(usize, usize)> },
    /// So many more bytes fit; what is left over cannot always be removed.
    Fill { bytes: u64, batches: Vec<(usize, usize)>, removes: u32 },
    /// A sync fails.
    FailSync { batches: Vec<(usize, usize)>, crash: Option<u64> },
    /// A sync of the folder fails.
    FailFolderSync { batches: Vec<(usize, usize)> },
    /// Full, and what was written cannot be cut.
    FailTruncate { bytes: u64, batches: Vec<(usize, usize)>, crash: Option<u64> },
}

fn act() -> impl Strategy<Value = Act> {
    // Records per batch, bytes per record.
    let batches = || prop::collection::vec((1..4_usize, 0..400_usize), 1..5);
    prop_oneof![
        4 => batches().prop_map(Act::Append),
        1 => (0..110_u64).prop_map(Act::Trim),
        1 => Just(Act::Reopen),
        4 => (0..30_u64, batches(), any::<u64>())
            .prop_map(|(operations, batches, seed)| Act::Crash { operations, batches, seed }),
        2 => (0..30_u64, batches()).prop_map(|(operations, batches)| Act::Kill { operations, batches }),
        1 => (0..800_u64, batches(), 0..2_u32)
            .prop_map(|(bytes, batches, removes)| Act::Fill { bytes, batches, removes }),
        1 => (batches(), prop::option::of(any::<u64>())).prop_map(|(batches, crash)| Act::FailSync { batches, crash }),
        1 => batches().prop_map(|batches| Act::FailFolderSync { batches }),
        1 => (0..800_u64, batches(), prop::option::of(any::<u64>()))
            .prop_map(|(bytes, batches, crash)| Act::FailTruncate { bytes, batches, crash }),
    ]
}

/// Files so small that new ones are common; blocks of a batch each.
fn limits() -> Limits {
    Limits { record_bytes_max: 1_000, file_bytes_max: 600, spool_bytes_max: 10_000_000, queue_bytes_max: 1_000_000 }
}

struct World {
    disk: MemDisk,
    spool: Option<Spool>,
    /// Acknowledged records that were not trimmed.
    acknowledged: BTreeMap<u64, Vec<u8>>,
    /// Records that a reader has seen, acknowledged or not: they stay what they are.
    seen: BTreeMap<u64, Vec<u8>>,
    /// Everything that was ever handed over.
    submitted: BTreeSet<Vec<u8>>,
    /// No offset below has been trimmed away by us.
    trimmed: u64,
    serial: u64,
}

impl World {
    fn new() -> Self {
        let disk = MemDisk::new();
        let spool = Spool::create(Arc::new(disk.clone()), &folder(), EPOCH, limits()).unwrap();
        Self {
            disk,
            spool: Some(spool),
            acknowledged: BTreeMap::new(),
            seen: BTreeMap::new(),
            submitted: BTreeSet::new(),
            trimmed: 0,
            serial: 0,
        }
    }

    fn spool(&self) -> &Spool {
        self.spool.as_ref().unwrap()
    }

    /// Hands over batches, then takes the answers.
    fn append(&mut self, batches: &[(usize, usize)]) {
        let mut waiting: Vec<(Vec<Vec<u8>>, Ticket)> = Vec::new();
        for (count, size) in batches {
            let payloads: Vec<Vec<u8>> = (0..*count).map(|_| self.payload(*size)).collect();
            waiting.push((payloads.clone(), self.spool().append(payloads)));
        }
        for (payloads, ticket) in waiting {
            match ticket.wait() {
                Ok(offsets) => {
                    assert_eq!(offsets.end - offsets.start, payloads.len() as u64);
                    for (offset, payload) in offsets.zip(payloads) {
                        assert!(self.acknowledged.insert(offset, payload).is_none(), "{offset} was given out twice");
                    }
                }
                Err(AppendError::Disk(_) | AppendError::Stopped(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// A payload that no other is like, with noise, so that sizes vary on the disk.
    fn payload(&mut self, size: usize) -> Vec<u8> {
        self.serial += 1;
        let mut payload = self.serial.to_le_bytes().to_vec();
        let serial = self.serial as u32;
        payload.extend((0..size as u32).map(|n| ((serial * 977 + n).wrapping_mul(2_654_435_761) >> 27) as u8));
        self.submitted.insert(payload.clone());
        payload
    }

    fn reopen(&mut self, crash: Option<u64>) {
        self.spool = None;
        if let Some(seed) = crash {
            self.disk.crash(seed);
        }
        let (spool, recovery) = Spool::open(Arc::new(self.disk.clone()), &folder(), limits(), 0).unwrap();
        for damage in &recovery.damage {
            assert!(!damage.is_certain, "nothing acknowledged is lost: {damage:?}");
        }
        self.spool = Some(spool);
    }

    fn check(&mut self) {
        let (records, lost) = read_all(self.spool());
        assert!(records.is_sorted_by(|a, b| a.0 < b.0), "in order");
        let payloads: BTreeSet<&Vec<u8>> = records.iter().map(|(_, payload)| payload).collect();
        assert_eq!(payloads.len(), records.len(), "each once");
        assert!(payloads.iter().all(|payload| self.submitted.contains(*payload)), "nothing invented");
        let found: BTreeMap<u64, &Vec<u8>> = records.iter().map(|(offset, payload)| (*offset, payload)).collect();
        for (offset, payload) in self.acknowledged.range(self.trimmed..).chain(self.seen.range(self.trimmed..)) {
            assert_eq!(found.get(offset), Some(&payload), "record {offset} was acknowledged or seen");
            assert!(!lost.iter().any(|range| range.contains(offset)));
        }
        self.seen.extend(records);
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Append(batches) => self.append(batches),
            Act::Trim(percent) => {
                let next = self.spool().status().next;
                let up_to = next * percent / 100;
                let first = self.spool().trim(up_to).unwrap();
                self.trimmed = self.trimmed.max(up_to);
                assert!(first <= self.trimmed, "nothing above is removed");
            }
            Act::Reopen => self.reopen(None),
            Act::Crash { operations, batches, seed } => {
                self.disk.stop_after(*operations);
                self.append(batches);
                self.reopen(Some(*seed));
            }
            Act::Kill { operations, batches } => {
                self.disk.stop_after(*operations);
                self.append(batches);
                self.disk.kill();
                self.reopen(None);
            }
            Act::Fill { bytes, batches, removes } => {
                self.disk.limit_space(Some(self.spool().status().size_bytes + bytes));
                self.disk.fail_removes(*removes);
                self.append(batches);
                self.disk.limit_space(None);
                self.disk.fail_removes(0);
                if self.spool().status().stopped.is_some() {
                    self.reopen(None);
                }
            }
            Act::FailSync { batches, crash } => {
                self.disk.fail_syncs(1);
                self.append(batches);
                self.disk.fail_syncs(0);
                self.reopen(*crash);
            }
            Act::FailFolderSync { batches } => {
                self.disk.fail_folder_syncs(1);
                self.append(batches);
                self.disk.fail_folder_syncs(0);
                self.reopen(None);
            }
            Act::FailTruncate { bytes, batches, crash } => {
                self.disk.limit_space(Some(self.spool().status().size_bytes + bytes));
                self.disk.fail_truncates(1);
                self.append(batches);
                self.disk.limit_space(None);
                self.disk.fail_truncates(0);
                self.reopen(*crash);
            }
        }
        self.check();
    }
}

proptest! {
    #[test]
    fn every_acknowledged_record_is_there_once_and_in_order(acts in prop::collection::vec(act(), 1..25)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        // The end of every story: the power goes, and everything is still there.
        world.reopen(Some(acts.len() as u64));
        world.check();
    }
}
