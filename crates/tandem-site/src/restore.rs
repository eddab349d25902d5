//! A site from a backup: control data comes back, a new epoch begins, and what is missing is named.

use crate::{Config, Folder};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_base::{Chance, RealDisk, SystemChance, SystemClock, fail};
use tandem_control::{Control, RecoveryKey, SiteKey};
use tandem_service::{Actor, AlertPolicy};
use tandem_spool::{Limits, Spool};

/// Makes the site in `folder` (new or empty) from `archive`; answers what the archive does not hold, as sentences.
///
/// The site is made beside `folder` and gets its name when it is whole: a restore that is cut leaves no half a site,
/// and can be repeated.
pub fn restore(archive: &Path, folder: &Folder, key: &str) -> Result<Vec<String>> {
    let key: RecoveryKey =
        key.parse().ok().context("this is no recovery key; it is the text that `tandem backup` printed")?;
    let target = std::path::absolute(folder.path()).context("finding the folder's place")?;
    if std::fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; restore into a new folder", folder.path().display());
    }
    let mut name = target.as_os_str().to_owned();
    name.push(".restoring");
    let staging = PathBuf::from(name);
    let removed = || match std::fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed().with_context(|| format!("removing what an earlier restore left in {}", staging.display()))?;
    let missing = make(archive, &Folder::new(&staging), &key).inspect_err(|_| drop(removed()))?;
    // An empty folder of that name is replaced.
    std::fs::rename(&staging, &target).with_context(|| format!("giving the site its name {}", target.display()))?;
    if let Some(parent) = target.parent() {
        File::open(parent).and_then(|parent| parent.sync_all()).context("making the site's name durable")?;
    }
    fail::point("restore.named");
    Ok(missing)
}

fn make(archive: &Path, folder: &Folder, key: &RecoveryKey) -> Result<Vec<String>> {
    folder.create()?;
    std::fs::remove_dir_all(folder.content()).context("emptying the folder")?;
    let report = tandem_control::restore(archive, folder.path(), key)?;
    folder.create()?;
    let mut missing = report.missing;
    if !folder.control().exists() {
        bail!("the archive holds no control data");
    }
    if !folder.config().exists() {
        std::fs::write(folder.config(), Config::default().to_toml()).context("writing tandem.toml")?;
        missing.push("tandem.toml: the defaults were written".to_owned());
    }
    // The site key never lies in a backup; put the old one here before the first start to open sealed secrets.
    if !folder.key().exists() {
        SiteKey::create(&folder.key(), &SystemChance)?;
        missing
            .push(format!("the site key {}: a new one was made; second factors must be set up again", report.key_id));
    }
    if let Some(events) = report.facts.get("events_in_table").and_then(serde_json::Value::as_u64) {
        missing
            .push(format!("the event table with {events} events: copy `tables/` of the old site here, if it is left"));
    }
    let epoch = SystemChance.next_u64();
    drop(Spool::create(Arc::new(RealDisk), &folder.spool(), epoch, Limits::default())?);
    fail::point("restore.spool");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let site_key = SiteKey::load(&folder.key())?;
        let policy = AlertPolicy::standard();
        let control =
            Control::open(&folder.control(), site_key, Arc::new(SystemClock), Arc::new(SystemChance), policy).await?;
        control.set_epoch(&Actor::local(), epoch).await?;
        control.set_position("sources", &0_u64.to_le_bytes()).await?;
        control.close().await?;
        fail::point("restore.epoch");
        anyhow::Ok(missing)
    })
}
