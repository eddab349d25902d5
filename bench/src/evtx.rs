//! Our reading of event logs beside the `evtx` crate alone: CPU time for all files of a folder, in turns.

use anyhow::{Context, Result, bail};
use evtx::{EvtxParser, ParserSettings};
use rustix::time::{ClockId, clock_gettime};
use std::io::Cursor;
use tandem_base::Timestamp;
use tandem_content::{Content, compile_parsers};
use tandem_model::{Record, RecordId, Transport};
use tandem_parse::{Parsers, container};

/// What one turn took and gave.
#[derive(Clone, Copy, Default)]
struct Turn {
    records: u64,
    bytes: u64,
    seconds: f64,
}

type Work = dyn Fn(&[Vec<u8>]) -> Result<(u64, u64)>;

/// `cargo xtask bench evtx [TURNS]`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let turns: usize = match arguments {
        [] => 7,
        [number] => number.parse().context("the number of turns")?,
        _ => bail!("usage: evtx [TURNS]"),
    };
    let folder = crate::corpora()?.join("evtx-attack");
    let files: Vec<Vec<u8>> =
        crate::rules::files(&folder, "evtx")?.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let size: usize = files.iter().map(Vec::len).sum();
    println!(
        "{} files, {:.1} MB, {turns} turns each, in turns; CPU time of the process\n",
        files.len(),
        size as f64 / 1e6
    );

    let content = Content::built_in()?;
    let (parsers, problems) = compile_parsers(&content);
    if let Some(problem) = problems.first() {
        bail!("{problem}");
    }
    let ways: [(&str, Box<Work>); 5] = [
        ("`evtx` to JSON bytes", Box::new(|files| alone(files, true))),
        ("`evtx` to XML bytes", Box::new(|files| alone(files, false))),
        ("`evtx` to JSON values", Box::new(values)),
        ("Tandem, records (XML)", Box::new(records)),
        ("Tandem, records and events", Box::new(move |files| events(files, &parsers))),
    ];
    let mut best = vec![Turn::default(); ways.len()];
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); ways.len()];
    // The first turn warms up.
    for turn in 0..=turns {
        for (index, (_, work)) in ways.iter().enumerate() {
            let begin = cpu_seconds();
            let (records, bytes) = work(&files)?;
            let seconds = cpu_seconds() - begin;
            if turn > 0 {
                all[index].push(seconds);
                best[index] = Turn { records, bytes, seconds: 0.0 };
            }
        }
    }
    for (turn, seconds) in best.iter_mut().zip(&mut all) {
        seconds.sort_by(f64::total_cmp);
        turn.seconds = seconds[seconds.len() / 2];
    }
    println!("| way | records | output MB | CPU ms (median) | records/s | µs a record | times `evtx` to JSON |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for ((name, _), turn) in ways.iter().zip(&best) {
        println!(
            "| {name} | {} | {:.1} | {:.1} | {:.0} | {:.2} | {:.2} |",
            turn.records,
            turn.bytes as f64 / 1e6,
            turn.seconds * 1e3,
            turn.records as f64 / turn.seconds,
            turn.seconds * 1e6 / turn.records as f64,
            turn.seconds / best[0].seconds,
        );
    }
    Ok(())
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn parser(file: &[u8]) -> Result<EvtxParser<Cursor<Vec<u8>>>> {
    let settings = ParserSettings::new().indent(false).num_threads(1);
    Ok(EvtxParser::from_buffer(file.to_vec())?.with_configuration(settings))
}

fn alone(files: &[Vec<u8>], json: bool) -> Result<(u64, u64)> {
    let (mut records, mut bytes) = (0, 0);
    for file in files {
        let mut parser = parser(file)?;
        let mut count = |data: Vec<u8>| {
            records += 1;
            bytes += data.len() as u64;
        };
        if json {
            for record in parser.records_json_bytes() {
                count(record?.data);
            }
        } else {
            for record in parser.records_bytes() {
                count(record?.data);
            }
        }
    }
    Ok((records, bytes))
}

fn values(files: &[Vec<u8>]) -> Result<(u64, u64)> {
    let mut records = 0;
    for file in files {
        for record in parser(file)?.records_json_value() {
            std::hint::black_box(record?.data);
            records += 1;
        }
    }
    Ok((records, 0))
}

fn opened(file: &[u8]) -> Result<impl Iterator<Item = Result<container::RawRecord>>> {
    Ok(container::open("bench.evtx", Cursor::new(file.to_vec()))?
        .map(|record| record.context("a record is unreadable")))
}

fn records(files: &[Vec<u8>]) -> Result<(u64, u64)> {
    let (mut records, mut bytes) = (0, 0);
    for file in files {
        for record in opened(file)? {
            records += 1;
            bytes += record?.raw.len() as u64;
        }
    }
    Ok((records, bytes))
}

fn events(files: &[Vec<u8>], parsers: &Parsers) -> Result<(u64, u64)> {
    let (mut count, mut bytes) = (0, 0);
    let mut state = parsers.start();
    let mut events = Vec::new();
    for file in files {
        for read in opened(file)? {
            let read = read?;
            bytes += read.raw.len() as u64;
            let record = Record {
                id: RecordId { epoch: 1, offset: count },
                source: "bench".to_owned(),
                peer: None,
                received: Timestamp::from_seconds(1_795_608_000),
                transport: Transport::Import,
                facts: read.facts,
                run: None,
                raw: read.raw,
            };
            state.parse(&record, &mut events);
            count += events.len() as u64;
            events.clear();
        }
    }
    state.flush(Timestamp::from_micros(i64::MAX), &mut events);
    Ok((count + events.len() as u64, bytes))
}
