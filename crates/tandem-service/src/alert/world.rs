//! One grouping: the open groups of the queue, or those of one run over history.

use crate::alert::hubs::Hubs;
use crate::alert::risk::{Counted, Risks, apart};
use crate::alert::spread::Spreads;
use crate::alert::{AlertPolicy, Disposition, EntityKey, EntityKind, JoinKey};
use crate::case::{Gathered, GroupingReason, Priority};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tandem_base::Timestamp;
use tandem_model::DetectionId;

const STANDING_ENTITIES_MAX: usize = 2_000;
const STANDING_KEYS_MAX: usize = 2_000;
const CLOSED_MAX: usize = 20_000;

/// What became of one detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It was judged before; nothing changes.
    Seen,
    /// It adds risk.
    Signal {
        /// Points added by it.
        points: u32,
        /// The highest sum that one of its entities now has.
        total: u32,
        /// By its nature a signal: it would not open or join whatever came with it.
        quiet: bool,
    },
    /// It opens a case (or a run's group).
    Open(Box<Opening>),
    /// It joins one.
    Join(Box<Joining>),
}

/// A new case, or a new group of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its number: of the case, or of the group within the run.
    pub number: u64,
    /// Title, priority and reasons; detections are added by the caller (`earlier` first, then this one).
    pub gathered: Gathered,
    /// Signals that it takes along.
    pub earlier: Vec<DetectionId>,
    /// Closed cases of the same keys.
    pub links: Vec<u64>,
}

/// A case (or group) that has one more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// Its number.
    pub number: u64,
    /// Why it belongs there.
    pub reason: GroupingReason,
    /// More urgent now, and why.
    pub raise: Option<(Priority, String)>,
    /// It spreads from now on: the rule.
    pub spreading: Option<String>,
    /// Open cases that nobody touched and that become part of it.
    pub absorb: Vec<u64>,
    /// Open cases that somebody works on and that are only linked.
    pub links: Vec<u64>,
    /// Signals that it takes along.
    pub earlier: Vec<DetectionId>,
}

/// An open group as grouping sees it.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) priority: Priority,
    pub(super) keys: BTreeSet<JoinKey>,
    pub(super) entities: HashMap<EntityKey, (Timestamp, Timestamp)>,
    /// Nobody took it and it is new: the program may merge it.
    pub(super) untouched: bool,
    pub(super) spreading: Option<(String, Timestamp)>,
    pub(super) last: Timestamp,
}

/// What grouping needs of a detection.
pub(super) struct Candidate<'a> {
    pub(super) id: DetectionId,
    pub(super) rule: &'a str,
    pub(super) title: &'a str,
    /// Whether the same rule on several hosts counts as spreading.
    pub(super) spreads: bool,
    pub(super) entities: &'a [(EntityKey, String)],
    pub(super) key: &'a JoinKey,
    pub(super) at: Timestamp,
}

/// A closed group: only to be linked to.
#[derive(Debug, Clone)]
struct Closed {
    at: Timestamp,
    keys: Vec<JoinKey>,
    entities: Vec<(EntityKey, Timestamp)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct World {
    standing: HashMap<u64, Standing>,
    /// Usually one; several where a person reopened a case or works on one of a spread. The oldest is joined.
    by_key: HashMap<JoinKey, BTreeSet<u64>>,
    by_entity: HashMap<EntityKey, BTreeSet<u64>>,
    risks: Risks,
    spreads: Spreads,
    closed: BTreeMap<u64, Closed>,
    closed_by_key: HashMap<JoinKey, BTreeSet<u64>>,
    closed_by_entity: HashMap<EntityKey, BTreeSet<u64>>,
}

impl World {
    /// Places one detection. `next` gives the number of a new group.
    pub(super) fn place(
        &mut self,
        candidate: &Candidate<'_>,
        disposition: &Disposition,
        policy: &AlertPolicy,
        hubs: &Hubs,
        next: &mut dyn FnMut() -> u64,
    ) -> Placed {
        let quiet = matches!(disposition, Disposition::Signal { .. });
        if !quiet
            && candidate.spreads
            && let Some(placed) = self.place_spread(candidate, disposition, policy, next)
        {
            return placed;
        }
        let joined =
            self.same_key(candidate).or_else(|| if quiet { None } else { self.shared(candidate, policy, hubs) });
        if let Some((number, reason)) = joined {
            return Placed::Join(Box::new(self.join(number, reason, candidate, disposition)));
        }
        match disposition {
            Disposition::Opens { priority, reason } => {
                let (key, name) = (candidate.key, primary_name(candidate));
                let mut gathered = Gathered::new(format!("{} on {name}", candidate.title), *priority, reason.clone());
                gathered.add_reason(opened(key, candidate));
                Placed::Open(Box::new(self.open(gathered, candidate, Vec::new(), next())))
            }
            Disposition::Risk { points } | Disposition::Signal { points } => {
                self.add_risk(candidate, *points, quiet, policy, next)
            }
        }
    }

