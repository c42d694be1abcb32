//! Links between records: one by one, page by page, in batches.

use axum::http::StatusCode;
use engine::LinkQuery;
use engine::records::{LinkInput, Mode, Operation, PropertiesInput, Step, Target};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::batch::{MOST, ResultsBody, run};
use super::body::Id;
use super::inputs::{self, Inputs, Read};
use super::write::ById;
use crate::api::answer::Answer;
use crate::api::wire::{LinkBody, ListBody, problem};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, PropertiesBody, Reading};
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::middleware::RequestScope;
use crate::openapi::bodies;

/// Which page of a record's links.
#[derive(Debug)]
pub(crate) struct Wanted {
    page: Page,
    by: ById,
    direction: Option<String>,
}

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let page = query.page();
        let by = ById::from_query(query);
        let direction = query.text("direction");
        Some(Self { page: page?, by: by?, direction })
    }
}

/// Lists a record's links of one kind.
#[utoipa::path(get, path = "/records/{object}/{id}/associations/{type}", tag = "associations",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("type" = String, Path, description = "The association's name"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("direction" = Option<String>, Query, description = "`in` or `out`, for an object linked to itself"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<LinkBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Path((object, id, kind)): Path<(String, String, String)>,
    Query(Wanted { page, by, direction }): Query<Wanted>,
) -> ApiResult<Answer> {
    let query = LinkQuery { kind, direction, limit: page.limit, cursor: page.cursor };
    let found = session.links(&object, &by.target(id), &query).await?;
    Answer::ok(&ListBody::of(found, LinkBody::from))
}

/// Where a link starts, and whether it takes the place of those in its way.
#[derive(Debug)]
pub(crate) struct Linking {
    by: ById,
    replace: bool,
}

impl FromQuery for Linking {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let by = ById::from_query(query)?;
        Some(Self { by, replace: query.flag("replace") })
    }
}

/// `{label?, properties?}`, or no body at all.
#[derive(Debug, Default)]
struct LinkContents {
    label: Option<String>,
    properties: PropertiesInput,
}

impl<'a> FromJson<'a> for LinkContents {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let label = object.optional("label");
        let properties = object.optional::<PropertiesBody>("properties");
        object.finish();
        Some(Self { label, properties: PropertiesInput(properties.map(|body| body.0).unwrap_or_default()) })
    }
}

/// Links two records, or changes their link.
#[utoipa::path(put, path = "/records/{object}/{id}/associations/{type}/{to}", tag = "associations",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("type" = String, Path, description = "The association's name"),
        ("to" = String, Path, description = "Id or uid of the other record"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("replace" = Option<bool>, Query, description = "Take links in the way away")),
    request_body(content = Option<bodies::LinkContents>, description = "What the link is called and carries; may be left out"),
    responses((status = 204, description = "They are linked")))]
pub(crate) async fn put(
    Authorized(mut session): Authorized,
    Path((object, id, kind, to)): Path<(String, String, String, String)>,
    Query(Linking { by, replace }): Query<Linking>,
    body: Option<JsonBody>,
) -> ApiResult<Answer> {
    let contents = body.map(|body| body.read::<LinkContents>()).transpose()?.unwrap_or_default();
    let link = LinkInput { kind, to, label: contents.label, properties: contents.properties };
    let written = session.link(&object, &by.target(id), link, replace, None).await?;
    Ok(Answer::empty().at(written.sequence))
}

/// Takes the link between two records away.
#[utoipa::path(delete, path = "/records/{object}/{id}/associations/{type}/{to}", tag = "associations",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("type" = String, Path, description = "The association's name"),
        ("to" = String, Path, description = "Id or uid of the other record"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    responses((status = 204, description = "They are not linked")))]
pub(crate) async fn delete(
    Authorized(mut session): Authorized,
    Path((object, id, kind, to)): Path<(String, String, String, String)>,
    Query(by): Query<ById>,
) -> ApiResult<Answer> {
    let written = session.unlink(&object, &by.target(id), &kind, &to).await?;
    Ok(Answer::empty().at(written.sequence))
}

/// `{inputs: [{type, from, to, label?, properties?}], atomic?}`.
#[derive(Debug)]
struct LinksBody {
    inputs: Vec<Read<LinkEnds>>,
    is_atomic: bool,
}

#[derive(Debug)]
struct LinkEnds {
    kind: String,
    from: String,
    to: String,
    contents: LinkContents,
    replace: bool,
}

impl<'a> FromJson<'a> for LinksBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let inputs = inputs::read(&mut object, MOST);
        let is_atomic = object.optional("atomic").unwrap_or(false);
        object.finish();
        Some(Self { inputs: inputs?, is_atomic })
    }
}

impl<'a> FromJson<'a> for LinkEnds {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let kind = object.required::<String>("type");
        let from = object.required::<Id>("from");
        let to = object.required::<Id>("to");
        let label = object.optional("label");
        let properties = object.optional::<PropertiesBody>("properties");
        let replace = object.optional("replace").unwrap_or(false);
        object.finish();
        let properties = PropertiesInput(properties.map(|body| body.0).unwrap_or_default());
        Some(Self { kind: kind?, from: from?.0, to: to?.0, contents: LinkContents { label, properties }, replace })
    }
}

