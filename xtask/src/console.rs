//! Builds the console with npm, only when something in `console/` changed.

use anyhow::{Context, Result};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

pub(crate) fn build(root: &Path) -> Result<()> {
    let console = root.join("console");
    if !console.join("package.json").exists() {
        return Ok(());
    }
    let stamp = root.join("target/console.stamp");
    let wanted = stamp_of(&console)?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) && console.join("build/index.html").exists() {
        return Ok(());
    }
    crate::run(&console, "npm", &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
    crate::run(&console, "npm", &["run", "--silent", "build"])?;
    fs::create_dir_all(root.join("target"))?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// A hash over names and contents of everything that the build reads.
fn stamp_of(console: &Path) -> Result<String> {
    let mut files = Vec::new();
    collect(console, &mut files)?;
    files.sort();
    let mut hash = DefaultHasher::new();
    for file in files {
        file.strip_prefix(console).unwrap_or(&file).hash(&mut hash);
        fs::read(&file).with_context(|| format!("reading {}", file.display()))?.hash(&mut hash);
    }
    Ok(format!("{:016x}", hash.finish()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let made = ["node_modules", "build", ".svelte-kit", "tests", "dev"];
        if entry.file_type()?.is_dir() {
            if !made.iter().any(|skip| name == *skip) {
                collect(&entry.path(), files)?;
            }
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
