//! Named places where the process ends as a power cut would end it, when somebody asks for that: `docs/fail-points.md`.
//!
//! A place is one line, [`point`]. It costs one relaxed load unless the program was started with `TANDEM_FAIL_POINT`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The variable that [`arm`] reads: a name of [`POINTS`], or `name:n` for its n-th passage.
pub const VARIABLE: &str = "TANDEM_FAIL_POINT";

/// Every place, in the order of an event's way. A test walks over all of them, so one that is never reached is noticed.
pub const POINTS: &[&str] = &[
    // Receivers and followed files.
    "http.durable",
    "syslog.durable",
    "follow.noted-first",
    "follow.durable",
    "follow.noted",
    // The spool.
    "spool.append",
    "spool.written",
    "spool.synced",
    "spool.answered",
    "spool.roll.written",
    "spool.roll.synced",
    "spool.trim",
    "spool.trim.removed",
    "spool.opened",
    // The pipeline.
    "pipeline.read",
    "pipeline.parsed",
    "pipeline.evaluated",
    "pipeline.table",
    "pipeline.judged",
    "pipeline.taken",
    "pipeline.sources",
    "pipeline.seal",
    "pipeline.sealed",
    "pipeline.tails",
    // The event table.
    "seal: a file of detections is written",
    "seal: detections are committed",
    "seal: a file of events is written",
    "a data file is written, its index is not",
    "seal: files are written",
    "commit",
    "seal: events are committed",
    "put: a file is staged",
    "put: a file is synced",
    "put: a file has its name",
    "delta: a commit is written",
    "delta: a commit stands",
    "compact: rows are merged",
    "compact: a file is written",
    "compact: a merge is committed",
    "retain: a table is committed",
    "vacuum: a file is to be deleted",
    "vacuum: a file is deleted",
    // Control data.
    "control.judge",
    "control.judged",
    "control.sources",
    "control.sources.counted",
    "control.position",
    "control.position.noted",
    "control.case",
    "control.case.decided",
    "control.source",
    "control.source.changed",
    "control.act",
    "control.act.recorded",
    "control.rule",
    "control.rule.switched",
    "control.run",
    "control.tidied",
    // Imports: in the site, and in the program that reads the files.
    "import.taken",
    "import.noted",
    "import.durable",
    "import.told",
    "import.sealed",
    // Backup, restore, installation.
    "backup.copied",
    "backup.written",
    "backup.named",
    "restore.read",
    "restore.spool",
    "restore.epoch",
    "restore.named",
    "init.key",
    "init.spool",
    "init.control",
    "rules.written",
    "rules.exchanged",
];

static ARMED: AtomicBool = AtomicBool::new(false);
static PASSAGES_LEFT: AtomicU64 = AtomicU64::new(1);
static WANTED: OnceLock<String> = OnceLock::new();

/// Why a fail point cannot be armed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{VARIABLE} is `{0}`, which names no fail point; write one of docs/fail-points.md, or `name:n` for its n-th passage"
)]
pub struct UnknownPoint(pub String);

/// Reads [`VARIABLE`]; to be called once, by the program and not by a library. Without the variable nothing is armed.
pub fn arm() -> Result<(), UnknownPoint> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let text = text.to_string_lossy().into_owned();
    let Some((name, passage)) = parse(&text) else { return Err(UnknownPoint(text)) };
    PASSAGES_LEFT.store(passage, Ordering::SeqCst);
    if WANTED.set(name).is_ok() {
        ARMED.store(true, Ordering::SeqCst);
    }
    Ok(())
}

/// A known name and the passage that is meant. Names hold colons, so the number is what follows the last one.
fn parse(text: &str) -> Option<(String, u64)> {
    let known = |name: &str| POINTS.contains(&name);
    if known(text) {
        return Some((text.to_owned(), 1));
    }
    let (name, number) = text.rsplit_once(':')?;
    let number = number.parse().ok().filter(|number| *number > 0)?;
    known(name).then(|| (name.to_owned(), number))
}

/// A place where the process ends when it was armed for `name`.
#[inline]
pub fn point(name: &'static str) {
    if ARMED.load(Ordering::Relaxed) {
        pass(name);
    }
}

#[cold]
#[expect(clippy::print_stderr, reason = "the last word of a process that ends at once")]
fn pass(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "{name} is missing in the list of fail points");
    if WANTED.get().is_none_or(|wanted| wanted != name) {
        return;
    }
    // The one that takes it from 1 to 0 ends the process; those behind find 0.
    let left = PASSAGES_LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if left == Ok(1) {
        eprintln!("fail point {name}: ending the process");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_passages() {
        assert_eq!(parse("spool.synced"), Some(("spool.synced".to_owned(), 1)));
        assert_eq!(parse("spool.synced:7"), Some(("spool.synced".to_owned(), 7)));
        assert_eq!(parse("seal: files are written"), Some(("seal: files are written".to_owned(), 1)));
        assert_eq!(parse("seal: files are written:2"), Some(("seal: files are written".to_owned(), 2)));
        for wrong in ["", "spool", "spool.synced:", "spool.synced:0", "spool.synced:x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_name_stands_once() {
        let mut names = POINTS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), POINTS.len());
    }
}
