//! A disk that is full: senders wait, nothing that was acknowledged is lost, and all goes on when there is room again.

use super::ledger::{Ledger, Stored, Way};
use super::rig::{call, ingest_token, init};
use super::senders::post_records;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tandem_api::HttpMethod;
use tandem_testkit::program::{Site, run, wait_for};
use tandem_testkit::skip;

/// A small file system of its own, gone when dropped.
struct Small(PathBuf);

impl Small {
    /// `None` where this account may not mount one.
    fn mount(at: &Path, bytes: u64) -> Result<Option<Self>> {
        std::fs::create_dir_all(at)?;
        let options = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tandem-test"]).arg(at).output();
        Ok(mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_path_buf())))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_makes_senders_wait_and_loses_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mount = folder.path().join("small");
    let Some(small) = Small::mount(&mount, 48 << 20)? else {
        skip("a_full_disk_makes_senders_wait_and_loses_nothing", "this account may not mount a small file system");
        return Ok(());
    };
    let data_path = mount.join("site");
    init(&data_path)?;
    let toml = std::fs::read_to_string(data_path.join("tandem.toml"))?;
    std::fs::write(data_path.join("tandem.toml"), toml.replace("seal_after_s = 60", "seal_after_s = 1"))?;
    let site = Site::start(&data_path, &[])?;
    let (data, address) = (data_path.to_str().context("a plain name")?, site.address("http").to_owned());
    let token = ingest_token(&data_path)?;
    let ledger = Ledger::default();
    let send = |count: u64| -> Result<bool> {
        let numbers: Vec<u64> = (0..count).map(|_| ledger.number(Way::Http)).collect();
        let taken = post_records(&address, &token, &numbers)?;
        if taken {
            ledger.acknowledged(&numbers);
        }
        Ok(taken)
    };
    ensure!(send(50)?, "records are taken while there is room");

    // Somebody else fills the disk to its last byte.
    let ballast = mount.join("ballast");
    let fill = || -> Result<()> {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&ballast)?;
        while file.write_all(&[1; 4096]).is_ok() {}
        while file.write_all(&[1]).is_ok() {}
        Ok(())
    };
    fill()?;
    let mut refusals = 0;
    wait_for("a refusal", 60, || {
        fill()?;
        refusals += u32::from(!send(20)?);
        Ok((refusals >= 3).then_some(()))
    })?;
    let health = call_get(&data_path, "/health")?;
    let told: Vec<&str> = wrong(&health).collect();
    assert!(told.iter().any(|text| text.contains("No space left")), "{told:?}");

    std::fs::remove_file(&ballast)?;
    wait_for("records to be taken again", 60, || Ok(send(20)?.then_some(())))?;
    let mut told = String::new();
    let well = wait_for("good health", 60, || {
        let health = call_get(&data_path, "/health")?;
        told = wrong(&health).collect::<Vec<_>>().join("; ");
        Ok(told.is_empty().then_some(()))
    });
    well.with_context(|| format!("still wrong: {told}"))?;

    // Full again, and killed in that state; room comes back before the next start.
    fill()?;
    let _ = send(20)?;
    site.kill()?;
    std::fs::remove_file(&ballast)?;
    let site = Site::start(&data_path, &[])?;
    let doctor = run(&["doctor", "--data", data])?;
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    site.stop()?;
    let (wrong, figures) = Stored::read(data)?.compare(&ledger);
    assert!(wrong.is_empty(), "{} wrong, such as {:?}", wrong.len(), wrong.first());
    assert!(figures.acknowledged >= 70, "{figures:?}");
    drop(small);
    Ok(())
}

fn call_get(data: &Path, path: &str) -> Result<Value> {
    call(data, HttpMethod::GET, path, &Value::Null)
}

fn wrong(health: &Value) -> impl Iterator<Item = &str> {
    let checks = health["checks"].as_array().into_iter().flatten();
    checks.filter(|check| check["ok"] == false).filter_map(|check| check["text"].as_str())
}
