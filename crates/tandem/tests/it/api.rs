//! The API over a running site: from a record to a closed case, and what people look at on the way.

use crate::world::{World, process_start};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tandem_api::HttpMethod;
use tandem_base::{Clock, SystemClock};
use tandem_testkit::program::wait_for;

const RULE: &str = "94a5a1a7-a36c-5702-99b4-6363f106eaa7";

fn now() -> String {
    SystemClock.now().to_string()
}

/// One attack and one harmless start of a program, delivered; answers the case that it became.
fn attacked(world: &World) -> Result<String> {
    let host = "WS-042.nordwind.example";
    world.deliver(
        "ws-042",
        &[
            process_start(host, "C:\\Tools\\procdump64.exe", "procdump64.exe -ma lsass.exe l.dmp", &now()),
            process_start(host, "C:\\Windows\\System32\\calc.exe", "calc.exe", &now()),
        ],
    )?;
    world.wait("the case", "/cases", |page| page["items"][0]["id"].as_str().map(str::to_owned))
}

fn allowed(case: &Value, act: &str) -> Option<bool> {
    case["allowed"].as_array()?.iter().find(|each| each["act"] == act)?["allowed"].as_bool()
}

fn kinds(case: &Value) -> Vec<&str> {
    case["timeline"]
        .as_array()
        .map(|list| list.iter().filter_map(|line| line["kind"].as_str()).collect())
        .unwrap_or_default()
}

#[test]
fn a_detection_becomes_a_case_that_people_work_on() -> Result<()> {
    let world = World::new()?;
    let id = attacked(&world)?;
    let noor = world.person("noor", &["analyst_l1"])?;
    let dana = world.person("dana", &["analyst_l1"])?;
    let vera = world.person("vera", &["viewer"])?;
    let path = format!("/cases/{id}");

    let seen = noor.get(&path)?;
    assert_eq!((seen.status, seen.header("etag")), (200, Some("\"1\"")));
    let case = seen.json();
    assert_eq!(case["title"], "Memory of LSASS Dumped with a Dump Tool on WS-042.nordwind.example");
    assert_eq!(
        case["entities"],
        json!([{"kind": "host", "name": "WS-042.nordwind.example"}, {"kind": "user", "name": "NORDWIND\\m.keller"}])
    );
    let fired = &case["why_it_fired"][0];
    assert_eq!((&fired["rule_id"], &fired["count"]), (&json!(RULE), &json!(1)));
    assert!(fired["in_words"].as_str().is_some_and(|text| text.contains("CommandLine contains 'lsass'")), "{fired}");
    assert_eq!(kinds(&case), ["detection", "act"]);
    assert_eq!(case["timeline"][0]["decisive"], true);
    assert_eq!((allowed(&case, "take"), allowed(&case, "recover")), (Some(true), Some(false)));
    assert_eq!(allowed(&vera.get(&path)?.json(), "take"), Some(false));

    // Taken, taken back, taken by somebody else, too late for the first.
    let acts = format!("{path}/acts");
    let taken = noor.clone().with("if-match", "\"1\"").api("POST", &acts, &json!({"act": "take"}))?;
    ensure!(taken.status == 200, "{}", taken.body);
    let taken = taken.json();
    assert_eq!((&taken["state"], &taken["owner"]["name"]), (&json!("triage"), &json!("noor")));
    let act = taken["timeline"].as_array().and_then(|list| list.iter().rev().find_map(|line| line["act_id"].as_str()));
    let act = act.context("an act can be taken back at first")?;
    assert_eq!(dana.api("POST", &format!("{path}/undo"), &json!({"act_id": act}))?.status, 422);
    let back = noor.api("POST", &format!("{path}/undo"), &json!({"act_id": act}))?;
    assert_eq!((back.status, &back.json()["state"]), (200, &json!("new")));
    assert_eq!(dana.api("POST", &acts, &json!({"act": "take"}))?.status, 200);
    let late = noor.clone().with("if-match", "\"1\"").api("POST", &acts, &json!({"act": "take"}))?;
    assert_eq!((late.status, &late.json()["type"]), (409, &json!("taken")));
    assert!(late.json()["because"].as_str().is_some_and(|text| text.starts_with("dana took it ")), "{}", late.body);
    let stale =
        noor.clone().with("if-match", "\"1\"").api("POST", &acts, &json!({"act": "note", "text": "is it a test?"}))?;
    assert_eq!((stale.status, &stale.json()["type"]), (409, &json!("conflict")));
    assert!(stale.json()["because"].as_str().is_some_and(|text| text.contains("dana acted on")), "{}", stale.body);
    let refused = vera.api("POST", &acts, &json!({"act": "note", "text": "hello"}))?;
    assert_eq!((refused.status, &refused.json()["because"]), (403, &json!("none of your roles allows `case note`")));

    // To the end, and the next one is like it.
    let closed =
        dana.api("POST", &acts, &json!({"act": "close", "verdict": "test", "reason": "the red team was announced"}))?;
    assert_eq!((closed.status, &closed.json()["verdict"]), (200, &json!("test")), "{}", closed.body);
    let home = dana.get("/home")?.json();
    assert_eq!((&home["status"]["cases_mine"], &home["status"]["detections_24h"]), (&json!(0), &json!(1)));
    assert_eq!(home["strip"].as_array().map(Vec::len), Some(24));
    assert_eq!(home["detections"][0]["case"], id.as_str());
    Ok(())
}

