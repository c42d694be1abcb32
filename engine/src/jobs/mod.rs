//! Jobs: long work that goes on in the background, survives a restart, and can be looked at and stopped.
//!
//! # Adding a kind of job
//! A function that takes a `Work` and goes on from its progress, saving it as it gets along; a line in `perform` of
//! `worker.rs`. Whatever it does between two saves may happen again after a crash.

mod actor;
mod failure;
mod file;
mod walk;
mod work;
mod worker;

pub(crate) use actor::Actor;
pub use failure::{JobError, RowProblem};
pub(crate) use walk::Walk;
pub(crate) use work::{Ending, SOURCE, Work};
pub(crate) use worker::start_worker;

use engine_model::time::Timestamp;
use engine_model::{JobId, Problem, UserId};
use engine_store::idempotency::StoredReply;
use engine_store::job::{self, Holder, JobRow};
use engine_store::{Reader, Tx, counter, job_file};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::records::{Page, Written, make_cursor, read_cursor};
use crate::session::Session;

/// Key of a job's specification that holds whom it works for; not shown.
const ACTOR: &str = "actor";

/// Key of a job's progress that holds what of its file somebody must be able to read to have it; not shown.
pub(crate) const NEEDS: &str = "needs";

/// Makes the reply that is kept under the caller's idempotency key.
pub type JobReply = Box<dyn FnOnce(&Written<Job>) -> StoredReply + Send>;

/// A job as answered.
#[derive(Debug, Clone)]
pub struct Job {
    /// Identifier in the tenant.
    pub id: JobId,
    /// What it does, such as `import`.
    pub kind: String,
    /// Whether it waits, works or has ended.
    pub state: JobState,
    /// What was asked for.
    pub spec: Map<String, Value>,
    /// How far it has got; under `error` why it failed.
    pub progress: Map<String, Value>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who asked for it.
    pub created_by: Option<UserId>,
    /// When it got along last.
    pub updated_at: Timestamp,
}

/// Whether a job waits, works or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Its input is still coming in.
    Uploading,
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// It has come to its end; single rows may have failed.
    Done,
    /// It could not go on.
    Failed,
    /// Somebody has stopped it.
    Cancelled,
}

impl JobState {
    const ALL: [Self; 6] = [Self::Uploading, Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Nothing more will happen.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    fn read(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| Error::internal(format!("a job has the unknown state `{word}`")))
    }
}

/// By what a job's changes are known.
#[derive(Debug)]
pub(crate) struct JobRequest {
    pub(crate) request: String,
    pub(crate) source: String,
    /// When it was asked for, and when it ended.
    pub(crate) during: (Timestamp, Timestamp),
}

impl Job {
    pub(crate) fn from_row(row: JobRow) -> Result<Self> {
        let mut spec: Map<String, Value> = serde_json::from_str(&row.spec).map_err(Error::internal)?;
        spec.shift_remove(ACTOR);
        let mut progress: Map<String, Value> = serde_json::from_str(&row.progress).map_err(Error::internal)?;
        progress.shift_remove(NEEDS);
        Ok(Self {
            id: JobId(row.id),
            kind: row.kind,
            state: JobState::read(&row.state)?,
            spec,
            progress,
            created_at: Timestamp(row.created_at),
            created_by: row.created_by.map(UserId),
            updated_at: Timestamp(row.updated_at),
        })
    }
}

/// Whether records would stay half one way and half the other if a job of this kind ended before its end.
fn leaves_half(kind: &str) -> bool {
    [crate::settle::MIGRATION, crate::rollups::COMPUTE].contains(&kind)
}

impl Session {
    /// A job. Everybody sees their own, administrators see all.
    pub async fn job(&mut self, id: &str) -> Result<Job> {
        let (_, row) = self.find_job(id).await?;
        Job::from_row(row)
    }

