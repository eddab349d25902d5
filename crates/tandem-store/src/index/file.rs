//! The bytes of an index file, and its heads in memory.

use super::build::Groups;
use super::postings;
use super::{BLOCK_ROWS, Probe};
use crate::datafile::DataFile;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tandem_query::TOKEN_RULE_VERSION;

const MAGIC: &[u8; 8] = b"tndmidx1";
/// magic, token rule, block rows, rows, bucket bits, checksum of all that and of the directory.
const FIXED_BYTES: usize = 8 + 4 + 4 + 8 + 4 + 4;
/// Terms in a bucket, about.
const BUCKET_TERMS: usize = 256;
/// Bits of a hash, of which the upper ones choose the bucket and three bytes are written.
const HASH_BITS: u32 = 40;
const REST_BITS: u32 = 24;

/// Writes the index of a file of `rows` rows.
pub(super) fn write(rows: u64, groups: &Groups<'_>) -> Vec<u8> {
    let count = groups.count();
    let bits = count.div_ceil(BUCKET_TERMS).next_power_of_two().trailing_zeros().min(HASH_BITS - REST_BITS);
    let buckets = 1_usize << bits;
    let mut bodies: Vec<Vec<u8>> = vec![Vec::new(); buckets];
    let mut last: Option<(usize, u64)> = None;
    groups.for_each(|hash, blocks| {
        let bucket = (hash >> (HASH_BITS - bits)) as usize & (buckets - 1);
        // Hashes that differ below the bits that are kept become one term twice in a row: both are found.
        let rest = (hash >> (HASH_BITS - bits - REST_BITS)) & ((1 << REST_BITS) - 1);
        debug_assert!(last.is_none_or(|last| last <= (bucket, rest)), "hashes ascend");
        last = Some((bucket, rest));
        bodies[bucket].extend_from_slice(&(rest as u32).to_le_bytes()[..3]);
        postings::put(&mut bodies[bucket], blocks);
    });
    let mut out = Vec::with_capacity(FIXED_BYTES + buckets * 8 + bodies.iter().map(Vec::len).sum::<usize>());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&TOKEN_RULE_VERSION.to_le_bytes());
    out.extend_from_slice(&(BLOCK_ROWS as u32).to_le_bytes());
    out.extend_from_slice(&rows.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    let mut directory = Vec::with_capacity(buckets * 8);
    for body in &bodies {
        directory.extend_from_slice(&(body.len() as u32).to_le_bytes());
        directory.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
    }
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&out), &directory);
    out.extend_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(&directory);
    for body in bodies {
        out.extend_from_slice(&body);
    }
    out
}

/// What is kept in memory of an index file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexHead {
    rows: u64,
    bits: u32,
    /// For each bucket its first byte in the file, its length and its checksum.
    buckets: Vec<(u64, u32, u32)>,
}

/// Why an index is not used; the file is read whole then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("it is not an index file of this version")]
    Foreign,
    #[error("it was made by another rule for tokens")]
    OtherRule,
    #[error("its checksum does not hold")]
    Damaged,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

impl IndexHead {
    /// Bytes of fixed part and directory, from the fixed part.
    fn size(fixed: &[u8]) -> Result<usize, Unusable> {
        if fixed.get(..8) != Some(MAGIC.as_slice()) {
            return Err(Unusable::Foreign);
        }
        let bits = number(fixed, 24).map(u32::from_le_bytes).ok_or(Unusable::Foreign)?;
        if bits > HASH_BITS - REST_BITS {
            return Err(Unusable::Damaged);
        }
        Ok(FIXED_BYTES + (8 << bits))
    }

