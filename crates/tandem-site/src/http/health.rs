//! How the program itself is.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::atomic::Ordering::Relaxed;
use tandem_api::{DetectHealth, Health, HealthCheck, SpoolHealth, StoreHealth};
use tandem_spool::Status;
use tandem_store::StoreStats;

/// Percent of the spool's size beyond which it is a matter for a person.
const SPOOL_PERCENT_MAX: u64 = 80;
/// Receipt to evaluation beyond which detection lags.
const LAG_MS_MAX: u64 = 10_000;
/// Records that wait, beyond which detection lags.
const WAITING_MAX: u64 = 50_000;

/// What checks look at.
struct Facts {
    spool: Status,
    store: StoreStats,
    next: u64,
    caught_up: bool,
    trouble: Option<String>,
    lag_ms: u64,
    rules: u64,
    rules_broken: u64,
    undecodable: u64,
    receiving: bool,
}

fn checks(facts: &Facts) -> Vec<HealthCheck> {
    let check = |name: &str, ok: bool, text: String| HealthCheck { name: name.to_owned(), ok, text };
    let spool = &facts.spool;
    let percent = (spool.size_bytes * 100).checked_div(spool.max_bytes).unwrap_or(0);
    let spool_check = match &spool.stopped {
        Some(why) => check("spool", false, format!("takes no records: {why}; free or repair the disk, then restart")),
        None if spool.failing.is_some() => check(
            "spool",
            false,
            format!(
                "cannot be written: {}; senders wait until there is room",
                spool.failing.as_deref().unwrap_or_default()
            ),
        ),
        None if percent > SPOOL_PERCENT_MAX => {
            check("spool", false, format!("is {percent} % full; senders are slowed when it is full"))
        }
        None => check("spool", true, format!("is {percent} % full")),
    };
    let damage = match (spool.damage.len(), facts.undecodable) {
        (0, 0) => check("records", true, "all records could be read".to_owned()),
        (places, records) => check(
            "records",
            false,
            format!(
                "{places} damaged places in the spool, {records} records of another version; see the log of tandem"
            ),
        ),
    };
    let waiting = spool.next.saturating_sub(facts.next);
    let pipeline = match &facts.trouble {
        Some(why) => check("pipeline", false, why.clone()),
        None if !facts.caught_up => {
            check("pipeline", false, format!("works through {waiting} records that came before the start"))
        }
        None if waiting > WAITING_MAX || (waiting > 0 && facts.lag_ms > LAG_MS_MAX) => {
            check("pipeline", false, format!("is {waiting} records and {} s behind", facts.lag_ms / 1000))
        }
        None => check("pipeline", true, format!("{waiting} records wait")),
    };
    let rules = match (facts.rules, facts.rules_broken) {
        (0, _) => check("rules", false, "no rule is evaluated; install some with `tandem rules install`".to_owned()),
        (rules, 0) => check("rules", true, format!("{rules} rules are evaluated")),
        (rules, broken) => check(
            "rules",
            false,
            format!("{rules} rules are evaluated, {broken} cannot be used; see Rules, state error"),
        ),
    };
    let receivers = if facts.receiving {
        check("receivers", true, "are open".to_owned())
    } else {
        check("receivers", false, "are closed: nothing is received".to_owned())
    };
    let store = check(
        "store",
        true,
        format!(
            "{} events in {} files, {} in memory and spool only",
            facts.store.events, facts.store.files, facts.store.tail_events
        ),
    );
    vec![spool_check, damage, pipeline, store, rules, receivers]
}

/// Whether records are taken and shown: what a load balancer asks.
pub(super) fn is_ready(app: &App) -> bool {
    app.pipeline.has_caught_up() && app.pipeline.trouble().is_none() && app.spool.status().stopped.is_none()
}

/// Everything at this moment.
pub(super) async fn health(app: &App) -> Health {
    let pipeline = &app.pipeline;
    let facts = Facts {
        spool: app.spool.status(),
        store: app.store.stats(),
        next: pipeline.next(),
        caught_up: pipeline.has_caught_up(),
        trouble: pipeline.trouble(),
        lag_ms: pipeline.lag_ms.load(Relaxed),
        rules: pipeline.rules.load(Relaxed),
        rules_broken: app.rules.problems().iter().filter(|problem| problem.fatal).count() as u64,
        undecodable: pipeline.undecodable.load(Relaxed),
        receiving: app.receivers.lock().await.is_some(),
    };
    Health {
        ready: is_ready(app),
        checks: checks(&facts),
        spool: SpoolHealth {
            lag_records: facts.spool.next.saturating_sub(facts.next),
            size_bytes: facts.spool.size_bytes,
        },
        store: StoreHealth {
            events: facts.store.events,
            files: facts.store.files,
            bytes: facts.store.file_bytes + facts.store.index_bytes,
            unsealed: facts.store.tail_events,
            last_seal: facts.store.last_seal.map(|at| at.to_string()),
        },
        detect: DetectHealth {
            rules: facts.rules,
            events_per_s: pipeline.events_per_s(app.clock.now()),
            lag_ms: facts.lag_ms,
        },
    }
}

pub(super) async fn get(State(app): State<App>) -> Json<Health> {
    Json(health(&app).await)
}

/// `/healthz`: for whatever keeps the process alive; says nothing that nobody may know.
pub(super) async fn live(State(app): State<App>) -> (StatusCode, &'static str) {
    if is_ready(&app) { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            spool: Status {
                first: 0,
                next: 100,
                files: 1,
                size_bytes: 10,
                max_bytes: 100,
                queued_bytes: 0,
                groups: 1,
                damage: vec![],
                stopped: None,
                failing: None,
            },
            store: StoreStats { events: 7, files: 2, tail_events: 3, ..StoreStats::default() },
            next: 100,
            caught_up: true,
            trouble: None,
            lag_ms: 5,
            rules: 9,
            rules_broken: 0,
            undecodable: 0,
            receiving: true,
        }
    }

    fn wrong(facts: &Facts) -> Vec<(String, String)> {
        checks(facts).into_iter().filter(|check| !check.ok).map(|check| (check.name, check.text)).collect()
    }

    #[test]
    fn a_healthy_program_has_nothing_to_say() {
        assert_eq!(wrong(&facts()), []);
        let store = checks(&facts()).into_iter().find(|check| check.name == "store").unwrap();
        assert_eq!(store.text, "7 events in 2 files, 3 in memory and spool only");
    }

    #[test]
    fn every_trouble_has_its_check() {
        let mut sick = facts();
        sick.spool.stopped = Some("no space left on device".to_owned());
        sick.undecodable = 1;
        sick.trouble = Some("events could not be put into files".to_owned());
        sick.rules_broken = 2;
        sick.receiving = false;
        let names: Vec<String> = wrong(&sick).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["spool", "records", "pipeline", "rules", "receivers"]);
        let behind = Facts { next: 10, lag_ms: 60_000, ..facts() };
        assert_eq!(wrong(&behind), [("pipeline".to_owned(), "is 90 records and 60 s behind".to_owned())]);
        let late_but_done = Facts { lag_ms: 60_000, ..facts() };
        assert_eq!(wrong(&late_but_done), [], "a slow last batch is past when nothing waits");
        let mut no_room = facts();
        no_room.spool.failing = Some("no space left on device".to_owned());
        assert_eq!(
            wrong(&no_room)[0].1,
            "cannot be written: no space left on device; senders wait until there is room"
        );
        let mut full = facts();
        full.spool.size_bytes = 81;
        assert_eq!(wrong(&full)[0].1, "is 81 % full; senders are slowed when it is full");
    }
}
