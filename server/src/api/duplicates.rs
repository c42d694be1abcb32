//! Duplicates: pairs of records that are alike, scans that find them, and what a new record would duplicate.

use engine::Job;
use engine::duplicates::{AgreedRule, Duplicate, DuplicateCheck, DuplicatePair, PairsQuery};
use engine::model::UserId;
use engine::model::time::Timestamp;
use engine::records::{PropertiesInput, Written};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answer::Answer;
use super::jobs::{AcceptedJob, accepted};
use super::records::body::Id;
use super::wire::{LinkedRecord, ListBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, PropertiesBody, Reading};
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path, once_without_body};
use crate::openapi::bodies;

/// A rule by which records agree.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AgreedRule)]
pub(crate) struct AgreedRuleBody {
    /// The properties that it looks at.
    properties: Vec<String>,
    /// Whether their values need only be similar.
    similar: bool,
}

impl From<AgreedRule> for AgreedRuleBody {
    fn from(AgreedRule { properties, similar }: AgreedRule) -> Self {
        Self { properties, similar }
    }
}

/// A record that another one resembles.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Duplicate)]
pub(crate) struct DuplicateBody {
    record: LinkedRecord,
    /// Percent sure that it is the same, from 1 to 100.
    score: u8,
    /// The rules by which the two agree.
    rules: Vec<AgreedRuleBody>,
}

impl From<Duplicate> for DuplicateBody {
    fn from(Duplicate { record, score, rules }: Duplicate) -> Self {
        Self { record: record.into(), score, rules: rules.into_iter().map(AgreedRuleBody::from).collect() }
    }
}

/// Two records that a scan has found to be alike.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DuplicatePair)]
pub(crate) struct PairBody {
    /// Both, the older one first.
    records: Vec<LinkedRecord>,
    /// Percent sure that they are the same, from 1 to 100.
    score: u8,
    /// The rules by which they agree.
    rules: Vec<AgreedRuleBody>,
    #[schema(value_type = String, format = DateTime)]
    found_at: Timestamp,
    /// When somebody said that they are not the same.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    dismissed_at: Option<Timestamp>,
    #[schema(required, value_type = Option<String>)]
    dismissed_by: Option<UserId>,
}

impl From<DuplicatePair> for PairBody {
    fn from(pair: DuplicatePair) -> Self {
        let DuplicatePair { records, score, rules, found_at, dismissed_at, dismissed_by } = pair;
        let rules = rules.into_iter().map(AgreedRuleBody::from).collect();
        Self {
            records: records.into_iter().map(LinkedRecord::from).collect(),
            score,
            rules,
            found_at,
            dismissed_at,
            dismissed_by,
        }
    }
}

/// Which pairs are wanted.
#[derive(Debug)]
pub(crate) struct Wanted(PairsQuery);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let dismissed = query.flag("dismissed");
        let Page { limit, cursor } = query.page()?;
        Some(Self(PairsQuery { dismissed, limit, cursor }))
    }
}

/// Lists pairs of records that scans have found to be alike, the surest first.
#[utoipa::path(get, path = "/duplicates/{object}", tag = "duplicates", operation_id = "list",
    params(("object" = String, Path, description = "The object's name"),
        ("dismissed" = Option<bool>, Query, description = "Those that somebody has dismissed, instead of the others"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<PairBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(Wanted(query)): Query<Wanted>,
) -> ApiResult<Answer> {
    let found = session.duplicate_pairs(&object, &query).await?;
    Answer::ok(&ListBody::of(found, PairBody::from))
}

/// Begins to look for duplicates among all records of an object.
#[utoipa::path(post, path = "/duplicates/{object}/scan", tag = "duplicates", operation_id = "scan",
    params(("object" = String, Path, description = "The object's name")),
    responses((status = 202, description = "The job that looks for them", body = AcceptedJob)))]
pub(crate) async fn scan(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    let reply = Box::new(|written: &Written<Job>| Answer::keep(accepted(written)));
    let written = session.duplicate_scan(&object, Some(reply)).await?;
    accepted(&written)
}

/// `{properties, record?}`.
#[derive(Debug)]
struct CheckFields(DuplicateCheck);

impl<'a> FromJson<'a> for CheckFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let properties = object.required::<PropertiesBody>("properties").map(|body| PropertiesInput(body.0));
        let record = object.optional::<Id>("record").map(|Id(id)| id);
        object.finish();
        Some(Self(DuplicateCheck { properties: properties.unwrap_or_default(), record }))
    }
}

/// What the records that are like one are answered in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DuplicatesFound {
    /// The surest first, at most 50.
    results: Vec<DuplicateBody>,
}

/// Tells what a record with these properties would duplicate.
#[utoipa::path(post, path = "/duplicates/{object}/check", tag = "duplicates", operation_id = "check",
    params(("object" = String, Path, description = "The object's name")),
    request_body = bodies::DuplicateCheck,
    responses((status = 200, description = "Records that are like it", body = DuplicatesFound)))]
pub(crate) async fn check(
    Authorized(mut session): Authorized,
    Path(object): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (CheckFields(asked), problems) = body.read_all()?;
    let found = session.duplicate_check(&object, &asked, problems).await?;
    Answer::ok(&DuplicatesFound { results: found.into_iter().map(DuplicateBody::from).collect() })
}

/// Says that two records which a scan has found are not the same; it stays so when they are found again.
#[utoipa::path(put, path = "/duplicates/{object}/dismissed/{id}/{to}", tag = "duplicates", operation_id = "dismiss",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id or uid of one of them"),
        ("to" = String, Path, description = "Id or uid of the other")),
    responses((status = 204, description = "Done")))]
pub(crate) async fn dismiss(
    Authorized(mut session): Authorized,
    Path((object, id, to)): Path<(String, String, String)>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let sequence = session.duplicate_dismiss(&object, [&id, &to], true).await?;
    Ok(Answer::empty().at(sequence))
}

/// Takes back that two records are not the same.
#[utoipa::path(delete, path = "/duplicates/{object}/dismissed/{id}/{to}", tag = "duplicates",
    operation_id = "undismiss",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id or uid of one of them"),
        ("to" = String, Path, description = "Id or uid of the other")),
    responses((status = 204, description = "Done")))]
pub(crate) async fn undismiss(
    Authorized(mut session): Authorized,
    Path((object, id, to)): Path<(String, String, String)>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let sequence = session.duplicate_dismiss(&object, [&id, &to], false).await?;
    Ok(Answer::empty().at(sequence))
}