#[test]
fn cases_opened_by_hand_are_merged_and_closed_in_bulk() -> Result<()> {
    let world = World::new()?;
    let noor = world.person("noor", &["analyst_l1"])?;
    let open = |title: &str| -> Result<String> {
        let made = noor.api("POST", "/cases", &json!({"title": title, "priority": "P2", "text": "by phone"}))?;
        assert_eq!(made.status, 201, "{}", made.body);
        let case = made.json();
        assert_eq!(case["timeline"][0]["kind"], "note");
        Ok(case["id"].as_str().context("a case has an id")?.to_owned())
    };
    let (first, second, third) = (open("Odd call")?, open("The same odd call")?, open("Another")?);
    let merged = noor.api(
        "POST",
        &format!("/cases/{second}/acts"),
        &json!({"act": "close", "verdict": "duplicate", "into": first}),
    )?;
    assert_eq!(
        (merged.status, &merged.json()["state"], &merged.json()["verdict"]),
        (200, &json!("merged"), &json!("duplicate"))
    );
    assert_eq!(merged.json()["linked"][0]["id"], first.as_str());
    let bulk = json!({"ids": [first, second, third, "C-99", "x"], "act": "close", "verdict": "false_positive", "reason": "a prank"});
    let result = noor.api("POST", "/cases/bulk", &bulk)?.json();
    assert_eq!(result["done"], json!([first, third]));
    let because: Vec<&str> =
        result["not_done"].as_array().context("a list")?.iter().filter_map(|each| each["because"].as_str()).collect();
    assert_eq!(
        because,
        [format!("the case was merged into {first}").as_str(), "there is no case `C-99`", "this case does not exist"]
    );
    let counts = noor.get("/cases?view=closed&sort=-opened&limit=2")?.json();
    assert_eq!((&counts["counts"]["closed"], counts["items"].as_array().map(Vec::len)), (&json!(3), Some(2)));
    let cursor = counts["next_cursor"].as_str().context("there is a next page")?;
    let next = noor.get(&format!("/cases?view=closed&sort=-opened&limit=2&cursor={cursor}"))?.json();
    assert_eq!(next["items"].as_array().map(Vec::len), Some(1));
    for wrong in ["view=x", "sort=x", "priority=P9", "cursor=x"] {
        assert_eq!(noor.get(&format!("/cases?{wrong}"))?.status, 422, "{wrong}");
    }
    Ok(())
}

