//! Live changes: told as they happen, taken up after a cut, bounded in what they show.

use crate::world::{World, process_start};
use anyhow::Result;
use serde_json::json;
use tandem_base::{Clock, SystemClock};

#[test]
fn changes_are_told_and_after_a_cut_what_was_missed() -> Result<()> {
    let world = World::new()?;
    let noor = world.person("noor", &["analyst_l1"])?;
    let mut stream = noor.stream("/stream?topics=cases,detections")?;
    world.post("/cases", &json!({"title": "first"}))?;
    let (id, case) = stream.named("case")?;
    assert_eq!(case, json!({"id": "C-1", "version": 1, "change": "opened"}));
    drop(stream);
    world.post("/cases", &json!({"title": "second"}))?;
    let mut again = noor.clone().with("last-event-id", &id).stream("/stream?topics=cases,detections")?;
    let (_, event, case) = again.message()?;
    assert_eq!((event.as_str(), &case["id"]), ("case", &json!("C-2")));
    let mut lost = noor.clone().with("last-event-id", "00000000-7").stream("/stream?topics=cases")?;
    assert_eq!(lost.message()?.1, "resync");

    world.deliver(
        "ws-042",
        &[process_start("ws-042", "C:\\Tools\\procdump64.exe", "procdump64.exe -ma lsass.exe l.dmp", &now())],
    )?;
    let (_, detection) = again.named("detection")?;
    assert_eq!((&detection["level"], &detection["case"]), (&json!("critical"), &json!("C-3")));
    Ok(())
}

#[test]
fn a_tail_shows_what_passes_and_leaves_a_record() -> Result<()> {
    let world = World::new()?;
    let noor = world.person("noor", &["analyst_l1"])?;
    let mut tail = noor.stream("/stream?topics=tail&q=process.name:calc.exe")?;
    let start = |image: &str| process_start("ws-042", image, "x", &now());
    world.deliver("ws-042", &[start("C:\\a\\notepad.exe"), start("C:\\a\\calc.exe")])?;
    let (_, event) = tail.named("event")?;
    assert_eq!(event["fields"]["process.name"], "calc.exe");
    let log = world.get("/log?q=event_tail")?;
    assert_eq!(
        (&log["items"][0]["actor"], &log["items"][0]["detail"]["query"]),
        (&json!("noor"), &json!("process.name:calc.exe"))
    );

    // More than anybody can read is counted instead.
    let many: Vec<_> = (0..1_000).map(|_| start("C:\\a\\calc.exe")).collect();
    world.deliver("ws-043", &many)?;
    let (_, skipped) = tail.named("skipped")?;
    assert!(skipped["skipped"].as_u64().is_some_and(|count| count > 0), "{skipped}");

    for (query, status) in
        [("topics=weather", 422), ("topics=tail&q=user.name:(", 400), ("topics=tail&q=*%20%7C%20stats%20count", 400)]
    {
        assert_eq!(noor.get(&format!("/stream?{query}"))?.status, status, "{query}");
    }
    let vera = world.person("vera", &["viewer"])?;
    let refused = vera.get("/stream?topics=cases,tail")?;
    assert_eq!((refused.status, &refused.json()["because"]), (403, &json!("none of your roles allows `event tail`")));
    assert_eq!(vera.get("/stream?topics=cases")?.status, 200);
    Ok(())
}

#[test]
fn an_open_stream_does_not_keep_the_program_from_stopping() -> Result<()> {
    let world = World::new()?;
    let noor = world.person("noor", &["analyst_l1"])?;
    let mut stream = noor.stream("/stream?topics=cases")?;
    world.post("/cases", &json!({"title": "first"}))?;
    assert_eq!(stream.message()?.1, "case");
    world.stop()?;
    assert!(stream.message().is_err_and(|error| error.to_string().contains("the stream ended")), "it ends as a whole");
    Ok(())
}

fn now() -> String {
    SystemClock.now().to_string()
}
