//! Dashboards: reports and views on one screen.

use engine::saved::{DashboardPart, Section, Shown};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::reports::DataBody;
use super::views::RecordsBody;
use super::{ItemBody, Listed};
use crate::api::access::Paged;
use crate::api::answer::Answer;
use crate::api::language::{InLanguage, Language};
use crate::api::wire::{ListBody, problem};
use crate::error::{ApiError, ApiResult};
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path};
use crate::middleware::RequestScope;
use crate::openapi::bodies;

/// A dashboard and what it shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DashboardData)]
pub(crate) struct DashboardBody {
    dashboard: ItemBody,
    /// In the order of the dashboard's items.
    items: Vec<PartBody>,
}

/// What one item shows: either `data` of a report, or `records` of a view, or the `problem` with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DashboardPart)]
pub(crate) struct PartBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<DataBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<RecordsBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = problem)]
    problem: Option<Value>,
}

impl PartBody {
    fn of(part: DashboardPart, request_id: &str) -> Self {
        let DashboardPart { section, of, shown } = part;
        let (report, view) = if section == Section::Views { (None, Some(of)) } else { (Some(of), None) };
        let mut body = Self { report, view, data: None, records: None, problem: None };
        match shown {
            Ok(Shown::Report(data)) => body.data = Some(DataBody::from(*data)),
            Ok(Shown::View(records)) => body.records = Some(RecordsBody::from(*records)),
            Err(error) => body.problem = serde_json::to_value(ApiError::from(error).body(request_id)).ok(),
        }
        body
    }
}

/// Lists the dashboards that the caller may see: those of packs by name, then what users have saved.
#[utoipa::path(get, path = "/dashboards", tag = "dashboards", operation_id = "list",
    params(("locale" = Option<String>, Query, description = "Language of labels, such as `de`"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<ItemBody>)))]
pub(crate) async fn list(
    Authorized(session): Authorized,
    Query(InLanguage(Paged(page), language)): Query<InLanguage<Paged>>,
) -> ApiResult<Answer> {
    super::list(session, Section::Dashboards, Listed { page, object: None }, &language).await
}

/// Reads a dashboard.
#[utoipa::path(get, path = "/dashboards/{id}", tag = "dashboards", operation_id = "read",
    params(("id" = String, Path, description = "Its id, or the name of a pack's"),
        ("locale" = Option<String>, Query, description = "Language of labels, such as `de`")),
    responses((status = 200, description = "The dashboard", body = ItemBody)))]
pub(crate) async fn read(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(language): Query<Language>,
) -> ApiResult<Answer> {
    super::read(session, Section::Dashboards, &id, &language).await
}

/// Saves a dashboard, private unless it says otherwise.
#[utoipa::path(post, path = "/dashboards", tag = "dashboards", operation_id = "create", request_body = bodies::Dashboard,
    responses((status = 201, description = "The dashboard", body = ItemBody)))]
pub(crate) async fn create(
    Authorized(session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    super::create(session, Section::Dashboards, key, body).await
}

/// Changes a dashboard: what is given replaces what was there; null takes it away where it may be missing.
#[utoipa::path(patch, path = "/dashboards/{id}", tag = "dashboards", operation_id = "update",
    params(("id" = String, Path, description = "Its id")), request_body = bodies::Dashboard,
    responses((status = 200, description = "The dashboard", body = ItemBody)))]
pub(crate) async fn update(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    super::update(session, Section::Dashboards, &id, body).await
}

/// Deletes a dashboard.
#[utoipa::path(delete, path = "/dashboards/{id}", tag = "dashboards", operation_id = "delete",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    super::delete(session, Section::Dashboards, &id).await
}

/// Reads everything that a dashboard shows to the caller, in one call.
#[utoipa::path(get, path = "/dashboards/{id}/data", tag = "dashboards", operation_id = "data",
    params(("id" = String, Path, description = "Its id, or the name of a pack's")),
    responses((status = 200, description = "What it shows", body = DashboardBody)))]
pub(crate) async fn data(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    scope: RequestScope,
) -> ApiResult<Answer> {
    let (dashboard, parts) = session.dashboard_data(&id).await?;
    let items = parts.into_iter().map(|part| PartBody::of(part, scope.id().as_str())).collect();
    Answer::ok(&DashboardBody { dashboard: dashboard.into(), items })
}
