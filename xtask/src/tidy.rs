//! House rules as a check: which crate may use which, which heavy crate belongs where, how long a file may be.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, the rooms it may use, and the heavy foreign crates that live in it (`ARCHITECTURE.md` shows the same table).
struct Room {
    name: &'static str,
    uses: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room { name: "tandem-base", uses: &[] },
    Room { name: "tandem-sigma", uses: &[] },
    Room { name: "tandem-spool", uses: &["base"] },
    Room { name: "tandem-model", uses: &["base"] },
    Room { name: "tandem-query", uses: &["base", "model"] },
    Room { name: "tandem-parse", uses: &["base", "model"] },
    Room { name: "tandem-service", uses: &["base", "model"] },
    Room { name: "tandem-detect", uses: &["base", "model", "sigma"] },
    Room { name: "tandem-ingest", uses: &["base", "model", "parse", "spool"] },
    Room { name: "tandem-store", uses: &["base", "model", "query"] },
    Room { name: "tandem-content", uses: &["base", "model", "parse", "sigma", "query", "detect"] },
    Room { name: "tandem-control", uses: &["base", "model", "service"] },
    Room { name: "tandem-api", uses: &["base", "model", "service", "query"] },
    Room { name: "tandem-web", uses: &["base", "api", "service", "control"] },
    Room {
        name: "tandem-site",
        uses: &[
            "base", "sigma", "spool", "model", "query", "parse", "service", "detect", "ingest", "store", "content",
            "control", "api", "web",
        ],
    },
    Room {
        name: "tandem",
        uses: &["base", "sigma", "model", "query", "parse", "service", "detect", "ingest", "content", "api", "site"],
    },
    Room { name: "tandem-testkit", uses: &["base", "model"] },
];

/// Foreign crates that only these rooms may name.
const HEAVY: &[(&str, &[&str])] = &[
    ("datafusion", &["tandem-store"]),
    ("deltalake-core", &["tandem-store"]),
    ("parquet", &["tandem-store"]),
    ("sqlx", &["tandem-control"]),
    ("axum", &["tandem-ingest", "tandem-web", "tandem-site"]),
    (
        "tokio",
        &["tandem-api", "tandem-ingest", "tandem-store", "tandem-control", "tandem-web", "tandem-site", "tandem"],
    ),
    ("utoipa", &["tandem-api", "tandem-site"]),
    ("clap", &["tandem"]),
    ("evtx", &["tandem-parse"]),
];

const LINES_MAX: usize = 900;
const FILE_BYTES_MAX: u64 = 1 << 20;

pub(crate) fn run(root: &Path) -> Result<()> {
    let mut problems = Vec::new();
    arrows(root, &mut problems)?;
    files(root, &mut problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        crate::say(&format!("tidy: {problem}"));
    }
    bail!("{} house rules are broken", problems.len())
}

fn arrows(root: &Path, problems: &mut Vec<String>) -> Result<()> {
    let output = crate::command(root, "cargo").args(["metadata", "--format-version", "1", "--no-deps"]).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("reading `cargo metadata`")?;
    for package in metadata["packages"].as_array().context("metadata lists packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        if name == "xtask" {
            continue;
        }
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
            problems
                .push(format!("crate `{name}` has no row in the table of rooms (xtask/src/tidy.rs, ARCHITECTURE.md)"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let test_only = dependency["kind"].as_str() == Some("dev");
            if let Some(short) = used.strip_prefix("tandem-") {
                // The program's own tests look into every room.
                let for_tests = test_only && (short == "testkit" || name == "tandem");
                let allowed = room.uses.contains(&short) || for_tests;
                if !allowed {
                    problems.push(format!("`{name}` must not use `{used}`: the arrow is not in the table of rooms"));
                }
            }
            for (heavy, homes) in HEAVY {
                if used == *heavy && !test_only && !homes.contains(&name) {
                    problems.push(format!("`{name}` must not use `{heavy}`: it belongs to {}", homes.join(", ")));
                }
            }
        }
    }
    Ok(())
}

fn files(root: &Path, problems: &mut Vec<String>) -> Result<()> {
    let output = crate::command(root, "git").args(["ls-files", "-z"]).output()?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let names: BTreeSet<PathBuf> = listed.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    for name in names {
        let path = root.join(&name);
        let Ok(facts) = fs::metadata(&path) else { continue };
        if facts.len() > FILE_BYTES_MAX {
            problems.push(format!("{} is larger than 1 MiB", name.display()));
            continue;
        }
        let Some("rs" | "ts" | "svelte") = name.extension().and_then(|end| end.to_str()) else { continue };
        let Ok(text) = fs::read_to_string(&path) else { continue };
        // What a program wrote is not read line by line.
        let generated = name.ends_with("console/src/lib/api/schema.ts");
        if text.lines().count() > LINES_MAX && !generated {
            problems.push(format!("{} has more than {LINES_MAX} lines: look for its second job", name.display()));
        }
        let rust = name.extension().is_some_and(|end| end == "rs");
        let head = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if rust && !head.starts_with("//!") && !head.starts_with("#!") && name.ends_with("lib.rs") {
            problems.push(format!("{} does not begin with its job (`//!`)", name.display()));
        }
        for (index, line) in text.lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                problems.push(format!("{}:{} ends in white space", name.display(), index + 1));
                break;
            }
        }
    }
    Ok(())
}
