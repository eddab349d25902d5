//! The configuration of receivers, and where followed files stand.

use crate::app::App;
use crate::{Config, Folder, Tls};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::time::Duration;
use tandem_ingest::{Allow, Cidr, Http, NotNoted, Position, Positions, SyslogTcp, SyslogUdp};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// What `tandem.toml` says, as the receivers take it.
pub(crate) fn config(config: &Config, folder: &Folder) -> Result<tandem_ingest::Config> {
    let allow = networks(&config.ingest.allow).context("[ingest] allow")?;
    let relays = networks(&config.syslog.relays).context("[syslog] relays")?;
    let mut receivers = tandem_ingest::Config::default();
    if let Some(address) = config.syslog.udp {
        receivers.syslog_udp.push(SyslogUdp {
            address,
            allow: allow.clone(),
            relays: relays.clone(),
            ..SyslogUdp::default()
        });
    }
    let tcp = |address, tls| SyslogTcp {
        address,
        tls,
        allow: allow.clone(),
        relays: relays.clone(),
        max_frame_bytes: config.syslog.frame_bytes_max,
        ..SyslogTcp::default()
    };
    if let Some(address) = config.syslog.tcp {
        receivers.syslog_tcp.push(tcp(address, None));
    }
    if let Some(address) = config.syslog.tls {
        // A socket for TLS has TLS, whatever HTTP does.
        let files = config.ingest.certificate.clone().zip(config.ingest.key.clone());
        let tls = files
            .map_or_else(|| self_signed(folder), |(certificate, key)| tandem_ingest::Tls::Files { certificate, key });
        receivers.syslog_tcp.push(tcp(address, Some(tls)));
    }
    if let Some(address) = config.ingest.address {
        let tls = match config.ingest.tls {
            Tls::Off => None,
            Tls::SelfSigned => Some(self_signed(folder)),
            Tls::Files => {
                let (certificate, key): (PathBuf, PathBuf) = config
                    .ingest
                    .certificate
                    .clone()
                    .zip(config.ingest.key.clone())
                    .context("[ingest] needs certificate and key")?;
                Some(tandem_ingest::Tls::Files { certificate, key })
            }
        };
        receivers.http.push(Http {
            address,
            allow,
            tls,
            max_decoded_bytes: config.ingest.body_bytes_max as u64,
            ..Http::default()
        });
    }
    Ok(receivers)
}

fn self_signed(folder: &Folder) -> tandem_ingest::Tls {
    tandem_ingest::Tls::SelfSigned { folder: folder.tls(), names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()] }
}

fn networks(list: &[String]) -> Result<Allow> {
    let parsed: Result<Vec<Cidr>, _> = list.iter().map(|network| network.parse()).collect();
    Ok(Allow(parsed?))
}

/// Positions noted of one source; those that were noted longest ago are forgotten.
const POSITIONS_MAX: usize = 2_000;
/// Pause before something is looked at again.
const AGAIN: Duration = Duration::from_millis(50);

/// Positions of followed files, kept in control data.
pub(crate) struct TailPositions {
    app: App,
    runtime: Handle,
    /// What the spool held when the site was opened.
    opened_at: u64,
    stop: CancellationToken,
}

impl TailPositions {
    pub(crate) fn new(app: &App, opened_at: u64, stop: CancellationToken) -> Self {
        Self { app: app.clone(), runtime: Handle::current(), opened_at, stop }
    }

    fn stored(&self, source: &str) -> Result<Vec<Position>, NotNoted> {
        let stored = self.runtime.block_on(self.app.control.position(&name(source)));
        let bytes = stored.map_err(|error| NotNoted(error.to_string()))?.unwrap_or_default();
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_slice(&bytes).map_err(|error| NotNoted(error.to_string()))
    }
}

fn name(source: &str) -> String {
    format!("tail:{source}")
}

impl Positions for TailPositions {
    /// Waits until the pipeline has seen every line that was durable when the site was opened: a note may be missing.
    fn load(&self, source: &str) -> Vec<Position> {
        let mut told = false;
        while !self.stop.is_cancelled() {
            if self.app.pipeline.next() >= self.opened_at {
                match self.stored(source) {
                    Ok(mut positions) => {
                        let last = self.app.pipeline.tails.lock();
                        for position in positions.iter_mut().filter(|position| !position.key.is_empty()) {
                            position.through = last.of(&position.key);
                        }
                        return positions;
                    }
                    // Without the notes every file would be read from its beginning.
                    Err(error) if !told => {
                        told = true;
                        tracing::error!(source, error = %error, "followed files wait");
                    }
                    Err(_) => {}
                }
            }
            std::thread::sleep(AGAIN);
        }
        Vec::new()
    }

    fn store(&self, position: &Position) -> Result<(), NotNoted> {
        let mut all = self.stored(&position.source)?;
        let file = |position: &Position| (position.identity.device, position.identity.inode);
        all.retain(|other| file(other) != file(position));
        all.push(position.clone());
        all.drain(..all.len().saturating_sub(POSITIONS_MAX));
        let bytes = serde_json::to_vec(&all).map_err(|error| NotNoted(error.to_string()))?;
        let noted = self.runtime.block_on(self.app.control.set_position(&name(&position.source), &bytes));
        noted.map_err(|error| NotNoted(error.to_string()))
    }
}
