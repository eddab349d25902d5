//! One section of `docs/measured/bad-input.md`: written by the test when asked, compared otherwise.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::path::PathBuf;

/// Rows of one section.
pub(super) struct Table {
    section: &'static str,
    /// Target, input, answer, memory.
    rows: Vec<[String; 4]>,
}

const CELL_CHARS_MAX: usize = 420;

impl Table {
    pub(super) fn new(section: &'static str) -> Self {
        Self { section, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, target: &str, input: &str, answer: &str, memory: String) {
        self.rows.push([cell(target), cell(input), cell(answer), memory]);
    }

    /// Compares with the page, all but the memory; writes it with `UPDATE_EXPECT=1`.
    pub(super) fn check(&self) -> Result<()> {
        let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/measured/bad-input.md"));
        let (begin, end) = (format!("<!-- {} -->\n", self.section), format!("<!-- end of {} -->", self.section));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            // The tests of the other sections run at the same time.
            let lock = File::open(path.parent().context("the page has a folder")?)?;
            lock.lock()?;
            let page = std::fs::read_to_string(&path)?;
            let (before, rest) = page.split_once(&begin).with_context(|| format!("the page has no `{begin}`"))?;
            let (_, after) = rest.split_once(&end).with_context(|| format!("the page has no `{end}`"))?;
            let rows: Vec<String> = self.rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect();
            let head = "| target | input | answer | memory |\n| --- | --- | --- | --- |\n";
            std::fs::write(&path, format!("{before}{begin}{head}{}{end}{after}", rows.concat()))?;
        }
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        let section = page.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map_or("", |(rows, _)| rows);
        let wanted: Vec<&str> = section.lines().skip(2).filter_map(|line| Some(line.rsplit_once(" | ")?.0)).collect();
        let found: Vec<String> = self.rows.iter().map(|row| format!("| {}", row[..3].join(" | "))).collect();
        let missing: Vec<&str> = wanted.iter().copied().filter(|line| !found.iter().any(|row| row == line)).collect();
        let new: Vec<&str> = found.iter().map(String::as_str).filter(|row| !wanted.contains(row)).collect();
        ensure!(
            missing.is_empty() && new.is_empty(),
            "docs/measured/bad-input.md is stale: run the test with UPDATE_EXPECT=1 and read the difference\n\
             no longer so:\n{}\nnow:\n{}",
            missing.join("\n"),
            new.join("\n")
        );
        Ok(())
    }
}

fn cell(text: &str) -> String {
    let one_line = text.trim().replace("\r\n", "\n").replace('\n', " ⏎ ").replace('|', "\\|");
    let plain: String = one_line.chars().map(|c| if c.is_control() { '�' } else { c }).collect();
    let squeezed = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match squeezed.char_indices().nth(CELL_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &squeezed[..at]),
        None => squeezed,
    }
}

/// Memory in words: what it was and what it grew by.
pub(super) fn mib(kib: u64) -> String {
    format!("{} MiB", kib >> 10)
}