#[test]
fn whoever_reads_events_leaves_a_record() -> Result<()> {
    let world = World::new()?;
    let case = attacked(&world)?;
    let lines =
        world.lines("/search", &json!({"query": "lsass", "histogram": {"buckets": 4}, "facets": ["user.name"]}))?;
    let of = |kind: &str| lines.iter().find(|line| line["kind"] == kind).cloned().unwrap_or_default();
    let row = &of("rows")["rows"][0];
    assert_eq!((&row["source"], &row["fields"]["user.name"]), (&json!("ws-042"), &json!("m.keller")));
    assert_eq!(of("histogram")["buckets"].as_array().map(Vec::len), Some(4));
    assert_eq!(of("facets")["facets"][0]["values"], json!([{"value": "m.keller", "count": 1}]));
    assert_eq!((&of("done")["total"], &of("done")["limited"]), (&json!(1), &json!(false)));
    let event = row["id"].as_str().context("a row has an id")?;
    assert_eq!(world.get(&format!("/events/{event}"))?["vendor"]["Image"], "C:\\Tools\\procdump64.exe");
    assert_eq!(world.get(&format!("/events/{event}/around?seconds=3600"))?["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.get(&format!("/cases/{case}/events"))?["items"][0]["id"], event);
    let detection = world.get("/detections")?["items"][0]["id"].as_str().context("there is a detection")?.to_owned();
    assert_eq!(world.get(&format!("/detections/{detection}"))?["event"]["id"], event);
    let sql = world.lines("/sql", &json!({"sql": "SELECT count(*) AS n FROM events"}))?;
    assert_eq!(sql[..2], [json!({"columns": ["n"]}), json!({"row": [2]})]);
    let table = world.lines("/search", &json!({"query": "* | stats count by source"}))?;
    assert!(
        table.contains(&json!({"kind": "table", "columns": ["source", "count"], "rows": [["ws-042", 2]]})),
        "{table:?}"
    );

    let log = world.get("/log?q=event_")?;
    let reads: Vec<(&str, u64)> = log["items"]
        .as_array()
        .context("a list")?
        .iter()
        .rev()
        .filter_map(|entry| {
            Some((entry["detail"]["query"].as_str()?.split(" [").next()?, entry["detail"]["rows"].as_u64()?))
        })
        .collect();
    let (one, around, of_case) =
        (format!("event {event}"), format!("3600 s around event {event}"), format!("events of {case}"));
    let of_detection = format!("event of detection {detection}");
    let expected = [
        ("lsass", 1),
        (one.as_str(), 1),
        (around.as_str(), 2),
        (of_case.as_str(), 1),
        (of_detection.as_str(), 1),
        ("SELECT count(*) AS n FROM events", 1),
        ("* | stats count by source", 1),
    ];
    assert_eq!(reads, expected);
    assert!(log["items"][0]["detail"]["result_sha256"].as_str().is_some_and(|hash| hash.len() == 64));

    // What cannot be answered says where it is wrong, and nothing was read.
    let wrong = world.web().bearer("x").get("/fields")?;
    assert_eq!((wrong.status, &wrong.json()["type"]), (401, &json!("token-invalid")));
    let noor = world.person("noor", &["analyst_l2"])?;
    let wrong = noor.api("POST", "/search", &json!({"query": "user.name:("}))?;
    assert_eq!(
        (wrong.status, &wrong.json()["type"], &wrong.json()["problems"][0]["start"]),
        (400, &json!("query-invalid"), &json!(10))
    );
    let wrong = noor.api("POST", "/search", &json!({"query": "x", "from": "yesterday"}))?;
    assert_eq!((wrong.status, &wrong.json()["title"]), (422, &json!("`from` is not a time")));
    assert_eq!(noor.api("POST", "/sql", &json!({"sql": "DELETE FROM events"}))?.status, 400);
    assert_eq!(noor.get("/events/0000000000000001-7-0")?.status, 404);
    Ok(())
}

#[test]
fn sources_rules_and_tokens_are_looked_after() -> Result<()> {
    let world = World::new()?;
    attacked(&world)?;
    let source = world.wait("the source", "/sources", |page| page["items"].get(0).cloned())?;
    assert_eq!((&source["id"], &source["health"], &source["records"]), (&json!("ws-042"), &json!("new"), &json!(2)));
    let change = json!({"owner": "workplace team", "note": "rebuilt in May"});
    let detail = world.send(HttpMethod::PATCH, "/sources/ws-042", &change)?;
    assert_eq!((&detail["owner"], &detail["note"]), (&json!("workplace team"), &json!("rebuilt in May")));
    let stages: Vec<(&str, bool)> = detail["diagnosis"]
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|line| Some((line["stage"].as_str()?, line["ok"].as_bool()?)))
        .collect();
    assert_eq!(stages, [("network", true), ("format", true), ("time", true), ("parse", true), ("rules", true)]);
    assert!(detail["rules_fed"].as_u64().is_some_and(|count| count > 10), "{}", detail["rules_fed"]);
    let receivers = world.get("/receivers")?;
    let http = receivers["items"]
        .as_array()
        .and_then(|list| list.iter().find(|each| each["kind"] == "http"))
        .context("HTTP is open")?;
    assert_eq!(http["records"], 2);
    let port =
        http["address"].as_str().and_then(|address| address.rsplit(':').next()).context("an address has a port")?;
    let curl = receivers["snippets"]
        .as_array()
        .and_then(|list| list.iter().find(|each| each["title"] == "curl"))
        .context("a snippet")?;
    assert!(
        curl["text"].as_str().is_some_and(|text| text.contains(&format!("http://127.0.0.1:{port}/ingest"))),
        "{curl}"
    );

    // A rule is switched off with a reason, and says so.
    let rule = format!("/rules/{RULE}");
    let is_fed = |page: &Value| (page["state"] == "active").then_some(());
    world.wait("the rule being fed", &rule, is_fed)?;
    assert_eq!(world.get(&rule)?["hits_24h"], 1);
    let off = world.send(HttpMethod::PATCH, &rule, &json!({"enabled": false}));
    assert!(off.is_err(), "a reason is needed");
    let off = world.send(HttpMethod::PATCH, &rule, &json!({"enabled": false, "reason": "the red team works"}))?;
    assert_eq!(
        (&off["state"], &off["reason"], &off["enabled"]),
        (&json!("off"), &json!("the red team works"), &json!(false))
    );
    let listed = world.get("/rules?state=off")?;
    assert_eq!((&listed["items"][0]["id"], &listed["counts"]["off"]), (&json!(RULE), &json!(1)));

    // A token that was ended opens nothing any more.
    let made = world.post("/ingest-tokens", &json!({"name": "edge"}))?;
    let (id, secret) = (made["id"].as_str().context("an id")?, made["token"].as_str().context("a secret")?);
    let sender = world.ingest().bearer(secret);
    assert_eq!(sender.send("POST", "/ingest", Some("{}"))?.status, 200);
    world.send(HttpMethod::DELETE, &format!("/ingest-tokens/{id}"), &json!({}))?;
    assert_eq!(sender.send("POST", "/ingest", Some("{}"))?.status, 401);
    let names: Vec<Value> = world.get("/ingest-tokens")?["items"]
        .as_array()
        .context("a list")?
        .iter()
        .map(|each| each["name"].clone())
        .collect();
    assert_eq!(names, ["ws-042"]);
    Ok(())
}

#[test]
fn the_program_tells_how_it_is() -> Result<()> {
    let world = World::new()?;
    let health = world.wait("readiness", "/health", |health| (health["ready"] == true).then(|| health.clone()))?;
    let wrong: Vec<&Value> =
        health["checks"].as_array().context("a list")?.iter().filter(|check| check["ok"] == false).collect();
    assert_eq!(wrong, Vec::<&Value>::new());
    let settings = world.get("/settings")?;
    assert_eq!(settings["config"]["site"]["name"], "Test");
    assert!(
        settings["warnings"][0].as_str().is_some_and(|text| text.contains("without a second factor: admin")),
        "{settings}"
    );
    let web = world.web();
    assert_eq!(
        (web.send("GET", "/healthz", None)?.status, web.send("GET", "/healthz", None)?.body.as_str()),
        (200, "ready\n")
    );
    let metrics = web.send("GET", "/metrics", None)?;
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in metrics.body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').context("a sample has a value")?;
        assert!(name.starts_with("tandem_") && value.parse::<u64>().is_ok(), "{line}");
    }
    // Behind a proxy the address of the peer says nothing.
    let proxied = web.clone().with("x-forwarded-for", "192.0.2.1");
    assert_eq!(proxied.send("GET", "/metrics", None)?.status, 401);
    let vera = world.person("vera", &["viewer"])?;
    assert_eq!(vera.with("x-forwarded-for", "192.0.2.1").send("GET", "/metrics", None)?.status, 200);
    assert_eq!(world.get("/openapi.json")?, tandem_api::openapi());
    assert_eq!(world.get("/fields")?["items"][0]["name"], "time");
    assert_eq!(world.get("/runs")?["items"], json!([]));
    Ok(())
}

