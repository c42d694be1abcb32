//! Searching across objects, and how answers to searches are written.

use std::collections::BTreeMap;

use engine::model::Sequence;
use engine::model::query::ast::AcrossObjects;
use engine::query::{FoundRecord, SearchAnswer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::api::tables::TablesBody;
use crate::api::wire::RecordBody;
use crate::error::ApiResult;
use crate::extract::Authorized;
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::openapi::bodies;

/// What a search found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchAnswer)]
pub(crate) struct AnswerBody {
    /// The page, in order.
    results: Vec<FoundBody>,
    /// Number of all matches, where `count` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Tables by name: rows with `key` (or `other`) and the measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    aggregates: Option<TablesBody>,
    /// Where the next page begins; null after the last.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The position of the change log that the search has seen.
    #[schema(value_type = String)]
    sequence: Sequence,
}

/// A record that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundRecord)]
pub(crate) struct FoundBody {
    #[schema(inline)]
    #[serde(flatten)]
    record: RecordBody,
    /// By property, a stretch of its text as HTML with the words that were found within `<em>`; in searches across
    /// objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    highlights: Option<BTreeMap<String, String>>,
}

impl FoundBody {
    /// A record alone.
    pub(crate) fn from_record(found: FoundRecord) -> Self {
        Self { record: found.record.into(), highlights: None }
    }

    /// A record with where the words stand in it.
    fn with_highlights(found: FoundRecord) -> Self {
        let highlights = found.highlights.into_iter().map(|mark| (mark.property, mark.text)).collect();
        Self { record: found.record.into(), highlights: Some(highlights) }
    }
}

impl AnswerBody {
    pub(crate) fn of(answer: SearchAnswer, body: impl Fn(FoundRecord) -> FoundBody) -> Self {
        let SearchAnswer { results, total, tables, next_cursor, sequence } = answer;
        let aggregates = (!tables.is_empty()).then_some(TablesBody(tables));
        Self { results: results.into_iter().map(body).collect(), total, aggregates, next_cursor, sequence }
    }
}

/// Searches the records of several objects at once.
#[utoipa::path(post, path = "/search", tag = "search",
    request_body = bodies::SearchAcross,
    responses((status = 200, description = "What was found", body = AnswerBody)))]
pub(crate) async fn across(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (AcrossObjects(text), malformed) = body.read_all()?;
    let found = session.search_across(&text, malformed).await?;
    let sequence = found.sequence;
    Ok(Answer::ok(&AnswerBody::of(found, FoundBody::with_highlights))?.at(sequence))
}