    /// The open group that has this key.
    fn own(&self, key: &JoinKey) -> Option<u64> {
        self.by_key.get(key)?.first().copied()
    }

    /// (a) Same rule and same primary entity.
    fn same_key(&self, candidate: &Candidate<'_>) -> Option<(u64, GroupingReason)> {
        let number = self.own(candidate.key)?;
        Some((number, opened(candidate.key, candidate)))
    }

    /// (c) A shared host or user within the window.
    fn shared(&self, candidate: &Candidate<'_>, policy: &AlertPolicy, hubs: &Hubs) -> Option<(u64, GroupingReason)> {
        let window = policy.sharing_window();
        let mut shared: HashMap<u64, Vec<&(EntityKey, String)>> = HashMap::new();
        for entity in candidate.entities {
            let (key, _) = entity;
            let through = policy.sharing.by.contains(&key.kind)
                && policy.is_somebody(key)
                && !policy.is_infrastructure(key)
                && !hubs.is_hub(key, policy.sharing.hub_share_percent, policy.sharing.hub_hosts_min, candidate.at);
            if !through {
                continue;
            }
            for number in self.by_entity.get(key).into_iter().flatten() {
                let near = self.standing.get(number).and_then(|standing| standing.entities.get(key)).is_some_and(
                    |(first, last)| candidate.at >= first.minus(window) && candidate.at <= last.plus(window),
                );
                if near {
                    shared.entry(*number).or_default().push(entity);
                }
            }
        }
        let (number, entities) = shared.into_iter().max_by_key(|(number, entities)| {
            (entities.len(), self.standing.get(number).map(|standing| standing.last), std::cmp::Reverse(*number))
        })?;
        let (key, name) = entities[0];
        let reason = GroupingReason {
            key: format!("shared {}", key.kind),
            value: name.clone(),
            reason: format!("the same {} within {} h", key.kind, policy.sharing.window_hours),
        };
        Some((number, reason))
    }

    /// (b) The same rule on several hosts within the window, or joining a spread that goes on.
    fn place_spread(
        &mut self,
        candidate: &Candidate<'_>,
        disposition: &Disposition,
        policy: &AlertPolicy,
        next: &mut dyn FnMut() -> u64,
    ) -> Option<Placed> {
        let rule = candidate.rule;
        let host =
            candidate.entities.iter().find(|(key, _)| key.kind == EntityKind::Host && policy.is_somebody(key))?;
        let host = host.0.value.clone();
        let window = policy.spread_window();
        let others = self.spreads.others(rule, &host, candidate.at, window);
        let reason = |hosts: usize| GroupingReason {
            key: "spread".into(),
            value: rule.to_owned(),
            reason: format!(
                "the same rule on {} hosts within {} min",
                hosts.max(policy.spreading.hosts as usize),
                policy.spreading.window_minutes
            ),
        };
        // It belongs to a spread that goes on.
        let going_on = self.standing.iter().filter_map(|(number, standing)| {
            let (spreads, last) = standing.spreading.as_ref()?;
            (spreads == rule && apart(*last, candidate.at) <= window).then_some(*number)
        });
        if let Some(number) = going_on.min() {
            // A case of its own that somebody works on keeps what belongs to it.
            if self.own(candidate.key).is_some_and(|own| own != number) {
                return None;
            }
            return Some(Placed::Join(Box::new(self.join(number, reason(others.len() + 1), candidate, disposition))));
        }
        if others.len() + 1 < policy.spreading.hosts as usize {
            return None;
        }
        let mut groups: BTreeSet<u64> = others.iter().filter_map(|(_, hit)| hit.group).collect();
        groups.extend(self.own(candidate.key));
        groups.retain(|number| self.standing.contains_key(number));
        let earlier: Vec<DetectionId> = others.iter().flat_map(|(_, hit)| hit.signals.iter().copied()).collect();
        let own = match disposition {
            Disposition::Opens { priority, .. } => *priority,
            _ => policy.risk.priority,
        };
        let Some(number) = groups.pop_first() else {
            let title = format!("{} spreads over hosts", candidate.title);
            let why = format!("the same rule on {} hosts raises {own}", others.len() + 1);
            let mut gathered = Gathered::new(title, own.raised(), why);
            gathered.add_reason(reason(others.len() + 1));
            gathered.spreading = Some(crate::case::SpreadMark { rule: rule.into(), last: candidate.at });
            let opening = self.open(gathered, candidate, earlier, next());
            self.spread_from(opening.number, candidate, &others);
            return Some(Placed::Open(Box::new(opening)));
        };
        let (absorb, links) =
            groups.into_iter().partition(|other| self.standing.get(other).is_some_and(|standing| standing.untouched));
        let absorb: Vec<u64> = absorb;
        let mut joining = self.join(number, reason(others.len() + 1), candidate, disposition);
        for other in &absorb {
            self.move_into(*other, number);
        }
        let before = self.standing.get(&number).map_or(own, |standing| standing.priority);
        let base = joining.raise.as_ref().map_or(before, |(raised, _)| *raised).min(own);
        joining.raise = Some((base.raised(), format!("the same rule on {} hosts raises {base}", others.len() + 1)));
        if let Some(standing) = self.standing.get_mut(&number) {
            standing.priority = base.raised();
        }
        joining.spreading = Some(rule.into());
        joining.absorb = absorb;
        joining.links = links;
        joining.earlier = earlier;
        self.spread_from(number, candidate, &others);
        Some(Placed::Join(Box::new(joining)))
    }

