//! What handlers and jobs work with.

use crate::pipeline::{Live, PipelineStatus};
use crate::{Config, Folder, RuleBook};
use std::sync::Arc;
use tandem_base::Clock;
use tandem_control::Control;
use tandem_ingest::Receivers;
use tandem_model::{Catalogue, ReadScope};
use tandem_service::Actor;
use tandem_spool::Spool;
use tandem_store::Store;
use tandem_web::Gate;
use tokio::sync::{Mutex, broadcast};

/// The running site, as its handlers see it.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

/// Parts of the running site.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) folder: Folder,
    pub(crate) gate: Gate,
    pub(crate) control: Arc<Control>,
    pub(crate) store: Arc<Store>,
    pub(crate) spool: Arc<Spool>,
    pub(crate) rules: Arc<RuleBook>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) pipeline: Arc<PipelineStatus>,
    pub(crate) live: broadcast::Sender<Live>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Ingest tokens in memory; to be renewed after each change.
    pub(crate) tokens: Arc<crate::sink::TokenTable>,
    /// Present while receivers run.
    pub(crate) receivers: Mutex<Option<Receivers>>,
    /// Who looks at what (object → user, name, since, last said).
    pub(crate) presence: crate::presence::Presence,
}

impl App {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// What this person may read of events. Everything, until grants exist.
    #[expect(clippy::unused_self, reason = "grants will be looked up in control data")]
    pub(crate) fn scope(&self, _actor: &Actor) -> ReadScope {
        ReadScope::Everything
    }
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
