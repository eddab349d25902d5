//! Commands that need no running site, and those that open one for the while.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use tandem_testkit::program::run;

fn samples(path: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(path);
    path.display().to_string()
}

fn lines(output: &Output) -> Result<Vec<Value>> {
    let text = std::str::from_utf8(&output.stdout)?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[test]
fn detect_names_rule_record_and_reason() -> Result<()> {
    let output = run(&["detect", "--", &samples("windows-ransomware/winlogbeat-1.ndjson")])?;
    assert_eq!(output.status.code(), Some(0));
    let found = lines(&output)?;
    let wanted = [
        "rule_id",
        "rule_title",
        "rule_author",
        "level",
        "time",
        "file",
        "record",
        "event_record_id",
        "log_types",
        "matches",
    ];
    assert!(found.iter().all(|line| names(line) == wanted), "{found:?}");
    let dump = found
        .iter()
        .find(|line| line["rule_title"] == "Memory of LSASS Dumped with Comsvcs")
        .context("the dump is found")?;
    assert_eq!(dump["level"], "critical");
    let matched = &dump["matches"][0];
    let (start, end) = (matched["span"][0].as_u64().unwrap() as usize, matched["span"][1].as_u64().unwrap() as usize);
    assert_eq!(&matched["value"].as_str().unwrap()[start..end], "comsvcs");
    Ok(())
}

#[test]
fn detect_reads_what_it_can_and_says_what_it_could_not() -> Result<()> {
    let good = samples("linux-ssh-break-in/auth.log");
    let output = run(&["detect", "--", &good, "/nonexistent/file.evtx"])?;
    assert_eq!(output.status.code(), Some(2));
    assert!(!lines(&output)?.is_empty(), "the readable file is read");
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/file.evtx cannot be read"));
    assert_eq!(run(&["detect"])?.status.code(), Some(1), "wrong usage");
    assert_eq!(run(&["detect", "--level", "dreadful", "--", &good])?.status.code(), Some(1));
    Ok(())
}

#[test]
fn parse_shows_both_layers_of_names() -> Result<()> {
    let output = run(&["parse", &samples("linux-ssh-break-in/auth.log")])?;
    assert_eq!(output.status.code(), Some(0));
    let events = lines(&output)?;
    assert!(
        events
            .iter()
            .all(|line| names(line)
                == ["file", "record", "log_types", "parser", "time", "raw", "ecs", "vendor", "error"])
    );
    let guessed =
        events.iter().find(|line| line["raw"].as_str().unwrap().contains("Failed password")).context("a failure")?;
    assert_eq!(guessed["ecs"]["event.outcome"], "failure");
    assert!(guessed["log_types"].as_array().unwrap().contains(&"linux/sshd".into()), "{guessed}");
    Ok(())
}

#[test]
fn rules_check_has_a_row_a_rule_and_names_line_and_reason() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(
        folder.path().join("good.yml"),
        "title: Good\nid: 00000000-0000-0000-0000-000000000001\nlogsource:\n  product: x\ndetection:\n  s:\n    a: b\n  condition: s\n",
    )?;
    std::fs::write(
        folder.path().join("bad.yml"),
        "title: Bad\nlogsource:\n  product: x\ndetection:\n  s:\n    a|nosuch: b\n  condition: s\n",
    )?;
    let path = folder.path().display().to_string();
    let output = run(&["rules", "check", &path, "--format", "json"])?;
    assert_eq!(output.status.code(), Some(1));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    assert_eq!(rows.len(), 2);
    let row = |end: &str| rows.iter().find(|row| row["file"].as_str().unwrap().ends_with(end)).unwrap();
    assert_eq!(row("good.yml")["status"], "ok");
    assert_eq!((&row("bad.yml")["status"], &row("bad.yml")["line"]), (&"error".into(), &6.into()));
    assert!(row("bad.yml")["reason"].as_str().unwrap().contains("nosuch"));
    Ok(())
}

