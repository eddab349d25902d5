//! What detections bring together: of a case, and of a group in a run over history.

use crate::alert::{EntityKey, EntityKind, JoinKey};
use crate::case::Priority;
use crate::micros;
use serde::{Deserialize, Serialize};
use tandem_base::Timestamp;
use tandem_model::{Detection, Level};

/// How many entities a case lists; further ones are counted.
pub const CASE_ENTITIES_MAX: usize = 500;
/// How many pairs of rule and entity a case joins by; further ones still count as detections.
pub const CASE_KEYS_MAX: usize = 1_000;
const RULES_MAX: usize = 200;
const REASONS_MAX: usize = 50;

/// One thing that a case concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEntity {
    /// Folded: what grouping compares.
    pub key: EntityKey,
    /// As the events name it.
    pub name: String,
    /// Detections that name it.
    pub detections: u64,
    /// Earliest event.
    #[serde(with = "micros")]
    pub first: Timestamp,
    /// Latest event.
    #[serde(with = "micros")]
    pub last: Timestamp,
}

/// One rule that fired in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRule {
    /// The rule.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its author.
    pub author: Option<String>,
    /// Its level, by Sigma's word.
    pub level: String,
    /// How often it fired here.
    pub detections: u64,
    /// What matched first: field and value, cut.
    pub example: Option<(Option<String>, String)>,
}

/// Why detections are together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupingReason {
    /// What kind of key: `rule+host`, `spread`, `shared user`, `risk`, `person`.
    pub key: String,
    /// Its value.
    pub value: String,
    /// One sentence.
    pub reason: String,
}

/// What detections bring together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathered {
    /// What the queue shows.
    pub title: String,
    /// How urgent.
    pub priority: Priority,
    /// Why so urgent, as a sentence.
    pub priority_reason: String,
    /// Why these belong together; the first is why it was opened.
    pub grouping: Vec<GroupingReason>,
    /// Pairs of rule and entity that join it.
    pub keys: Vec<JoinKey>,
    /// Whom it concerns, in order of appearance.
    pub entities: Vec<CaseEntity>,
    /// Entities beyond the list's limit.
    pub entities_more: u64,
    /// Rules that fired.
    pub rules: Vec<CaseRule>,
    /// How many detections.
    pub detections: u64,
    /// Time of the earliest event.
    #[serde(with = "micros::optional")]
    pub first_event: Option<Timestamp>,
    /// Time of the latest event.
    #[serde(with = "micros::optional")]
    pub last_event: Option<Timestamp>,
    /// The rule that spreads, and when it was last seen doing so.
    pub spreading: Option<SpreadMark>,
}

/// A rule that spreads over hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadMark {
    /// The rule.
    pub rule: String,
    /// Latest event of it.
    #[serde(with = "micros")]
    pub last: Timestamp,
}

