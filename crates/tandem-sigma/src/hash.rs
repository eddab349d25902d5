//! A keyed hash of 128 bits (SipHash-2-4), the same on every machine and in every version, so that what was
//! hashed can be stored; and hard to steer for whoever does not know the key.

/// The key of a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashKey(pub(crate) u64, pub(crate) u64);

/// Hashes several texts, each with its length.
pub(crate) struct Hasher {
    v: [u64; 4],
    tail: u64,
    tail_bytes: u32,
    length: u64,
}

impl Hasher {
    pub(crate) fn new(key: HashKey) -> Self {
        let v = [
            key.0 ^ 0x736f_6d65_7073_6575,
            key.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            key.0 ^ 0x6c79_6765_6e65_7261,
            key.1 ^ 0x7465_6462_7974_6573,
        ];
        Self { v, tail: 0, tail_bytes: 0, length: 0 }
    }

    fn round(&mut self) {
        let v = &mut self.v;
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    }

    fn block(&mut self, word: u64) {
        self.v[3] ^= word;
        self.round();
        self.round();
        self.v[0] ^= word;
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        while self.tail_bytes > 0
            && let Some((byte, after)) = rest.split_first()
        {
            self.byte(*byte);
            rest = after;
        }
        let mut words = rest.chunks_exact(8);
        for word in &mut words {
            self.block(u64::from_le_bytes(word.try_into().expect("chunks have eight bytes")));
        }
        for byte in words.remainder() {
            self.byte(*byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.tail |= u64::from(byte) << (8 * self.tail_bytes);
        self.tail_bytes += 1;
        if self.tail_bytes == 8 {
            let word = std::mem::take(&mut self.tail);
            self.tail_bytes = 0;
            self.block(word);
        }
    }

    /// A text with its length, so that `a`, `bc` and `ab`, `c` differ.
    pub(crate) fn text(&mut self, text: &str) {
        self.write(&(text.len() as u64).to_le_bytes());
        self.write(text.as_bytes());
    }

    pub(crate) fn finish(mut self) -> [u64; 2] {
        let last = self.tail | (self.length << 56);
        self.block(last);
        self.v[2] ^= 0xee;
        (0..4).for_each(|_| self.round());
        let first = self.v[0] ^ self.v[1] ^ self.v[2] ^ self.v[3];
        self.v[1] ^= 0xdd;
        (0..4).for_each(|_| self.round());
        [first, self.v[0] ^ self.v[1] ^ self.v[2] ^ self.v[3]]
    }
}

/// The hash of one text.
pub(crate) fn hash_text(key: HashKey, text: &str) -> [u64; 2] {
    let mut hasher = Hasher::new(key);
    hasher.text(text);
    hasher.finish()
}

/// For maps whose keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsIs(u64);

impl std::hash::Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.rotate_left(32) ^ word;
    }
}

pub(crate) type BuildAsIs = std::hash::BuildHasherDefault<AsIs>;

#[cfg(test)]
mod tests {
    use super::*;

    /// The first vectors of the reference implementation, SipHash-2-4 with 128 bits of output, key 00…0f.
    #[test]
    fn reference_vectors() {
        let key = HashKey(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let bytes: Vec<u8> = (0..64).collect();
        let hex = |length: usize| {
            let mut hasher = Hasher::new(key);
            hasher.write(&bytes[..length]);
            let words = hasher.finish();
            words.iter().map(|word| format!("{:016x}", word.swap_bytes())).collect::<Vec<_>>().concat()
        };
        assert_eq!(hex(0), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(hex(1), "da87c1d86b99af44347659119b22fc45");
        assert_eq!(hex(2), "8177228da4a45dc7fca38bdef60affe4");
    }

    #[test]
    fn pieces_and_the_whole_are_the_same() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut whole = Hasher::new(HashKey(1, 2));
        whole.write(&bytes);
        let whole = whole.finish();
        for cut in 0..100 {
            let mut pieces = Hasher::new(HashKey(1, 2));
            pieces.write(&bytes[..cut]);
            pieces.write(&bytes[cut..]);
            assert_eq!(pieces.finish(), whole);
        }
        assert_ne!(hash_text(HashKey(1, 2), "a"), hash_text(HashKey(1, 3), "a"));
    }
}
