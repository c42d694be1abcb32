//! Tokens: bearers of a user's rights. A secret is shown once and kept as its hash.

use axum::http::StatusCode;
use engine::records::Written;
use engine::{NewToken, TokenPatch, TokenView, repeatable_secret};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Paged;
use crate::api::answer::Answer;
use crate::api::records::body::Id;
use crate::api::wire::{ListBody, TokenBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, BearerToken, IdempotencyKey, Path};
use crate::openapi::bodies;

/// Most scopes of one token.
const MOST_SCOPES: usize = 200;

#[derive(Debug)]
struct NewBody(NewToken);

impl<'a> FromJson<'a> for NewBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let name = object.required::<String>("name");
        let user = object.optional::<Id>("user").map(|Id(id)| id);
        let role = object.optional("role");
        let scopes = object.list::<String>("scopes", MOST_SCOPES);
        let expires_at = object.optional("expires_at");
        object.finish();
        Some(Self(NewToken { name: name?, user, role, scopes: scopes?, expires_at, secret: None }))
    }
}

#[derive(Debug)]
struct PatchBody(TokenPatch);

#[derive(Debug)]
struct Scopes(Vec<String>);

impl<'a> FromJson<'a> for Scopes {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        reading.list(raw, MOST_SCOPES).map(Self)
    }
}

impl<'a> FromJson<'a> for PatchBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let name = object.optional("name");
        let scopes = object.optional::<Scopes>("scopes").map(|Scopes(scopes)| scopes);
        let expires_at = object.patch("expires_at");
        object.finish();
        Some(Self(TokenPatch { name, scopes, expires_at }))
    }
}

/// Lists the tenant's tokens, without their secrets.
#[utoipa::path(get, path = "/tokens", tag = "tokens", operation_id = "list",
    params(("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<TokenBody>)))]
pub(crate) async fn list(Authorized(mut session): Authorized, Query(Paged(page)): Query<Paged>) -> ApiResult<Answer> {
    let found = session.tokens(page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, TokenBody::from))
}

/// Reads a token, without its secret.
#[utoipa::path(get, path = "/tokens/{id}", tag = "tokens", operation_id = "read",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 200, description = "The token", body = TokenBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&TokenBody::from(session.token(&id).await?))
}

/// A token and its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeToken {
    token: TokenBody,
    secret: String,
}

/// Makes a token; answers with its secret, this once.
///
/// With an idempotency key the secret is derived from the caller's own, so that a repetition gets the same one although
/// it is kept nowhere.
#[utoipa::path(post, path = "/tokens", tag = "tokens", operation_id = "create", request_body = bodies::NewToken,
    responses((status = 201, description = "The token and its secret", body = MadeToken)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    bearer: BearerToken,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let mut secret = None;
    if let Some(key) = &key {
        let fingerprint = key.fingerprint(body.bytes());
        let repeatable = repeatable_secret(bearer.expose(), key.as_str(), &fingerprint)?;
        session.set_idempotency(key.as_str(), fingerprint);
        if let Some(mut kept) = session.kept_reply().await? {
            kept.body = kept.body.replace(PLACEHOLDER, &repeatable);
            return Err(engine::Error::replayed(kept).into());
        }
        secret = Some(repeatable);
    }
    let NewBody(new) = body.read()?;
    let reply = Box::new(|written: &Written<(TokenView, String)>| {
        let (token, _) = written.value.clone();
        Answer::keep(created(token, PLACEHOLDER, written))
    });
    let written = session.token_create(NewToken { secret, ..new }, Some(reply)).await?;
    let (token, secret) = written.value.clone();
    created(token, &secret, &written)
}

/// Stands in a kept reply where the secret was.
const PLACEHOLDER: &str = "trl_secret_kept_nowhere";

fn created<T>(token: TokenView, secret: &str, written: &Written<T>) -> ApiResult<Answer> {
    let body = MadeToken { token: TokenBody::from(token), secret: secret.to_owned() };
    Ok(Answer::json(StatusCode::CREATED, &body)?.at(written.sequence))
}

/// Changes a token's name, scopes or end.
#[utoipa::path(patch, path = "/tokens/{id}", tag = "tokens", operation_id = "update",
    params(("id" = String, Path, description = "The token's id")), request_body = bodies::TokenPatch,
    responses((status = 200, description = "The token", body = TokenBody)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let PatchBody(patch) = body.read()?;
    let written = session.token_change(&id, patch).await?;
    Ok(Answer::ok(&TokenBody::from(written.value))?.at(written.sequence))
}

/// Ends a token at once.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", operation_id = "revoke",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It has ended")))]
pub(crate) async fn revoke(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let written = session.token_revoke(&id).await?;
    Ok(Answer::empty().at(written.sequence))
}
