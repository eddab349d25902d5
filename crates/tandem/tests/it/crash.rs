//! The process is killed under load, again and again: what was acknowledged is there, once.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tandem_testkit::program::{Site, run, tandem, wait_for};

/// Kills in an ordinary check; `TANDEM_KILLS` asks for more.
const KILLS: u32 = 3;

/// Posts one line and says whether it was acknowledged.
fn post(address: &str, token: &str, line: &str) -> Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "POST /ingest HTTP/1.1\r\nhost: x\r\nauthorization: Splunk {token}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{line}",
        line.len()
    )?;
    let mut status = String::new();
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut status)?;
    let mut rest = Vec::new();
    reader.take(64 << 10).read_to_end(&mut rest)?;
    Ok(status.contains(" 200"))
}

fn attack(number: u64) -> String {
    json!({
        "@timestamp": "2026-11-24T13:00:00.000Z",
        "host": {"name": format!("PC-{number}")},
        "winlog": {
            "channel": "Microsoft-Windows-Sysmon/Operational", "event_id": "1", "provider_name": "Microsoft-Windows-Sysmon",
            "computer_name": format!("PC-{number}"),
            "event_data": {"Image": "C:\\Windows\\System32\\vssadmin.exe", "CommandLine": format!("vssadmin delete shadows /marker:m{number}x")},
        },
    })
    .to_string()
}

#[test]
fn what_was_acknowledged_is_stored_once_and_each_attack_is_detected_once() -> Result<()> {
    let kills = std::env::var("TANDEM_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let folder = tempfile::tempdir()?;
    let data = folder.path().display().to_string();
    ensure!(run(&["site", "init", "--data", &data])?.status.success());
    // Seals often, so that kills fall into them, too.
    let toml = std::fs::read_to_string(folder.path().join("tandem.toml"))?;
    std::fs::write(folder.path().join("tandem.toml"), toml.replace("seal_after_s = 60", "seal_after_s = 1"))?;
    let mut site = Site::start(folder.path(), &[])?;
    let token = ingest_token(&data)?;
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut number = 0;
    for kill in 0..kills {
        let address = site.address("http").to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, token) = (Arc::clone(&stop), token.clone());
        let first = number;
        let sender = std::thread::spawn(move || {
            let mut done = Vec::new();
            let mut number = first;
            while !flag.load(Ordering::SeqCst) {
                match post(&address, &token, &attack(number)) {
                    Ok(true) => done.push(number),
                    Ok(false) => {}
                    // The process is gone; whether this one is durable nobody promised.
                    Err(_) => break,
                }
                number += 1;
            }
            (number + 1, done)
        });
        // A different moment each time; the sender's progress is the clock.
        let target = folder.path().join(format!("never-{kill}"));
        let begin = std::time::Instant::now();
        let patience = Duration::from_millis(400 + u64::from(kill % 7) * 230);
        wait_for("the moment to kill", 30, || Ok((target.exists() || begin.elapsed() > patience).then_some(())))?;
        site.kill()?;
        stop.store(true, Ordering::SeqCst);
        let (next, done) = sender.join().ok().context("the sender ends")?;
        number = next;
        ensure!(!done.is_empty(), "something was acknowledged before the kill");
        acknowledged.extend(done);
        site = Site::start(folder.path(), &[])?;
    }
    site.stop()?;
    let events = rows(&data, "SELECT id, raw FROM events")?;
    let mut markers = HashMap::new();
    let mut stored: HashMap<u64, u32> = HashMap::new();
    for event in &events {
        let Some(number) = marker(event["raw"].as_str().unwrap_or_default()) else { continue };
        markers.insert(event["id"].as_str().unwrap_or_default().to_owned(), number);
        *stored.entry(number).or_insert(0) += 1;
    }
    let mut detected: HashMap<u64, u32> = HashMap::new();
    for detection in rows(&data, "SELECT events FROM detections WHERE rule_title = 'Shadow Copies Deleted'")? {
        let id = detection["events"][0].as_str().unwrap_or_default();
        *detected.entry(*markers.get(id).context("a detection has its event")?).or_insert(0) += 1;
    }
    for number in &acknowledged {
        assert_eq!(stored.get(number), Some(&1), "record {number} of {} acknowledged", acknowledged.len());
        assert_eq!(detected.get(number), Some(&1), "detection of record {number}");
    }
    assert!(stored.values().all(|count| *count == 1), "nothing is stored twice");
    Ok(())
}

fn ingest_token(data: &str) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = tandem_api::Client::new(&std::path::Path::new(data).join("tandem.sock"));
    let made: Value = runtime.block_on(client.call(
        tandem_api::HttpMethod::POST,
        "/ingest-tokens",
        Some(&json!({"name": "load"})),
    ))?;
    Ok(made["token"].as_str().context("a token")?.to_owned())
}

fn rows(data: &str, sql: &str) -> Result<Vec<Value>> {
    let output =
        Command::new(tandem()).args(["sql", "--data", data, sql, "--limit", "100000", "--format", "json"]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// The number that the sender put into a record.
fn marker(raw: &str) -> Option<u64> {
    raw.split_once("/marker:m")?.1.split_once('x')?.0.parse().ok()
}
