//! The one thread that writes: what waits becomes a group, one sync covers it, then everybody is answered.

use crate::AppendError;
use crate::format::{FILE_HEADER_BYTES, FileHeader, encode_block, file_name};
use crate::limits::{BLOCK_BYTES_TARGET, BLOCK_RECORDS_MAX, GROUP_BYTES_MAX};
use crate::spool::{FileInfo, Job, Shared};
use std::io;
use std::sync::Arc;
use tandem_base::{DiskFile, fail};

/// The file that blocks are appended to.
pub(crate) struct Active {
    pub(crate) file: Box<dyn DiskFile>,
    /// Size with everything that is durable and nothing else.
    pub(crate) size_bytes: u64,
}

/// How a group failed.
enum Failure {
    /// Nothing of it is left; the next one may try.
    Write(io::Error),
    /// What is on the disk is not known.
    Unknown(io::Error),
}

/// Runs until the spool closes or stops.
pub(crate) fn run(shared: &Shared, mut active: Active) {
    // A panic of a completion must not leave others waiting for ever.
    let _guard = StopGuard(shared);
    while let Some(jobs) = next_group(shared) {
        let first = shared.state.lock().next;
        let group = encode_group(shared.epoch, first, &jobs);
        fail::point("spool.append");
        let records: u64 = jobs.iter().map(|job| job.payloads.len() as u64).sum();
        let outcome = commit(shared, &mut active, first, &group);
        let is_stopped = matches!(outcome, Err(Failure::Unknown(_)));
        let answers = settle(shared, &jobs, outcome, first, records, &active);
        for (job, answer) in jobs.into_iter().zip(answers) {
            job.done.answer(answer);
        }
        fail::point("spool.answered");
        if is_stopped {
            return;
        }
    }
}

/// Waits for work; `None` when the spool is closed and nothing waits any more.
fn next_group(shared: &Shared) -> Option<Vec<Job>> {
    let mut state = shared.state.lock();
    while state.queue.is_empty() {
        if state.closing {
            return None;
        }
        shared.work.wait(&mut state);
    }
    let mut jobs: Vec<Job> = Vec::new();
    let mut bytes = 0;
    while let Some(job) = state.queue.front() {
        bytes += job.size_bytes;
        if bytes > GROUP_BYTES_MAX && !jobs.is_empty() {
            break;
        }
        jobs.extend(state.queue.pop_front());
    }
    Some(jobs)
}

fn encode_group(epoch: u64, first: u64, jobs: &[Job]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut block: Vec<&[u8]> = Vec::new();
    let mut block_bytes = 0;
    let mut block_first = first;
    for payload in jobs.iter().flat_map(|job| &job.payloads) {
        block.push(payload);
        block_bytes += payload.len() + 4;
        if block_bytes >= BLOCK_BYTES_TARGET || block.len() == BLOCK_RECORDS_MAX {
            encode_block(epoch, block_first, first, &block, &mut out);
            block_first += block.len() as u64;
            block.clear();
            block_bytes = 0;
        }
    }
    if !block.is_empty() {
        encode_block(epoch, block_first, first, &block, &mut out);
    }
    out
}

/// Writes and syncs one group; afterwards `active` is the file that holds it.
fn commit(shared: &Shared, active: &mut Active, first: u64, group: &[u8]) -> Result<(), Failure> {
    if active.size_bytes >= shared.limits.file_bytes_max {
        *active = commit_to_new_file(shared, first, group)?;
        return Ok(());
    }
    if let Err(error) = active.file.append(group) {
        return match active.file.truncate(active.size_bytes) {
            Ok(()) => Err(Failure::Write(error)),
            Err(_) => Err(Failure::Unknown(error)),
        };
    }
    fail::point("spool.written");
    if let Err(error) = active.file.sync() {
        // Nobody has been answered. Cut what may or may not be on the disk, so that opening again in this
        // process does not take it from the cache for durable.
        let _ = active.file.truncate(active.size_bytes);
        return Err(Failure::Unknown(error));
    }
    fail::point("spool.synced");
    active.size_bytes += group.len() as u64;
    Ok(())
}

fn commit_to_new_file(shared: &Shared, first: u64, group: &[u8]) -> Result<Active, Failure> {
    let path = shared.folder.join(file_name(first));
    // What is left over when this fails is a last file without a good block, which opening removes, too.
    let clean_up = |failure| {
        let _ = shared.disk.remove(&path);
        failure
    };
    let header = FileHeader { epoch: shared.epoch, first }.encode();
    let written = || -> io::Result<Box<dyn DiskFile>> {
        let mut file = shared.disk.open(&path, true)?;
        // A failed attempt before may have left something.
        file.truncate(0)?;
        file.append(&header)?;
        file.append(group)?;
        Ok(file)
    };
    let mut file = written().map_err(|error| clean_up(Failure::Write(error)))?;
    fail::point("spool.roll.written");
    let synced = file.sync().and_then(|()| {
        fail::point("spool.roll.synced");
        shared.disk.sync_folder(&shared.folder)
    });
    synced.map_err(|error| clean_up(Failure::Unknown(error)))?;
    Ok(Active { file, size_bytes: FILE_HEADER_BYTES + group.len() as u64 })
}

/// Makes the outcome visible to readers and appenders; answers what each job is told.
fn settle(
    shared: &Shared,
    jobs: &[Job],
    outcome: Result<(), Failure>,
    first: u64,
    records: u64,
    active: &Active,
) -> Vec<crate::ticket::Answer> {
    let mut state = shared.state.lock();
    state.queued_bytes -= jobs.iter().map(|job| job.size_bytes).sum::<usize>();
    let failed = match outcome {
        Ok(()) => None,
        Err(Failure::Write(error)) => {
            let error = Arc::new(error);
            state.failing = Some(error.clone());
            Some(AppendError::Disk(error))
        }
        Err(Failure::Unknown(error)) => {
            let error = Arc::new(error);
            state.stopped = Some(error.clone());
            Some(AppendError::Stopped(error))
        }
    };
    if let Some(failed) = failed {
        return jobs.iter().map(|_| Err(failed.clone())).collect();
    }
    let is_new_file = state.files.last().is_none_or(|last| last.size_bytes >= shared.limits.file_bytes_max);
    if is_new_file {
        state.files.push(FileInfo { first, size_bytes: active.size_bytes });
    } else if let Some(last) = state.files.last_mut() {
        last.size_bytes = active.size_bytes;
    }
    state.failing = None;
    state.next = first + records;
    state.groups += 1;
    drop(state);
    shared.data.notify_all();
    let mut at = first;
    jobs.iter()
        .map(|job| {
            let start = at;
            at += job.payloads.len() as u64;
            Ok(start..at)
        })
        .collect()
}

/// When the writer ends, for whatever reason, nobody waits for it.
struct StopGuard<'a>(&'a Shared);

impl Drop for StopGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if std::thread::panicking() && state.stopped.is_none() {
            state.stopped = Some(Arc::new(io::Error::other("the writer of the spool panicked")));
        }
        state.closing = true;
        let stopped = state.stopped.clone();
        let jobs = std::mem::take(&mut state.queue);
        state.queued_bytes = 0;
        drop(state);
        self.0.data.notify_all();
        for job in jobs {
            job.done.answer(Err(stopped.clone().map_or(AppendError::Closed, AppendError::Stopped)));
        }
    }
}
