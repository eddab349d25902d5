//! A disk in memory that lies, fails and loses power: what a real one may do, on demand and reproducibly.
//!
//! What a program writes lands in the *cache*; only a sync moves it to the *medium*. [`MemDisk::crash`] throws the
//! cache away, except for what the seed lets survive: of each file some of the writes since its last sync, the last
//! one torn; of each folder some of the names made or removed since its last sync.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use tandem_base::{Disk, DiskFile, DiskLock};

/// Unit of torn writes, bytes.
const SECTOR_BYTES: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct MemDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<Contents>,
    /// What programs see.
    names: BTreeMap<PathBuf, usize>,
    /// What is left after a crash.
    durable_names: BTreeMap<PathBuf, usize>,
    /// Names changed since the folder's last sync.
    changed_names: BTreeSet<PathBuf>,
    locked: BTreeSet<PathBuf>,
    /// Grows with each crash; files and locks of an earlier life are dead.
    life: u64,
    operations: u64,
    stop_at: Option<u64>,
    space_bytes: Option<u64>,
    failing_syncs: u32,
    failing_folder_syncs: u32,
    failing_truncates: u32,
    failing_removes: u32,
}

#[derive(Debug, Default)]
struct Contents {
    cache: Vec<u8>,
    medium: Vec<u8>,
    /// What happened since the last sync.
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes: written } => {
                // A hole of lost writes before it reads as zeros.
                if bytes.len() < at + written.len() {
                    bytes.resize(at + written.len(), 0);
                }
                bytes[*at..at + written.len()].copy_from_slice(written);
            }
            Self::Truncate(size) => bytes.resize(*size, 0),
        }
    }
}

impl MemDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How many operations it has done.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// After `operations` more operations every one fails, as if the power were gone, until [`crash`](Self::crash).
    pub fn stop_after(&self, operations: u64) {
        let mut state = self.state();
        state.stop_at = Some(state.operations + operations);
    }

    /// All files together may take this much; writes beyond it are short and fail.
    pub fn limit_space(&self, bytes: Option<u64>) {
        self.state().space_bytes = bytes;
    }

    /// The next `count` syncs of files fail. What they should have made durable is lost for good, although
    /// programs go on seeing it: as kernels do.
    pub fn fail_syncs(&self, count: u32) {
        self.state().failing_syncs = count;
    }

    /// The next `count` syncs of folders fail.
    pub fn fail_folder_syncs(&self, count: u32) {
        self.state().failing_folder_syncs = count;
    }

    /// The next `count` truncations fail.
    pub fn fail_truncates(&self, count: u32) {
        self.state().failing_truncates = count;
    }

    /// The next `count` removals fail.
    pub fn fail_removes(&self, count: u32) {
        self.state().failing_removes = count;
    }

    /// The program is killed while the power stays: what it wrote is still seen, synced or not. Faults are over,
    /// locks are gone, files that are still open answer with errors.
    pub fn kill(&self) {
        self.state().begin_life();
    }

    /// Loses power and comes back. `seed` decides what of the cache had reached the medium. Faults are over, locks
    /// are gone, files that are still open answer with errors.
    pub fn crash(&self, seed: u64) {
        let mut chance = Chance(seed);
        let mut state = self.state();
        let State { files, names, durable_names, changed_names, .. } = &mut *state;
        for path in std::mem::take(changed_names) {
            if chance.below(2) == 0 {
                match names.get(&path) {
                    Some(file) => durable_names.insert(path, *file),
                    None => durable_names.remove(&path),
                };
            }
        }
        for file in files.iter_mut() {
            survive(file, &mut chance);
        }
        *names = durable_names.clone();
        state.begin_life();
    }

    /// Bytes of a file as programs see them.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path).map(|file| state.files[*file].cache.clone())
    }

    /// Puts `bytes` in place of a file, on the medium: decay, or an operator's mistake.
    pub fn write(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state();
        let contents = Contents { cache: bytes.clone(), medium: bytes, pending: Vec::new() };
        match state.names.get(path).copied() {
            Some(file) => state.files[file] = contents,
            None => {
                let file = state.files.len();
                state.files.push(contents);
                state.names.insert(path.to_path_buf(), file);
                state.durable_names.insert(path.to_path_buf(), file);
            }
        }
    }

    /// Flips one bit of a file, on the medium.
    pub fn flip(&self, path: &Path, bit: usize) {
        if let Some(mut bytes) = self.read(path) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            self.write(path, bytes);
        }
    }

    /// Paths of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// A disk with the same files, all of them durable, and no faults.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        for path in self.paths() {
            copy.write(&path, self.read(&path).unwrap_or_default());
        }
        copy
    }
}

