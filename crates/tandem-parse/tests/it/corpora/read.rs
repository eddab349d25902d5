//! The corpora as records with what their projects expect of them.

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tandem_base::Timestamp;
use tandem_model::{Record, RecordId, Transport};

/// A record and what should come of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) record: Record,
    pub(crate) wanted: Vec<Want>,
    /// The record holds no time of its own.
    pub(crate) no_time: bool,
}

/// A value that one of these fields should have.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) names: Vec<&'static str>,
    pub(crate) text: String,
}

/// A file's log type and its records.
pub(crate) type File = (String, Vec<Case>);

/// Everything under the folder whose log type we read.
pub(crate) fn all(folder: &Path) -> Vec<File> {
    let mut files = Vec::new();
    files.extend(crowdsec(&folder.join("crowdsecurity-hub")));
    files.extend(fail2ban(&folder.join("fail2ban")));
    files.extend(wazuh(&folder.join("wazuh-ini")));
    files.extend(stratus(&folder.join("stratus-red-team")));
    files.extend(panther(&folder.join("panther-tests/tests.jsonl")));
    files.extend(loghub(&folder.join("loghub")));
    files
}

fn case(raw: impl Into<Vec<u8>>, received: &str) -> Case {
    let record = Record {
        id: RecordId { epoch: 0, offset: 0 },
        source: "corpus".to_owned(),
        peer: None,
        received: received.parse::<Timestamp>().unwrap(),
        transport: Transport::Import,
        facts: Vec::new(),
        run: None,
        raw: raw.into(),
    };
    let no_time = !has_clock(&record.raw);
    Case { record, wanted: Vec::new(), no_time }
}

/// Whether a time of day stands anywhere.
fn has_clock(raw: &[u8]) -> bool {
    let number = |part: &[u8]| match part {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => u32::from(a - b'0') * 10 + u32::from(b - b'0'),
        _ => 99,
    };
    raw.windows(8).any(|part| {
        let [hour, minute, second] = [&part[..2], &part[3..5], &part[6..]].map(number);
        part[2] == b':' && part[5] == b':' && hour < 24 && minute < 60 && second < 61
    })
}

fn want(names: &[&'static str], text: impl Into<String>) -> Want {
    Want { names: names.to_vec(), text: text.into() }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Text of a file, invalid UTF-8 replaced.
fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Folders with a log and assertions on what was found in each line.
fn crowdsec(folder: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for test in sorted(folder).into_iter().filter(|path| path.is_dir()) {
        let config = text(&test.join("config.yaml"));
        let value = |key: &str| {
            config.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().trim_matches('"').to_owned())
        };
        let (Some(log), Some(label)) = (value("log_file:"), value("log_type:")) else { continue };
        let Some(kind) = crowdsec_kind(&label, &name(&test)) else { continue };
        let lines: Vec<String> =
            text(&test.join(&log)).lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        let wanted = crowdsec_wanted(&text(&test.join("parser.assert")), lines.len());
        let cases = lines.iter().enumerate().map(|(index, line)| {
            let mut case = case(line.as_bytes(), "2026-11-25T12:00:00Z");
            for (field, text) in wanted.get(&index).into_iter().flatten() {
                case.wanted.push(want(field, text));
            }
            case
        });
        files.push((format!("crowdsec {kind}"), cases.collect()));
    }
    files
}

fn crowdsec_kind(label: &str, test: &str) -> Option<&'static str> {
    Some(match label {
        "nginx" => "nginx",
        "apache2" => "apache",
        "auditd" => "auditd",
        "aws-cloudtrail" => "cloudtrail",
        "suricata-evelogs" => "suricata",
        "cef" | "unifi" => "cef",
        "palo-alto-threat" => "paloalto",
        "fortinet" => "fortigate",
        "k8s-audit" => "kubernetes",
        "syslog" if test.starts_with("ssh") || test == "opnsense-sshd" || test == "whitelists" => "sshd",
        "syslog" if test == "pam-logs" => "pam",
        "syslog" if test == "pfsense-rfc5424-nginx" => "nginx",
        "syslog" if test.starts_with("pf-") || test.contains("sense-gui-auth") => "pf",
        "syslog" if test.starts_with("postfix") || test.starts_with("postscreen") => "postfix",
        "syslog" if test.starts_with("dovecot") => "dovecot",
        "syslog" if test.starts_with("synology") => "synology",
        "syslog" if test == "bind9-syslog" => "bind",
        "named" => "bind",
        "mikrotik" => "routeros",
        _ => return None,
    })
}

/// Line number → fields and their expected text.
type Wanted = BTreeMap<usize, Vec<(&'static [&'static str], String)>>;

