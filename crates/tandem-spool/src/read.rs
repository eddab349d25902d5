//! Reading forward from any offset.

use crate::format::{FILE_HEADER_BYTES, file_name};
use crate::scan::{Scanner, Step};
use crate::spool::{FileInfo, Spool};
use crate::{Damage, ReadError};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;

/// Readers that go forward are remembered, so that they need not walk through a file again.
const PLACES_MAX: usize = 32;

/// What a reader got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    /// Records with their offsets, ascending.
    pub records: Vec<(u64, Vec<u8>)>,
    /// Where to go on: the offset behind the last record, or behind what is lost.
    pub next: u64,
    /// Offsets that are damaged and will never be read, ascending.
    pub lost: Vec<Range<u64>>,
}

/// A block's place: the offset that is expected there.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    file_first: u64,
    at: u64,
}

/// Where readers were last, newest last.
#[derive(Debug, Default)]
pub(crate) struct Places(VecDeque<Place>);

impl Places {
    fn take(&mut self, offset: u64, file_first: u64) -> Option<u64> {
        let index = self.0.iter().position(|place| place.offset == offset && place.file_first == file_first)?;
        Some(self.0[index].at)
    }

    fn put(&mut self, place: Place) {
        self.0.retain(|known| known.offset != place.offset);
        if self.0.len() == PLACES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(place);
    }
}

impl Spool {
    /// Durable records from `offset` on, until their payloads reach `bytes_max`; whole blocks, so it may be more by
    /// one block (256 KiB, or one large record). At the end it is empty and `next` is `offset`.
    ///
    /// Damage is skipped and named in `lost`, and stands in [`Status::damage`](crate::Status::damage).
    pub fn read_from(&self, offset: u64, bytes_max: usize) -> Result<Read, ReadError> {
        let (files, end) = {
            let state = self.shared().state.lock();
            (state.files.clone(), state.next)
        };
        let first = files.first().map_or(end, |file| file.first);
        if offset < first {
            return Err(ReadError::Trimmed { first });
        }
        if offset > end {
            return Err(ReadError::BeyondEnd { next: end });
        }
        let mut reading = Reading { spool: self, read: Read { next: offset, ..Read::default() }, bytes: 0, bytes_max };
        let start = files.partition_point(|file| file.first <= offset).saturating_sub(1);
        for (index, file) in files.iter().enumerate().skip(start) {
            if reading.read.next == end {
                break;
            }
            let file_end = files.get(index + 1).map_or(end, |next| next.first);
            match reading.file(*file, file_end) {
                Ok(true) => break,
                Ok(false) => {}
                // The file was trimmed while this read was under way.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let first = self.status().first;
                    return if first > offset { Err(ReadError::Trimmed { first }) } else { Err(error.into()) };
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(reading.read)
    }
}

struct Reading<'a> {
    spool: &'a Spool,
    read: Read,
    bytes: usize,
    bytes_max: usize,
}

impl Reading<'_> {
    /// Reads on in one file, whose records end at `file_end`; whether enough has been read.
    fn file(&mut self, info: FileInfo, file_end: u64) -> io::Result<bool> {
        let shared = self.spool.shared();
        let name = file_name(info.first);
        let mut file = shared.disk.open(&shared.folder.join(&name), false)?;
        let known = shared.places.lock().take(self.read.next, info.first);
        let mut scanner = Scanner {
            file: file.as_mut(),
            epoch: shared.epoch,
            at: known.unwrap_or(FILE_HEADER_BYTES),
            end: info.size_bytes,
            expected: if known.is_some() { self.read.next } else { info.first },
            skip_below: self.read.next,
        };
        loop {
            let expected = scanner.expected;
            let before = scanner.at;
            match scanner.step()? {
                Step::Skipped(_) => {}
                Step::Block(header, records) => {
                    self.missing(&name, before..before, expected..header.first);
                    self.bytes += records.iter().map(|(_, payload)| payload.len()).sum::<usize>();
                    let wanted = self.read.next;
                    self.read.records.extend(records.into_iter().filter(|(offset, _)| *offset >= wanted));
                    self.read.next = scanner.expected;
                    if self.bytes >= self.bytes_max {
                        let place = Place { offset: self.read.next, file_first: info.first, at: scanner.at };
                        shared.places.lock().put(place);
                        return Ok(true);
                    }
                }
                Step::Bad { bytes, resumes } => {
                    let resumes = resumes.unwrap_or(file_end);
                    self.missing(&name, bytes, expected..resumes);
                    scanner.expected = resumes.max(expected);
                }
                Step::End => {
                    self.missing(&name, before..before, expected..file_end);
                    self.read.next = self.read.next.max(file_end);
                    let place = Place { offset: self.read.next, file_first: info.first, at: scanner.at };
                    shared.places.lock().put(place);
                    return Ok(false);
                }
            }
        }
    }

    /// Notes that `records` cannot be read, as far as they are wanted.
    fn missing(&mut self, file: &str, bytes: Range<u64>, records: Range<u64>) {
        if records.is_empty() {
            return;
        }
        // A reader is only ever shown what was durable.
        let damage = Damage { file: file.to_owned(), bytes, records: records.clone(), is_certain: true };
        self.spool.shared().state.lock().note_damage(damage);
        let wanted = records.start.max(self.read.next)..records.end;
        if !wanted.is_empty() {
            self.read.next = wanted.end;
            self.read.lost.push(wanted);
        }
    }
}