    /// One page of the jobs that the caller may see, newest first.
    pub async fn job_list(&mut self, limit: usize, cursor: Option<&str>) -> Result<Page<Job>> {
        let before = cursor.map_or(Ok(i64::MAX), |cursor| read_cursor(cursor, &["jobs"]))?;
        let by = self.caller.check_admin().is_err().then_some(self.caller.user);
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let mut rows = job::list(&mut self.reader().await?, before, by, wanted).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_cursor(&["jobs"], row.id));
        Ok(Page { results: rows.into_iter().map(Job::from_row).collect::<Result<_>>()?, next_cursor })
    }

    /// Stops a job where it is; what it has done stays done.
    pub async fn job_cancel(&mut self, id: &str) -> Result<Job> {
        let (_, row) = self.find_job(id).await?;
        if let (true, false) = (leaves_half(&row.kind), JobState::read(&row.state)?.has_ended()) {
            let detail = format!(
                "a job of the kind `{}` is not cancelled: its records would stay half one way and half the other; a \
                 migration can be undone once it is done",
                row.kind
            );
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        let (job, at) = (JobId(row.id), self.now());
        let cancelled = JobState::Cancelled.as_str();
        let store = self.engine.store();
        if !job::end(store, self.tenant(), job, Holder::Any, cancelled, &row.progress, at).await? {
            let detail = "the job has ended; there is nothing left to cancel";
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        job_file::discard(store, self.tenant(), job).await?;
        self.job(id).await
    }

    /// What was wrong with the rows of a job's input after row `after`, in order.
    pub async fn job_errors(&mut self, id: &str, after: i64, limit: usize) -> Result<Vec<JobError>> {
        let (mut reader, row) = self.find_job(id).await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let errors = job::errors(&mut reader, JobId(row.id), after, limit).await?;
        errors.into_iter().map(|(row, detail)| JobError::read(row, &detail)).collect()
    }

    /// Adds a job that works with the rights of the caller.
    pub(crate) async fn job_create(&self, kind: &str, state: JobState, spec: Map<String, Value>) -> Result<Job> {
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        let job = self.job_add(&mut tx, kind, state, spec).await?;
        tx.commit().await?;
        if state == JobState::Queued {
            self.tell_worker();
        }
        Ok(job)
    }

    /// The same in a transaction that does more; once that is committed, [`Session::tell_worker`] has it begun.
    pub(crate) async fn job_add(
        &self,
        tx: &mut Tx,
        kind: &str,
        state: JobState,
        mut spec: Map<String, Value>,
    ) -> Result<Job> {
        let actor = Actor::of(&self.caller, &self.origin);
        spec.insert(ACTOR.to_owned(), serde_json::to_value(actor).map_err(Error::internal)?);
        let spec = Value::Object(spec).to_string();
        let id = JobId(counter::next(tx, "job").await?);
        job::create(tx, id, kind, state.as_str(), &spec, self.origin.actor, self.now()).await?;
        let row = job::get(tx.reader(), id).await?;
        Job::from_row(row.ok_or_else(|| Error::internal("a job is not there after it was made"))?)
    }

    /// Adds a job that waits for a worker, in a transaction in which all that it depends on was checked, and keeps the
    /// reply under the caller's key.
    pub(crate) async fn job_begin(
        &self,
        mut tx: Tx,
        kind: &str,
        spec: impl Serialize,
        reply: Option<JobReply>,
    ) -> Result<Written<Job>> {
        let Value::Object(spec) = serde_json::to_value(spec).map_err(Error::internal)? else {
            return Err(Error::internal("the specification of a job is no object"));
        };
        let job = self.job_add(&mut tx, kind, JobState::Queued, spec).await?;
        let written = Written { value: job, sequence: tx.head.sequence() };
        if let Some(reply) = reply {
            self.keep_reply(&mut tx, &written, reply).await?;
        }
        tx.commit().await?;
        self.tell_worker();
        Ok(written)
    }

    /// There is a job that waits.
    pub(crate) fn tell_worker(&self) {
        self.engine.inner.job_added.notify_one();
    }

    /// The request that asked for a job that has ended, and what its changes say of their source.
    pub(crate) async fn job_request(&self, id: &str) -> Result<JobRequest> {
        let (_, row) = self.find_job(id).await?;
        if !JobState::read(&row.state)?.has_ended() {
            let detail = match leaves_half(&row.kind) {
                true => "the job is still running; wait for its end",
                false => "the job is still running; cancel it, or wait for its end",
            };
            return Err(Error::new(ErrorCode::Conflict, detail).with(Problem::new("/job_id", "running", detail)));
        }
        let spec: Map<String, Value> = serde_json::from_str(&row.spec).map_err(Error::internal)?;
        let actor = spec.get(ACTOR).cloned().unwrap_or_default();
        let actor: Actor = serde_json::from_value(actor).map_err(Error::internal)?;
        Ok(JobRequest {
            request: actor.request_of(JobId(row.id)),
            source: work::source_of(&row.kind, &spec).to_owned(),
            during: (Timestamp(row.created_at), Timestamp(row.updated_at)),
        })
    }

    /// A job that the caller may know of.
    pub(crate) async fn find_job(&self, id: &str) -> Result<(Reader, JobRow)> {
        let missing = || Error::not_found(format!("there is no job `{}`", shortened(id)));
        let id: JobId = id.parse().map_err(|_| missing())?;
        let mut reader = self.reader().await?;
        let row = job::get(&mut reader, id).await?.ok_or_else(missing)?;
        let is_own = row.created_by == Some(self.caller.user.0);
        if is_own || self.caller.check_admin().is_ok() { Ok((reader, row)) } else { Err(missing()) }
    }
}
