//! Killed at random moments.

use super::rig::Rig;
use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use tandem_base::{Chance, SeededChance};
use tandem_testkit::program::wait_for;

/// Kills in an ordinary check; `TANDEM_KILLS` asks for more.
const KILLS: u32 = 3;
/// Each life lasts at least this long, and up to so much more.
const LEAST: Duration = Duration::from_millis(150);
const MORE_MS: u64 = 2_500;

#[test]
fn what_was_acknowledged_is_stored_once_and_each_attack_is_detected_once() -> Result<()> {
    let kills = std::env::var("TANDEM_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let seed = std::env::var("TANDEM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let chance = SeededChance::new(seed);
    let mut rig = Rig::new()?;
    for _ in 0..kills {
        let site = rig.start(None)?.context("the site starts")?;
        let (begin, patience) = (Instant::now(), LEAST + Duration::from_millis(chance.next_u64() % MORE_MS));
        wait_for("the moment to kill", 30, || Ok((begin.elapsed() > patience).then_some(())))?;
        site.kill()?;
        rig.down()?;
    }
    let figures = rig.settle(&format!("{kills} kills at random"))?;
    assert!(figures.acknowledged > 0 && figures.detections > 0, "{figures:?}");
    Ok(())
}
