//! What goes to the terminal: results to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

/// One hint for the reader, attached to an error with `.context(Hint(..))`.
#[derive(Debug)]
pub(crate) struct Hint(pub(crate) String);

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hint: {}", self.0)
    }
}

/// Prints an error once: its own sentence, each cause, then the hints.
pub(crate) fn print_error(error: &anyhow::Error) {
    let mut text = String::new();
    let mut hints = Vec::new();
    for (index, cause) in error.chain().map(ToString::to_string).enumerate() {
        if let Some(hint) = cause.strip_prefix("hint: ") {
            hints.push(hint.to_owned());
        } else if text.is_empty() {
            text = format!("error: {cause}");
        } else if index > 0 && !text.ends_with(&cause) {
            text.push_str(&format!("\n  because: {cause}"));
        }
    }
    if hints.is_empty() {
        hints.extend(tandem_site::advice(error));
    }
    for hint in hints {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    note(&text);
}

/// A line to standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A line to standard output. A closed pipe ends the program quietly, as other tools do; output that cannot be written
/// ends it with an error, since whoever reads it would take a part for the whole.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) else { return };
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    note(&format!(
        "error: the output could not be written, it ends before this line\n  because: {error}\n  hint: make room there, or write it to another disk"
    ));
    std::process::exit(1);
}

/// Whether a person reads standard output.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Log lines to standard error; `TANDEM_LOG` overrides the level.
pub(crate) fn start_log(verbose: bool) {
    let level = if verbose { "info" } else { "warn" };
    // The table's library logs errors that it also answers, with backtraces: ours say them once.
    let filter = tracing_subscriber::EnvFilter::try_from_env("TANDEM_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(format!("{level},buoyant_kernel=off,delta_kernel=off")));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
