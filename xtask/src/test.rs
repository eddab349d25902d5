//! Everything that must hold, cheapest first, with a count at the end of what ran and what was skipped.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Where the programs are that the tests talk to.
const CLIENTS: &str = "target/test-venv";

pub(crate) fn run(root: &Path) -> Result<()> {
    let begin = Instant::now();
    let skipped = root.join("target/skipped-tests.txt");
    fs::create_dir_all(root.join("target"))?;
    fs::write(&skipped, "")?;

    crate::tidy::run(root)?;
    // The binary carries the console: it is built before it.
    crate::console::build(root)?;
    crate::run(root, "cargo", &["fmt", "--all", "--check"])?;
    crate::run(root, "cargo", &["fmt", "--manifest-path", "bench/Cargo.toml", "--check"])?;
    crate::run(root, "cargo", &["build", "--workspace", "--all-targets"])?;
    lint(root)?;
    if crate::exists("cargo-deny") {
        crate::run(root, "cargo", &["deny", "--log-level", "error", "check", "licenses", "bans", "sources"])?;
    } else {
        note(&skipped, "licences by cargo-deny: cargo-deny is not installed (cargo install cargo-deny)")?;
    }

    let mut console_passed = 0;
    let console = root.join("console");
    if console.join("package.json").exists() {
        console_passed = console_tests(&console)?;
        match crate::journeys::run(root, &root.join("target/debug/tandem"))? {
            Some(passed) => console_passed += passed,
            None => note(&skipped, "browser journeys: no Chromium is installed (apt-get install chromium)")?,
        }
    }

    clients(root);
    let passed = rust_tests(root, &skipped)?;
    let reasons: Vec<String> = fs::read_to_string(&skipped)?.lines().map(str::to_owned).collect();
    crate::say(&format!("\ntook {} s", begin.elapsed().as_secs()));
    for reason in &reasons {
        crate::say(&format!("skipped: {reason}"));
    }
    println(&format!("{} passed, 0 failed, {} skipped", passed + console_passed, reasons.len()));
    Ok(())
}

/// Clippy on our own crates; a warning fails.
fn lint(root: &Path) -> Result<()> {
    crate::run(root, "cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
}

/// Runs the console's own tests and answers how many passed.
fn console_tests(console: &Path) -> Result<u64> {
    crate::say("$ npm test");
    let output = crate::command(console, "npm").args(["test", "--silent"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    crate::say(&text);
    if !output.status.success() {
        bail!("the console's tests failed");
    }
    Ok(counts(&text).context("the console's test run printed no count")?.passed)
}

/// What a run of vitest counted.
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) skipped: u64,
}

/// Reads vitest's closing line: `Tests  41 passed (41)` or `Tests  3 passed | 2 skipped (5)`.
pub(crate) fn counts(text: &str) -> Option<Counts> {
    let line = text.lines().rev().map(strip_colour).find(|line| line.trim_start().starts_with("Tests "))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let before = |wanted: &str| {
        let at = words.iter().position(|word| *word == wanted)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    let (passed, skipped) = (before("passed"), before("skipped"));
    (passed.is_some() || skipped.is_some())
        .then(|| Counts { passed: passed.unwrap_or(0), skipped: skipped.unwrap_or(0) })
}

fn strip_colour(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            for inner in characters.by_ref() {
                if inner.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            text.push(character);
        }
    }
    text
}

/// Log senders and other engines that the tests talk to. What cannot be installed is skipped by its tests, by name.
fn clients(root: &Path) {
    if let Err(error) = crate::run(root, "sh", &["scripts/test-venv.sh", CLIENTS]) {
        crate::say(&format!("{error:#}; tests of what is missing are skipped"));
    }
}

/// Runs the Rust tests with nextest, else with cargo's own runner, and answers how many passed.
fn rust_tests(root: &Path, skipped: &Path) -> Result<u64> {
    let nextest = crate::exists("cargo-nextest");
    let arguments: &[&str] = if nextest {
        &["nextest", "run", "--workspace", "--no-tests=fail"]
    } else {
        &["test", "--workspace", "--no-fail-fast"]
    };
    crate::say(&format!("$ cargo {}", arguments.join(" ")));
    let mut child = crate::command(root, "cargo");
    child.args(arguments).env("TANDEM_SKIP_LOG", skipped).env("NEXTEST_HIDE_PROGRESS_BAR", "1");
    let venv = root.join(CLIENTS);
    child.env("TANDEM_TEST_VENV", &venv).env("TANDEM_PEERS_PYTHON", venv.join("bin/python"));
    if nextest {
        let status = child.status()?;
        if !status.success() {
            bail!("tests failed");
        }
        let report =
            fs::read_to_string(root.join("target/nextest/default/junit.xml")).context("reading the test report")?;
        return Ok(report.matches("<testcase ").count() as u64);
    }
    let output = child.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    crate::say(&text);
    if !output.status.success() {
        crate::say(&String::from_utf8_lossy(&output.stderr));
        bail!("tests failed");
    }
    let counts = text.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    Ok(counts.filter_map(|line| line.split(' ').next()?.parse::<u64>().ok()).sum())
}

fn note(skipped: &Path, reason: &str) -> Result<()> {
    let mut text = fs::read_to_string(skipped)?;
    text.push_str(reason);
    text.push('\n');
    Ok(fs::write(skipped, text)?)
}

#[expect(clippy::print_stdout, reason = "the closing line is this task's result")]
fn println(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn the_closing_line_is_read_with_and_without_colour() {
        let read = |text| counts(text).map(|counts| (counts.passed, counts.skipped));
        assert_eq!(read("  Tests  41 passed (41)\n Start at 10:00"), Some((41, 0)));
        assert_eq!(read("\u{1b}[2m      Tests \u{1b}[22m \u{1b}[32m3 passed\u{1b}[39m | 2 skipped (5)"), Some((3, 2)));
        assert_eq!(read("      Tests  7 skipped (7)"), Some((0, 7)));
        assert_eq!(read("no count here"), None);
    }
}
