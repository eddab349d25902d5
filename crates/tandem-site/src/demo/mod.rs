//! The demonstration: built-in samples, re-timed to now, through the real receivers.

mod deliver;
mod retime;
mod story;

use crate::engine::Site;
use anyhow::{Context, Result, bail};
use deliver::Sender;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use story::{Begin, STORIES, Scene, load};
use tandem_base::{Clock, SystemClock, Timestamp};
use tandem_service::Actor;

/// Lines delivered at once where times lie in the past.
const BATCH: usize = 50;
const BETWEEN_BATCHES: Duration = Duration::from_millis(100);
/// Pause between two rounds of the stories.
const PAUSE: Duration = Duration::from_secs(90);

/// Stories that are ready to be played into a running site.
pub struct Demo {
    address: SocketAddr,
    tokens: HashMap<String, String>,
    stories: Vec<(Begin, Vec<Scene>)>,
}

impl Demo {
    /// Makes an ingest token for each source of the stories and reads the samples.
    pub async fn prepare(addresses: &[(String, String)], site: &Site) -> Result<Self> {
        let address =
            addresses.iter().find(|(name, _)| name == "http").context("the demonstration needs the HTTP receiver")?;
        let address = address.1.parse().context("the HTTP receiver's address")?;
        if !site.app().gate.facts.demo {
            bail!(
                "{} is a real site, and the demonstration would put invented attacks into it; name a new folder",
                site.app().folder.path().display()
            );
        }
        let parsers = site.parsers()?;
        let mut tokens = HashMap::new();
        let mut stories = Vec::new();
        for story in STORIES {
            for (_, source) in story.files {
                if !tokens.contains_key(*source) {
                    let made = site.app().control.ingest_token_create(&Actor::local(), source).await?;
                    tokens.insert((*source).to_owned(), made.secret);
                }
            }
            stories.push((story.begin, load(story, &parsers)?));
        }
        crate::http::renew_tokens(site.app()).await?;
        Ok(Self { address, tokens, stories })
    }

    /// Plays: what lies in the past first and fast, then what happens now, then again and again.
    pub async fn play(self) {
        let begin = SystemClock.now();
        for (at, scenes) in &self.stories {
            if let Begin::Before(lead) = at {
                self.past(scenes, begin - *lead).await;
            }
        }
        loop {
            let round = SystemClock.now();
            let mut now: Vec<(Timestamp, &Scene)> = Vec::new();
            for (at, scenes) in &self.stories {
                if let Begin::After(wait) = at {
                    now.extend(scenes.iter().map(|scene| (round + *wait + scene.offset, scene)));
                }
            }
            now.sort_by_key(|(at, _)| *at);
            for (at, scene) in now {
                tokio::time::sleep(at.since(SystemClock.now())).await;
                self.send(&[(at, scene)]).await;
            }
            tokio::time::sleep(PAUSE).await;
            for (at, scenes) in &self.stories {
                if matches!(at, Begin::Before(_)) {
                    let length = scenes.last().map_or(Duration::ZERO, |scene| scene.offset);
                    self.past(scenes, SystemClock.now() - length).await;
                }
            }
        }
    }

    async fn past(&self, scenes: &[Scene], from: Timestamp) {
        for some in scenes.chunks(BATCH) {
            let timed: Vec<(Timestamp, &Scene)> = some.iter().map(|scene| (from + scene.offset, scene)).collect();
            self.send(&timed).await;
            tokio::time::sleep(BETWEEN_BATCHES).await;
        }
    }

    /// Sends scenes in their order; neighbours of one source go together.
    async fn send(&self, scenes: &[(Timestamp, &Scene)]) {
        for some in scenes.chunk_by(|(_, a), (_, b)| a.source == b.source) {
            let Some((_, first)) = some.first() else { continue };
            let mut body = String::new();
            for (at, scene) in some {
                body.push_str(&scene.line(*at));
                body.push('\n');
            }
            let Some(token) = self.tokens.get(first.source) else { continue };
            let sender = Sender { address: self.address, token };
            if let Err(error) = sender.send(first.is_json, body).await {
                tracing::warn!(error = format!("{error:#}"), "a sample could not be delivered");
            }
        }
    }
}
