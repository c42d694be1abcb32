//! Merging records into one, and taking them apart again.

use std::borrow::Cow;

use engine::records::Operation;
use serde_json::value::RawValue;

use super::body::Id;
use super::write::{ById, perform_checked};
use crate::api::answer::Answer;
use crate::api::wire::RecordBody;
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::Query;
use crate::extract::{Authorized, IdempotencyKey, IfMatch, Path, once};
use crate::openapi::bodies;

/// Most records that are merged into another one at once.
const MOST: usize = 100;

/// `{from, properties?}`.
#[derive(Debug)]
struct MergeBody {
    from: Vec<String>,
    choices: Vec<(String, String)>,
}

impl<'a> FromJson<'a> for MergeBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let from = object.list_as_far::<Id>("from", MOST);
        let choices = object.optional::<Choices>("properties");
        object.finish();
        // What cannot be read names no record, which is told already.
        let from = from.into_iter().map(|id| id.map(|Id(id)| id).unwrap_or_default()).collect();
        Some(Self { from, choices: choices.map(|choices| choices.0).unwrap_or_default() })
    }
}

/// Property to the id of the record whose value is taken.
#[derive(Debug)]
struct Choices(Vec<(String, String)>);

impl<'a> FromJson<'a> for Choices {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut choices = Vec::new();
        for (name, value) in reading.members(raw)? {
            let text = value.get();
            let id = match serde_json::from_str::<Cow<'_, str>>(text) {
                Ok(id) => id.into_owned(),
                Err(_) if text == "null" => continue,
                Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => text.to_owned(),
                Err(_) => {
                    reading.problem_at(&name, "wrong_type", "the id of the record whose value is taken is expected");
                    continue;
                }
            };
            choices.push((name.into_owned(), id));
        }
        Some(Self(choices))
    }
}

/// Merges other records into one, to which their ids lead from then on.
#[utoipa::path(post, path = "/records/{object}/{id}/merge", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "The record that remains: id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("If-Match" = Option<String>, Header, description = "Only if the record that remains is at this version")),
    request_body = bodies::Merge, responses((status = 200, description = "The record that remains", body = RecordBody)))]
pub(crate) async fn merge(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    if_match: IfMatch,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (MergeBody { from, choices }, problems) = body.read_all()?;
    let version = if_match.expected_version()?;
    let operation = Operation::Merge { object, target: by.target(id), from, choices, version };
    perform_checked(&mut session, operation, problems).await
}

/// `{id}`.
#[derive(Debug)]
struct UnmergeBody(String);

impl<'a> FromJson<'a> for UnmergeBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let id = object.required::<Id>("id");
        object.finish();
        id.map(|Id(id)| Self(id))
    }
}

/// Takes a record out again of the one that it was merged into.
#[utoipa::path(post, path = "/records/{object}/{id}/unmerge", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "The record that remained: id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("If-Match" = Option<String>, Header, description = "Only if the record that remained is at this version")),
    request_body = bodies::Unmerge, responses((status = 200, description = "The record that was merged into it, as it \
        was; `left_out` lists the links that it has not got back", body = RecordBody)))]
pub(crate) async fn unmerge(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    if_match: IfMatch,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (UnmergeBody(loser), problems) = body.read_all()?;
    let version = if_match.expected_version()?;
    let operation = Operation::Unmerge { object, target: by.target(id), id: loser, version };
    perform_checked(&mut session, operation, problems).await
}