/// Decides what of the pending changes had reached the medium.
fn survive(file: &mut Contents, chance: &mut Chance) {
    let pending = std::mem::take(&mut file.pending);
    match chance.below(4) {
        // Nothing.
        0 => {}
        // Everything.
        1 => pending.iter().for_each(|change| change.apply(&mut file.medium)),
        // The first ones, the last of them torn.
        2 => {
            let count = chance.below(pending.len() + 1);
            pending.iter().take(count).for_each(|change| change.apply(&mut file.medium));
            if let Some(Change::Write { at, bytes }) = pending.get(count) {
                let torn = bytes[..chance.below(bytes.len() + 1)].to_vec();
                Change::Write { at: *at, bytes: torn }.apply(&mut file.medium);
            }
        }
        // Any sectors of any of them, in the size that the last one gave: lost ones are zeros or noise.
        _ => {
            for change in pending {
                let Change::Write { at, bytes } = change else {
                    change.apply(&mut file.medium);
                    continue;
                };
                for (index, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    let written = match chance.below(3) {
                        0 => vec![0; sector.len()],
                        1 => sector.iter().map(|byte| byte ^ chance.below(256) as u8).collect(),
                        _ => sector.to_vec(),
                    };
                    Change::Write { at: at + index * SECTOR_BYTES, bytes: written }.apply(&mut file.medium);
                }
            }
        }
    }
    file.cache.clone_from(&file.medium);
}

/// A small reproducible generator (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap_or(0)
    }
}

impl State {
    /// Counts an operation; fails when the power is gone.
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        if self.stop_at.is_some_and(|stop| self.operations > stop) {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(())
    }

    /// Ends faults, locks and open files.
    fn begin_life(&mut self) {
        self.locked.clear();
        self.life += 1;
        self.stop_at = None;
        self.space_bytes = None;
        self.failing_syncs = 0;
        self.failing_folder_syncs = 0;
        self.failing_truncates = 0;
        self.failing_removes = 0;
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().map(|file| self.files[*file].cache.len() as u64).sum()
    }
}

struct MemFile {
    disk: MemDisk,
    file: usize,
    life: u64,
}

impl MemFile {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.state();
        state.operate()?;
        if state.life != self.life {
            return Err(io::Error::other("the file was opened before the crash"));
        }
        work(&mut state)
    }
}

