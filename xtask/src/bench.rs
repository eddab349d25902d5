//! Speed, memory and answers beside peers, in optimised builds of their own.

use anyhow::Result;
use std::path::Path;

const HELP: &str = "\
Benches of Tandem. Real logs and rules are found by TANDEM_CORPORA, a folder in which each archive is unpacked.

  search [EVENTS] [OPTIONS]    import and search beside DuckDB and chDB on the same Parquet files (10,000,000 events)
  latency [OPTIONS]            from a line on a socket to its case, under load

Each prints its figures; `--out docs/measured/plots` keeps them, with a plot.
";

/// Runs the bench that the first of `arguments` names.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let name = arguments.first().map_or("help", String::as_str);
    let rest: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match name {
        "search" => {
            let (events, options) = match rest.split_first() {
                Some((first, options)) if !first.starts_with('-') => (*first, options),
                _ => ("10000000", rest.as_slice()),
            };
            of_the_program(root, "search.py", &[&[events], options].concat())
        }
        "latency" => of_the_program(root, "latency.py", &rest),
        "help" | "--help" | "-h" => {
            crate::say(HELP);
            of_the_crates(root, &[])
        }
        _ => of_the_crates(root, &arguments.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

/// A bench in `bench/src`: a workspace of its own, so that peers never become part of Tandem.
fn of_the_crates(root: &Path, arguments: &[&str]) -> Result<()> {
    let fixed = ["run", "--quiet", "--release", "--manifest-path", "bench/Cargo.toml", "--target-dir", "target/bench"];
    crate::run(root, "cargo", &[&fixed, ["--"].as_slice(), arguments].concat())
}

/// A script in `bench/search` that drives the optimised program, with its peers from PyPI.
fn of_the_program(root: &Path, script: &str, arguments: &[&str]) -> Result<()> {
    crate::run(root, "cargo", &["build", "--release", "--workspace", "--bin", "tandem"])?;
    let python = "target/bench-venv/bin/python";
    if !root.join(python).exists() {
        crate::run(root, "python3", &["-m", "venv", "target/bench-venv"])?;
    }
    crate::run(root, python, &["-m", "pip", "install", "--quiet", "--requirement", "bench/search/requirements.txt"])?;
    let script = format!("bench/search/{script}");
    std::fs::create_dir_all(root.join("target/bench-data"))?;
    crate::run(root, python, &[&[script.as_str(), "target/release/tandem", "target/bench-data"], arguments].concat())
}
