//! Moving a record to a stage, and the stages that it has been in.

use std::sync::Arc;

use engine::model::time::Timestamp;
use engine::model::{Sequence, UserId};
use engine::pipelines::{Moving, StageVisit};
use engine::records::{Done, DoneReply, Operation, PropertiesInput, RecordInput};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body::Id;
use super::write::{ById, PageById, answer};
use crate::api::answer::Answer;
use crate::api::wire::{ListBody, RecordBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, PropertiesBody, Reading};
use crate::extract::query::Query;
use crate::extract::{Authorized, IdempotencyKey, IfMatch, Path, once};
use crate::openapi::bodies;

/// `{pipeline?, stage, properties?, after?}`.
#[derive(Debug)]
struct MoveBody {
    pipeline: Option<String>,
    /// None where it could not be read, which has been told.
    stage: Option<String>,
    properties: PropertiesInput,
    after: Option<Option<String>>,
}

impl<'a> FromJson<'a> for MoveBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let pipeline = object.optional::<String>("pipeline");
        let stage = object.required::<String>("stage");
        let properties = object.optional::<PropertiesBody>("properties").map(|body| PropertiesInput(body.0));
        let after = object.patch::<Id>("after").map(|after| after.map(|Id(id)| id));
        object.finish();
        Some(Self { pipeline, stage, properties: properties.unwrap_or_default(), after })
    }
}

/// Moves a record to a stage, with the values that the stage asks for.
#[utoipa::path(put, path = "/records/{object}/{id}/stage", tag = "pipelines", operation_id = "move",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("If-Match" = Option<String>, Header, description = "Only if the record is at this version")),
    request_body = bodies::StageMove, responses((status = 200, description = "The record", body = RecordBody)))]
pub(crate) async fn put(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    if_match: IfMatch,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (MoveBody { pipeline, stage, properties, after }, problems) = body.read_all()?;
    let (target, version) = (by.target(id), if_match.expected_version()?);
    let Some(stage) = stage else {
        // Without a stage there is nothing to ask for but that the values are right.
        let input = RecordInput { properties, ..RecordInput::default() };
        return Err(session.refuse(Operation::Update { object, target, input, version }, problems).await.into());
    };
    let moving = Moving { pipeline, stage, properties, after };
    if !problems.is_empty() {
        return Err(session.refuse_move(&object, target, moving, version, problems).await.into());
    }
    let reply: DoneReply = Arc::new(|done: &Done, sequence: Sequence| Answer::keep(answer(done.clone(), sequence)));
    let reply = session.idempotency().is_some().then_some(reply);
    let written = session.record_move(&object, target, moving, version, reply).await?;
    session.give(&written.value.record).await?;
    answer(written.value, written.sequence)
}

/// A record's stay in a stage.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StageVisit)]
pub(crate) struct StageVisitBody {
    #[schema(required)]
    pipeline: Option<String>,
    stage: String,
    #[schema(value_type = String, format = DateTime)]
    entered_at: Timestamp,
    /// Null as long as the record is there.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    left_at: Option<Timestamp>,
    /// Whole seconds, until now where it is not over.
    seconds: i64,
    #[schema(required, value_type = Option<String>)]
    by: Option<UserId>,
}

impl From<StageVisit> for StageVisitBody {
    fn from(visit: StageVisit) -> Self {
        let StageVisit { pipeline, stage, entered_at, left_at, seconds, by } = visit;
        Self { pipeline, stage, entered_at, left_at, seconds, by }
    }
}

/// Lists the stages that a record has been in, newest first.
#[utoipa::path(get, path = "/records/{object}/{id}/stages", tag = "pipelines", operation_id = "stages",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<StageVisitBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(PageById { page, by }): Query<PageById>,
) -> ApiResult<Answer> {
    let found = session.record_stages(&object, &by.target(id), page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, StageVisitBody::from))
}
