//! One file a command.

mod backup;
mod config;
mod demo;
mod detect;
mod doctor;
mod files;
mod import;
mod parse;
mod rules;
mod search;
mod site;
mod sql;
mod talk;

use crate::arguments::Command;
use anyhow::Result;

/// Runs a command and answers the exit code.
pub(crate) fn run(command: Command) -> Result<u8> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Site(command) => site::run(command),
        Command::Detect(arguments) => detect::run(&arguments),
        Command::Parse(arguments) => parse::run(&arguments),
        Command::Rules(command) => rules::run(command),
        Command::Import(arguments) => import::run(&arguments),
        Command::Search(arguments) => search::run(&arguments),
        Command::Sql(arguments) => sql::run(&arguments),
        Command::Config(command) => config::run(&command),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
    }
}
