//! Home: what needs me, and is everything well.

use super::cases;
use super::detections;
use super::sources::{self, DAY};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use std::time::Duration;
use tandem_api::{Home, HomeStatus, StripHour};
use tandem_base::Timestamp;
use tandem_control::{CaseQuery, CaseView, DetectionQuery};
use tandem_web::{Answer, Caller, from_control};

/// Rows of a block.
const ROWS: u32 = 20;
const DETECTIONS: u32 = 10;
const HOURS: i64 = 24;
const HOUR: Duration = Duration::from_hours(1);

pub(super) async fn home(State(app): State<App>, caller: Caller) -> Answer<Json<Home>> {
    let control = &app.control;
    let now = app.clock.now();
    let user = Some(caller.actor.id);
    let queue = |view| CaseQuery { user, view, limit: ROWS, ..CaseQuery::default() };
    let mine = control.case_page(&queue(CaseView::Mine)).await.map_err(from_control)?;
    let unowned = control.case_page(&queue(CaseView::Unowned)).await.map_err(from_control)?;
    let counts = control.case_counts(user).await.map_err(from_control)?;
    let sources = sources::heads(&app).await?;
    let first = first_hour(now);
    let events = sources::events_since(&app, first).await?;
    let hits = control.rule_hits(first).await.map_err(from_control)?;
    let hits: Vec<(Timestamp, u64)> = hits.into_iter().map(|hit| (hit.hour, hit.hits)).collect();
    let opened = control.cases_opened_since(first).await.map_err(from_control)?;
    let opened: Vec<(Timestamp, u64)> = opened.into_iter().map(|at| (at, 1)).collect();
    let newest = DetectionQuery { from: Some(now.minus(DAY)), limit: DETECTIONS, ..DetectionQuery::default() };
    let newest = control.detection_page(&newest).await.map_err(from_control)?;
    let strip = strip(now, &events, &hits, &opened);
    let status = HomeStatus {
        cases_mine: counts.mine,
        cases_unowned: counts.unowned,
        sources_unhealthy: sources.iter().filter(|(health, _)| !health.is_well()).count() as u64,
        sources: sources.len() as u64,
        detections_24h: strip.iter().map(|hour| hour.detections).sum(),
        events_24h: strip.iter().map(|hour| hour.events).sum(),
    };
    let unhealthy = sources.into_iter().filter(|(health, _)| !health.is_well()).map(|(_, head)| head);
    Ok(Json(Home {
        status,
        my_tasks: cases::heads(&app, &mine.items).await?,
        unowned: cases::heads(&app, &unowned.items).await?,
        unhealthy_sources: unhealthy.take(ROWS as usize).collect(),
        strip,
        detections: newest.items.iter().map(detections::stored_row).collect(),
    }))
}

/// When the strip begins: with the running hour it has 24.
fn first_hour(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds((now.seconds().div_euclid(3_600) - HOURS + 1) * 3_600)
}

/// An entry an hour, oldest first, hours without anything too.
fn strip(
    now: Timestamp,
    events: &[(Timestamp, u64)],
    detections: &[(Timestamp, u64)],
    cases: &[(Timestamp, u64)],
) -> Vec<StripHour> {
    let first = first_hour(now);
    let within = |counts: &[(Timestamp, u64)], from: Timestamp| {
        let to = from.plus(HOUR);
        counts.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, count)| count).sum()
    };
    (0..HOURS)
        .map(|hour| {
            let from = Timestamp::from_seconds(first.seconds() + hour * 3_600);
            StripHour {
                from: from.to_string(),
                events: within(events, from),
                detections: within(detections, from),
                cases: within(cases, from),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_has_every_hour_of_the_day() {
        let now: Timestamp = "2026-10-11T22:14:15Z".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let events =
            [(at("2026-10-11T22:00:00Z"), 5), (at("2026-10-11T21:30:00Z"), 7), (at("2026-10-11T21:00:00Z"), 1)];
        let cases = [(at("2026-10-10T23:00:00Z"), 1), (at("2026-10-10T22:59:59Z"), 1)];
        let strip = strip(now, &events, &[], &cases);
        assert_eq!(
            (strip.len(), strip[0].from.as_str(), strip[23].from.as_str()),
            (24, "2026-10-10T23:00:00Z", "2026-10-11T22:00:00Z")
        );
        assert_eq!((strip[23].events, strip[22].events, strip[0].cases), (5, 8, 1));
        assert_eq!(strip.iter().map(|hour| hour.cases).sum::<u64>(), 1);
    }
}
