//! Detections and signals.

use super::case_view::{entities_of, matches, words_of};
use super::event_view;
use super::extract::{Params, instant_if};
use super::reads::{Shown, query_refused};
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use tandem_api::{DetectionDetail, DetectionPage, DetectionRow, EventDetail};
use tandem_control::{DetectionQuery, StoredDetection};
use tandem_model::{Detection, DetectionId};
use tandem_service::{Actor, CaseId, Object, ObjectKind, Verb};
use tandem_web::{Answer, Caller, Refused, from_control};

const PAGE: u32 = 100;

/// `GET /detections`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct List {
    rule_id: Option<String>,
    case: Option<String>,
    run: Option<String>,
    group: Option<u64>,
    from: Option<String>,
    to: Option<String>,
    q: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// A detection in a list.
pub(super) fn row(detection: &Detection, case: Option<CaseId>) -> DetectionRow {
    DetectionRow {
        id: detection.id.to_string(),
        kind: detection.kind.word().to_owned(),
        rule_id: detection.rule_id.to_string(),
        rule_title: detection.rule_title.to_string(),
        rule_author: detection.rule_author.as_deref().map(str::to_owned),
        level: detection.level.word().to_owned(),
        time: detection.time.to_string(),
        detected: detection.detected.to_string(),
        source: detection.source.to_string(),
        event_id: detection.events.last().map(ToString::to_string).unwrap_or_default(),
        entities: entities_of(detection),
        case: case.map(|case| case.to_string()),
        matches: matches(detection),
    }
}

/// A stored detection in a list.
pub(super) fn stored_row(stored: &StoredDetection) -> DetectionRow {
    row(&stored.detection, stored.case)
}

pub(super) async fn list(State(app): State<App>, Params(list): Params<List>) -> Answer<Json<DetectionPage>> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let query = DetectionQuery {
        rule: given(list.rule_id),
        case: given(list.case).map(|text| super::cases::id_of(&text)).transpose()?,
        run: given(list.run).map(|text| text.parse().map_err(|_| Refused::not_found("this run"))).transpose()?,
        group: list.group,
        from: instant_if("from", list.from.as_deref())?,
        to: instant_if("to", list.to.as_deref())?,
        q: list.q,
        cursor: given(list.cursor),
        limit: list.limit.unwrap_or(PAGE),
    };
    let page = app.control.detection_page(&query).await.map_err(from_control)?;
    Ok(Json(DetectionPage { items: page.items.iter().map(stored_row).collect(), next_cursor: page.next_cursor }))
}

pub(super) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Json<DetectionDetail>> {
    let id: DetectionId = id.parse().map_err(|_| Refused::not_found("this detection"))?;
    let stored = app.control.detection(id).await.map_err(from_control)?;
    let detection = &stored.detection;
    Ok(Json(DetectionDetail {
        row: stored_row(&stored),
        in_words: words_of(detection, |rule| app.rules.in_words(rule)),
        tags: detection.tags.iter().map(ToString::to_string).collect(),
        event: event(&app, &caller.actor, detection).await?,
    }))
}

/// The event that completed it, while it is kept and as far as this person may read events.
async fn event(app: &App, actor: &Actor, detection: &Detection) -> Answer<Option<EventDetail>> {
    if app.gate.allow(actor, Verb::EventRead, &Object::all(ObjectKind::Events)).is_err() {
        return Ok(None);
    }
    let Some(id) = detection.events.last() else { return Ok(None) };
    let Some(event) = app.store.get(*id, &app.scope(actor)).await.map_err(query_refused)? else { return Ok(None) };
    let mut shown = Shown::default();
    shown.event(event.id);
    shown.record(app, actor, Verb::EventRead, &format!("event of detection {}", detection.id)).await?;
    Ok(Some(event_view::detail(&event)))
}

#[cfg(test)]
mod tests {
    use super::super::case_view::tests::detection;
    use super::*;
    use tandem_model::Level;

    #[test]
    fn a_row_names_its_case_and_the_event_that_completed_it() {
        let mut detection = detection("r", Level::High, 5);
        let first = tandem_model::EventId::default();
        detection.events.insert(0, first);
        let row = row(&detection, Some(CaseId(3)));
        assert_eq!(row.case.as_deref(), Some("C-3"));
        assert_eq!(row.event_id, detection.events[1].to_string());
        assert_eq!(
            (row.kind.as_str(), row.level.as_str(), row.detected.as_str()),
            ("rule", "high", "1970-01-01T00:00:07Z")
        );
        let entities: Vec<_> = row.entities.iter().map(|entity| (entity.kind.as_str(), entity.name.as_str())).collect();
        assert_eq!(entities, [("host", "dc1"), ("user", "CORP\\dana")]);
    }
}
