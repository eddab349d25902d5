//! `tandem site init`, `run`, `link`.

use super::talk::{Talk, runtime, told, with_site};
use crate::arguments::{InitArguments, RunArguments, SiteCommand};
use crate::output;
use anyhow::{Context, Result};
use std::time::Duration;
use tandem_api::Client;
use tandem_site::{Config, Folder, SignInLink, Site};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) fn run(command: SiteCommand) -> Result<u8> {
    match command {
        SiteCommand::Init(arguments) => init(&arguments),
        SiteCommand::Run(arguments) => serve(&arguments),
        SiteCommand::Link(arguments) => {
            let link = with_site(&arguments.data, Link)?;
            output::line(&link);
            Ok(0)
        }
    }
}

fn init(arguments: &InitArguments) -> Result<u8> {
    let folder = Folder::new(&arguments.data.data);
    runtime()?.block_on(Site::init(&folder, &arguments.name, false))?;
    let path = folder.path().display();
    output::line(&format!("made the site `{}` in {path}", arguments.name));
    output::note(&format!("next: look at {path}/tandem.toml, then `tandem site run --data {path}`"));
    output::note(&format!("and `tandem site link --data {path}` for the first sign-in"));
    Ok(0)
}

fn serve(arguments: &RunArguments) -> Result<u8> {
    let folder = Folder::new(&arguments.data.data);
    runtime()?.block_on(async {
        if !folder.is_site() {
            let hint = format!("make one with `tandem site init --data {}`", folder.path().display());
            return Err(
                anyhow::anyhow!("{} is not a site's folder", folder.path().display()).context(output::Hint(hint))
            );
        }
        let mut config = Config::read(&folder.config())?;
        if let Some(address) = arguments.console {
            config.console.address = address;
        }
        config.ingest.address = arguments.ingest.or(config.ingest.address);
        config.syslog.udp = arguments.syslog_udp.or(config.syslog.udp);
        config.syslog.tcp = arguments.syslog_tcp.or(config.syslog.tcp);
        config.syslog.tls = arguments.syslog_tls.or(config.syslog.tls);
        let site = Site::open(&folder, config).await?;
        // What was received before is searchable before people come in, unless that would keep senders waiting.
        site.catch_up(Duration::from_secs(2)).await;
        let addresses = site.start(crate::assets::console()).await?;
        for (name, address) in addresses {
            output::line(&format!("{name} {address}"));
        }
        output::line("ready");
        wait(&site).await?;
        site.stop().await?;
        Ok(0)
    })
}

/// Until SIGTERM or Ctrl-C; SIGHUP takes rules and parsers anew.
pub(crate) async fn wait(site: &Site) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut hang_up = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            outcome = tokio::signal::ctrl_c() => return outcome.context("listening for Ctrl-C"),
            _ = hang_up.recv() => {
                if let Err(error) = site.reload().await {
                    output::print_error(&error.context("rules and parsers were not taken up; those before go on"));
                }
            }
        }
    }
}

struct Link;

impl Talk for Link {
    type Answer = String;

    async fn talk(self, client: Client) -> Result<String> {
        let link: SignInLink = client.post_bytes("/local/link", Vec::new()).await.map_err(told)?;
        Ok(link.url)
    }
}
