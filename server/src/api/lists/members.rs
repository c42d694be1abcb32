//! Who is in a list.

use engine::lists::{ListMember, MemberChange, MembersChanged};
use engine::model::time::Timestamp;
use engine::records::Written;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::api::records::write::ById;
use crate::api::wire::{ListBody, RecordBody};
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// A record that is in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListMember)]
pub(crate) struct MemberBody {
    #[schema(inline)]
    #[serde(flatten)]
    record: RecordBody,
    /// When it joined; null for callers who do not see all that the list asks about.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    joined_at: Option<Timestamp>,
}

impl From<ListMember> for MemberBody {
    fn from(member: ListMember) -> Self {
        Self { record: member.record.into(), joined_at: member.joined_at }
    }
}

/// How many records have joined and left.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListMembersChanged)]
pub(crate) struct ChangedBody {
    /// Records that are members now and were not before.
    added: usize,
    /// Records that were members and are none any more.
    removed: usize,
}

impl From<MembersChanged> for ChangedBody {
    fn from(changed: MembersChanged) -> Self {
        Self { added: changed.added, removed: changed.removed }
    }
}

/// Which page, and what of each record.
#[derive(Debug)]
pub(crate) struct Shown {
    page: Page,
    select: Option<Vec<String>>,
}

impl FromQuery for Shown {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let select = query.names("select");
        let select = (!select.is_empty()).then_some(select);
        query.page().map(|page| Self { page, select })
    }
}

/// Lists the records in a list that the caller may see, by id.
#[utoipa::path(get, path = "/lists/{id}/members", tag = "lists", operation_id = "members",
    params(("id" = String, Path, description = "The list's id"),
        ("select" = Option<String>, Query, description = "Properties to show, separated by commas"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<MemberBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(Shown { page, select }): Query<Shown>,
) -> ApiResult<Answer> {
    let found = session.list_members(&id, select, page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, MemberBody::from))
}

/// Puts records into a static list and takes others out, all of them or none.
#[utoipa::path(post, path = "/lists/{id}/members", tag = "lists", operation_id = "change_members",
    params(("id" = String, Path, description = "The list's id")), request_body = bodies::ListMembers,
    responses((status = 200, description = "How many have joined and left", body = ChangedBody)))]
pub(crate) async fn change(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let reply = Box::new(|written: &Written<MembersChanged>| Answer::keep(changed(written)));
    let written = session.list_members_change(&id, body.read::<MemberChange>()?, Some(reply)).await?;
    changed(&written)
}

fn changed(written: &Written<MembersChanged>) -> ApiResult<Answer> {
    Ok(Answer::ok(&ChangedBody::from(written.value))?.at(written.sequence))
}

/// Puts a record into a static list.
#[utoipa::path(put, path = "/lists/{id}/members/{record}", tag = "lists", operation_id = "put_member",
    params(("id" = String, Path, description = "The list's id"),
        ("record" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    responses((status = 204, description = "It is a member")))]
pub(crate) async fn put(
    Authorized(mut session): Authorized,
    Path((id, record)): Path<(String, String)>,
    Query(by): Query<ById>,
) -> ApiResult<Answer> {
    let written = session.list_put(&id, &by.target(record)).await?;
    Ok(Answer::empty().at(written.sequence))
}

/// Takes a record out of a static list.
#[utoipa::path(delete, path = "/lists/{id}/members/{record}", tag = "lists", operation_id = "take_member",
    params(("id" = String, Path, description = "The list's id"),
        ("record" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    responses((status = 204, description = "It is no member any more")))]
pub(crate) async fn take(
    Authorized(mut session): Authorized,
    Path((id, record)): Path<(String, String)>,
    Query(by): Query<ById>,
) -> ApiResult<Answer> {
    let written = session.list_take(&id, &by.target(record)).await?;
    Ok(Answer::empty().at(written.sequence))
}
