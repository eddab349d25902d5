//! Logs of other projects, with what they expect of them: how much of it the shipped parsers read.
//!
//! `TANDEM_CORPORA` names a folder with `logs/` in it; without it the test says that it was skipped. The table is printed
//! with `--no-capture`; `TANDEM_CORPORA_SHOW=type` prints what is left over of a log type.

mod read;

use crate::golden::all_parsers;
use read::{Case, Want};
use std::collections::BTreeMap;
use std::path::Path;
use tandem_base::Timestamp;
use tandem_model::{Event, Value};
use tandem_parse::Parsers;

/// What is counted of a log type.
#[derive(Debug, Default)]
struct Row {
    records: usize,
    /// Of them with an event that is not generic, has its time from the record and at least one common field.
    read: usize,
    /// Expected values and how many came out equal.
    wanted: usize,
    equal: usize,
    left_over: BTreeMap<&'static str, Vec<String>>,
}

/// Log types and the least share, in percent, of records read and of values equal. Not here, because the corpus does not
/// have what the product writes: `wazuh nginx` (lines made up for its rules), `panther okta, partial` and
/// `panther entra, partial` (names in lower case).
const FLOORS: &[(&str, f64, f64)] = &[
    ("crowdsec apache", 100.0, 100.0),
    ("crowdsec auditd", 100.0, 100.0),
    ("crowdsec bind", 100.0, 100.0),
    ("crowdsec cef", 81.0, 100.0),
    ("crowdsec cloudtrail", 100.0, 100.0),
    ("crowdsec dovecot", 100.0, 100.0),
    ("crowdsec fortigate", 100.0, 77.0),
    ("crowdsec kubernetes", 100.0, 100.0),
    ("crowdsec nginx", 99.0, 99.0),
    ("crowdsec paloalto", 100.0, 100.0),
    ("crowdsec pam", 100.0, 100.0),
    ("crowdsec pf", 100.0, 100.0),
    ("crowdsec postfix", 100.0, 100.0),
    ("crowdsec routeros", 100.0, 100.0),
    ("crowdsec sshd", 100.0, 100.0),
    ("crowdsec suricata", 100.0, 100.0),
    ("crowdsec synology", 100.0, 100.0),
    ("fail2ban apache", 97.0, 100.0),
    ("fail2ban auditd", 100.0, 100.0),
    ("fail2ban bind", 93.0, 100.0),
    ("fail2ban dovecot", 89.0, 100.0),
    ("fail2ban nginx", 100.0, 100.0),
    ("fail2ban pam", 100.0, 90.0),
    ("fail2ban postfix", 100.0, 99.0),
    ("fail2ban routeros", 100.0, 100.0),
    ("fail2ban squid", 100.0, 100.0),
    ("fail2ban sshd", 99.0, 98.0),
    ("loghub apache", 100.0, 100.0),
    ("loghub linux", 99.0, 100.0),
    ("loghub openssh", 100.0, 100.0),
    ("panther azure", 100.0, 100.0),
    ("panther azure, partial", 50.0, 100.0),
    ("panther cloudtrail", 100.0, 100.0),
    ("panther cloudtrail, partial", 83.0, 100.0),
    ("panther entra", 100.0, 100.0),
    ("panther gcp", 100.0, 100.0),
    ("panther gcp, partial", 72.0, 100.0),
    ("panther github", 94.0, 100.0),
    ("panther github, partial", 37.0, 100.0),
    ("panther kubernetes", 100.0, 100.0),
    ("panther kubernetes, partial", 100.0, 100.0),
    ("panther m365", 100.0, 100.0),
    ("panther m365, partial", 100.0, 100.0),
    ("panther okta", 100.0, 100.0),
    ("panther workspace", 100.0, 100.0),
    ("panther workspace, partial", 90.0, 100.0),
    ("stratus cloudtrail", 100.0, 100.0),
    ("wazuh apache", 100.0, 100.0),
    ("wazuh asa", 100.0, 100.0),
    ("wazuh bind", 100.0, 100.0),
    ("wazuh dovecot", 100.0, 100.0),
    ("wazuh iis", 100.0, 100.0),
    ("wazuh ios", 100.0, 100.0),
    ("wazuh linux", 100.0, 100.0),
    ("wazuh pam", 100.0, 100.0),
    ("wazuh postfix", 100.0, 100.0),
    ("wazuh sonicos", 100.0, 100.0),
    ("wazuh squid", 100.0, 100.0),
    ("wazuh sshd", 100.0, 100.0),
    ("wazuh su", 100.0, 100.0),
    ("wazuh sudo", 100.0, 100.0),
];

