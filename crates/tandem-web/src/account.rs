//! Accounts, passwords, second factors, API tokens.

use crate::problem::from_control;
use crate::session::person;
use crate::{Answer, Api, Caller, Gate, Refused};
use axum::Json;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use tandem_api::{
    Method, NewToken, NewUser, PasswordChange, SecondFactorCode, SecondFactorSetup, Token, TokenPage, User, UserChange,
    UserPage,
};
use tandem_control::TokenKind;
use tandem_service::{Party, Role, RoleSet, Scope, UserId};

/// Serves the rows of the catalogue that this module knows.
pub fn account_routes<S>(api: Api<S>) -> Api<S>
where
    S: Clone + Send + Sync + 'static,
    Gate: FromRef<S>,
{
    api.serve(Method::Post, "/password", change_password)
        .serve(Method::Post, "/second-factor/begin", second_factor_begin)
        .serve(Method::Post, "/second-factor/confirm", second_factor_confirm)
        .serve(Method::Get, "/users", users)
        .serve(Method::Post, "/users", user_create)
        .serve(Method::Patch, "/users/{id}", user_change)
        .serve(Method::Get, "/api-tokens", api_tokens)
        .serve(Method::Post, "/api-tokens", api_token_create)
        .serve(Method::Delete, "/api-tokens/{id}", api_token_end)
}

async fn change_password(
    State(gate): State<Gate>,
    caller: Caller,
    Json(change): Json<PasswordChange>,
) -> Answer<StatusCode> {
    person(&caller)?;
    let keep = caller.session.as_ref().map(|(token, _)| token.as_str());
    gate.control.password_change(&caller.actor, &change.old, &change.new, keep).await.map_err(from_control)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn second_factor_begin(State(gate): State<Gate>, caller: Caller) -> Answer<Json<SecondFactorSetup>> {
    person(&caller)?;
    let setup = gate.control.second_factor_begin(&caller.actor).await.map_err(from_control)?;
    Ok(Json(SecondFactorSetup { uri: setup.uri, secret: setup.secret }))
}

async fn second_factor_confirm(
    State(gate): State<Gate>,
    caller: Caller,
    Json(given): Json<SecondFactorCode>,
) -> Answer<StatusCode> {
    person(&caller)?;
    gate.control.second_factor_confirm(&caller.actor, &given.code).await.map_err(from_control)?;
    Ok(StatusCode::NO_CONTENT)
}

fn wire_user(user: tandem_control::User) -> User {
    User {
        id: user.id.to_string(),
        name: user.name,
        display_name: user.display_name,
        roles: user.roles.iter().map(|role| role.word().to_owned()).collect(),
        party: user.party.to_string(),
        enabled: user.enabled,
        second_factor: user.second_factor,
        last_sign_in: user.last_sign_in.map(|at| at.to_string()),
    }
}

async fn users(State(gate): State<Gate>) -> Answer<Json<UserPage>> {
    let users = gate.control.users().await.map_err(from_control)?;
    Ok(Json(UserPage { items: users.into_iter().map(wire_user).collect() }))
}

fn roles(words: &[String]) -> Answer<RoleSet> {
    words
        .iter()
        .map(|word| {
            word.parse::<Role>().map_err(|_| {
                let all: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
                Refused::invalid(format!("`{word}` is no role")).hint(format!("roles are {}", all.join(", ")))
            })
        })
        .collect()
}

async fn user_create(
    State(gate): State<Gate>,
    caller: Caller,
    Json(new): Json<NewUser>,
) -> Answer<(StatusCode, Json<User>)> {
    let new = tandem_control::NewUser {
        name: new.name,
        display_name: new.display_name,
        party: Party::Customer,
        roles: roles(&new.roles)?,
        password: Some(new.password),
    };
    let user = gate.control.user_create(&caller.actor, &new).await.map_err(from_control)?;
    Ok((StatusCode::CREATED, Json(wire_user(user))))
}

async fn user_change(
    State(gate): State<Gate>,
    caller: Caller,
    Path(id): Path<String>,
    Json(change): Json<UserChange>,
) -> Answer<Json<User>> {
    let id: UserId = id.parse().map_err(|_| Refused::not_found("this user"))?;
    let change = tandem_control::UserChange {
        display_name: change.display_name,
        roles: change.roles.as_deref().map(roles).transpose()?,
        enabled: change.enabled,
    };
    let user = gate.control.user_change(&caller.actor, id, &change).await.map_err(from_control)?;
    Ok(Json(wire_user(user)))
}

fn wire_token(token: tandem_control::Token, secret: Option<String>) -> Token {
    Token {
        id: token.id,
        name: token.name,
        token: secret,
        created: token.created.to_string(),
        last_used: token.last_used.map(|at| at.to_string()),
    }
}

async fn api_tokens(State(gate): State<Gate>, caller: Caller) -> Answer<Json<TokenPage>> {
    let tokens = gate.control.tokens(TokenKind::Api, Some(person(&caller)?)).await.map_err(from_control)?;
    Ok(Json(TokenPage { items: tokens.into_iter().map(|token| wire_token(token, None)).collect() }))
}

async fn api_token_create(
    State(gate): State<Gate>,
    caller: Caller,
    Json(new): Json<NewToken>,
) -> Answer<(StatusCode, Json<Token>)> {
    person(&caller)?;
    let narrowed = if new.roles.is_empty() { None } else { Some(roles(&new.roles)?) };
    let made = gate.control.api_token_create(&caller.actor, &new.name, Scope::ALL, narrowed, Some(365)).await;
    let made = made.map_err(from_control)?;
    Ok((StatusCode::CREATED, Json(wire_token(made.token, Some(made.secret)))))
}

async fn api_token_end(State(gate): State<Gate>, caller: Caller, Path(id): Path<String>) -> Answer<StatusCode> {
    let owner = person(&caller)?;
    gate.control.token_end(&caller.actor, TokenKind::Api, &id, Some(owner)).await.map_err(from_control)?;
    Ok(StatusCode::NO_CONTENT)
}
