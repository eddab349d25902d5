//! The attack stories under `samples/`: every record is read to its end by a parser of its own.

use crate::golden::all_parsers;
use std::fs;
use std::path::{Path, PathBuf};
use tandem_base::Timestamp;
use tandem_model::{Record, RecordId, Transport};

#[test]
fn every_record_of_the_stories_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let parsers = all_parsers();
    let mut wrong = Vec::new();
    let mut records = 0;
    for path in files(&folder) {
        let mut state = parsers.start();
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let record = Record {
                id: RecordId { epoch: 0, offset: number as u64 },
                source: "demo".to_owned(),
                peer: None,
                received: "2026-11-26T00:00:00Z".parse().unwrap(),
                transport: Transport::Import,
                facts: Vec::new(),
                run: None,
                raw: line.as_bytes().to_vec(),
            };
            records += 1;
            let mut events = Vec::new();
            state.parse(&record, &mut events);
            for event in &events {
                if event.is_generic() || event.error.is_some() || event.time == record.received {
                    let short: String = line.chars().take(160).collect();
                    wrong.push(format!("{}:{}: {:?} {short}", path.display(), number + 1, event.error));
                }
            }
            if events.is_empty() {
                wrong.push(format!("{}:{}: nothing", path.display(), number + 1));
            }
        }
        let mut joined = Vec::new();
        state.flush(Timestamp::from_micros(i64::MAX), &mut joined);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(records > 500, "only {records} records: where are the stories?");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "log" || end == "jsonl" || end == "ndjson") {
            found.push(path);
        }
    }
    found.sort();
    found
}
