//! Speed, memory and answers of Tandem beside its peers, in one run: `cargo xtask bench NAME`.

use std::process::ExitCode;

const HELP: &str = "\
Benches of Tandem with its peers in the same run.

  (none yet)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome: anyhow::Result<()> = match arguments.first().map(String::as_str) {
        None | Some("help" | "--help" | "-h") => {
            eprintln!("{HELP}");
            Ok(())
        }
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
