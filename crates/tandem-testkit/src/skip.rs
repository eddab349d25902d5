//! Tests that need something which is not always there say so, and are counted.

use std::io::Write;
use std::path::PathBuf;

/// Says that the calling test did not run, and why. The check's last line counts these.
#[expect(clippy::print_stderr, reason = "a skipped test must not look like a passed one")]
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    let Some(log) = std::env::var_os("TANDEM_SKIP_LOG") else { return };
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(log);
    if let Ok(mut file) = opened {
        let _ = writeln!(file, "{test}: {reason}");
    }
}

/// The folder with real logs and rules, one folder an archive; `None` says that the test is skipped.
pub fn corpora(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TANDEM_CORPORA").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        skip(test, "TANDEM_CORPORA names no folder with real logs");
    }
    folder
}
