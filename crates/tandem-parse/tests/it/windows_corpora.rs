//! Real logs, found by `TANDEM_CORPORA`: a folder in which each archive is unpacked under its name.

use crate::golden::all_parsers;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tandem_base::Timestamp;
use tandem_model::{Event, Record, RecordId, Transport};
use tandem_parse::{ParserState, container};

/// The corpus, or nothing when there are none on this machine.
fn corpus(name: &str) -> Option<PathBuf> {
    Some(tandem_testkit::corpora(name)?.join(name))
}

fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
}

/// What came of a corpus.
#[derive(Debug, Default)]
struct Tally {
    records: u64,
    leftovers: u64,
    events: u64,
    generic: u64,
    timed: u64,
    common: u64,
    errors: u64,
    parsers: BTreeMap<String, u64>,
    types: BTreeMap<String, u64>,
}

impl Tally {
    fn read(&mut self, path: &Path, state: &mut ParserState) {
        let records = container::open(&path.to_string_lossy(), File::open(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut events = Vec::new();
        for record in records {
            match record {
                Ok(raw) => {
                    self.records += 1;
                    let record = Record {
                        id: RecordId { epoch: 1, offset: self.records },
                        source: "corpus".to_owned(),
                        peer: None,
                        received: Timestamp::from_seconds(1_800_000_000),
                        transport: Transport::Import,
                        facts: raw.facts,
                        run: None,
                        raw: raw.raw,
                    };
                    state.parse(&record, &mut events);
                    self.count(&events);
                    events.clear();
                }
                Err(leftover) => {
                    self.leftovers += 1;
                    println!("{}: {leftover}", path.file_name().unwrap().to_string_lossy());
                }
            }
        }
    }

    fn count(&mut self, events: &[Event]) {
        for event in events {
            self.events += 1;
            self.generic += u64::from(event.is_generic());
            self.timed += u64::from(event.time != event.received);
            self.common += u64::from(!event.common.is_empty());
            self.errors += u64::from(event.error.is_some());
            *self.parsers.entry(event.parser.to_string()).or_default() += 1;
            for typed in &event.typed {
                *self.types.entry(typed.log_type.to_string()).or_default() += 1;
            }
            for (start, end) in &event.raw_private {
                assert!(event.raw.is_char_boundary(*start as usize) && event.raw.is_char_boundary(*end as usize));
            }
        }
    }

    fn show(&self, name: &str) {
        println!(
            "{name}: {} records, {} left over, {} events, {} generic, {} timed, {} with common fields, {} errors",
            self.records, self.leftovers, self.events, self.generic, self.timed, self.common, self.errors
        );
        println!("  parsers {:?}", self.parsers);
        println!("  types {:?}", self.types);
    }
}

#[test]
fn evtx_attack_reads_whole() {
    let Some(root) = corpus("evtx-attack") else { return };
    let mut found = Vec::new();
    files(&root, ".evtx", &mut found);
    let mut tally = Tally::default();
    let mut state = all_parsers().start();
    for path in &found {
        tally.read(path, &mut state);
    }
    tally.show("evtx-attack");
    assert_eq!((found.len(), tally.records, tally.leftovers), (478, 15_096, 0));
    assert_eq!((tally.events, tally.generic, tally.errors), (15_096, 0, 0));
    assert_eq!((tally.timed, tally.common), (15_096, 15_096));
}

#[test]
fn evtx_hostile_does_no_harm() {
    let Some(root) = corpus("evtx-hostile") else { return };
    let mut found = Vec::new();
    files(&root, ".evtx", &mut found);
    let mut tally = Tally::default();
    let mut state = all_parsers().start();
    for path in &found {
        tally.read(path, &mut state);
    }
    tally.show("evtx-hostile");
    assert_eq!((found.len(), tally.records, tally.leftovers), (23, 18_563, 18));
    assert_eq!((tally.events, tally.generic), (18_563, 0));
}

#[test]
fn otrf_is_windows_with_time() {
    let Some(root) = corpus("otrf") else { return };
    let mut found = Vec::new();
    files(&root, ".json", &mut found);
    let mut tally = Tally::default();
    let mut state = all_parsers().start();
    for path in &found {
        tally.read(path, &mut state);
    }
    tally.show("otrf");
    assert_eq!(found.len(), 46);
    assert!(tally.records >= 64_783, "{}", tally.records);
    assert_eq!(tally.timed, tally.events, "each has its own time");
}

/// SigmaHQ keeps each of its regression events as EVTX and as the JSON of another tool.
#[test]
fn event_logs_and_their_json_agree() {
    let Some(root) = corpus("sigma-rules") else { return };
    let mut found = Vec::new();
    files(&root.join("regression_data"), ".evtx", &mut found);
    let parsers = all_parsers();
    let read = |path: &Path| {
        let mut state = parsers.start();
        let mut events = Vec::new();
        for raw in container::open("x", File::open(path).unwrap()).unwrap() {
            let raw = raw.unwrap();
            let id = RecordId { epoch: 1, offset: raw.index };
            let record = Record {
                id,
                source: "corpus".to_owned(),
                peer: None,
                received: Timestamp::from_seconds(1_800_000_000),
                transport: Transport::Import,
                facts: raw.facts,
                run: None,
                raw: raw.raw,
            };
            state.parse(&record, &mut events);
        }
        events
    };
    let mut compared = 0;
    let mut differing = Vec::new();
    for path in found {
        let json = path.with_extension("json");
        if !json.exists() {
            continue;
        }
        let (logged, told) = (read(&path), read(&json));
        if logged.len() != told.len() {
            differing.push(format!("{}: {} events and {}", json.display(), logged.len(), told.len()));
            continue;
        }
        for (one, other) in logged.iter().zip(&told) {
            compared += 1;
            let types = |event: &Event| event.typed.iter().map(|typed| typed.log_type.to_string()).collect::<Vec<_>>();
            if types(one) != types(other) || one.time != other.time {
                differing.push(format!(
                    "{}: {:?} {} and {:?} {}",
                    json.display(),
                    types(one),
                    one.time,
                    types(other),
                    other.time
                ));
            }
            for (name, value) in one.vendor.iter() {
                let told = other.vendor.get(name).map_or_else(String::new, ToString::to_string);
                // The tool cuts blanks at the end.
                if !told.eq_ignore_ascii_case(value.to_string().trim_end()) {
                    differing.push(format!("{}: {name} is {value:?} and {told:?}", json.display()));
                }
            }
        }
    }
    println!("{compared} events compared, {} differences", differing.len());
    for line in differing.iter().take(40) {
        println!("  {line}");
    }
    assert_eq!((compared, differing.len()), (238, 0));
}
