//! Sets of numbers, known by a number.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

/// The number of a set; 0 is the empty one.
pub(super) type SetId = u32;

/// Sets that were seen, each once.
#[derive(Debug)]
pub(super) struct Sets {
    list: Vec<Arc<[u32]>>,
    known: HashMap<Arc<[u32]>, SetId, FixedState>,
    bytes: usize,
}

impl Sets {
    pub(super) const EMPTY: SetId = 0;

    pub(super) fn new(seed: u64) -> Self {
        let mut sets = Self { list: Vec::new(), known: HashMap::with_hasher(FixedState::with_seed(seed)), bytes: 0 };
        sets.intern(&[]);
        sets
    }

    /// The number of a sorted set.
    pub(super) fn intern(&mut self, set: &[u32]) -> SetId {
        if let Some(id) = self.known.get(set) {
            return *id;
        }
        let id = self.list.len() as SetId;
        let shared: Arc<[u32]> = set.into();
        self.list.push(Arc::clone(&shared));
        self.known.insert(shared, id);
        self.bytes += 64 + 4 * set.len();
        id
    }

    pub(super) fn get(&self, id: SetId) -> &[u32] {
        &self.list[id as usize]
    }

    /// An estimate of the memory taken, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A set of small numbers, one bit each.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> bool {
        self.0[number as usize / 64] >> (number % 64) & 1 == 1
    }

    #[inline]
    pub(super) fn set(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }

    #[inline]
    pub(super) fn clear(&mut self, number: u32) {
        self.0[number as usize / 64] &= !(1 << (number % 64));
    }
}
