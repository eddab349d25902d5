//! `tandem doctor`: what is wrong with a site, and what to do.

use super::talk::{Talk, runtime, told, with_site};
use crate::arguments::DataArguments;
use crate::output;
use anyhow::Result;
use tandem_api::{Client, Health, Settings, SourcePage};
use tandem_site::{ActsChecked, Config, Folder};

pub(crate) fn run(arguments: &DataArguments) -> Result<u8> {
    let folder = Folder::new(&arguments.data);
    let mut wrong = 0;
    match Config::read(&folder.config()) {
        Ok(_) => output::line("ok    tandem.toml"),
        Err(error) => {
            wrong += 1;
            output::line(&format!("wrong tandem.toml: {error}"));
        }
    }
    // A site that this command opens itself has no receivers: that is no fault of the site.
    let running = runtime()?.block_on(Client::new(&folder.socket()).is_alive());
    if !running {
        output::line(&format!(
            "look  the site is not running, nothing is received; start it with `tandem site run --data {}`",
            folder.path().display()
        ));
    }
    wrong += with_site(&arguments.data, Doctor { running })?;
    Ok(u8::from(wrong > 0))
}

struct Doctor {
    running: bool,
}

impl Talk for Doctor {
    type Answer = u32;

    async fn talk(self, client: Client) -> Result<u32> {
        let mut wrong = 0;
        let health: Health = client.get("/health").await.map_err(told)?;
        for check in health.checks.iter().filter(|check| self.running || check.name != "receivers") {
            wrong += u32::from(!check.ok);
            output::line(&format!("{} {}: {}", if check.ok { "ok   " } else { "wrong" }, check.name, check.text));
        }
        let acts: ActsChecked = client.get("/local/acts").await.map_err(told)?;
        match &acts.problem {
            None => output::line(&format!("ok    acts: {}, without a gap, as they were recorded", acts.acts)),
            Some(problem) => {
                wrong += 1;
                output::line(&format!(
                    "wrong acts: {problem}; the first {} are as they were recorded. Keep `control.db` as it is and look for who changed it",
                    acts.acts
                ));
            }
        }
        let settings: Settings = client.get("/settings").await.map_err(told)?;
        for warning in &settings.warnings {
            output::line(&format!("look  {warning}"));
        }
        let sources: SourcePage = client.get("/sources").await.map_err(told)?;
        for source in sources.items.iter().filter(|source| source.health != "ok" && source.health != "new") {
            output::line(&format!("look  source {}: {}", source.name, source.health_reason));
        }
        Ok(wrong)
    }
}
