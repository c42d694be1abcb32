//! An import's beginning: what is asked for, and its file, part by part.

use engine_model::access::Action;
use engine_model::{JobId, Problem, Problems};
use engine_store::job::{self, Holder};
use serde_json::Value;

use super::IMPORT;
use super::bind::bind;
use super::import::{catalog_for, is_of_users};
use super::map::ColumnMap;
use super::progress::Progress;
use super::spec::{Format, ImportRequest, Spec};
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Job, JobState};
use crate::session::{Session, with_current};

/// The largest part of a file, in bytes.
pub const MAX_PART: usize = 256 * 1024;

/// After so many parts the store is told that the upload goes on.
const PARTS_BETWEEN_SIGNS: u64 = 16;

impl Session {
    /// Begins an import; its file follows by [`Session::import_part`].
    ///
    /// Everything that is wrong with the map is said at once, with pointers that begin with `/map`. Whether its columns
    /// are those of the file shows when the job runs.
    pub async fn import_begin(&mut self, request: ImportRequest) -> Result<Job> {
        let spec = with_current!(self, self.check_import(&request))?;
        let Value::Object(spec) = serde_json::to_value(spec).map_err(Error::internal)? else {
            return Err(Error::internal("an import's specification is no object"));
        };
        self.job_create(IMPORT, JobState::Uploading, spec).await
    }

    /// Takes one part of the file, at most [`MAX_PART`] bytes; counted from 0, a part sent again replaces itself.
    pub async fn import_part(&mut self, id: JobId, part: u64, bytes: Vec<u8>) -> Result<()> {
        if bytes.is_empty() || bytes.len() > MAX_PART {
            let detail = format!("a part of a file has 1 to {MAX_PART} bytes, not {}", bytes.len());
            return Err(Error::new(ErrorCode::TooLarge, detail));
        }
        let job = self.uploading(id).await?;
        let number =
            i64::try_from(part).map_err(|_| Error::new(ErrorCode::BadRequest, "there are not so many parts"))?;
        let store = self.engine.store();
        if !job::add_input(store, self.tenant(), id, number, bytes).await? {
            return Err(not_uploading(&job));
        }
        if part.is_multiple_of(PARTS_BETWEEN_SIGNS) {
            let uploading = JobState::Uploading.as_str();
            job::save(store, self.tenant(), id, uploading, uploading, "{}", self.now()).await?;
        }
        Ok(())
    }

    /// The file is whole: the import waits for a worker.
    pub async fn import_finish(&mut self, id: JobId) -> Result<Job> {
        let job = self.uploading(id).await?;
        let extent = job::input_extent(&mut self.reader().await?, id).await?;
        if extent.last + 1 != extent.parts {
            let detail = format!("of {} parts only {} have come in; send the others", extent.last + 1, extent.parts);
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        let total_bytes = u64::try_from(extent.bytes).unwrap_or_default();
        let progress =
            serde_json::to_string(&Progress { total_bytes, ..Progress::default() }).map_err(Error::internal)?;
        let (uploading, queued) = (JobState::Uploading.as_str(), JobState::Queued.as_str());
        let store = self.engine.store();
        if !job::save(store, self.tenant(), id, uploading, queued, &progress, self.now()).await? {
            return Err(not_uploading(&job));
        }
        self.engine.inner.job_added.notify_one();
        self.job(&id.to_string()).await
    }

    /// Gives an upload up; nothing of it stays.
    pub async fn import_abort(&mut self, id: JobId) -> Result<Job> {
        let job = self.uploading(id).await?;
        let cancelled = JobState::Cancelled.as_str();
        let store = self.engine.store();
        if !job::end(store, self.tenant(), id, Holder::Uploader, cancelled, "{}", self.now()).await? {
            return Err(not_uploading(&job));
        }
        self.job(&id.to_string()).await
    }

    async fn uploading(&mut self, id: JobId) -> Result<Job> {
        let job = self.job(&id.to_string()).await?;
        if job.state == JobState::Uploading { Ok(job) } else { Err(not_uploading(&job)) }
    }

    /// Checks what can be checked without the file.
    fn check_import(&self, request: &ImportRequest) -> Result<Spec> {
        let object = &request.object;
        if is_of_users(self, object) {
            self.caller.check_admin()?;
        } else {
            self.catalog.object(object)?;
            self.caller.check_create(object)?;
            self.caller.check_any(Action::Update, object)?;
        }
        let map = match &request.map {
            Some(text) => ColumnMap::read(text).map_err(Error::invalid)?,
            None => ColumnMap::default(),
        };
        let mut problems = Problems::new();
        if let Some(other) = map.object.as_ref().filter(|other| *other != object) {
            let message = format!("the map is for `{other}`, and the import for `{object}`");
            problems.push(Problem::new("/map/object", "conflict", message));
        }
        let format = request.told_format(&map);
        match format {
            Some(format) => check_format(&map, format, &mut problems),
            None => {
                let message = "neither the file's name nor the map says whether this is `csv` or `ndjson`";
                problems.push(Problem::new("/format", "required", message));
            }
        }
        if let Err(found) = bind(&map, &*catalog_for(self, object)?, object, &self.caller.rights) {
            problems.extend(found);
        }
        match format.filter(|_| problems.is_empty()) {
            Some(format) => Ok(Spec {
                object: object.clone(),
                format,
                dry_run: request.dry_run,
                file_name: request.file_name.clone(),
                map: request.map.clone(),
            }),
            None => Err(Error::invalid(problems)),
        }
    }
}

/// What a map says must mean something for this kind of file.
fn check_format(map: &ColumnMap, format: Format, problems: &mut Problems) {
    if format == Format::Csv {
        return;
    }
    let mut meaningless = Vec::new();
    meaningless.extend(map.delimiter.is_some().then_some(("delimiter", "lines of NDJSON have no cells to separate")));
    if map.is_automatic() {
        let needs = "without `columns`, lines of NDJSON are taken as they are";
        meaningless.extend((!map.compose.is_empty()).then_some(("compose", needs)));
        meaningless.extend((!map.skip_without.is_empty()).then_some(("skip_without", needs)));
        meaningless.extend((!map.skip_values.is_empty()).then_some(("skip_values", needs)));
    }
    for (key, message) in meaningless {
        problems.push(Problem::new(format!("/map/{key}"), "not_applicable", message));
    }
}

fn not_uploading(job: &Job) -> Error {
    let detail = format!("job {} does not take a file any more: it is {}", job.id, job.state.as_str());
    Error::new(ErrorCode::Conflict, detail)
}
