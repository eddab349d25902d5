//! Stored logs as history.

use crate::support::{MemorySink, Mood};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use tandem_base::{ManualClock, Timestamp};
use tandem_ingest::{
    Containers, Import, ImportError, ImportReport, ImportWith, Imports, Piece, Pieces, Progress, Readable, Taken,
    import,
};
use tandem_model::{RunId, Transport};
use tokio_util::sync::CancellationToken;

/// Lines; `bad` lines cannot be read, and neither can files called `*.bad`.
struct LineContainers;

impl Containers for LineContainers {
    fn open(&self, name: &str, file: Box<dyn Readable>) -> Result<Pieces, String> {
        if Path::new(name).extension().is_some_and(|extension| extension == "bad") {
            return Err("no known format".to_owned());
        }
        let lines = BufReader::new(file).split(b'\n').map(Result::unwrap).enumerate();
        Ok(Box::new(lines.map(|(index, raw)| match raw.as_slice() {
            b"bad" => Err(format!("line {index} is bad")),
            _ => Ok(Piece { raw, index: index as u64, facts: vec![("file.format".to_owned(), "lines".to_owned())] }),
        })))
    }
}

#[derive(Default)]
struct MemoryImports(Mutex<HashMap<String, Taken>>);

impl Imports for MemoryImports {
    fn taken(&self, hash: &str) -> Option<Taken> {
        self.0.lock().get(hash).copied()
    }

    fn took(&self, hash: &str, taken: Taken) {
        self.0.lock().insert(hash.to_owned(), taken);
    }
}

struct Case {
    folder: tempfile::TempDir,
    sink: Arc<MemorySink>,
    imports: Arc<MemoryImports>,
    stop: CancellationToken,
    seen: Mutex<Vec<Progress>>,
}

impl Case {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            sink: MemorySink::new(),
            imports: Arc::default(),
            stop: CancellationToken::new(),
            seen: Mutex::default(),
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn import(&self) -> Result<ImportReport, ImportError> {
        let what = Import {
            paths: vec![self.folder.path().to_owned()],
            source: "history".to_owned(),
            run: Some(RunId([7; 16])),
        };
        let with = ImportWith {
            containers: Arc::new(LineContainers),
            imports: Arc::<MemoryImports>::clone(&self.imports),
            sink: Arc::<MemorySink>::clone(&self.sink),
            clock: Arc::new(ManualClock::at(Timestamp::from_seconds(5))),
            stop: self.stop.clone(),
        };
        import(what, with, &|progress| self.seen.lock().push(progress.clone())).await
    }
}

#[tokio::test]
async fn folders_are_read_and_what_cannot_be_read_is_named() {
    let case = Case::new();
    case.write("b.log", "one\ntwo\nbad\nthree\n");
    case.write("a/deep/c.log", "four\n");
    case.write("x.bad", "nothing");
    case.write("empty.log", "");
    std::os::unix::fs::symlink(case.folder.path(), case.folder.path().join("circle")).unwrap();
    std::os::unix::fs::symlink("/nowhere", case.folder.path().join("gone")).unwrap();
    let report = case.import().await.unwrap();
    assert_eq!(case.sink.texts(), ["four", "one", "two", "three"]);
    let last = &case.sink.records()[3];
    assert_eq!((last.source.as_str(), last.transport, last.run), ("history", Transport::Import, Some(RunId([7; 16]))));
    assert_eq!((last.fact("file.record"), last.fact("file.format")), (Some("3"), Some("lines")));
    assert_eq!(last.fact("file.path"), Some(case.folder.path().join("b.log").to_str().unwrap()));
    assert_eq!(last.fact("file.hash").unwrap().len(), 64);
    let mut unread: Vec<_> = report
        .unread
        .iter()
        .map(|unread| format!("{}: {}", unread.path.file_name().unwrap().to_string_lossy(), unread.reason))
        .collect();
    unread.sort();
    let expected = [
        "b.log: line 2 is bad",
        "circle: symbolic link to a folder",
        "gone: No such file or directory (os error 2)",
        "x.bad: no known format",
    ];
    assert_eq!(unread, expected);
    let bytes = 18 + 5 + 7;
    let end = Progress { files_done: 4, files: 4, bytes_done: bytes, bytes, records: 4 };
    assert_eq!(report.progress, end);
    let seen = case.seen.lock();
    assert!(seen.iter().is_sorted_by_key(|progress| (progress.files_done, progress.bytes_done, progress.records)));
    assert_eq!(seen.last(), Some(&end));
}

#[tokio::test]
async fn the_same_content_is_taken_once() {
    let case = Case::new();
    case.write("a.log", "one\ntwo\n");
    case.write("copy.log", "one\ntwo\n");
    let report = case.import().await.unwrap();
    assert_eq!((report.files_known, case.sink.count()), (1, 2));
    case.write("moved/b.log", "one\ntwo\n");
    case.write("new.log", "three\n");
    let report = case.import().await.unwrap();
    assert_eq!((report.files_known, report.progress.records, case.sink.count()), (3, 1, 3));
}

#[tokio::test]
async fn an_import_that_was_ended_goes_on() {
    let case = Case::new();
    let text: Vec<_> = (0..30_000).map(|number| format!("{number:0200}")).collect();
    case.write("a.log", &text.join("\n"));
    case.sink.is(Mood::TakesThenFull(1));
    let counted = Arc::clone(&case.sink);
    let stop = case.stop.clone();
    let stopping = tokio::spawn(async move {
        counted.until("one batch", |sink| sink.count() > 0).await;
        stop.cancel();
    });
    let ended = case.import().await;
    stopping.await.unwrap();
    assert!(matches!(ended, Err(ImportError::Closed)) || ended.unwrap().stopped);
    let first = case.sink.count();
    assert!(first > 0 && first < text.len());
    case.sink.is(Mood::Takes);
    let case = Case { stop: CancellationToken::new(), ..case };
    let report = case.import().await.unwrap();
    assert_eq!(report.progress.records as usize, text.len() - first);
    assert_eq!(case.sink.texts(), text);
    assert!(!report.stopped);
}

#[tokio::test]
async fn a_closed_sink_ends_it() {
    let case = Case::new();
    case.write("a.log", "one\n");
    case.sink.is(Mood::Closed);
    assert!(matches!(case.import().await, Err(ImportError::Closed)));
    assert!(case.imports.0.lock().is_empty());
}
