//! One event in all its shapes is the same event.

use crate::engine::record;
use crate::golden::all_parsers;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use tandem_model::Event;

const DATA: [(&str, &str); 9] = [
    ("SubjectUserSid", "S-1-5-21-1-2-3-1104"),
    ("SubjectUserName", "jane"),
    ("SubjectDomainName", "CORP"),
    ("NewProcessId", "0x1a4c"),
    ("NewProcessName", r"C:\Windows\System32\cmd.exe"),
    ("ProcessId", "0x2f0"),
    ("CommandLine", r#"cmd.exe /c "whoami & net user""#),
    ("ParentProcessName", r"C:\Windows\explorer.exe"),
    ("MandatoryLabel", "S-1-16-12288"),
];
const PROVIDER: &str = "Microsoft-Windows-Security-Auditing";
const HOST: &str = "WIN1.corp.example";

fn event_data() -> Map<String, Json> {
    DATA.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

fn shapes() -> Vec<(&'static str, String)> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
    let data: Vec<_> =
        DATA.iter().map(|(name, value)| format!("<Data Name='{name}'>{}</Data>", escape(value))).collect();
    let data = data.concat();
    let xml = format!(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='{PROVIDER}'/><EventID>4688</EventID><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2026-10-11T20:14:15.5Z'/><EventRecordID>7</EventRecordID><Channel>Security</Channel><Computer>{HOST}</Computer></System><EventData>{data}</EventData></Event>"
    );
    let beat = json!({"@timestamp": "2026-10-11T20:14:15.5Z", "winlog": {"channel": "Security", "provider_name": PROVIDER, "computer_name": HOST,
        "event_id": "4688", "record_id": 7, "keywords": ["Audit Success"], "event_data": event_data()}});
    let mut dotted = Map::new();
    for (name, value) in [
        ("channel", json!("Security")),
        ("provider_name", json!(PROVIDER)),
        ("computer_name", json!(HOST)),
        ("event_id", json!(4688)),
        ("record_id", json!("7")),
    ] {
        dotted.insert(format!("winlog.{name}"), value);
    }
    dotted.insert("@timestamp".to_owned(), json!("2026-10-11T20:14:15.5Z"));
    dotted.insert("winlog.keywords".to_owned(), json!(["Audit Success"]));
    for (name, value) in event_data() {
        dotted.insert(format!("winlog.event_data.{name}"), value);
    }
    let old_beat = json!({"@timestamp": "2026-10-11T20:14:15.5Z", "log_name": "Security", "source_name": PROVIDER, "computer_name": HOST,
        "event_id": 4688, "record_number": "7", "keywords": ["Audit Success"], "event_data": event_data()});
    let mut nxlog = event_data();
    for (name, value) in [
        ("EventTime", json!("2026-10-11T20:14:15.5Z")),
        ("Hostname", json!(HOST)),
        ("EventID", json!(4688)),
        ("SourceName", json!(PROVIDER)),
        ("Channel", json!("Security")),
        ("RecordNumber", json!(7)),
        ("EventType", json!("AUDIT_SUCCESS")),
        ("Keywords", json!(-9_214_364_837_600_034_816_i64)),
    ] {
        nxlog.insert(name.to_owned(), value);
    }
    let export = json!({"TimeCreated": "2026-10-11T20:14:15.5Z", "Computer": HOST, "EventID": 4688, "Provider_Name": PROVIDER, "Channel": "Security",
        "EventRecordID": 7, "Keywords": "0x8020000000000000", "EventData": event_data()});
    let attributes = |name: &str, value: &str| json!({"#attributes": {name: value}});
    let tool = json!({"Event": {"System": {"Provider": attributes("Name", PROVIDER), "EventID": 4688, "Keywords": "0x8020000000000000",
        "TimeCreated": attributes("SystemTime", "2026-10-11T20:14:15.5Z"), "EventRecordID": 7, "Channel": "Security", "Computer": HOST}, "EventData": event_data()}});
    let named: Vec<_> = DATA.iter().map(|(name, value)| json!({"@Name": name, "#text": value})).collect();
    let converted = json!({"Event": {"System": {"Provider": {"@Name": PROVIDER}, "EventID": "4688", "Keywords": "0x8020000000000000",
        "TimeCreated": {"@SystemTime": "2026-10-11T20:14:15.5Z"}, "EventRecordID": "7", "Channel": "Security", "Computer": HOST}, "EventData": {"Data": named}}});
    vec![
        ("rendered XML", xml.clone()),
        ("rendered XML in syslog", format!("<13>Oct 11 20:14:16 wec1 {xml}")),
        ("Winlogbeat", beat.to_string()),
        ("Winlogbeat with dotted names", Json::Object(dotted).to_string()),
        ("Winlogbeat before 7", old_beat.to_string()),
        ("NXLog", Json::Object(nxlog).to_string()),
        ("flat export", export.to_string()),
        ("evtx tool", tool.to_string()),
        ("converted XML", converted.to_string()),
    ]
}

/// What must not depend on the shape.
fn essence(event: &Event) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for name in ["EventID", "Channel", "Computer", "Provider_Name", "EventRecordID"] {
        out.insert(format!("vendor {name}"), event.vendor.get(name).map_or_else(String::new, ToString::to_string));
    }
    for (name, _) in DATA {
        out.insert(format!("vendor {name}"), event.vendor.get(name).map_or_else(String::new, ToString::to_string));
    }
    for (name, value) in
        event.common.iter().filter(|(name, _)| !name.starts_with("log.") && !name.starts_with("agent."))
    {
        out.insert(format!("common {name}"), value.to_string());
    }
    for typed in &event.typed {
        for (name, value) in typed.aliases.iter() {
            out.insert(format!("{} {name}", typed.log_type), value.to_string());
        }
        out.insert(typed.log_type.to_string(), String::new());
    }
    out.insert("time".to_owned(), event.time.to_string());
    out
}

#[test]
fn all_shapes_of_one_event_agree() {
    let parsers = all_parsers();
    let mut first: Option<BTreeMap<String, String>> = None;
    for (shape, text) in shapes() {
        let mut events = Vec::new();
        parsers.start().parse(&record(&text), &mut events);
        assert_eq!(events.len(), 1, "{shape}");
        assert_eq!(events[0].error, None, "{shape}");
        let essence = essence(&events[0]);
        assert_eq!(essence["windows/process_creation User"], r"CORP\jane");
        match &first {
            None => first = Some(essence),
            Some(first) => assert_eq!(&essence, first, "{shape}"),
        }
    }
}
