//! Senders over every receiver. They go on through ends and starts of the site, and write down what they were promised.

use super::ledger::{Ledger, Way, record};
use anyhow::{Context, Result, ensure};
use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tandem_api::{Client, HttpMethod};
use tandem_testkit::program::tandem;

const PATIENCE: Duration = Duration::from_secs(10);
/// Between two requests of one sender, so that several fit beside each other.
const PACE: Duration = Duration::from_millis(15);
const CHANNEL: &str = "0b9a2f1e-7c1d-4f5e-9c57-5d3e4a6f7b80";
/// A followed file is renamed after so many lines.
const ROTATE_LINES: u64 = 60;
const IMPORT_RECORDS: u64 = 200;

/// Where the site can be reached at present.
#[derive(Clone, Default)]
pub(super) struct Up {
    pub(super) http: String,
    pub(super) syslog: String,
}

/// What senders and the rig share.
pub(super) struct Shared {
    pub(super) ledger: Ledger,
    pub(super) data: PathBuf,
    pub(super) files: PathBuf,
    pub(super) token: Mutex<String>,
    state: Mutex<State>,
    changed: Condvar,
    /// The import that runs.
    pub(super) importing: Mutex<Option<Child>>,
}

#[derive(Default)]
struct State {
    up: Option<Up>,
    ended: bool,
}

impl Shared {
    pub(super) fn new(data: PathBuf, files: PathBuf) -> Self {
        Self {
            ledger: Ledger::default(),
            data,
            files,
            token: Mutex::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
            importing: Mutex::default(),
        }
    }

    pub(super) fn set_up(&self, up: Option<Up>) {
        self.state.lock().up = up;
        self.changed.notify_all();
    }

    pub(super) fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }

    /// The running site, as soon as there is one; `None` when all is over.
    fn up(&self) -> Option<Up> {
        let mut state = self.state.lock();
        loop {
            if state.ended {
                return None;
            }
            if let Some(up) = &state.up {
                return Some(up.clone());
            }
            self.changed.wait(&mut state);
        }
    }

    /// Lets some time pass, or less when all is over; whether to go on.
    fn pace(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.ended {
            self.changed.wait_for(&mut state, pause);
        }
        !state.ended
    }
}

/// Starts one sender a way, two for HTTP, and a person at work.
pub(super) fn start(shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let senders: [fn(&Shared); 7] = [http, http, hec, syslog, file, import, person];
    senders
        .into_iter()
        .map(|sender| {
            let shared = Arc::clone(shared);
            std::thread::spawn(move || sender(&shared))
        })
        .collect()
}

/// One request, its answer's status and body.
fn request(address: &str, head: &str, body: &str) -> Result<(bool, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(stream, "{head}host: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")?;
    let mut reader = BufReader::new(stream);
    let mut status = String::new();
    reader.read_line(&mut status)?;
    let mut rest = String::new();
    reader.take(64 << 10).read_to_string(&mut rest)?;
    ensure!(!status.is_empty(), "the connection ended");
    let body = rest.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    Ok((status.contains(" 200"), body))
}

pub(super) fn post_records(address: &str, token: &str, numbers: &[u64]) -> Result<bool> {
    let body: Vec<String> = numbers.iter().map(|number| record(*number)).collect();
    let head = format!("POST /ingest HTTP/1.1\r\nauthorization: Splunk {token}\r\n");
    Ok(request(address, &head, &body.join("\n"))?.0)
}

fn http(shared: &Shared) {
    let mut batch = 1;
    while let Some(up) = shared.up() {
        let numbers: Vec<u64> = (0..batch).map(|_| shared.ledger.number(Way::Http)).collect();
        let token = shared.token.lock().clone();
        if post_records(&up.http, &token, &numbers).unwrap_or(false) {
            shared.ledger.acknowledged(&numbers);
        }
        batch = batch % 7 + 1;
        shared.pace(PACE);
    }
}

/// Acknowledged is what the second question says is.
fn hec(shared: &Shared) {
    while let Some(up) = shared.up() {
        let numbers = [shared.ledger.number(Way::Hec), shared.ledger.number(Way::Hec)];
        let token = shared.token.lock().clone();
        if hec_once(&up, &token, &numbers).unwrap_or(false) {
            shared.ledger.acknowledged(&numbers);
        }
        shared.pace(PACE);
    }
}

fn hec_once(up: &Up, token: &str, numbers: &[u64]) -> Result<bool> {
    let head = |path: &str| {
        format!(
            "POST /services/collector/{path} HTTP/1.1\r\nauthorization: Splunk {token}\r\nx-splunk-request-channel: {CHANNEL}\r\n"
        )
    };
    let events: Vec<String> = numbers.iter().map(|number| format!("{{\"event\":{}}}", record(*number))).collect();
    let (taken, body) = request(&up.http, &head("event"), &events.concat())?;
    ensure!(taken, "{body}");
    let id = serde_json::from_str::<Value>(&body)?["ackId"].as_u64().context("an id")?;
    let (_, body) = request(&up.http, &head("ack"), &json!({ "acks": [id] }).to_string())?;
    Ok(serde_json::from_str::<Value>(&body)?["acks"][id.to_string()] == true)
}

