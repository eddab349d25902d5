//! The Debian package: built from this very binary, installed, its unit checked and started.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use tandem_testkit::{program, skip};

fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| format!("starting {program}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {}: {text}", arguments.join(" "));
    Ok(text)
}

/// Removes the package again, whatever the test found.
struct Installed;

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = Command::new("dpkg").args(["--purge", "tandem"]).output();
    }
}

#[test]
fn the_package_installs_and_its_unit_starts() -> Result<()> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if std::env::var("CI").as_deref() != Ok("true") || !root || !Path::new("/usr/bin/dpkg-deb").exists() {
        skip(
            "the_package_installs_and_its_unit_starts",
            "it installs a package: only as root with CI=true on a Debian system",
        );
        return Ok(());
    }
    let xtask = program::tandem().with_file_name("xtask");
    let built = run(&xtask.display().to_string(), &["deb"])?;
    let package = built
        .lines()
        .rev()
        .find(|line| Path::new(line).extension().is_some_and(|end| end == "deb"))
        .context("the task names its package")?;
    let _purge = Installed;
    run("dpkg", &["-i", package])?;
    run("systemd-analyze", &["verify", "/usr/lib/systemd/system/tandem.service"])?;

    let unit = std::fs::read_to_string("/usr/lib/systemd/system/tandem.service")?;
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).context("the unit starts something")?;
    let mut words = vec!["-u", "tandem", "--"];
    words.extend(start.split_whitespace());
    words.extend([
        "--console",
        "127.0.0.1:0",
        "--ingest",
        "127.0.0.1:0",
        "--syslog-udp",
        "127.0.0.1:0",
        "--syslog-tcp",
        "127.0.0.1:0",
    ]);
    let mut child = Command::new("runuser").args(&words).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let ready = lines.map_while(Result::ok).any(|line| line == "ready");
    Command::new("pkill").args(["-TERM", "-P", &child.id().to_string()]).status()?;
    child.wait()?;
    ensure!(ready, "the installed program did not become ready");
    Ok(())
}
