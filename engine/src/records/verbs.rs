//! The single calls: one operation each, answered as a record.

use std::sync::Arc;

use engine_model::{Problem, Problems};

use super::execute::Mode;
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
    pub async fn refuse(&mut self, operation: Operation, mut problems: Problems) -> Error {
        match self.plan_all(&[Step::from(operation)], &[0], self.now(), &Assigning::default()).await {
            Ok((_, failed)) => {
                for (_, error) in failed {
                    if error.code != ErrorCode::ValidationFailed {
                        return error;
                    }
                    let is_told = |found: &Problem| problems.iter().any(|told| told.pointer == found.pointer);
                    let (_, found): (Vec<_>, Problems) = error.problems.into_iter().partition(is_told);
                    problems.extend(found);
                }
                Error::invalid(problems)
            }
            Err(error) => error,
        }
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

/// The reply to what cannot be answered, which is kept nowhere else.
pub(crate) fn unanswered() -> engine_store::idempotency::StoredReply {
    let body = format!("{{\"code\":\"{}\"}}", ErrorCode::Internal.as_str());
    engine_store::idempotency::StoredReply { status: 500, headers: "{}".to_owned(), body }
}