/// Nothing is promised over syslog, but nothing may come twice.
fn syslog(shared: &Shared) {
    while let Some(up) = shared.up() {
        if let Ok(mut stream) = TcpStream::connect(&up.syslog) {
            loop {
                let number = shared.ledger.number(Way::Syslog);
                if writeln!(stream, "<13>{}", record(number)).is_err() || !shared.pace(PACE) {
                    break;
                }
            }
        }
        shared.pace(PACE);
    }
}

/// A line that stands in a file is a promise: the file is there after every end.
fn file(shared: &Shared) {
    let path = shared.files.join("app.log");
    let (mut lines, mut rotation) = (0, 0);
    let open = || OpenOptions::new().create(true).append(true).open(&path).expect("the test's folder can be written");
    let mut file: File = open();
    loop {
        let numbers: Vec<u64> = (0..3).map(|_| shared.ledger.number(Way::File)).collect();
        let text: String = numbers.iter().map(|number| record(*number) + "\n").collect();
        // A process that writes whole lines at once, as loggers do.
        file.write_all(text.as_bytes()).expect("the test's folder can be written");
        shared.ledger.acknowledged(&numbers);
        lines += 3;
        if lines % ROTATE_LINES == 0 {
            rotation += 1;
            let _ = std::fs::rename(&path, shared.files.join(format!("app.log.{rotation}")));
            file = open();
        }
        if !shared.pace(PACE * 8) {
            return;
        }
    }
}

/// The same file again and again until its import says that it is done; then another one.
fn import(shared: &Shared) {
    let mut round = 0;
    'files: loop {
        round += 1;
        let path = shared.files.join(format!("history-{round}.jsonl"));
        let numbers: Vec<u64> = (0..IMPORT_RECORDS).map(|_| shared.ledger.number(Way::Import)).collect();
        let text: String = numbers.iter().map(|number| record(*number) + "\n").collect();
        std::fs::write(&path, text).expect("the test's folder can be written");
        loop {
            if shared.up().is_none() {
                // Never to be imported to its end: not promised. The last one to be tried is in the ledger all the same.
                break 'files;
            }
            if import_once(shared, &path).unwrap_or(false) {
                shared.ledger.acknowledged(&numbers);
                continue 'files;
            }
            shared.pace(PACE);
        }
    }
}

fn import_once(shared: &Shared, path: &std::path::Path) -> Result<bool> {
    let child = {
        let mut importing = shared.importing.lock();
        let state = shared.state.lock();
        if state.up.is_none() {
            return Ok(false);
        }
        drop(state);
        let mut command = Command::new(tandem());
        command.args(["import", "--data"]).arg(&shared.data).arg(path);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let id = child.id();
        *importing = Some(child);
        id
    };
    loop {
        {
            let mut importing = shared.importing.lock();
            match importing.as_mut() {
                Some(running) if running.id() == child => {
                    if let Some(status) = running.try_wait()? {
                        *importing = None;
                        return Ok(status.success());
                    }
                }
                _ => return Ok(false),
            }
        }
        shared.pace(PACE);
    }
}

/// Decides cases, switches a rule, names a source, reads events, makes a backup.
fn person(shared: &Shared) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = Client::new(&shared.data.join("tandem.sock"));
    let mut turn = 0_u64;
    while shared.up().is_some() {
        turn += 1;
        // Refusals and broken connections are what is expected here.
        let _ = runtime.block_on(async { tokio::time::timeout(PATIENCE, work(&client, shared, turn)).await });
        shared.pace(PACE * 4);
    }
}

async fn work(client: &Client, shared: &Shared, turn: u64) -> Result<()> {
    let patch = async |path: String, body: Value| -> Result<()> {
        client.call::<Value>(HttpMethod::PATCH, &path, Some(&body)).await?;
        Ok(())
    };
    match turn % 5 {
        0 => {
            let page: Value = client.get("/cases?view=unowned&limit=1").await?;
            let id = page["items"][0]["id"].as_str().context("a case")?.to_owned();
            let note = json!({"act": "note", "text": format!("looked at it in turn {turn}")});
            client.call::<Value>(HttpMethod::POST, &format!("/cases/{id}/acts"), Some(&note)).await?;
        }
        1 => {
            let page: Value = client.get("/rules?limit=1&q=Scheduled").await?;
            let id = page["items"][0]["id"].as_str().context("a rule")?.to_owned();
            patch(format!("/rules/{id}"), json!({"enabled": turn.is_multiple_of(2), "reason": "a test of switching"}))
                .await?;
        }
        2 => {
            let page: Value = client.get("/sources").await?;
            let id = page["items"][0]["id"].as_str().context("a source")?.to_owned();
            patch(format!("/sources/{id}"), json!({"owner": format!("owner {turn}")})).await?;
        }
        3 => {
            let sql = json!({"sql": "SELECT count(*) FROM events"});
            client.post_lines("/sql", &sql, |_: Value| true).await?;
        }
        _ => {
            let to = shared.files.join(format!("backup-{turn}"));
            client.call::<Value>(HttpMethod::POST, "/local/backup", Some(&json!({ "to": to }))).await?;
            std::fs::remove_file(&to)?;
        }
    }
    Ok(())
}
