//! Object definitions.

use axum::http::StatusCode;
use engine::ShownDefinition;

use super::body::{SpecBody, Wanted, answer, gone, reply};
use crate::api::answer::Answer;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once, once_without_body};
use crate::openapi::{bodies, definitions};

/// Lists the effective object definitions.
#[utoipa::path(get, path = "/object-definitions", tag = "object_definitions", operation_id = "list",
    params(("layer" = Option<String>, Query, description = "`custom` for what the tenant itself defines"),
        ("archived" = Option<bool>, Query, description = "The archived ones only"),
        ("locale" = Option<String>, Query, description = "Language of labels and descriptions, such as `de`")),
    responses((status = 200, description = "Every definition", body = ListBody<definitions::ObjectDefinition>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(Wanted(query, language)): Query<Wanted>,
) -> ApiResult<Answer> {
    let views = session.object_definitions(query).await?;
    let results = language.of(&session, ShownDefinition::Object, views);
    Answer::ok(&ListBody { results, next_cursor: None })
}

/// Reads an object definition.
#[utoipa::path(get, path = "/object-definitions/{object}", tag = "object_definitions", operation_id = "read",
    params(("object" = String, Path, description = "The object's name"),
        ("layer" = Option<String>, Query, description = "`custom` for what the tenant itself adds"),
        ("archived" = Option<bool>, Query, description = "With archived properties"),
        ("locale" = Option<String>, Query, description = "Language of labels and descriptions, such as `de`")),
    responses((status = 200, description = "The definition", body = definitions::ObjectDefinition)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(Wanted(query, language)): Query<Wanted>,
) -> ApiResult<Answer> {
    let view = session.object_definition(&object, query).await?;
    Answer::ok(&language.of_one(&session, ShownDefinition::Object, view))
}

/// Reads the JSON Schema that records are validated against.
#[utoipa::path(get, path = "/object-definitions/{object}/schema", tag = "object_definitions", operation_id = "schema",
    params(("object" = String, Path, description = "The object's name")),
    responses((status = 200, description = "JSON Schema 2020-12", body = serde_json::Value)))]
pub(crate) async fn schema(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&session.object_schema(&object).await?)
}

/// Defines a custom object.
#[utoipa::path(post, path = "/object-definitions", tag = "object_definitions", operation_id = "create",
    request_body = bodies::DefinitionInput, responses((status = 201, description = "The definition", body = definitions::ObjectDefinition)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    answer(StatusCode::CREATED, session.object_define(spec, Some(reply(StatusCode::CREATED))).await?)
}

/// Changes an object definition.
#[utoipa::path(patch, path = "/object-definitions/{object}", tag = "object_definitions", operation_id = "update",
    params(("object" = String, Path, description = "The object's name")), request_body = bodies::DefinitionPatch,
    responses((status = 200, description = "The definition", body = definitions::ObjectDefinition)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SpecBody(patch) = body.read()?;
    answer(StatusCode::OK, session.object_change(&object, patch).await?)
}

/// Archives an object definition; its records stay.
#[utoipa::path(delete, path = "/object-definitions/{object}", tag = "object_definitions", operation_id = "archive",
    params(("object" = String, Path, description = "The object's name")),
    responses((status = 204, description = "It is archived")))]
pub(crate) async fn archive(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    gone(session.object_archive(&object).await?)
}

/// Brings an archived object definition back, with its records.
#[utoipa::path(post, path = "/object-definitions/{object}/restore", tag = "object_definitions",
    operation_id = "restore", params(("object" = String, Path, description = "The object's name")),
    responses((status = 200, description = "The definition", body = definitions::ObjectDefinition)))]
pub(crate) async fn restore(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    answer(StatusCode::OK, session.object_restore(&object, Some(reply(StatusCode::OK))).await?)
}
