//! Searching the records of one object, and suggestions for pickers.

use engine::model::query::QueryText;
use engine::query::Suggestion;

use crate::api::answer::Answer;
use crate::api::search::{AnswerBody, FoundBody};
use crate::api::wire::LinkedRecord;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{FromQuery, NoQuery, Query, QueryReader};
use crate::extract::{Authorized, Path};
use crate::openapi::bodies;

/// Searches, counts and aggregates an object's records.
#[utoipa::path(post, path = "/records/{object}/search", tag = "search",
    params(("object" = String, Path, description = "The object's name")),
    request_body = bodies::Search,
    responses((status = 200, description = "What was found", body = AnswerBody)))]
pub(crate) async fn search(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    session.object_exists(&object).await?;
    let (text, malformed) = body.read_all::<QueryText>()?;
    let found = session.record_search(&object, &text, malformed).await?;
    let sequence = found.sequence;
    Ok(Answer::ok(&AnswerBody::of(found, FoundBody::from_record))?.at(sequence))
}

/// What is typed, and how many are wanted.
#[derive(Debug)]
pub(crate) struct Typed {
    q: String,
    limit: usize,
}

impl FromQuery for Typed {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        /// Suggestions unless asked otherwise.
        const LIMIT: usize = 10;
        /// More are no help to whoever picks.
        const MOST: usize = 50;
        let q = query.text("q").unwrap_or_default();
        let limit = match query.parsed::<usize>("limit", "a number") {
            Some(limit) if (1..=MOST).contains(&limit) => limit,
            Some(_) => {
                query.problem("limit", "out_of_range", format!("`limit` is from 1 to {MOST}"));
                LIMIT
            }
            None => LIMIT,
        };
        Some(Self { q, limit })
    }
}

/// The records that a picker suggests.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Suggestions {
    results: Vec<LinkedRecord>,
}

/// Suggests the records that a few letters most likely mean.
#[utoipa::path(get, path = "/records/{object}/suggest", tag = "search",
    params(("object" = String, Path, description = "The object's name"),
        ("q" = Option<String>, Query, description = "What was typed so far; nothing suggests what was changed last"),
        ("limit" = Option<usize>, Query, description = "1 to 50, by default 10")),
    responses((status = 200, description = "The best matches, best first", body = Suggestions)))]
pub(crate) async fn suggest(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(Typed { q, limit }): Query<Typed>,
) -> ApiResult<Answer> {
    let found = session.record_suggest(&object, &q, limit).await?;
    let body = |found: Suggestion| LinkedRecord::new(found.id, found.uid, found.object, found.display_name);
    Answer::ok(&Suggestions { results: found.into_iter().map(body).collect() })
}
