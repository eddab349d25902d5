//! The state machine: detections in, outcomes out. Its state is a function of stored cases and detections.

use crate::alert::hubs::Hubs;
use crate::alert::world::{Candidate, Placed, Standing, World};
use crate::alert::{AlertPolicy, EntityKey, EntityKind, JoinKey, Names};
use crate::case::{Case, CaseId, CaseKind, State};
use std::collections::{HashMap, HashSet, VecDeque};
use tandem_base::Timestamp;
use tandem_model::{Detection, DetectionId, Entities, Level, RunId};

const SEEN_MAX: usize = 200_000;
const RUNS_MAX: usize = 64;
const PRUNE_EVERY: u64 = 4_096;

/// Where a detection belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// The queue: numbers are cases.
    Queue,
    /// A run over history: numbers are groups of the run.
    Run(RunId),
}

/// What became of a detection, with its folded entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Queue or run.
    pub home: Home,
    /// Signal, opened, joined.
    pub placed: Placed,
    /// Keys with names as given: what `Gathered::add` takes.
    pub entities: Vec<(EntityKey, String)>,
    /// Rule and primary entity.
    pub key: JoinKey,
}

/// A stored detection that may still matter: enough to rebuild risk and spread.
#[derive(Debug, Clone)]
pub struct Recalled {
    /// The detection.
    pub id: DetectionId,
    /// Its rule.
    pub rule: String,
    /// Its level.
    pub level: Level,
    /// The earlier of event time and receipt.
    pub at: Timestamp,
    /// When it was evaluated.
    pub detected: Timestamp,
    /// Its source.
    pub source: String,
    /// Whom it concerns.
    pub entities: Entities,
    /// Its run.
    pub run: Option<RunId>,
    /// The case, or the run's group, that has it.
    pub number: Option<u64>,
    /// Points that it added, if it is a signal.
    pub points: u32,
    /// Whether it was a signal by its nature.
    pub quiet: bool,
}

#[derive(Debug, Clone, Default)]
struct Run {
    world: World,
    hubs: Hubs,
    next: u64,
}

/// Groups detections. Not `Sync` by itself: one writer owns it.
#[derive(Debug, Clone)]
pub struct Grouper {
    names: Names,
    hubs: Hubs,
    queue: World,
    runs: HashMap<RunId, Run>,
    run_order: VecDeque<RunId>,
    seen: HashSet<DetectionId>,
    seen_order: VecDeque<DetectionId>,
    next_case: u64,
    latest: Timestamp,
    judged: u64,
}

impl Grouper {
    /// Nothing known yet; the first case gets the number `next_case`.
    pub fn new(next_case: CaseId) -> Self {
        Self {
            names: Names::default(),
            hubs: Hubs::default(),
            queue: World::default(),
            runs: HashMap::new(),
            run_order: VecDeque::new(),
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
            next_case: next_case.0,
            latest: Timestamp::default(),
            judged: 0,
        }
    }

    /// The number of a case that a person opens.
    pub fn take_number(&mut self) -> CaseId {
        let number = self.next_case;
        self.next_case += 1;
        CaseId(number)
    }

    /// What becomes of `detection`. Judging the same id again answers [`Placed::Seen`].
    pub fn judge(&mut self, detection: &Detection, policy: &AlertPolicy) -> Outcome {
        let (entities, key) = self.keys(detection);
        let home = detection.run.map_or(Home::Queue, Home::Run);
        if !self.see(detection.id) {
            return Outcome { home, placed: Placed::Seen, entities, key };
        }
        let at = instant(detection);
        let disposition = policy.disposition(detection, &entities);
        let candidate = Candidate {
            id: detection.id,
            rule: &detection.rule_id,
            title: &detection.rule_title,
            spreads: policy.spreads(detection.level),
            entities: &entities,
            key: &key,
            at,
        };
        let placed = match home {
            Home::Queue => {
                self.hubs.observe(&entities, at);
                let next_case = &mut self.next_case;
                let mut next = || {
                    let number = *next_case;
                    *next_case += 1;
                    number
                };
                self.queue.place(&candidate, &disposition, policy, &self.hubs, &mut next)
            }
            Home::Run(id) => {
                let run = self.run(id);
                run.hubs.observe(&entities, at);
                let Run { world, hubs, next } = run;
                let mut next = || {
                    *next += 1;
                    *next
                };
                world.place(&candidate, &disposition, policy, hubs, &mut next)
            }
        };
        if home == Home::Queue {
            self.latest = self.latest.max(at);
        }
        self.judged += 1;
        if self.judged.is_multiple_of(PRUNE_EVERY) {
            self.queue.prune(self.latest, policy);
            self.hubs.prune(self.latest);
        }
        Outcome { home, placed, entities, key }
    }

