//! A job in the hands of its worker.

use std::time::Duration;

use engine_model::time::Timestamp;
use engine_model::{JobId, TenantId};
use engine_store::job::{self, Holder, JobRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::failure::with_error;
use super::{ACTOR, Actor, JobError, JobState};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// How long a worker may be silent before another one takes its job over.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// Key of a job's specification that holds in whose name it writes.
pub(crate) const SOURCE: &str = "source";

/// Pause before a job is tried again that could not go on because the database was away.
const RETRY: Duration = Duration::from_secs(5);

/// How a run of a job ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// There is nothing left to do.
    Done,
    /// The engine is closing; somebody goes on later.
    Stopped,
    /// The job was cancelled, or is in other hands.
    Lost,
}

/// A job that this node has taken.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) engine: Engine,
    pub(crate) tenant: TenantId,
    pub(crate) id: JobId,
    pub(super) kind: String,
    spec: Map<String, Value>,
    /// As last saved.
    progress: Map<String, Value>,
    /// Until when the job is this node's.
    pub(super) held: Timestamp,
}

impl Work {
    /// Takes a waiting job; none where somebody else was faster.
    pub(crate) async fn take(engine: &Engine, tenant: TenantId, id: JobId) -> Result<Option<Self>> {
        let now = engine.now();
        let held = now.after(LEASE);
        if !job::claim(engine.store(), tenant, id, held, now).await? {
            return Ok(None);
        }
        let row = job::get(&mut engine.store().read(tenant).await?, id).await?;
        let Some(JobRow { kind, spec, progress, .. }) = row else { return Ok(None) };
        let spec = serde_json::from_str(&spec).map_err(Error::internal)?;
        let progress = serde_json::from_str(&progress).map_err(Error::internal)?;
        Ok(Some(Self { engine: engine.clone(), tenant, id, kind, spec, progress, held }))
    }

    /// What was asked for.
    pub(crate) fn spec<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(Value::Object(self.spec.clone())).map_err(Error::internal)
    }

    /// What was asked for, as it was sent.
    pub(crate) fn asked(&self) -> Map<String, Value> {
        let mut spec = self.spec.clone();
        spec.shift_remove(ACTOR);
        spec
    }

    /// How far an earlier run got.
    pub(crate) fn progress<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(Value::Object(self.progress.clone())).map_err(Error::internal)
    }

    /// A session with the rights of who asked for the job.
    pub(crate) async fn session(&self) -> Result<Session> {
        let actor = self.spec.get(ACTOR).cloned().unwrap_or_default();
        let actor: Actor = serde_json::from_value(actor).map_err(Error::internal)?;
        let source = source_of(&self.kind, &self.spec);
        self.engine.session_of_user(self.tenant, &actor, self.id, source).await
    }

    /// The engine is closing: save and leave.
    pub(crate) fn is_stopping(&self) -> bool {
        self.engine.inner.stopping.is_cancelled()
    }

    /// Keeps the progress and the claim on the job; false where the job is not this worker's any more.
    pub(crate) async fn save(&mut self, progress: &impl Serialize) -> Result<bool> {
        let value = serde_json::to_value(progress).map_err(Error::internal)?;
        let text = value.to_string();
        if let Value::Object(map) = value {
            self.progress = map;
        }
        let now = self.engine.now();
        // Every claim has an end of its own, by which the store tells one holder from the next.
        let until = now.after(LEASE).max(Timestamp(self.held.0 + 1));
        let store = self.engine.store();
        let is_held = job::renew(store, self.tenant, self.id, self.held, &text, now, until).await?;
        self.held = until;
        Ok(is_held)
    }

    /// Keeps what is wrong with rows of the input; a row's error said again replaces what was said.
    pub(crate) async fn keep_errors(&self, errors: Vec<JobError>) -> Result<()> {
        if errors.is_empty() {
            return Ok(());
        }
        let kept: Vec<_> = errors.into_iter().map(JobError::into_kept).collect::<Result<_>>()?;
        Ok(job::add_errors(self.engine.store(), self.tenant, self.id, &kept).await?)
    }

    /// Leaves the job as its run has ended.
    pub(crate) async fn finish(self, ending: Result<Ending>) -> Result<()> {
        match ending {
            Ok(Ending::Done) => {
                self.end(JobState::Done, &Value::Object(self.progress.clone())).await?;
                Ok(())
            }
            Ok(Ending::Stopped) => self.release(Duration::ZERO).await,
            Ok(Ending::Lost) => Ok(()),
            Err(error) if error.code == ErrorCode::Unavailable => {
                tracing::warn!(tenant.id = %self.tenant, job.id = %self.id, %error, "a job waits for the database");
                self.release(RETRY).await
            }
            Err(error) => self.fail(&error).await,
        }
    }

    /// A job that was cancelled or taken over cannot fail any more, whatever its worker stumbled over.
    async fn fail(&self, error: &Error) -> Result<()> {
        if self.end(JobState::Failed, &with_error(self.progress.clone(), error)).await? {
            let (tenant, id) = (self.tenant, self.id);
            match &error.source {
                Some(source) => tracing::error!(tenant.id = %tenant, job.id = %id, %source, "a job failed"),
                None => tracing::info!(tenant.id = %tenant, job.id = %id, %error, "a job failed"),
            }
        }
        Ok(())
    }

    async fn end(&self, state: JobState, progress: &Value) -> Result<bool> {
        let (store, holder) = (self.engine.store(), Holder::Worker(self.held));
        let (progress, at) = (progress.to_string(), self.engine.now());
        Ok(job::end(store, self.tenant, self.id, holder, state.as_str(), &progress, at).await?)
    }

    async fn release(&self, pause: Duration) -> Result<()> {
        let now = self.engine.now();
        let not_before = if pause.is_zero() { Timestamp(0) } else { now.after(pause) };
        job::release(self.engine.store(), self.tenant, self.id, self.held, now, not_before).await?;
        Ok(())
    }
}

/// What a job's changes say of their source: its kind, unless it works in the name of another one.
pub(super) fn source_of<'s>(kind: &'s str, spec: &'s Map<String, Value>) -> &'s str {
    spec.get(SOURCE).and_then(Value::as_str).unwrap_or(kind)
}
