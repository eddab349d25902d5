//! Events per second on one core: `cargo run --release --example parse_rate -- content FILE…`

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;
use tandem_base::Timestamp;
use tandem_model::{Catalogue, Record, RecordId, Transport};
use tandem_parse::{Parsers, container};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let content = arguments.next().ok_or("the first argument is the folder `content`")?;
    let catalogue = Catalogue::from_yaml(&fs::read_to_string(Path::new(&content).join("fields.yaml"))?)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(&content).join("parsers"))? {
        let file = entry?.path().join("parser.yaml");
        if !file.exists() {
            continue;
        }
        files.push((file.display().to_string(), fs::read_to_string(&file)?));
    }
    let start = Instant::now();
    let (parsers, problems) = Parsers::compile(files, &catalogue);
    println!("{} parsers compiled in {:?}, {} problems", parsers.names().count(), start.elapsed(), problems.len());
    for path in arguments {
        let mut records = Vec::new();
        let start = Instant::now();
        for raw in container::open(&path, File::open(&path)?)?.flatten() {
            records.push(Record {
                id: RecordId { epoch: 0, offset: raw.index },
                source: "bench".to_owned(),
                peer: None,
                received: Timestamp::from_seconds(1_800_000_000),
                transport: Transport::Import,
                facts: raw.facts,
                run: None,
                raw: raw.raw,
            });
        }
        let read = start.elapsed();
        let bytes: usize = records.iter().map(|record| record.raw.len()).sum();
        let mut state = parsers.start();
        let mut events = Vec::new();
        let mut count = 0;
        let start = Instant::now();
        for record in &records {
            state.parse(record, &mut events);
            count += events.len();
            events.clear();
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{path}: {} records, {:.1} MB, taken apart in {read:?}; {count} events in {seconds:.2} s = {:.0} events/s, {:.0} MB/s",
            records.len(),
            bytes as f64 / 1e6,
            f64::from(u32::try_from(count)?) / seconds,
            bytes as f64 / 1e6 / seconds,
        );
    }
    Ok(())
}
