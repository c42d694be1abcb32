//! Association definitions.

use axum::http::StatusCode;
use engine::ShownDefinition;

use super::body::{SpecBody, Wanted, answer, gone, reply};
use crate::api::answer::Answer;
use crate::api::language::Language;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once, once_without_body};
use crate::openapi::{bodies, definitions};

/// Lists the effective association definitions.
#[utoipa::path(get, path = "/association-definitions", tag = "association_definitions", operation_id = "list",
    params(("layer" = Option<String>, Query, description = "`custom` for what the tenant itself defines"),
        ("archived" = Option<bool>, Query, description = "The archived ones only"),
        ("locale" = Option<String>, Query, description = "Language of labels and descriptions, such as `de`")),
    responses((status = 200, description = "Every definition", body = ListBody<definitions::AssociationDefinition>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(Wanted(query, language)): Query<Wanted>,
) -> ApiResult<Answer> {
    let views = session.association_definitions(query).await?;
    Answer::ok(&ListBody { results: language.of(&session, ShownDefinition::Association, views), next_cursor: None })
}

/// Reads an association definition.
#[utoipa::path(get, path = "/association-definitions/{name}", tag = "association_definitions", operation_id = "read",
    params(("name" = String, Path, description = "The association's name"),
        ("locale" = Option<String>, Query, description = "Language of labels and descriptions, such as `de`")),
    responses((status = 200, description = "The definition", body = definitions::AssociationDefinition)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(name): Path<String>,
    Query(language): Query<Language>,
) -> ApiResult<Answer> {
    let view = session.association_definition(&name).await?;
    Answer::ok(&language.of_one(&session, ShownDefinition::Association, view))
}

/// Defines an association.
#[utoipa::path(post, path = "/association-definitions", tag = "association_definitions", operation_id = "create",
    request_body = bodies::DefinitionInput, responses((status = 201, description = "The definition", body = definitions::AssociationDefinition)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    answer(StatusCode::CREATED, session.association_define(spec, Some(reply(StatusCode::CREATED))).await?)
}

/// Changes an association definition.
#[utoipa::path(patch, path = "/association-definitions/{name}", tag = "association_definitions",
    operation_id = "update", params(("name" = String, Path, description = "The association's name")),
    request_body = bodies::DefinitionPatch, responses((status = 200, description = "The definition", body = definitions::AssociationDefinition)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(name): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SpecBody(patch) = body.read()?;
    answer(StatusCode::OK, session.association_change(&name, patch).await?)
}

/// Archives an association definition; its links stay.
#[utoipa::path(delete, path = "/association-definitions/{name}", tag = "association_definitions",
    operation_id = "archive", params(("name" = String, Path, description = "The association's name")),
    responses((status = 204, description = "It is archived")))]
pub(crate) async fn archive(
    Authorized(mut session): Authorized,
    Path(name): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    gone(session.association_archive(&name).await?)
}

/// Brings an archived association definition back, with its links.
#[utoipa::path(post, path = "/association-definitions/{name}/restore", tag = "association_definitions",
    operation_id = "restore", params(("name" = String, Path, description = "The association's name")),
    responses((status = 200, description = "The definition", body = definitions::AssociationDefinition)))]
pub(crate) async fn restore(
    Authorized(mut session): Authorized,
    Path(name): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    answer(StatusCode::OK, session.association_restore(&name, Some(reply(StatusCode::OK))).await?)
}
