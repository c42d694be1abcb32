//! Committing, and turning what the commit refuses into errors that say what is in the way.

use std::sync::Arc;

use engine_model::time::Timestamp;
use engine_model::{Problem, Sequence};
use engine_store::Tx;
use engine_store::commit::{Committed, IdempotencyClaim, Item, Outcome, Refusal, Unit};
use engine_store::idempotency::{self, KeptReply, StoredReply};

use super::basis::Pen;
use super::rules::TRANSITION;
use crate::error::{Error, ErrorCode, Result};
use crate::session::{Idempotency, Session};

/// How often a write is prepared again before the caller is told that others are faster.
pub(crate) const ATTEMPTS: usize = 32;

/// The result of a write, and where the change log stands after it.
#[derive(Debug, Clone)]
pub struct Written<T> {
    /// What the write answers.
    pub value: T,
    /// The log's last position.
    pub sequence: Sequence,
}

/// Makes the reply that is kept under the caller's idempotency key; runs inside the commit, so it must be quick.
pub type Reply<T> = Arc<dyn Fn(&Written<T>) -> StoredReply + Send + Sync>;

/// What came of a commit that was possible.
pub(crate) enum Attempt {
    /// It is durable, but for items that were refused.
    Done(Committed),
    /// An atomic unit was refused: by item.
    Refused(Vec<(usize, Refusal)>),
    /// Prepare again.
    Outdated,
}

impl Session {
    /// Who writes at `at`, which is also what the change log says.
    pub(crate) fn pen(&self, at: Timestamp) -> Pen {
        let is_import = self.is_import();
        let keeps_reserved = self.caller.rights.admin || self.origin.source.starts_with("workflow:");
        let writes_answers = self.takes_back || self.keeps_scores;
        let writes_read_only = is_import || writes_answers;
        let takes_back = self.takes_back;
        Pen { at, by: self.caller.user, is_import, writes_read_only, writes_answers, takes_back, keeps_reserved }
    }

    /// Whether a file is being imported.
    pub(super) fn is_import(&self) -> bool {
        self.origin.source == "import"
    }

    /// Whether the caller's key has to be kept with this write.
    pub(crate) fn keeps_reply(&self) -> bool {
        self.idempotency.is_some()
    }

    /// The claim of the caller's key, if there is one; `reply` makes what a repetition gets.
    pub(crate) fn claim(
        &self,
        reply: impl FnOnce(&Committed) -> StoredReply + Send + 'static,
    ) -> Option<IdempotencyClaim> {
        let idempotency = self.idempotency.as_ref()?;
        let (key, fingerprint) = (idempotency.key.clone(), idempotency.fingerprint.clone());
        Some(IdempotencyClaim { key, fingerprint, reply: Box::new(reply) })
    }

    pub(crate) async fn commit(
        &mut self,
        at: Timestamp,
        items: Vec<Item>,
        is_atomic: bool,
        idempotency: Option<IdempotencyClaim>,
    ) -> Result<Attempt> {
        let unit = Unit {
            tenant: self.tenant(),
            metadata_version: self.catalog.version,
            access_version: self.caller.access_version,
            origin: Arc::clone(&self.origin),
            at,
            items,
            is_atomic,
            idempotency,
        };
        Ok(match self.engine.store().commit(unit).await? {
            Outcome::Committed(committed) => Attempt::Done(committed),
            Outcome::Refused(refusals) => Attempt::Refused(refusals),
            Outcome::Outdated => {
                self.refresh().await?;
                Attempt::Outdated
            }
            Outcome::Replayed(reply) => return Err(Error::replayed(reply)),
            Outcome::KeyReused => return Err(key_reused()),
        })
    }

    /// The reply kept for an earlier request under the caller's key, if there was one.
    pub async fn kept_reply(&self) -> Result<Option<StoredReply>> {
        let Some(idempotency) = &self.idempotency else { return Ok(None) };
        let mut reader = self.reader().await?;
        let kept = idempotency::get(&mut reader, &idempotency.key, self.now()).await?;
        kept_for(idempotency, kept)
    }

    /// The log's present position, for writes that changed nothing.
    pub(crate) async fn position(&self) -> Result<Sequence> {
        Ok(self.reader().await?.head().await?.sequence())
    }
}

/// What was kept under a key, as the reply to a request that is sent again; another request under the key is refused.
fn kept_for(idempotency: &Idempotency, kept: Option<KeptReply>) -> Result<Option<StoredReply>> {
    match kept {
        None => Ok(None),
        Some(kept) if kept.fingerprint == idempotency.fingerprint => {
            Ok(Some(StoredReply { status: kept.status, headers: kept.headers, body: kept.body }))
        }
        Some(_) => Err(key_reused()),
    }
}

impl Session {
    /// Keeps the reply under the caller's key, if there is one, in the transaction that it is about; unless a request of
    /// the same key was faster.
    pub(crate) async fn keep_reply<T>(
        &self,
        tx: &mut Tx,
        written: &Written<T>,
        reply: impl FnOnce(&Written<T>) -> StoredReply,
    ) -> Result<()> {
        let Some(key) = &self.idempotency else { return Ok(()) };
        let now = self.now();
        if let Some(kept) = kept_for(key, idempotency::get(tx.reader(), &key.key, now).await?)? {
            return Err(Error::replayed(kept));
        }
        Ok(idempotency::put(tx, &key.key, &key.fingerprint, &reply(written), now).await?)
    }
}

fn key_reused() -> Error {
    let detail = "this Idempotency-Key was used for another request; use a new key for a new request";
    Error::new(ErrorCode::Conflict, detail).with(Problem::new("", "idempotency_key", detail))
}

/// Others wrote faster, again and again.
pub(crate) fn outrun() -> Error {
    Error::new(ErrorCode::Conflict, "the record keeps being changed by others; try again")
}

/// Problems of a draft: what the caller may not change is forbidden, a move that the pipeline forbids is a conflict with
/// the record's state, all else is invalid.
pub(crate) fn refuse(problems: Vec<Problem>) -> Error {
    let is_forbidden = problems.iter().any(|problem| problem.code == "forbidden");
    let is_conflict = !problems.is_empty() && problems.iter().all(|problem| problem.code == TRANSITION);
    let mut error = Error::invalid(problems);
    if is_forbidden {
        error.code = ErrorCode::Forbidden;
    } else if is_conflict {
        error.code = ErrorCode::Conflict;
    }
    error
}
