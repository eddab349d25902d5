//! Linux audit: single records, and the records of one execution joined to one event.

mod record;
mod shape;

pub(crate) use record::auditd_record;

use crate::finish::earlier;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::{Event, EventId, Fields, LogType, RecordId, TypedAs, Value};

/// A group that gets no record for this long (receive time) is complete.
const QUIET: Duration = Duration::from_secs(5);
/// A group without its PROCTITLE is complete when the serial is ahead by this much.
const SERIALS_BEHIND: u64 = 8;
/// With more open groups the oldest are completed.
const GROUPS_MAX: usize = 4_096;
/// A group with more records is completed.
const MEMBERS_MAX: usize = 512;

/// Source and node.
type Stream = (Arc<str>, String);
/// Serial and time in microseconds, which together name an audit event of a node.
type Serial = (u64, i64);

/// Open groups.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    streams: HashMap<Stream, BTreeMap<Serial, Group>>,
    open: usize,
}

/// Records of one audit event so far.
#[derive(Debug)]
struct Group {
    members: Vec<Event>,
    last_received: Timestamp,
    has_title: bool,
}

impl Joins {
    /// Passes the single event on and keeps it for its group.
    pub(crate) fn take(&mut self, event: Event, out: &mut Vec<Event>) {
        let serial =
            event.vendor.get("audit.serial").and_then(Value::as_long).and_then(|number| u64::try_from(number).ok());
        let Some(serial) = serial else {
            out.push(event);
            return;
        };
        let kind = event.vendor.text("type").unwrap_or("").to_owned();
        let node = event.vendor.text("node").or_else(|| event.common.text("host.name")).unwrap_or("").to_owned();
        let stream = self.streams.entry((event.source.clone(), node)).or_default();
        let key = (serial, event.time.micros());
        // Serials before this one whose records have all come.
        let done: Vec<(u64, i64)> = stream
            .iter()
            .filter(|(other, group)| {
                **other != key && (group.has_title || other.0.saturating_add(SERIALS_BEHIND) < serial)
            })
            .map(|(other, _)| *other)
            .collect();
        for other in done {
            if let Some(group) = stream.remove(&other) {
                self.open -= 1;
                out.extend(group.join());
            }
        }
        let joins = matches!(kind.as_str(), "SYSCALL" | "EXECVE" | "CWD" | "PATH" | "PROCTITLE" | "SOCKADDR" | "EOE");
        if !joins {
            out.push(event);
            return;
        }
        if kind == "EOE" {
            // Says only that the group is complete.
            match stream.remove(&key) {
                Some(mut group) => {
                    self.open -= 1;
                    group.members.push(event);
                    out.extend(group.join());
                }
                None => out.push(event),
            }
            return;
        }
        out.push(event.clone());
        let group = stream.entry(key).or_insert_with(|| {
            self.open += 1;
            Group { members: Vec::new(), last_received: event.received, has_title: false }
        });
        group.has_title |= kind == "PROCTITLE";
        group.last_received = group.last_received.max(event.received);
        group.members.push(event);
        if group.members.len() >= MEMBERS_MAX
            && let Some(group) = stream.remove(&key)
        {
            self.open -= 1;
            out.extend(group.join());
        }
        while self.open > GROUPS_MAX {
            self.close_oldest(out);
        }
    }

    fn close_oldest(&mut self, out: &mut Vec<Event>) {
        let oldest = self
            .streams
            .iter()
            .flat_map(|(stream, groups)| {
                groups.iter().map(move |(key, group)| (group.last_received, stream.clone(), *key))
            })
            .min_by_key(|(received, ..)| *received);
        let Some((_, stream, key)) = oldest else {
            self.open = 0;
            return;
        };
        if let Some(group) = self.streams.get_mut(&stream).and_then(|groups| groups.remove(&key)) {
            self.open -= 1;
            out.extend(group.join());
        }
    }

    /// Completes groups that have been quiet.
    pub(crate) fn expire(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        if self.open == 0 {
            return;
        }
        let mut complete = Vec::new();
        for groups in self.streams.values_mut() {
            let quiet: Vec<_> = groups
                .iter()
                .filter(|(_, group)| now.since(group.last_received) >= QUIET)
                .map(|(key, _)| *key)
                .collect();
            complete.extend(quiet.iter().filter_map(|key| groups.remove(key)));
        }
        self.open -= complete.len();
        complete.sort_by_key(|group| group.members.last().map(|event| event.id));
        out.extend(complete.into_iter().filter_map(Group::join));
        self.streams.retain(|_, groups| !groups.is_empty());
    }

    pub(crate) fn oldest_open(&self) -> Option<RecordId> {
        let firsts = self.streams.values().flat_map(BTreeMap::values).filter_map(Group::first);
        firsts.min_by_key(|id| (id.epoch, id.offset))
    }
}

impl Group {
    fn first(&self) -> Option<RecordId> {
        self.members.iter().map(|event| event.id.record).reduce(earlier)
    }