    /// Marks `number` as spreading and brings the hosts of earlier hits in.
    fn spread_from(&mut self, number: u64, candidate: &Candidate<'_>, others: &[(String, crate::alert::spread::Hit)]) {
        let rule = candidate.rule.to_owned();
        for (host, hit) in others {
            let entity = EntityKey::new(EntityKind::Host, host.clone());
            let key = JoinKey { rule: rule.clone(), entity: entity.clone() };
            let elsewhere = hit.group.is_some_and(|group| group != number && self.standing.contains_key(&group));
            if elsewhere {
                continue; // somebody works on it; it is linked
            }
            self.enter(number, Some(&key), std::slice::from_ref(&entity), hit.at);
            if let Some(first) = hit.signals.first() {
                self.spreads.note(&rule, host, hit.at, *first, Some(number));
            }
        }
        if let Some(standing) = self.standing.get_mut(&number) {
            standing.spreading = Some((rule, candidate.at));
        }
    }

    fn add_risk(
        &mut self,
        candidate: &Candidate<'_>,
        points: u32,
        quiet: bool,
        policy: &AlertPolicy,
        next: &mut dyn FnMut() -> u64,
    ) -> Placed {
        let window = policy.risk_window();
        let signal = counted(candidate);
        // An address carries risk only where neither a host nor a user is known.
        let bearers: Vec<&(EntityKey, String)> = candidate
            .entities
            .iter()
            .filter(|(key, _)| {
                policy.is_somebody(key) && (key.kind != EntityKind::Address || *key == candidate.key.entity)
            })
            .collect();
        let mut total = 0;
        let mut crossed = None;
        if points > 0 {
            for (key, name) in bearers {
                let sum = self.risks.add(key, &signal, points, window);
                total = total.max(sum);
                if sum >= policy.risk.threshold && crossed.is_none() {
                    crossed = Some((key.clone(), name.clone(), sum));
                }
            }
        }
        let Some((entity, name, sum)) = crossed else {
            if !quiet {
                self.note_spread(candidate, None);
            }
            return Placed::Signal { points, total, quiet };
        };
        let (rules, signals) = self.risks.take(&entity, candidate.at, window);
        let title = format!("{rules} rules add up on {name}");
        let why = format!(
            "risk {sum} within {} h passes the threshold of {}",
            policy.risk.window_hours, policy.risk.threshold
        );
        let mut gathered = Gathered::new(title, policy.risk.priority, why.clone());
        gathered.add_reason(GroupingReason { key: "risk".into(), value: name, reason: why });
        let earlier = signals.iter().map(|each| each.id).filter(|id| *id != candidate.id).collect();
        let opening = self.open(gathered, candidate, earlier, next());
        for signal in &signals {
            self.enter(opening.number, Some(&signal.key), &signal.entities, signal.at);
        }
        Placed::Open(Box::new(opening))
    }

