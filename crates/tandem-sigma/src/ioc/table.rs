//! A table of sorted hashes with a directory: one step into the directory, then a few neighbours.

/// What is kept of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) hash: u64,
    /// The minute since 1970 from which on it has ended.
    pub(super) minutes: u32,
    pub(super) source: u16,
}

/// An indicator that does not end.
pub(super) const NEVER: u32 = u32::MAX;

/// Columns of rows in the order of their hashes.
#[derive(Clone, Debug)]
pub(super) struct Table {
    hashes: Box<[u64]>,
    minutes: Box<[u32]>,
    sources: Box<[u16]>,
    /// For each value of the upper bits the first row; one more at the end.
    directory: Box<[u32]>,
    shift: u32,
}

impl Table {
    pub(super) fn new(mut rows: Vec<Row>) -> Self {
        // Of equal hashes the one that ends last comes first, and stays.
        rows.sort_unstable_by(|left, right| {
            left.hash.cmp(&right.hash).then(right.minutes.cmp(&left.minutes)).then(left.source.cmp(&right.source))
        });
        rows.dedup_by_key(|row| row.hash);
        // About four rows for each entry of the directory.
        let bits = (rows.len() / 4).max(2).ilog2();
        let shift = 64 - bits;
        let mut directory = vec![0_u32; (1 << bits) + 1];
        for row in &rows {
            directory[(row.hash >> shift) as usize + 1] += 1;
        }
        for at in 1..directory.len() {
            directory[at] += directory[at - 1];
        }
        Self {
            hashes: rows.iter().map(|row| row.hash).collect(),
            minutes: rows.iter().map(|row| row.minutes).collect(),
            sources: rows.iter().map(|row| row.source).collect(),
            directory: directory.into(),
            shift,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.hashes.len() * 14 + self.directory.len() * 4
    }

    /// The row of a hash, if it has not ended by this minute.
    pub(super) fn find(&self, hash: u64, minute: u32) -> Option<Row> {
        let entry = (hash >> self.shift) as usize;
        let (from, to) = (*self.directory.get(entry)? as usize, *self.directory.get(entry + 1)? as usize);
        let at = from + self.hashes.get(from..to)?.iter().position(|known| *known == hash)?;
        let minutes = self.minutes[at];
        (minutes == NEVER || minute < minutes).then(|| Row { hash, minutes, source: self.sources[at] })
    }
}