impl Gathered {
    /// Nothing yet but a title and a priority.
    pub fn new(title: impl Into<String>, priority: Priority, priority_reason: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            priority,
            priority_reason: priority_reason.into(),
            grouping: Vec::new(),
            keys: Vec::new(),
            entities: Vec::new(),
            entities_more: 0,
            rules: Vec::new(),
            detections: 0,
            first_event: None,
            last_event: None,
            spreading: None,
        }
    }

    /// Counts one detection in; `entities` are its folded keys with names, `key` what it joins by.
    pub fn add(&mut self, detection: &Detection, entities: &[(EntityKey, String)], key: Option<&JoinKey>) {
        self.detections += 1;
        let time = detection.time;
        self.first_event = Some(self.first_event.map_or(time, |first| first.min(time)));
        self.last_event = Some(self.last_event.map_or(time, |last| last.max(time)));
        for (entity, name) in entities {
            self.add_entity(entity, name, time);
        }
        if let Some(key) = key
            && self.keys.len() < CASE_KEYS_MAX
            && !self.keys.contains(key)
        {
            self.keys.push(key.clone());
        }
        if let Some(mark) = &mut self.spreading
            && *mark.rule == *detection.rule_id
        {
            mark.last = mark.last.max(time);
        }
        self.add_rule(detection);
    }

    /// Adds why something joined, once.
    pub fn add_reason(&mut self, reason: GroupingReason) {
        let known = self.grouping.iter().any(|each| each.key == reason.key && each.value == reason.value);
        if !known && self.grouping.len() < REASONS_MAX {
            self.grouping.push(reason);
        }
    }

    fn add_entity(&mut self, key: &EntityKey, name: &str, time: Timestamp) {
        if let Some(known) = self.entities.iter_mut().find(|entity| entity.key == *key) {
            known.detections += 1;
            known.first = known.first.min(time);
            known.last = known.last.max(time);
            // The long name says more, and tells later which host the short one means.
            if key.kind == EntityKind::Host && name.contains('.') && !known.name.contains('.') {
                name.clone_into(&mut known.name);
            }
        } else if self.entities.len() < CASE_ENTITIES_MAX {
            self.entities.push(CaseEntity {
                key: key.clone(),
                name: name.into(),
                detections: 1,
                first: time,
                last: time,
            });
        } else {
            self.entities_more += 1;
        }
    }

    fn add_rule(&mut self, detection: &Detection) {
        if let Some(rule) = self.rules.iter_mut().find(|rule| *rule.id == *detection.rule_id) {
            rule.detections += 1;
        } else if self.rules.len() < RULES_MAX {
            self.rules.push(CaseRule {
                id: detection.rule_id.to_string(),
                title: detection.rule_title.to_string(),
                author: detection.rule_author.as_ref().map(ToString::to_string),
                level: detection.level.word().into(),
                detections: 1,
                example: detection
                    .matches
                    .first()
                    .map(|matched| (matched.field.clone(), matched.value.chars().take(120).collect())),
            });
        }
    }

    /// Takes over everything of `other`, which ends.
    pub fn absorb(&mut self, other: &Self) {
        self.detections += other.detections;
        self.first_event = [self.first_event, other.first_event].into_iter().flatten().min();
        self.last_event = [self.last_event, other.last_event].into_iter().flatten().max();
        for key in &other.keys {
            if self.keys.len() < CASE_KEYS_MAX && !self.keys.contains(key) {
                self.keys.push(key.clone());
            }
        }
        for entity in &other.entities {
            if let Some(known) = self.entities.iter_mut().find(|known| known.key == entity.key) {
                known.detections += entity.detections;
                known.first = known.first.min(entity.first);
                known.last = known.last.max(entity.last);
            } else if self.entities.len() < CASE_ENTITIES_MAX {
                self.entities.push(entity.clone());
            } else {
                self.entities_more += 1;
            }
        }
        self.entities_more += other.entities_more;
        for rule in &other.rules {
            if let Some(known) = self.rules.iter_mut().find(|known| known.id == rule.id) {
                known.detections += rule.detections;
            } else if self.rules.len() < RULES_MAX {
                self.rules.push(rule.clone());
            }
        }
    }

    /// The highest level among its rules.
    pub fn level(&self) -> Level {
        self.rules.iter().filter_map(|rule| rule.level.parse().ok()).max().unwrap_or_default()
    }

    /// One sentence: why this exists.
    pub fn why(&self) -> String {
        let Some(rule) = self.rules.iter().max_by_key(|rule| {
            (rule.level.parse::<Level>().unwrap_or_default(), std::cmp::Reverse(rule.title.clone()))
        }) else {
            return self.grouping.first().map(|reason| reason.reason.clone()).unwrap_or_default();
        };
        let hosts = self.names(EntityKind::Host);
        let users = self.names(EntityKind::User);
        let mut text = format!("“{}” ({}) fired", rule.title, rule.level);
        if rule.detections > 1 {
            text.push_str(&format!(" {} times", rule.detections));
        }
        match hosts.as_slice() {
            [] => {}
            [host] => text.push_str(&format!(" on {host}")),
            many => text.push_str(&format!(" on {} hosts, {} among them", many.len(), many[0])),
        }
        match users.as_slice() {
            [] => {}
            [user] => text.push_str(&format!(" for user {user}")),
            many => text.push_str(&format!(" for {} users", many.len())),
        }
        if let Some((field, value)) = &rule.example {
            match field {
                Some(field) => text.push_str(&format!(": {field} is {value}")),
                None => text.push_str(&format!(": the text holds {value}")),
            }
        }
        if self.rules.len() > 1 {
            text.push_str(&format!(
                "; {} more rule{}",
                self.rules.len() - 1,
                if self.rules.len() == 2 { "" } else { "s" }
            ));
        }
        text
    }

    fn names(&self, kind: EntityKind) -> Vec<&str> {
        self.entities.iter().filter(|entity| entity.key.kind == kind).map(|entity| entity.name.as_str()).collect()
    }
}

/// What the queue says of closed cases like this one: "8 like this, 7 benign".
pub fn similar_text(count: u64, benign: u64) -> String {
    match count {
        0 => "none like this before".into(),
        1 if benign == 1 => "1 like this, benign".into(),
        _ => format!("{count} like this, {benign} benign"),
    }
}
