//! CPU time and memory of this process.

use rustix::time::{ClockId, clock_gettime};

/// User and system time of the process, in seconds.
pub(crate) fn cpu_seconds() -> f64 {
    seconds(ClockId::ProcessCPUTime)
}

/// Time on the wall, in seconds.
pub(crate) fn wall_seconds() -> f64 {
    seconds(ClockId::Monotonic)
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Resident memory, in MiB; 0 where the system does not tell.
pub(crate) fn resident_mib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0);
    pages * rustix::param::page_size() as f64 / f64::from(1 << 20)
}

/// The shortest of several runs of the same work.
#[derive(Default)]
pub(crate) struct Best {
    all: Vec<f64>,
}

impl Best {
    pub(crate) fn note(&mut self, seconds: f64) {
        self.all.push(seconds);
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.all.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// How much longer the longest took.
    pub(crate) fn spread_percent(&self) -> f64 {
        let longest = self.all.iter().copied().fold(0.0, f64::max);
        if longest > 0.0 { (longest / self.seconds() - 1.0) * 100.0 } else { 0.0 }
    }
}
