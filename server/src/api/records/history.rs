//! A record's past.

use super::write::PageById;
use crate::api::answer::Answer;
use crate::api::wire::{HistoryBody, ListBody};
use crate::error::ApiResult;
use crate::extract::query::Query;
use crate::extract::{Authorized, Path};

/// Lists what happened to a record's properties, newest first.
#[utoipa::path(get, path = "/records/{object}/{id}/history", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<HistoryBody>)))]
pub(crate) async fn history(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(PageById { page, by }): Query<PageById>,
) -> ApiResult<Answer> {
    let found = session.record_history(&object, &by.target(id), page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, HistoryBody::from))
}
