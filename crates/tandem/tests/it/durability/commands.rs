//! Commands that are cut: backup, restore, the making of a site, the installation of rules, an import of a large file.

use super::ledger::{Ledger, Stored, Way, record};
use super::points::is_of_the_site;
use super::rig::init;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tandem_base::fail;
use tandem_testkit::program::{run, tandem, wait_for};

fn cut(point: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
    let mut command = Command::new(tandem());
    command.args(arguments).envs(variables.iter().copied()).env(fail::VARIABLE, point).stdin(Stdio::null());
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.contains("fail point"), "`{point}` was not reached: {said}");
    Ok(output)
}

fn whole(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
    let output = Command::new(tandem()).args(arguments).envs(variables.iter().copied()).output()?;
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
    Ok(output)
}

fn text(path: &Path) -> Result<String> {
    Ok(path.to_str().context("a plain name")?.to_owned())
}

/// Fail points of a command, by how they begin.
fn points(start: &str) -> Vec<&'static str> {
    fail::POINTS.iter().copied().filter(|point| point.starts_with(start)).collect()
}

#[test]
fn every_fail_point_is_of_the_site_or_of_a_command_here() {
    let here: usize = ["restore.", "init.", "rules."].iter().map(|start| points(start).len()).sum();
    let imports = ["import.durable", "import.told", "import.sealed"].len();
    let site = fail::POINTS.iter().filter(|point| is_of_the_site(point)).count();
    assert_eq!(here + imports + site, fail::POINTS.len());
}

#[test]
fn the_program_refuses_a_fail_point_that_it_does_not_have() -> Result<()> {
    let output =
        Command::new(tandem()).args(["config", "show", "--data", "x"]).env(fail::VARIABLE, "no.such").output()?;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("names no fail point"));
    Ok(())
}

#[test]
fn a_site_whose_making_was_cut_is_made_again() -> Result<()> {
    for point in points("init.") {
        let folder = tempfile::tempdir()?;
        let data = text(&folder.path().join("site"))?;
        cut(point, &["site", "init", "--data", &data], &[])?;
        let output = run(&["doctor", "--data", &data])?;
        assert!(!output.status.success(), "{point}: half a site is none");
        init(Path::new(&data))?;
        whole(&["doctor", "--data", &data], &[])?;
    }
    Ok(())
}

#[test]
fn a_backup_or_restore_that_was_cut_is_made_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = text(&folder.path().join("site"))?;
    init(Path::new(&data))?;
    for point in points("backup.") {
        let archive = folder.path().join(format!("{point}.backup"));
        cut(point, &["backup", "--data", &data, &text(&archive)?], &[])?;
        // Only what is whole has the archive's name.
        if !archive.exists() {
            whole(&["backup", "--data", &data, &text(&archive)?], &[])?;
        }
    }
    let archive = text(&folder.path().join("whole.backup"))?;
    let made = whole(&["backup", "--data", &data, &archive], &[])?;
    let key = String::from_utf8(made.stdout)?.trim().to_owned();
    let left: Vec<String> = std::fs::read_dir(folder.path())?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    let parts: Vec<&String> = left.iter().filter(|name| name.contains(".part")).collect();
    // The one that was cut after it got its name still has its other one.
    assert!(parts.iter().all(|name| name.starts_with("backup.named")), "{left:?}");

    let variables = [("TANDEM_RECOVERY_KEY", key.as_str())];
    for point in points("restore.") {
        let target = text(&folder.path().join(format!("{point}.site")))?;
        cut(point, &["restore", "--data", &target, &archive], &variables)?;
        if point == "restore.named" {
            assert!(Path::new(&target).join("control.db").exists());
        } else {
            assert!(!Path::new(&target).join("control.db").exists(), "{point}: half a site is none");
            whole(&["restore", "--data", &target, &archive], &variables)?;
        }
        whole(&["doctor", "--data", &target], &[])?;
        assert!(!Path::new(&format!("{target}.restoring")).exists());
    }
    Ok(())
}

const RULE: &str = "title: T\nid: 5f3a6b1c-7c53-4a5e-8f9d-2f6f4a3b1c00\nlogsource:\n  product: windows\ndetection:\n  a:\n    EventID: 1\n  condition: a\n";

#[test]
fn rules_are_the_old_ones_or_the_new_ones_whatever_happens() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = text(&folder.path().join("site"))?;
    init(Path::new(&data))?;
    let rules = folder.path().join("set");
    std::fs::create_dir_all(&rules)?;
    let write = |version: u32| -> Result<()> {
        for file in 0..3 {
            std::fs::write(rules.join(format!("{file}.yml")), RULE.replace("title: T", &format!("title: V{version}")))?;
        }
        Ok(())
    };
    let installed = || -> Result<Vec<String>> {
        let mut titles = Vec::new();
        for entry in std::fs::read_dir(Path::new(&data).join("content/rules/set"))? {
            let read = std::fs::read_to_string(entry?.path())?;
            titles.push(read.lines().next().unwrap_or_default().to_owned());
        }
        Ok(titles)
    };
    let install = ["rules", "install", "--data", &data, &text(&rules)?];
    let install: Vec<&str> = install.iter().map(AsRef::as_ref).collect();
    write(0)?;
    whole(&install, &[])?;
    for (version, point) in (1..).zip(points("rules.")) {
        write(version)?;
        cut(point, &install, &[])?;
        let titles = installed()?;
        assert_eq!(titles.len(), 3, "{point}: {titles:?}");
        assert!(titles.iter().all(|title| *title == titles[0]), "{point}: {titles:?}");
        whole(&install, &[])?;
        assert_eq!(installed()?, vec![format!("title: V{version}"); 3]);
        assert!(!Path::new(&data).join("content/.installing-set").exists());
    }
    Ok(())
}

/// Cut at its fail points, and killed at moments in between, until it is done.
#[test]
fn an_import_of_a_large_file_that_is_cut_adds_every_record_once() -> Result<()> {
    const RECORDS: u64 = 12_000;
    let folder = tempfile::tempdir()?;
    let data = text(&folder.path().join("site"))?;
    init(Path::new(&data))?;
    let ledger = Ledger::default();
    let numbers: Vec<u64> = (0..RECORDS).map(|_| ledger.number(Way::Import)).collect();
    let path = folder.path().join("large.jsonl");
    std::fs::write(&path, numbers.iter().map(|number| record(*number) + "\n").collect::<String>())?;
    let arguments = ["import", "--data", &data, &text(&path)?].map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for point in ["import.durable", "import.taken:2", "import.told", "pipeline.judged:3", "spool.synced:2"] {
        cut(point, &arguments, &[])?;
    }
    for kill in 1..4 {
        // Killed while it reads: its spool has grown, or it is done.
        let size = || folder_size(&Path::new(&data).join("spool"));
        let before = size();
        let mut child = Command::new(tandem()).args(&arguments).stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        wait_for("the import", 120, || {
            let grown = size() > before + kill * 20_000;
            Ok((grown || child.try_wait()?.is_some()).then_some(()))
        })?;
        child.kill()?;
        child.wait()?;
    }
    cut("import.sealed", &arguments, &[])?;
    whole(&arguments, &[])?;
    ledger.acknowledged(&numbers);
    let (wrong, figures) = Stored::read(&data)?.compare(&ledger);
    assert!(wrong.is_empty(), "{} wrong, such as {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    assert_eq!((figures.acknowledged, figures.detections), (RECORDS, RECORDS / 10));
    whole(&["doctor", "--data", &data], &[])?;
    Ok(())
}

fn folder_size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|facts| facts.len()).sum()
}
