//! One page of an object's records.

use engine::records::ListQuery;

use super::read::ViewQuery;
use crate::api::answer::Answer;
use crate::api::wire::{ListBody, RecordBody};
use crate::error::ApiResult;
use crate::extract::query::{FromQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, Path};

/// Which page, and what of each record.
#[derive(Debug)]
pub(crate) struct Wanted {
    page: Page,
    archived: bool,
    filter: Option<String>,
    view: ViewQuery,
}

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let page = query.page();
        let archived = query.flag("archived");
        let filter = query.text("filter");
        let view = ViewQuery::from_query(query);
        Some(Self { page: page?, archived, filter, view: view? })
    }
}

/// Lists an object's records in the order in which they were made.
#[utoipa::path(get, path = "/records/{object}", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("archived" = Option<bool>, Query, description = "The archived records only"),
        ("filter" = Option<String>, Query, description = "A CEL expression that records meet: `amount > 1000 && stage in ['won']`"),
        ("select" = Option<String>, Query, description = "Properties to show, separated by commas"),
        ("html" = Option<bool>, Query, description = "Also what is written in Markdown as HTML"),
        ("include" = Option<String>, Query, description = "Linked records to bring along: `company(name,domain)`")),
    responses((status = 200, description = "A page", body = ListBody<RecordBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(Wanted { page, archived, filter, view }): Query<Wanted>,
) -> ApiResult<Answer> {
    let html = view.html;
    let query = ListQuery { archived, limit: page.limit, cursor: page.cursor, view: view.view()? };
    let mut found = match filter {
        Some(filter) => session.record_list_where(&object, &query, &filter).await?,
        None => session.record_list(&object, &query).await?,
    };
    if html {
        found.results = session.add_html(found.results).await?;
    }
    Answer::ok(&ListBody::of(found, RecordBody::from))
}
