//! From the YAML of `anomaly` to an [`Anomaly`].

use super::rule::{Anomaly, AnomalyKind};
use crate::correlation::{Section, Timespan, scalar};
use crate::number::Number;
use crate::problem::{Code, Problems};
use crate::yaml::{Entry, ScalarKind};

/// Reads the section. What is wrong is added to `problems`.
pub(crate) fn parse(entry: &Entry, problems: &mut Problems<'_>) -> Option<Anomaly> {
    let mut section = Section::new("anomaly", entry, problems)?;
    let kind = section.kind_of(&AnomalyKind::ALL, "anomaly")?;
    let own: &[&str] = match kind {
        AnomalyKind::FirstSeen | AnomalyKind::NewPair => &["field", "learn", "window"],
        AnomalyKind::Rare => &["field", "learn", "window", "minimum", "share"],
        AnomalyKind::Volume => &["field", "learn", "window", "minimum", "factor"],
        AnomalyKind::UnusualTime => &["learn", "window", "minimum"],
        AnomalyKind::ImpossibleTravel => &["field", "window", "speed", "distance"],
    };
    let mut keys = vec!["type", "group-by"];
    keys.extend(own);
    section.check_keys(&keys);
    let group_by = section.names("group-by").unwrap_or_default();
    if group_by.is_empty() && matches!(kind, AnomalyKind::UnusualTime | AnomalyKind::ImpossibleTravel) {
        section.missing("group-by", "name the field of the account or host that this is unusual for");
    }
    let fields = section.names("field").unwrap_or_default();
    check_fields(kind, &fields, &mut section);
    let learn = span(&mut section, "learn", if kind == AnomalyKind::Volume { "3w" } else { "14d" });
    let window = span(
        &mut section,
        "window",
        match kind {
            AnomalyKind::FirstSeen | AnomalyKind::NewPair => "90d",
            AnomalyKind::Rare => "30d",
            AnomalyKind::Volume | AnomalyKind::UnusualTime => "8w",
            AnomalyKind::ImpossibleTravel => "1d",
        },
    );
    let minimum_by_kind = match kind {
        AnomalyKind::Rare => 100.0,
        AnomalyKind::UnusualTime => 20.0,
        _ => 10.0,
    };
    let minimum = number(&mut section, "minimum", minimum_by_kind, 1.0, 1e9);
    let share_percent = number(&mut section, "share", 1.0, 0.0, 50.0);
    let factor = number(&mut section, "factor", 6.0, 1.0, 1000.0);
    let speed_kmh = number(&mut section, "speed", 900.0, 1.0, 100_000.0);
    let distance_km = number(&mut section, "distance", 300.0, 0.0, 20_038.0);
    let (learn, window) = (learn?, window?);
    let weeks = window.ms() / WEEK_MS;
    let by_week = matches!(kind, AnomalyKind::Volume | AnomalyKind::UnusualTime);
    if by_week && !(1..=WEEKS_MAX).contains(&weeks) {
        let place = section.get("window").map_or(section.place, |entry| entry.value.position);
        section.problems.add_with_hint(
            Code::AnomalyValue,
            place,
            format!("'window' of '{kind}' must be from 1 to {WEEKS_MAX} weeks"),
            "write 8w",
        );
    }
    if learn > window && kind != AnomalyKind::ImpossibleTravel && learn.ms() > window.ms() {
        let place = section.get("learn").or(section.get("window")).map_or(section.place, |entry| entry.value.position);
        section.problems.add_with_hint(
            Code::AnomalyValue,
            place,
            "'learn' is longer than 'window', so that what is learnt is forgotten before it is used",
            "make 'window' longer",
        );
    }
    Some(Anomaly {
        kind,
        group_by,
        fields,
        learn,
        window,
        minimum: minimum? as u32,
        share_percent: share_percent?,
        factor: factor?,
        speed_kmh: speed_kmh?,
        distance_km: distance_km?,
    })
}

pub(super) const WEEK_MS: u64 = 7 * 24 * 3_600_000;
/// Most weeks that hours of the week are remembered.
pub(super) const WEEKS_MAX: u64 = 8;

fn check_fields(kind: AnomalyKind, fields: &[String], section: &mut Section<'_, '_, '_>) {
    let (wanted, hint) = match kind {
        AnomalyKind::FirstSeen | AnomalyKind::Rare => (1..=4, "name the field whose values are looked at"),
        AnomalyKind::Volume => (0..=1, "name one field whose numbers are added, or none to count events"),
        AnomalyKind::UnusualTime => (0..=0, "remove it"),
        AnomalyKind::NewPair => (2..=2, "name the two fields, as in 'field: [user.name, host.name]'"),
        AnomalyKind::ImpossibleTravel => (2..=2, "name the fields of latitude and longitude, in this order"),
    };
    if wanted.contains(&fields.len()) {
        return;
    }
    match section.get("field") {
        None => section.missing("field", hint),
        Some(entry) if kind != AnomalyKind::UnusualTime => {
            let message = format!("'{kind}' cannot look at {} fields", fields.len());
            section.problems.add_with_hint(Code::AnomalyValue, entry.value.position, message, hint);
        }
        // Reported as a key that is not known.
        Some(_) => {}
    }
}

fn span(section: &mut Section<'_, '_, '_>, key: &str, default: &str) -> Option<Timespan> {
    match section.get(key) {
        Some(_) => section.timespan(key),
        None => Timespan::parse(default),
    }
}

fn number(section: &mut Section<'_, '_, '_>, key: &str, default: f64, least: f64, most: f64) -> Option<f64> {
    let Some(entry) = section.get(key) else { return Some(default) };
    let found = match scalar(&entry.value).map(|scalar| scalar.kind) {
        Some(ScalarKind::Number(Number::Int(int))) => int as f64,
        Some(ScalarKind::Number(Number::Float(float))) => float,
        _ => f64::NAN,
    };
    if (least..=most).contains(&found) {
        return Some(found);
    }
    let message = format!("'{key}' must be a number from {least} to {most}");
    section.problems.add(Code::AnomalyValue, entry.value.position, message);
    None
}
