//! A site under load that ends and starts again and again.

use super::ledger::{Figures, Stored, Way};
use super::senders::{self, Shared, Up};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tandem_api::{Client, HttpMethod};
use tandem_base::fail;
use tandem_testkit::program::{Site, run, wait_for};
use tempfile::TempDir;

/// Settings that bring rare things about often: seals, closed files, merged files.
const SETTINGS: [(&str, &str); 3] = [
    ("seal_after_s = 60", "seal_after_s = 1"),
    ("upkeep_every_s = 300", "upkeep_every_s = 2"),
    ("file_bytes_max = 67108864", "file_bytes_max = 131072"),
];

pub(super) struct Rig {
    _folder: TempDir,
    pub(super) shared: Arc<Shared>,
    senders: Vec<JoinHandle<()>>,
    /// From start to ready: by the clock, and CPU time of the process.
    ready: Vec<(Duration, Duration)>,
}

impl Rig {
    /// A new site with senders that wait for its first start.
    pub(super) fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let (data, files) = (folder.path().join("site"), folder.path().join("files"));
        std::fs::create_dir_all(&files)?;
        init(&data)?;
        let path = data.join("tandem.toml");
        let mut toml = std::fs::read_to_string(&path)?;
        for (before, after) in SETTINGS {
            ensure!(toml.contains(before), "tandem.toml has no `{before}`");
            toml = toml.replace(before, after);
        }
        toml = toml.replace("tail = []\n", "");
        let _ = writeln!(toml, "\n[[tail]]\npath = \"{}/app.log*\"\nsource = \"app\"", files.display());
        std::fs::write(&path, toml)?;
        let shared = Arc::new(Shared::new(data, files));
        Ok(Self { _folder: folder, shared, senders: Vec::new(), ready: Vec::new() })
    }

    pub(super) fn data(&self) -> &Path {
        &self.shared.data
    }

    pub(super) fn data_text(&self) -> Result<&str> {
        self.data().to_str().context("a plain name")
    }

    /// Starts the site, with a fail point perhaps. `None` when it ended before it was ready.
    pub(super) fn start(&mut self, point: Option<&str>) -> Result<Option<Site>> {
        let begin = Instant::now();
        let variables: Vec<(&str, &str)> = point.map(|point| (fail::VARIABLE, point)).into_iter().collect();
        let site = match Site::start_with(self.data(), &[], &variables) {
            Ok(site) => site,
            Err(_) if point.is_some() => return Ok(None),
            Err(error) => return Err(error),
        };
        self.ready.push((begin.elapsed(), site.cpu_time().unwrap_or_default()));
        let mut token = self.shared.token.lock();
        if token.is_empty() {
            *token = ingest_token(self.data())?;
        }
        drop(token);
        if self.senders.is_empty() {
            self.senders = senders::start(&self.shared);
        }
        let (http, syslog) = (site.address("http").to_owned(), site.address("syslog-tcp").to_owned());
        self.shared.set_up(Some(Up { http, syslog }));
        Ok(Some(site))
    }

    /// The site has ended: whoever works on it beside ends, too, so that the next start finds it free.
    pub(super) fn down(&self) -> Result<()> {
        self.shared.set_up(None);
        if let Some(mut child) = self.shared.importing.lock().take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts a last time, lets everything arrive, and compares.
    pub(super) fn settle(mut self, what: &str) -> Result<Figures> {
        let site = self.start(None)?.context("the site starts")?;
        let before = self.shared.ledger.count();
        wait_for("more records", 60, || Ok((self.shared.ledger.count() > before + 20).then_some(())))?;
        self.shared.end();
        for sender in self.senders.drain(..) {
            ensure!(sender.join().is_ok(), "a sender failed");
        }
        if let Some(mut child) = self.shared.importing.lock().take() {
            child.wait()?;
        }
        let data = self.data_text()?.to_owned();
        // Everything durable is worked off before anything is compared.
        wait_for("the end of the backlog", 900, || {
            let health = call(self.data(), HttpMethod::GET, "/health", &Value::Null)?;
            Ok((health["ready"] == true && health["spool"]["lag_records"] == 0).then_some(()))
        })?;
        let lines = self.shared.ledger.of(Way::File);
        let all_there = || {
            let stored = Stored::read(&data)?;
            Ok(lines.iter().all(|number| stored.records.contains_key(number)).then_some(()))
        };
        // What is missing then is told by the comparison.
        let _ = wait_for("the followed file's last line", 60, all_there);
        let doctor = run(&["doctor", "--data", &data])?;
        let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
        let mut stored = Stored::read(&data)?;
        stored.read_judged(self.data())?;
        site.stop()?;
        // Once more, from files alone.
        let from_files = Stored::read(&data)?;
        ensure!(from_files.records == stored.records, "{what}: a stop changed what is stored");
        let (wrong, figures) = stored.compare(&self.shared.ledger);
        self.print(what, &figures, &wrong);
        ensure!(wrong.is_empty(), "{what}: {} things are wrong, such as: {}", wrong.len(), first(&wrong));
        ensure!(doctor.status.success(), "{what}: doctor found something wrong:\n{said}");
        ensure!(said.contains("ok    acts: "), "{what}: doctor says nothing of acts:\n{said}");
        Ok(figures)
    }

    #[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
    fn print(&self, what: &str, figures: &Figures, wrong: &[String]) {
        let mut clock: Vec<Duration> = self.ready.iter().map(|(clock, _)| *clock).collect();
        let mut cpu: Vec<Duration> = self.ready.iter().map(|(_, cpu)| *cpu).collect();
        clock.sort();
        cpu.sort();
        let seconds = |list: &[Duration], at: usize| list.get(at).map_or(0.0, Duration::as_secs_f64);
        let (middle, last) = (clock.len() / 2, clock.len().saturating_sub(1));
        println!(
            "{what}: {} starts; {} records sent, {} acknowledged, {} lost, {} twice, {} detections, {} wrong; ready after \
             {:.1} s (median) and {:.1} s (most), CPU {:.1} s and {:.1} s",
            self.ready.len(),
            figures.sent,
            figures.acknowledged,
            figures.lost,
            figures.twice,
            figures.detections,
            wrong.len(),
            seconds(&clock, middle),
            seconds(&clock, last),
            seconds(&cpu, middle),
            seconds(&cpu, last),
        );
        println!("{what}: acknowledged and stored by way: {:?}", figures.ways);
    }
}

fn first(wrong: &[String]) -> String {
    wrong.iter().take(5).cloned().collect::<Vec<_>>().join("; ")
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.shared.end();
        let _ = self.down();
        for sender in self.senders.drain(..) {
            let _ = sender.join();
        }
    }
}

/// Makes a site.
pub(super) fn init(data: &Path) -> Result<()> {
    let made = run(&["site", "init", "--data", data.to_str().context("a plain name")?])?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}

pub(super) fn ingest_token(data: &Path) -> Result<String> {
    let made = call(data, HttpMethod::POST, "/ingest-tokens", &json!({"name": "load"}))?;
    Ok(made["token"].as_str().context("a token")?.to_owned())
}

/// One request over the local socket.
pub(super) fn call(data: &Path, method: HttpMethod, path: &str, body: &Value) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = Client::new(&data.join("tandem.sock"));
    // Without a value the request has no body.
    Ok(runtime.block_on(client.call(method, path, (!body.is_null()).then_some(body)))?)
}
