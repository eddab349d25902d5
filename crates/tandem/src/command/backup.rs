//! `tandem backup` and `restore`.

use super::talk::{Talk, told, with_site};
use crate::arguments::{BackupArguments, RestoreArguments};
use crate::output;
use anyhow::{Context, Result};
use std::io::{BufRead, Write};
use tandem_api::{Client, HttpMethod};
use tandem_site::{BackupMade, BackupRequest, Folder};

pub(crate) fn backup(arguments: &BackupArguments) -> Result<u8> {
    let to = std::path::absolute(&arguments.archive).context("finding the archive's place")?;
    let made = with_site(&arguments.data.data, Backup(BackupRequest { to }))?;
    for (name, size) in &made.files {
        output::note(&format!("{name}  {size} bytes"));
    }
    output::note(&format!(
        "{} ({} bytes); the event table and the site key are not in it",
        arguments.archive.display(),
        made.size_bytes
    ));
    output::note("recovery key, shown this once; without it nobody can open the archive:");
    output::line(&made.recovery_key);
    Ok(0)
}

struct Backup(BackupRequest);

impl Talk for Backup {
    type Answer = BackupMade;

    async fn talk(self, client: Client) -> Result<BackupMade> {
        client.call(HttpMethod::POST, "/local/backup", Some(&self.0)).await.map_err(told)
    }
}

pub(crate) fn restore(arguments: &RestoreArguments) -> Result<u8> {
    let key = match std::env::var("TANDEM_RECOVERY_KEY") {
        Ok(key) => key,
        Err(_) => ask()?,
    };
    let folder = Folder::new(&arguments.data.data);
    let missing = tandem_site::restore(&arguments.archive, &folder, key.trim())?;
    output::line(&format!("restored into {}, with a new epoch", folder.path().display()));
    for sentence in missing {
        output::note(&format!("missing: {sentence}"));
    }
    Ok(0)
}

fn ask() -> Result<String> {
    write!(std::io::stderr(), "recovery key: ")?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("reading the recovery key")?;
    Ok(line)
}
