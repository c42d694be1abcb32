//! Taking back what a request or a job has changed, where nobody has changed it since.
//!
//! The log says what was before. Its changes are gone through from the newest to the oldest, a page at a time; of each
//! page one write comes for each record and link that is still as the request left it, by the same way as any other
//! write and with the rights of the caller. So an undo is a request like any other, and can be undone.

mod job;
mod links;
mod merges;
mod page;
mod states;
mod totals;

use std::collections::HashSet;

use engine_model::{Problem, RecordId, Sequence, UserId};
use engine_store::change::{self, ChangeRow};
use engine_store::idempotency;
use serde::{Deserialize, Serialize};

use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::jobs::Job;
use crate::records::{Reply, Written};
use crate::session::Session;

pub(crate) use job::{UNDO, run};

/// Changes that are taken back at a time.
const PAGE: i64 = 500;

/// Most changes that are taken back while the caller waits; more become a job.
const AT_ONCE: i64 = 10_000;

/// What is to be taken back.
#[derive(Debug, Clone)]
pub enum UndoOf {
    /// All changes of the request with this id.
    Request(String),
    /// All changes of the job with this id.
    Job(String),
}

/// What was taken back, and what was not.
#[derive(Debug, Clone, Default)]
pub struct Undone {
    /// How many changes were taken back.
    pub undone: u64,
    /// The rest.
    pub skipped: Vec<Skipped>,
}

/// Something that was not taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The record; none for definitions.
    pub record: Option<RecordId>,
    /// The property, `owner_id`, or the association of a link; none for all of the record.
    pub property: Option<String>,
    /// Why not.
    pub reason: String,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub enum Undo {
    /// It is done.
    Done(Undone),
    /// It goes on as a job.
    Job(Box<Job>),
}

/// Whose changes are taken back.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Scope {
    request: String,
    /// Only those of this source, made in this time (microseconds since 1970): a job's.
    job: Option<(String, i64, i64)>,
    /// Only those of this user.
    by: Option<UserId>,
}

impl Scope {
    /// Whether a change of any request is one that is taken back.
    fn is_own(&self, change: &ChangeRow) -> bool {
        change.request_id.as_deref() == Some(&*self.request) && self.takes(change)
    }

    /// The same of a change of the request.
    fn takes(&self, change: &ChangeRow) -> bool {
        let is_its = |(source, from, until): &(String, i64, i64)| {
            change.source == *source && (*from..=*until).contains(&change.at)
        };
        self.job.as_ref().is_none_or(is_its) && self.by.is_none_or(|by| change.actor == Some(by.0))
    }
}

/// An undo that is under way: where it has got to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Run {
    /// Everything from here on has been looked at.
    before: i64,
    undone: u64,
    /// Moments of merges that were taken back, and the records concerned, whose links have gone with them.
    merges: HashSet<(i64, i64)>,
    /// Some change was its own.
    has_found: bool,
    /// Some was of what scores have answered.
    #[serde(default)]
    has_answers: bool,
}

impl Default for Run {
    fn default() -> Self {
        Self { before: i64::MAX, undone: 0, merges: HashSet::new(), has_found: false, has_answers: false }
    }
}

impl Session {
    /// Takes back what a request or a job has changed, where nobody has changed it since. Administrators may undo what
    /// anybody has done, others what they have done themselves.
    pub async fn undo(&mut self, of: &UndoOf, reply: Option<Reply<Undo>>) -> Result<Written<Undo>> {
        self.refresh().await?;
        let scope = self.scope(of).await?;
        let idempotency = self.idempotency.take();
        let count = change::count_of_request(&mut self.reader().await?, &scope.request, AT_ONCE + 1).await?;
        let value = if count > AT_ONCE {
            Undo::Job(Box::new(self.undo_later(&scope).await?))
        } else {
            let (mut run, mut skipped) = (Run::default(), Vec::new());
            while self.undo_page(&scope, &mut run, &mut skipped).await? {}
            let mut next = run.has_answers.then_some(i64::MAX);
            while let Some(before) = next {
                next = self.total_page(&scope, before).await?;
            }
            if !run.has_found {
                return Err(nothing_of(of));
            }
            Undo::Done(Undone { undone: run.undone, skipped })
        };
        let written = Written { value, sequence: self.position().await? };
        if let (Some(idempotency), Some(reply)) = (idempotency, reply) {
            let mut tx = self.engine.store().begin(self.tenant()).await?;
            let stored = reply(&written);
            idempotency::put(&mut tx, &idempotency.key, &idempotency.fingerprint, &stored, self.now()).await?;
            tx.commit().await?;
        }
        Ok(written)
    }

    async fn scope(&self, of: &UndoOf) -> Result<Scope> {
        let by = self.caller.check_admin().is_err().then_some(self.caller.user);
        match of {
            UndoOf::Request(request) => Ok(Scope { request: request.clone(), job: None, by }),
            UndoOf::Job(id) => {
                let job = self.job_request(id).await?;
                let (from, until) = job.during;
                Ok(Scope { request: job.request, job: Some((job.source, from.0, until.0)), by })
            }
        }
    }

    /// Takes back one page of changes; false where there is none left.
    async fn undo_page(&mut self, scope: &Scope, run: &mut Run, skipped: &mut Vec<Skipped>) -> Result<bool> {
        let found = change::of_request(&mut self.reader().await?, &scope.request, Sequence(run.before), PAGE).await?;
        let Some(last) = found.last() else { return Ok(false) };
        run.before = last.sequence;
        let own: Vec<ChangeRow> = found.into_iter().filter(|change| scope.takes(change)).collect();
        run.has_found |= !own.is_empty();
        run.has_answers |= self.touch_answers(&own);
        self.takes_back = true;
        let done = self.take_back(own, scope, run, skipped).await;
        self.takes_back = false;
        done.map(|()| true)
    }
}

fn nothing_of(of: &UndoOf) -> Error {
    let (pointer, message) = match of {
        UndoOf::Request(id) => ("/request_id", format!("no request `{}` has changed anything", shortened(id))),
        UndoOf::Job(id) => ("/job_id", format!("job `{}` has changed nothing", shortened(id))),
    };
    Error::not_found(message.clone()).with(Problem::new(pointer, "not_found", message))
}