/// What the parser that took most lines is to find.
fn crowdsec_wanted(assertions: &str, lines: usize) -> Wanted {
    let mut parsers: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in assertions.lines() {
        if let Some(rest) = line.strip_prefix("len(results[\"s01-parse\"][\"")
            && let Some((parser, count)) = rest.split_once("\"]) == ")
        {
            counts.insert(parser.to_owned(), count.trim().parse().unwrap_or(0));
        }
        let Some(rest) = line.strip_prefix("results[\"s01-parse\"][\"") else { continue };
        let Some((parser, rest)) = rest.split_once("\"][") else { continue };
        let Some((index, rest)) = rest.split_once("].Evt.Meta[\"") else { continue };
        let Some((field, rest)) = rest.split_once("\"] == \"") else { continue };
        let fields: &'static [&'static str] = match field {
            "source_ip" => &["source.ip", "source.address"],
            "http_status" => &["http.response.status_code"],
            "http_verb" => &["http.request.method"],
            "http_path" => &["url.path", "url.original"],
            "http_user_agent" => &["user_agent.original"],
            "target_user" | "username" | "user" => &["user.name", "user.email", "userIdentity.userName"],
            "event_name" => &["event.action"],
            _ => continue,
        };
        let value = rest.trim_end().trim_end_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
        if value.is_empty() || value == "-" {
            continue;
        }
        let Ok(index) = index.parse() else { continue };
        parsers.entry(parser.to_owned()).or_default().entry(index).or_default().push((fields, value));
    }
    parsers
        .into_iter()
        .filter(|(parser, _)| counts.get(parser) == Some(&lines))
        .max_by_key(|(_, found)| found.len())
        .map(|(_, found)| found)
        .unwrap_or_default()
}

/// Lines with the address and the time that the filter must find in the next line.
fn fail2ban(folder: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for path in sorted(folder) {
        let kind = match name(&path).as_str() {
            "sshd" | "sshd-journal" | "zzz-sshd-obsolete-multiline" => "sshd",
            "pam-generic" => "pam",
            "selinux-ssh" => "auditd",
            "postfix" => "postfix",
            "dovecot" => "dovecot",
            "named-refused" => "bind",
            "squid" => "squid",
            "routeros-auth" => "routeros",
            other if other.starts_with("apache-") => "apache",
            other if other.starts_with("nginx-") => "nginx",
            _ => continue,
        };
        let body = text(&path);
        let mut expected: Option<Json> = None;
        let mut cases = Vec::new();
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# failJSON:") {
                expected = serde_json::from_str(rest.trim()).ok();
                continue;
            }
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let Some(json) = expected.take() else { continue };
            let time = json["time"].as_str().unwrap_or("");
            let received = if time.len() == 19 { format!("{time}Z") } else { "2026-11-25T12:00:00Z".to_owned() };
            let mut case = case(line.as_bytes(), &received);
            // Received later than it happened, so that "it has no time" can be told.
            case.record.received = Timestamp::from_micros(case.record.received.micros() + 86_400_000_000);
            if json["match"].as_bool() == Some(true) {
                // Some filters take the address from an earlier line.
                if let Some(host) = json["host"].as_str().filter(|host| line.contains(host)) {
                    case.wanted.push(want(&["source.ip", "source.address", "source.domain"], host));
                }
                if !time.is_empty() && !case.no_time {
                    case.wanted.push(want(&["time"], time));
                }
                if let Some(user) = json["user"].as_str().filter(|user| !user.is_empty()) {
                    case.wanted.push(want(&["user.name"], user));
                }
            }
            cases.push(case);
        }
        files.push((format!("fail2ban {kind}"), cases));
    }
    files
}

/// Sections with lines, the decoder that takes them and the level of the rule.
fn wazuh(folder: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for path in sorted(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "ini")) {
        let mut lines: Vec<String> = Vec::new();
        for line in text(&path).lines().chain(["["]) {
            if let Some(rest) = line.strip_prefix("log ")
                && let Some((_, raw)) = rest.split_once(" pass =")
            {
                lines.push(raw.trim().to_owned());
            } else if let Some(decoder) = line.strip_prefix("decoder =") {
                let kind = match decoder.trim() {
                    "sshd" | "macos-date-format-sshd" => "sshd",
                    "pam" => "pam",
                    "su" => "su",
                    "sudo" => "sudo",
                    "kernel" | "systemd" => "linux",
                    "apache-errorlog" | "web-accesslog" => "apache",
                    "nginx-errorlog" => "nginx",
                    "cisco-asa" => "asa",
                    "cisco-ios" => "ios",
                    "squid-accesslog" => "squid",
                    "sonicwall" => "sonicos",
                    "named" => "bind",
                    "dovecot" | "dovecot-info" => "dovecot",
                    "postfix-reject" => "postfix",
                    "web-accesslog-iis-default" | "web-accesslog-iis6" => "iis",
                    _ => continue,
                };
                let cases = lines.drain(..).map(|line| {
                    let mut case = case(line.as_bytes(), "2026-11-25T12:00:00Z");
                    case.no_time |= line.starts_with('%');
                    case
                });
                files.push((format!("wazuh {kind}"), cases.collect()));
            } else if line.starts_with('[') {
                lines.clear();
            }
        }
    }
    files
}

