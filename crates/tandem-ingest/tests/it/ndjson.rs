//! `POST /ingest`.

use crate::http::{get, gzip, post, request};
use crate::support::{Mood, OFF, Site, TOKEN, http_config};
use flate2::Compression;
use std::io::Write;
use tandem_ingest::{Cause, Config, Http};
use tandem_model::Transport;

#[tokio::test]
async fn lines_and_arrays_are_records_as_they_were_sent() {
    let site = Site::http().await;
    let answer = post("/ingest", "{\"a\": 1}\r\n\n{\"b\":\"\\u00fc\"}").token().to(&site).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(2)));
    let answer = post("/ingest/ndjson", " [ {\"c\":[1,{}]} , {\"d\":\"]\"}\n]\n").token().to(&site).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(2)));
    let answer = post("/ingest", "any text\n<1>more").token().header("Content-Type", "text/plain").to(&site).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(2)));
    let texts = ["{\"a\": 1}", "{\"b\":\"\\u00fc\"}", "{\"c\":[1,{}]}", "{\"d\":\"]\"}", "any text", "<1>more"];
    assert_eq!(site.sink.texts(), texts);
    let record = &site.sink.records()[0];
    assert_eq!((record.source.as_str(), record.transport), ("web", Transport::Http));
    assert_eq!(record.peer.unwrap().to_string(), "127.0.0.1");
    let source = &site.receivers.sources()[0];
    assert_eq!((source.name.as_str(), source.records, source.bytes), ("web", 6, texts.concat().len() as u64));
}

#[tokio::test]
async fn good_lines_are_taken_and_bad_ones_are_named() {
    let site = Site::http().await;
    let answer = post("/ingest", "{\"a\":1}\n{oops}\n5\n{\"b\":2}\n").token().to(&site).await;
    let json = answer.json();
    assert_eq!((answer.status, &json["accepted"], &json["refused"]), (200, &2.into(), &2.into()));
    assert_eq!((&json["errors"][0]["line"], &json["errors"][1]["line"]), (&2.into(), &3.into()));
    assert_eq!(post("/ingest", "nonsense").token().to(&site).await.status, 400);
    assert_eq!(post("/ingest", "\n\n").token().to(&site).await.status, 400);
    let answer = post("/ingest", "[{\"c\":1},{\"d\":]").token().to(&site).await;
    assert_eq!((answer.status, &answer.json()["accepted"], &answer.json()["refused"]), (200, &1.into(), &1.into()));
    assert_eq!(site.errors(Cause::Malformed), 3);
}

#[tokio::test]
async fn only_known_tokens_may_send() {
    let site = Site::http().await;
    for (header, status) in [
        (None, 401),
        (Some("Bearer nobody".to_owned()), 401),
        (Some("Digest x".to_owned()), 401),
        (Some(format!("Bearer {OFF}")), 403),
        (Some(format!("Bearer {TOKEN}")), 200),
    ] {
        let mut request = post("/ingest", "{}");
        if let Some(header) = &header {
            request = request.header("Authorization", header);
        }
        let answer = request.to(&site).await;
        assert_eq!(answer.status, status, "{header:?}");
        assert!(status == 200 || answer.json()["hint"].is_string());
        assert!(!answer.body.contains("nobody"), "an answer never repeats a token");
    }
    assert_eq!(site.errors(Cause::Unauthorized), 4);
    assert_eq!(get("/ingest").token().to(&site).await.status, 405);
    assert_eq!(get("/api/v1/cases").token().to(&site).await.status, 404);
    assert_eq!(request("DELETE", "/x").token().to(&site).await.status, 404);
}

#[tokio::test]
async fn without_tokens_the_peer_is_the_source() {
    let http = Http { require_token: false, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    assert_eq!(post("/ingest", "{}").to(&site).await.status, 200);
    assert_eq!(site.sink.records()[0].source, "http:127.0.0.1");
    assert_eq!(post("/ingest", "{}").header("Authorization", "Bearer nobody").to(&site).await.status, 401);
}

#[tokio::test]
async fn compressed_bodies() {
    let site = Site::http().await;
    let text = b"{\"a\":1}\n{\"a\":2}\n";
    let zlib = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let deflate = {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = zstd::bulk::compress(text, 3).unwrap();
    let two_members = [gzip(&text[..8]), gzip(&text[8..])].concat();
    for (encoding, body) in
        [("gzip", gzip(text)), ("gzip", two_members), ("deflate", zlib), ("deflate", deflate), ("zstd", zstd)]
    {
        let answer = post("/ingest", body).token().header("Content-Encoding", encoding).to(&site).await;
        assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(2)), "{encoding}");
    }
    assert_eq!(site.sink.count(), 10);
    let answer = post("/ingest", text).token().header("Content-Encoding", "br").to(&site).await;
    assert_eq!(answer.status, 415);
    for encoding in ["gzip", "zstd"] {
        let answer = post("/ingest", text).token().header("Content-Encoding", encoding).to(&site).await;
        assert_eq!(answer.status, 400, "{encoding}");
    }
    let cut = gzip(text);
    let answer = post("/ingest", &cut[..cut.len() - 6]).token().header("Content-Encoding", "gzip").to(&site).await;
    assert_eq!(answer.status, 400, "a stream without its end");
    assert_eq!(site.sink.count(), 10, "nothing of a broken body is taken when it is a single batch");
}

#[tokio::test]
async fn a_full_sink_is_told_to_the_sender() {
    let site = Site::http().await;
    site.sink.is(Mood::Full);
    let answer = post("/ingest", "{}").token().to(&site).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("5")));
    site.sink.is(Mood::Breaks);
    assert_eq!(post("/ingest", "{}").token().to(&site).await.status, 503);
    site.sink.is(Mood::Closed);
    assert_eq!(post("/ingest", "{}").token().to(&site).await.status, 503);
    assert_eq!((site.errors(Cause::SinkFull), site.errors(Cause::SinkFailed), site.sink.count()), (1, 1, 0));
    site.sink.is(Mood::Takes);
    assert_eq!(post("/ingest", "{}").token().to(&site).await.status, 200);
}

#[tokio::test]
async fn the_answer_waits_for_durability() {
    let site = Site::http().await;
    site.sink.is(Mood::Holds);
    let request = post("/ingest", "{}").token();
    let answer = request.to(&site);
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => panic!("answered before the sink: {answer:?}"),
        () = site.sink.until("asked", |sink| sink.asked.load(std::sync::atomic::Ordering::SeqCst) == 1) => {}
    }
    site.sink.is(Mood::Takes);
    assert_eq!(answer.await.status, 200);
    assert_eq!(site.sink.count(), 1);
}
