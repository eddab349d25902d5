//! House tasks: `cargo run -p xtask -- TASK`.

mod bench;
mod console;
mod dist;
mod journeys;
mod test;
mod tidy;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
House tasks of Tandem.

  bench     speed, memory and answers beside the peers, in an optimised build of its own (`bench help` lists them)
  console   build the web console where its sources changed
  deb       build target/dist/tandem_*.deb from the tested binary; with --release from an optimised one, for sites
  journeys  the browser journeys of the console on target/debug/tandem, or on the binary that is named
  tidy      check the house rules: arrows between crates, file lengths, forbidden words
  test      everything that must hold: tidy, formatting, lints, console tests, browser journeys, Rust tests
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("bench") => bench::run(&root(), &arguments[1..]),
        Some("console") => console::build(&root()),
        Some("deb") => dist::deb(&root(), &arguments[1..]).map(|package| say(&format!("{}", package.display()))),
        Some("journeys") => journeys::alone(&root(), arguments.get(1)),
        Some("tidy") => tidy::run(&root()),
        Some("test") => test::run(&root()),
        None | Some("help" | "--help" | "-h") => {
            say(HELP);
            Ok(())
        }
        Some(other) => Err(anyhow::anyhow!("no task is called `{other}`\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The checkout's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the checkout").to_path_buf()
}

#[expect(clippy::print_stderr, reason = "a house task talks to the person who started it")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// Runs a command in `folder` with its output shown; an error when it fails.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    say(&format!("$ {program} {}", arguments.join(" ")));
    let status = command(folder, program).args(arguments).status()?;
    if !status.success() {
        bail!("`{program} {}` failed ({status})", arguments.join(" "));
    }
    Ok(())
}

/// A command in `folder` that also finds Node where `scripts/setup.sh` put it.
fn command(folder: &Path, program: &str) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    command.current_dir(folder);
    let local = root().join(".venv/bin");
    if local.join("node").exists() {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", local.display()));
    }
    command
}

/// Whether `program` can be started.
fn exists(program: &str) -> bool {
    std::process::Command::new(program)
        .arg("--version")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
