//! A sink in memory that can be slow, full or broken; tokens; a site around them.

use async_trait::async_trait;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tandem_base::{ManualClock, Timestamp};
use tandem_ingest::{Cause, Config, Http, Kind, Receivers, Sink, SinkError, SyslogTcp, SyslogUdp, TokenInfo, Tokens};
use tandem_model::Record;
use tokio::sync::{Notify, watch};

/// How long a test waits for what has to happen; far more than is needed, so that only a hang fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    Full,
    Breaks,
    Closed,
    /// Takes nothing and says nothing until the mood changes.
    Holds,
    /// Takes this many batches, then is full.
    TakesThenFull(usize),
}

pub(crate) struct MemorySink {
    records: Mutex<Vec<Record>>,
    mood: watch::Sender<Mood>,
    changed: Notify,
    /// Batches that arrived, taken or not.
    pub(crate) asked: AtomicUsize,
    taken: AtomicUsize,
}

impl MemorySink {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            records: Mutex::default(),
            mood: watch::channel(Mood::Takes).0,
            changed: Notify::new(),
            asked: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        })
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.records.lock().iter().map(|record| String::from_utf8_lossy(&record.raw).into_owned()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.records.lock().len()
    }

    /// Returns when `done` holds; every change of the sink asks again.
    pub(crate) async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if done(self) {
                    return;
                }
                changed.await;
            }
        };
        assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "{what}; the sink has {:?}", self.texts());
    }

    pub(crate) async fn holds(&self, count: usize) -> Vec<Record> {
        self.until(&format!("{count} records did not come"), |sink| sink.count() >= count).await;
        self.records()
    }
}

#[async_trait]
impl Sink for MemorySink {
    async fn append(&self, records: &[Record]) -> Result<(), SinkError> {
        self.asked.fetch_add(1, SeqCst);
        self.changed.notify_waiters();
        let mut mood = self.mood.subscribe();
        let mood = *mood.wait_for(|mood| *mood != Mood::Holds).await.unwrap();
        match mood {
            Mood::Full => return Err(SinkError::Full),
            Mood::TakesThenFull(count) if self.taken.load(SeqCst) >= count => return Err(SinkError::Full),
            Mood::Breaks => return Err(SinkError::Io("no space left on device".into())),
            Mood::Closed => return Err(SinkError::Closed),
            Mood::Takes | Mood::Holds | Mood::TakesThenFull(_) => {}
        }
        self.taken.fetch_add(1, SeqCst);
        self.records.lock().extend_from_slice(records);
        self.changed.notify_waiters();
        Ok(())
    }
}

pub(crate) struct TestTokens;

/// A token that is known.
pub(crate) const TOKEN: &str = "5f0d7a52-3f2b-4c8e-9a53-8a2d3b1c7e11";
/// One that is switched off.
pub(crate) const OFF: &str = "00000000-3f2b-4c8e-9a53-8a2d3b1c7e11";

impl Tokens for TestTokens {
    fn check(&self, token: &str) -> Option<TokenInfo> {
        let info = |id: &str, disabled| TokenInfo { id: id.to_owned(), source: "web".to_owned(), disabled };
        match token {
            TOKEN => Some(info("t1", false)),
            OFF => Some(info("t2", true)),
            _ => None,
        }
    }
}

pub(crate) struct Site {
    pub(crate) receivers: Receivers,
    pub(crate) sink: Arc<MemorySink>,
}

impl Site {
    pub(crate) async fn start(config: Config) -> Self {
        let sink = MemorySink::new();
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_790_000_000)));
        let receivers =
            Receivers::start(config, Arc::<MemorySink>::clone(&sink), Arc::new(TestTokens), clock).await.unwrap();
        Self { receivers, sink }
    }

    pub(crate) async fn http() -> Self {
        Self::start(Config { http: vec![http_config()], ..Config::default() }).await
    }

    pub(crate) fn address(&self, kind: Kind) -> SocketAddr {
        self.receivers.bound().iter().find(|bound| bound.kind == kind).unwrap().address
    }

    /// How often the only receiver counted `cause`.
    pub(crate) fn errors(&self, cause: Cause) -> u64 {
        let errors = self.receivers.receivers().into_iter().flat_map(|receiver| receiver.errors);
        errors.filter(|(other, _)| *other == cause).map(|(_, count)| count).sum()
    }

    /// Returns when `cause` was counted `count` times.
    pub(crate) async fn errors_reach(&self, cause: Cause, count: u64) {
        until(&format!("{count} × {}", cause.word()), || self.errors(cause) >= count).await;
    }
}

/// Polls `done`, for what no channel announces.
pub(crate) async fn until(what: &str, done: impl Fn() -> bool) {
    let wait = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "waited too long for: {what}");
}

pub(crate) fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

pub(crate) fn http_config() -> Http {
    Http { address: any_port(), ..Http::default() }
}

pub(crate) fn tcp_config() -> SyslogTcp {
    SyslogTcp { address: any_port(), ..SyslogTcp::default() }
}

pub(crate) fn udp_config() -> SyslogUdp {
    SyslogUdp { address: any_port(), ..SyslogUdp::default() }
}

pub(crate) fn tcp(config: SyslogTcp) -> Config {
    Config { syslog_tcp: vec![config], ..Config::default() }
}

pub(crate) fn udp(config: SyslogUdp) -> Config {
    Config { syslog_udp: vec![config], ..Config::default() }
}
