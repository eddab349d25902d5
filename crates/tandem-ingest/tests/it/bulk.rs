//! Elasticsearch `_bulk` and what clients ask before.

use crate::http::{get, gzip, post, request};
use crate::support::{Mood, Site, TOKEN, http_config};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tandem_ingest::{Cause, Config, Http};

#[tokio::test]
async fn items_are_answered_in_order() {
    let site = Site::http().await;
    let body = r#"{"create":{"_index":"logs-a"}}
{"m":1}
{"index":{"_index":"logs-b","_id":"7"}}
{ "m": 2 }
{"delete":{"_index":"logs-b","_id":"8"}}
{"update":{"_index":"logs-b","_id":"9"}}
{"doc":{"m":3}}
{"create":{}}
not json
{"create":{"_id":5}}
[1]
{"create":{}}
{"m":4}
"#;
    let answer = post("/logs-path/_bulk?filter_path=errors", body).token().to(&site).await;
    let json = answer.json();
    assert_eq!((answer.status, &json["errors"]), (200, &true.into()));
    let seen: Vec<_> = json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let (verb, item) = item.as_object().unwrap().iter().next().unwrap();
            format!("{verb} {} {}", item["_index"].as_str().unwrap(), item["status"])
        })
        .collect();
    let expected = [
        "create logs-a 201",
        "index logs-b 201",
        "delete logs-b 400",
        "update logs-b 400",
        "create logs-path 400",
        "create logs-path 400",
        "create logs-path 201",
    ];
    assert_eq!(seen, expected);
    assert_eq!(json["items"][1]["index"]["_id"], "7");
    assert!(!json["items"][0]["create"]["_id"].as_str().unwrap().is_empty());
    assert_eq!(json["items"][4]["create"]["error"]["type"], "document_parsing_exception");
    assert_eq!(site.sink.texts(), ["{\"m\":1}", "{ \"m\": 2 }", "{\"m\":4}"]);
    let records = site.sink.records();
    assert_eq!((records[1].fact("bulk.index"), records[1].fact("bulk.id")), (Some("logs-b"), Some("7")));
    assert_eq!((records[2].fact("bulk.index"), records[2].fact("bulk.id")), (Some("logs-path"), None));
    assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"));
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_whole() {
    let site = Site::http().await;
    for body in [
        "",
        "\n",
        "{\"create\":{\"_index\":\"a\"}}\n",
        "nonsense\n{}\n",
        "{\"what\":{}}\n{}\n",
        "{\"create\":{},\"index\":{}}\n{}\n",
        "[]\n{}\n",
        "{\"create\":5}\n{}\n",
    ] {
        let answer = post("/_bulk", body).token().to(&site).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["error"]["reason"].is_string());
    }
    assert_eq!(site.sink.count(), 0);
    let answer = post("/_bulk", "{\"index\":{}}\n{}\n").token().to(&site).await;
    assert_eq!(answer.json()["items"][0]["index"]["error"]["type"], "invalid_index_name_exception");
    assert_eq!(site.errors(Cause::Malformed), 9);
}

#[tokio::test]
async fn tokens_in_every_form_of_its_clients() {
    let site = Site::http().await;
    let body = "{\"index\":{\"_index\":\"a\"}}\n{}\n";
    for (header, status) in [
        (format!("ApiKey {}", STANDARD.encode(format!("id:{TOKEN}"))), 200),
        (format!("ApiKey {TOKEN}"), 200),
        (format!("Basic {}", STANDARD.encode(format!("elastic:{TOKEN}"))), 200),
        (format!("Bearer {TOKEN}"), 200),
        ("ApiKey aWQ6a2V5".to_owned(), 401),
    ] {
        let answer = post("/_bulk", body).header("Authorization", &header).to(&site).await;
        assert_eq!(answer.status, status, "{header}");
    }
    let answer = get("/").to(&site).await;
    assert_eq!((answer.status, answer.json()["error"]["type"].as_str()), (401, Some("security_exception")));
    assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"));
}

#[tokio::test]
async fn back_pressure_names_the_items_that_are_not_durable() {
    let http = Http { batch_bytes: 1000, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    site.sink.is(Mood::Full);
    let body = "{\"index\":{\"_index\":\"a\"}}\n{\"m\":1}\n".repeat(10);
    let answer = post("/_bulk", &body).token().to(&site).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("5")));
    assert_eq!(answer.json()["error"]["type"], "es_rejected_execution_exception");
    assert_eq!(site.sink.count(), 0);
    site.sink.is(Mood::Breaks);
    assert_eq!(post("/_bulk", &body).token().to(&site).await.status, 503);
}