/// Links up to 1,000 pairs of records.
#[utoipa::path(post, path = "/associations/batch/create", tag = "associations", request_body = bodies::LinkBatch,
    operation_id = "batch_create",
    responses((status = 200, description = "Everything was done (`atomic`)", body = ResultsBody),
        (status = 207, description = "One result per input, in order", body = ResultsBody)))]
pub(crate) async fn batch_create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    scope: axum::Extension<RequestScope>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (LinksBody { inputs, is_atomic }, problems) = body.read_all()?;
    inputs::check(&inputs, is_atomic, problems)?;
    let step = |LinkEnds { kind, from, to, contents: LinkContents { label, properties }, replace }: LinkEnds| {
        Step::from(Operation::Associate { kind, from, to, label, properties, replace })
    };
    let steps = Inputs::of(inputs.into_iter().map(|input| input.map(step)));
    let mode = if is_atomic { Mode::Atomic("inputs") } else { Mode::Each };
    run(&mut session, steps, mode, None, scope.id().as_str().to_owned()).await
}

/// Takes up to 1,000 links away.
#[utoipa::path(post, path = "/associations/batch/archive", tag = "associations", request_body = bodies::LinkBatch,
    operation_id = "batch_archive",
    responses((status = 200, description = "Everything was done (`atomic`)", body = ResultsBody),
        (status = 207, description = "One result per input, in order", body = ResultsBody)))]
pub(crate) async fn batch_archive(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    scope: axum::Extension<RequestScope>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (LinksBody { inputs, is_atomic }, problems) = body.read_all()?;
    inputs::check(&inputs, is_atomic, problems)?;
    let step = |LinkEnds { kind, from, to, .. }: LinkEnds| Step::from(Operation::Dissociate { kind, from, to });
    let steps = Inputs::of(inputs.into_iter().map(|input| input.map(step)));
    let mode = if is_atomic { Mode::Atomic("inputs") } else { Mode::Each };
    run(&mut session, steps, mode, None, scope.id().as_str().to_owned()).await
}

/// `{inputs: [{object, id}], type, limit?}`.
#[derive(Debug)]
struct ReadBody {
    inputs: Vec<Read<RecordName>>,
    /// None where it could not be read, which has been told.
    kind: Option<String>,
    limit: usize,
}

#[derive(Debug)]
struct RecordName {
    object: String,
    id: String,
}

impl<'a> FromJson<'a> for ReadBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let inputs = inputs::read(&mut object, MOST);
        let kind = object.required::<String>("type");
        let limit = object.optional::<i64>("limit").unwrap_or(50);
        let bounded = usize::try_from(limit).ok().filter(|limit| (1..=200).contains(limit));
        if bounded.is_none() {
            object.problem_at("limit", "out_of_range", "`limit` is a number from 1 to 200");
        }
        object.finish();
        Some(Self { inputs: inputs?, kind, limit: bounded.unwrap_or_default() })
    }
}

impl<'a> FromJson<'a> for RecordName {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let name = object.required::<String>("object");
        let id = object.required::<Id>("id");
        object.finish();
        Some(Self { object: name?, id: id?.0 })
    }
}

/// The links of one record, or what is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinksResult)]
pub(crate) struct LinksOf<'a> {
    index: usize,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    associations: Option<Vec<LinkBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = problem, required = false)]
    error: Option<crate::error::ProblemBody<'a>>,
}

/// One result per input, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinksResults)]
pub(crate) struct LinksBatch<'a> {
    results: Vec<LinksOf<'a>>,
}

/// Reads the links of one kind of up to 1,000 records.
#[utoipa::path(post, path = "/associations/batch/read", tag = "associations", request_body = bodies::LinksOfRecords,
    operation_id = "batch_read",
    responses((status = 207, description = "One result per input, in order", body = LinksBatch)))]
pub(crate) async fn batch_read(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    scope: axum::Extension<RequestScope>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (ReadBody { inputs, kind, limit }, problems) = body.read_all()?;
    inputs::check(&inputs, false, problems)?;
    let record = |RecordName { object, id }: RecordName| (object, Target::id(id));
    let Inputs { ready, places } = Inputs::of(inputs.into_iter().map(|input| input.map(record)));
    let found = places.fill(session.links_of_many(ready, &kind.unwrap_or_default(), limit).await);
    let mut results = Vec::with_capacity(found.len());
    let mut errors = Vec::with_capacity(found.len());
    for links in found {
        match links {
            Ok(links) => {
                results.push(Some(links.into_iter().map(LinkBody::from).collect()));
                errors.push(None);
            }
            Err(error) => {
                results.push(None);
                errors.push(Some(crate::error::ApiError::from(error)));
            }
        }
    }
    let results: Vec<LinksOf<'_>> = results
        .into_iter()
        .zip(&errors)
        .enumerate()
        .map(|(index, (associations, error))| LinksOf {
            index,
            status: error.as_ref().map_or(200, |error| error.status().as_u16()),
            associations,
            error: error.as_ref().map(|error| error.body(scope.id().as_str())),
        })
        .collect();
    Answer::json(StatusCode::MULTI_STATUS, &LinksBatch { results })
}
