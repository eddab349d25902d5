//! The site as a whole: opened, served, stopped.

use crate::app::{App, Inner};
use crate::pipeline::{Command, Parts, Pipeline};
use crate::presence::Presence;
use crate::sink::{SpoolSink, TokenTable};
use crate::{Config, Folder, FolderLock, RuleBook, Tls, http, jobs, local, router};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tandem_base::{Chance, Clock, RealDisk, SystemChance, SystemClock, fail};
use tandem_content::{Content, load_rules};
use tandem_control::{Control, SiteInfo, SiteKey};
use tandem_ingest::Receivers;
use tandem_parse::Parsers;
use tandem_service::{Actor, AlertPolicy, Matrix, Party, Role};
use tandem_spool::{Limits, RECORD_BYTES_HARD_MAX, Spool};
use tandem_store::{Store, StoreConfig};
use tandem_web::{Assets, Gate, Listener, SiteFacts, TlsFiles};
use tokio::sync::{Mutex, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Live batches that a slow follower may lag behind before it loses some.
const LIVE_MAX: usize = 256;
/// The account that `site init` makes.
pub(crate) const FIRST_ADMIN: &str = "admin";

/// Content of a site, loaded.
struct Loaded {
    content: Content,
    parsers: Parsers,
    policy: AlertPolicy,
}

/// A site that this process works on.
pub struct Site {
    app: App,
    pipeline: Arc<Mutex<Pipeline>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// What the spool held at first.
    opened_at: u64,
    /// Ends the wait of followers that have not begun yet.
    follow_stop: CancellationToken,
    _lock: FolderLock,
}

/// Where the running site listens: name and address, in the order of starting.
pub type Addresses = Vec<(String, String)>;

impl Site {
    /// Makes a site in `folder`: keys, control data, empty spool, `tandem.toml`.
    pub async fn init(folder: &Folder, name: &str, demo: bool) -> Result<()> {
        if folder.is_site() {
            bail!("{} is a site already; run it with `tandem site run`, or name a new folder", folder.path().display());
        }
        folder.create()?;
        let _lock = folder.lock()?;
        folder.begin_making()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let chance: Arc<dyn Chance> = Arc::new(SystemChance);
        let mut config = Config::default();
        name.clone_into(&mut config.site.name);
        if !folder.config().exists() {
            std::fs::write(folder.config(), config.to_toml()).context("writing tandem.toml")?;
        }
        let key = if folder.key().exists() {
            SiteKey::load(&folder.key())?
        } else {
            SiteKey::create(&folder.key(), &*chance)?
        };
        fail::point("init.key");
        let epoch = chance.next_u64();
        drop(Spool::create(Arc::new(RealDisk), &folder.spool(), epoch, limits(&config))?);
        fail::point("init.spool");
        let policy = load(folder, false)?.policy;
        let control = Control::open(&folder.control(), key, Arc::clone(&clock), chance, policy).await?;
        let info = SiteInfo { name: name.to_owned(), public_name: String::new(), epoch, created: clock.now(), demo };
        control.site_init(&info).await?;
        let admin = tandem_control::NewUser {
            name: FIRST_ADMIN.to_owned(),
            display_name: "Administrator".to_owned(),
            party: Party::Customer,
            roles: Role::ALL.iter().copied().collect(),
            password: None,
        };
        control.user_create(&Actor::local(), &admin).await?;
        control.close().await?;
        fail::point("init.control");
        folder.end_making()
    }

    /// Opens the site and starts its pipeline; nothing listens yet.
    pub async fn open(folder: &Folder, config: Config) -> Result<Self> {
        if !folder.is_site() {
            bail!("{} is not a site's folder", folder.path().display());
        }
        let lock = folder.lock()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let chance: Arc<dyn Chance> = Arc::new(SystemChance);
        let loaded = load(folder, true)?;
        let key = SiteKey::load(&folder.key()).context("reading the site key")?;
        let control =
            Control::open(&folder.control(), key, Arc::clone(&clock), Arc::clone(&chance), loaded.policy).await?;
        let info = control
            .site()
            .await?
            .context("control.db holds no site")
            .context("hint: make a new site from the last backup: `tandem restore --data NEWFOLDER ARCHIVE`")?;
        let catalogue = Arc::new(loaded.content.catalogue);
        let store_config = StoreConfig { query_memory_bytes: config.query.memory_bytes_max, ..StoreConfig::default() };
        let store = Store::open_with(folder.path(), Arc::clone(&catalogue), Arc::clone(&clock), store_config).await?;
        let floor = store.sealed_position(info.epoch).await?.unwrap_or(0);
        let spool = open_spool(folder, &config, info.epoch, floor)?;
        let opened_at = spool.status().next;

        let rules = Arc::new(RuleBook::default());
        rules.set_rules(load_rules(&loaded.content.rules));
        report(&rules);
        rules.set_off(off(&control).await?);
        let (live, _) = broadcast::channel(LIVE_MAX);
        let (control, store, spool) = (Arc::new(control), Arc::new(store), Arc::new(spool));
        let pipeline = Pipeline::start(Parts {
            spool: Arc::clone(&spool),
            store: Arc::clone(&store),
            control: Arc::clone(&control),
            rules: Arc::clone(&rules),
            parsers: loaded.parsers,
            clock: Arc::clone(&clock),
            live: live.clone(),
            seal_after: Duration::from_secs(config.store.seal_after_s),
            seal_events: config.store.seal_events as u64,
        })
        .await?;
        let gate = Gate {
            control: Arc::clone(&control),
            clock: Arc::clone(&clock),
            matrix: Arc::new(Matrix::customer_does_everything()),
            facts: Arc::new(SiteFacts {
                name: info.name,
                demo: info.demo,
                version: env!("CARGO_PKG_VERSION"),
                secure: config.console.tls != Tls::Off,
            }),
        };
        let app = App::new(Inner {
            config,
            folder: folder.clone(),
            gate,
            control,
            store,
            spool,
            rules,
            catalogue,
            pipeline: Arc::clone(&pipeline.status),
            live,
            clock,
            tokens: Arc::new(TokenTable::default()),
            receivers: Mutex::new(None),
            presence: Presence::default(),
        });
        http::renew_tokens(&app).await?;
        let site = Self {
            app,
            pipeline: Arc::new(Mutex::new(pipeline)),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            opened_at,
            follow_stop: CancellationToken::new(),
            _lock: lock,
        };
        let router = router::router(&site.app, Assets::default())
            .merge(local::router(site.app.clone(), Arc::clone(&site.pipeline)));
        tandem_web::serve_socket(&folder.socket(), router, site.stop.clone())
            .await
            .with_context(|| format!("listening on {}", folder.socket().display()))?;
        Ok(site)
    }

    /// Starts console, receivers and jobs.
    pub async fn start(&self, assets: Assets) -> Result<Addresses> {
        let config = &self.app.config;
        let mut addresses = Addresses::new();
        let tls = self.console_tls()?;
        let listener = Listener::bind(config.console.address, tls.as_ref()).await?;
        let scheme = if listener.is_tls() { "https" } else { "http" };
        addresses.push(("console".to_owned(), format!("{scheme}://{}", listener.address)));
        let router = router::router(&self.app, assets);
        self.tasks.spawn(tandem_web::serve(listener, router, self.stop.clone()));

        let sink = Arc::new(SpoolSink(Arc::clone(&self.app.spool)));
        let tokens = Arc::clone(&self.app.tokens);
        let receivers = Receivers::start(
            crate::receive::config(config, &self.app.folder)?,
            sink,
            tokens,
            Arc::clone(&self.app.clock),
        )
        .await?;
        for bound in receivers.bound() {
            addresses.push((bound.kind.word().to_owned(), bound.address.to_string()));
        }
        for tail in &config.tail {
            let follow = tandem_ingest::Tail {
                source: tail.source.clone().unwrap_or_else(|| tail.path.clone()),
                files: vec![tail.path.clone()],
                ..tandem_ingest::Tail::default()
            };
            let positions = crate::receive::TailPositions::new(&self.app, self.opened_at, self.follow_stop.clone());
            receivers.follow(follow, Arc::new(positions));
        }
        *self.app.receivers.lock().await = Some(receivers);
        self.tasks.spawn(jobs::run(self.app.clone(), self.stop.clone()));
        Ok(addresses)
    }

    fn console_tls(&self) -> Result<Option<TlsFiles>> {
        let console = &self.app.config.console;
        Ok(match console.tls {
            Tls::Off => None,
            Tls::SelfSigned => {
                std::fs::create_dir_all(self.app.folder.tls())?;
                let mut names = vec!["localhost".to_owned(), console.address.ip().to_string()];
                if let Some(host) = console.public_url.as_deref().and_then(host_of) {
                    names.push(host.to_owned());
                }
                Some(tandem_web::self_signed(&self.app.folder.tls(), &names)?)
            }
            Tls::Files => {
                let (certificate, key) = console
                    .certificate
                    .clone()
                    .zip(console.key.clone())
                    .context("[console] needs certificate and key")?;
                Some(TlsFiles { certificate, key })
            }
        })
    }

    /// Waits until everything that was in the spool is searchable, at most `patience`; whether it is.
    pub async fn catch_up(&self, patience: Duration) -> bool {
        let wanted = self.app.spool.status().next;
        let caught_up = async {
            while self.app.pipeline.next() < wanted || !self.app.pipeline.has_caught_up() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(patience, caught_up).await.is_ok()
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The parsers that are in force.
    pub(crate) fn parsers(&self) -> Result<Parsers> {
        Ok(load(&self.app.folder, false)?.parsers)
    }

    /// A one-time token that signs the first administrator in.
    pub async fn link(&self) -> Result<String> {
        link(&self.app).await
    }

    /// Reads rules and parsers anew. What cannot be used is reported, what ran before goes on.
    pub async fn reload(&self) -> Result<()> {
        let loaded = load(&self.app.folder, true)?;
        self.app.rules.set_rules(load_rules(&loaded.content.rules));
        report(&self.app.rules);
        self.pipeline.lock().await.send(Command::Parsers(loaded.parsers))
    }

    /// Stops taking records, lets requests end, writes what waits, and closes.
    pub async fn stop(self) -> Result<()> {
        if let Some(receivers) = self.app.receivers.lock().await.take() {
            // A follower that waits for the pipeline is released, too.
            self.follow_stop.cancel();
            receivers.shutdown().await;
        }
        self.stop.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(Duration::from_secs(10), self.tasks.wait()).await;
        let pipeline = Arc::clone(&self.pipeline);
        tokio::task::spawn_blocking(move || pipeline.blocking_lock().stop()).await.context("stopping the pipeline")?;
        let _ = std::fs::remove_file(self.app.folder.socket());
        Ok(())
    }
}

/// A one-time token that signs the first administrator in.
pub(crate) async fn link(app: &App) -> Result<String> {
    let user = app.control.user_by_name(FIRST_ADMIN).await?;
    Ok(app.control.link_create(&Actor::local(), user.id).await?)
}

/// `host` of `scheme://host:port/…`.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let host = rest.split('/').next()?;
    Some(host.rsplit_once(':').map_or(host, |(host, _)| host)).filter(|host| !host.is_empty())
}

fn limits(config: &Config) -> Limits {
    Limits {
        spool_bytes_max: config.spool.size_bytes_max,
        file_bytes_max: config.spool.file_bytes_max.min(config.spool.size_bytes_max / 4),
        // Room for the longest frame, event or document that a receiver or an import hands on, with its facts.
        record_bytes_max: RECORD_BYTES_HARD_MAX,
        ..Limits::default()
    }
}

fn open_spool(folder: &Folder, config: &Config, epoch: u64, floor: u64) -> Result<Spool> {
    let disk = Arc::new(RealDisk);
    let (spool, recovery) = Spool::open(disk, &folder.spool(), limits(config), floor).context("opening the spool")?;
    if let Some(cut) = &recovery.cut {
        tracing::warn!(file = cut.file, "a block that was never acknowledged was cut off the spool");
    }
    for damage in &recovery.damage {
        tracing::error!(
            file = damage.file,
            from = damage.records.start,
            to = damage.records.end,
            "records of the spool are damaged"
        );
    }
    if spool.epoch() != epoch {
        bail!("the spool belongs to another epoch than the control data; was one of them restored without the other?");
    }
    Ok(spool)
}

/// Everything that is switched off, with the reasons.
pub(crate) async fn off(control: &Control) -> Result<BTreeMap<String, String>> {
    let switches = control.rule_switches().await?;
    Ok(switches.into_iter().filter(|switch| !switch.enabled).map(|switch| (switch.rule, switch.reason)).collect())
}

/// Content of the binary with the site's own laid over it. A parser of ours that does not compile is our fault
/// and stops the start; one of the site's is reported and left out.
fn load(folder: &Folder, say: bool) -> Result<Loaded> {
    let mut content = Content::built_in()?;
    let mut problems = Vec::new();
    content.lay_over(&folder.content(), &mut problems);
    let files = content.parsers.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    let (parsers, wrong) = Parsers::compile(files, &content.catalogue);
    let policy = AlertPolicy::from_yaml(&content.alert_policy.text)
        .with_context(|| format!("reading {}", content.alert_policy.name))?;
    if say {
        for problem in &problems {
            tracing::warn!(path = %problem.path.display(), reason = problem.reason, "content could not be read");
        }
        for problem in &wrong {
            tracing::warn!("{problem}");
        }
    }
    Ok(Loaded { content, parsers, policy })
}

fn report(rules: &RuleBook) {
    for problem in rules.problems().iter().filter(|problem| problem.fatal) {
        tracing::warn!(file = problem.file, line = problem.line, reason = problem.reason, "a rule could not be loaded");
    }
}
