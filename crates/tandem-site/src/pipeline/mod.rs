//! One thread that reads the spool in order: records → events → detections → cases, and events → table.
//!
//! Everything it does again after a crash has the same ids and no second effect: it starts at the position that
//! the event table's last commit carries, events get ids from positions, detections from rule and event, and
//! control data takes each detection once.

mod imports;
mod seal;
mod sources;
mod status;
mod step;
mod tails;

pub(crate) use status::PipelineStatus;
pub(crate) use tails::LastLines;

use crate::rulebook::RuleBook;
use anyhow::{Context, Result};
use imports::Imports;
use seal::Sealing;
use sources::SourceTally;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use step::Untaken;
use tails::Tails;
use tandem_base::Clock;
use tandem_control::Control;
use tandem_detect::{Coverage, Detector};
use tandem_model::{Detection, Event, RecordId};
use tandem_parse::{ParserState, Parsers};
use tandem_spool::Spool;
use tandem_store::Store;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, oneshot};

/// Bytes of records read at once; small, so that a case does not wait for a large batch.
const READ_BYTES: usize = 256 << 10;
/// Records between two looks at commands.
const STEP_RECORDS: usize = 256;
/// How long an idle pipeline waits for a record before it looks after joins, seals and commands.
const IDLE: Duration = Duration::from_millis(50);
const COMMANDS_MAX: usize = 64;

/// What live followers are told; a follower that lags loses some and is told so.
#[derive(Debug, Clone)]
pub(crate) enum Live {
    /// New events, in the order of the spool.
    Events(Arc<Vec<Arc<Event>>>),
    /// New detections of the stream.
    Detections(Arc<Vec<Detection>>),
}

/// What the pipeline works with.
pub(crate) struct Parts {
    pub(crate) spool: Arc<Spool>,
    pub(crate) store: Arc<Store>,
    pub(crate) control: Arc<Control>,
    pub(crate) rules: Arc<RuleBook>,
    pub(crate) parsers: Parsers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) live: broadcast::Sender<Live>,
    pub(crate) seal_after: Duration,
    pub(crate) seal_events: u64,
}

/// Orders to the running pipeline.
pub(crate) enum Command {
    /// Put everything up to this offset (exclusive) into files; answers when it is there.
    Seal { up_to: u64, done: oneshot::Sender<Result<(), String>> },
    /// Take other parsers from the next record on.
    Parsers(Parsers),
    /// Stop after what is at hand; what is not sealed is read again at the next start.
    Stop,
}

/// The running pipeline.
pub(crate) struct Pipeline {
    commands: SyncSender<Command>,
    thread: Option<JoinHandle<()>>,
    /// Figures.
    pub(crate) status: Arc<PipelineStatus>,
}

impl Pipeline {
    /// Starts at the position of the table's last commit.
    pub(crate) async fn start(parts: Parts) -> Result<Self> {
        let epoch = parts.spool.epoch();
        let first = parts.store.sealed_position(epoch).await?.unwrap_or(0);
        let counted = parts.control.position("sources").await?;
        let counted = counted.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
        let status = Arc::new(PipelineStatus::new(first));
        let tails = Tails::open(&parts.control, &parts.spool, first, Arc::clone(&status.tails)).await?;
        let (commands, orders) = sync_channel(COMMANDS_MAX);
        let detector = parts.rules.detector();
        status.set_rules(detector.len());
        let worker = Worker {
            epoch,
            next: first,
            parser: parts.parsers.start(),
            detector,
            generation: parts.rules.generation(),
            coverage: Coverage::default(),
            sources: SourceTally::new(counted),
            imports: Imports::default(),
            tails,
            untaken: VecDeque::new(),
            sealing: Sealing::new(first, parts.clock.now()),
            status: Arc::clone(&status),
            runtime: Handle::current(),
            parts,
        };
        let thread = std::thread::Builder::new()
            .name("pipeline".to_owned())
            .spawn(move || worker.run(&orders))
            .context("starting the pipeline's thread")?;
        Ok(Self { commands, thread: Some(thread), status })
    }

    /// Puts all events of records before `up_to` into files; the answer comes when they are there.
    pub(crate) fn seal_later(&self, up_to: u64) -> Result<oneshot::Receiver<Result<(), String>>> {
        let (done, answer) = oneshot::channel();
        self.send(Command::Seal { up_to, done })?;
        Ok(answer)
    }

    /// Gives an order.
    pub(crate) fn send(&self, command: Command) -> Result<()> {
        self.commands.send(command).ok().context("the pipeline has stopped")
    }

    /// Stops and waits.
    pub(crate) fn stop(&mut self) {
        let _ = self.commands.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The thread's state.
struct Worker {
    epoch: u64,
    /// Offset of the next record to read.
    next: u64,
    parser: ParserState,
    detector: Detector,
    generation: u64,
    coverage: Coverage,
    sources: SourceTally,
    imports: Imports,
    tails: Tails,
    untaken: VecDeque<Untaken>,
    sealing: Sealing,
    status: Arc<PipelineStatus>,
    runtime: Handle,
    parts: Parts,
}

impl Worker {
    fn run(mut self, orders: &Receiver<Command>) {
        loop {
            match orders.try_recv() {
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => break,
                Ok(Command::Seal { up_to, done }) => self.sealing.want(up_to, done),
                Ok(Command::Parsers(parsers)) => self.exchange_parsers(&parsers),
                Err(TryRecvError::Empty) => {}
            }
            if self.parts.rules.generation() != self.generation {
                self.generation = self.parts.rules.generation();
                self.detector = self.parts.rules.detector();
                self.status.set_rules(self.detector.len());
            }
            match self.read() {
                Ok(true) => self.status.set_trouble(None),
                Ok(false) => {
                    self.status.set_trouble(None);
                    self.status.set_caught_up();
                    self.idle();
                    self.parts.spool.wait_for(self.next, IDLE);
                }
                Err(error) => {
                    // Nothing is skipped: the same records are read again.
                    tracing::error!(error = format!("{error:#}"), "the pipeline could not go on; trying again");
                    self.status.set_trouble(Some(format!("{error:#}")));
                    std::thread::sleep(Duration::from_millis(500));
                }
            }
            self.look_after_seal();
            self.publish();
        }
        self.sources.save(&self.parts.control, &self.runtime, self.next, true);
        self.finish_seal();
    }

    /// Other parsers begin with no open joins: those of the old ones are ended first.
    fn exchange_parsers(&mut self, parsers: &Parsers) {
        let mut events = Vec::new();
        self.parser.flush(tandem_base::Timestamp::from_micros(i64::MAX), &mut events);
        if let Err(error) = self.take(events, None) {
            tracing::error!(error = format!("{error:#}"), "events of open joins wait; trying again");
        }
        self.parser = parsers.start();
    }

    fn publish(&mut self) {
        let oldest_open = self.parser.oldest_open();
        self.status.set_position(self.next, oldest_open.map(|record: RecordId| record.offset));
        if self.sources.save(&self.parts.control, &self.runtime, self.next, false) {
            self.parts.rules.set_coverage(self.coverage.clone());
        }
    }
}
