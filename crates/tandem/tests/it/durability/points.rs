//! Ended at every fail point that the running site passes.

use super::rig::Rig;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::sync::Arc;
use tandem_base::{Chance, Clock, ManualClock, SystemChance, SystemClock, Timestamp, fail};
use tandem_content::Content;
use tandem_model::{Record, RecordId, Transport};
use tandem_parse::Parsers;
use tandem_store::Store;
use tandem_testkit::program::wait_for;

/// One of each kind, for an ordinary check; `TANDEM_FAIL_POINTS=all` asks for all, a list of names for those.
const FEW: [&str; 6] = [
    "follow.durable",
    "spool.synced",
    "pipeline.table",
    "pipeline.judged",
    "seal: detections are committed",
    "pipeline.sealed",
];
const PATIENCE_S: u64 = 300;

/// Whether the running site passes it; the others belong to commands, see `commands.rs`.
pub(super) fn is_of_the_site(point: &str) -> bool {
    let of_commands = ["restore.", "init.", "rules.", "import.durable", "import.told", "import.sealed"];
    !of_commands.iter().any(|start| point.starts_with(start))
}

/// Which passage ends the process: not the first one where the first is part of every start.
fn passage(point: &str) -> u32 {
    match point {
        "spool.append" | "spool.written" | "spool.synced" | "spool.answered" => 20,
        "pipeline.read" | "pipeline.parsed" | "pipeline.evaluated" | "pipeline.table" | "pipeline.taken" => 10,
        "pipeline.judged" | "control.judge" | "control.judged" | "http.durable" | "syslog.durable" => 5,
        "follow.durable" | "follow.noted" | "control.position" | "control.position.noted" => 3,
        "commit" | "delta: a commit is written" | "delta: a commit stands" => 2,
        "put: a file is staged" | "put: a file is synced" | "put: a file has its name" => 4,
        _ => 1,
    }
}

fn wanted() -> Vec<&'static str> {
    let all = fail::POINTS.iter().copied().filter(|point| is_of_the_site(point));
    match std::env::var("TANDEM_FAIL_POINTS") {
        Ok(text) if text == "all" => all.collect(),
        Ok(text) => all.filter(|point| text.split(',').any(|name| name == *point)).collect(),
        Err(_) => FEW.to_vec(),
    }
}

#[test]
fn an_end_at_any_fail_point_loses_nothing_and_doubles_nothing() -> Result<()> {
    let points = wanted();
    ensure!(!points.is_empty(), "TANDEM_FAIL_POINTS names no fail point that the site passes");
    let mut rig = Rig::new()?;
    for point in &points {
        prepare(rig.data(), point)?;
        end_at(&mut rig, point)?;
    }
    let figures = rig.settle(&format!("ends at {} fail points", points.len()))?;
    assert!(figures.acknowledged > 0 && figures.detections > 0, "{figures:?}");
    Ok(())
}

/// Runs the site until it ends at the point; a point that it never reaches is an error.
fn end_at(rig: &mut Rig, point: &str) -> Result<()> {
    let armed = format!("{point}:{}", passage(point));
    if let Some(mut site) = rig.start(Some(&armed))? {
        let ended =
            wait_for(&format!("the end at fail point `{armed}`"), PATIENCE_S, || Ok(site.has_ended()?.then_some(())));
        if ended.is_err() {
            site.kill()?;
            rig.down()?;
            return ended;
        }
    }
    rig.down()
}

/// What must be there for a point to be passed at all.
fn prepare(data: &Path, point: &str) -> Result<()> {
    if point.starts_with("compact: ") {
        // Two files of a day that is over are merged.
        seed(data, 10)?;
        seed(data, 10)?;
    }
    if point.starts_with("retain: ") {
        seed(data, 200)?;
    }
    if point.starts_with("vacuum: ") {
        let folder = data.join("tables/events/day=2026-01-01/family=left");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("left.parquet"), b"left by a seal that was cut")?;
    }
    Ok(())
}

/// A file of events that were received so many days ago.
fn seed(data: &Path, days: u64) -> Result<()> {
    let content = Content::built_in()?;
    let files = content.parsers.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    let (parsers, wrong) = Parsers::compile(files, &content.catalogue);
    ensure!(wrong.is_empty(), "the parsers compile");
    let received = SystemClock.now().minus(std::time::Duration::from_hours(24 * days));
    let epoch = SystemChance.next_u64();
    let mut events = Vec::new();
    let mut state = parsers.start();
    for offset in 0..20 {
        let record = Record {
            id: RecordId { epoch, offset },
            source: "long ago".to_owned(),
            peer: None,
            received,
            transport: Transport::Http,
            facts: Vec::new(),
            run: None,
            raw: format!("{{\"message\": \"long ago {offset}\"}}").into_bytes(),
        };
        state.parse(&record, &mut events);
    }
    state.flush(Timestamp::from_micros(i64::MAX), &mut events);
    let events: Vec<_> = events.into_iter().map(Arc::new).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::at(received));
        let store = Store::open(data, Arc::new(content.catalogue), clock).await?;
        store.append(events).ok().context("the tail has room")?;
        store.seal(RecordId { epoch, offset: 20 }, &[]).await?;
        anyhow::Ok(())
    })
}
