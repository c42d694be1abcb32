//! Tenants: made by the platform, read and changed by themselves.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use engine::model::{Problem, UserId};
use engine::{NewTenant, Session, Tenant, TenantPatch};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answer::Answer;
use super::wire::{ListBody, TenantBody};
use crate::error::{ApiError, ApiResult};
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, Platform};
use crate::openapi::bodies;
use crate::state::AppState;

/// `{slug, name?, profile?, time_zone?, currency?, country?}`.
#[derive(Debug)]
struct NewBody(NewTenant);

impl<'a> FromJson<'a> for NewBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let slug = object.required::<String>("slug");
        let tenant = NewTenant {
            slug: slug.clone().unwrap_or_default(),
            name: object.optional("name"),
            profile: object.optional("profile"),
            time_zone: object.optional("time_zone"),
            currency: object.optional("currency"),
            country: object.optional("country"),
        };
        object.finish();
        slug.map(|_| Self(tenant))
    }
}

/// A tenant, and its owner's token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeTenant {
    pub(super) tenant: TenantBody,
    pub(super) token: String,
}

/// Makes a tenant; answers with its owner's token, this once.
#[utoipa::path(post, path = "/tenants", tag = "tenants", operation_id = "create", request_body = bodies::NewTenant,
    responses((status = 201, description = "The tenant, and its owner's token", body = MadeTenant)))]
pub(crate) async fn create(
    _: Platform,
    State(state): State<AppState>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let NewBody(new) = body.read()?;
    let (tenant, token) = state.engine.tenant_create(new, None).await?;
    Answer::json(StatusCode::CREATED, &MadeTenant { tenant: TenantBody::from(tenant), token })
}

/// Which page.
#[derive(Debug)]
pub(crate) struct Wanted(Page);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        query.page().map(Self)
    }
}

/// Lists the tenants.
#[utoipa::path(get, path = "/tenants", tag = "tenants", operation_id = "list",
    params(("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<TenantBody>)))]
pub(crate) async fn list(
    _: Platform,
    State(state): State<AppState>,
    Query(Wanted(page)): Query<Wanted>,
) -> ApiResult<Answer> {
    let invalid = || {
        let message = "`cursor` is not one that this list gave out";
        ApiError::bad_request_at(vec![Problem::new("/cursor", "invalid", message)])
    };
    let after = page.cursor.map_or(Ok(0), |cursor| cursor.parse::<i64>().map_err(|_| invalid()))?;
    let mut tenants = state.engine.tenants(after, page.limit + 1).await?;
    let has_more = tenants.len() > page.limit;
    tenants.truncate(page.limit);
    let next_cursor = tenants.last().filter(|_| has_more).map(|tenant| tenant.id.to_string());
    let results: Vec<TenantBody> = tenants.into_iter().map(TenantBody::from).collect();
    Answer::ok(&ListBody { results, next_cursor })
}

/// What an app starts with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Start {
    tenant: TenantBody,
    user: StartUser,
    role: String,
    capabilities: Vec<String>,
    profile: String,
    metadata_version: i64,
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartUser {
    #[schema(value_type = String)]
    id: UserId,
    name: String,
    #[schema(required)]
    email: Option<String>,
}

/// Reads what an app starts with: the tenant, the caller, its role, what is switched on.
#[utoipa::path(get, path = "/tenant", tag = "tenants", operation_id = "read",
    responses((status = 200, description = "The tenant and the caller", body = Start)))]
pub(crate) async fn read(Authorized(mut session): Authorized, Query(_): Query<NoQuery>) -> ApiResult<Answer> {
    let tenant = session.tenant_read().await?;
    Answer::ok(&bootstrap(&session, tenant))
}

fn bootstrap(session: &Session, tenant: Tenant) -> Start {
    let caller = &session.caller;
    Start {
        user: StartUser { id: caller.user, name: caller.user_name.clone(), email: caller.user_email.clone() },
        role: caller.role.clone(),
        capabilities: tenant.capabilities.clone(),
        profile: tenant.profile.clone(),
        metadata_version: tenant.metadata_version,
        tenant: TenantBody::from(tenant),
    }
}

/// `{name?, profile?, time_zone?, currency?, country?, capabilities?: {name: on}}`.
#[derive(Debug)]
struct PatchBody(TenantPatch);

#[derive(Debug)]
struct Switches(BTreeMap<String, bool>);

impl<'a> FromJson<'a> for Switches {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut switches = BTreeMap::new();
        for (name, value) in reading.members(raw)? {
            match value.get() {
                "true" => drop(switches.insert(name.into_owned(), true)),
                "false" => drop(switches.insert(name.into_owned(), false)),
                _ => reading.problem_at(&name, "wrong_type", "true or false is expected"),
            }
        }
        Some(Self(switches))
    }
}

impl<'a> FromJson<'a> for PatchBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let patch = TenantPatch {
            name: object.optional("name"),
            profile: object.optional("profile"),
            time_zone: object.optional("time_zone"),
            currency: object.optional("currency"),
            country: object.optional("country"),
            capabilities: object.optional::<Switches>("capabilities").map(|switches| switches.0).unwrap_or_default(),
        };
        object.finish();
        Some(Self(patch))
    }
}

/// Changes the tenant's settings.
#[utoipa::path(patch, path = "/tenant", tag = "tenants", operation_id = "update", request_body = bodies::TenantPatch,
    responses((status = 200, description = "The tenant and the caller", body = Start)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (PatchBody(patch), malformed) = body.read_all()?;
    if !malformed.is_empty() {
        let mut problems = session.tenant_problems(&patch);
        problems.extend(malformed);
        return Err(engine::Error::invalid(problems).into());
    }
    let written = session.tenant_change(patch).await?;
    Ok(Answer::ok(&bootstrap(&session, written.value))?.at(written.sequence))
}
