//! Reports: tables that are computed of records.

use engine::model::Sequence;
use engine::saved::{Days, ReportData, Section};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ItemBody, Listed};
use crate::api::answer::Answer;
use crate::api::language::{InLanguage, Language};
use crate::api::packs::WarningBody;
use crate::api::tables::TableBody;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{FromQuery, NoQuery, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path};
use crate::openapi::bodies;

/// What a report comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportData)]
pub(crate) struct DataBody {
    /// Rows with `key` (or `other`) and the measures, as in a search's `aggregates`.
    #[schema(value_type = Vec<Object>)]
    rows: TableBody,
    /// The days that it is of, where it has a period.
    #[schema(required)]
    period: Option<PeriodBody>,
    /// The same of the period before, where it compares.
    #[schema(required)]
    previous: Option<PreviousBody>,
    /// The position of the change log that it has seen.
    #[schema(value_type = String)]
    sequence: Sequence,
    /// What the report names that is not there any more.
    warnings: Vec<WarningBody>,
}

/// First and last day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportPeriod)]
pub(crate) struct PeriodBody {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
}

/// The period before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviousReport)]
pub(crate) struct PreviousBody {
    period: PeriodBody,
    #[schema(value_type = Vec<Object>)]
    rows: TableBody,
}

impl From<Days> for PeriodBody {
    fn from((from, to): Days) -> Self {
        Self { from: from.to_string(), to: to.to_string() }
    }
}

impl From<ReportData> for DataBody {
    fn from(data: ReportData) -> Self {
        let ReportData { report, table, period, previous, sequence } = data;
        let previous = previous.map(|(days, table)| PreviousBody { period: days.into(), rows: TableBody(table) });
        let warnings = report.warnings.into_iter().map(WarningBody::from).collect();
        Self { rows: TableBody(table), period: period.map(PeriodBody::from), previous, sequence, warnings }
    }
}

/// Another period than the report's own.
#[derive(Debug)]
pub(crate) struct Within(Option<String>);

impl FromQuery for Within {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self(query.text("within")))
    }
}

/// Lists the reports that the caller may see: those of packs by name, then what users have saved.
#[utoipa::path(get, path = "/reports", tag = "reports", operation_id = "list",
    params(("object" = Option<String>, Query, description = "Only those of this object"),
        ("locale" = Option<String>, Query, description = "Language of labels, such as `de`"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<ItemBody>)))]
pub(crate) async fn list(
    Authorized(session): Authorized,
    Query(InLanguage(listed, language)): Query<InLanguage<Listed>>,
) -> ApiResult<Answer> {
    super::list(session, Section::Reports, listed, &language).await
}

/// Reads a report.
#[utoipa::path(get, path = "/reports/{id}", tag = "reports", operation_id = "read",
    params(("id" = String, Path, description = "Its id, or the name of a pack's"),
        ("locale" = Option<String>, Query, description = "Language of labels, such as `de`")),
    responses((status = 200, description = "The report", body = ItemBody)))]
pub(crate) async fn read(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(language): Query<Language>,
) -> ApiResult<Answer> {
    super::read(session, Section::Reports, &id, &language).await
}

/// Saves a report, private unless it says otherwise.
#[utoipa::path(post, path = "/reports", tag = "reports", operation_id = "create", request_body = bodies::Report,
    responses((status = 201, description = "The report", body = ItemBody)))]
pub(crate) async fn create(
    Authorized(session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    super::create(session, Section::Reports, key, body).await
}

/// Changes a report: what is given replaces what was there; null takes it away where it may be missing.
#[utoipa::path(patch, path = "/reports/{id}", tag = "reports", operation_id = "update",
    params(("id" = String, Path, description = "Its id")), request_body = bodies::Report,
    responses((status = 200, description = "The report", body = ItemBody)))]
pub(crate) async fn update(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    super::update(session, Section::Reports, &id, body).await
}

/// Deletes a report.
#[utoipa::path(delete, path = "/reports/{id}", tag = "reports", operation_id = "delete",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    super::delete(session, Section::Reports, &id).await
}

/// Computes a report over the records that the caller may see.
#[utoipa::path(get, path = "/reports/{id}/data", tag = "reports", operation_id = "data",
    params(("id" = String, Path, description = "Its id, or the name of a pack's"),
        ("within" = Option<String>, Query, description = "Another period than its own, such as `last_month`")),
    responses((status = 200, description = "What it comes to", body = DataBody)))]
pub(crate) async fn data(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(Within(within)): Query<Within>,
) -> ApiResult<Answer> {
    let data = session.report_data(&id, within.as_deref()).await?;
    let sequence = data.sequence;
    Ok(Answer::ok(&DataBody::from(data))?.at(sequence))
}