#[test]
fn two_people_see_that_they_look_at_the_same_case() -> Result<()> {
    let world = World::new()?;
    let (noor, dana) = (world.person("noor", &["analyst_l1"])?, world.person("dana", &["analyst_l1"])?);
    let look = |web: &crate::web::Web, object: &str| web.api("PUT", "/presence", &json!({ "object": object }));
    assert_eq!(look(&noor, "case:C-1")?.json()["others"], json!([]));
    assert_eq!(look(&dana, "case:C-1")?.json()["others"][0]["name"], "noor");
    assert_eq!(look(&dana, "case:C-2")?.json()["others"], json!([]));
    Ok(())
}

#[test]
fn a_search_whose_reader_left_is_recorded_all_the_same() -> Result<()> {
    let world = World::new()?;
    attacked(&world)?;
    let noor = world.person("noor", &["analyst_l1"])?;
    noor.abandon("POST", "/search", &json!({"query": "nobody waits for this"}))?;
    wait_for("the record", 30, || {
        let log = world.get("/log?q=event_read")?;
        let entry = &log["items"][0];
        let mine = entry["detail"]["query"].as_str().is_some_and(|query| query.starts_with("nobody waits for this"));
        Ok((mine && entry["actor"] == "noor").then_some(()))
    })
}