/// Cloud attacks as CloudTrail recorded them.
fn stratus(folder: &Path) -> Vec<File> {
    let mut cases = Vec::new();
    for path in sorted(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let Ok(Json::Array(events)) = serde_json::from_str(&text(&path)) else { continue };
        for event in events {
            cases.push(cloudtrail(&event));
        }
    }
    vec![("stratus cloudtrail".to_owned(), cases)]
}

fn cloudtrail(event: &Json) -> Case {
    let mut case = case(event.to_string(), "2026-11-25T12:00:00Z");
    let pairs: [(&str, &[&'static str]); 5] = [
        ("/eventName", &["event.action"]),
        ("/sourceIPAddress", &["source.ip", "source.address"]),
        ("/userIdentity/arn", &["user.id"]),
        ("/userAgent", &["user_agent.original"]),
        ("/awsRegion", &["cloud.region"]),
    ];
    for (path, names) in pairs {
        if let Some(text) = event.pointer(path).and_then(Json::as_str).filter(|text| !text.is_empty()) {
            case.wanted.push(want(names, text));
        }
    }
    case
}

/// Events of rule tests, by the one log type that their rule names.
fn panther(path: &Path) -> Vec<File> {
    let mut kinds: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for line in text(path).lines() {
        let Ok(test) = serde_json::from_str::<Json>(line) else { continue };
        let [Json::String(log_type)] = test["log_types"].as_array().map(Vec::as_slice).unwrap_or_default() else {
            continue;
        };
        let log = &test["log"];
        let (kind, pairs): (&str, &[(&str, &[&'static str])]) = match log_type.as_str() {
            "AWS.CloudTrail" => ("cloudtrail", &[]),
            "Azure.Audit" => (
                "entra",
                &[
                    ("/callerIpAddress", &["source.ip", "source.address"]),
                    ("/properties/userPrincipalName", &["user.email", "user.name"]),
                ],
            ),
            "Azure.MonitorActivity" => (
                "azure",
                &[("/operationName", &["event.action"]), ("/callerIpAddress", &["source.ip", "source.address"])],
            ),
            "Okta.SystemLog" => {
                ("okta", &[("/eventType", &["event.action"]), ("/actor/alternateId", &["user.email", "user.name"])])
            }
            "GCP.AuditLog" => (
                "gcp",
                &[
                    ("/protoPayload/methodName", &["event.action"]),
                    ("/protoPayload/authenticationInfo/principalEmail", &["user.email"]),
                ],
            ),
            "GSuite.ActivityEvent" => ("workspace", &[("/actor/email", &["user.email"]), ("/name", &["event.action"])]),
            "GitHub.Audit" => ("github", &[("/action", &["event.action"]), ("/actor", &["user.name"])]),
            "Amazon.EKS.Audit" => ("kubernetes", &[("/verb", &["event.action"]), ("/user/username", &["user.name"])]),
            other if other.starts_with("Microsoft365.Audit") => {
                ("m365", &[("/Operation", &["event.action"]), ("/UserId", &["user.email", "user.name"])])
            }
            _ => continue,
        };
        let mut case =
            if kind == "cloudtrail" { cloudtrail(log) } else { case(log.to_string(), "2026-11-25T12:00:00Z") };
        for (path, names) in pairs {
            if let Some(text) = log.pointer(path).and_then(Json::as_str).filter(|text| !text.is_empty()) {
                case.wanted.push(want(names, text));
            }
        }
        // Many tests hold only what their rule looks at, or names in lower case; a record as the product writes it has these.
        let whole = match kind {
            "cloudtrail" => ["eventTime", "eventSource", "eventVersion"].as_slice(),
            "entra" | "azure" => &["time", "operationName", "category", "resourceId"],
            "okta" => &["published", "eventType", "actor", "outcome"],
            "gcp" => &["protoPayload", "timestamp", "logName"],
            "workspace" => &["id", "kind", "actor"],
            "github" => &["action", "actor", "created_at"],
            "kubernetes" => &["verb", "objectRef"],
            _ => &["CreationTime", "Operation", "Workload"],
        };
        let whole = whole.iter().all(|key| log.get(key).is_some());
        let kind = if whole { format!("panther {kind}") } else { format!("panther {kind}, partial") };
        kinds.entry(kind).or_default().push(case);
    }
    kinds.into_iter().collect()
}

/// Two thousand lines of a system; those of sshd, Linux and Apache.
fn loghub(folder: &Path) -> Vec<File> {
    ["OpenSSH", "Linux", "Apache"]
        .iter()
        .map(|system| {
            let body = text(&folder.join(system).join(format!("{system}_2k.log")));
            let cases = body.lines().filter(|line| !line.trim().is_empty());
            let cases = cases.map(|line| case(line.as_bytes(), "2026-11-25T12:00:00Z")).collect();
            (format!("loghub {}", system.to_lowercase()), cases)
        })
        .collect()
}
