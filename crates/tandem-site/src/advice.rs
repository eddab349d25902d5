//! What a lone administrator can do about an error: the next step, told beside the error's own sentence.

use crate::ConfigError;
use std::error::Error;
use std::io;
use tandem_control::{ControlError, SealError};
use tandem_spool::OpenError;
use tandem_store::{QueryError, StoreError};

const FROM_BACKUP: &str = "make a new site from the last backup: `tandem restore --data NEWFOLDER ARCHIVE`";

/// The next step after `error`; the first of its causes for which one is known decides.
pub fn advice(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(of)
}

fn of(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return Some(config(error));
    }
    if let Some(error) = error.downcast_ref::<SealError>() {
        return Some(key(error));
    }
    if let Some(error) = error.downcast_ref::<ControlError>() {
        return control(error);
    }
    if let Some(error) = error.downcast_ref::<OpenError>() {
        return Some(spool(error));
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return Some(store(error));
    }
    if let Some(error) = error.downcast_ref::<QueryError>() {
        return damaged_file(error).map(|file| file_advice(&file));
    }
    error.downcast_ref::<io::Error>().and_then(file)
}

fn config(error: &ConfigError) -> String {
    let (ConfigError::Read { path, .. } | ConfigError::Syntax { path, .. } | ConfigError::Settings { path, .. }) =
        error;
    match error {
        ConfigError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => format!(
            "`tandem config show /dev/null` prints a file with every default; put it at {}, or take yours from a backup",
            path.display()
        ),
        ConfigError::Read { .. } => format!(
            "{} must be a text file in UTF-8 that this account may read; `tandem config show /dev/null` prints one with every default",
            path.display()
        ),
        ConfigError::Syntax { .. } | ConfigError::Settings { .. } => {
            format!("correct it, then run `tandem config check {}`", path.display())
        }
    }
}

fn key(error: &SealError) -> String {
    match error {
        SealError::File { path, .. } | SealError::NoKey { path } => format!(
            "put the site key that you keep apart from the backups back to {path}; without it no secret of this site can be opened, and {FROM_BACKUP}"
        ),
        SealError::Open { path } => format!("run `chmod 600 {path}`"),
        SealError::OtherKey { .. } | SealError::Damaged => {
            "put the site key back with which this site was made; second factors can also be set up again".to_owned()
        }
    }
}

fn control(error: &ControlError) -> Option<String> {
    match error {
        ControlError::Sql { doing: "open its file" | "bring its tables up to date", .. } => Some(format!(
            "control.db in the site's folder is damaged, or this account may not write there; if it is damaged, {FROM_BACKUP}"
        )),
        ControlError::Sql { .. } => {
            Some("look whether the disk is full or failing (`df`, `dmesg`), then try again".to_owned())
        }
        ControlError::Stored { .. } => Some(format!(
            "if a newer tandem ran here, run that one; otherwise control.db is damaged, and {FROM_BACKUP}"
        )),
        ControlError::File { source, .. } => file(source),
        other => other.hint(),
    }
}

fn spool(error: &OpenError) -> String {
    match error {
        OpenError::InUse => "stop the other tandem that works on this folder, then try again".to_owned(),
        OpenError::Missing | OpenError::Unreadable | OpenError::Exists => format!(
            "put the folder `spool` back as it was, from a copy of the whole folder; where there is none, {FROM_BACKUP}, and copy `tables` into it"
        ),
        OpenError::Mixed { file } => {
            format!("move `spool/{file}` out of the folder: it came from another site; then try again")
        }
        OpenError::Version { .. } => "run the newer tandem that wrote this folder".to_owned(),
        OpenError::Limits(_) => "correct [spool] in tandem.toml".to_owned(),
        OpenError::Disk(_) => {
            "`spool` must be a folder that this account may write; look at it and at the disk (`ls -l`, `df`, `dmesg`)"
                .to_owned()
        }
    }
}

fn store(error: &StoreError) -> String {
    match error {
        StoreError::Log { table, .. } => format!(
            "a file in `tables/{table}/_delta_log` is damaged; put it back from a copy of the folder, or move `tables/{table}` away: then this table begins anew with what the spool still holds"
        ),
        StoreError::File { path, .. } | StoreError::Parquet { path, .. } => file_advice(path),
        StoreError::Folder { path, .. } => {
            format!("{} must be a folder that this account may write, on a disk with room", path.display())
        }
        StoreError::Retyped { .. } | StoreError::ColumnTaken { .. } => {
            "give the field another name in the site's own content; columns are never retyped".to_owned()
        }
        _ => "look whether the disk is full or failing (`df`, `dmesg`), then try again".to_owned(),
    }
}

/// What to do about a file of the event table that cannot be read.
pub(crate) fn file_advice(file: &str) -> String {
    format!(
        "put tables/{file} back from a copy of the folder; until then ask for a time range without that day. Look at the disk, too (`dmesg`)"
    )
}

fn file(error: &io::Error) -> Option<String> {
    let text = match error.kind() {
        io::ErrorKind::NotFound => "check the path: nothing is there",
        io::ErrorKind::PermissionDenied => "run it as the account that owns the file, or let this account read it",
        io::ErrorKind::IsADirectory => "name a file, not a folder",
        io::ErrorKind::NotADirectory => "name a folder whose parents are folders, too",
        io::ErrorKind::AlreadyExists => "something of that name is in the way: name another place",
        io::ErrorKind::StorageFull => "make room on that disk, then try again",
        io::ErrorKind::ReadOnlyFilesystem => "name a place on a disk that can be written",
        io::ErrorKind::AddrInUse => "another program listens there: stop it, or choose another address",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address: choose one that `ip address` shows",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The file of the event table that made a query fail, from the folder `tables` on.
pub(crate) fn damaged_file(error: &QueryError) -> Option<String> {
    if let QueryError::Store(error) = error
        && let StoreError::File { path, .. } | StoreError::Parquet { path, .. } = &**error
    {
        return Some(path.clone());
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(path) = parquet_path(&error.to_string()) {
            return Some(path);
        }
        cause = error.source();
    }
    None
}

/// `…/day=…/NAME.parquet` in the words of the engine, from the table's name on.
fn parquet_path(text: &str) -> Option<String> {
    let end = text.find(".parquet")? + ".parquet".len();
    let start = text[..end].rfind(|c: char| c.is_whitespace()).map_or(0, |at| at + 1);
    let path = &text[start..end];
    let tables = ["events/", "detections/"].iter().find_map(|table| path.find(table));
    Some(path[tables.unwrap_or(0)..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_first_cause_that_is_known_decides() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let key = SealError::File { path: "x/site.key".into(), source: missing };
        let error = Err::<(), _>(key).context("reading the site key").unwrap_err();
        assert!(advice(&error).unwrap().contains("put the site key"));
        assert!(advice(&anyhow::anyhow!("something else")).is_none());
    }

    #[test]
    fn a_damaged_file_is_named_from_its_table_on() {
        let text =
            "Parquet error: Failed to fetch metadata for file /srv/x/tables/events/day=2026-11-25/a.parquet: broken";
        assert_eq!(parquet_path(text).unwrap(), "events/day=2026-11-25/a.parquet");
        assert_eq!(parquet_path("nothing of the kind"), None);
    }
}
