//! The configuration of receivers, and where followed files stand.

use crate::app::App;
use crate::{Config, Folder, Tls};
use anyhow::{Context, Result};
use std::path::PathBuf;
use tandem_ingest::{Allow, Cidr, Http, Position, Positions, SyslogTcp, SyslogUdp};
use tokio::runtime::Handle;

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

/// Positions of followed files, kept in control data.
pub(crate) struct TailPositions {
    app: App,
    runtime: Handle,
}

impl TailPositions {
    pub(crate) fn new(app: &App) -> Self {
        Self { app: app.clone(), runtime: Handle::current() }
    }
}

fn name(source: &str) -> String {
    format!("tail:{source}")
}

impl Positions for TailPositions {
    fn load(&self, source: &str) -> Vec<Position> {
        let stored = self.runtime.block_on(self.app.control.position(&name(source)));
        let bytes = stored.ok().flatten().unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn store(&self, position: &Position) {
        let mut all = self.load(&position.source);
        let file = |position: &Position| (position.identity.device, position.identity.inode);
        all.retain(|other| file(other) != file(position));
        all.push(position.clone());
        let bytes = serde_json::to_vec(&all).unwrap_or_default();
        if let Err(error) = self.runtime.block_on(self.app.control.set_position(&name(&position.source), &bytes)) {
            tracing::warn!(error = %error, "the position of a followed file could not be stored");
        }
    }
}