    fn note_spread(&mut self, candidate: &Candidate<'_>, group: Option<u64>) {
        if !candidate.spreads {
            return;
        }
        if let Some((host, _)) = candidate.entities.iter().find(|(key, _)| key.kind == EntityKind::Host) {
            let id = candidate.id;
            self.spreads.note(candidate.rule, &host.value, candidate.at, id, group);
        }
    }

    fn open(
        &mut self,
        gathered: Gathered,
        candidate: &Candidate<'_>,
        earlier: Vec<DetectionId>,
        number: u64,
    ) -> Opening {
        let links = self.closed_near(candidate);
        let standing = Standing {
            priority: gathered.priority,
            keys: BTreeSet::new(),
            entities: HashMap::new(),
            untouched: true,
            spreading: gathered.spreading.as_ref().map(|mark| (mark.rule.clone(), mark.last)),
            last: candidate.at,
        };
        self.standing.insert(number, standing);
        self.enter_candidate(number, candidate);
        Opening { number, gathered, earlier, links }
    }

    fn join(
        &mut self,
        number: u64,
        reason: GroupingReason,
        candidate: &Candidate<'_>,
        disposition: &Disposition,
    ) -> Joining {
        let mut raise = None;
        if let Some(standing) = self.standing.get_mut(&number)
            && let Disposition::Opens { priority, reason } = disposition
            && *priority < standing.priority
        {
            standing.priority = *priority;
            raise = Some((*priority, reason.clone()));
        }
        self.enter_candidate(number, candidate);
        Joining { number, reason, raise, spreading: None, absorb: Vec::new(), links: Vec::new(), earlier: Vec::new() }
    }

    fn enter_candidate(&mut self, number: u64, candidate: &Candidate<'_>) {
        let entities: Vec<EntityKey> = candidate.entities.iter().map(|(key, _)| key.clone()).collect();
        self.enter(number, Some(candidate.key), &entities, candidate.at);
        let rule = candidate.rule;
        if let Some(standing) = self.standing.get_mut(&number)
            && let Some((spreads, last)) = &mut standing.spreading
            && spreads == rule
        {
            *last = (*last).max(candidate.at);
        }
        if let Some((host, _)) = candidate.entities.iter().find(|(key, _)| key.kind == EntityKind::Host) {
            self.spreads.note(rule, &host.value, candidate.at, candidate.id, Some(number));
        }
    }

    fn enter(&mut self, number: u64, key: Option<&JoinKey>, entities: &[EntityKey], at: Timestamp) {
        let Some(standing) = self.standing.get_mut(&number) else { return };
        standing.last = standing.last.max(at);
        if let Some(key) = key
            && !standing.keys.contains(key)
            && standing.keys.len() < STANDING_KEYS_MAX
        {
            standing.keys.insert(key.clone());
            self.by_key.entry(key.clone()).or_default().insert(number);
            self.risks.take_key(key);
        }
        for entity in entities {
            if let Some((first, last)) = standing.entities.get_mut(entity) {
                *first = (*first).min(at);
                *last = (*last).max(at);
            } else if standing.entities.len() < STANDING_ENTITIES_MAX {
                standing.entities.insert(entity.clone(), (at, at));
                self.by_entity.entry(entity.clone()).or_default().insert(number);
            }
        }
    }

    /// Puts an open group as it is stored, in place of what was known of it.
    pub(super) fn put(&mut self, number: u64, standing: Standing) {
        self.take_out(number);
        self.forget_closed(number);
        for key in &standing.keys {
            self.by_key.entry(key.clone()).or_default().insert(number);
            self.risks.take_key(key);
        }
        for entity in standing.entities.keys() {
            self.by_entity.entry(entity.clone()).or_default().insert(number);
        }
        self.standing.insert(number, standing);
    }

    /// The group is closed: nothing joins it any more, a new one of its keys links to it.
    pub(super) fn close(
        &mut self,
        number: u64,
        at: Timestamp,
        keys: Vec<JoinKey>,
        entities: Vec<(EntityKey, Timestamp)>,
    ) {
        self.take_out(number);
        self.forget_closed(number);
        self.spreads.move_group(number, None);
        for key in &keys {
            self.closed_by_key.entry(key.clone()).or_default().insert(number);
        }
        for (entity, _) in &entities {
            self.closed_by_entity.entry(entity.clone()).or_default().insert(number);
        }
        self.closed.insert(number, Closed { at, keys, entities });
        if self.closed.len() > CLOSED_MAX
            && let Some(oldest) = self.closed.keys().next().copied()
        {
            self.forget_closed(oldest);
        }
    }

