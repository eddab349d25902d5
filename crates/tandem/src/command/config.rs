//! `tandem config check` and `show`.

use crate::arguments::{ConfigArguments, ConfigCommand};
use crate::output;
use anyhow::Result;
use std::path::PathBuf;
use tandem_site::Config;

pub(crate) fn run(command: &ConfigCommand) -> Result<u8> {
    let (ConfigCommand::Check(arguments) | ConfigCommand::Show(arguments)) = command;
    let path = path_of(arguments);
    let config = Config::read(&path)?;
    match command {
        ConfigCommand::Check(_) => output::note(&format!("{} is well", path.display())),
        ConfigCommand::Show(_) => output::line(config.to_toml().trim_end()),
    }
    Ok(0)
}

fn path_of(arguments: &ConfigArguments) -> PathBuf {
    match (&arguments.file, &arguments.data) {
        (Some(file), _) => file.clone(),
        (None, Some(data)) => data.join("tandem.toml"),
        (None, None) => PathBuf::from("tandem.toml"),
    }
}
