//! The one program: reads arguments, prints, exits with a code. Decides nothing.

mod arguments;
mod assets;
mod command;
mod output;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // Help and version are answers; anything else is wrong usage.
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    output::start_log(arguments.verbose);
    if let Err(error) = tandem_base::fail::arm() {
        output::print_error(&error.into());
        return ExitCode::from(1);
    }
    match command::run(arguments.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::print_error(&error);
            ExitCode::from(1)
        }
    }
}
