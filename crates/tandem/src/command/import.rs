//! `tandem import`: log files into a site's table, as history.

use super::talk::{Talk, runtime, told, with_site};
use crate::arguments::ImportArguments;
use crate::output;
use anyhow::{Context, Result};
use async_trait::async_trait;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tandem_api::{Client, ClientError, HttpMethod};
use tandem_base::SystemClock;
use tandem_ingest::{
    Containers, Import, ImportReport, ImportWith, Imports, Piece, Pieces, Progress, Readable, Sink, SinkError, Taken,
};
use tandem_model::{Record, RunId};
use tandem_parse::container;
use tandem_site::{Config, FileTaken, Folder, NewRun, RunEnd, RunStarted, Site, UpTo};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// The largest record that a site takes; the spool has room for its facts beside it.
const RAW_BYTES_MAX: usize = 7 << 20;

pub(crate) fn run(arguments: &ImportArguments) -> Result<u8> {
    let folder = Folder::new(&arguments.data.data);
    if !folder.is_site() {
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        runtime()?.block_on(Site::init(&folder, &name, false))?;
        Config::read(&folder.config())?;
        output::note(&format!("made the site `{name}` in {}", folder.path().display()));
    }
    let title = match arguments.files.as_slice() {
        [only] => only.display().to_string(),
        [first, rest @ ..] => format!("{} and {} more", first.display(), rest.len()),
        [] => String::new(),
    };
    let work = Work { paths: arguments.files.clone(), source: arguments.source.clone(), title };
    let report = with_site(&arguments.data.data, work)?;
    for unread in &report.unread {
        output::note(&format!("error: {} cannot be read: {}", unread.path.display(), unread.reason));
    }
    let progress = &report.progress;
    if progress.files == 0 && report.unread_count == 0 {
        output::note("warning: there are no files in what was named: is it the right folder?");
    }
    let known = if report.files_known > 0 {
        format!(", {} files were imported before", report.files_known)
    } else {
        String::new()
    };
    output::note(&format!(
        "{} files, {} new records{known}, {} parts could not be read",
        progress.files_done, progress.records, report.unread_count
    ));
    Ok(if report.unread_count > 0 { 2 } else { 0 })
}

struct Work {
    paths: Vec<PathBuf>,
    source: Option<String>,
    title: String,
}

impl Talk for Work {
    type Answer = ImportReport;

    async fn talk(self, client: Client) -> Result<ImportReport> {
        let started: RunStarted =
            client.call(HttpMethod::POST, "/local/runs", Some(&NewRun { title: self.title })).await.map_err(told)?;
        let run: RunId = started.id.parse().context("the site's answer names no run")?;
        let sink = Arc::new(SocketSink { client: client.clone(), up_to: AtomicU64::new(0) });
        let stop = CancellationToken::new();
        let by_key = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                output::note("stopping; import the same files again to go on");
                by_key.cancel();
            }
        });
        let import =
            Import { paths: self.paths, source: self.source.unwrap_or_else(|| "import".to_owned()), run: Some(run) };
        let with = ImportWith {
            containers: Arc::new(FileContainers),
            imports: Arc::new(SocketImports { client: client.clone(), runtime: Handle::current() }),
            sink: Arc::clone(&sink) as Arc<dyn Sink>,
            clock: Arc::new(SystemClock),
            stop,
        };
        let bar = std::sync::OnceLock::new();
        let show = |progress: &Progress| {
            let bar = bar.get_or_init(|| super::files::progress(progress.bytes));
            bar.set_position(progress.bytes_done);
            bar.set_message(format!("{} records", progress.records));
        };
        let report = tandem_ingest::import(import, with, &show).await?;
        if let Some(bar) = bar.get() {
            bar.finish_and_clear();
        }
        // Only what is in the table counts as imported.
        let up_to = UpTo { up_to: sink.up_to.load(Ordering::SeqCst) };
        let _: serde_json::Value = client.call(HttpMethod::POST, "/local/seal", Some(&up_to)).await.map_err(told)?;
        tandem_base::fail::point("import.sealed");
        let end = RunEnd { files: report.progress.files_done, records: report.progress.records };
        let path = format!("/local/runs/{}/end", started.id);
        let _: serde_json::Value = client.call(HttpMethod::POST, &path, Some(&end)).await.map_err(told)?;
        Ok(report)
    }
}

/// Takes files apart with the parsers' containers.
struct FileContainers;

impl Containers for FileContainers {
    fn open(&self, name: &str, file: Box<dyn Readable>) -> Result<Pieces, String> {
        let records = container::open(name, file).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        })?;
        let format = records.format().word();
        Ok(Box::new(records.map(move |item| match item {
            Ok(raw) if raw.raw.len() > RAW_BYTES_MAX => {
                Err(format!("record {}: it is larger than {} MiB and was left out", raw.index, RAW_BYTES_MAX >> 20))
            }
            Ok(raw) => {
                let mut facts = raw.facts;
                if !facts.iter().any(|(key, _)| key == "file.format") {
                    facts.push(("file.format".to_owned(), format.to_owned()));
                }
                Ok(Piece { raw: raw.raw, index: raw.index, facts })
            }
            Err(leftover) => Err(format!("record {}: {}", leftover.index, leftover.reason)),
        })))
    }
}

/// Hands batches to the site's spool.
struct SocketSink {
    client: Client,
    up_to: AtomicU64,
}

#[async_trait]
impl Sink for SocketSink {
    async fn append(&self, records: &[Record]) -> Result<(), SinkError> {
        let mut body = Vec::new();
        for record in records {
            let start = body.len();
            body.extend_from_slice(&[0; 4]);
            record.encode(&mut body);
            let length = (body.len() - start - 4) as u32;
            body[start..start + 4].copy_from_slice(&length.to_le_bytes());
        }
        match self.client.post_bytes::<UpTo>("/local/records", body).await {
            Ok(taken) => {
                self.up_to.fetch_max(taken.up_to, Ordering::SeqCst);
                Ok(())
            }
            Err(ClientError::Refused(problem)) if problem.kind == "spool-full" => Err(SinkError::Full),
            Err(ClientError::Connect { .. }) => Err(SinkError::Closed),
            Err(error) => Err(SinkError::Io(Box::new(error))),
        }
    }
}

/// Asks the site which files it knows.
struct SocketImports {
    client: Client,
    runtime: Handle,
}

impl Imports for SocketImports {
    fn taken(&self, hash: &str) -> Option<Taken> {
        let path = format!("/local/imports/{hash}");
        let known: Result<Option<FileTaken>, _> = self.runtime.block_on(self.client.get(&path));
        known.ok().flatten().map(|known| Taken { records: known.records, whole: known.whole })
    }

    fn took(&self, hash: &str, taken: Taken) {
        let path = format!("/local/imports/{hash}");
        let body = FileTaken { records: taken.records, whole: taken.whole };
        // Not noted, the file is read again, and the site leaves out what it has.
        let _: Result<serde_json::Value, _> =
            self.runtime.block_on(self.client.call(HttpMethod::PUT, &path, Some(&body)));
    }
}
