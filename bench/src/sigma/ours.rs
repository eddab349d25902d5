//! Tandem's engine over JSON lines, read with `sonic-rs` where they lie.

use anyhow::{Result, bail};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tandem_sigma::{Engine, Field, LogType, Route, Rule, Session, Severity, parse_rules};

use super::json::{Line, decode};
use super::measure::cpu_seconds;
use super::rules::RuleTexts;

pub(crate) struct Ours {
    pub(crate) engine: Arc<Engine>,
}

pub(crate) struct OurRun {
    pub(crate) seconds: f64,
    /// Line and rule number.
    pub(crate) hits: Vec<(usize, u32)>,
    pub(crate) session_bytes: usize,
}

/// Which log types an event gets.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Routing {
    /// What can be told to an engine that takes one category.
    OneCategory,
    /// Every category that the event belongs to.
    AllCategories,
}

impl Ours {
    pub(crate) fn load(texts: &RuleTexts) -> Result<Self> {
        let mut all: Vec<Arc<Rule>> = Vec::new();
        for (name, text) in texts.iter() {
            let (rules, problems) = parse_rules(name, text);
            if let Some(problem) = problems.iter().find(|problem| problem.severity() == Severity::Error) {
                bail!("{name}: {problem}");
            }
            all.extend(rules.into_iter().map(Arc::new));
        }
        Ok(Self { engine: Arc::new(Engine::builder().with_rules(all).build()) })
    }

    pub(crate) fn rule_count(&self) -> usize {
        self.engine.rules().len()
    }

    /// Every line once, in a session of its own, so that nothing is remembered from before.
    pub(crate) fn run(&self, lines: &[&str], routing: Routing) -> Result<OurRun> {
        let begin = cpu_seconds();
        let mut session = Session::new(Arc::clone(&self.engine));
        let mut routes = Routes::new(&self.engine, routing);
        let mut hits = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let fired = evaluate(&mut session, &mut routes, line)?;
            hits.extend(fired.iter().map(|rule| (number, *rule)));
        }
        Ok(OurRun { seconds: cpu_seconds() - begin, hits, session_bytes: session.memory_bytes() })
    }
}

/// Reads a line, routes it and evaluates it.
#[inline]
pub(crate) fn evaluate<'s>(session: &'s mut Session, routes: &mut Routes<'_>, line: &str) -> Result<&'s [u32]> {
    let mut fields = session.fields();
    let (mut channel, mut id) = ("", "");
    for entry in sonic_rs::to_object_iter(line) {
        let (name, value) = entry?;
        // What stands in a line is borrowed from it.
        let Cow::Borrowed(raw) = value.as_raw_cow() else { continue };
        if name.len() == 7 {
            if name == "Channel" {
                channel = raw;
            } else if name == "EventID" {
                id = raw;
            }
        }
        fields.push(&name, Field::Encoded(raw.as_bytes()));
    }
    let route = routes.of(channel, id);
    Ok(session.evaluate_fields(route, fields, &Line(line)))
}

/// Routes by channel and event id, as they stand in the line.
pub(crate) struct Routes<'e> {
    engine: &'e Engine,
    routing: Routing,
    known: HashMap<String, Arc<Route>>,
    key: String,
    last: Option<(String, Arc<Route>)>,
}

impl<'e> Routes<'e> {
    pub(crate) fn new(engine: &'e Engine, routing: Routing) -> Self {
        Self { engine, routing, known: HashMap::new(), key: String::new(), last: None }
    }

    pub(crate) fn of(&mut self, channel: &str, id: &str) -> &Route {
        self.key.clear();
        self.key.push_str(channel);
        self.key.push_str(id);
        if self.last.as_ref().is_none_or(|(key, _)| *key != self.key) {
            let route = match self.known.get(&self.key) {
                Some(route) => Arc::clone(route),
                None => {
                    let route = self.engine.route(&types(channel, id, self.routing));
                    self.known.insert(self.key.clone(), Arc::clone(&route));
                    route
                }
            };
            self.last = Some((self.key.clone(), route));
        }
        &self.last.as_ref().expect("it was just set").1
    }
}

/// The log types of an event with this channel and event id (JSON text).
pub(crate) fn types(channel: &str, id: &str, routing: Routing) -> Vec<LogType<'static>> {
    let channel = decode(channel).text().map(Cow::into_owned).unwrap_or_default();
    let id = id.parse().unwrap_or(-1);
    let one = one_category(&channel, id);
    let log_type = |category| LogType { product: Some("windows"), category, service: one.service };
    let mut all = vec![log_type(one.category)];
    if routing == Routing::AllCategories && one.service == Some("sysmon") {
        let more: &[&str] = match id {
            12 => &["registry_event", "registry_delete"],
            13 | 14 => &["registry_event"],
            _ => &[],
        };
        all.extend(more.iter().map(|category| log_type(Some(*category))));
    }
    all
}

/// Where an event comes from, with at most one category.
pub(crate) struct Channel {
    pub(crate) service: Option<&'static str>,
    pub(crate) category: Option<&'static str>,
}

/// Service by channel, category by event id.
pub(crate) fn one_category(channel: &str, id: i64) -> Channel {
    let service = match channel.to_ascii_lowercase().as_str() {
        "security" => Some("security"),
        "system" => Some("system"),
        "application" => Some("application"),
        "microsoft-windows-sysmon/operational" => Some("sysmon"),
        "microsoft-windows-powershell/operational" => Some("powershell"),
        "windows powershell" => Some("powershell-classic"),
        "microsoft-windows-wmi-activity/operational" => Some("wmi"),
        "microsoft-windows-taskscheduler/operational" => Some("taskscheduler"),
        "microsoft-windows-windows defender/operational" => Some("windefend"),
        "microsoft-windows-bits-client/operational" => Some("bits-client"),
        "microsoft-windows-terminalservices-localsessionmanager/operational" => {
            Some("terminalservices-localsessionmanager")
        }
        _ => None,
    };
    let category = match (service, id) {
        (Some("sysmon"), id) => sysmon(id),
        (Some("security"), 4688) => Some("process_creation"),
        (Some("powershell"), 4103) => Some("ps_module"),
        (Some("powershell"), 4104) => Some("ps_script"),
        (Some("powershell-classic"), 400) => Some("ps_classic_start"),
        (Some("powershell-classic"), 600) => Some("ps_classic_provider_start"),
        _ => None,
    };
    Channel { service, category }
}

fn sysmon(id: i64) -> Option<&'static str> {
    Some(match id {
        1 => "process_creation",
        2 => "file_change",
        3 => "network_connection",
        4 | 16 => "sysmon_status",
        5 => "process_termination",
        6 => "driver_load",
        7 => "image_load",
        8 => "create_remote_thread",
        9 => "raw_access_thread",
        10 => "process_access",
        11 => "file_event",
        12 => "registry_add",
        13 => "registry_set",
        14 => "registry_rename",
        15 => "create_stream_hash",
        17 | 18 => "pipe_created",
        19..=21 => "wmi_event",
        22 => "dns_query",
        23 | 26 => "file_delete",
        24 => "clipboard_capture",
        25 => "process_tampering",
        27 => "file_block_executable",
        29 => "file_executable_detected",
        255 => "sysmon_error",
        _ => return None,
    })
}