    fn forget_closed(&mut self, number: u64) {
        let Some(closed) = self.closed.remove(&number) else { return };
        for key in &closed.keys {
            remove_number(&mut self.closed_by_key, key, number);
        }
        for (entity, _) in &closed.entities {
            remove_number(&mut self.closed_by_entity, entity, number);
        }
    }

    /// Everything of `from` is now in `into`.
    pub(super) fn move_into(&mut self, from: u64, into: u64) {
        let Some(standing) = self.take_out(from) else { return };
        self.spreads.move_group(from, Some(into));
        for key in &standing.keys {
            self.enter(into, Some(key), &[], standing.last);
        }
        for (entity, (first, last)) in standing.entities {
            self.enter(into, None, std::slice::from_ref(&entity), first);
            self.enter(into, None, &[entity], last);
        }
        if let Some(target) = self.standing.get_mut(&into) {
            target.priority = target.priority.min(standing.priority);
        }
    }

    fn take_out(&mut self, number: u64) -> Option<Standing> {
        let standing = self.standing.remove(&number)?;
        for key in &standing.keys {
            remove_number(&mut self.by_key, key, number);
        }
        for entity in standing.entities.keys() {
            remove_number(&mut self.by_entity, entity, number);
        }
        Some(standing)
    }

    /// The latest closed group of the same key, and the latest one of the same host within a day.
    fn closed_near(&self, candidate: &Candidate<'_>) -> Vec<u64> {
        let latest = |numbers: &BTreeSet<u64>| numbers.last().copied();
        let mut near: Vec<u64> = self.closed_by_key.get(candidate.key).and_then(latest).into_iter().collect();
        for (entity, _) in candidate.entities.iter().filter(|(key, _)| key.kind == EntityKind::Host) {
            let recent = |number: &&u64| {
                self.closed.get(*number).is_some_and(|closed| {
                    closed
                        .entities
                        .iter()
                        .any(|(key, last)| key == entity && candidate.at.since(*last).as_secs() <= 86_400)
                })
            };
            let numbers = self.closed_by_entity.get(entity).into_iter().flatten();
            if let Some(number) = numbers.rev().take(20).find(recent)
                && !near.contains(number)
            {
                near.push(*number);
            }
        }
        near
    }

    /// Remembers what a stored detection had contributed.
    pub(super) fn recall(
        &mut self,
        candidate: &Candidate<'_>,
        detected: Timestamp,
        (points, quiet): (u32, bool),
        group: Option<u64>,
        policy: &AlertPolicy,
    ) {
        if group.is_some_and(|number| !self.standing.contains_key(&number)) {
            return; // of a closed case
        }
        if !quiet {
            self.note_spread(candidate, group);
        }
        // A signal whose key a case has was taken along, or would have been but for the limits.
        let closed = self.closed_by_key.get(candidate.key).into_iter().flatten();
        let last_closed = closed.filter_map(|number| self.closed.get(number)).map(|closed| closed.at).max();
        let taken = self.by_key.contains_key(candidate.key) || last_closed.is_some_and(|at| detected <= at);
        if group.is_some() || points == 0 || taken {
            return;
        }
        let signal = counted(candidate);
        for (key, _) in candidate.entities {
            if policy.is_somebody(key) && (key.kind != EntityKind::Address || *key == candidate.key.entity) {
                self.risks.add(key, &signal, points, policy.risk_window());
            }
        }
    }

    /// Forgets what is too old to matter at `now`.
    pub(super) fn prune(&mut self, now: Timestamp, policy: &AlertPolicy) {
        self.risks.prune(now, policy.risk_window());
        self.spreads.prune(now, policy.spread_window());
    }
}

fn counted(candidate: &Candidate<'_>) -> Counted {
    Counted {
        id: candidate.id,
        at: candidate.at,
        key: candidate.key.clone(),
        entities: candidate.entities.iter().map(|(key, _)| key.clone()).collect(),
    }
}

fn primary_name<'a>(candidate: &'a Candidate<'_>) -> &'a str {
    candidate
        .entities
        .iter()
        .find(|(key, _)| *key == candidate.key.entity)
        .map_or(candidate.key.entity.value.as_str(), |(_, name)| name.as_str())
}

fn opened(key: &JoinKey, candidate: &Candidate<'_>) -> GroupingReason {
    GroupingReason {
        key: format!("rule+{}", key.entity.kind),
        value: format!("{} @ {}", candidate.rule, primary_name(candidate)),
        reason: format!("the same rule on the same {}", key.entity.kind),
    }
}

fn remove_number<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<u64>>, key: &K, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}
