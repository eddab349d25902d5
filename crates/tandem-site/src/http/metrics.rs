//! `/metrics`: figures in the text format of Prometheus.

use super::{health, receivers};
use crate::app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use tandem_ingest::ReceiverSnapshot;
use tandem_service::{Object, ObjectKind, Verb};
use tandem_web::{Answer, Refused, from_control};

/// For a scraper on this machine, or with a token that may see health.
pub(super) async fn metrics(State(app): State<App>, headers: HeaderMap, extensions: Extensions) -> Answer<Response> {
    let near = extensions.get::<SocketAddr>().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    // A proxy on this machine speaks for somebody else.
    let forwarded = headers.contains_key("forwarded") || headers.contains_key("x-forwarded-for");
    if !near || forwarded {
        let actor = app.gate.actor(&headers, &extensions).await?;
        let actor = actor.ok_or_else(|| {
            Refused::new(StatusCode::UNAUTHORIZED, "not-signed-in", "nobody is signed in")
                .hint("send an API token, or ask from the machine itself")
        })?;
        app.gate.allow(&actor, Verb::HealthRead, &Object::all(ObjectKind::Site))?;
    }
    let mut response = text(&app).await?.into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn text(app: &App) -> Answer<String> {
    let cases = app.control.case_counts(None).await.map_err(from_control)?;
    let health = health::health(app).await;
    let spool = app.spool.status();
    let pipeline = &app.pipeline;
    let mut page = Page::default();
    page.one("tandem_build_info", "gauge", "Version of the program.", &[("version", app.gate.facts.version)], 1);
    page.one("tandem_ready", "gauge", "Whether records are taken and shown.", &[], u64::from(health.ready));
    let counters = [
        ("tandem_records_total", "Records that the pipeline has read since the start.", &pipeline.records),
        ("tandem_records_undecodable_total", "Records that another version wrote.", &pipeline.undecodable),
        ("tandem_records_duplicate_total", "Records of imports that were there before.", &pipeline.duplicates),
        ("tandem_events_total", "Events made of records since the start.", &pipeline.events),
        ("tandem_events_generic_total", "Events that no parser took.", &pipeline.generic),
        ("tandem_events_parse_errors_total", "Events that a parser could not finish.", &pipeline.parse_errors),
        ("tandem_detections_total", "Detections since the start.", &pipeline.detections),
        ("tandem_seals_total", "Times that events were put into files since the start.", &pipeline.seals),
    ];
    for (name, help, counter) in counters {
        page.one(name, "counter", help, &[], counter.load(Relaxed));
    }
    let gauges = [
        ("tandem_rules", "Rules that are evaluated.", health.detect.rules),
        ("tandem_detect_lag_ms", "Receipt to evaluation of the last batch, in milliseconds.", health.detect.lag_ms),
        ("tandem_spool_bytes", "Size of the spool.", spool.size_bytes),
        ("tandem_spool_bytes_max", "Size at which senders are slowed.", spool.max_bytes),
        ("tandem_spool_lag_records", "Records that the pipeline has not read.", health.spool.lag_records),
        ("tandem_spool_damaged_places", "Damaged places found in the spool.", spool.damage.len() as u64),
        ("tandem_store_events", "Events in the table and in memory.", health.store.events),
        ("tandem_store_events_unsealed", "Events that are in memory and spool only.", health.store.unsealed),
        ("tandem_store_files", "Data files of events.", health.store.files),
        ("tandem_store_bytes", "Size of data files and their indexes.", health.store.bytes),
        ("tandem_cases_open", "Cases that are open.", cases.open),
        ("tandem_cases_unowned", "Cases that are open and held by nobody.", cases.unowned),
    ];
    for (name, help, value) in gauges {
        page.one(name, "gauge", help, &[], value);
    }
    page.receivers(&receivers::snapshots(app).await);
    Ok(page.0)
}

/// The text as it grows.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> = labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        self.head(name, kind, help);
        self.sample(name, labels, value);
    }

    fn receivers(&mut self, list: &[ReceiverSnapshot]) {
        type Figure = fn(&ReceiverSnapshot) -> u64;
        let figures: [(&str, &str, &str, Figure); 4] = [
            ("tandem_receiver_records_total", "counter", "Records made durable since the start.", |each| each.records),
            ("tandem_receiver_bytes_total", "counter", "Bytes of these records.", |each| each.bytes),
            ("tandem_receiver_dropped_total", "counter", "Records that are lost.", |each| each.dropped),
            ("tandem_receiver_connections", "gauge", "Connections that are open.", |each| each.connections),
        ];
        for (name, kind, help, figure) in figures {
            self.head(name, kind, help);
            for each in list {
                self.sample(name, &[("kind", each.kind.word()), ("address", &each.address.to_string())], figure(each));
            }
        }
        let name = "tandem_receiver_errors_total";
        self.head(name, "counter", "Errors by cause.");
        for each in list {
            for (cause, count) in &each.errors {
                let labels =
                    [("kind", each.kind.word()), ("address", &*each.address.to_string()), ("cause", cause.word())];
                self.sample(name, &labels, *count);
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_ingest::{Cause, Kind};

    #[test]
    fn the_text_has_one_head_a_metric_and_escaped_labels() {
        let mut page = Page::default();
        page.one("a_total", "counter", "Some.", &[("name", "x\"\\\n")], 3);
        assert_eq!(page.0, "# HELP a_total Some.\n# TYPE a_total counter\na_total{name=\"x\\\"\\\\\\n\"} 3\n");
        let snapshot = |port: u16, errors: Vec<(Cause, u64)>| ReceiverSnapshot {
            kind: Kind::SyslogTcp,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            records: 5,
            bytes: 50,
            connections: 1,
            dropped: 0,
            errors,
            last_seen: None,
            last_peer: None,
            last_error: None,
        };
        let mut page = Page::default();
        page.receivers(&[snapshot(1, vec![]), snapshot(2, vec![(Cause::TooLong, 4)])]);
        let text = page.0;
        assert_eq!(text.matches("# TYPE tandem_receiver_records_total counter").count(), 1);
        assert!(
            text.contains("tandem_receiver_records_total{kind=\"syslog-tcp\",address=\"127.0.0.1:2\"} 5\n"),
            "{text}"
        );
        assert!(
            text.ends_with(
                "tandem_receiver_errors_total{kind=\"syslog-tcp\",address=\"127.0.0.1:2\",cause=\"too-long\"} 4\n"
            ),
            "{text}"
        );
    }
}
