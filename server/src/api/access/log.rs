//! Who was given sensitive values.

use engine::model::time::Timestamp;
use engine::model::{RecordId, TokenId, UserId};
use engine::{ReadEntry, ReadLogQuery};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::answer::Answer;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::Authorized;
use crate::extract::query::{FromQuery, Page, Query, QueryReader};

/// Which entries are wanted.
#[derive(Debug)]
pub(crate) struct Wanted(ReadLogQuery);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let (record, user, after) = (query.text("record"), query.text("user"), query.text("after"));
        // A page of any other list goes on by `cursor`.
        let Page { limit, cursor } = query.page()?;
        Some(Self(ReadLogQuery { record, user, after: after.or(cursor), limit }))
    }
}

/// That somebody was given sensitive values.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SensitiveRead)]
pub(crate) struct ReadBody {
    #[schema(value_type = String)]
    id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = String)]
    user: UserId,
    #[schema(value_type = String)]
    token: TokenId,
    object: String,
    /// Null where the values were drawn together from many.
    #[schema(required, value_type = Option<String>)]
    record: Option<RecordId>,
    properties: Vec<String>,
    #[schema(required)]
    request_id: Option<String>,
    #[schema(required)]
    ip: Option<String>,
    #[schema(required)]
    user_agent: Option<String>,
}

impl From<ReadEntry> for ReadBody {
    fn from(entry: ReadEntry) -> Self {
        let ReadEntry { id, at, user, token, object, record, properties, request_id, ip, user_agent } = entry;
        Self { id, at, user, token, object, record, properties, request_id, ip, user_agent }
    }
}

/// Lists who was given sensitive values, newest first.
#[utoipa::path(get, path = "/access/log", tag = "access", operation_id = "log",
    params(("record" = Option<String>, Query, description = "Only of the record with this id"),
        ("user" = Option<String>, Query, description = "Only the user's with this id"),
        ("after" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "The same as `after`")),
    responses((status = 200, description = "A page", body = ListBody<ReadBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(Wanted(query)): Query<Wanted>,
) -> ApiResult<Answer> {
    let found = session.sensitive_reads(&query).await?;
    Answer::ok(&ListBody::of(found, ReadBody::from))
}
