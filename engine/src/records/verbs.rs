//! The single calls: one operation each, answered as a record.

use std::sync::Arc;

use engine_model::{Problem, Problems};

use super::execute::Mode;
use super::failure::join;
use super::input::RecordInput;
use super::operation::{Done, Operation, Results, Step, Target};
use super::write::{Reply, Written};
use crate::assignment::Assigning;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Makes the reply to a single call from what it did.
pub type DoneReply = Arc<dyn Fn(&Done, engine_model::Sequence) -> engine_store::idempotency::StoredReply + Send + Sync>;

impl Session {
    /// Carries out one operation.
    pub async fn perform(&mut self, operation: Operation, reply: Option<DoneReply>) -> Result<Written<Done>> {
        let reply = reply.map(|reply| -> Reply<Results> {
            Arc::new(move |written| match written.value.first() {
                Some(Ok(done)) => reply(done, written.sequence),
                // An atomic unit that fails keeps no reply.
                Some(Err(_)) | None => unanswered(),
            })
        });
        let written = self.execute(&[Step::from(operation)], Mode::Single, reply).await?;
        let sequence = written.sequence;
        match written.value.into_iter().next() {
            Some(Ok(value)) => Ok(Written { value, sequence }),
            Some(Err(error)) => Err(error),
            None => Err(Error::internal("an operation was not answered")),
        }
    }

    /// Why an operation whose input is malformed in these places cannot be done: with whatever else is wrong with it.
    pub async fn refuse(&mut self, operation: Operation, problems: Problems) -> Error {
        self.refuse_all(&[Step::from(operation)], Mode::Single, problems).await
    }

    /// The same of a list of operations, all or nothing.
    pub async fn refuse_all(&mut self, steps: &[Step], mode: Mode, mut problems: Problems) -> Error {
        let all: Vec<usize> = (0..steps.len()).collect();
        let (_, failed) = match self.plan_all(steps, &all, self.now(), &Assigning::default()).await {
            Ok(planned) => planned,
            Err(error) => return error,
        };
        if failed.is_empty() {
            return Error::invalid(problems);
        }
        let is_single = mode == Mode::Single;
        let found = join(failed, mode);
        if is_single && found.code != ErrorCode::ValidationFailed {
            return found;
        }
        // Of what does not read, nothing more is told than that.
        let is_told = |found: &Problem| problems.iter().any(|told| covers(&told.pointer, &found.pointer));
        let (_, more): (Vec<_>, Problems) = found.problems.into_iter().partition(is_told);
        problems.extend(more);
        Error::invalid(problems)
    }

    /// Makes a record.
    pub async fn record_create(&mut self, object: &str, input: RecordInput) -> Result<Written<Done>> {
        self.perform(Operation::Create { object: object.to_owned(), input }, None).await
    }

    /// Changes a record.
    pub async fn record_update(&mut self, object: &str, target: Target, input: RecordInput) -> Result<Written<Done>> {
        self.perform(Operation::Update { object: object.to_owned(), target, input, version: None }, None).await
    }
}

/// Whether a place is within another one.
fn covers(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The reply to what cannot be answered, which is kept nowhere else.
pub(crate) fn unanswered() -> engine_store::idempotency::StoredReply {
    let body = format!("{{\"code\":\"{}\"}}", ErrorCode::Internal.as_str());
    engine_store::idempotency::StoredReply { status: 500, headers: "{}".to_owned(), body }
}
