//! One file a command.

mod config;
mod rules;

use crate::arguments::Command;
use anyhow::Result;

/// Runs a command and answers the exit code.
pub(crate) fn run(command: Command) -> Result<u8> {
    match command {
        Command::Rules(command) => rules::run(command),
        Command::Config(command) => config::run(&command),
        _ => anyhow::bail!("this command is not there yet"),
    }
}
