//! How the definitions changed.

use engine::MetadataVersion;
use engine::model::UserId;
use engine::model::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::Authorized;
use crate::extract::query::{FromQuery, Page, Query, QueryReader};

/// One metadata version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MetadataVersion)]
pub(crate) struct VersionBody {
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(required, value_type = Option<String>)]
    by: Option<UserId>,
    summary: String,
    #[schema(value_type = Object)]
    changes: Value,
}

impl From<MetadataVersion> for VersionBody {
    fn from(version: MetadataVersion) -> Self {
        let MetadataVersion { version, at, by, summary, changes } = version;
        Self { version, at, by, summary, changes }
    }
}

/// Which page.
#[derive(Debug)]
pub(crate) struct Wanted(Page);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        query.page().map(Self)
    }
}

/// Lists the metadata versions, newest first.
#[utoipa::path(get, path = "/metadata/history", tag = "metadata", operation_id = "history",
    params(("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<VersionBody>)))]
pub(crate) async fn history(
    Authorized(mut session): Authorized,
    Query(Wanted(page)): Query<Wanted>,
) -> ApiResult<Answer> {
    let found = session.metadata_history(page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, VersionBody::from))
}
