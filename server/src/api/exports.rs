//! Exports: records or a report become a file, as a job; and the file.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::exports::ExportFile;
use engine::records::Written;
use engine::{Job, Session};
use futures::Stream;

use super::answer::Answer;
use super::definitions::body::SpecBody;
use super::jobs::{AcceptedJob, accepted};
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::middleware::StreamPermit;
use crate::openapi::bodies;
use crate::state::AppState;

/// Begins an export of an object's records, of what a view shows, or of what a report computes.
#[utoipa::path(post, path = "/exports", tag = "exports", operation_id = "create", request_body = bodies::Export,
    responses((status = 202, description = "The job; its file is at `/jobs/{id}/file` once it is done", body = AcceptedJob)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    let reply = Box::new(|written: &Written<Job>| Answer::keep(accepted(written)));
    let written = session.export_create(spec, Some(reply)).await?;
    accepted(&written)
}

/// Reads the file that a job has made.
#[utoipa::path(get, path = "/jobs/{id}/file", tag = "jobs", operation_id = "file",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The file, for 24 hours after it was made", content(
        (String = "text/csv"), (String = "application/x-ndjson"), (String = "application/vnd.apache.parquet"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
pub(crate) async fn file(
    Authorized(mut session): Authorized,
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    permit: StreamPermit,
) -> ApiResult<Response> {
    let file = session.export_file(&id).await?;
    let name = format!("attachment; filename=\"{}\"", file.name);
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.media_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(file.bytes)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(engine::Error::internal)?),
        // What it is, is said; nobody is to guess.
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((head, Body::from_stream(parts(session, file, state, permit))).into_response())
}

/// The parts of a file. What breaks off is shorter than was said.
fn parts(
    session: Session,
    file: ExportFile,
    state: AppState,
    permit: StreamPermit,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    let begin = (session, file, state, permit, 0, false);
    futures::stream::unfold(begin, |(session, file, state, permit, part, has_ended)| async move {
        if has_ended {
            return None;
        }
        let read = state.stop.run_until_cancelled(session.export_part(&file, part)).await;
        let piece = match read {
            Some(Ok(Some(content))) => Ok(Bytes::from(content)),
            Some(Ok(None)) => return None,
            Some(Err(error)) => Err(std::io::Error::other(error)),
            None => Err(std::io::Error::other("the server is stopping")),
        };
        let has_ended = piece.is_err();
        Some((piece, (session, file, state, permit, part + 1, has_ended)))
    })
}
