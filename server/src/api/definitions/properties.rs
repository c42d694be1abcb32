//! Properties of an object.

use axum::http::StatusCode;
use engine::model::uses::Use;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{SpecBody, answer, gone, reply};
use crate::api::answer::Answer;
use crate::api::jobs::AcceptedJob;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once, once_without_body};
use crate::openapi::{bodies, definitions};

/// Adds a property to an object, the tenant's own or a pack's.
#[utoipa::path(post, path = "/object-definitions/{object}/properties", tag = "properties", operation_id = "create",
    params(("object" = String, Path, description = "The object's name")), request_body = bodies::DefinitionInput,
    responses((status = 201, description = "The property", body = definitions::PropertyDefinition),
        (status = 202, description = "With a migration: the job that writes stored records anew", body = AcceptedJob)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    answer(StatusCode::CREATED, session.property_add(&object, spec, Some(reply(StatusCode::CREATED))).await?)
}

/// Changes a property.
#[utoipa::path(patch, path = "/object-definitions/{object}/properties/{property}", tag = "properties",
    operation_id = "update",
    params(("object" = String, Path, description = "The object's name"),
        ("property" = String, Path, description = "The property's name")),
    request_body = bodies::DefinitionPatch,
    responses((status = 200, description = "The property", body = definitions::PropertyDefinition),
        (status = 202, description = "With a migration: the job that writes stored records anew", body = AcceptedJob)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path((object, property)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SpecBody(patch) = body.read()?;
    answer(StatusCode::OK, session.property_change(&object, &property, patch).await?)
}

/// One place that names a property.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PropertyUse)]
pub(crate) struct UseBody {
    /// `display`, `constraint`, `duplicates`, `entry`, `currency`, `formula`, `rollup`, `pipeline`, `stage`, `view`,
    /// `report`, `workflow`, `activity`, `score`, `role`, `list` or `assignment_rule`.
    kind: &'static str,
    /// The definition that names it: `deal`, `deal.margin`, `deal.sales.won`, `open_deals`; the id of what users have
    /// saved.
    name: String,
    /// What people call it, where users have saved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Where it is named: in the definitions as a pack has them, or in what users have saved.
    pointer: String,
    /// The layer that brought the definition.
    layer: String,
}

impl From<Use> for UseBody {
    fn from(found: Use) -> Self {
        let Use { kind, name, label, pointer, layer } = found;
        Self { kind, name, label, pointer, layer }
    }
}

/// Lists what names a property: definitions, and what users have saved.
#[utoipa::path(get, path = "/object-definitions/{object}/properties/{property}/uses", tag = "properties",
    operation_id = "uses",
    params(("object" = String, Path, description = "The object's name"),
        ("property" = String, Path, description = "The property's name")),
    responses((status = 200, description = "Each place", body = ListBody<UseBody>)))]
pub(crate) async fn uses(
    Authorized(mut session): Authorized,
    Path((object, property)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let results: Vec<UseBody> =
        session.property_uses(&object, &property).await?.into_iter().map(UseBody::from).collect();
    Answer::ok(&ListBody { results, next_cursor: None })
}

/// Archives a property; its values stay.
#[utoipa::path(delete, path = "/object-definitions/{object}/properties/{property}", tag = "properties",
    operation_id = "archive",
    params(("object" = String, Path, description = "The object's name"),
        ("property" = String, Path, description = "The property's name")),
    responses((status = 204, description = "It is archived")))]
pub(crate) async fn archive(
    Authorized(mut session): Authorized,
    Path((object, property)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    gone(session.property_archive(&object, &property).await?)
}

/// Brings an archived property back, with its values.
#[utoipa::path(post, path = "/object-definitions/{object}/properties/{property}/restore", tag = "properties",
    operation_id = "restore",
    params(("object" = String, Path, description = "The object's name"),
        ("property" = String, Path, description = "The property's name")),
    responses((status = 200, description = "The property", body = definitions::PropertyDefinition)))]
pub(crate) async fn restore(
    Authorized(mut session): Authorized,
    Path((object, property)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    answer(StatusCode::OK, session.property_restore(&object, &property, Some(reply(StatusCode::OK))).await?)
}
