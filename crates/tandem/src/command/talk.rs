//! Reaching a site: the running one by its socket, else one that this process opens for the while.

use crate::output::Hint;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;
use tandem_api::{Client, ClientError};
use tandem_site::{Config, Folder, Site};

/// How long a command waits for a site that it opened itself to read its spool.
const CATCH_UP: Duration = Duration::from_mins(2);

/// Something that a command does with a site.
pub(crate) trait Talk {
    /// What it gives.
    type Answer;
    /// Does it.
    fn talk(self, client: Client) -> impl Future<Output = Result<Self::Answer>>;
}

/// Opens the site in `folder` for `talk`, or speaks to the one that runs there.
pub(crate) fn with_site<T: Talk>(folder: &Path, talk: T) -> Result<T::Answer> {
    let folder = Folder::new(folder);
    if !folder.is_site() {
        let hint = format!("make one with `tandem site init --data {}`", folder.path().display());
        return Err(anyhow::anyhow!("{} is not a site's folder", folder.path().display()).context(Hint(hint)));
    }
    runtime()?.block_on(async {
        let client = Client::new(&folder.socket());
        if client.is_alive().await {
            return talk.talk(client).await;
        }
        let site = Site::open(&folder, Config::read(&folder.config())?).await?;
        if !site.catch_up(CATCH_UP).await {
            crate::output::note("warning: the site is still reading its spool; the newest events may be missing");
        }
        let answer = talk.talk(client).await;
        site.stop().await?;
        answer
    })
}

/// The program's runtime.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")
}

/// An error of the site with its hint.
pub(crate) fn told(error: ClientError) -> anyhow::Error {
    let hint = error.hint().map(str::to_owned);
    let error = anyhow::Error::new(error);
    match hint {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}
