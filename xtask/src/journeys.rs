//! The browser journeys (`console/tests/e2e`) on a demonstration site that is started for them, and stopped in any case.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the program may take until it serves. Generous: another build may hold the machine.
const START: Duration = Duration::from_mins(4);
/// How long all journeys may take together.
const JOURNEYS: Duration = Duration::from_mins(40);
/// How long a program may take to end once it was told to.
const STOP: Duration = Duration::from_mins(1);
/// Lines of the site's log that are shown when a journey fails.
const LOG_LINES: usize = 80;

/// The task `journeys`: the journeys alone, on the binary that `make build` made or on the one that is named.
pub(crate) fn alone(root: &Path, named: Option<&String>) -> Result<()> {
    let binary = named.map_or_else(|| root.join("target/debug/tandem"), PathBuf::from);
    if run(root, &binary)?.is_none() {
        bail!("no Chromium is installed: `apt-get install chromium`, or name one in CHROMIUM");
    }
    Ok(())
}

/// Runs the journeys on `binary` and answers how many passed; `None` where no browser is installed.
pub(crate) fn run(root: &Path, binary: &Path) -> Result<Option<u64>> {
    let Some(browser) = browser() else { return Ok(None) };
    let begin = Instant::now();
    let site = Demo::start(binary)?;
    crate::say(&format!("a demonstration serves at {} after {} s", site.url, begin.elapsed().as_secs()));
    let outcome = site.journeys(root, &browser);
    if outcome.is_err() {
        site.show_log();
    }
    let stopped = site.stop();
    let passed = outcome?;
    stopped?;
    crate::say(&format!("{passed} journeys passed in {} s", begin.elapsed().as_secs()));
    Ok(Some(passed))
}

/// The browser that the journeys drive: the one that `CHROMIUM` names, else an installed one.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}

/// A running `tandem demo` with a folder of its own. Dropping it ends the program and removes the folder.
struct Demo {
    program: Running,
    folder: PathBuf,
    url: String,
    link: String,
}

impl Demo {
    /// Starts the program on a free loopback port and waits until it says that it is ready.
    fn start(binary: &Path) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("tandem-journeys-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        crate::say(&format!("$ {} demo --console 127.0.0.1:0 --data {}/site", binary.display(), folder.display()));
        let log = File::create(folder.join("log.txt")).context("making the log file")?;
        let mut command = Command::new(binary);
        command.args(["demo", "--console", "127.0.0.1:0", "--data"]).arg(folder.join("site")).stderr(Stdio::from(log));
        let program = match Running::start(command) {
            Ok(program) => program,
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                return Err(error.context(format!("starting {}", binary.display())));
            }
        };
        let mut site = Self { program, folder, url: String::new(), link: String::new() };
        if let Err(error) = site.wait_ready() {
            site.show_log();
            return Err(error);
        }
        Ok(site)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let until = Instant::now() + START;
        loop {
            match self.program.line(until) {
                Ok(line) if line == "ready" => break,
                Ok(line) => {
                    if let Some(url) = line.strip_prefix("console ") {
                        url.clone_into(&mut self.url);
                    } else if let Some(link) = line.strip_prefix("sign in ") {
                        link.clone_into(&mut self.link);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the demonstration was not ready within {} s", START.as_secs())
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the demonstration ended before it was ready"),
            }
        }
        if self.url.is_empty() || self.link.is_empty() {
            bail!("the demonstration named no address or no sign-in link");
        }
        Ok(())
    }

    /// Runs `npm run e2e` against this site, its output shown as it comes.
    fn journeys(&self, root: &Path, browser: &Path) -> Result<u64> {
        crate::say("$ TANDEM_URL=… TANDEM_LINK=… npm run e2e");
        let mut command = crate::command(&root.join("console"), "npm");
        command
            .args(["run", "--silent", "e2e"])
            .env("TANDEM_URL", &self.url)
            .env("TANDEM_LINK", &self.link)
            .env("TANDEM_JOURNEYS", "required")
            .env("CHROMIUM", browser)
            .env("NO_COLOR", "1");
        let mut journeys = Running::start(command).context("starting npm")?;
        let until = Instant::now() + JOURNEYS;
        let mut text = String::new();
        loop {
            match journeys.line(until) {
                Ok(line) => {
                    crate::say(&line);
                    text.push_str(&line);
                    text.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    journeys.stop(STOP)?;
                    bail!("the journeys did not end within {} s", JOURNEYS.as_secs());
                }
            }
        }
        let status = journeys.stop(STOP)?;
        if !status.success() {
            bail!("journeys failed ({status})");
        }
        let counts = crate::test::counts(&text).context("the journeys printed no count")?;
        if counts.skipped > 0 {
            bail!("{} journeys were skipped although a site runs", counts.skipped);
        }
        Ok(counts.passed)
    }

    fn show_log(&self) {
        let text = fs::read_to_string(self.folder.join("log.txt")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        crate::say(&format!("the site's log, last lines of {}:", lines.len()));
        for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
            crate::say(&format!("  {line}"));
        }
    }

    /// Tells the program to stop and waits for it; that it ends well is the last thing that is checked.
    fn stop(mut self) -> Result<()> {
        let status = self.program.stop(STOP)?;
        if !status.success() {
            self.show_log();
            bail!("the demonstration did not end well ({status})");
        }
        Ok(())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.program.end();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A started program whose output is read line by line. Dropping it ends the program.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("the program's output is a pipe")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || forward(output, |line| sender.send(line).is_ok()));
        Ok(Self { child, lines })
    }

    /// The next line of output; `Disconnected` when the program has closed it.
    fn line(&self, until: Instant) -> std::result::Result<String, RecvTimeoutError> {
        self.lines.recv_timeout(until.saturating_duration_since(Instant::now()))
    }

    /// Asks the program to end, waits until its output is closed, and answers how it ended.
    fn stop(&mut self, patience: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        let until = Instant::now() + patience;
        // Whoever has closed its output is ending by itself.
        let mut told = matches!(self.lines.try_recv(), Err(mpsc::TryRecvError::Disconnected));
        loop {
            if !told {
                Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().context("starting kill")?;
                told = true;
            }
            match self.line(until) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(self.child.wait()?),
                Err(RecvTimeoutError::Timeout) => {
                    self.end();
                    bail!("a program did not end within {} s and was killed", patience.as_secs());
                }
            }
        }
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn forward(output: impl Read, mut send: impl FnMut(String) -> bool) {
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(b'\n', &mut bytes), Ok(read) if read > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if !send(line) {
            return;
        }
    }
}
