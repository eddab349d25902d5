//! What clients talk to: receivers in this process, or a running `tandem`.
//!
//! `TANDEM_TEST_INGEST="udp=ADDRESS tcp=ADDRESS tls=ADDRESS http=ADDRESS token=TOKEN ca=FILE"` names a running
//! one, and `TANDEM_TEST_COUNT` a shell command that prints how many of its records contain `$MARKER`.

use crate::support::{Site, TOKEN, http_config, tcp_config, udp_config};
use crate::tls::own;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use tandem_ingest::{Config, Kind, SyslogTcp};
use tokio::process::Command;

pub(crate) struct Target {
    places: HashMap<String, String>,
    site: Option<Site>,
    folder: tempfile::TempDir,
    /// In every message of this test, so that it finds its own.
    pub(crate) marker: String,
}

/// How long clients have, which start, wait and repeat as they please.
const PATIENCE: Duration = Duration::from_mins(1);

impl Target {
    pub(crate) async fn new(test: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let marker = format!("mark{test}{}", uuid::Uuid::new_v4().simple());
        if let Ok(text) = std::env::var("TANDEM_TEST_INGEST") {
            let places = text.split_whitespace().filter_map(|part| part.split_once('='));
            let places = places.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            return Self { places, site: None, folder, marker };
        }
        let config = Config {
            syslog_udp: vec![udp_config()],
            syslog_tcp: vec![tcp_config(), SyslogTcp { tls: Some(own(folder.path())), ..tcp_config() }],
            http: vec![http_config()],
            ..Config::default()
        };
        let site = Site::start(config).await;
        let names =
            [(Kind::SyslogUdp, "udp"), (Kind::SyslogTcp, "tcp"), (Kind::SyslogTls, "tls"), (Kind::Http, "http")];
        let mut places: HashMap<_, _> =
            names.into_iter().map(|(kind, name)| (name.to_owned(), site.address(kind).to_string())).collect();
        places.insert("token".to_owned(), TOKEN.to_owned());
        places.insert("ca".to_owned(), folder.path().join("ingest.crt").display().to_string());
        Self { places, site: Some(site), folder, marker }
    }

    /// `udp`, `tcp`, `tls`, `http`: an address; `token`; `ca`: a file.
    pub(crate) fn place(&self, name: &str) -> &str {
        self.places.get(name).unwrap_or_else(|| panic!("TANDEM_TEST_INGEST names no {name}"))
    }

    pub(crate) fn port(&self, name: &str) -> &str {
        self.place(name).rsplit_once(':').unwrap().1
    }

    /// A folder for the client's files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The texts of this test's records; from a running `tandem` only their number.
    async fn seen(&self) -> (usize, Vec<String>) {
        if let Some(site) = &self.site {
            let texts: Vec<_> = site.sink.texts().into_iter().filter(|text| text.contains(&self.marker)).collect();
            return (texts.len(), texts);
        }
        let command = std::env::var("TANDEM_TEST_COUNT").expect("TANDEM_TEST_COUNT counts records of a running tandem");
        let output = Command::new("sh").arg("-c").arg(command).env("MARKER", &self.marker).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (text.trim().parse().unwrap_or_else(|_| panic!("TANDEM_TEST_COUNT printed no number: {text}")), Vec::new())
    }

    /// Returns the texts when exactly `count` records of this test have come.
    pub(crate) async fn gets(&self, count: usize) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let (seen, texts) = self.seen().await;
            if seen == count {
                return texts;
            }
            assert!(seen < count, "{seen} records instead of {count}: {texts:#?}");
            assert!(tokio::time::Instant::now() < deadline, "only {seen} of {count} records came: {texts:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A program's path, or `None` after saying that its test is skipped.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        tandem_testkit::skip(name, "it is not installed");
    }
    found
}

/// A file that `scripts/test-venv.sh` installs, or `None` after saying that its test is skipped.
pub(crate) fn installed(path: &str) -> Option<PathBuf> {
    let Ok(folder) = std::env::var("TANDEM_TEST_VENV") else {
        tandem_testkit::skip(path, "TANDEM_TEST_VENV is not set; run scripts/test-venv.sh FOLDER");
        return None;
    };
    let found = PathBuf::from(folder).join(path);
    if !found.exists() {
        tandem_testkit::skip(path, "TANDEM_TEST_VENV has no such file; run scripts/test-venv.sh FOLDER");
        return None;
    }
    Some(found)
}

/// A script of `tests/clients`.
pub(crate) fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// Runs a client to its end, which has to be a good one.
pub(crate) async fn run(command: &mut Command) -> String {
    let output = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, output).await.expect("the client ends").unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {text}");
    text
}
