//! Views: which records of an object are shown, and how.

use engine::saved::{Section, ViewPage, ViewRecords};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ItemBody, Listed};
use crate::api::answer::Answer;
use crate::api::language::{InLanguage, Language};
use crate::api::packs::WarningBody;
use crate::api::search::{AnswerBody, FoundBody};
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{FromQuery, NoQuery, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path};
use crate::openapi::bodies;

/// A page of the records that a view shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ViewRecords)]
pub(crate) struct RecordsBody {
    /// With a `group`, `aggregates.groups` counts the records of each.
    #[serde(flatten)]
    #[schema(inline)]
    answer: AnswerBody,
    /// What the view names that is not there any more, or that the caller may not see, and is left out.
    warnings: Vec<WarningBody>,
}

impl From<ViewRecords> for RecordsBody {
    fn from(ViewRecords { view, found }: ViewRecords) -> Self {
        let warnings = view.warnings.into_iter().map(WarningBody::from).collect();
        Self { answer: AnswerBody::of(found, FoundBody::from_record), warnings }
    }
}

/// Which page, and with which words.
#[derive(Debug)]
pub(crate) struct Shown(ViewPage);

impl FromQuery for Shown {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let q = query.text("q");
        query.page().map(|page| Self(ViewPage { limit: page.limit, cursor: page.cursor, q }))
    }
}

/// Lists the views that the caller may see: those of packs by name, then what users have saved.
#[utoipa::path(get, path = "/views", tag = "views", operation_id = "list",
    params(("object" = Option<String>, Query, description = "Only those of this object"),
        ("locale" = Option<String>, Query, description = "Language of labels, such as `de`"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<ItemBody>)))]
pub(crate) async fn list(
    Authorized(session): Authorized,
    Query(InLanguage(listed, language)): Query<InLanguage<Listed>>,
) -> ApiResult<Answer> {
    super::list(session, Section::Views, listed, &language).await
}

/// Reads a view.
#[utoipa::path(get, path = "/views/{id}", tag = "views", operation_id = "read",
    params(("id" = String, Path, description = "Its id, or the name of a pack's"),
        ("locale" = Option<String>, Query, description = "Language of labels, such as `de`")),
    responses((status = 200, description = "The view", body = ItemBody)))]
pub(crate) async fn read(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(language): Query<Language>,
) -> ApiResult<Answer> {
    super::read(session, Section::Views, &id, &language).await
}

/// Saves a view, private unless it says otherwise.
#[utoipa::path(post, path = "/views", tag = "views", operation_id = "create", request_body = bodies::View,
    responses((status = 201, description = "The view", body = ItemBody)))]
pub(crate) async fn create(
    Authorized(session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    super::create(session, Section::Views, key, body).await
}

/// Changes a view: what is given replaces what was there; null takes it away where it may be missing.
#[utoipa::path(patch, path = "/views/{id}", tag = "views", operation_id = "update",
    params(("id" = String, Path, description = "Its id")), request_body = bodies::View,
    responses((status = 200, description = "The view", body = ItemBody)))]
pub(crate) async fn update(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    super::update(session, Section::Views, &id, body).await
}

/// Deletes a view.
#[utoipa::path(delete, path = "/views/{id}", tag = "views", operation_id = "delete",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    Authorized(session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    super::delete(session, Section::Views, &id).await
}

/// Reads the records that a view shows to the caller.
#[utoipa::path(get, path = "/views/{id}/records", tag = "views", operation_id = "records",
    params(("id" = String, Path, description = "Its id, or the name of a pack's"),
        ("q" = Option<String>, Query, description = "Only those with these words"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = RecordsBody)))]
pub(crate) async fn records(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(Shown(page)): Query<Shown>,
) -> ApiResult<Answer> {
    let found = session.view_records(&id, &page).await?;
    let sequence = found.found.sequence;
    Ok(Answer::ok(&RecordsBody::from(found))?.at(sequence))
}
