//! What was found out about values seen before, in bounded memory.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::leaf::FieldId;
use super::set::SetId;

/// How far from its place an entry may stand.
const PROBES: usize = 8;
const NO_SET: SetId = SetId::MAX;

/// Remembers the set of leaves of a field's value by the value's bytes.
///
/// Two generations: what is asked for again moves from the old to the young one; when the young
/// one is full, it becomes the old one and what was in that is forgotten. Bytes are compared in
/// full, so no value can pass for another; the hash is seeded, and an unlucky place costs a
/// forgotten entry, never a long search.
#[derive(Debug)]
pub(super) struct Memo {
    state: FixedState,
    young: Generation,
    old: Generation,
    bytes_max: usize,
}

#[derive(Debug)]
struct Generation {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    used: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    field: u32,
    start: u32,
    length: u32,
    set: SetId,
}

const FREE: Entry = Entry { hash: 0, field: 0, start: 0, length: 0, set: NO_SET };

/// The field, the kind of value, and its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueKey<'v> {
    pub(super) field: FieldId,
    pub(super) kind: u8,
    pub(super) bytes: &'v [u8],
}

impl Generation {
    fn new(entries: usize) -> Self {
        Self { entries: vec![FREE; entries], bytes: Vec::new(), used: 0 }
    }

    #[inline]
    fn find(&self, hash: u64, field: u32, bytes: &[u8]) -> Option<SetId> {
        let mask = self.entries.len() - 1;
        for probe in 0..PROBES {
            let entry = &self.entries[(hash as usize).wrapping_add(probe) & mask];
            if entry.set == NO_SET {
                return None;
            }
            if entry.hash == (hash >> 32) as u32
                && entry.field == field
                && self.bytes[entry.start as usize..][..entry.length as usize] == *bytes
            {
                return Some(entry.set);
            }
        }
        None
    }

    fn insert(&mut self, hash: u64, field: u32, bytes: &[u8], set: SetId) {
        let mask = self.entries.len() - 1;
        let places = (0..PROBES).map(|probe| (hash as usize).wrapping_add(probe) & mask);
        let free = places.clone().find(|place| self.entries[*place].set == NO_SET);
        let place = free.or_else(|| places.clone().next()).unwrap_or_default();
        self.used += usize::from(free.is_some());
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        self.entries[place] = Entry { hash: (hash >> 32) as u32, field, start, length: bytes.len() as u32, set };
    }

    fn clear(&mut self) {
        self.entries.fill(FREE);
        self.bytes.clear();
        self.used = 0;
    }
}

impl Memo {
    /// A memo of at most `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize, seed: u64) -> Self {
        // Of each generation a fifth is for entries (20 bytes each), the rest for values.
        let entries = (bytes_max / 2 / 5 / size_of::<Entry>()).next_power_of_two().max(64);
        let entries_bytes = 2 * entries * size_of::<Entry>();
        Self {
            state: FixedState::with_seed(seed),
            young: Generation::new(entries),
            old: Generation::new(entries),
            bytes_max: bytes_max.saturating_sub(entries_bytes) / 2,
        }
    }

    #[inline]
    pub(super) fn hash(&self, key: ValueKey<'_>) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u64(u64::from(key.field) << 8 | u64::from(key.kind));
        hasher.write(key.bytes);
        hasher.finish()
    }

    #[inline]
    pub(super) fn get(&mut self, key: ValueKey<'_>, hash: u64) -> Option<SetId> {
        let field = key.field << 8 | u32::from(key.kind);
        if let Some(set) = self.young.find(hash, field, key.bytes) {
            return Some(set);
        }
        let set = self.old.find(hash, field, key.bytes)?;
        self.put(key, hash, set);
        Some(set)
    }

    pub(super) fn put(&mut self, key: ValueKey<'_>, hash: u64, set: SetId) {
        let young = &self.young;
        if young.bytes.len() + key.bytes.len() > self.bytes_max || young.used * 4 > young.entries.len() * 3 {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        if key.bytes.len() <= self.bytes_max {
            self.young.insert(hash, key.field << 8 | u32::from(key.kind), key.bytes, set);
        }
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// The memory taken, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let of =
            |generation: &Generation| generation.bytes.capacity() + generation.entries.capacity() * size_of::<Entry>();
        of(&self.young) + of(&self.old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_within_its_bounds() {
        let mut memo = Memo::new(64 << 10, 7);
        let mut found = 0;
        for turn in 0..3 {
            for number in 0..50_000u32 {
                let bytes = number.to_le_bytes();
                let key = ValueKey { field: number % 3, kind: 1, bytes: &bytes };
                let hash = memo.hash(key);
                if let Some(set) = memo.get(key, hash) {
                    assert_eq!(set, number, "turn {turn}");
                    found += 1;
                } else {
                    memo.put(key, hash, number);
                    assert_eq!(memo.get(key, hash), Some(number));
                }
                let other = ValueKey { kind: 2, ..key };
                let hash = memo.hash(other);
                assert_eq!(memo.get(other, hash), None);
            }
        }
        assert_eq!(found, 0, "fifty thousand values do not fit");
        assert!(memo.bytes() <= 96 << 10, "{} bytes", memo.bytes());
    }
}
