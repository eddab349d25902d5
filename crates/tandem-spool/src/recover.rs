//! Opening: what is good is kept, what is torn is cut, what is damaged is said.

use crate::format::{FILE_HEADER_BYTES, FileHeader, FileStart, file_name, first_of};
use crate::scan::{self, Scanner, Step};
use crate::spool::FileInfo;
use crate::writer::Active;
use crate::{Limits, OpenError};
use std::io;
use std::ops::Range;
use std::path::Path;
use tandem_base::{Disk, DiskFile, DiskLock};

/// What was found at opening.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The end of the last file that was cut off: the trace of a crash while writing, not of damage.
    pub cut: Option<Cut>,
    /// Damaged places of the last file and of files' headers; those of other files are found when they are read.
    pub damage: Vec<Damage>,
}

impl Recovery {
    /// Whether nothing was wrong.
    pub fn is_clean(&self) -> bool {
        self.cut.is_none() && self.damage.is_empty()
    }
}

/// A torn end that was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Name of the file.
    pub file: String,
    /// The bytes that were cut.
    pub bytes: Range<u64>,
}

/// A place that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Name of the file.
    pub file: String,
    /// The bytes; empty where whole blocks or files are missing.
    pub bytes: Range<u64>,
    /// The offsets that are lost; empty when only a header is damaged.
    pub records: Range<u64>,
    /// Whether records among them had certainly been acknowledged.
    pub is_certain: bool,
}

/// A spool that is ready to be written.
pub(crate) struct Opened {
    pub(crate) epoch: u64,
    pub(crate) files: Vec<FileInfo>,
    pub(crate) next: u64,
    pub(crate) active: Active,
    pub(crate) lock: DiskLock,
    pub(crate) recovery: Recovery,
}

pub(crate) fn create(disk: &dyn Disk, folder: &Path, epoch: u64, limits: &Limits) -> Result<Opened, OpenError> {
    limits.check()?;
    disk.create_folder(folder)?;
    if let Some(parent) = folder.parent() {
        disk.sync_folder(parent)?;
    }
    let lock = lock(disk, folder)?;
    for first in list(disk, folder)? {
        let path = folder.join(file_name(first));
        let mut file = disk.open(&path, false)?;
        if !matches!(start_of(file.as_mut())?, FileStart::Damaged) || scan::any_epoch(file.as_mut())?.is_some() {
            return Err(OpenError::Exists);
        }
    }
    for first in list(disk, folder)? {
        disk.remove(&folder.join(file_name(first)))?;
    }
    let active = make_file(disk, folder, epoch, 0)?;
    let files = vec![FileInfo { first: 0, size_bytes: active.size_bytes }];
    Ok(Opened { epoch, files, next: 0, active, lock, recovery: Recovery::default() })
}

pub(crate) fn open(disk: &dyn Disk, folder: &Path, limits: &Limits, floor: u64) -> Result<Opened, OpenError> {
    limits.check()?;
    let firsts = match list(disk, folder) {
        Ok(firsts) => firsts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenError::Missing),
        Err(error) => return Err(error.into()),
    };
    let Some(last) = firsts.last().copied() else { return Err(OpenError::Missing) };
    let lock = lock(disk, folder)?;
    let mut recovery = Recovery::default();
    let (epoch, mut files) = read_starts(disk, folder, &firsts, &mut recovery)?;
    let (mut active, mut next) = recover_last(disk, folder, epoch, last, &mut recovery)?;
    if let Some(info) = files.last_mut() {
        info.size_bytes = active.size_bytes;
    }
    tandem_base::fail::point("spool.opened");
    if next < floor {
        let bytes = active.size_bytes..active.size_bytes;
        recovery.damage.push(Damage { file: file_name(last), bytes, records: next..floor, is_certain: true });
        active = make_file(disk, folder, epoch, floor)?;
        files.push(FileInfo { first: floor, size_bytes: active.size_bytes });
        next = floor;
    }
    Ok(Opened { epoch, files, next, active, lock, recovery })
}

fn lock(disk: &dyn Disk, folder: &Path) -> Result<DiskLock, OpenError> {
    disk.lock(&folder.join("lock"))?.ok_or(OpenError::InUse)
}

