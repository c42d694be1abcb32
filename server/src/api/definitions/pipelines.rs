//! Pipelines of an object and their stages.

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

/// Lists an object's pipelines.
#[utoipa::path(get, path = "/pipelines/{object}", tag = "pipelines", operation_id = "list",
    params(("object" = String, Path, description = "The object's name"),
        ("layer" = Option<String>, Query, description = "`custom` for what the tenant itself defines"),
        ("archived" = Option<bool>, Query, description = "The archived ones only"),
        ("locale" = Option<String>, Query, description = "Language of labels and descriptions, such as `de`")),
    responses((status = 200, description = "Every pipeline", body = ListBody<definitions::Pipeline>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(Wanted(query, language)): Query<Wanted>,
) -> ApiResult<Answer> {
    let views = session.pipelines(&object, query).await?;
    Answer::ok(&ListBody { results: language.of(&session, ShownDefinition::Pipeline, views), next_cursor: None })
}

/// Reads a pipeline.
#[utoipa::path(get, path = "/pipelines/{object}/{pipeline}", tag = "pipelines", operation_id = "read",
    params(("object" = String, Path, description = "The object's name"),
        ("pipeline" = String, Path, description = "The pipeline's name"),
        ("locale" = Option<String>, Query, description = "Language of labels and descriptions, such as `de`")),
    responses((status = 200, description = "The pipeline", body = definitions::Pipeline)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path((object, pipeline)): Path<(String, String)>,
    Query(language): Query<Language>,
) -> ApiResult<Answer> {
    let view = session.pipeline(&object, &pipeline).await?;
    Answer::ok(&language.of_one(&session, ShownDefinition::Pipeline, view))
}

/// Defines a pipeline of an object.
#[utoipa::path(post, path = "/pipelines/{object}", tag = "pipelines", operation_id = "create",
    params(("object" = String, Path, description = "The object's name")), request_body = bodies::DefinitionInput,
    responses((status = 201, description = "The pipeline", body = definitions::Pipeline)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    answer(StatusCode::CREATED, session.pipeline_define(&object, spec, Some(reply(StatusCode::CREATED))).await?)
}

/// Changes a pipeline.
#[utoipa::path(patch, path = "/pipelines/{object}/{pipeline}", tag = "pipelines", operation_id = "update",
    params(("object" = String, Path, description = "The object's name"),
        ("pipeline" = String, Path, description = "The pipeline's name")),
    request_body = bodies::DefinitionPatch, responses((status = 200, description = "The pipeline", body = definitions::Pipeline)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path((object, pipeline)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SpecBody(patch) = body.read()?;
    answer(StatusCode::OK, session.pipeline_change(&object, &pipeline, patch).await?)
}

/// Archives a pipeline; records in it stay.
#[utoipa::path(delete, path = "/pipelines/{object}/{pipeline}", tag = "pipelines", operation_id = "archive",
    params(("object" = String, Path, description = "The object's name"),
        ("pipeline" = String, Path, description = "The pipeline's name")),
    responses((status = 204, description = "It is archived")))]
pub(crate) async fn archive(
    Authorized(mut session): Authorized,
    Path((object, pipeline)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    gone(session.pipeline_archive(&object, &pipeline).await?)
}

/// Brings an archived pipeline back.
#[utoipa::path(post, path = "/pipelines/{object}/{pipeline}/restore", tag = "pipelines", operation_id = "restore",
    params(("object" = String, Path, description = "The object's name"),
        ("pipeline" = String, Path, description = "The pipeline's name")),
    responses((status = 200, description = "The pipeline", body = definitions::Pipeline)))]
pub(crate) async fn restore(
    Authorized(mut session): Authorized,
    Path((object, pipeline)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    answer(StatusCode::OK, session.pipeline_restore(&object, &pipeline, Some(reply(StatusCode::OK))).await?)
}
