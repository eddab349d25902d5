//! The real binary as a process.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Path of the `tandem` that belongs to the running test: the target folder's own.
pub fn tandem() -> PathBuf {
    if let Some(path) = std::env::var_os("TANDEM_BINARY") {
        return PathBuf::from(path);
    }
    let mut folder = std::env::current_exe().expect("a test knows its own path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    folder.join("tandem")
}

/// Runs `tandem` with `arguments` to its end.
pub fn run(arguments: &[&str]) -> Result<Output> {
    Command::new(tandem()).args(arguments).stdin(Stdio::null()).output().context("starting tandem")
}

/// A running `tandem site run`, ended when dropped.
pub struct Site {
    child: Child,
    /// The site's folder.
    pub folder: PathBuf,
    /// What it printed when it was ready, one `name value` a line: `console`, `ingest`, `syslog-udp` …
    pub addresses: Vec<(String, String)>,
}

impl Site {
    /// Starts a site on `folder` with free loopback ports and waits until it is ready.
    pub fn start(folder: &Path, more: &[&str]) -> Result<Self> {
        Self::start_with(folder, more, &[])
    }

    /// The same, with further environment variables.
    pub fn start_with(folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(tandem());
        command.args(["site", "run", "--data"]).arg(folder);
        command.args(["--console", "127.0.0.1:0", "--ingest", "127.0.0.1:0"]);
        command.args(["--syslog-udp", "127.0.0.1:0", "--syslog-tcp", "127.0.0.1:0"]);
        command
            .args(more)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().context("starting tandem site run")?;
        let stdout = child.stdout.take().context("the site's output is piped")?;
        let mut addresses = Vec::new();
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if line == "ready" {
                return Ok(Self { child, folder: folder.to_path_buf(), addresses });
            }
            if let Some((name, value)) = line.split_once(' ') {
                addresses.push((name.to_owned(), value.to_owned()));
            }
        }
        bail!("the site ended before it was ready ({:?})", child.wait()?)
    }

    /// An address by name.
    pub fn address(&self, name: &str) -> &str {
        self.addresses.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// CPU time that the process has used, user and system.
    pub fn cpu_time(&self) -> Result<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold anything; behind it the fields are numbers, in ticks of 10 ms.
        let fields: Vec<&str> = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        Ok(Duration::from_millis((ticks(11) + ticks(12)) * 10))
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop and waits.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let deadline = deadline(Duration::from_secs(30));
        while self.child.try_wait()?.is_none() {
            if passed(deadline) {
                bail!("the site did not stop within 30 s");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn deadline(after: Duration) -> Instant {
    Instant::now() + after
}

fn passed(deadline: Instant) -> bool {
    Instant::now() >= deadline
}

/// Asks `condition` until it answers, at most `seconds`; an error names `what` was awaited.
pub fn wait_for<T>(what: &str, seconds: u64, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = deadline(Duration::from_secs(seconds));
    loop {
        if let Some(answer) = condition()? {
            return Ok(answer);
        }
        if passed(end) {
            bail!("{what} did not happen within {seconds} s");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
