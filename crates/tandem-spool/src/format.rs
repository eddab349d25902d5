//! Bytes of files and blocks (`docs/formats/spool.md`).

use crate::limits::{BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX};
use std::ops::Range;

pub(crate) const FILE_HEADER_BYTES: u64 = 32;
pub(crate) const BLOCK_HEADER_BYTES: u64 = 56;
pub(crate) const BLOCK_MAGIC: &[u8; 4] = b"TSB1";
const FILE_MAGIC: &[u8; 8] = b"TANDEMSP";
const VERSION: u32 = 1;
const PLAIN: u32 = 0;
const ZSTD: u32 = 1;
/// Fast, and text still shrinks to a sixth.
const ZSTD_LEVEL: i32 = 1;

/// What a file's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) epoch: u64,
    pub(crate) first: u64,
}

/// What the first bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileStart {
    Good(FileHeader),
    Damaged,
    Version(u32),
}

impl FileHeader {
    pub(crate) fn encode(self) -> [u8; FILE_HEADER_BYTES as usize] {
        let mut bytes = [0; FILE_HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(FILE_MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.first.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> FileStart {
        if bytes.len() < FILE_HEADER_BYTES as usize
            || &bytes[..8] != FILE_MAGIC
            || crc32c::crc32c(&bytes[..28]) != u32_at(bytes, 28)
        {
            return FileStart::Damaged;
        }
        match u32_at(bytes, 8) {
            VERSION => FileStart::Good(Self { epoch: u64_at(bytes, 12), first: u64_at(bytes, 20) }),
            other => FileStart::Version(other),
        }
    }
}

/// What a block's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    pub(crate) epoch: u64,
    pub(crate) first: u64,
    /// Every record below was durable before this block was written.
    pub(crate) durable_end: u64,
    pub(crate) count: u32,
    stored_bytes: u32,
    plain_bytes: u32,
    body_crc: u32,
    encoding: u32,
}

impl BlockHeader {
    /// Header and body together.
    pub(crate) fn block_bytes(&self) -> u64 {
        BLOCK_HEADER_BYTES + u64::from(self.stored_bytes)
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.stored_bytes as usize
    }

    pub(crate) fn offsets(&self) -> Range<u64> {
        self.first..self.first + u64::from(self.count)
    }

    fn encode(&self) -> [u8; BLOCK_HEADER_BYTES as usize] {
        let mut bytes = [0; BLOCK_HEADER_BYTES as usize];
        bytes[..4].copy_from_slice(BLOCK_MAGIC);
        bytes[8..16].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable_end.to_le_bytes());
        for (at, value) in [
            (32, self.count),
            (36, self.stored_bytes),
            (40, self.plain_bytes),
            (44, self.body_crc),
            (48, self.encoding),
        ] {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let crc = crc32c::crc32c(&bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header, when it is one that this program could have written.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < BLOCK_HEADER_BYTES as usize
            || &bytes[..4] != BLOCK_MAGIC
            || crc32c::crc32c(&bytes[8..BLOCK_HEADER_BYTES as usize]) != u32_at(bytes, 4)
        {
            return None;
        }
        let header = Self {
            epoch: u64_at(bytes, 8),
            first: u64_at(bytes, 16),
            durable_end: u64_at(bytes, 24),
            count: u32_at(bytes, 32),
            stored_bytes: u32_at(bytes, 36),
            plain_bytes: u32_at(bytes, 40),
            body_crc: u32_at(bytes, 44),
            encoding: u32_at(bytes, 48),
        };
        let (count, plain) = (header.count as usize, header.plain_bytes as usize);
        let is_possible = (1..=BLOCK_RECORDS_MAX).contains(&count)
            && (count * 4..=BLOCK_BYTES_MAX).contains(&plain)
            && header.stored_bytes <= header.plain_bytes
            && header.encoding <= ZSTD
            && header.first.checked_add(u64::from(header.count)).is_some()
            && u32_at(bytes, 52) == 0;
        is_possible.then_some(header)
    }

    pub(crate) fn is_body(&self, body: &[u8]) -> bool {
        body.len() == self.body_bytes() && crc32c::crc32c(body) == self.body_crc
    }

    /// The records with their offsets; `None` when the body is none of this header.
    pub(crate) fn records(&self, body: &[u8]) -> Option<Vec<(u64, Vec<u8>)>> {
        if !self.is_body(body) {
            return None;
        }
        let unpacked;
        let plain = if self.encoding == ZSTD {
            // Bounded: `decode` checked the size against BLOCK_BYTES_MAX.
            unpacked = zstd::bulk::decompress(body, self.plain_bytes as usize).ok()?;
            unpacked.as_slice()
        } else {
            body
        };
        if plain.len() != self.plain_bytes as usize {
            return None;
        }
        let (lengths, mut rest) = plain.split_at_checked(self.count as usize * 4)?;
        let mut records = Vec::with_capacity(self.count as usize);
        for (offset, length) in self.offsets().zip(lengths.chunks_exact(4)) {
            let (payload, after) = rest.split_at_checked(u32_at(length, 0) as usize)?;
            records.push((offset, payload.to_vec()));
            rest = after;
        }
        rest.is_empty().then_some(records)
    }
}

/// Appends one block of `payloads` to `out`.
pub(crate) fn encode_block(epoch: u64, first: u64, durable_end: u64, payloads: &[&[u8]], out: &mut Vec<u8>) {
    let size = payloads.iter().map(|payload| payload.len() + 4).sum();
    let mut plain = Vec::with_capacity(size);
    for payload in payloads {
        plain.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    }
    for payload in payloads {
        plain.extend_from_slice(payload);
    }
    debug_assert!(!payloads.is_empty() && payloads.len() <= BLOCK_RECORDS_MAX && plain.len() <= BLOCK_BYTES_MAX);
    // A body that does not shrink is stored as it is, so that no block is larger than its records.
    let packed = zstd::bulk::compress(&plain, ZSTD_LEVEL).ok().filter(|packed| packed.len() < plain.len());
    let (encoding, body) = packed.as_ref().map_or((PLAIN, &plain), |packed| (ZSTD, packed));
    let header = BlockHeader {
        epoch,
        first,
        durable_end,
        count: payloads.len() as u32,
        stored_bytes: body.len() as u32,
        plain_bytes: plain.len() as u32,
        body_crc: crc32c::crc32c(body),
        encoding,
    };
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(body);
}

/// Name of the file whose first record has the offset `first`.
pub(crate) fn file_name(first: u64) -> String {
    format!("{first:020}.spool")
}

/// The first offset of the file `name`, when it is a file of a spool.
pub(crate) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".spool")?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_block_is_seen() {
        let noise: Vec<u8> = (0..200_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for payloads in [vec![&b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..], b""], vec![noise.as_slice()]] {
            let mut block = Vec::new();
            encode_block(7, 9, 9, &payloads, &mut block);
            let read = |block: &[u8]| {
                let header = BlockHeader::decode(block)?;
                header.records(&block[BLOCK_HEADER_BYTES as usize..])
            };
            let records = read(&block).unwrap();
            assert_eq!(records.iter().map(|(_, payload)| payload.as_slice()).collect::<Vec<_>>(), payloads);
            for bit in 0..block.len() * 8 {
                block[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(read(&block), None, "bit {bit}");
                block[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn every_flipped_bit_of_a_file_header_is_seen() {
        let header = FileHeader { epoch: 3, first: 4 };
        let mut bytes = header.encode();
        assert_eq!(FileHeader::decode(&bytes), FileStart::Good(header));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&bytes), FileStart::Damaged, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn names() {
        assert_eq!(file_name(17), "00000000000000000017.spool");
        assert_eq!(first_of(&file_name(u64::MAX)), Some(u64::MAX));
        for bad in ["lock", "17.spool", "0000000000000000001x.spool", "99999999999999999999.spool"] {
            assert_eq!(first_of(bad), None, "{bad}");
        }
    }
}
