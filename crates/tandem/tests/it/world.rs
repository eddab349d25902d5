//! A running site of the real program, and ways to talk to it.

use crate::web::Web;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use tandem_api::{Client, ClientError, HttpMethod};
use tandem_testkit::program::{self, Site};
use tempfile::TempDir;

/// Long enough for anybody's rules.
pub(crate) const PASSWORD: &str = "nine lives of one cat";

/// A site in a folder of its own, ended and removed when dropped.
pub(crate) struct World {
    runtime: tokio::runtime::Runtime,
    client: Client,
    site: Site,
    _folder: TempDir,
}

impl World {
    /// Makes and starts a site.
    pub(crate) fn new() -> Result<Self> {
        Self::with("", &[])
    }

    /// Makes and starts a site with `more` at the end of its tandem.toml, and further arguments.
    pub(crate) fn with(more: &str, arguments: &[&str]) -> Result<Self> {
        let folder = TempDir::new()?;
        let data = folder.path().to_str().context("the temporary folder has a plain name")?;
        let made = program::run(&["site", "init", "--data", data, "--name", "Test"])?;
        ensure!(made.status.success(), "site init failed: {}", String::from_utf8_lossy(&made.stderr));
        let config = folder.path().join("tandem.toml");
        let text = std::fs::read_to_string(&config)?;
        // A list that is empty may not be written once more.
        let text = if more.contains("[[tail]]") { text.replace("tail = []\n", "") } else { text };
        std::fs::write(&config, text + more)?;
        let site = Site::start(folder.path(), arguments)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, client: Client::new(&folder.path().join("tandem.sock")), site, _folder: folder })
    }

    /// Asks the site to stop and waits until it has.
    pub(crate) fn stop(self) -> Result<()> {
        self.site.stop()
    }

    /// The console listener.
    pub(crate) fn web(&self) -> Web {
        Web::new(self.site.address("console"))
    }

    /// The listener of machines that speak HTTP.
    pub(crate) fn ingest(&self) -> Web {
        Web::new(self.site.address("http"))
    }

    /// The site's Unix socket.
    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.site.folder.join("tandem.sock")
    }

    /// The site's folder.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.site.folder
    }

    /// A listener's address by its name.
    pub(crate) fn address(&self, name: &str) -> &str {
        self.site.address(name)
    }

    /// The console's address, with its scheme.
    pub(crate) fn console(&self) -> &str {
        self.site.address("console")
    }

    /// Process id of the site.
    pub(crate) fn pid(&self) -> u32 {
        self.site.pid()
    }

    /// Delivers a good record with this word in it, and waits until it is found: the site works.
    pub(crate) fn find_good(&self, word: &str) -> Result<()> {
        self.deliver(word, &[json!({ "message": word })])?;
        self.found(word)
    }

    /// Waits until a record with this word is found.
    pub(crate) fn found(&self, word: &str) -> Result<()> {
        let query = json!({ "query": format!("\"{word}\""), "limit": 1 });
        program::wait_for(word, 30, || {
            let parts = self.lines("/search", &query)?;
            Ok(parts.iter().any(|part| part["total"].as_u64() > Some(0)).then_some(()))
        })
    }

    /// GET over the local socket.
    pub(crate) fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.runtime.block_on(self.client.get(path))
    }

    /// Any other method over the local socket.
    pub(crate) fn send(&self, method: HttpMethod, path: &str, body: &impl Serialize) -> Result<Value, ClientError> {
        self.runtime.block_on(self.client.call(method, path, Some(body)))
    }

    /// POST over the local socket.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.send(HttpMethod::POST, path, body)
    }

    /// POST whose answer is a line a part.
    pub(crate) fn lines(&self, path: &str, body: &Value) -> Result<Vec<Value>, ClientError> {
        let mut lines = Vec::new();
        self.runtime.block_on(self.client.post_lines(path, body, |line: Value| {
            lines.push(line);
            true
        }))?;
        Ok(lines)
    }

    /// Makes an account with these roles and signs it in.
    pub(crate) fn person(&self, name: &str, roles: &[&str]) -> Result<Web> {
        self.post("/users", &json!({"name": name, "display_name": name, "roles": roles, "password": PASSWORD}))?;
        let mut web = self.web();
        web.sign_in(name, PASSWORD)?;
        Ok(web)
    }

    /// Delivers records over HTTP with a token that names their source.
    pub(crate) fn deliver(&self, source: &str, records: &[Value]) -> Result<()> {
        let token = self.post("/ingest-tokens", &json!({ "name": source }))?;
        let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
        let secret = token["token"].as_str().context("a new token shows its secret")?;
        let answer = self.ingest().bearer(secret).send("POST", "/ingest", Some(&lines.join("\n")))?;
        ensure!(answer.status == 200, "records were refused: {}", answer.body);
        Ok(())
    }

    /// Waits until `path` answers something that `until` takes.
    pub(crate) fn wait<T>(&self, what: &str, path: &str, until: impl Fn(&Value) -> Option<T>) -> Result<T> {
        program::wait_for(what, 30, || Ok(until(&self.get(path)?)))
    }
}

/// What Sysmon writes when a process starts; `command` with the word `lsass` and procdump is an attack.
pub(crate) fn process_start(host: &str, image: &str, command: &str, at: &str) -> Value {
    json!({
        "@timestamp": at,
        "winlog": {
            "channel": "Microsoft-Windows-Sysmon/Operational", "event_id": "1", "provider_name": "Microsoft-Windows-Sysmon",
            "computer_name": host,
            "event_data": {"ProcessId": "7312", "Image": image, "CommandLine": command, "User": "NORDWIND\\m.keller"},
        },
        "agent": {"type": "winlogbeat", "version": "8.15.0"},
    })
}
