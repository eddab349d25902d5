//! Lines that a shipper wrapped in JSON: Filebeat, journald, Fluent Bit, Docker. The line inside is what parsers know; the
//! wrapper says host, program and time where the line itself does not.

use crate::step::{find_json, json_scalar};
use crate::syslog::Header;
use serde_json::Value as Json;
use tandem_base::Timestamp;

/// What was taken out of the wrapper.
#[derive(Debug)]
pub(crate) struct Shipped {
    pub(crate) message: String,
    host: Option<String>,
    app: Option<String>,
    pid: Option<String>,
    priority: Option<u16>,
    time: Option<String>,
    /// The file that the line was read from.
    pub(crate) path: Option<String>,
}

/// Names of the line.
const MESSAGES: [&str; 4] = ["MESSAGE", "message", "log", "event.original"];
/// One of these beside it tells a wrapper from an application that calls a field `message`.
const COMPANIONS: [&str; 9] = [
    "_HOSTNAME",
    "SYSLOG_IDENTIFIER",
    "__REALTIME_TIMESTAMP",
    "agent.type",
    "beat.hostname",
    "log.file.path",
    "stream",
    "kubernetes.pod_name",
    "programname",
];

impl Shipped {
    /// Takes the line out of `object`, if it is a wrapper.
    pub(crate) fn open(object: &Json) -> Option<Self> {
        let found = |name: &str| find_json(object, name).and_then(json_scalar).map(|value| value.to_string());
        let first = |names: &[&str]| names.iter().find_map(|name| found(name)).filter(|text| !text.is_empty());
        if !COMPANIONS.iter().any(|name| find_json(object, name).is_some()) {
            return None;
        }
        let message = MESSAGES.iter().find_map(|name| match find_json(object, name)? {
            Json::String(text) => Some(text.clone()),
            // journald writes a message that is no UTF-8 as a list of bytes.
            Json::Array(bytes) => {
                let bytes: Option<Vec<u8>> =
                    bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
                Some(String::from_utf8_lossy(&bytes?).into_owned())
            }
            _ => None,
        })?;
        let number = |name: &str, most: u16| found(name)?.parse::<u16>().ok().filter(|number| *number <= most);
        let severity = number("PRIORITY", 7).or_else(|| number("log.syslog.severity.code", 7));
        let facility = number("SYSLOG_FACILITY", 23).or_else(|| number("log.syslog.facility.code", 23));
        Some(Self {
            message,
            host: first(&["_HOSTNAME", "host.hostname", "host.name", "hostname", "beat.hostname", "host"]),
            app: first(&["SYSLOG_IDENTIFIER", "_COMM", "log.syslog.appname", "process.name", "programname", "ident"]),
            pid: first(&["SYSLOG_PID", "_PID", "log.syslog.procid", "process.pid", "pid"]),
            priority: severity.map(|severity| facility.unwrap_or(1) * 8 + severity),
            time: first(&["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "@timestamp", "time", "timestamp"]),
            path: first(&["log.file.path", "source", "filename"]).filter(|path| path.contains(['/', '\\'])),
        })
    }

    /// The header of the line inside, filled up with what the wrapper knows.
    pub(crate) fn header(&self, received: Timestamp, zone: &crate::time::Zone) -> Header<'_> {
        let mut header = crate::syslog::parse(&self.message, received, zone);
        header.priority = header.priority.or(self.priority);
        header.host = header.host.or(self.host.as_deref());
        if header.app.is_none() {
            header.app = self.app.as_deref();
            header.pid = self.pid.as_deref();
        }
        if header.time.is_none() {
            let time = self.time.as_deref();
            header.time =
                time.and_then(|text| crate::time::parse(text, &crate::time::TimeFormat::Auto, received, zone));
        }
        header
    }
}