    /// Reads fixed part and directory.
    fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        let size = Self::size(bytes)?;
        let part = |at| number(bytes, at).map(u32::from_le_bytes).ok_or(Unusable::Damaged);
        let directory = bytes.get(FIXED_BYTES..size).ok_or(Unusable::Damaged)?;
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..FIXED_BYTES - 4]), directory);
        if part(FIXED_BYTES - 4)? != checksum {
            return Err(Unusable::Damaged);
        }
        if part(8)? != TOKEN_RULE_VERSION || u64::from(part(12)?) != BLOCK_ROWS {
            return Err(Unusable::OtherRule);
        }
        let rows = number(bytes, 16).map(u64::from_le_bytes).ok_or(Unusable::Damaged)?;
        let mut at = size as u64;
        let buckets = directory
            .chunks_exact(8)
            .map(|entry| {
                let part = |at| number(entry, at).map_or(0, u32::from_le_bytes);
                let bucket = (at, part(0), part(4));
                at += u64::from(bucket.1);
                bucket
            })
            .collect();
        Ok(Self { rows, bits: part(24)?, buckets })
    }

    fn size_bytes(&self) -> usize {
        64 + self.buckets.len() * 16
    }

    /// The blocks that may hold rows that pass, `None`: all may.
    pub(crate) async fn blocks(&self, files: &dyn ObjectStore, path: &str, probe: &Probe) -> Option<RoaringBitmap> {
        let mut hashes = BTreeSet::new();
        probe.hashes(&mut hashes);
        let mut by_bucket: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for hash in hashes {
            by_bucket.entry(self.place(hash).0).or_default().push(hash);
        }
        let ranges: Vec<_> = by_bucket
            .keys()
            .map(|bucket| {
                let (at, length, _) = self.buckets[*bucket];
                at..at + u64::from(length)
            })
            .collect();
        let bodies = match files.get_ranges(&Path::from(path), &ranges).await {
            Ok(bodies) => bodies,
            Err(error) => {
                tracing::warn!(path, %error, "an index cannot be read; the file is read without it");
                return None;
            }
        };
        let mut found: HashMap<u64, RoaringBitmap> = HashMap::new();
        for ((bucket, hashes), body) in by_bucket.iter().zip(bodies) {
            if crc32c::crc32c(&body) != self.buckets[*bucket].2 {
                tracing::warn!(path, bucket, "a part of an index is damaged; the file is read without it");
                return None;
            }
            for hash in hashes {
                match look_up(&body, self.place(*hash).1) {
                    Some(blocks) => found.insert(*hash, blocks),
                    None => return None,
                };
            }
        }
        let all: RoaringBitmap = (0..u32::try_from(self.rows.div_ceil(BLOCK_ROWS)).unwrap_or(u32::MAX)).collect();
        let blocks = probe.blocks(&all, &found);
        (blocks != all).then_some(blocks)
    }

    /// Bucket and rest of a 64-bit hash.
    fn place(&self, hash: u64) -> (usize, u32) {
        let hash = hash >> (64 - HASH_BITS);
        let bucket = (hash >> (HASH_BITS - self.bits)) as usize & ((1 << self.bits) - 1);
        let rest = (hash >> (HASH_BITS - self.bits - REST_BITS)) & ((1 << REST_BITS) - 1);
        (bucket, rest as u32)
    }

    /// Rows of the data file.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }
}

/// The blocks of all terms with this rest; `None` when the bytes make no sense.
fn look_up(mut body: &[u8], rest: u32) -> Option<RoaringBitmap> {
    let mut blocks = RoaringBitmap::new();
    while let Some((head, tail)) = body.split_at_checked(3) {
        let [a, b, c] = *head else { return None };
        body = tail;
        match u32::from_le_bytes([a, b, c, 0]).cmp(&rest) {
            std::cmp::Ordering::Less => postings::skip(&mut body)?,
            std::cmp::Ordering::Equal => blocks |= postings::take(&mut body)?,
            std::cmp::Ordering::Greater => break,
        }
    }
    Some(blocks)
}

/// Heads of index files that were read, within a limit of memory.
#[derive(Debug)]
pub(crate) struct IndexCache {
    limit_bytes: usize,
    heads: Mutex<Heads>,
}

#[derive(Debug, Default)]
struct Heads {
    bytes: usize,
    /// `None`: the index cannot be used.
    by_path: HashMap<String, Option<Arc<IndexHead>>>,
    order: VecDeque<String>,
}

impl IndexCache {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, heads: Mutex::default() }
    }

    /// The head of the index at `path`; `None` when it cannot be used.
    pub(crate) async fn head(&self, files: &dyn ObjectStore, path: &str, file: &DataFile) -> Option<Arc<IndexHead>> {
        if let Some(head) = self.heads.lock().by_path.get(path) {
            return head.clone();
        }
        let head = match read(files, path, file).await {
            Ok(head) if head.rows() == file.rows => Some(Arc::new(head)),
            Ok(_) => None,
            Err(ReadError::Unusable(error)) => {
                tracing::warn!(path, %error, "an index is not used");
                None
            }
            Err(ReadError::Store(error)) => {
                tracing::warn!(path, %error, "an index cannot be read; the file is read without it");
                None
            }
        };
        let size = head.as_ref().map_or(64, |head| head.size_bytes()) + path.len();
        let mut heads = self.heads.lock();
        if heads.by_path.insert(path.to_owned(), head.clone()).is_none() {
            heads.bytes += size;
            heads.order.push_back(path.to_owned());
        }
        while heads.bytes > self.limit_bytes
            && let Some(oldest) = heads.order.pop_front()
        {
            if let Some(gone) = heads.by_path.remove(&oldest) {
                heads.bytes -= gone.map_or(64, |head| head.size_bytes()) + oldest.len();
            }
        }
        head
    }
}

enum ReadError {
    Store(object_store::Error),
    Unusable(Unusable),
}

async fn read(files: &dyn ObjectStore, path: &str, file: &DataFile) -> Result<IndexHead, ReadError> {
    let location = Path::from(path);
    let total = file.index_bytes.unwrap_or(0);
    // Most directories fit into the first read.
    let first = files.get_range(&location, 0..total.min(16 << 10)).await.map_err(ReadError::Store)?;
    let size = IndexHead::size(&first).map_err(ReadError::Unusable)?;
    if size <= first.len() {
        return IndexHead::parse(&first).map_err(ReadError::Unusable);
    }
    let whole = files.get_range(&location, 0..total.min(size as u64)).await.map_err(ReadError::Store)?;
    IndexHead::parse(&whole).map_err(ReadError::Unusable)
}
