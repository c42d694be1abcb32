//! Jobs: long work, its progress and what went wrong in it.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::Job;
use engine::exports::ExportFile;
use engine::model::time::Timestamp;
use engine::model::{JobId, UserId};
use engine::records::Written;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::answer::Answer;
use super::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::query::{FromQuery, NoQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, Path};

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobBody {
    #[schema(value_type = String)]
    id: JobId,
    kind: String,
    /// `uploading`, `queued`, `running`, `done`, `failed` or `cancelled`.
    state: &'static str,
    #[schema(value_type = Object)]
    spec: Map<String, Value>,
    /// How far it has got: of imports `bytes` of `total_bytes`, `rows`, and what became of them; of exports `records` of
    /// `total`, and the `bytes` of the file.
    #[schema(value_type = Object)]
    progress: Map<String, Value>,
    /// How many rows became what: `created`, `updated`, `unchanged`, `skipped`, `failed`.
    #[schema(value_type = Object)]
    counts: Map<String, Value>,
    /// The first rows that would fail, after a dry run.
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    /// The file that it has made; only of exports that are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<JobFileBody>,
    /// Why it failed, where it did.
    #[schema(required, value_type = Option<String>)]
    detail: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(required, value_type = Option<String>)]
    created_by: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A file that a job has made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobFile)]
pub(crate) struct JobFileBody {
    /// What it is called.
    name: String,
    bytes: u64,
    /// From when on it is gone.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<ExportFile> for JobFileBody {
    fn from(file: ExportFile) -> Self {
        Self { name: file.name, bytes: file.bytes, expires_at: file.expires_at }
    }
}

/// A job that was taken on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedJob {
    pub(crate) job: JobBody,
}

/// What work that has been taken on is answered.
pub(crate) fn accepted(written: &Written<Job>) -> ApiResult<Answer> {
    let job = JobBody::from(written.value.clone());
    Ok(Answer::json(StatusCode::ACCEPTED, &AcceptedJob { job })?.at(written.sequence))
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        let file = job.file().map(JobFileBody::from);
        let Job { id, kind, state, spec, mut progress, created_at, created_by, updated_at } = job;
        progress.shift_remove("cursor");
        let count = |key: &&str| ((*key).to_owned(), progress.get(*key).cloned().unwrap_or(Value::from(0)));
        let counts = COUNTS.iter().map(count).collect();
        let errors = progress.get("problems").map(flat_problems).unwrap_or_default();
        let detail = progress.get("error").map(|error| error["detail"].clone()).unwrap_or_default();
        let state = state.as_str();
        Self { id, kind, state, spec, progress, counts, errors, file, detail, created_at, created_by, updated_at }
    }
}

const COUNTS: [&str; 5] = ["created", "updated", "unchanged", "skipped", "failed"];

/// One entry per problem, each with its row, in place of one entry per row.
fn flat_problems(rows: &Value) -> Vec<Value> {
    let mut flat = Vec::new();
    for row in rows.as_array().into_iter().flatten() {
        for problem in row["problems"].as_array().into_iter().flatten() {
            let mut problem = problem.clone();
            problem["row"] = row["row"].clone();
            problem["line"] = row["line"].clone();
            flat.push(problem);
        }
    }
    flat
}

/// Which page.
#[derive(Debug)]
pub(crate) struct Wanted(Page);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        query.page().map(Self)
    }
}

/// Lists jobs, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", operation_id = "list",
    params(("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<JobBody>)))]
pub(crate) async fn list(Authorized(mut session): Authorized, Query(Wanted(page)): Query<Wanted>) -> ApiResult<Answer> {
    let found = session.job_list(page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, JobBody::from))
}

/// Reads a job.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", operation_id = "read",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = JobBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&JobBody::from(session.job(&id).await?))
}

/// Stops a job; what it has done stays done.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", operation_id = "cancel",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = JobBody)))]
pub(crate) async fn cancel(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let answer = Answer::ok(&JobBody::from(session.job_cancel(&id).await?))?;
    Ok(answer.at(session.log_position().await?))
}

/// Reads what went wrong in a job: one JSON object a line, in the order of the rows.
#[utoipa::path(get, path = "/jobs/{id}/errors", tag = "jobs", operation_id = "errors",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "`{row, line, problems}` on each line", body = String,
        content_type = "application/x-ndjson")))]
pub(crate) async fn errors(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Response> {
    // Asked for before the first byte is sent, so that a job that is not there is a 404.
    let first = session.job_errors(&id, 0, CHUNK).await?;
    let lines = futures::stream::unfold((session, id, Some(first)), |(mut session, id, ready)| async move {
        let errors = ready?;
        let last = errors.last()?.row;
        let text: String = errors.iter().map(|error| json!(error).to_string() + "\n").collect();
        let next = match session.job_errors(&id, last, CHUNK).await {
            Ok(next) => Some(next),
            Err(error) => return Some((Err(std::io::Error::other(error)), (session, id, None))),
        };
        Some((Ok(Bytes::from(text)), (session, id, next)))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

/// Errors that are read at a time.
const CHUNK: usize = 500;
