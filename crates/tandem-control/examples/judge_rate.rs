//! How many detections a second become cases and signals, and how long a start takes afterwards.
//! `cargo run -p tandem-control --example judge_rate -- FOLDER [COUNT]`
#![expect(clippy::print_stdout, reason = "this program prints figures")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tandem_base::{Clock, SystemChance, SystemClock};
use tandem_control::{Control, SiteKey};
use tandem_model::{
    Detection, DetectionId, DetectionKind, Entities, EventId, Level, MatchedField, RecordId, RuleStatus,
};
use tandem_service::AlertPolicy;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("a folder is missing")?;
    let count: u64 = args.next().map_or(Ok(20_000), |text| text.parse())?;
    let path = Path::new(&folder).join("control.db");
    let key = SiteKey::random(&SystemChance);
    let open = async || {
        Control::open(&path, key.clone(), Arc::new(SystemClock), Arc::new(SystemChance), AlertPolicy::standard()).await
    };
    let control = open().await?;
    for (name, rules, hosts, batch) in
        [("signals", 40, 500, 500), ("storm", 1, 1, 500), ("many cases", 300, 300, 500), ("one by one", 5, 50, 1)]
    {
        let count = if batch == 1 { count / 10 } else { count };
        let detections: Vec<Detection> = (0..count).map(|each| detection(name, each, rules, hosts)).collect();
        let start = Instant::now();
        for chunk in detections.chunks(batch) {
            control.judge(chunk, &[("detect", b"0")]).await?;
        }
        let seconds = start.elapsed().as_secs_f64();
        let counts = control.case_counts(None).await?;
        println!("{name}: {count} in batches of {batch}: {:.0}/s, {} open cases", count as f64 / seconds, counts.open);
    }
    control.close().await?;
    let start = Instant::now();
    let control = open().await?;
    println!("opened again in {:.0} ms", start.elapsed().as_secs_f64() * 1000.0);
    control.close().await?;
    Ok(())
}

fn detection(name: &str, ordinal: u64, rules: u64, hosts: u64) -> Detection {
    let rule = format!("{name}-{}", ordinal % rules);
    let event = EventId { record: RecordId { epoch: 7, offset: ordinal }, index: 0 };
    let now = SystemClock.now();
    Detection {
        id: DetectionId::of(&rule, event),
        kind: DetectionKind::Rule,
        rule_title: format!("Title of {rule}").into(),
        rule_id: rule.into(),
        rule_author: Some("Somebody".into()),
        rule_version: "0123456789abcdef".into(),
        level: if name == "signals" { Level::Low } else { Level::High },
        status: RuleStatus::Test,
        tags: vec!["attack.execution".into(), "attack.t1059.001".into()],
        time: now,
        received: now,
        detected: now,
        events: vec![event],
        source: "a-source".into(),
        log_types: vec!["windows/process_creation".into()],
        matches: vec![
            MatchedField {
                field: Some("Image".into()),
                value: "C:\\Windows\\System32\\cmd.exe".into(),
                span: Some((20, 28)),
            },
            MatchedField {
                field: Some("CommandLine".into()),
                value: "cmd /c whoami /all".repeat(5),
                span: Some((7, 13)),
            },
        ],
        entities: Entities {
            host: Some(format!("{name}-{}.corp.example", ordinal / 3 % hosts).replace(' ', "-")),
            user: Some(format!("CORP\\{name}-{}", ordinal / 3 % hosts)),
            source_address: None,
        },
        run: None,
    }
}
