//! `tandem.toml`: every setting with its default, checked as a whole.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The whole configuration. Sizes are bytes, times seconds unless the name says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The site itself.
    pub site: SiteConfig,
    /// Listener for people.
    pub console: ConsoleConfig,
    /// Listener for machines that speak HTTP.
    pub ingest: IngestConfig,
    /// Syslog sockets.
    pub syslog: SyslogConfig,
    /// Files to follow.
    pub tail: Vec<TailConfig>,
    /// The event table.
    pub store: StoreConfig,
    /// The spool.
    pub spool: SpoolConfig,
    /// Bounds on queries of people.
    pub query: QueryConfig,
}

/// The site itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteConfig {
    /// Name on screens.
    pub name: String,
    /// Zone in which senders without one write their times: an IANA name.
    pub zone: String,
}

/// How a listener is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Only on a loopback address.
    Off,
    /// A certificate made at first start, kept in the site's folder.
    SelfSigned,
    /// `certificate` and `key` name PEM files.
    Files,
}

/// Listener for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsoleConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// Protection.
    pub tls: Tls,
    /// PEM file, for `tls = "files"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file, for `tls = "files"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Address that people type and that links in mails carry; made from `address` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// A session without a request ends after this time.
    pub session_idle_s: u64,
}

/// Listener for machines that speak HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// Where it listens; absent: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
    /// Protection.
    pub tls: Tls,
    /// PEM file, for `tls = "files"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file, for `tls = "files"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Largest body after decompression.
    pub body_bytes_max: usize,
    /// Networks that may send, by any receiver; empty: all.
    pub allow: Vec<String>,
}

/// Syslog sockets; an absent address means no such socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyslogConfig {
    /// UDP (RFC 5426).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<SocketAddr>,
    /// TCP (RFC 6587).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<SocketAddr>,
    /// TLS (RFC 5425).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<SocketAddr>,
    /// Longest frame.
    pub frame_bytes_max: usize,
    /// Addresses of relays, whose records belong to the host named in them.
    pub relays: Vec<String>,
}

/// Files to follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TailConfig {
    /// Path, `*` allowed in the file name.
    pub path: String,
    /// Name of the source; the path where absent.
    #[serde(default)]
    pub source: Option<String>,
}

/// The event table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Whole days of receipt that are kept.
    pub retention_days: u32,
    /// Events go into files at the latest after this time…
    pub seal_after_s: u64,
    /// …or when so many wait.
    pub seal_events: usize,
    /// How often files are merged and what is past its retention is removed.
    pub upkeep_every_s: u64,
}

/// The spool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolConfig {
    /// Largest total size; beyond it senders are slowed.
    pub size_bytes_max: u64,
    /// A file that has reached this size is closed; closed files are removed once their events are in the table.
    pub file_bytes_max: u64,
}

/// Bounds on queries of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Memory of all running queries together.
    pub memory_bytes_max: usize,
    /// Longest run of one query.
    pub time_s_max: u64,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self { name: "site".to_owned(), zone: "UTC".to_owned() }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            address: loopback(8843),
            tls: Tls::Off,
            certificate: None,
            key: None,
            public_url: None,
            session_idle_s: 8 * 3600,
        }
    }
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            address: Some(loopback(8088)),
            tls: Tls::Off,
            certificate: None,
            key: None,
            body_bytes_max: 64 << 20,
            allow: Vec::new(),
        }
    }
}

impl Default for SyslogConfig {
    fn default() -> Self {
        Self {
            udp: Some(loopback(5514)),
            tcp: Some(loopback(5514)),
            tls: None,
            frame_bytes_max: 64 << 10,
            relays: Vec::new(),
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { retention_days: 90, seal_after_s: 60, seal_events: 100_000, upkeep_every_s: 300 }
    }
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self { size_bytes_max: 4 << 30, file_bytes_max: 64 << 20 }
    }
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self { memory_bytes_max: 1 << 30, time_s_max: 60 }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} could not be read")]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// Not TOML, an unknown setting, or a value of the wrong type; the text names the line.
    #[error("{path} is not a valid configuration:\n{text}")]
    Syntax {
        /// File.
        path: PathBuf,
        /// Line, place and what was expected.
        text: String,
    },
    /// Settings that do not go together, one a line.
    #[error("{path} has settings that cannot work:\n{}", .problems.join("\n"))]
    Settings {
        /// File.
        path: PathBuf,
        /// What is wrong and what to write instead.
        problems: Vec<String>,
    },
}

impl Config {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| ConfigError::Syntax { path: path.to_path_buf(), text: error.to_string() })?;
        let problems = config.problems();
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Settings { path: path.to_path_buf(), problems }) }
    }

    /// Everything that cannot work, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut listener = |section: &str, address: SocketAddr, tls: Tls, files: bool| {
            if tls == Tls::Off && !address.ip().is_loopback() {
                problems.push(format!(
                    "[{section}] tls = \"off\" is only allowed on a loopback address, not on {address}; write tls = \"self-signed\" or \"files\""
                ));
            }
            if tls == Tls::Files && !files {
                problems.push(format!("[{section}] tls = \"files\" needs `certificate` and `key`"));
            }
        };
        listener(
            "console",
            self.console.address,
            self.console.tls,
            self.console.certificate.is_some() && self.console.key.is_some(),
        );
        if let Some(address) = self.ingest.address {
            listener(
                "ingest",
                address,
                self.ingest.tls,
                self.ingest.certificate.is_some() && self.ingest.key.is_some(),
            );
            if address == self.console.address {
                problems.push(
                    "[console] and [ingest] need addresses of their own: nothing of one is reachable on the other"
                        .to_owned(),
                );
            }
        }
        if self.store.retention_days == 0 {
            problems.push("[store] retention_days must be at least 1".to_owned());
        }
        if self.store.seal_events == 0 || self.store.seal_after_s == 0 || self.store.upkeep_every_s == 0 {
            problems.push("[store] seal_events, seal_after_s and upkeep_every_s must be at least 1".to_owned());
        }
        if self.spool.size_bytes_max < 64 << 20 {
            problems.push("[spool] size_bytes_max must be at least 67108864 (64 MiB)".to_owned());
        }
        if !(64 << 10..=self.spool.size_bytes_max / 4).contains(&self.spool.file_bytes_max) {
            problems.push(
                "[spool] file_bytes_max must lie between 65536 (64 KiB) and a fourth of size_bytes_max".to_owned(),
            );
        }
        if !(1024..=4 << 20).contains(&self.syslog.frame_bytes_max) {
            problems.push("[syslog] frame_bytes_max must lie between 1024 and 4194304 (4 MiB)".to_owned());
        }
        if !(1..=3600).contains(&self.query.time_s_max) {
            problems.push("[query] time_s_max must lie between 1 and 3600".to_owned());
        }
        problems
    }

    /// The file's text with every setting, as `tandem config show` prints it.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("the configuration has a TOML form")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_well_and_survive_a_round_trip() {
        let config = Config::default();
        assert!(config.problems().is_empty());
        assert_eq!(toml::from_str::<Config>(&config.to_toml()).unwrap(), config);
    }

    #[test]
    fn all_problems_are_named_at_once() {
        let text = "[console]\naddress = \"192.0.2.1:443\"\n[store]\nretention_days = 0\n";
        let config: Config = toml::from_str(text).unwrap();
        assert_eq!(config.problems().len(), 2);
        assert!(toml::from_str::<Config>("[stroe]\n").unwrap_err().to_string().contains("line 1"));
    }
}
