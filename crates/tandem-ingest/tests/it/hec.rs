//! The Splunk HTTP event collector.

use crate::http::{get, gzip, post};
use crate::support::{Mood, OFF, Site, TOKEN, http_config};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tandem_ingest::{Cause, Config, Hec, HecAck, Http};

const CHANNEL: &str = "fe0ecfad-13d5-401b-847d-77833bd77131";

async fn with(hec: Hec) -> Site {
    Site::start(Config { http: vec![Http { hec, ..http_config() }], ..Config::default() }).await
}

async fn event(site: &Site, body: &str) -> (u16, Value) {
    let answer =
        post("/services/collector/event", body).header("Authorization", &format!("Splunk {TOKEN}")).to(site).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn events_keep_their_text_and_facts() {
    let site = Site::http().await;
    let body = r#"{"time":1433188255.253,"host":"h1","source":"app.log","sourcetype":"access","index":"main","event":"hello \"x\""}
        {"time":"1433188255","event":{"b":1, "a":[2]},"fields":{"region":"eu","tags":["x","y"],"n":5}}{"event":7}"#;
    assert_eq!(event(&site, body).await, (200, json!({"text": "Success", "code": 0})));
    assert_eq!(site.sink.texts(), ["hello \"x\"", "{\"b\":1, \"a\":[2]}", "7"]);
    let records = site.sink.records();
    let facts: Vec<_> = records[0].facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = [
        "hec.time=2015-06-01T19:50:55.253Z",
        "hec.host=h1",
        "hec.source=app.log",
        "hec.sourcetype=access",
        "hec.index=main",
    ];
    assert_eq!(facts, expected);
    let facts: Vec<_> = records[1].facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected =
        ["hec.time=2015-06-01T19:50:55Z", "hec.field.region=eu", "hec.field.tags=[\"x\",\"y\"]", "hec.field.n=5"];
    assert_eq!(facts, expected);
    assert_eq!(records[0].source, "web");
}

#[tokio::test]
async fn every_address_takes_events() {
    let site = Site::http().await;
    let paths = ["", "/1.0", "/event", "/event/1.0"];
    for path in paths {
        let answer = post(&format!("/services/collector{path}"), r#"{"event":"x"}"#).token().to(&site).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    for path in ["/raw", "/raw/1.0"] {
        let answer = post(&format!("/services/collector{path}"), "x\r\n\ny").token().to(&site).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let answer = post("/services/collector", gzip(br#"{"event":"x"}"#)).token().header("Content-Encoding", "gzip");
    assert_eq!(answer.to(&site).await.status, 200);
    assert_eq!(site.sink.texts(), ["x", "x", "x", "x", "x", "y", "x", "y", "x"]);
    for path in ["/services/collector/health", "/services/collector/health/1.0"] {
        let answer = get(path).to(&site).await;
        assert_eq!((answer.status, answer.json()["code"].as_u64()), (200, Some(17)));
    }
}

#[tokio::test]
async fn raw_takes_facts_from_the_address() {
    let site = Site::http().await;
    let path =
        "/services/collector/raw?sourcetype=a%20b&host=h&time=1433188255&channel=fe0ecfad-13d5-401b-847d-77833bd77131";
    let answer = post(path, "one\ntwo\n").token().to(&site).await;
    assert_eq!((answer.status, answer.json()["ackId"].as_u64()), (200, Some(0)));
    for record in site.sink.records() {
        assert_eq!((record.fact("hec.sourcetype"), record.fact("hec.host")), (Some("a b"), Some("h")));
        assert_eq!(record.fact("hec.time"), Some("2015-06-01T19:50:55Z"));
    }
}

#[tokio::test]
async fn error_codes_of_events() {
    let site = with(Hec { indexes: vec!["main".to_owned()], ..Hec::default() }).await;
    for (body, code, number) in [
        ("", 5, None),
        ("  \n", 5, None),
        ("{", 6, Some(0)),
        ("hello", 6, Some(0)),
        (r#"{"event":"x"}{"event":"y"} nonsense"#, 6, Some(2)),
        (r#"{"event":"x","time":"yesterday"}"#, 6, Some(0)),
        (r#"{"event":"x","host":{}}"#, 6, Some(0)),
        (r#"{"event":"x","index":"other"}"#, 7, Some(0)),
        (r#"{"event":"x"}{"host":"h"}"#, 12, Some(1)),
        (r#"{"event":null}"#, 12, Some(0)),
        (r#"{"event":""}"#, 13, Some(0)),
        (r#"{"event":"x","fields":{"a":{"b":1}}}"#, 15, Some(0)),
        (r#"{"event":"x","fields":[1]}"#, 15, Some(0)),
    ] {
        let (status, answer) = event(&site, body).await;
        assert_eq!((status, answer["code"].as_u64()), (400, Some(code)), "{body}");
        assert_eq!(answer["invalid-event-number"].as_u64(), number, "{body}");
    }
    assert_eq!(site.sink.texts(), ["x", "y", "x"], "the events before the wrong one are taken");
    assert_eq!(site.errors(Cause::Malformed), 13);
    let source = &site.receivers.sources()[0];
    assert!(source.last_error.as_ref().unwrap().1.contains("indexed fields"));
}

#[tokio::test]
async fn error_codes_of_authorization() {
    let site = Site::http().await;
    for (header, status, code) in [
        (None, 401, 2),
        (Some("Splunk".to_owned()), 401, 3),
        (Some("Digest x".to_owned()), 401, 3),
        (Some("Splunk 1".to_owned()), 403, 4),
        (Some(format!("Splunk {OFF}")), 403, 1),
        (Some(format!("Basic {}", STANDARD.encode(format!("x:{TOKEN}")))), 200, 0),
    ] {
        let mut request = post("/services/collector", r#"{"event":"x"}"#);
        if let Some(header) = &header {
            request = request.header("Authorization", header);
        }
        let answer = request.to(&site).await;
        assert_eq!((answer.status, answer.json()["code"].as_u64()), (status, Some(code)), "{header:?}");
    }
    let path = format!("/services/collector?token={TOKEN}");
    let answer = post(&path, r#"{"event":"x"}"#).to(&site).await;
    assert_eq!((answer.status, answer.json()["code"].as_u64()), (400, Some(16)));
    let site = with(Hec { query_token: true, ..Hec::default() }).await;
    assert_eq!(post(&path, r#"{"event":"x"}"#).to(&site).await.status, 200);
}

#[tokio::test]
async fn acknowledgement_of_what_is_durable() {
    let site = Site::http().await;
    let send = || post("/services/collector", r#"{"event":"x"}"#).token().header("X-Splunk-Request-Channel", CHANNEL);
    for expected in 0..2 {
        assert_eq!(send().to(&site).await.json(), json!({"text": "Success", "code": 0, "ackId": expected}));
    }
    site.sink.is(Mood::Full);
    let answer = send().to(&site).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_u64(), answer.header("retry-after")),
        (503, Some(9), Some("5"))
    );
    site.sink.is(Mood::Breaks);
    assert_eq!(send().to(&site).await.json()["code"], 8);
    let ask = |channel: &str| {
        post("/services/collector/ack", r#"{"acks":[0,1,2]}"#).token().header("X-Splunk-Request-Channel", channel)
    };
    for _ in 0..2 {
        assert_eq!(ask(CHANNEL).to(&site).await.json(), json!({"acks": {"0": true, "1": true, "2": false}}));
    }
    let other = CHANNEL.replace('f', "0");
    assert_eq!(ask(&other).to(&site).await.json(), json!({"acks": {"0": false, "1": false, "2": false}}));
    assert_eq!(ask("not-a-guid").to(&site).await.json()["code"], 11);
    let path = format!("/services/collector/ack?channel={CHANNEL}");
    assert_eq!(post(&path, r#"{"acks":[1]}"#).token().to(&site).await.json(), json!({"acks": {"1": true}}));
    assert_eq!(post(&path, "[]x").token().to(&site).await.json()["code"], 6);
    assert_eq!(post("/services/collector/ack", r#"{"acks":[1]}"#).token().to(&site).await.json()["code"], 10);
    assert_eq!(post(&path, r#"{"acks":[1]}"#).to(&site).await.json()["code"], 2);
}

#[tokio::test]
async fn acknowledgement_can_be_off_or_required() {
    let site = with(Hec { ack: HecAck::Off, ..Hec::default() }).await;
    let path = format!("/services/collector/ack?channel={CHANNEL}");
    assert_eq!(post(&path, r#"{"acks":[1]}"#).token().to(&site).await.json()["code"], 14);
    let path = format!("/services/collector?channel={CHANNEL}");
    assert_eq!(post(&path, r#"{"event":"x"}"#).token().to(&site).await.json(), json!({"text": "Success", "code": 0}));
    let site = with(Hec { ack: HecAck::Required, ..Hec::default() }).await;
    assert_eq!(event(&site, r#"{"event":"x"}"#).await.1["code"], 10);
    assert_eq!(site.sink.count(), 0);
}
