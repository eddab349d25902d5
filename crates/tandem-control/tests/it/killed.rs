//! The writer is killed in the middle of its work: what it acknowledged is there, nothing twice, nothing by half.

use crate::world::World;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use tandem_control::{CaseQuery, CaseView, DetectionQuery};
use tandem_model::Level;
use tandem_service::{ActNo, State};

const FOLDER: &str = "TANDEM_TEST_KILLED_FOLDER";
const BATCH: u64 = 7;

/// Batch `number` of an endless day, the same whenever it is asked for.
fn batch(world: &World, number: u64) -> Vec<tandem_model::Detection> {
    (number * BATCH..(number + 1) * BATCH)
        .map(|ordinal| {
            let level = if ordinal % 3 == 0 { Level::High } else { Level::Medium };
            world.detection(ordinal, &format!("{level}{}", ordinal % 5), level, &format!("h{}", ordinal % 11))
        })
        .collect()
}

/// Not a test by itself: the process that is killed. Goes on from where it stands and says each batch that is stored.
#[tokio::test]
async fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let world = World::new();
    let control = world.open_in(folder.as_ref()).await;
    let mut number = stands(&control).await;
    loop {
        control.judge(&batch(&world, number), &[("detect", &(number + 1).to_be_bytes())]).await.unwrap();
        number += 1;
        let mut out = std::io::stdout().lock();
        writeln!(out, "stored {number}").unwrap();
        out.flush().unwrap();
    }
}

async fn stands(control: &tandem_control::Control) -> u64 {
    let position = control.position("detect").await.unwrap();
    position.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::writer", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut left = 3 + round;
        for line in lines {
            if let Some(number) = line.rsplit("stored ").next().and_then(|text| text.parse().ok()) {
                acknowledged = number;
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        assert_eq!(left, 0, "the writer ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();

        let world = World::new();
        let control = world.open_in(folder.path()).await;
        let stored = stands(&control).await;
        assert!(stored >= acknowledged, "{stored} of {acknowledged}");
        let query = DetectionQuery { limit: 1000, ..DetectionQuery::default() };
        let page = control.detection_page(&query).await.unwrap();
        assert_eq!(page.items.len() as u64, stored * BATCH);
        let query = CaseQuery { view: CaseView::All, limit: 500, ..CaseQuery::default() };
        for case in control.case_page(&query).await.unwrap().items {
            let held = page.items.iter().filter(|each| each.case == Some(case.id)).count() as u64;
            assert!(case.state == State::Merged || case.gathered.detections == held, "{}", case.id);
        }
        let acts = control.acts_from(ActNo(1), 10_000).await.unwrap();
        assert!(acts.iter().enumerate().all(|(index, act)| act.seq.0 == index as u64 + 1));
        control.close().await.unwrap();
    }
}