#[tokio::test]
async fn once_a_part_is_durable_only_the_rest_is_refused() {
    let http = Http { batch_bytes: 1000, room_timeout_s: 0, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    site.sink.is(Mood::TakesThenFull(1));
    let body = "{\"index\":{\"_index\":\"a\"}}\n{\"m\":1}\n".repeat(10);
    let answer = post("/_bulk", &body).token().to(&site).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    let statuses: Vec<_> =
        json["items"].as_array().unwrap().iter().map(|item| item["index"]["status"].as_u64().unwrap()).collect();
    let taken = site.sink.count();
    assert!(taken > 0 && taken < 10, "{taken}");
    assert!(statuses[..taken].iter().all(|status| *status == 201));
    assert!(statuses[taken..].iter().all(|status| *status == 429));
}

#[tokio::test]
async fn single_documents() {
    let site = Site::http().await;
    for (method, path, status) in [
        ("POST", "/logs/_doc", 201),
        ("PUT", "/logs/_doc/5", 201),
        ("PUT", "/logs/_create/6", 201),
        ("POST", "/logs/_search", 404),
    ] {
        let mut call = post(path, "{\"m\":\n1}").token();
        if method == "PUT" {
            call = request("PUT", path).token();
        }
        let answer = call.to(&site).await;
        assert_eq!(answer.status, if method == "PUT" { 400 } else { status }, "{path}");
    }
    assert_eq!(site.sink.texts(), ["{\"m\":\n1}"]);
}

/// Looking around, in the words of the clients; statuses and the parts that clients read.
#[tokio::test]
async fn probes_are_answered() {
    let site = Site::http().await;
    for (method, path, status) in [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/_license?human=false", 200),
        ("GET", "/_xpack", 200),
        ("GET", "/_cluster/health", 200),
        ("GET", "/_nodes/http", 200),
        ("GET", "/_nodes/ingest", 200),
        ("GET", "/_cat/indices?format=json", 200),
        ("GET", "/_ilm/policy/winlogbeat", 200),
        ("PUT", "/_ilm/policy/winlogbeat", 200),
        ("HEAD", "/_index_template/winlogbeat-9.5.0", 200),
        ("PUT", "/_index_template/winlogbeat-9.5.0", 200),
        ("PUT", "/_component_template/x", 200),
        ("GET", "/_data_stream/winlogbeat-9.5.0", 200),
        ("PUT", "/_data_stream/winlogbeat-9.5.0", 200),
        ("GET", "/_ingest/pipeline/x", 200),
        ("PUT", "/_ingest/pipeline/x", 200),
        ("HEAD", "/logs-2026", 200),
        ("PUT", "/logs-2026", 200),
        ("GET", "/logs-2026", 404),
        ("DELETE", "/logs-2026", 404),
        ("GET", "/_search", 404),
    ] {
        let answer = request(method, path).token().to(&site).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(method != "HEAD" || answer.body.is_empty(), "{method} {path}");
        if status == 200 {
            assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"), "{method} {path}");
        }
    }
    let root =
        get("/").token().header("Accept", "application/vnd.elasticsearch+json; compatible-with=8").to(&site).await;
    assert_eq!(root.json()["version"]["number"], "9.99.0");
    assert_eq!(root.json()["tagline"], "You Know, for Search");
    assert_eq!(root.header("content-type"), Some("application/vnd.elasticsearch+json;compatible-with=8"));
    let license = get("/_license").token().to(&site).await.json();
    assert_eq!(
        license["license"],
        json!({
            "status": "active", "uid": license["license"]["uid"], "type": "basic", "issue_date_in_millis": 0,
            "issued_to": "tandem", "issuer": "elasticsearch", "max_nodes": 1000, "start_date_in_millis": -1,
        })
    );
}

#[tokio::test]
async fn limits_of_a_request() {
    let http = Http { max_items: 3, max_event_bytes: 100, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    let four = "{\"index\":{\"_index\":\"a\"}}\n{}\n".repeat(4);
    assert_eq!(
        post("/_bulk", gzip(four.as_bytes())).header("Content-Encoding", "gzip").token().to(&site).await.status,
        413
    );
    let long = format!(
        "{{\"index\":{{\"_index\":\"a\"}}}}\n{{\"m\":\"{}\"}}\n{{\"index\":{{\"_index\":\"a\"}}}}\n{{}}\n",
        "x".repeat(200)
    );
    let json = post("/_bulk", long).token().to(&site).await.json();
    assert_eq!(
        (&json["items"][0]["index"]["status"], &json["items"][1]["index"]["status"]),
        (&413.into(), &201.into())
    );
}
