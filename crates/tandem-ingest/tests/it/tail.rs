//! Followed files, through rotation and restart.

use crate::support::{MemorySink, Site, until};
use parking_lot::Mutex;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_ingest::{Cause, Config, NotNoted, Position, Positions, Start, Tail};
use tandem_model::Transport;

#[derive(Default)]
struct MemoryPositions(Mutex<Vec<Position>>);

impl Positions for MemoryPositions {
    fn load(&self, source: &str) -> Vec<Position> {
        self.0.lock().iter().filter(|position| position.source == source).cloned().collect()
    }

    fn store(&self, position: &Position) -> Result<(), NotNoted> {
        let mut positions = self.0.lock();
        let (device, inode) = (position.identity.device, position.identity.inode);
        positions.retain(|other| (other.identity.device, other.identity.inode) != (device, inode));
        positions.push(position.clone());
        Ok(())
    }
}

struct Case {
    folder: tempfile::TempDir,
    site: Site,
    positions: Arc<MemoryPositions>,
}

impl Case {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, site: Site::start(Config::default()).await, positions: Arc::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn follow(&self, start: Start) {
        let files = vec![self.path("*.log*").display().to_string(), self.path("extra/*").display().to_string()];
        let tail = Tail { source: "app".to_owned(), files, start, poll_ms: 10, max_line_bytes: 100, ..Tail::default() };
        self.site.receivers.follow(tail, Arc::<MemoryPositions>::clone(&self.positions));
    }

    /// Stops, and starts anew with the same positions.
    async fn restart(self, start: Start) -> Self {
        let Self { folder, site, positions } = self;
        site.receivers.shutdown().await;
        let case = Self { folder, site: Site::start(Config::default()).await, positions };
        case.follow(start);
        case
    }

    fn sink(&self) -> &MemorySink {
        &self.site.sink
    }

