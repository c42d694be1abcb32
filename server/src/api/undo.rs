//! Taking back what a request or a job has changed.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::model::{RecordId, Sequence};
use engine::records::{Reply, Written};
use engine::{Skipped, Undo, UndoOf, Undone};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answer::Answer;
use super::jobs::{AcceptedJob, JobBody};
use super::records::body::Id;
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, once};
use crate::openapi::bodies;

/// `{request_id}` or `{job_id}`.
#[derive(Debug)]
struct UndoBody(UndoOf);

impl<'a> FromJson<'a> for UndoBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let is_given = object.has("request_id") || object.has("job_id");
        let request = object.optional::<String>("request_id").map(UndoOf::Request);
        let job = object.optional::<Id>("job_id").map(|Id(id)| UndoOf::Job(id));
        let of = match (request, job) {
            (Some(_), Some(_)) => {
                object.problem_at("job_id", "invalid", "give `request_id` or `job_id`, not both");
                None
            }
            (None, None) if !is_given => {
                object.problem_at("request_id", "required", "`request_id` or `job_id` says what to take back");
                None
            }
            (request, job) => request.or(job),
        };
        object.finish();
        of.map(Self)
    }
}

/// What was taken back, and what was not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Undone)]
pub(crate) struct UndoneBody {
    /// How many changes were taken back.
    undone: u64,
    /// The rest.
    skipped: Vec<SkippedBody>,
}

/// Something that was not taken back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Skipped)]
pub(crate) struct SkippedBody {
    /// The record; null for definitions.
    #[schema(required, value_type = Option<String>)]
    record: Option<RecordId>,
    /// The property, `owner_id`, `team_id`, or the association of a link; null for all of the record.
    #[schema(required)]
    property: Option<String>,
    /// Why not.
    reason: String,
}

impl From<Undone> for UndoneBody {
    fn from(Undone { undone, skipped }: Undone) -> Self {
        let body = |Skipped { record, property, reason }| SkippedBody { record, property, reason };
        Self { undone, skipped: skipped.into_iter().map(body).collect() }
    }
}

/// Takes back what a request or a job has changed, where nobody has changed it since.
#[utoipa::path(post, path = "/undo", tag = "records", request_body = bodies::UndoInput,
    responses((status = 200, description = "What was taken back, and what was not", body = UndoneBody),
        (status = 202, description = "The job that takes very many changes back", body = AcceptedJob)))]
pub(crate) async fn undo(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let UndoBody(of) = body.read()?;
    let reply: Reply<Undo> =
        Arc::new(|written: &Written<Undo>| Answer::keep(answer(written.value.clone(), written.sequence)));
    let written = session.undo(&of, Some(reply)).await?;
    answer(written.value, written.sequence)
}

fn answer(undo: Undo, sequence: Sequence) -> ApiResult<Answer> {
    let answer = match undo {
        Undo::Done(undone) => Answer::ok(&UndoneBody::from(undone)),
        Undo::Job(job) => Answer::json(StatusCode::ACCEPTED, &AcceptedJob { job: JobBody::from(*job) }),
    };
    Ok(answer?.at(sequence))
}
