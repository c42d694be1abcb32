//! Making, changing, archiving, restoring and purging one record.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::Session;
use engine::model::{Problems, Sequence};
use engine::records::{Done, DoneReply, Effect, Operation, Target};

use super::body::RecordFields;
use crate::api::answer::Answer;
use crate::api::wire::RecordBody;
use crate::error::{ApiError, ApiResult};
use crate::extract::json::JsonBody;
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, IfMatch, Path, once, once_without_body};
use crate::openapi::bodies;

/// Which property the id in the path is a value of.
#[derive(Debug)]
pub(crate) struct ById {
    pub(crate) id_property: Option<String>,
}

impl FromQuery for ById {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self { id_property: query.text("id_property") })
    }
}

impl ById {
    pub(crate) fn target(self, id: String) -> Target {
        Target { id, id_property: self.id_property }
    }
}

/// Which page of what one record has.
#[derive(Debug)]
pub(crate) struct PageById {
    pub(crate) page: Page,
    pub(crate) by: ById,
}

impl FromQuery for PageById {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let page = query.page();
        let by = ById::from_query(query);
        Some(Self { page: page?, by: by? })
    }
}

/// Makes a record.
#[utoipa::path(post, path = "/records/{object}", tag = "records",
    params(("object" = String, Path, description = "The object's name")),
    request_body = bodies::RecordInput, responses((status = 201, description = "The record", body = RecordBody)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (RecordFields(input), problems) = body.read_all()?;
    perform_checked(&mut session, Operation::Create { object, input }, problems).await
}

/// The unique property that an upsert goes by.
#[derive(Debug)]
pub(crate) struct UpsertBy {
    id_property: String,
}

impl FromQuery for UpsertBy {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let id_property = query.text("id_property");
        if id_property.is_none() {
            query.problem("id_property", "required", "`id_property` names the unique property to go by");
        }
        Some(Self { id_property: id_property? })
    }
}

/// Changes the record that has a unique property's value, or makes one.
#[utoipa::path(put, path = "/records/{object}", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id_property" = String, Query, description = "A unique property, whose value is in the body")),
    request_body = bodies::RecordInput,
    responses((status = 200, description = "The record, changed", body = RecordBody),
        (status = 201, description = "The record, made", body = RecordBody)))]
pub(crate) async fn upsert(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(UpsertBy { id_property }): Query<UpsertBy>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (RecordFields(input), problems) = body.read_all()?;
    perform_checked(&mut session, Operation::Upsert { object, id_property, id: None, input }, problems).await
}

/// Changes a record.
#[utoipa::path(patch, path = "/records/{object}/{id}", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("If-Match" = Option<String>, Header, description = "Only if the record is at this version")),
    request_body = bodies::RecordInput, responses((status = 200, description = "The record", body = RecordBody)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    if_match: IfMatch,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (RecordFields(input), problems) = body.read_all()?;
    let version = if_match.expected_version()?;
    let operation = Operation::Update { object, target: by.target(id), input, version };
    perform_checked(&mut session, operation, problems).await
}

/// Whether a deletion is for good.
#[derive(Debug)]
pub(crate) struct Deletion {
    by: ById,
    purge: bool,
}

impl FromQuery for Deletion {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let by = ById::from_query(query)?;
        Some(Self { by, purge: query.flag("purge") })
    }
}

/// Archives a record, or erases it for good.
#[utoipa::path(delete, path = "/records/{object}/{id}", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("purge" = Option<bool>, Query, description = "Erase the values for good, from the history too"),
        ("If-Match" = Option<String>, Header, description = "Only if the record is at this version")),
    responses((status = 204, description = "Done")))]
pub(crate) async fn archive(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(Deletion { by, purge }): Query<Deletion>,
    if_match: IfMatch,
) -> ApiResult<Answer> {
    let target = by.target(id);
    let version = if_match.expected_version()?;
    let operation = match (purge, version) {
        (true, None) => Operation::Purge { object, target },
        (true, Some(_)) => return Err(ApiError::bad_request("`If-Match` does not go with `purge`")),
        (false, version) => Operation::Archive { object, target, version },
    };
    let written = session.perform(operation, None).await?;
    Ok(Answer::empty().at(written.sequence))
}

/// Brings an archived record back.
#[utoipa::path(post, path = "/records/{object}/{id}/restore", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    responses((status = 200, description = "The record", body = RecordBody)))]
pub(crate) async fn restore(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    perform(&mut session, Operation::Restore { object, target: by.target(id) }).await
}

/// Carries an operation out, unless its body is malformed; then says that and whatever else is wrong with it.
pub(super) async fn perform_checked(
    session: &mut Session,
    operation: Operation,
    problems: Problems,
) -> ApiResult<Answer> {
    if problems.is_empty() {
        perform(session, operation).await
    } else {
        Err(session.refuse(operation, problems).await.into())
    }
}

pub(super) async fn perform(session: &mut Session, operation: Operation) -> ApiResult<Answer> {
    let reply: DoneReply = Arc::new(|done: &Done, sequence: Sequence| Answer::keep(answer(done.clone(), sequence)));
    let reply = session.idempotency().is_some().then_some(reply);
    let written = session.perform(operation, reply).await?;
    session.give(&written.value.record).await?;
    answer(written.value, written.sequence)
}

/// What a single write is answered.
pub(crate) fn answer(done: Done, sequence: Sequence) -> ApiResult<Answer> {
    let status = if done.effect == Effect::Created { StatusCode::CREATED } else { StatusCode::OK };
    let Some(record) = done.record else { return Ok(Answer::empty().at(sequence)) };
    let version = record.version;
    let body = RecordBody::from(record).without(done.left_out).resembling(done.duplicates);
    Ok(Answer::json(status, &body)?.tagged(version).at(sequence))
}