#[test]
fn a_second_import_adds_nothing_and_a_new_log_type_needs_no_program() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("site").display().to_string();
    let count = |expression: &str| -> Result<u64> {
        let output = run(&[
            "sql",
            "--data",
            &data,
            &format!("SELECT count(*) AS n FROM events {expression}"),
            "--format",
            "json",
        ])?;
        lines(&output)?.first().and_then(|row| row["n"].as_u64()).context("a count")
    };
    let log = samples("linux-ssh-break-in/auth.log");
    assert_eq!(run(&["import", "--data", &data, &log])?.status.code(), Some(0));
    let first = count("")?;
    assert!(first > 100);
    assert_eq!(run(&["import", "--data", &data, &log])?.status.code(), Some(0));
    assert_eq!(count("")?, first, "the same file again adds nothing");

    // A door controller that nobody has heard of, described by two files put into the site's folder.
    let parser = folder.path().join("site/content/parsers/acme.door");
    std::fs::create_dir_all(&parser)?;
    std::fs::write(
        parser.join("parser.yaml"),
        "parser: acme.door\ndescription: Acme doors\nmatch:\n  - {contains: ['DOOR;']}\nsteps:\n  - pattern: 'DOOR;%{WORD:door};%{WORD:result};%{INT:badge}'\n\
         common:\n  event.action: result\n  user.id: badge\ntypes:\n  - {product: acme, service: door}\n",
    )?;
    std::fs::write(
        folder.path().join("site/content/rules/forced.yml"),
        "title: Door Forced\nid: 00000000-0000-0000-0000-0000000000aa\nlogsource:\n  product: acme\n  service: door\ndetection:\n  s:\n    result: forced\n  condition: s\nlevel: high\nstatus: test\n",
    )?;
    let doors = folder.path().join("doors.log");
    std::fs::write(&doors, "2026-10-11T22:14:15Z DOOR;lobby;opened;17\n2026-10-11T22:14:16Z DOOR;vault;forced;0\n")?;
    let imported = run(&["import", "--data", &data, &doors.display().to_string()])?;
    assert_eq!(imported.status.code(), Some(0), "{}", String::from_utf8_lossy(&imported.stderr));
    assert_eq!(count("WHERE parser = 'acme.door'")?, 2);
    let found = run(&["search", "--data", &data, "door:vault AND event.action:forced", "--format", "json"])?;
    assert_eq!(lines(&found)?.len(), 1);
    let fired =
        run(&["sql", "--data", &data, "SELECT rule_id FROM detections WHERE rule_id LIKE '%aa'", "--format", "json"])?;
    assert_eq!(lines(&fired)?.len(), 1, "a rule of the site's own fires on it");
    Ok(())
}

#[test]
fn a_backup_comes_back_with_a_new_epoch() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    assert!(run(&["site", "init", "--data", &path("one"), "--name", "Bakery"])?.status.success());
    let made = run(&["backup", "--data", &path("one"), &path("archive")])?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = String::from_utf8(made.stdout)?.trim().to_owned();
    let restore = |key: &str, to: &str| {
        std::process::Command::new(tandem_testkit::program::tandem())
            .args(["restore", "--data", &path(to), &path("archive")])
            .env("TANDEM_RECOVERY_KEY", key)
            .output()
    };
    let wrong = restore("AAAA-AAAA", "two")?;
    assert!(!wrong.status.success());
    let right = restore(&key, "three")?;
    assert!(right.status.success(), "{}", String::from_utf8_lossy(&right.stderr));
    assert!(String::from_utf8_lossy(&right.stderr).contains("missing:"));
    let link = run(&["site", "link", "--data", &path("three")])?;
    assert!(String::from_utf8_lossy(&link.stdout).contains("/link?token="), "the restored site opens");
    Ok(())
}

#[test]
fn doctor_finds_nothing_wrong_with_a_new_site_that_does_not_run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("site").display().to_string();
    assert!(run(&["site", "init", "--data", &data])?.status.success());
    let output = run(&["doctor", "--data", &data])?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("is not running") && !text.contains("wrong"), "{text}");
    std::fs::write(folder.path().join("site/tandem.toml"), "[stroe]\n")?;
    assert_eq!(run(&["doctor", "--data", &data])?.status.code(), Some(1));
    Ok(())
}

#[test]
fn a_wrong_configuration_is_named_with_its_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tandem.toml");
    std::fs::write(&file, "[store]\nretention_days = \"many\"\n")?;
    let output = run(&["config", "check", &file.display().to_string()])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 2"));
    Ok(())
}
