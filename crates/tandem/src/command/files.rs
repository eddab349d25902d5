//! Walking log files and parsing them without a site: what `detect` and `parse` share.

use crate::output;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use tandem_base::Timestamp;
use tandem_content::Content;
use tandem_model::{Event, Record, RecordId, Transport};
use tandem_parse::{ParserState, Parsers, container};

/// One log file being read: its records become events, each told with the record that completed it.
pub(crate) struct Found<'a> {
    /// As given, or below a folder as given.
    pub(crate) file: &'a str,
    /// 0-based, in file order.
    pub(crate) record: u64,
    /// The id that Windows gave it.
    pub(crate) event_record_id: Option<u64>,
    /// The event.
    pub(crate) event: Event,
}

impl Summary {
    /// 0 when everything was read, 2 when a file or a part of one could not be.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.unreadable > 0 || self.leftovers > 0 { 2 } else { 0 }
    }
}

/// What could not be read.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) files: u64,
    pub(crate) records: u64,
    pub(crate) events: u64,
    /// Whole files that could not be read.
    pub(crate) unreadable: u64,
    /// Single records that could not be read.
    pub(crate) leftovers: u64,
}

/// The built-in parsers with those of `folders` laid over them.
pub(crate) fn parsers(folders: &[PathBuf]) -> Result<(Content, Parsers)> {
    let mut content = Content::built_in()?;
    let mut problems = Vec::new();
    for folder in folders {
        content.add_parsers(folder, &mut problems);
    }
    if let Some(problem) = problems.first() {
        return Err(anyhow::anyhow!("parsers in {} cannot be read: {}", problem.path.display(), problem.reason)
            .context(output::Hint("name a folder that holds `VENDOR.PRODUCT/parser.yaml` files in UTF-8".to_owned())));
    }
    let files = content.parsers.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    let (parsers, wrong) = Parsers::compile(files, &content.catalogue);
    if !wrong.is_empty() {
        let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        bail!("parsers cannot be used:\n{}", lines.join("\n"));
    }
    Ok((content, parsers))
}

/// Reads every file below `paths` in order and hands each event to `take`.
pub(crate) fn read_all(parsers: &Parsers, paths: &[PathBuf], take: &mut dyn FnMut(Found<'_>)) -> Summary {
    let mut summary = Summary::default();
    let mut files = Vec::new();
    for path in paths {
        let before = (files.len(), summary.unreadable);
        collect(path, &mut files, &mut summary);
        if before == (files.len(), summary.unreadable) {
            output::note(&format!("warning: there are no files in {}: is it the right folder?", path.display()));
        }
    }
    let bar = progress(files.iter().filter_map(|file| file.metadata().ok()).map(|facts| facts.len()).sum());
    for file in &files {
        summary.files += 1;
        read(parsers, file, &mut summary, take);
        bar.inc(file.metadata().map_or(0, |facts| facts.len()));
    }
    bar.finish_and_clear();
    summary
}

/// A bar over bytes on standard error, when a person sees it.
pub(crate) fn progress(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() || bytes < 4 << 20 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left {msg}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>, summary: &mut Summary) {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return;
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            output::note(&format!(
                "error: the folder {} cannot be read: {error}: check the path, or run as an account that may read it",
                path.display()
            ));
            summary.unreadable += 1;
            return;
        }
    };
    let mut paths: Vec<(PathBuf, bool)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.path(), entry.file_type().ok()?)))
        // Links to folders are left out: they may lead in circles.
        .filter(|(_, kind)| kind.is_dir() || kind.is_file() || kind.is_symlink())
        .map(|(path, kind)| (path, kind.is_dir()))
        .filter(|(path, folder)| *folder || path.is_file())
        .collect();
    paths.sort();
    for (path, folder) in paths {
        if folder { collect(&path, files, summary) } else { files.push(path) }
    }
}

fn read(parsers: &Parsers, path: &Path, summary: &mut Summary, take: &mut dyn FnMut(Found<'_>)) {
    let name = path.display().to_string();
    let opened = open(path).and_then(|file| container::open(&name, file).map_err(|error| chain(&error)));
    let records = match opened {
        Ok(records) => records,
        Err(reason) => {
            output::note(&format!("error: {name} cannot be read: {reason}"));
            summary.unreadable += 1;
            return;
        }
    };
    let format = records.format().word();
    // Times without a year or zone are read as of the file's last change: old logs stay in their year.
    let changed = path.metadata().ok().and_then(|facts| facts.modified().ok());
    let received = changed
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(Timestamp::default(), |since| Timestamp::from_seconds(since.as_secs() as i64));
    let mut state = parsers.start();
    let mut events = Vec::new();
    // Joined events come some records later; ids of the last records are kept for them.
    let mut ids: Vec<(u64, Option<u64>)> = Vec::new();
    for item in records {
        let raw = match item {
            Ok(raw) => raw,
            Err(leftover) => {
                output::note(&format!(
                    "warning: {name}: record {} cannot be read: {}",
                    leftover.index, leftover.reason
                ));
                summary.leftovers += 1;
                continue;
            }
        };
        summary.records += 1;
        let mut facts = raw.facts;
        facts.push(("file.path".to_owned(), name.clone()));
        facts.push(("file.record".to_owned(), raw.index.to_string()));
        if !facts.iter().any(|(key, _)| key == "file.format") {
            facts.push(("file.format".to_owned(), format.to_owned()));
        }
        ids.push((raw.index, raw.event_record_id));
        let record = Record {
            id: RecordId { epoch: 0, offset: ids.len() as u64 - 1 },
            source: name.clone(),
            peer: None,
            received,
            transport: Transport::Import,
            facts,
            run: None,
            raw: raw.raw,
        };
        state.parse(&record, &mut events);
        hand_over(&name, &ids, &mut events, summary, take);
    }
    end(&mut state, &mut events);
    hand_over(&name, &ids, &mut events, summary, take);
}

/// Opens a file; a pipe or device would be waited for, perhaps for ever.
fn open(path: &Path) -> Result<File, String> {
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!("{error}: check the path")),
        Ok(facts) if !facts.is_file() => {
            Err("it is neither a file nor a folder: write what comes from it into a file first".to_owned())
        }
        _ => File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => format!("{error}: run as an account that may read it"),
            _ => error.to_string(),
        }),
    }
}

fn end(state: &mut ParserState, events: &mut Vec<Event>) {
    state.flush(Timestamp::from_micros(i64::MAX), events);
}

fn hand_over(
    name: &str,
    ids: &[(u64, Option<u64>)],
    events: &mut Vec<Event>,
    summary: &mut Summary,
    take: &mut dyn FnMut(Found<'_>),
) {
    for event in events.drain(..) {
        summary.events += 1;
        let (record, event_record_id) = ids.get(event.id.record.offset as usize).copied().unwrap_or_default();
        take(Found { file: name, record, event_record_id, event });
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}