    /// The joined event, if the group is the execution of a program, a new file or a connection.
    fn join(self) -> Option<Event> {
        let of = |kind: &str| self.members.iter().find(|event| event.vendor.text("type") == Some(kind));
        let Some(execve) = of("EXECVE") else {
            let last = self.members.last()?;
            let (raw, raw_private) = joined_raw(&self.members);
            return Some(Event {
                id: EventId { record: last.id.record, index: 1 },
                first_record: self.first()?,
                received: last.received,
                raw,
                raw_private,
                ..shape::shape(&self.members)?
            });
        };
        let syscall = of("SYSCALL");
        let last = self.members.last()?;
        let mut event = Event {
            id: EventId { record: last.id.record, index: 1 },
            first_record: self.first()?,
            received: last.received,
            error: None,
            ..syscall.unwrap_or(execve).clone()
        };
        let arguments = arguments(&execve.vendor);
        let command_line = arguments.iter().map(|argument| shell_word(argument)).collect::<Vec<_>>().join(" ");
        for (name, value) in execve.vendor.iter().filter(|(name, _)| !name.starts_with('a') || name.len() > 3) {
            event.vendor.set_if_absent(name.clone(), value.clone());
        }
        for name in ["a0", "a1", "a2", "a3"] {
            event.vendor.remove(name);
        }
        event.vendor.set("type", "EXECVE");
        event.vendor.set("argv", Value::List(arguments.iter().map(Value::text).collect()));
        let text =
            |from: Option<&Event>, name: &str| from.and_then(|event| event.vendor.get(name)).map(ToString::to_string);
        let directory = text(of("CWD"), "cwd");
        let mut aliases = Fields::new();
        let mut alias = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                aliases.set(name, Value::from(value));
            }
        };
        let image = text(syscall, "exe").or_else(|| arguments.first().cloned());
        alias("Image", image.clone());
        alias("CommandLine", Some(command_line.clone()));
        alias("CurrentDirectory", directory.clone());
        alias("ProcessId", text(syscall, "pid"));
        alias("ParentProcessId", text(syscall, "ppid"));
        alias("LogonId", text(syscall, "auid"));
        alias("User", text(syscall, "UID").or_else(|| text(syscall, "uid")));
        let common = &mut event.common;
        if let Some(image) = &image {
            common.set("process.executable", image.as_str());
            common.set("process.name", image.rsplit('/').next().unwrap_or(image));
        }
        common.set("process.command_line", command_line);
        common.set("process.args", Value::List(arguments.into_iter().map(Value::from).collect()));
        if let Some(directory) = directory {
            common.set("process.working_directory", directory);
        }
        for (name, from) in [("process.pid", "pid"), ("process.parent.pid", "ppid")] {
            if let Some(number) = syscall.and_then(|event| event.vendor.get(from)).and_then(Value::as_long) {
                common.set(name, number);
            }
        }
        common.set("event.category", Value::List(vec!["process".into()]));
        common.set("event.type", Value::List(vec!["start".into()]));
        common.set("event.action", "executed");
        let (raw, raw_private) = joined_raw(&self.members);
        event.raw = raw;
        event.raw_private = raw_private;
        event.typed = vec![TypedAs { log_type: LogType::new("linux", "process_creation", ""), aliases }];
        Some(event)
    }
}

/// The texts of the records, one a line, and their private ranges.
fn joined_raw(members: &[Event]) -> (Arc<str>, Vec<(u32, u32)>) {
    let mut raw = String::new();
    let mut ranges = Vec::new();
    for member in members {
        if !raw.is_empty() {
            raw.push('\n');
        }
        let at = raw.len() as u32;
        ranges.extend(member.raw_private.iter().map(|(start, end)| (start + at, end + at)));
        raw.push_str(member.raw.trim_end_matches('\n'));
    }
    (raw.into(), ranges)
}

/// `a0`, `a1` … in order.
fn arguments(fields: &Fields) -> Vec<String> {
    let mut numbered: Vec<(usize, String)> = fields
        .iter()
        .filter_map(|(name, value)| {
            let number = name.strip_prefix('a')?.parse().ok()?;
            Some((number, value.to_string()))
        })
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, text)| text).collect()
}

/// The argument as it would be typed: in quotes only where a blank would cut it.
fn shell_word(argument: &str) -> String {
    if argument.is_empty() { "''".to_owned() } else { argument.to_owned() }
}

/// An event of this record type without anything else.
#[cfg(test)]
fn tests_event(kind: &str) -> Event {
    let record = RecordId { epoch: 0, offset: 0 };
    Event {
        id: EventId { record, index: 0 },
        first_record: record,
        time: Timestamp::from_micros(0),
        received: Timestamp::from_micros(0),
        source: "test".into(),
        parser: "linux.auditd".into(),
        typed: Vec::new(),
        vendor: Fields::from_iter([("type", Value::text(kind))]),
        common: Fields::new(),
        raw: "".into(),
        raw_private: Vec::new(),
        error: None,
        run: None,
    }
}
