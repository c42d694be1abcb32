//! The audit trail: every change with who made it, from where and with what. For administrators.

use engine::timeline::AuditQuery;

use super::answer::Answer;
use super::records::timeline::moment;
use super::records::write::PageById;
use super::wire::{ChangeBody, ListBody};
use crate::error::ApiResult;
use crate::extract::query::{FromQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, Path};

/// Which changes are wanted.
#[derive(Debug)]
pub(crate) struct Wanted(AuditQuery);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let page = query.page();
        let (user, source) = (query.text("user"), query.text("source"));
        let (since, until) = (moment(query, "since"), moment(query, "until"));
        let Page { limit, cursor } = page?;
        Some(Self(AuditQuery { user, source, since, until, limit, cursor }))
    }
}

/// Lists every change of a record, newest first.
#[utoipa::path(get, path = "/records/{object}/{id}/audit", tag = "timeline", operation_id = "record_audit",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<ChangeBody>)))]
pub(crate) async fn of_record(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(PageById { page, by }): Query<PageById>,
) -> ApiResult<Answer> {
    let found = session.record_audit(&object, &by.target(id), page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, ChangeBody::from))
}

/// Lists every change, newest first.
#[utoipa::path(get, path = "/audit", tag = "timeline", operation_id = "audit",
    params(("user" = Option<String>, Query, description = "Only the user's with this id"),
        ("source" = Option<String>, Query, description = "Only from there, such as `api` or `import`"),
        ("since" = Option<String>, Query, description = "Only from this moment on"),
        ("until" = Option<String>, Query, description = "Only before this moment"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<ChangeBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(Wanted(query)): Query<Wanted>,
) -> ApiResult<Answer> {
    let found = session.audit(&query).await?;
    Answer::ok(&ListBody::of(found, ChangeBody::from))
}