    /// Counts hosts, users and addresses that events show together, without a detection: it makes hubs known
    /// before they are in the way.
    pub fn observe(&mut self, entities: &Entities, at: Timestamp) {
        let entities = self.names.entities(entities);
        self.hubs.observe(&entities, at);
    }

    /// Tells what is stored of a case now: after every act, and for each open and recently closed case at start.
    pub fn sync(&mut self, case: &Case) {
        self.next_case = self.next_case.max(case.id.0 + 1);
        for entity in &case.gathered.entities {
            // Whoever has the short name as key had it first.
            if entity.key.kind == EntityKind::Host && !entity.key.value.contains('.') {
                self.names.host(&entity.name);
            }
        }
        if case.kind != CaseKind::Security {
            return;
        }
        let gathered = &case.gathered;
        let number = case.id.0;
        match (case.state, case.merged_into) {
            (State::Merged, Some(into)) => self.queue.move_into(number, into.0),
            (State::Merged | State::Closed, _) => {
                let entities = gathered.entities.iter().map(|entity| (entity.key.clone(), entity.last)).collect();
                let at = case.instants.closed.unwrap_or(case.instants.updated);
                self.queue.close(number, at, gathered.keys.clone(), entities);
            }
            _ => self.queue.put(
                number,
                Standing {
                    priority: gathered.priority,
                    keys: gathered.keys.iter().cloned().collect(),
                    entities: gathered
                        .entities
                        .iter()
                        .map(|entity| (entity.key.clone(), (entity.first, entity.last)))
                        .collect(),
                    untouched: case.state == State::New && case.owner.is_none(),
                    spreading: gathered.spreading.as_ref().map(|mark| (mark.rule.clone(), mark.last)),
                    last: gathered.last_event.unwrap_or(case.instants.opened),
                },
            ),
        }
    }

    /// Tells of a stored group of a run that goes on.
    pub fn sync_run(&mut self, run: RunId, number: u64, gathered: &crate::Gathered) {
        let run = self.run(run);
        run.next = run.next.max(number);
        run.world.put(
            number,
            Standing {
                priority: gathered.priority,
                keys: gathered.keys.iter().cloned().collect(),
                entities: gathered
                    .entities
                    .iter()
                    .map(|entity| (entity.key.clone(), (entity.first, entity.last)))
                    .collect(),
                untouched: true,
                spreading: gathered.spreading.as_ref().map(|mark| (mark.rule.clone(), mark.last)),
                last: gathered.last_event.unwrap_or_default(),
            },
        );
    }

    /// Remembers a stored detection at start, after the cases, in the order in which they were detected.
    pub fn recall(&mut self, recalled: &Recalled, policy: &AlertPolicy) {
        let entities = self.names.entities(&recalled.entities);
        let key = join_key(&entities, &recalled.rule, &recalled.source);
        let candidate = Candidate {
            id: recalled.id,
            rule: &recalled.rule,
            title: "",
            spreads: policy.spreads(recalled.level),
            entities: &entities,
            key: &key,
            at: recalled.at,
        };
        let world = match recalled.run {
            None => {
                self.hubs.observe(&entities, recalled.at);
                self.latest = self.latest.max(recalled.at);
                &mut self.queue
            }
            Some(id) => {
                let run = self.run(id);
                run.hubs.observe(&entities, recalled.at);
                &mut run.world
            }
        };
        let worth = (recalled.points, recalled.quiet);
        world.recall(&candidate, recalled.detected, worth, recalled.number, policy);
    }

    /// The run is complete: its state is no longer needed.
    pub fn end_run(&mut self, run: RunId) {
        self.runs.remove(&run);
        self.run_order.retain(|each| *each != run);
    }

    /// Folded entities and the join key of a detection.
    pub fn keys(&mut self, detection: &Detection) -> (Vec<(EntityKey, String)>, JoinKey) {
        let entities = self.names.entities(&detection.entities);
        let key = join_key(&entities, &detection.rule_id, &detection.source);
        (entities, key)
    }

    fn run(&mut self, id: RunId) -> &mut Run {
        if !self.runs.contains_key(&id) {
            self.run_order.push_back(id);
            if self.run_order.len() > RUNS_MAX
                && let Some(oldest) = self.run_order.pop_front()
            {
                self.runs.remove(&oldest);
            }
        }
        self.runs.entry(id).or_default()
    }

    fn see(&mut self, id: DetectionId) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.seen_order.push_back(id);
        if self.seen_order.len() > SEEN_MAX
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

fn join_key(entities: &[(EntityKey, String)], rule: &str, source: &str) -> JoinKey {
    let primary = entities.first().map_or_else(|| EntityKey::new(EntityKind::Source, source), |(key, _)| key.clone());
    JoinKey { rule: rule.to_owned(), entity: primary }
}

/// The instant that windows are measured by: the event's, but never later than its receipt, so that a clock
/// that runs ahead does not leave the present.
fn instant(detection: &Detection) -> Timestamp {
    detection.time.min(detection.received)
}
