//! A site's folder with something missing or damaged in it: the commands say what, and what to do; nothing panics, and
//! what is whole can still be read where that is possible.

use super::commands::{copy, judge, run, sentences};
use super::noise;
use super::table::{Table, mib};
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

type Damage = fn(&Path) -> Result<()>;

/// All files below `folder` whose path holds `part`.
fn files(folder: &Path, part: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, part)?);
        } else if path.display().to_string().contains(part) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Noise of the same size in place of every such file.
fn overwrite(site: &Path, part: &str) -> Result<()> {
    let found = files(site, part)?;
    ensure!(!found.is_empty(), "there are no files {part}");
    for path in found {
        let size = fs::metadata(&path)?.len();
        fs::write(&path, noise(usize::try_from(size)?))?;
    }
    Ok(())
}

fn cut(site: &Path, part: &str) -> Result<()> {
    for path in files(site, part)? {
        let bytes = fs::read(&path)?;
        fs::write(&path, &bytes[..bytes.len() / 2])?;
    }
    Ok(())
}

fn remove(site: &Path, part: &str) -> Result<()> {
    for path in files(site, part)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// What is damaged, how, and whether a search still has its answer.
const DAMAGES: &[(&str, Damage, bool)] = &[
    ("tandem.toml is gone", |site| remove(site, "tandem.toml"), false),
    ("tandem.toml is noise", |site| overwrite(site, "tandem.toml"), false),
    (
        "tandem.toml has a wrong type",
        |site| Ok(fs::write(site.join("tandem.toml"), "[spool]\nsize_bytes_max = true\n")?),
        false,
    ),
    ("site.key is gone", |site| remove(site, "site.key"), false),
    ("site.key is noise", |site| Ok(fs::write(site.join("site.key"), noise(40))?), false),
    ("control.db is gone", |site| remove(site, "control.db"), false),
    (
        "control.db is empty",
        |site| {
            remove(site, "control.db-")?;
            Ok(fs::write(site.join("control.db"), "")?)
        },
        false,
    ),
    (
        "control.db is noise",
        |site| {
            remove(site, "control.db-")?;
            overwrite(site, "control.db")
        },
        false,
    ),
    (
        "control.db breaks off",
        |site| {
            remove(site, "control.db-")?;
            cut(site, "control.db")
        },
        false,
    ),
    (
        "control.db is a folder",
        |site| {
            remove(site, "control.db")?;
            Ok(fs::create_dir(site.join("control.db"))?)
        },
        false,
    ),
    ("the spool is gone", |site| Ok(fs::remove_dir_all(site.join("spool"))?), false),
    (
        "the spool is a file",
        |site| {
            fs::remove_dir_all(site.join("spool"))?;
            Ok(fs::write(site.join("spool"), "x")?)
        },
        false,
    ),
    ("the spool's files are noise", |site| overwrite(site, ".spool"), false),
    ("the spool's last file breaks off", |site| cut(site, ".spool"), true),
    ("the Delta log is noise", |site| overwrite(site, "events/_delta_log"), false),
    ("the Delta log is gone", |site| remove(site, "events/_delta_log"), true),
    ("the tables are gone", |site| Ok(fs::remove_dir_all(site.join("tables"))?), true),
    ("a file of events is noise", |site| overwrite(site, ".parquet"), false),
    ("a file of events breaks off", |site| cut(site, ".parquet"), false),
    ("a file of events is gone", |site| remove(site, ".parquet"), false),
    ("an index is noise", |site| overwrite(site, ".index"), true),
    ("an index is gone", |site| remove(site, ".index"), true),
    (
        "a rule and a parser of the site's own are noise",
        |site| {
            fs::write(site.join("content/rules/noise.yml"), noise(500))?;
            fs::create_dir_all(site.join("content/parsers/a.b"))?;
            Ok(fs::write(site.join("content/parsers/a.b/parser.yaml"), noise(500))?)
        },
        true,
    ),
    (
        "the lock is a folder",
        |site| {
            remove(site, "/lock")?;
            Ok(fs::create_dir(site.join("lock"))?)
        },
        false,
    ),
];

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[test]
fn a_damaged_folder_is_told_with_the_next_step() -> Result<()> {
    let desk = tempfile::tempdir()?;
    let line = b"Nov 25 17:19:34 web1 sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2\n".repeat(50);
    fs::write(desk.path().join("good.log"), line)?;
    let made = run(desk.path(), &words(&["import", "--data", "whole", "good.log"]), Stdio::piped())?;
    ensure!(made.code == 0, "{}", made.stderr);
    // Two at a time: nearly all of it is the start of a program.
    let mut rows: Vec<(usize, String, u64)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|half| {
                let path = desk.path();
                scope.spawn(move || {
                    let all = DAMAGES.iter().enumerate().filter(|(at, _)| at % 2 == half);
                    all.map(|(at, case)| tried(path, at, case)).collect::<Result<Vec<_>>>()
                })
            })
            .collect();
        let done = workers.into_iter().map(|worker| worker.join().expect("no case panics"));
        done.collect::<Result<Vec<_>>>().map(|parts| parts.concat())
    })?;
    rows.sort();
    let mut table = Table::new("folders");
    for (at, answer, peak_kib) in rows {
        table.row("`tandem search`", DAMAGES[at].0, &answer, mib(peak_kib));
    }
    table.check()
}

/// One damage: what a search says of it.
fn tried(desk: &Path, at: usize, (input, damage, answers): &(&str, Damage, bool)) -> Result<(usize, String, u64)> {
    let name = format!("site-{at}");
    let site = desk.join(&name);
    copy(&desk.join("whole"), &site)?;
    damage(&site).with_context(|| (*input).to_owned())?;
    // The time range of the whole table, so that its files are opened.
    let search = ["search", "--data", &name, "203.0.113.9", "--from", "2000-01-01T00:00:00Z", "--limit", "1000"];
    let ran = run(desk, &words(&search), Stdio::piped())?;
    judge(&ran, input)?;
    let found = ran.stdout.lines().count();
    if *answers {
        ensure!(ran.code == 0 && found == 50, "{input}: {found} found: {}", ran.stderr);
    } else {
        ensure!(ran.code == 1 && ran.stderr.contains("hint:"), "{input}: no hint: {}", ran.stderr);
    }
    // Some of them to doctor, too, which opens the same.
    if at.is_multiple_of(5) {
        let doctor = run(desk, &words(&["doctor", "--data", &name]), Stdio::piped())?;
        judge(&doctor, &format!("doctor, {input}"))?;
        ensure!(doctor.code == 1 || *answers, "doctor finds nothing wrong: {input}");
    }
    let all = if *answers { "; all 50 events found" } else { "" };
    let answer = without_names(&format!("{}{all}", sentences(&ran, desk)).replace(&name, "SITE"));
    Ok((at, answer, ran.peak_kib))
}

/// Without names that differ each time.
fn without_names(text: &str) -> String {
    let word = |word: &str| match word.split_once("day=") {
        Some((start, _)) if word.contains(".parquet") => format!("{start}day=…/….parquet"),
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
