//! Users: people and services of the tenant.

use axum::http::StatusCode;
use engine::Job;
use engine::assignment::Reassignment;
use engine::records::Written;
use engine::{NewUser, UserPatch, UserView};
use serde_json::value::RawValue;

use super::Paged;
use crate::api::answer::Answer;
use crate::api::jobs::{AcceptedJob, accepted};
use crate::api::records::body::Id;
use crate::api::wire::{ListBody, UserBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// Most teams that one user is put into.
const MOST_TEAMS: usize = 1_000;

#[derive(Debug)]
struct NewBody(NewUser);

impl<'a> FromJson<'a> for NewBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let name = object.required::<String>("name");
        let email = object.optional("email");
        let role = object.optional("role");
        let teams = object.list::<Id>("teams", MOST_TEAMS);
        let time_zone = object.optional("time_zone");
        let locale = object.optional("locale");
        object.finish();
        let teams = teams?.into_iter().map(|Id(id)| id).collect();
        Some(Self(NewUser { name: name?, email, role, teams, time_zone, locale }))
    }
}

#[derive(Debug)]
struct PatchBody(UserPatch);

#[derive(Debug)]
struct Ids(Vec<String>);

impl<'a> FromJson<'a> for Ids {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let ids = reading.list::<Id>(raw, MOST_TEAMS)?;
        Some(Self(ids.into_iter().map(|Id(id)| id).collect()))
    }
}

impl<'a> FromJson<'a> for PatchBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let patch = UserPatch {
            name: object.optional("name"),
            email: object.patch("email"),
            role: object.optional("role"),
            teams: object.optional::<Ids>("teams").map(|Ids(ids)| ids),
            time_zone: object.patch("time_zone"),
            locale: object.patch("locale"),
        };
        object.finish();
        Some(Self(patch))
    }
}

/// Lists the tenant's users.
#[utoipa::path(get, path = "/users", tag = "users", operation_id = "list",
    params(("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<UserBody>)))]
pub(crate) async fn list(Authorized(mut session): Authorized, Query(Paged(page)): Query<Paged>) -> ApiResult<Answer> {
    let found = session.users(page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, UserBody::from))
}

/// Reads a user.
#[utoipa::path(get, path = "/users/{id}", tag = "users", operation_id = "read",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The user", body = UserBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&UserBody::from(session.user(&id).await?))
}

/// Adds a user.
#[utoipa::path(post, path = "/users", tag = "users", operation_id = "create", request_body = bodies::NewUser,
    responses((status = 201, description = "The user", body = UserBody)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let NewBody(new) = body.read()?;
    let reply = Box::new(|written: &Written<UserView>| Answer::keep(created(written.value.clone(), written)));
    let written = session.user_create(new, Some(reply)).await?;
    created(written.value.clone(), &written)
}

fn created<T>(user: UserView, written: &Written<T>) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::CREATED, &UserBody::from(user))?.at(written.sequence))
}

/// Changes a user.
#[utoipa::path(patch, path = "/users/{id}", tag = "users", operation_id = "update",
    params(("id" = String, Path, description = "The user's id")), request_body = bodies::UserPatch,
    responses((status = 200, description = "The user", body = UserBody)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let PatchBody(patch) = body.read()?;
    let written = session.user_change(&id, patch).await?;
    Ok(Answer::ok(&UserBody::from(written.value))?.at(written.sequence))
}

/// Archives a user; its tokens end.
#[utoipa::path(delete, path = "/users/{id}", tag = "users", operation_id = "archive",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 204, description = "It is archived")))]
pub(crate) async fn archive(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let written = session.user_archive(&id).await?;
    Ok(Answer::empty().at(written.sequence))
}

/// Most objects that one call names.
const MOST_OBJECTS: usize = 1_000;

#[derive(Debug)]
struct ReassignBody(Reassignment);

impl<'a> FromJson<'a> for ReassignBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let to = object.patch::<Id>("to").map(|to| to.map(|Id(id)| id));
        let by_rules = object.optional("by_rules").unwrap_or(false);
        let objects = object.list::<String>("objects", MOST_OBJECTS);
        let properties = object.optional("properties").unwrap_or(false);
        object.finish();
        Some(Self(Reassignment { to, by_rules, objects: objects?, properties }))
    }
}

/// Hands over all records that a user owns, in the background.
#[utoipa::path(post, path = "/users/{id}/reassign", tag = "users", operation_id = "reassign",
    params(("id" = String, Path, description = "The user's id")), request_body = bodies::Reassignment,
    responses((status = 202, description = "The job that hands them over", body = AcceptedJob)))]
pub(crate) async fn reassign(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let ReassignBody(reassignment) = body.read()?;
    let reply = Box::new(|written: &Written<Job>| Answer::keep(accepted(written)));
    let written = session.user_reassign(&id, reassignment, Some(reply)).await?;
    accepted(&written)
}
