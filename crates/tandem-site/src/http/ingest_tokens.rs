//! Ingest tokens: one per sender over HTTP.

use super::extract::Body;
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use tandem_api::{NewToken, Token, TokenPage};
use tandem_control::TokenKind;
use tandem_ingest::TokenInfo;
use tandem_web::{Answer, Caller, Refused, from_control};

/// Brings the tokens in memory up to what is stored: receivers look them up there.
pub(crate) async fn renew_tokens(app: &App) -> anyhow::Result<()> {
    let stored = app.control.ingest_token_hashes().await?;
    let known =
        stored.into_iter().map(|(hash, token)| (hash, TokenInfo { id: token.id, source: token.name, disabled: false }));
    app.tokens.replace(known.collect());
    Ok(())
}

async fn renew(app: &App) -> Answer<()> {
    renew_tokens(app).await.map_err(|error| Refused::failed(error.as_ref()))
}

fn wire(token: tandem_control::Token, secret: Option<String>) -> Token {
    Token {
        id: token.id,
        name: token.name,
        token: secret,
        created: token.created.to_string(),
        last_used: token.last_used.map(|at| at.to_string()),
    }
}

pub(super) async fn list(State(app): State<App>) -> Answer<Json<TokenPage>> {
    let tokens = app.control.tokens(TokenKind::Ingest, None).await.map_err(from_control)?;
    let seen = app.control.sources().await.map_err(from_control)?;
    let items = tokens.into_iter().map(|token| {
        // A sender's token is looked up in memory, so its use shows in the source that it names.
        let last_used = seen.iter().find(|source| source.id == token.name).map(|source| source.last_seen.to_string());
        let mut wire = wire(token, None);
        wire.last_used = wire.last_used.or(last_used);
        wire
    });
    Ok(Json(TokenPage { items: items.collect() }))
}

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewToken>,
) -> Answer<(StatusCode, Json<Token>)> {
    let made = app.control.ingest_token_create(&caller.actor, &new.name).await.map_err(from_control)?;
    renew(&app).await?;
    Ok((StatusCode::CREATED, Json(wire(made.token, Some(made.secret)))))
}

pub(super) async fn end(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<StatusCode> {
    app.control.token_end(&caller.actor, TokenKind::Ingest, &id, None).await.map_err(from_control)?;
    renew(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}
