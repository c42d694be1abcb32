//! How the definitions changed.

use axum::http::StatusCode;
use engine::MetadataVersion;
use engine::model::UserId;
use engine::model::time::Timestamp;
use engine::packs::{MetadataDiff, Rollback};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::api::packs::PlanStepBody;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::Authorized;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::openapi::bodies;

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

/// What going back does.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rollback)]
pub(crate) struct RollbackBody {
    metadata_version: i64,
    /// False where all was so already, and for a dry run.
    changed: bool,
    /// What differs from the definitions before.
    steps: Vec<PlanStepBody>,
    /// Ids of jobs that go on.
    jobs: Vec<String>,
}

impl From<Rollback> for RollbackBody {
    fn from(rollback: Rollback) -> Self {
        let Rollback { metadata_version, steps, is_done, jobs } = rollback;
        let steps = steps.into_iter().map(PlanStepBody::from).collect();
        let jobs = jobs.iter().map(ToString::to_string).collect();
        Self { metadata_version, changed: is_done, steps, jobs }
    }
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MetadataDiff)]
pub(crate) struct DiffBody {
    from: i64,
    to: i64,
    steps: Vec<PlanStepBody>,
}

impl From<MetadataDiff> for DiffBody {
    fn from(diff: MetadataDiff) -> Self {
        let MetadataDiff { from, to, steps } = diff;
        Self { from, to, steps: steps.into_iter().map(PlanStepBody::from).collect() }
    }
}

/// Two versions.
#[derive(Debug)]
pub(crate) struct Versions {
    from: i64,
    to: Option<i64>,
}

impl FromQuery for Versions {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        const VERSION: &str = "a metadata version, a whole number";
        let to = query.parsed("to", VERSION);
        let Some(written) = query.text("from") else {
            query.problem("from", "required", "`from` is the version to compare with");
            return None;
        };
        let from = written.parse().ok();
        if from.is_none() {
            query.problem("from", "invalid", format!("`from` is {VERSION}"));
        }
        Some(Self { from: from?, to })
    }
}

/// Compares the definitions of two metadata versions.
#[utoipa::path(get, path = "/metadata/diff", tag = "metadata", operation_id = "diff",
    params(("from" = i64, Query, description = "The version before"),
        ("to" = Option<i64>, Query, description = "The version after; the one in force unless given")),
    responses((status = 200, description = "What differs", body = DiffBody)))]
pub(crate) async fn diff(
    Authorized(mut session): Authorized,
    Query(Versions { from, to }): Query<Versions>,
) -> ApiResult<Answer> {
    Answer::ok(&DiffBody::from(session.metadata_diff(from, to).await?))
}

/// `{to_version, dry_run?}`
#[derive(Debug)]
struct BackTo {
    version: i64,
    is_dry: bool,
}

impl<'a> FromJson<'a> for BackTo {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let version = object.required::<i64>("to_version");
        let is_dry = object.optional::<bool>("dry_run").unwrap_or_default();
        object.finish();
        version.map(|version| Self { version, is_dry })
    }
}

/// Brings the definitions back to an earlier version, as one more change; what has come since is archived.
#[utoipa::path(post, path = "/metadata/rollback", tag = "metadata", operation_id = "rollback",
    request_body = bodies::BackTo,
    responses((status = 200, description = "It is done, or what would be", body = RollbackBody)))]
pub(crate) async fn rollback(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let BackTo { version, is_dry } = body.read()?;
    let written = session.metadata_rollback(version, is_dry).await?;
    Ok(Answer::json(StatusCode::OK, &RollbackBody::from(written.value))?.at(written.sequence))
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
