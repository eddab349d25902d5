//! Cases: the queue, one case, acts.

use super::case_view;
use super::case_words::{self, Wanted};
use super::event_view;
use super::extract::{Body, Params, if_match, word, words};
use super::reads::Shown;
use super::timeline::timeline;
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tandem_api::{BulkAct, BulkResult, CaseCounts, CaseDetail, CaseHead, CasePage, EventPage, NotDone, Undo};
use tandem_control::{CaseQuery, CaseSort, CaseView, DetectionQuery, NewCase};
use tandem_service::{ActNo, Actor, Case, CaseId, CaseKind, Object, Priority, Verb};
use tandem_web::{Answer, Caller, Refused, from_control};

const PAGE: u32 = 50;
const BULK_MAX: usize = 200;
const EVENTS: u32 = 100;
const EVENTS_MAX: u32 = 500;

/// `GET /cases`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct List {
    view: Option<String>,
    priority: Option<String>,
    kind: Option<String>,
    state: Option<String>,
    q: String,
    sort: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

fn view(text: Option<&str>) -> Answer<CaseView> {
    Ok(match text.unwrap_or("open") {
        "mine" => CaseView::Mine,
        "unowned" => CaseView::Unowned,
        "open" | "" => CaseView::Open,
        "closed" => CaseView::Closed,
        "all" => CaseView::All,
        _ => return Err(Refused::invalid("`view` is not known").hint("views are mine, unowned, open, closed, all")),
    })
}

/// A leading `-` is "most first": the most urgent, the latest.
fn sort(text: Option<&str>) -> Answer<CaseSort> {
    Ok(match text.unwrap_or("-priority") {
        "-priority" | "" => CaseSort::Priority,
        "priority" => CaseSort::LeastUrgent,
        "-opened" => CaseSort::Opened,
        "opened" => CaseSort::Oldest,
        "-updated" => CaseSort::Updated,
        "updated" => CaseSort::Stale,
        _ => {
            return Err(Refused::invalid("`sort` is not known")
                .hint("sort by -priority, -opened or -updated; without - the other way round"));
        }
    })
}

pub(super) async fn list(State(app): State<App>, caller: Caller, Params(list): Params<List>) -> Answer<Json<CasePage>> {
    let query = CaseQuery {
        user: Some(caller.actor.id),
        view: view(list.view.as_deref())?,
        priorities: words::<Priority>("priority", list.priority.as_deref())?,
        kinds: words::<CaseKind>("kind", list.kind.as_deref())?,
        states: words::<tandem_service::State>("state", list.state.as_deref())?,
        q: list.q,
        sort: sort(list.sort.as_deref())?,
        cursor: list.cursor.filter(|cursor| !cursor.is_empty()),
        limit: list.limit.unwrap_or(PAGE),
    };
    let page = app.control.case_page(&query).await.map_err(from_control)?;
    let counts = app.control.case_counts(Some(caller.actor.id)).await.map_err(from_control)?;
    Ok(Json(CasePage {
        items: heads(&app, &page.items).await?,
        next_cursor: page.next_cursor,
        counts: CaseCounts { mine: counts.mine, unowned: counts.unowned, open: counts.open, closed: counts.closed },
    }))
}

/// Cases as rows of a list, in the same order.
pub(super) async fn heads(app: &App, cases: &[Case]) -> Answer<Vec<CaseHead>> {
    let ids: Vec<CaseId> = cases.iter().map(|case| case.id).collect();
    let similar = app.control.similar_to(&ids).await.map_err(from_control)?;
    Ok(cases.iter().map(|case| case_view::head(case, similar.get(&case.id).copied().unwrap_or_default())).collect())
}

pub(super) fn id_of(text: &str) -> Answer<CaseId> {
    text.parse().map_err(|_| Refused::not_found("this case"))
}

/// A case, whole, as `actor` sees it.
pub(super) async fn detail(app: &App, actor: &Actor, case: &Case) -> Answer<CaseDetail> {
    let control = &app.control;
    let now = app.clock.now();
    let evidence = control.case_evidence(case.id).await.map_err(from_control)?;
    let history = control.case_history(case.id).await.map_err(from_control)?;
    let similar = control.similar(case.id).await.map_err(from_control)?;
    let linked: Vec<CaseId> = case.links.iter().chain(&case.merged_into).copied().collect();
    let linked = control.cases_by_id(&linked).await.map_err(from_control)?;
    Ok(CaseDetail {
        head: case_view::head(case, similar),
        grouping: case_view::grouping(&case.gathered),
        why_it_fired: case_view::fired(&evidence, |rule| app.rules.in_words(rule)),
        timeline: timeline(&evidence, &history, actor, now),
        linked: heads(app, &linked).await?,
        allowed: case_words::allowed(&app.gate.matrix, actor, case, now),
        pinned: case.pins.iter().map(|pin| pin.event.to_string()).collect(),
        incident: case.incident,
    })
}

