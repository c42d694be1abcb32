//! Teams: groups of users.

use axum::http::StatusCode;
use engine::records::Written;
use engine::{TeamInput, TeamView};
use serde_json::value::RawValue;

use super::Paged;
use crate::api::answer::Answer;
use crate::api::records::body::Id;
use crate::api::wire::{ListBody, TeamBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// Most members that one call gives a team.
const MOST_MEMBERS: usize = 10_000;

#[derive(Debug)]
struct TeamFields(TeamInput);

#[derive(Debug)]
struct Members(Vec<String>);

impl<'a> FromJson<'a> for Members {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let ids = reading.list::<Id>(raw, MOST_MEMBERS)?;
        Some(Self(ids.into_iter().map(|Id(id)| id).collect()))
    }
}

impl<'a> FromJson<'a> for TeamFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let name = object.optional("name");
        let members = object.optional::<Members>("members").map(|Members(ids)| ids);
        object.finish();
        Some(Self(TeamInput { name, members }))
    }
}

/// Lists the tenant's teams.
#[utoipa::path(get, path = "/teams", tag = "teams", operation_id = "list",
    params(("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<TeamBody>)))]
pub(crate) async fn list(Authorized(mut session): Authorized, Query(Paged(page)): Query<Paged>) -> ApiResult<Answer> {
    let found = session.teams(page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, TeamBody::from))
}

/// Reads a team.
#[utoipa::path(get, path = "/teams/{id}", tag = "teams", operation_id = "read",
    params(("id" = String, Path, description = "The team's id")),
    responses((status = 200, description = "The team", body = TeamBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&TeamBody::from(session.team(&id).await?))
}

/// Adds a team.
#[utoipa::path(post, path = "/teams", tag = "teams", operation_id = "create", request_body = bodies::TeamInput,
    responses((status = 201, description = "The team", body = TeamBody)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let TeamFields(input) = body.read()?;
    let reply = Box::new(|written: &Written<TeamView>| Answer::keep(created(written)));
    let written = session.team_create(input, Some(reply)).await?;
    created(&written)
}

fn created(written: &Written<TeamView>) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::CREATED, &TeamBody::from(written.value.clone()))?.at(written.sequence))
}

/// Changes a team's name or members.
#[utoipa::path(patch, path = "/teams/{id}", tag = "teams", operation_id = "update",
    params(("id" = String, Path, description = "The team's id")), request_body = bodies::TeamInput,
    responses((status = 200, description = "The team", body = TeamBody)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let TeamFields(input) = body.read()?;
    let written = session.team_change(&id, input).await?;
    Ok(Answer::ok(&TeamBody::from(written.value))?.at(written.sequence))
}

/// Takes a team away; its members stay.
#[utoipa::path(delete, path = "/teams/{id}", tag = "teams", operation_id = "delete",
    params(("id" = String, Path, description = "The team's id")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let written = session.team_delete(&id).await?;
    Ok(Answer::empty().at(written.sequence))
}
