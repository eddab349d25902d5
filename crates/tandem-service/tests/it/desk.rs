//! What control does with outcomes, in memory: stores cases and detections, and can start anew from them.

use std::collections::{BTreeMap, HashMap};
use tandem_base::Timestamp;
use tandem_model::{Detection, DetectionId, DetectionKind, Entities, EventId, Level, RecordId, RuleStatus, RunId};
use tandem_service::{
    AlertPolicy, Case, CaseId, CaseKind, Change, Gathered, Grouper, Home, Outcome, Placed, Recalled, SpreadMark, merge,
};

/// A detection as control keeps it.
pub(crate) struct Stored {
    pub(crate) detection: Detection,
    pub(crate) number: Option<u64>,
    points: u32,
    quiet: bool,
}

pub(crate) struct Desk {
    pub(crate) grouper: Grouper,
    pub(crate) policy: AlertPolicy,
    pub(crate) cases: BTreeMap<u64, Case>,
    pub(crate) groups: BTreeMap<u64, Gathered>,
    pub(crate) stored: Vec<Stored>,
    index: HashMap<DetectionId, usize>,
}

impl Desk {
    pub(crate) fn new(policy: AlertPolicy) -> Self {
        Self {
            grouper: Grouper::new(CaseId(1)),
            policy,
            cases: BTreeMap::new(),
            groups: BTreeMap::new(),
            stored: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// Forgets what the grouper knew and rebuilds it from what is stored.
    pub(crate) fn restart(&mut self) {
        self.grouper = Grouper::new(CaseId(1));
        for case in self.cases.values() {
            self.grouper.sync(case);
        }
        for (number, gathered) in &self.groups {
            self.grouper.sync_run(RunId([1; 16]), *number, gathered);
        }
        for stored in &self.stored {
            let detection = &stored.detection;
            let recalled = Recalled {
                id: detection.id,
                rule: detection.rule_id.to_string(),
                level: detection.level,
                at: detection.time.min(detection.received),
                detected: detection.detected,
                source: detection.source.to_string(),
                entities: detection.entities.clone(),
                run: detection.run,
                number: stored.number,
                points: stored.points,
                quiet: stored.quiet,
            };
            self.grouper.recall(&recalled, &self.policy);
        }
    }

    /// Judges and stores; answers what happened, as text.
    pub(crate) fn judge(&mut self, detection: &Detection) -> String {
        let outcome = self.grouper.judge(detection, &self.policy);
        let queue = outcome.home == Home::Queue;
        let text = self.store(detection, &outcome, queue);
        if let Some(number) = Self::number_of(&outcome)
            && let Some(case) = self.cases.get(&number).filter(|_| queue)
        {
            self.grouper.sync(case);
        }
        text
    }

    fn number_of(outcome: &Outcome) -> Option<u64> {
        match &outcome.placed {
            Placed::Open(opening) => Some(opening.number),
            Placed::Join(joining) => Some(joining.number),
            _ => None,
        }
    }

    fn store(&mut self, detection: &Detection, outcome: &Outcome, queue: bool) -> String {
        let name = |number: u64| if queue { format!("C-{number}") } else { format!("G-{number}") };
        let names = |numbers: &[u64]| numbers.iter().map(|number| name(*number)).collect::<Vec<_>>().join(",");
        let (number, mut text, earlier) = match &outcome.placed {
            Placed::Seen => return "seen".into(),
            Placed::Signal { total, points, quiet } => {
                self.keep(detection, None);
                let kept = self.stored.last_mut().unwrap();
                (kept.points, kept.quiet) = (*points, *quiet);
                return format!("signal {total}");
            }
            Placed::Open(opening) => {
                let mut case =
                    Case::new(CaseId(opening.number), CaseKind::Security, opening.gathered.clone(), detection.detected);
                case.links = opening.links.iter().map(|link| CaseId(*link)).collect();
                if queue {
                    self.cases.insert(opening.number, case);
                } else {
                    self.groups.insert(opening.number, opening.gathered.clone());
                }
                let key = &opening.gathered.grouping[0].key;
                let mut text = format!("open {} {} by {key}", name(opening.number), opening.gathered.priority);
                if !opening.links.is_empty() {
                    text.push_str(&format!(" links {}", names(&opening.links)));
                }
                (opening.number, text, opening.earlier.clone())
            }
            Placed::Join(joining) => {
                let mut text = format!("join {} by {}", name(joining.number), joining.reason.key);
                if let Some((priority, reason)) = &joining.raise {
                    text.push_str(&format!(" raised {priority}"));
                    self.gathered(joining.number, queue).priority = *priority;
                    self.gathered(joining.number, queue).priority_reason.clone_from(reason);
                }
                for other in &joining.absorb {
                    if queue {
                        self.absorb(*other, joining.number, detection.detected);
                    } else {
                        let gathered = self.groups.remove(other).unwrap();
                        self.groups.get_mut(&joining.number).unwrap().absorb(&gathered);
                        self.move_stored(*other, joining.number, false);
                    }
                }
                if !joining.absorb.is_empty() {
                    text.push_str(&format!(" absorbs {}", names(&joining.absorb)));
                }
                if !joining.links.is_empty() {
                    text.push_str(&format!(" links {}", names(&joining.links)));
                }
                let gathered = self.gathered(joining.number, queue);
                gathered.add_reason(joining.reason.clone());
                if let Some(rule) = &joining.spreading {
                    gathered.spreading = Some(SpreadMark { rule: rule.clone(), last: detection.time });
                }
                (joining.number, text, joining.earlier.clone())
            }
        };
        let mut taken = 0;
        for id in earlier {
            let index = self.index[&id];
            if self.stored[index].number.is_some() {
                continue;
            }
            self.stored[index].number = Some(number);
            let each = self.stored[index].detection.clone();
            let (entities, key) = self.grouper.keys(&each);
            self.gathered(number, queue).add(&each, &entities, Some(&key));
            taken += 1;
        }
        if taken > 0 {
            text.push_str(&format!(" with {taken} earlier"));
        }
        self.gathered(number, queue).add(detection, &outcome.entities, Some(&outcome.key));
        self.keep(detection, Some(number));
        text
    }

    fn gathered(&mut self, number: u64, queue: bool) -> &mut Gathered {
        if queue { &mut self.cases.get_mut(&number).unwrap().gathered } else { self.groups.get_mut(&number).unwrap() }
    }

    fn keep(&mut self, detection: &Detection, number: Option<u64>) {
        self.index.insert(detection.id, self.stored.len());
        self.stored.push(Stored { detection: detection.clone(), number, points: 0, quiet: false });
    }

    fn absorb(&mut self, from: u64, into: u64, now: Timestamp) {
        let (leaves, takes) = merge(&self.cases[&from], &self.cases[&into]).unwrap();
        self.change(from, &leaves, now);
        self.change(into, &takes, now);
        self.move_stored(from, into, true);
    }

    fn move_stored(&mut self, from: u64, into: u64, queue: bool) {
        for each in &mut self.stored {
            if each.detection.run.is_none() == queue && each.number == Some(from) {
                each.number = Some(into);
            }
        }
    }

    pub(crate) fn change(&mut self, number: u64, changes: &[Change], now: Timestamp) {
        let case = self.cases.get_mut(&number).unwrap();
        case.apply(changes, false, now);
        self.grouper.sync(&self.cases[&number]);
    }
}

/// A detection for tests: everything that grouping looks at, the rest plain.
pub(crate) fn detection(ordinal: u64, rule: &str, level: Level, at: Timestamp, entities: Entities) -> Detection {
    let event = EventId { record: RecordId { epoch: 1, offset: ordinal }, index: 0 };
    Detection {
        id: DetectionId::of(rule, event),
        kind: DetectionKind::Rule,
        rule_id: rule.into(),
        rule_title: format!("Rule {rule}").into(),
        rule_author: None,
        rule_version: "1".into(),
        level,
        status: RuleStatus::Test,
        tags: Vec::new(),
        time: at,
        received: at,
        detected: at,
        events: vec![event],
        source: "a-source".into(),
        log_types: Vec::new(),
        matches: Vec::new(),
        entities,
        run: None,
    }
}
