//! Sources: who sends, and how well.

use super::diagnosis::diagnosis;
use super::extract::Body;
use super::source_health::{Health, Recent, health};
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use std::collections::HashMap;
use std::time::Duration;
use tandem_api::{ParseFailure, SourceChange, SourceDetail, SourceHead, SourcePage};
use tandem_base::Timestamp;
use tandem_control::{Activity, Source};
use tandem_web::{Answer, Caller, from_control};

/// Length of one slot of activity.
const SLOT_S: i64 = 1_800;
/// Slots of a day.
const SLOTS: i64 = 48;
const RAW_BYTES_MAX: usize = 1024;

/// When the first of the last day's slots begins.
fn first_slot(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds((now.seconds().div_euclid(SLOT_S) - SLOTS + 1) * SLOT_S)
}

/// Records of each half hour of the last day, oldest first.
fn spark(slots: &[Activity], now: Timestamp) -> Vec<u64> {
    let first = first_slot(now);
    let mut spark = vec![0; SLOTS as usize];
    for slot in slots {
        let at = (slot.from.seconds() - first.seconds()).div_euclid(SLOT_S);
        if let Some(count) = usize::try_from(at).ok().and_then(|at| spark.get_mut(at)) {
            *count += slot.records;
        }
    }
    spark
}

/// Records a minute over the running and the last half hour, or since the source is there.
fn rate(spark: &[u64], source: &Source, now: Timestamp) -> f64 {
    let records: u64 = spark.iter().rev().take(2).sum();
    let window = now.seconds().rem_euclid(SLOT_S) + SLOT_S;
    let seconds = window.min(now.since(source.first_seen).as_secs() as i64).max(60);
    (records as f64 * 60.0 / seconds as f64 * 10.0).round() / 10.0
}

/// A source in a list, with its health.
fn head(source: &Source, slots: &[Activity], now: Timestamp) -> (Health, SourceHead) {
    let (health, reason) = health(source, &Recent::of(slots), now);
    let spark = spark(slots, now);
    let head = SourceHead {
        id: source.id.clone(),
        name: source.name.clone(),
        transport: source.transport.clone(),
        first_seen: source.first_seen.to_string(),
        last_event: source.last_event.unwrap_or(source.last_seen).to_string(),
        records: source.records,
        events: source.events,
        parse_errors: source.parse_errors,
        generic: source.generic,
        bytes: source.bytes,
        rate_per_min: rate(&spark, source, now),
        spark,
        health: health.word().to_owned(),
        health_reason: reason,
        owner: source.owner.clone(),
        note: source.note.clone(),
        log_types: source.log_types.clone(),
    };
    (health, head)
}

/// All sources, the worst first, then by name.
pub(super) async fn heads(app: &App) -> Answer<Vec<(Health, SourceHead)>> {
    let now = app.clock.now();
    let sources = app.control.sources().await.map_err(from_control)?;
    let activity = app.control.activity(None, first_slot(now)).await.map_err(from_control)?;
    let mut by_source: HashMap<String, Vec<Activity>> = HashMap::new();
    for slot in activity {
        by_source.entry(slot.source.clone()).or_default().push(slot);
    }
    let of = |source: &Source| by_source.get(&source.id).map_or(&[][..], Vec::as_slice);
    let mut heads: Vec<(Health, SourceHead)> = sources.iter().map(|source| head(source, of(source), now)).collect();
    heads.sort_by_key(|(health, _)| *health);
    Ok(heads)
}

pub(super) async fn list(State(app): State<App>) -> Answer<Json<SourcePage>> {
    Ok(Json(SourcePage { items: heads(&app).await?.into_iter().map(|(_, head)| head).collect() }))
}

async fn detail(app: &App, source: &Source) -> Answer<SourceDetail> {
    let now = app.clock.now();
    let slots = app.control.activity(Some(&source.id), first_slot(now)).await.map_err(from_control)?;
    let failures = app.control.parse_failures(&source.id).await.map_err(from_control)?;
    let received = match &*app.receivers.lock().await {
        Some(receivers) => receivers.sources().into_iter().find(|seen| seen.name == source.id),
        None => None,
    };
    let rules_fed = app.rules.fed_by(&source.log_types);
    let failure = |each: tandem_control::ParseFailure| ParseFailure {
        at: each.at.to_string(),
        raw: each.raw[..each.raw.floor_char_boundary(RAW_BYTES_MAX)].to_owned(),
        error: each.error,
    };
    Ok(SourceDetail {
        head: head(source, &slots, now).1,
        parse_failures: failures.into_iter().map(failure).collect(),
        rules_fed,
        diagnosis: diagnosis(source, &Recent::of(&slots), received.as_ref(), rules_fed, now),
    })
}

pub(super) async fn one(State(app): State<App>, Path(id): Path<String>) -> Answer<Json<SourceDetail>> {
    let source = app.control.source(&id).await.map_err(from_control)?;
    Ok(Json(detail(&app, &source).await?))
}

pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wire): Body<SourceChange>,
) -> Answer<Json<SourceDetail>> {
    let change = tandem_control::SourceChange {
        name: wire.name,
        owner: wire.owner,
        note: wire.note,
        ..tandem_control::SourceChange::default()
    };
    let source = app.control.source_change(&caller.actor, &id, &change).await.map_err(from_control)?;
    Ok(Json(detail(&app, &source).await?))
}

/// Events of all sources since `since`, by half hours.
pub(super) async fn events_since(app: &App, since: Timestamp) -> Answer<Vec<(Timestamp, u64)>> {
    let activity = app.control.activity(None, since).await.map_err(from_control)?;
    Ok(activity.into_iter().map(|slot| (slot.from, slot.events)).collect())
}

/// How long a day is.
pub(super) const DAY: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::super::source_health::tests::source;
    use super::*;

    fn slot(from: i64, records: u64) -> Activity {
        Activity {
            source: "s".to_owned(),
            from: Timestamp::from_seconds(from),
            records,
            events: records,
            parse_errors: 0,
            generic: 0,
        }
    }

    #[test]
    fn the_spark_ends_with_the_running_half_hour() {
        let now = Timestamp::from_seconds(100 * SLOT_S + 900);
        let slots = [slot(52 * SLOT_S, 7), slot(53 * SLOT_S, 1), slot(99 * SLOT_S, 30), slot(100 * SLOT_S, 60)];
        let spark = spark(&slots, now);
        assert_eq!((spark.len(), spark[0], spark[46], spark[47]), (48, 1, 30, 60));
        // 90 records within 45 minutes.
        let old = source(1_000, 100 * SLOT_S);
        assert!((rate(&spark, &old, now) - 2.0).abs() < f64::EPSILON);
        // A source that is there for two minutes only.
        let young = Source { first_seen: now.minus(Duration::from_mins(2)), ..old };
        assert!((rate(&spark, &young, now) - 45.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_head_carries_health_and_its_reason() {
        let (health, head) = head(&source(3_601, 3_600), &[], Timestamp::from_seconds(3_605));
        assert_eq!(
            (health, head.health.as_str(), head.health_reason.as_str()),
            (Health::Ok, "ok", "last record 5 s ago")
        );
        assert_eq!(head.last_event, "1970-01-01T01:00:00Z");
    }
}
