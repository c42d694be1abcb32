//! Taking a record on, and giving it back.

use engine::records::{Handover, Operation, Target};

use super::write::{ById, perform};
use crate::api::answer::Answer;
use crate::api::wire::RecordBody;
use crate::error::ApiResult;
use crate::extract::query::Query;
use crate::extract::{Authorized, IdempotencyKey, IfMatch, Path, once_without_body};

/// Takes a record on: the caller owns it from then on, unless somebody else does.
#[utoipa::path(post, path = "/records/{object}/{id}/claim", tag = "records", operation_id = "claim",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("If-Match" = Option<String>, Header, description = "Only if the record is at this version")),
    responses((status = 200, description = "The record", body = RecordBody)))]
pub(crate) async fn claim(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    if_match: IfMatch,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    let operation = own(object, by.target(id), if_match, Handover::Claim)?;
    perform(&mut session, operation).await
}

/// Gives a record back: nobody owns it from then on.
#[utoipa::path(post, path = "/records/{object}/{id}/release", tag = "records", operation_id = "release",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("If-Match" = Option<String>, Header, description = "Only if the record is at this version")),
    responses((status = 200, description = "The record", body = RecordBody)))]
pub(crate) async fn release(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    if_match: IfMatch,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    let operation = own(object, by.target(id), if_match, Handover::Release)?;
    perform(&mut session, operation).await
}

fn own(object: String, target: Target, if_match: IfMatch, handover: Handover) -> ApiResult<Operation> {
    let version = if_match.expected_version()?;
    Ok(Operation::Own { object, target, handover, version })
}
