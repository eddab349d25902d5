//! Signing in and out, and what belongs to one person: preferences, drafts, kept searches.

use crate::gate::{COOKIE, peer};
use crate::problem::from_control;
use crate::{Answer, Api, Caller, Gate, Refused};
use axum::Json;
use axum::extract::{FromRef, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tandem_api::{Draft, Method, SavedSearch, Session, SessionUser, SignIn, SignInByLink, SiteInfo};
use tandem_base::Timestamp;
use tandem_control::{SignInError, SignedIn, User};
use tandem_service::UserId;

/// Serves the rows of the catalogue that this module knows.
pub fn session_routes<S>(api: Api<S>) -> Api<S>
where
    S: Clone + Send + Sync + 'static,
    Gate: FromRef<S>,
{
    api.serve(Method::Post, "/session", sign_in)
        .serve(Method::Post, "/session/link", sign_in_by_link)
        .serve(Method::Get, "/session", session)
        .serve(Method::Delete, "/session", sign_out)
        .serve(Method::Put, "/preferences", set_preferences)
        .serve(Method::Get, "/drafts/{key}", draft)
        .serve(Method::Put, "/drafts/{key}", set_draft)
        .serve(Method::Delete, "/drafts/{key}", drop_draft)
        .serve(Method::Get, "/saved-searches", saved_searches)
        .serve(Method::Post, "/saved-searches", keep_search)
        .serve(Method::Delete, "/saved-searches/{id}", drop_search)
}

/// Reads a small JSON body of a request whose extensions are needed, too.
async fn body<T: serde::de::DeserializeOwned>(request: Request) -> Answer<(T, String)> {
    let peer = peer(request.extensions());
    let bytes = axum::body::to_bytes(request.into_body(), 64 << 10)
        .await
        .map_err(|_| Refused::invalid("the body is larger than 64 KiB or broke off"))?;
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| Refused::invalid("the body is not what this endpoint takes").detail(error.to_string()))?;
    Ok((value, peer))
}

async fn sign_in(State(gate): State<Gate>, request: Request) -> Answer<Response> {
    let (given, peer): (SignIn, _) = body(request).await?;
    let outcome = gate.control.sign_in(&given.name, &given.password, given.code.as_deref(), &peer).await;
    signed_in(&gate, outcome.map_err(sign_in_refused)?).await
}

async fn sign_in_by_link(State(gate): State<Gate>, request: Request) -> Answer<Response> {
    let (given, peer): (SignInByLink, _) = body(request).await?;
    let outcome = gate.control.link_use(&given.token, &peer).await;
    signed_in(&gate, outcome.map_err(sign_in_refused)?).await
}

fn sign_in_refused(error: SignInError) -> Refused {
    match error {
        SignInError::Failed => {
            Refused::new(StatusCode::UNAUTHORIZED, "sign-in-failed", "name, password or code is wrong")
                .hint("check the name and try again; a site administrator can set a new password")
        }
        SignInError::SecondFactorRequired => {
            Refused::new(StatusCode::UNAUTHORIZED, "second-factor-required", "this account needs a code as well")
                .hint("type the six digits that your app shows")
        }
        SignInError::Throttled { until } => {
            Refused::new(StatusCode::TOO_MANY_REQUESTS, "sign-in-throttled", "too many failed attempts")
                .detail(format!("wait until {until}"))
                .hint("wait, or ask a site administrator for a sign-in link")
        }
        SignInError::Link => Refused::new(StatusCode::UNAUTHORIZED, "link-invalid", "this link is not valid any more")
            .hint("links work once and for 15 minutes; make a new one with `tandem site link`"),
        SignInError::Control(error) => from_control(error),
    }
}

async fn signed_in(gate: &Gate, done: SignedIn) -> Answer<Response> {
    let answer = session_of(gate, &done.user, done.expires).await?;
    let mut response = Json(answer).into_response();
    let secure = if gate.facts.secure { "; Secure" } else { "" };
    let seconds = done.expires.since(gate.clock.now()).as_secs();
    set_cookie(
        response.headers_mut(),
        &format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}", done.token),
    );
    Ok(response)
}