/// First offsets of the spool's files, ascending.
fn list(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<u64>> {
    let mut firsts: Vec<u64> = disk.list(folder)?.iter().filter_map(|name| first_of(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

fn start_of(file: &mut dyn DiskFile) -> io::Result<FileStart> {
    let mut bytes = [0; FILE_HEADER_BYTES as usize];
    let count = file.read_at(0, &mut bytes)?;
    Ok(FileHeader::decode(&bytes[..count]))
}

/// Reads all headers: the epoch, which they must agree on, and the files.
fn read_starts(
    disk: &dyn Disk,
    folder: &Path,
    firsts: &[u64],
    recovery: &mut Recovery,
) -> Result<(u64, Vec<FileInfo>), OpenError> {
    let mut epoch = None;
    let mut files = Vec::with_capacity(firsts.len());
    for first in firsts {
        let name = file_name(*first);
        let mut file = disk.open(&folder.join(&name), false)?;
        files.push(FileInfo { first: *first, size_bytes: file.size_bytes()? });
        match start_of(file.as_mut())? {
            FileStart::Version(version) => return Err(OpenError::Version { file: name, version }),
            FileStart::Good(header) if epoch.is_some_and(|epoch| epoch != header.epoch) => {
                return Err(OpenError::Mixed { file: name });
            }
            FileStart::Good(header) => {
                epoch = Some(header.epoch);
                if header.first != *first {
                    recovery.damage.push(damaged_header(name, *first));
                }
            }
            // What a damaged start of the last file means depends on what follows it.
            FileStart::Damaged if Some(first) == firsts.last() => {}
            FileStart::Damaged => recovery.damage.push(damaged_header(name, *first)),
        }
    }
    if let Some(epoch) = epoch {
        return Ok((epoch, files));
    }
    for first in firsts {
        let mut file = disk.open(&folder.join(file_name(*first)), false)?;
        if let Some(epoch) = scan::any_epoch(file.as_mut())? {
            return Ok((epoch, files));
        }
    }
    Err(OpenError::Unreadable)
}

fn damaged_header(file: String, first: u64) -> Damage {
    Damage { file, bytes: 0..FILE_HEADER_BYTES, records: first..first, is_certain: false }
}

/// Walks through the last file; what remains of it is synced.
fn recover_last(
    disk: &dyn Disk,
    folder: &Path,
    epoch: u64,
    first: u64,
    recovery: &mut Recovery,
) -> Result<(Active, u64), OpenError> {
    let name = file_name(first);
    let mut file = disk.open(&folder.join(&name), false)?;
    let size = file.size_bytes()?;
    let is_start_damaged = start_of(file.as_mut())? == FileStart::Damaged;
    let mut damage = Vec::new();
    let mut has_block = false;
    // The end of the last good block.
    let mut good_end = FILE_HEADER_BYTES;
    let mut durable_end = 0;
    let mut scanner = Scanner {
        file: file.as_mut(),
        epoch,
        at: FILE_HEADER_BYTES,
        end: size.max(FILE_HEADER_BYTES),
        expected: first,
        skip_below: 0,
    };
    loop {
        let expected = scanner.expected;
        let before = scanner.at;
        match scanner.step()? {
            Step::Skipped(header) | Step::Block(header, _) => {
                if header.first > expected {
                    damage.push(Damage {
                        file: name.clone(),
                        bytes: before..before,
                        records: expected..header.first,
                        is_certain: false,
                    });
                }
                has_block = true;
                good_end = scanner.at;
                durable_end = durable_end.max(header.durable_end);
            }
            Step::Bad { bytes, resumes: Some(resumes) } => {
                damage.push(Damage { file: name.clone(), bytes, records: expected..resumes, is_certain: false });
                scanner.expected = resumes;
            }
            Step::Bad { bytes, resumes: None } => recovery.cut = Some(Cut { file: name.clone(), bytes }),
            Step::End => break,
        }
    }
    let next = scanner.expected;
    for damage in &mut damage {
        damage.is_certain = damage.records.start < durable_end.min(damage.records.end);
    }
    recovery.damage.append(&mut damage);
    if is_start_damaged && !has_block {
        // Its making was interrupted, or all of it has decayed; the name still says where it starts.
        recovery.cut = (size > 0).then_some(Cut { file: name, bytes: 0..size });
        drop(file);
        return Ok((make_file(disk, folder, epoch, first)?, first));
    }
    if is_start_damaged {
        recovery.damage.push(damaged_header(name, first));
    }
    if good_end < size {
        file.truncate(good_end)?;
    }
    // It may have been written and not synced before the crash; readers are about to see it.
    file.sync()?;
    disk.sync_folder(folder)?;
    Ok((Active { file, size_bytes: good_end }, next))
}

/// A file with nothing but its header, durable.
fn make_file(disk: &dyn Disk, folder: &Path, epoch: u64, first: u64) -> io::Result<Active> {
    let mut file = disk.open(&folder.join(file_name(first)), true)?;
    file.truncate(0)?;
    file.append(&FileHeader { epoch, first }.encode())?;
    file.sync()?;
    disk.sync_folder(folder)?;
    Ok(Active { file, size_bytes: FILE_HEADER_BYTES })
}
