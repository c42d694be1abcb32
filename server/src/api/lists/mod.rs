//! Lists of records: static ones, and those whose members meet a filter.

pub(crate) mod members;

use axum::http::StatusCode;
use engine::lists::{List, ListInput};
use engine::model::time::Timestamp;
use engine::model::{TeamId, UserId};
use engine::records::Written;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Answer;
use super::packs::WarningBody;
use super::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// A list of records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = List)]
pub(crate) struct ListView {
    id: String,
    object: String,
    name: String,
    #[schema(required)]
    description: Option<String>,
    /// `static`, or `dynamic` where the members are all records that meet `filter`.
    kind: &'static str,
    /// As in a search; null where members are put by hand.
    #[schema(required, value_type = Option<Object>)]
    filter: Option<Value>,
    /// `private`, `team` or `everyone`.
    sharing: String,
    /// The team that it is shared with.
    #[schema(required, value_type = Option<String>)]
    team: Option<TeamId>,
    /// `current`, or `filling` while all records are looked at.
    state: &'static str,
    /// How many members it has; null for those who may not see them all.
    #[schema(required)]
    members: Option<i64>,
    /// What the filter names that is not there any more; the members stay as they were.
    problems: Vec<WarningBody>,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String)]
    created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = String)]
    updated_by: UserId,
}

impl From<List> for ListView {
    fn from(list: List) -> Self {
        Self {
            id: list.id,
            object: list.object,
            name: list.name,
            description: list.description,
            kind: if list.filter.is_some() { "dynamic" } else { "static" },
            filter: list.filter,
            sharing: list.sharing,
            team: list.team,
            state: list.state.as_str(),
            members: list.members,
            problems: list.problems.into_iter().map(WarningBody::from).collect(),
            version: list.version,
            created_at: list.created_at,
            created_by: list.created_by,
            updated_at: list.updated_at,
            updated_by: list.updated_by,
        }
    }
}

/// Which page, and of which object.
#[derive(Debug)]
pub(crate) struct Listed {
    page: Page,
    object: Option<String>,
}

impl FromQuery for Listed {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let object = query.text("object");
        query.page().map(|page| Self { page, object })
    }
}

/// Lists the lists that the caller may see, by id.
#[utoipa::path(get, path = "/lists", tag = "lists", operation_id = "list",
    params(("object" = Option<String>, Query, description = "Only those of this object"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<ListView>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(Listed { page, object }): Query<Listed>,
) -> ApiResult<Answer> {
    let found = session.list_page(object.as_deref(), page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, ListView::from))
}

/// Reads a list.
#[utoipa::path(get, path = "/lists/{id}", tag = "lists", operation_id = "read",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The list", body = ListView)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&ListView::from(session.list(&id).await?))
}

/// Makes a list: with a filter its members are all records that meet it, without one they are put by hand.
#[utoipa::path(post, path = "/lists", tag = "lists", operation_id = "create", request_body = bodies::List,
    responses((status = 201, description = "The list", body = ListView)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (input, malformed) = body.read_all::<ListInput>()?;
    let reply = Box::new(|written: &Written<List>| Answer::keep(created(written)));
    let written = session.list_create(input, malformed, Some(reply)).await?;
    created(&written)
}

fn created(written: &Written<List>) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::CREATED, &ListView::from(written.value.clone()))?.at(written.sequence))
}

/// Changes a list: what is absent stays as it is.
#[utoipa::path(patch, path = "/lists/{id}", tag = "lists", operation_id = "update",
    params(("id" = String, Path, description = "Its id")), request_body = bodies::List,
    responses((status = 200, description = "The list", body = ListView)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (input, malformed) = body.read_all::<ListInput>()?;
    let written = session.list_change(&id, input, malformed).await?;
    Ok(Answer::ok(&ListView::from(written.value))?.at(written.sequence))
}

/// Deletes a list and who is in it; the records stay.
#[utoipa::path(delete, path = "/lists/{id}", tag = "lists", operation_id = "delete",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let written = session.list_delete(&id).await?;
    Ok(Answer::empty().at(written.sequence))
}
