//! Speed, memory and answers of Tandem beside its peers, in one run: `cargo xtask bench NAME`.

mod evtx;
mod rules;
mod sigma;

use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Benches of Tandem with its peers in the same run.

  evtx     reading Windows event logs beside the `evtx` crate alone
  rules    what the rules find in recorded attacks beside rsigma-eval
  sigma    the Sigma engine on one core beside rsigma-eval
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome: anyhow::Result<()> = match arguments.first().map(String::as_str) {
        None | Some("help" | "--help" | "-h") => {
            eprintln!("{HELP}");
            Ok(())
        }
        Some("evtx") => evtx::run(&arguments[1..]),
        Some("rules") => rules::run(&arguments[1..]),
        Some("sigma") => sigma::run(&arguments[1..]),
        Some(other) => Err(anyhow::anyhow!("no bench is called `{other}`\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder in which the archives of the corpora are unpacked under their names.
fn corpora() -> anyhow::Result<PathBuf> {
    let folder =
        std::env::var_os("TANDEM_CORPORA").context("set TANDEM_CORPORA to the folder of the unpacked corpora")?;
    Ok(PathBuf::from(folder))
}
