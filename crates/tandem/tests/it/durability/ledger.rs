//! What was sent, what was promised, and what the site has of it.

use anyhow::{Context, Result, ensure};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use tandem_api::HttpMethod;
use tandem_testkit::program::tandem;

/// Every so many records one is an attack.
const ATTACK_EVERY: u64 = 10;
/// The rule that each attack fires once.
const RULE: &str = "Shadow Copies Deleted";
const RULE_ID: &str = "a5900e7a-53ee-56d4-a672-a95861c267da";

/// How a record was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Way {
    Http,
    Hec,
    Syslog,
    File,
    Import,
}

/// All records that were ever sent, by the number that each of them carries.
#[derive(Default)]
pub(super) struct Ledger {
    next: AtomicU64,
    sent: Mutex<HashMap<u64, (Way, bool)>>,
}

impl Ledger {
    /// A number for a record that is about to be sent.
    pub(super) fn number(&self, way: Way) -> u64 {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        self.sent.lock().insert(number, (way, false));
        number
    }

    /// The site has promised to keep these.
    pub(super) fn acknowledged(&self, numbers: &[u64]) {
        let mut sent = self.sent.lock();
        for number in numbers {
            if let Some((_, acknowledged)) = sent.get_mut(number) {
                *acknowledged = true;
            }
        }
    }

    /// Numbers sent one way, promised or not.
    pub(super) fn of(&self, way: Way) -> Vec<u64> {
        self.sent.lock().iter().filter(|(_, (other, _))| *other == way).map(|(number, _)| *number).collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.next.load(Ordering::SeqCst)
    }
}

pub(super) fn is_attack(number: u64) -> bool {
    number.is_multiple_of(ATTACK_EVERY)
}

/// What Sysmon writes when a process starts; the number stands in the command line.
pub(super) fn record(number: u64) -> String {
    let (image, command) = if is_attack(number) {
        ("C:\\Windows\\System32\\vssadmin.exe", "vssadmin delete shadows")
    } else {
        ("C:\\Windows\\System32\\notepad.exe", "notepad")
    };
    json!({
        "@timestamp": "2026-11-24T13:00:00.000Z",
        "host": {"name": format!("PC-{number}")},
        "winlog": {
            "channel": "Microsoft-Windows-Sysmon/Operational", "event_id": "1", "provider_name": "Microsoft-Windows-Sysmon",
            "computer_name": format!("PC-{number}"),
            "event_data": {"Image": image, "CommandLine": format!("{command} /marker:m{number}x")},
        },
    })
    .to_string()
}

/// The number that the sender put into a record.
fn marker(raw: &str) -> Option<u64> {
    raw.split_once("/marker:m")?.1.split_once('x')?.0.parse().ok()
}

/// Rows of a query, whether the site runs or not.
pub(super) fn rows(data: &str, sql: &str) -> Result<Vec<Value>> {
    let output =
        Command::new(tandem()).args(["sql", "--data", data, sql, "--limit", "100000", "--format", "json"]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// What the site has: how often each record is stored, how often each attack is detected, and in how many cases it is.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) records: HashMap<u64, u32>,
    detections: HashMap<u64, u32>,
    numbers: HashMap<String, u64>,
    /// Of each attack that is not from an import: how often it is judged, and whether it is in a case. Only while the
    /// site runs.
    judged: Option<HashMap<u64, (u32, bool)>>,
}

const PAGE: u64 = 50_000;

impl Stored {
    pub(super) fn read(data: &str) -> Result<Self> {
        let mut stored = Self::default();
        let mut markers = HashMap::new();
        // In pages: an answer is limited.
        let mut after = String::new();
        loop {
            let sql = format!("SELECT id, raw FROM events WHERE id > '{after}' ORDER BY id LIMIT {PAGE}");
            let page = rows(data, &sql)?;
            for event in &page {
                let id = event["id"].as_str().context("an event has an id")?;
                id.clone_into(&mut after);
                let Some(number) = marker(event["raw"].as_str().unwrap_or_default()) else { continue };
                markers.insert(id.to_owned(), number);
                *stored.records.entry(number).or_insert(0) += 1;
            }
            if (page.len() as u64) < PAGE {
                break;
            }
        }
        for detection in rows(data, &format!("SELECT events FROM detections WHERE rule_title = '{RULE}'"))? {
            let id = detection["events"][0].as_str().unwrap_or_default();
            let number = *markers.get(id).context("a detection has its event in the table")?;
            *stored.detections.entry(number).or_insert(0) += 1;
        }
        stored.numbers = markers;
        Ok(stored)
    }

    /// Reads what the control database has, from the running site.
    pub(super) fn read_judged(&mut self, data: &Path) -> Result<()> {
        let mut judged: HashMap<u64, (u32, bool)> = HashMap::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/detections?rule_id={RULE_ID}&limit=500&cursor={cursor}");
            let page = super::rig::call(data, HttpMethod::GET, &path, &Value::Null)?;
            for row in page["items"].as_array().context("a page has items")? {
                let Some(number) = row["event_id"].as_str().and_then(|id| self.numbers.get(id)) else { continue };
                let entry = judged.entry(*number).or_default();
                entry.0 += 1;
                entry.1 |= row["case"].is_string();
            }
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        self.judged = Some(judged);
        Ok(())
    }

    /// Everything that is not as promised, in words; nothing when all is well. The second answer are the figures.
    pub(super) fn compare(&self, ledger: &Ledger) -> (Vec<String>, Figures) {
        let sent = ledger.sent.lock();
        let mut figures = Figures { sent: sent.len() as u64, ..Figures::default() };
        let mut wrong = Vec::new();
        for (number, (way, acknowledged)) in sent.iter() {
            let stored = self.records.get(number).copied().unwrap_or(0);
            let detected = self.detections.get(number).copied().unwrap_or(0);
            let by_way = figures.ways.entry(*way).or_default();
            by_way.0 += u64::from(*acknowledged);
            by_way.1 += u64::from(stored > 0);
            figures.acknowledged += u64::from(*acknowledged);
            figures.detections += u64::from(detected);
            if *acknowledged && stored == 0 {
                figures.lost += 1;
                wrong.push(format!("{way:?} record {number} was acknowledged and is not there"));
            }
            if stored > 1 {
                figures.twice += 1;
                wrong.push(format!("{way:?} record {number} is there {stored} times"));
            }
            if let Some(judged) = &self.judged
                && stored > 0
                && is_attack(*number)
                && *way != Way::Import
                && judged.get(number) != Some(&(1, true))
            {
                wrong.push(format!("{way:?} record {number}: judged, in a case: {:?}", judged.get(number)));
            }
            let due = u32::from(stored > 0 && is_attack(*number));
            if detected != due {
                wrong.push(format!("{way:?} record {number}: {detected} detections instead of {due}"));
            }
        }
        wrong.sort();
        (wrong, figures)
    }
}

/// Figures of one comparison.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) lost: u64,
    pub(super) twice: u64,
    pub(super) detections: u64,
    /// Acknowledged and stored, by way.
    pub(super) ways: BTreeMap<Way, (u64, u64)>,
}
