//! Scores: which there are, which records do best, and having many assessed.

use std::collections::BTreeMap;

use engine::Job;
use engine::model::RecordId;
use engine::model::time::Timestamp;
use engine::records::{Page, Written};
use engine::saved::Section;
use engine::scoring::{Ranked, RankingQuery, ScoreDefinition};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::Answer;
use super::definitions::body::SpecBody;
use super::jobs::{AcceptedJob, accepted};
use super::language::Language;
use super::records::body::Id;
use super::wire::{LinkedRecord, ListBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{FromQuery, NoQuery, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// A score that a pack declares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Score)]
pub(crate) struct DefinitionBody {
    name: String,
    label: String,
    #[schema(required)]
    description: Option<String>,
    /// The object whose records are criteria.
    criteria: String,
    /// The object whose records are answers and totals.
    assessments: String,
    /// Objects whose records can be assessed.
    subjects: Vec<String>,
    /// Objects for whose records they can be assessed.
    #[serde(rename = "for")]
    counterparts: Vec<String>,
    /// By object, the property that takes the total.
    totals: BTreeMap<String, String>,
}

impl From<ScoreDefinition> for DefinitionBody {
    fn from(definition: ScoreDefinition) -> Self {
        let ScoreDefinition { name, label, description, criteria, assessments, subjects, counterparts, totals } =
            definition;
        let totals = totals.into_iter().collect();
        Self { name, label, description, criteria, assessments, subjects, counterparts, totals }
    }
}

/// Lists the scores whose assessments the caller may see.
#[utoipa::path(get, path = "/scores", tag = "scores", operation_id = "list",
    params(("locale" = Option<String>, Query, description = "Language of labels, such as `de`")),
    responses((status = 200, description = "The scores", body = ListBody<DefinitionBody>)))]
pub(crate) async fn list(Authorized(mut session): Authorized, Query(language): Query<Language>) -> ApiResult<Answer> {
    let mut results = session.score_list().await?;
    for score in &mut results {
        language.label(&session, Section::Scores, &score.name, &mut score.label);
    }
    Answer::ok(&ListBody::of(Page { results, next_cursor: None }, DefinitionBody::from))
}

/// A record with its total.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ranked)]
pub(crate) struct RankedBody {
    record: LinkedRecord,
    /// From 0 to 100.
    total: i64,
    #[schema(required)]
    rationale: Option<String>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    assessed_at: Option<Timestamp>,
    /// The record of the total.
    #[schema(value_type = String)]
    assessment_id: RecordId,
}

impl From<Ranked> for RankedBody {
    fn from(Ranked { record, total, rationale, assessed_at, assessment }: Ranked) -> Self {
        Self { record: record.into(), total, rationale, assessed_at, assessment_id: assessment }
    }
}

/// Which part of a ranking is wanted.
#[derive(Debug)]
pub(crate) struct Wanted(RankingQuery);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let page = query.page();
        let object = query.text("object");
        if object.is_none() {
            query.problem("object", "required", "`object` names the object whose records are ranked");
        }
        let counterpart = query.text("for");
        let page = page?;
        Some(Self(RankingQuery { object: object?, counterpart, limit: page.limit, cursor: page.cursor }))
    }
}

/// Lists an object's records by their totals, the best first.
#[utoipa::path(get, path = "/scores/{score}/ranking", tag = "scores", operation_id = "ranking",
    params(("score" = String, Path, description = "The score's name"),
        ("object" = String, Query, description = "The object whose records are ranked"),
        ("for" = Option<String>, Query, description = "Id or uid of the record that they are assessed for"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<RankedBody>)))]
pub(crate) async fn ranking(
    Authorized(mut session): Authorized,
    Path(score): Path<String>,
    Query(Wanted(query)): Query<Wanted>,
) -> ApiResult<Answer> {
    let found = session.score_ranking(&score, &query).await?;
    Answer::ok(&ListBody::of(found, RankedBody::from))
}

/// `{object, filter?, for?}`.
#[derive(Debug)]
struct AssessBody {
    object: Option<String>,
    filter: Option<Map<String, Value>>,
    counterpart: Option<String>,
}

impl<'a> FromJson<'a> for AssessBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let of = object.required::<String>("object");
        let filter = object.optional::<SpecBody>("filter").map(|SpecBody(filter)| filter);
        let counterpart = object.optional::<Id>("for").map(|Id(id)| id);
        object.finish();
        Some(Self { object: of, filter, counterpart })
    }
}

/// Begins to assess an object's records, or those that meet a filter.
#[utoipa::path(post, path = "/scores/{score}/assess", tag = "scores", operation_id = "assess_many",
    params(("score" = String, Path, description = "The score's name")), request_body = bodies::ScoreAssess,
    responses((status = 202, description = "The job that assesses them", body = AcceptedJob)))]
pub(crate) async fn assess(
    Authorized(mut session): Authorized,
    Path(score): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (AssessBody { object, filter, counterpart }, problems) = body.read_all()?;
    let reply = Box::new(|written: &Written<Job>| Answer::keep(accepted(written)));
    let written = session.score_assess(&score, (object, filter, counterpart), problems, Some(reply)).await?;
    accepted(&written)
}
