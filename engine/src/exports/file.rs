//! A file that is there: who may have it, and its parts.

use engine_model::access::{Action, Reach};
use engine_model::time::Timestamp;
use engine_model::{JobId, Problem};
use engine_store::job::JobRow;
use engine_store::job_file;
use serde_json::{Map, Value};

use super::plan::Needs;
use super::request::ExportRequest;
use super::{EXPORT, Format, LIFETIME_MICROS};
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Job, JobReply, JobState, NEEDS};
use crate::records::Written;
use crate::session::{Session, with_current};

/// A file that can be fetched.
#[derive(Debug, Clone)]
pub struct ExportFile {
    /// What it is called; ASCII letters, digits, `_`, `-` and one point.
    pub name: String,
    /// What it is.
    pub media_type: &'static str,
    /// How long it is.
    pub bytes: u64,
    /// When it is gone.
    pub expires_at: Timestamp,
    job: JobId,
}

impl Job {
    /// The file that an export has made; it may be gone by now.
    pub fn file(&self) -> Option<ExportFile> {
        if self.kind != EXPORT || self.state != JobState::Done {
            return None;
        }
        let expires_at = Timestamp(self.updated_at.0.saturating_add(LIFETIME_MICROS));
        let format = self.spec.get("format").and_then(Value::as_str);
        let (_, format) = Format::ALL.iter().find(|(word, _)| Some(*word) == format)?;
        let name = self.progress.get("file").and_then(Value::as_str)?.to_owned();
        let bytes = self.progress.get("bytes").and_then(Value::as_u64)?;
        Some(ExportFile { name, media_type: format.media_type(), bytes, expires_at, job: self.id })
    }
}

impl Session {
    /// Begins an export: `{object or view or report, format, filter?, sort?, select?, headings?, escape_formulas?}`.
    ///
    /// Everything that is wrong with it is said at once, each with its place.
    pub async fn export_create(&mut self, spec: Map<String, Value>, reply: Option<JobReply>) -> Result<Written<Job>> {
        self.refresh().await?;
        with_current!(self, self.check_export(&spec).await)?;
        let tx = self.engine.store().begin(self.tenant()).await?;
        self.job_begin(tx, EXPORT, spec, reply).await
    }

    async fn check_export(&self, spec: &Map<String, Value>) -> Result<()> {
        let (request, malformed) = ExportRequest::read(spec)?;
        self.plan_export(&request, malformed).await.map(drop)
    }

    /// The file that a job has made, for whoever asked for it, and for administrators who may read all that is in it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] where there is none and will be none, [`ErrorCode::Conflict`] where there is none yet,
    /// [`ErrorCode::Gone`] where there is none any more, [`ErrorCode::Forbidden`] where the caller may not read what is
    /// in it.
    pub async fn export_file(&mut self, id: &str) -> Result<ExportFile> {
        self.refresh().await?;
        let (reader, row) = self.find_job(id).await?;
        drop(reader);
        let job = Job::from_row(row.clone())?;
        if job.kind != EXPORT {
            return Err(Error::not_found(format!("job {} is of the kind `{}`, which makes no file", job.id, job.kind)));
        }
        match job.state {
            JobState::Done => {}
            JobState::Uploading | JobState::Queued | JobState::Running => {
                let detail = format!("the file is not there yet: job {} is {}", job.id, job.state.as_str());
                return Err(Error::new(ErrorCode::Conflict, detail.clone()).with(Problem::new("", "running", detail)));
            }
            JobState::Failed | JobState::Cancelled => {
                let detail = format!("there is no file: job {} is {}", job.id, job.state.as_str());
                return Err(Error::not_found(detail));
            }
        }
        self.check_needs(&row)?;
        let file = job.file().ok_or_else(|| Error::internal("a job that is done has made no file"))?;
        if self.now() >= file.expires_at {
            return Err(Error::new(ErrorCode::Gone, "the file is gone, 24 hours after it was made; export again"));
        }
        Ok(file)
    }

    /// A part of the file, counted from 0; none after the last.
    pub async fn export_part(&self, file: &ExportFile, part: i64) -> Result<Option<Vec<u8>>> {
        Ok(job_file::part(&mut self.reader().await?, file.job, part).await?)
    }

    /// Refuses a file to whoever may not read now all that was in reach of who asked for it.
    fn check_needs(&self, row: &JobRow) -> Result<()> {
        let progress: Map<String, Value> = serde_json::from_str(&row.progress).map_err(Error::internal)?;
        let needs = progress.get(NEEDS).cloned().unwrap_or_default();
        let Needs { object, properties, reach } = serde_json::from_value(needs).map_err(Error::internal)?;
        let definition = self.catalog.object(&object)?;
        self.caller.check_any(Action::Read, &object)?;
        let is_own = row.created_by == Some(self.caller.user.0);
        // What is somebody's own is not what is one's own.
        let needed = if is_own { Reach::from_bits(reach) } else { Reach::ALL };
        if !needed.is_within(self.caller.rights.grants(&object).reach(Action::Read)) {
            let detail = format!("the file may hold records of `{object}` that you may not read; export again");
            return Err(Error::forbidden(detail));
        }
        let registry = &self.catalog.effective.registry;
        let found = properties.iter().filter_map(|name| definition.properties.get(name.as_str()));
        let hidden = found.filter(|property| !self.caller.reads(registry, definition, property));
        match hidden.count() {
            0 => Ok(()),
            count => {
                let detail =
                    format!("the file has {count} properties of `{object}` that you may not read; export again");
                Err(Error::forbidden(detail))
            }
        }
    }
}
