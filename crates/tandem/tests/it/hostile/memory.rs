//! What a process has of memory at most, from `/proc`.

use std::fs;

/// The largest resident set since the start, or since it was [forgotten](forget_peak), in KiB.
pub(super) fn peak_kib(pid: u32) -> Option<u64> {
    status(pid, "VmHWM:")
}

/// The resident set now, in KiB.
pub(super) fn resident_kib(pid: u32) -> Option<u64> {
    status(pid, "VmRSS:")
}

/// The largest resident set counts from now on.
pub(super) fn forget_peak(pid: u32) {
    // Where this is not allowed, the peak is that since the start: a stricter measure.
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

fn status(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
