//! `tandem demo`: a site that plays built-in samples.

use super::site::wait;
use super::talk::runtime;
use crate::arguments::DemoArguments;
use crate::output;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::PathBuf;
use tandem_site::{Config, Demo, Folder, Site};

pub(crate) fn run(arguments: &DemoArguments) -> Result<u8> {
    let scratch = Scratch::new(arguments.data.clone())?;
    let folder = Folder::new(&scratch.path);
    runtime()?.block_on(async {
        if !folder.is_site() {
            Site::init(&folder, "Nordwind Trading (demo)", true).await?;
        }
        let mut config = Config::read(&folder.config())?;
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        config.console.address = arguments.console;
        config.ingest.address = Some(free);
        config.syslog.udp = Some(free);
        config.syslog.tcp = Some(free);
        config.store.seal_after_s = 20;
        let site = match Site::open(&folder, config).await {
            Ok(site) => site,
            Err(error) => return Err(error),
        };
        let addresses = site.start(crate::assets::console()).await.context(output::Hint(
            "is the console's address taken? choose another with --console 127.0.0.1:PORT".to_owned(),
        ))?;
        let console = addresses.iter().find(|(name, _)| name == "console").map_or("", |(_, address)| address.as_str());
        let address = console.replacen("127.0.0.1", "localhost", 1);
        let demo = Demo::prepare(&addresses, &site).await?;
        output::line(&format!("console {address}"));
        output::line(&format!("sign in {address}/link?token={}", site.link().await?));
        output::line("ready");
        output::note(
            "The link works once, for 15 minutes. Attack logs are playing: open the queue. Ctrl-C stops and cleans up.",
        );
        let playing = tokio::spawn(demo.play());
        wait(&site).await?;
        playing.abort();
        site.stop().await?;
        Ok(0)
    })
}

/// The demonstration's folder; removed at the end unless it was asked for by name.
struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    fn new(wanted: Option<PathBuf>) -> Result<Self> {
        let keep = wanted.is_some();
        let path = wanted.unwrap_or_else(|| std::env::temp_dir().join(format!("tandem-demo-{}", std::process::id())));
        if !keep && path.exists() {
            std::fs::remove_dir_all(&path).context("removing an earlier demonstration")?;
        }
        Ok(Self { path, keep })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
