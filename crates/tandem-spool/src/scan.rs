//! Block after block through one file, over damaged places.

use crate::format::{BLOCK_HEADER_BYTES, BLOCK_MAGIC, BlockHeader};
use std::io;
use std::ops::Range;
use tandem_base::DiskFile;

/// How much is looked through at once for the next block.
const SEARCH_BYTES: usize = 1024 * 1024;

/// One step through a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A block whose records are all below `skip_below`; its body was not looked at.
    Skipped(BlockHeader),
    /// A good block with its records.
    Block(BlockHeader, Vec<(u64, Vec<u8>)>),
    /// Bytes that are no block; behind them comes a good block, or the end.
    Bad {
        /// The bad bytes.
        bytes: Range<u64>,
        /// Offset of the first record behind them; `None` when the file ends with them.
        resumes: Option<u64>,
    },
    /// The end.
    End,
}

/// Stands at a byte of a file.
pub(crate) struct Scanner<'a> {
    pub(crate) file: &'a mut dyn DiskFile,
    pub(crate) epoch: u64,
    /// Where the next block is expected.
    pub(crate) at: u64,
    /// Where the file ends, for this reader.
    pub(crate) end: u64,
    /// The least offset that the next block may have.
    pub(crate) expected: u64,
    /// Records below this offset are not wanted.
    pub(crate) skip_below: u64,
}

impl Scanner<'_> {
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        if self.at >= self.end {
            return Ok(Step::End);
        }
        let header = self.header_at(self.at)?;
        if let Some(header) = header {
            if header.offsets().end <= self.skip_below {
                self.pass(&header);
                return Ok(Step::Skipped(header));
            }
            if let Some(records) = header.records(&self.body_at(self.at, &header)?) {
                self.pass(&header);
                return Ok(Step::Block(header, records));
            }
        }
        // Where the header is good it says where the next block starts; else every byte may be the start.
        let start = self.at;
        let from = header.map_or(start + 1, |header| start + header.block_bytes());
        let found = self.search(from)?;
        self.at = found.map_or(self.end, |(at, _)| at);
        Ok(Step::Bad { bytes: start..self.at, resumes: found.map(|(_, first)| first) })
    }

    fn pass(&mut self, header: &BlockHeader) {
        self.at += header.block_bytes();
        self.expected = header.offsets().end;
    }

    /// The header at `at`, when a block of this spool can stand there.
    fn header_at(&mut self, at: u64) -> io::Result<Option<BlockHeader>> {
        if self.end.saturating_sub(at) < BLOCK_HEADER_BYTES {
            return Ok(None);
        }
        let mut bytes = [0; BLOCK_HEADER_BYTES as usize];
        let count = self.file.read_at(at, &mut bytes)?;
        Ok(BlockHeader::decode(&bytes[..count]).filter(|header| {
            header.epoch == self.epoch && header.first >= self.expected && at + header.block_bytes() <= self.end
        }))
    }

    fn body_at(&mut self, at: u64, header: &BlockHeader) -> io::Result<Vec<u8>> {
        let mut body = vec![0; header.body_bytes()];
        let count = self.file.read_at(at + BLOCK_HEADER_BYTES, &mut body)?;
        body.truncate(count);
        Ok(body)
    }

    /// The first good block at `from` or behind: its place and its first offset.
    fn search(&mut self, from: u64) -> io::Result<Option<(u64, u64)>> {
        let mut window_at = from;
        let mut window = Vec::new();
        while window_at < self.end {
            window.resize(SEARCH_BYTES.min((self.end - window_at) as usize), 0);
            let count = self.file.read_at(window_at, &mut window)?;
            window.truncate(count);
            for found in memchr::memmem::find_iter(&window, BLOCK_MAGIC) {
                let at = window_at + found as u64;
                if let Some(header) = self.header_at(at)?
                    && header.records(&self.body_at(at, &header)?).is_some()
                {
                    return Ok(Some((at, header.first)));
                }
            }
            if count < BLOCK_MAGIC.len() {
                break;
            }
            // The magic may lie across two windows.
            window_at += (count - BLOCK_MAGIC.len() + 1) as u64;
        }
        Ok(None)
    }
}

/// The epoch of the first block in `file` that is whole, whatever epoch it has.
pub(crate) fn any_epoch(file: &mut dyn DiskFile) -> io::Result<Option<u64>> {
    let size = file.size_bytes()?;
    let mut window_at = 0;
    let mut window = Vec::new();
    while window_at < size {
        window.resize(SEARCH_BYTES.min((size - window_at) as usize), 0);
        let count = file.read_at(window_at, &mut window)?;
        window.truncate(count);
        for found in memchr::memmem::find_iter(&window, BLOCK_MAGIC) {
            let at = window_at + found as u64;
            let mut bytes = [0; BLOCK_HEADER_BYTES as usize];
            let count = file.read_at(at, &mut bytes)?;
            let Some(header) = BlockHeader::decode(&bytes[..count]) else { continue };
            let mut scanner = Scanner { file, epoch: header.epoch, at, end: size, expected: 0, skip_below: 0 };
            if matches!(scanner.step()?, Step::Block(..)) {
                return Ok(Some(header.epoch));
            }
        }
        if count < BLOCK_MAGIC.len() {
            break;
        }
        window_at += (count - BLOCK_MAGIC.len() + 1) as u64;
    }
    Ok(None)
}