impl DiskFile for MemFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file;
        self.with(|state| {
            let free = state.space_bytes.map_or(u64::MAX, |space| space.saturating_sub(state.used_bytes()));
            let fitting = &bytes[..bytes.len().min(usize::try_from(free).unwrap_or(usize::MAX))];
            let contents = &mut state.files[file];
            let change = Change::Write { at: contents.cache.len(), bytes: fitting.to_vec() };
            change.apply(&mut contents.cache);
            contents.pending.push(change);
            if fitting.len() < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let file = self.file;
        self.with(|state| {
            let cache = &state.files[file].cache;
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(cache.len());
            let count = bytes.len().min(cache.len() - start);
            bytes[..count].copy_from_slice(&cache[start..start + count]);
            Ok(count)
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = self.file;
        self.with(|state| {
            let fails = state.failing_syncs > 0;
            state.failing_syncs = state.failing_syncs.saturating_sub(1);
            let contents = &mut state.files[file];
            let pending = std::mem::take(&mut contents.pending);
            if fails {
                return Err(io::Error::other("input/output error at sync"));
            }
            for change in pending {
                change.apply(&mut contents.medium);
            }
            Ok(())
        })
    }

    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        let file = self.file;
        self.with(|state| {
            if state.failing_truncates > 0 {
                state.failing_truncates -= 1;
                return Err(io::Error::other("input/output error at truncate"));
            }
            let contents = &mut state.files[file];
            let change = Change::Truncate(usize::try_from(size_bytes).unwrap_or(usize::MAX));
            change.apply(&mut contents.cache);
            contents.pending.push(change);
            Ok(())
        })
    }

    fn size_bytes(&mut self) -> io::Result<u64> {
        let file = self.file;
        self.with(|state| Ok(state.files[file].cache.len() as u64))
    }
}

impl Disk for MemDisk {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.operate()?;
        let file = match state.names.get(path) {
            Some(file) => *file,
            None if create => {
                let file = state.files.len();
                state.files.push(Contents::default());
                state.names.insert(path.to_path_buf(), file);
                state.changed_names.insert(path.to_path_buf());
                file
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Box::new(MemFile { disk: self.clone(), file, life: state.life }))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.operate()?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(folder));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        self.state().operate()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        if state.failing_folder_syncs > 0 {
            state.failing_folder_syncs -= 1;
            return Err(io::Error::other("input/output error at sync of the folder"));
        }
        let State { names, durable_names, changed_names, .. } = &mut *state;
        changed_names.retain(|path| {
            if path.parent() != Some(folder) {
                return true;
            }
            match names.get(path) {
                Some(file) => durable_names.insert(path.clone(), *file),
                None => durable_names.remove(path),
            };
            false
        });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        if state.failing_removes > 0 {
            state.failing_removes -= 1;
            return Err(io::Error::other("input/output error at remove"));
        }
        state.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        state.changed_names.insert(path.to_path_buf());
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<DiskLock>> {
        let mut state = self.state();
        state.operate()?;
        if !state.locked.insert(path.to_path_buf()) {
            return Ok(None);
        }
        Ok(Some(Box::new(MemLock { disk: self.clone(), path: path.to_path_buf(), life: state.life })))
    }
}

struct MemLock {
    disk: MemDisk,
    path: PathBuf,
    life: u64,
}

impl Drop for MemLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.life == self.life {
            state.locked.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_synced_bytes_of_synced_names_are_certain() {
        let path = Path::new("d/f");
        let mut lost = 0;
        for seed in 0..200 {
            let disk = MemDisk::new();
            let mut file = disk.open(path, true).unwrap();
            file.append(b"first").unwrap();
            file.sync().unwrap();
            disk.sync_folder(Path::new("d")).unwrap();
            file.append(b"second").unwrap();
            disk.open(Path::new("d/g"), true).unwrap();
            disk.crash(seed);
            let bytes = disk.read(path).unwrap();
            assert!(bytes.starts_with(b"first"));
            lost += usize::from(bytes != b"firstsecond") + usize::from(disk.read(Path::new("d/g")).is_none());
            assert!(file.append(b"x").is_err(), "a file of an earlier life is dead");
        }
        assert!(lost > 100);
    }

    #[test]
    fn a_failed_sync_loses_for_good() {
        let disk = MemDisk::new();
        let mut file = disk.open(Path::new("d/f"), true).unwrap();
        disk.sync_folder(Path::new("d")).unwrap();
        file.append(b"lost").unwrap();
        disk.fail_syncs(1);
        assert!(file.sync().is_err());
        assert!(file.sync().is_ok());
        assert_eq!(disk.read(Path::new("d/f")).unwrap(), b"lost");
        disk.crash(1);
        assert_eq!(disk.read(Path::new("d/f")).unwrap(), b"");
    }

    #[test]
    fn a_full_disk_writes_short() {
        let disk = MemDisk::new();
        disk.limit_space(Some(3));
        let mut file = disk.open(Path::new("d/f"), true).unwrap();
        assert_eq!(file.append(b"12345").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.size_bytes().unwrap(), 3);
    }
}
