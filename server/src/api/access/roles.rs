//! Roles: those that every tenant has, those of packs, and the tenant's own.

use axum::http::StatusCode;
use engine::model::layer::CUSTOM;
use engine::model::time::Timestamp;
use engine::records::Written;
use engine::saved::Section;
use engine::{RoleView, Session};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Paged;
use crate::api::answer::Answer;
use crate::api::definitions::body::SpecBody;
use crate::api::language::{InLanguage, Language};
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// A role.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub(crate) struct RoleBody {
    name: String,
    label: String,
    /// `engine` for those that every tenant has, a pack, or `custom` for the tenant's own.
    layer: String,
    /// By object; `*` is every object without an entry of its own.
    #[schema(value_type = std::collections::BTreeMap<String, bodies::RoleGrants>)]
    objects: Map<String, Value>,
    /// By `object.property`.
    #[schema(value_type = std::collections::BTreeMap<String, bodies::RoleProperty>)]
    properties: Map<String, Value>,
    admin: bool,
    /// What it names that is not there any more.
    #[schema(required)]
    warning: Option<String>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl From<RoleView> for RoleBody {
    fn from(role: RoleView) -> Self {
        let RoleView { name, label, layer, objects, properties, admin, warning, created_at, updated_at } = role;
        Self { name, label, layer, objects, properties, admin, warning, created_at, updated_at }
    }
}

/// Lists the roles that users and tokens can have.
#[utoipa::path(get, path = "/roles", tag = "roles", operation_id = "list",
    params(("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("locale" = Option<String>, Query, description = "Language of labels, such as `de`")),
    responses((status = 200, description = "A page", body = ListBody<RoleBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(InLanguage(Paged(page), language)): Query<InLanguage<Paged>>,
) -> ApiResult<Answer> {
    let found = session.roles(page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, |role| role_in(&language, &session, role)))
}

/// A role with the label that its pack has for a language; the tenant has written those of its own.
fn role_in(language: &Language, session: &Session, mut role: RoleView) -> RoleBody {
    if role.layer != CUSTOM {
        language.label(session, Section::Roles, &role.name, &mut role.label);
    }
    RoleBody::from(role)
}

/// Reads a role.
#[utoipa::path(get, path = "/roles/{role}", tag = "roles", operation_id = "read",
    params(("role" = String, Path, description = "The role's name"),
        ("locale" = Option<String>, Query, description = "Language of labels, such as `de`")),
    responses((status = 200, description = "The role", body = RoleBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(role): Path<String>,
    Query(language): Query<Language>,
) -> ApiResult<Answer> {
    let role = session.role(&role).await?;
    Answer::ok(&role_in(&language, &session, role))
}

/// Makes a role; one of a pack's name wins over the pack's.
#[utoipa::path(post, path = "/roles", tag = "roles", operation_id = "create", request_body = bodies::RoleInput,
    responses((status = 201, description = "The role", body = RoleBody)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    let reply = Box::new(|written: &Written<RoleView>| Answer::keep(created(written)));
    let written = session.role_create(spec, Some(reply)).await?;
    created(&written)
}

fn created(written: &Written<RoleView>) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::CREATED, &RoleBody::from(written.value.clone()))?.at(written.sequence))
}

/// Changes a role: maps are merged key by key, null takes away.
#[utoipa::path(patch, path = "/roles/{role}", tag = "roles", operation_id = "update",
    params(("role" = String, Path, description = "The role's name")), request_body = bodies::RolePatch,
    responses((status = 200, description = "The role", body = RoleBody)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(role): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SpecBody(patch) = body.read()?;
    let written = session.role_change(&role, patch).await?;
    Ok(Answer::ok(&RoleBody::from(written.value))?.at(written.sequence))
}

/// Takes a role away that nobody has.
#[utoipa::path(delete, path = "/roles/{role}", tag = "roles", operation_id = "delete",
    params(("role" = String, Path, description = "The role's name")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    Authorized(mut session): Authorized,
    Path(role): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let written = session.role_delete(&role).await?;
    Ok(Answer::empty().at(written.sequence))
}
