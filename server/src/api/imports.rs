//! Imports: a file of rows becomes records, as a job.

use std::path::Path;

use axum::http::StatusCode;
use engine::model::JobId;
use engine::transfer::{Format, ImportRequest};
use engine::{Job, Session};
use serde::Serialize;
use tokio::io::AsyncReadExt;
use utoipa::ToSchema;

use super::answer::Answer;
use super::jobs::JobBody;
use crate::error::ApiResult;
use crate::extract::query::{FromQuery, Query, QueryReader};
use crate::extract::{Authorized, ImportUpload};
use crate::middleware::StreamPermit;
use crate::openapi::bodies;

/// Bytes that are handed to the engine at a time.
const PART: usize = 256 * 1024;

/// What is imported into what.
#[derive(Debug)]
pub(crate) struct Wanted {
    object: String,
    format: Option<Format>,
    dry_run: bool,
}

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let object = query.text("object");
        if object.is_none() {
            query.problem("object", "required", "`object` names the object whose records the rows become");
        }
        let format = match query.text("format").as_deref() {
            None => None,
            Some("csv") => Some(Format::Csv),
            Some("ndjson") => Some(Format::Ndjson),
            Some(_) => {
                query.problem("format", "invalid", "`format` is `csv` or `ndjson`");
                None
            }
        };
        let dry_run = query.flag("dry_run");
        Some(Self { object: object?, format, dry_run })
    }
}

/// A job that was taken on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedJob {
    pub(crate) job: JobBody,
}

/// Takes in a file, as `multipart/form-data` with a part `file` and a part `map`, or as the bare body.
#[utoipa::path(post, path = "/imports", tag = "imports", operation_id = "create",
    params(("object" = String, Query, description = "The object's name"),
        ("format" = Option<String>, Query, description = "`csv` or `ndjson`, where the map does not say"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would happen")),
    request_body(description = "A form with the parts `file` and, where columns need one, `map`; or the bare file",
        content((bodies::ImportForm = "multipart/form-data"), (String = "text/csv"), (String = "application/x-ndjson"))),
    responses((status = 202, description = "The job", body = AcceptedJob)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(Wanted { object, format, dry_run }): Query<Wanted>,
    _permit: StreamPermit,
    upload: ImportUpload,
) -> ApiResult<Answer> {
    let format = format.or_else(|| format_of_media_type(upload.media_type.as_deref()?));
    let request = ImportRequest { object, map: upload.map, format, dry_run, file_name: upload.file_name };
    let job = session.import_begin(request).await?;
    let job = match hand_over(&mut session, job.id, upload.file.path()).await {
        Ok(job) => job,
        Err(error) => {
            // Where that fails too, the upload is given up when it has rested for an hour.
            drop(session.import_abort(job.id).await);
            return Err(error.into());
        }
    };
    let answer = Answer::json(StatusCode::ACCEPTED, &AcceptedJob { job: JobBody::from(job) })?;
    Ok(answer.at(session.log_position().await?))
}

/// Hands the file to the engine part by part.
async fn hand_over(session: &mut Session, job: JobId, path: &Path) -> Result<Job, engine::Error> {
    let mut file = tokio::fs::File::open(path).await.map_err(engine::Error::internal)?;
    for part in 0.. {
        let mut bytes = Vec::with_capacity(PART);
        let limit = u64::try_from(PART).unwrap_or(u64::MAX);
        (&mut file).take(limit).read_to_end(&mut bytes).await.map_err(engine::Error::internal)?;
        if bytes.is_empty() {
            break;
        }
        session.import_part(job, part, bytes).await?;
    }
    session.import_finish(job).await
}

fn format_of_media_type(media_type: &str) -> Option<Format> {
    match media_type {
        "text/csv" => Some(Format::Csv),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Format::Ndjson),
        _ => None,
    }
}