    fn error(&self, cause: Cause) -> u64 {
        let sources = self.site.receivers.sources();
        let errors = sources.iter().flat_map(|source| &source.errors);
        errors.filter(|(other, _)| *other == cause).map(|(_, count)| count).sum()
    }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn lines_come_whole_with_their_place() {
    let case = Case::new().await;
    append(&case.path("a.log"), "one\r\ntwo\nthr");
    case.follow(Start::Beginning);
    case.sink().holds(2).await;
    append(&case.path("a.log"), "ee\n");
    fs::create_dir(case.path("extra")).unwrap();
    append(&case.path("extra/new"), "four\n");
    append(&case.path("other.txt"), "not named\n");
    let records = case.sink().holds(4).await;
    let mut seen: Vec<_> = records
        .iter()
        .map(|record| format!("{} @{}", String::from_utf8_lossy(&record.raw), record.fact("file.offset").unwrap()))
        .collect();
    seen.sort();
    assert_eq!(seen, ["four @0", "one @0", "three @9", "two @5"]);
    assert_eq!(records[0].fact("file.path"), Some(case.path("a.log").to_str().unwrap()));
    assert_eq!((records[0].source.as_str(), records[0].transport), ("app", Transport::Tail));
}

#[tokio::test]
async fn a_renamed_file_is_read_to_its_end() {
    let case = Case::new().await;
    append(&case.path("a.log"), "one\n");
    case.follow(Start::Beginning);
    case.sink().holds(1).await;
    // Renamed to a name that the patterns have and to one that they do not have.
    for (to, texts) in [("a.log.1", ["two\n", "three\n"]), ("old", ["four\n", "five"])] {
        let before = case.sink().count();
        append(&case.path("a.log"), texts[0]);
        fs::rename(case.path("a.log"), case.path(to)).unwrap();
        append(&case.path("a.log"), "new file\n");
        append(&case.path(to), texts[1]);
        case.sink().holds(before + 3).await;
    }
    let mut texts = case.sink().texts();
    texts.sort();
    assert_eq!(texts, ["five", "four", "new file", "new file", "one", "three", "two"]);
}

#[tokio::test]
async fn an_emptied_file_is_read_anew_and_said() {
    let case = Case::new().await;
    append(&case.path("a.log"), "one\ntwo\n");
    case.follow(Start::Beginning);
    case.sink().holds(2).await;
    fs::write(case.path("a.log"), "x\n").unwrap();
    case.sink().holds(3).await;
    // As long as before, but other text.
    fs::write(case.path("a.log"), "y\n").unwrap();
    case.sink().holds(4).await;
    assert_eq!(case.sink().texts(), ["one", "two", "x", "y"]);
    assert_eq!(case.error(Cause::CutOff), 2);
}

#[tokio::test]
async fn after_a_restart_nothing_comes_twice_and_nothing_is_missing() {
    let case = Case::new().await;
    append(&case.path("a.log"), "one\ntwo\nhal");
    case.follow(Start::Beginning);
    case.sink().holds(2).await;
    until("noted", || case.positions.0.lock().iter().any(|position| position.offset == 8)).await;
    fs::rename(case.path("a.log"), case.path("a.log.1")).unwrap();
    let case = case.restart(Start::End).await;
    append(&case.path("a.log.1"), "f\n");
    append(&case.path("a.log"), "new\n");
    case.sink().holds(2).await;
    let mut texts = case.sink().texts();
    texts.sort();
    assert_eq!(texts, ["half", "new"]);
}

#[tokio::test]
async fn lines_whose_note_was_lost_in_a_crash_do_not_come_twice() {
    let case = Case::new().await;
    let path = case.path("a.log");
    append(&path, "one\ntwo\nthree\n");
    case.follow(Start::Beginning);
    case.sink().holds(3).await;
    let records = case.sink().records();
    let place = |record: &tandem_model::Record| record.fact("file.offset").unwrap().parse::<u64>().unwrap();
    let key = records[0].fact("file.key").unwrap().to_owned();
    assert!(records.iter().all(|record| record.fact("file.key") == Some(key.as_str())), "one file, one key");
    until("noted", || case.positions.0.lock().iter().any(|position| position.offset == 14)).await;
    // As after a crash between the last lines and their note; the site has found the last durable line.
    {
        let mut positions = case.positions.0.lock();
        assert_eq!(positions[0].key, key);
        positions[0].offset = 4;
        positions[0].through = Some(place(&records[2]));
    }
    let case = case.restart(Start::Beginning).await;
    append(&path, "four\n");
    case.sink().holds(1).await;
    let four = &case.sink().records()[0];
    assert_eq!((four.raw.as_slice(), place(four)), (&b"four"[..], 14));
    assert_eq!(four.fact("file.key"), Some(key.as_str()), "it is the same file");
}

#[tokio::test]
async fn nothing_is_handed_on_before_its_file_is_noted() {
    let case = Case::new().await;
    append(&case.path("a.log"), "one\n");
    case.follow(Start::Beginning);
    case.sink().holds(1).await;
    let noted = case.positions.0.lock().clone();
    let key = case.sink().records()[0].fact("file.key").unwrap().to_owned();
    assert_eq!(noted[0].key, key);
}

#[tokio::test]
async fn from_the_end_means_at_the_very_first_start() {
    let case = Case::new().await;
    append(&case.path("a.log"), "old\n");
    case.follow(Start::End);
    until("noted", || case.positions.0.lock().len() == 1).await;
    append(&case.path("a.log"), "one\n");
    append(&case.path("b.log"), "two\n");
    case.sink().holds(2).await;
    until("both noted", || case.positions.0.lock().iter().map(|position| position.offset).sum::<u64>() == 12).await;
    let mut texts = case.sink().texts();
    texts.sort();
    assert_eq!(texts, ["one", "two"]);
    append(&case.path("c.log"), "three\n");
    let case = case.restart(Start::End).await;
    case.sink().holds(1).await;
    assert_eq!(case.sink().texts(), ["three"]);
}

#[tokio::test]
async fn another_file_with_the_inode_of_a_removed_one_is_new() {
    let case = Case::new().await;
    append(&case.path("a.log"), "one\n");
    case.follow(Start::Beginning);
    case.sink().holds(1).await;
    until("noted", || !case.positions.0.lock().is_empty()).await;
    // The same inode for certain: written in place, while nobody looks.
    let Case { folder, site, positions } = case;
    site.receivers.shutdown().await;
    fs::write(folder.path().join("a.log"), "another and longer\n").unwrap();
    let case = Case { folder, site: Site::start(Config::default()).await, positions };
    case.follow(Start::Beginning);
    case.sink().holds(1).await;
    assert_eq!(case.sink().texts(), ["another and longer"]);
}

#[tokio::test]
async fn compressed_files_are_left_alone_and_long_lines_cut() {
    let case = Case::new().await;
    fs::write(case.path("a.log.1.gz"), crate::http::gzip(b"old\n")).unwrap();
    append(&case.path("a.log"), &format!("{}\nshort\n{}\n", "x".repeat(150), "y".repeat(700_000)));
    case.follow(Start::Beginning);
    let records = case.sink().holds(3).await;
    let sizes: Vec<_> = records.iter().map(|record| (record.raw.len(), record.fact("file.cut").is_some())).collect();
    assert_eq!(sizes, [(100, true), (5, false), (100, true)]);
    append(&case.path("a.log"), "after\n");
    case.sink().holds(4).await;
    assert_eq!(case.sink().texts()[3], "after");
    assert_eq!(case.error(Cause::TooLong), 2);
}

#[tokio::test]
async fn what_cannot_be_read_is_said() {
    let case = Case::new().await;
    let tail = Tail { source: "app".to_owned(), files: vec!["/x/***".to_owned()], poll_ms: 10, ..Tail::default() };
    case.site.receivers.follow(tail, Arc::<MemoryPositions>::clone(&case.positions));
    until("said", || case.error(Cause::Malformed) > 0).await;
    let sources = case.site.receivers.sources();
    assert!(sources[0].last_error.as_ref().unwrap().1.contains("/x/***"));
}