/// A case with its version as ETag.
pub(super) async fn answer(app: &App, actor: &Actor, case: &Case, status: StatusCode) -> Answer<Response> {
    let detail = detail(app, actor, case).await?;
    let mut response = (status, Json(detail)).into_response();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", case.version)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

async fn load(app: &App, id: CaseId) -> Answer<Case> {
    app.control.case(id).await.map_err(from_control)
}

pub(super) async fn one(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Response> {
    let case = load(&app, id_of(&id)?).await?;
    app.gate.allow(&caller.actor, Verb::CaseRead, &Object::case(&case))?;
    answer(&app, &caller.actor, &case, StatusCode::OK).await
}

pub(super) async fn open(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<tandem_api::NewCase>,
) -> Answer<Response> {
    let kind = new.kind.as_deref().map(|text| word("kind", text)).transpose()?.unwrap_or(CaseKind::Security);
    let priority = new.priority.as_deref().map(|text| word("priority", text)).transpose()?.unwrap_or(Priority::P3);
    let new = NewCase { title: new.title, kind, priority, text: new.text };
    let case = app.control.case_open(&caller.actor, &new).await.map_err(from_control)?;
    answer(&app, &caller.actor, &case, StatusCode::CREATED).await
}

/// Asks whether it is allowed, then does it. Answers the case that was acted on.
async fn perform(app: &App, actor: &Actor, id: CaseId, seen: Option<u64>, wire: &tandem_api::CaseAct) -> Answer<Case> {
    let case = load(app, id).await?;
    let wanted = case_words::wanted(wire, &case)?;
    app.gate.allow(actor, wanted.verb(), &Object::case(&case))?;
    match wanted {
        Wanted::Act(act) => app.control.case_act(actor, id, seen, &act).await.map_err(from_control),
        Wanted::Merge(into) => {
            let other = load(app, into).await?;
            app.gate.allow(actor, Verb::CaseMerge, &Object::case(&other))?;
            app.control.case_merge(actor, id, into).await.map_err(from_control)?;
            load(app, id).await
        }
    }
}

pub(super) async fn act(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(wire): Body<tandem_api::CaseAct>,
) -> Answer<Response> {
    let case = perform(&app, &caller.actor, id_of(&id)?, if_match(&headers)?, &wire).await?;
    answer(&app, &caller.actor, &case, StatusCode::OK).await
}

pub(super) async fn undo(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wire): Body<Undo>,
) -> Answer<Response> {
    let id = id_of(&id)?;
    let unknown = || Refused::not_found("this act");
    let act = ActNo(wire.act_id.parse().map_err(|_| unknown())?);
    let case = load(&app, id).await?;
    let history = app.control.case_history(id).await.map_err(from_control)?;
    let entry = history.iter().find(|entry| entry.act == act).ok_or_else(unknown)?;
    app.gate.allow(&caller.actor, case_words::verb_of(&entry.word), &Object::case(&case))?;
    let case = app.control.case_undo(&caller.actor, id, act).await.map_err(from_control)?;
    answer(&app, &caller.actor, &case, StatusCode::OK).await
}

pub(super) async fn bulk(
    State(app): State<App>,
    caller: Caller,
    Body(bulk): Body<BulkAct>,
) -> Answer<Json<BulkResult>> {
    if bulk.ids.len() > BULK_MAX {
        return Err(Refused::invalid(format!("{} cases are too many at once", bulk.ids.len()))
            .hint(format!("send at most {BULK_MAX}")));
    }
    let mut result = BulkResult { done: Vec::new(), not_done: Vec::new() };
    for id in bulk.ids {
        let done = match id_of(&id) {
            Ok(case) => perform(&app, &caller.actor, case, None, &bulk.act).await.map(|_| ()),
            Err(refused) => Err(refused),
        };
        match done {
            Ok(()) => result.done.push(id),
            Err(Refused(problem)) => {
                let because = problem.because.unwrap_or(problem.title);
                result.not_done.push(NotDone { id, because });
            }
        }
    }
    Ok(Json(result))
}

/// `limit` alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Limit {
    limit: Option<u32>,
}

/// The events behind a case's latest detections, in order of time; those that are still kept.
pub(super) async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Params(limit): Params<Limit>,
) -> Answer<Json<EventPage>> {
    let id = id_of(&id)?;
    let case = load(&app, id).await?;
    app.gate.allow(&caller.actor, Verb::CaseRead, &Object::case(&case))?;
    let limit = limit.limit.unwrap_or(EVENTS).clamp(1, EVENTS_MAX);
    let query = DetectionQuery { case: Some(id), limit, ..DetectionQuery::default() };
    let page = app.control.detection_page(&query).await.map_err(from_control)?;
    let mut ids: Vec<_> = page.items.iter().flat_map(|stored| stored.detection.events.iter().rev().copied()).collect();
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    ids.truncate(limit as usize);
    let mut events = super::events::kept(&app, &caller.actor, ids).await?;
    events.sort_by_key(|event| (event.time, event.id));
    let mut shown = Shown::default();
    shown.events(&events);
    shown.record(&app, &caller.actor, Verb::EventRead, &format!("events of {id}")).await?;
    Ok(Json(EventPage { items: events.iter().map(|event| event_view::row(event, &[])).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_and_orders_by_their_words() {
        assert_eq!(view(None).unwrap(), CaseView::Open);
        assert_eq!(view(Some("unowned")).unwrap(), CaseView::Unowned);
        assert_eq!(view(Some("x")).unwrap_err().0.status, 422);
        assert_eq!(sort(None).unwrap(), CaseSort::Priority);
        assert_eq!(sort(Some("-opened")).unwrap(), CaseSort::Opened);
        assert_eq!(sort(Some("updated")).unwrap(), CaseSort::Stale);
        assert_eq!(sort(Some("title")).unwrap_err().0.status, 422);
    }
}