#[test]
fn logs_of_other_projects_are_read() {
    let Some(folder) = tandem_testkit::corpora("logs_of_other_projects_are_read") else { return };
    let parsers = all_parsers();
    let rows = count(&parsers, &folder.join("logs"));
    print(&rows);
    let mut low = Vec::new();
    for (kind, read, equal) in FLOORS {
        let Some(row) = rows.get(*kind) else {
            low.push(format!("{kind} has no records"));
            continue;
        };
        if share(row.read, row.records) < *read || (row.wanted > 0 && share(row.equal, row.wanted) < *equal) {
            low.push(format!(
                "{kind}: {} of {} read, {} of {} values equal",
                row.read, row.records, row.equal, row.wanted
            ));
        }
    }
    assert!(low.is_empty(), "fewer than before:\n{}", low.join("\n"));
}

fn count(parsers: &Parsers, folder: &Path) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (kind, cases) in read::all(folder) {
        let row = rows.entry(kind).or_default();
        // One state a file: records of an audit event follow each other.
        let mut state = parsers.start();
        for case in cases {
            let mut events = Vec::new();
            state.parse(&case.record, &mut events);
            row.records += 1;
            judge(&case, &events, row);
        }
        state.flush(Timestamp::from_micros(i64::MAX), &mut Vec::new());
    }
    rows
}

fn judge(case: &Case, events: &[Event], row: &mut Row) {
    let note = |row: &mut Row, why: &'static str, more: &str| {
        let raw = String::from_utf8_lossy(&case.record.raw);
        let raw: String = raw.chars().take(300).collect();
        row.left_over.entry(why).or_default().push(format!("{raw}{more}"));
    };
    let Some(event) = events.iter().find(|event| !event.is_generic()) else {
        note(row, "no parser takes it", "");
        return;
    };
    if let Some(error) = &event.error {
        note(row, "it was not read to its end", &format!("\n      {error}"));
    } else if event.time == case.record.received && !case.no_time {
        note(row, "it has no time", "");
    } else if event.common.iter().all(|(name, _)| name.starts_with("log.") || name.starts_with("observer.")) {
        note(row, "it has no common field", "");
    } else {
        row.read += 1;
    }
    for want in &case.wanted {
        row.wanted += 1;
        if events.iter().any(|event| holds(event, want)) {
            row.equal += 1;
        } else {
            let got: Vec<_> = want.names.iter().filter_map(|name| event.field(name)).map(ToString::to_string).collect();
            note(
                row,
                "a value differs",
                &format!("\n      {} should be {:?}, is {got:?}", want.names.join("/"), want.text),
            );
        }
    }
}

/// Whether the event has the value under one of the names.
fn holds(event: &Event, want: &Want) -> bool {
    if want.names == ["time"] {
        // The corpus writes local times without their zone: minutes and seconds decide, hours may be shifted.
        let text = event.time.to_string();
        return text.get(14..19) == want.text.get(14..19)
            && (text.get(5..7) == want.text.get(5..7) || want.text.len() < 16);
    }
    want.names.iter().filter_map(|name| event.field(name)).any(|value| {
        value.each().any(|one| match one {
            Value::Text(text) => text.eq_ignore_ascii_case(&want.text) || same_address(text, &want.text),
            other => other.to_string() == want.text,
        })
    })
}

fn same_address(one: &str, other: &str) -> bool {
    let address = |text: &str| text.parse::<std::net::IpAddr>().ok().map(|address| address.to_canonical());
    address(one).is_some() && address(one) == address(other)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}

fn print(rows: &BTreeMap<String, Row>) {
    println!(
        "{:<34} {:>7} {:>7} {:>7} {:>8} {:>7}  left over",
        "log type", "records", "read", "%", "values", "% equal"
    );
    let show = std::env::var("TANDEM_CORPORA_SHOW").unwrap_or_default();
    let (mut records, mut read, mut wanted, mut equal) = (0, 0, 0, 0);
    for (kind, row) in rows {
        let why: Vec<_> = row.left_over.iter().map(|(why, all)| format!("{why}: {}", all.len())).collect();
        println!(
            "{kind:<34} {:>7} {:>7} {:>7.1} {:>8} {:>7.1}  {}",
            row.records,
            row.read,
            share(row.read, row.records),
            row.wanted,
            share(row.equal, row.wanted),
            why.join(", ")
        );
        if show == *kind {
            for (why, all) in &row.left_over {
                for one in all {
                    println!("    {why}: {one}");
                }
            }
        }
        records += row.records;
        read += row.read;
        wanted += row.wanted;
        equal += row.equal;
    }
    println!(
        "{:<34} {records:>7} {read:>7} {:>7.1} {wanted:>8} {:>7.1}",
        "all",
        share(read, records),
        share(equal, wanted)
    );
}