fn set_cookie(headers: &mut HeaderMap, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(header::SET_COOKIE, value);
    }
}

async fn session_of(gate: &Gate, user: &User, expires: Timestamp) -> Answer<Session> {
    let preferences = gate.control.preferences(user.id).await.map_err(from_control)?;
    let preferences = match preferences {
        Value::Object(map) => map.into_iter().collect(),
        _ => std::collections::BTreeMap::new(),
    };
    Ok(Session {
        user: SessionUser {
            id: user.id.to_string(),
            name: user.name.clone(),
            display_name: user.display_name.clone(),
            roles: user.roles.iter().map(|role| role.word().to_owned()).collect(),
            party: user.party.to_string(),
            second_factor: user.second_factor,
        },
        site: SiteInfo { name: gate.facts.name.clone(), demo: gate.facts.demo, version: gate.facts.version.to_owned() },
        expires: expires.to_string(),
        preferences,
    })
}

async fn session(State(gate): State<Gate>, caller: Caller) -> Answer<Json<Session>> {
    let user = gate.control.user(person(&caller)?).await.map_err(from_control)?;
    let expires = caller.session.map_or_else(|| gate.clock.now(), |(_, expires)| expires);
    Ok(Json(session_of(&gate, &user, expires).await?))
}

/// The account behind a request; the socket and the program have none.
pub(crate) fn person(caller: &Caller) -> Answer<UserId> {
    if caller.actor.id == UserId([0; 16]) {
        return Err(Refused::new(StatusCode::FORBIDDEN, "no-account", "this needs an account of a person")
            .hint("sign in through the console, or use an API token"));
    }
    Ok(caller.actor.id)
}

async fn sign_out(State(gate): State<Gate>, caller: Caller) -> Answer<Response> {
    if let Some((token, _)) = &caller.session {
        gate.control.session_end(token).await.map_err(from_control)?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(response.headers_mut(), &format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"));
    Ok(response)
}

async fn set_preferences(
    State(gate): State<Gate>,
    caller: Caller,
    Json(preferences): Json<Value>,
) -> Answer<StatusCode> {
    gate.control.set_preferences(person(&caller)?, &preferences).await.map_err(from_control)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn draft(State(gate): State<Gate>, caller: Caller, Path(key): Path<String>) -> Answer<Json<Draft>> {
    let text = gate.control.draft(person(&caller)?, &key).await.map_err(from_control)?;
    Ok(Json(Draft { text: text.unwrap_or_default() }))
}

async fn set_draft(
    State(gate): State<Gate>,
    caller: Caller,
    Path(key): Path<String>,
    Json(draft): Json<Draft>,
) -> Answer<StatusCode> {
    gate.control.set_draft(person(&caller)?, &key, Some(&draft.text)).await.map_err(from_control)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_draft(State(gate): State<Gate>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    gate.control.set_draft(person(&caller)?, &key, None).await.map_err(from_control)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn saved_searches(State(gate): State<Gate>, caller: Caller) -> Answer<Json<Value>> {
    let list = gate.control.saved_searches(person(&caller)?).await.map_err(from_control)?;
    let items: Vec<SavedSearch> =
        list.into_iter().map(|kept| SavedSearch { id: kept.id, name: kept.name, url: kept.url }).collect();
    Ok(Json(serde_json::json!({ "items": items })))
}

async fn keep_search(
    State(gate): State<Gate>,
    caller: Caller,
    Json(new): Json<SavedSearch>,
) -> Answer<(StatusCode, Json<SavedSearch>)> {
    let kept = gate.control.saved_search_add(person(&caller)?, &new.name, &new.url).await.map_err(from_control)?;
    Ok((StatusCode::CREATED, Json(SavedSearch { id: kept.id, name: kept.name, url: kept.url })))
}

async fn drop_search(State(gate): State<Gate>, caller: Caller, Path(id): Path<String>) -> Answer<StatusCode> {
    gate.control.saved_search_delete(person(&caller)?, &id).await.map_err(from_control)?;
    Ok(StatusCode::NO_CONTENT)
}
