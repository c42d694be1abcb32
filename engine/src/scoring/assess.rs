//! Assessing a record, by rules and by people, and reading what stands.

use std::collections::HashMap;
use std::sync::Arc;

use engine_model::access::Action;
use engine_model::score::objects_at;
use engine_model::{Problem, Problems, RecordId, Sequence};
use engine_store::idempotency::StoredReply;
use engine_store::record::{self, Key};
use serde_json::Value;

use super::answer::ScoreAnswer;
use super::criteria::{Criteria, MOST_ASKED};
use super::definition::Known;
use super::key::Place;
use super::plan::{Board, Pen};
use super::sight::Records;
use super::wish::Wish;
use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::query::of_parameters;
use crate::records::{Mode, Operation, Reply, Results, Step, Target, View, Written};
use crate::session::Session;

/// How often an assessment is made again before the caller is told that others are faster. Whoever loses a race finds
/// less to do, so that it is rarely more than twice.
const ATTEMPTS: usize = 32;

/// Makes the reply to an assessment.
pub type ScoreReply = Arc<dyn Fn(&ScoreAnswer, Sequence) -> StoredReply + Send + Sync>;

/// What is assessed.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) known: Known,
    pub(super) object: String,
    pub(super) subject: RecordId,
    pub(super) counterpart: Option<RecordId>,
}

/// A score after something was done with it.
#[derive(Debug)]
pub(super) struct Assessed {
    pub(super) answer: ScoreAnswer,
    pub(super) sequence: Sequence,
    /// Whether anything was written.
    pub(super) is_changed: bool,
}

/// How one attempt went.
enum Attempt {
    Done(Box<Assessed>),
    /// Somebody else has written meanwhile.
    Outrun(Error),
}

impl Task {
    pub(super) fn place(&self) -> Place<'_> {
        let Self { known, object, subject, counterpart } = self;
        Place { score: &known.name, object, subject: *subject, counterpart: *counterpart }
    }
}

impl Session {
    /// A score of a record as it stands, alone or for another record.
    pub async fn score(
        &mut self,
        object: &str,
        target: &Target,
        score: &str,
        counterpart: Option<&str>,
    ) -> Result<ScoreAnswer> {
        let (task, _) =
            self.score_task(object, target, score, counterpart, Problems::new()).await.map_err(of_parameters)?;
        self.check_sees_scores(&task.known)?;
        let mut reader = self.reader().await?;
        let criteria = self.score_criteria(&mut reader, &task.known).await?;
        let slots = self.score_slots(&mut reader, &task.known, &task.place(), &criteria).await?;
        drop(reader);
        let board = Board { known: &task.known, place: task.place(), criteria: &criteria, slots };
        let answer = self.told(&board)?;
        self.give_score(&answer, &task.known).await?;
        Ok(answer)
    }

    /// Has something done with a score of a record; `problems` are those that its input has been found to have.
    pub async fn score_wish(
        &mut self,
        object: &str,
        target: &Target,
        score: &str,
        (wish, counterpart): (&Wish, Option<&str>),
        mut problems: Problems,
        reply: Option<ScoreReply>,
    ) -> Result<Written<ScoreAnswer>> {
        wish.check(&mut problems);
        let found = self.score_task(object, target, score, counterpart, problems).await;
        // To take something back no body is sent.
        let in_query = matches!(wish, Wish::TakeBack { .. });
        let (task, is_archived) = found.map_err(|error| if in_query { of_parameters(error) } else { error })?;
        if is_archived {
            return Err(archived("the record is archived; restore it before assessing it"));
        }
        self.check_assesses(&task.known, wish)?;
        let Assessed { answer, sequence, .. } = self.assess(&task, wish, None, reply).await?;
        self.give_score(&answer, &task.known).await?;
        Ok(Written { value: answer, sequence })
    }

    /// What is to be assessed, whether the record is archived, and everything that is wrong with the question.
    async fn score_task(
        &mut self,
        object: &str,
        target: &Target,
        score: &str,
        counterpart: Option<&str>,
        mut problems: Problems,
    ) -> Result<(Task, bool)> {
        let record = self.record_found(object, target, &View::default()).await?.record;
        let known = self.score_known(score)?;
        known.check_subject(self, object)?;
        let counterpart = self.score_counterpart(&known, counterpart, &mut problems).await?;
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let (object, subject) = (object.to_owned(), record.id);
        Ok((Task { known, object, subject, counterpart }, record.archived_at.is_some()))
    }

    /// The record that a subject is assessed for, by id or uid.
    pub(super) async fn score_counterpart(
        &self,
        known: &Known,
        id: Option<&str>,
        problems: &mut Problems,
    ) -> Result<Option<RecordId>> {
        let Some(id) = id else { return Ok(None) };
        let Some(association) = &known.score.assessments.counterpart else {
            let message = format!("the score `{}` is for no other record", known.name);
            problems.push(Problem::new("/for", "not_applicable", message));
            return Ok(None);
        };
        let row = match Key::of(id) {
            Some(key) => record::get(&mut self.reader().await?, &key).await?.1,
            None => None,
        };
        let mut objects = objects_at(association, &self.catalog.effective.registry);
        let found = row.filter(|row| {
            let is_known =
                objects.any(|object| object.name.as_str() == row.object) && self.catalog.object(&row.object).is_ok();
            is_known && row.archived_at.is_none() && self.caller.may(Action::Read, &row.object, row)
        });
        if found.is_none() {
            let message = format!("there is no record `{}` that somebody can be assessed for", shortened(id));
            problems.push(Problem::new("/for", "not_found", message));
        }
        Ok(found.map(|row| row.record_id()))
    }

    pub(super) fn check_sees_scores(&self, known: &Known) -> Result<()> {
        self.caller.check_any(Action::Read, &known.score.assessments.object)
    }

    /// Refuses who may not write what a wish writes: the answer that it makes, and what has stood until then.
    pub(super) fn check_assesses(&self, known: &Known, wish: &Wish) -> Result<()> {
        self.caller.check_any(Action::Read, &known.score.criteria.object)?;
        let object = &known.score.assessments.object;
        self.check_sees_scores(known)?;
        match wish {
            Wish::Assess | Wish::Override { .. } => self.caller.check_create(object)?,
            Wish::TakeBack { .. } | Wish::Review { .. } | Wish::Total => {}
        }
        self.caller.check_any(Action::Update, object)
    }

    /// Does what is wanted, and again where others were faster. `criteria` are those that were read before, for many
    /// records at once.
    pub(super) async fn assess(
        &mut self,
        task: &Task,
        wish: &Wish,
        criteria: Option<&Criteria>,
        reply: Option<ScoreReply>,
    ) -> Result<Assessed> {
        let (mut last, mut turn) = (None, None);
        for _ in 0..ATTEMPTS {
            match self.try_assess(task, wish, criteria, reply.clone()).await? {
                Attempt::Done(assessed) => return Ok(*assessed),
                Attempt::Outrun(error) => last = Some(error),
            }
            if turn.is_none() {
                // Those of this node that have lost once go on one after the other.
                turn = Some(self.engine.inner.assessments.take((self.tenant(), task.subject)).await);
            }
        }
        drop(turn);
        tracing::debug!(tenant.id = %self.tenant(), error = ?last, "an assessment was outrun again and again");
        Err(Error::new(ErrorCode::Conflict, "others keep assessing this record; try again"))
    }

    async fn try_assess(
        &mut self,
        task: &Task,
        wish: &Wish,
        criteria: Option<&Criteria>,
        reply: Option<ScoreReply>,
    ) -> Result<Attempt> {
        let now = self.now();
        let mut reader = self.reader().await?;
        let records = Records::read(&mut reader, task.subject, task.counterpart).await?;
        let own;
        let criteria = match criteria {
            Some(criteria) => criteria,
            None => {
                own = self.score_criteria(&mut reader, &task.known).await?;
                &own
            }
        };
        self.check_asked(task, criteria)?;
        let slots = self.score_slots(&mut reader, &task.known, &task.place(), criteria).await?;
        drop(reader);
        let answers = match wish {
            Wish::Assess => criteria.answers(&self.score_sight(&records, now)?, task.counterpart).await?,
            Wish::Total | Wish::Override { .. } | Wish::TakeBack { .. } | Wish::Review { .. } => HashMap::new(),
        };
        let mut board = Board { known: &task.known, place: task.place(), criteria, slots };
        let user = (self.caller.user.0 != 0).then_some(self.caller.user);
        if matches!(wish, Wish::Total) && board.slots.is_empty() {
            // Where nothing was ever answered, nothing is said of that.
            let (answer, sequence) = (self.told(&board)?, self.position().await?);
            return Ok(Attempt::Done(Box::new(Assessed { answer, sequence, is_changed: false })));
        }
        board.fulfil(wish, &answers, Pen { at: now, user })?;
        self.check_kept(&board)?;
        let (mut steps, made) = board.steps()?;
        steps.extend(self.total_step(&board, &records)?);
        let mut answer = self.told(&board)?;
        let reply = reply.map(|reply| -> Reply<Results> {
            let (answer, made) = (answer.clone(), made.clone());
            Arc::new(move |written| {
                let mut answer = answer.clone();
                answer.take_ids(&made, &written.value);
                reply(&answer, written.sequence)
            })
        });
        match self.write_scores(&steps, reply).await {
            Ok(written) => {
                answer.take_ids(&made, &written.value);
                let (sequence, is_changed) = (written.sequence, !steps.is_empty());
                Ok(Attempt::Done(Box::new(Assessed { answer, sequence, is_changed })))
            }
            Err(error) if is_outrun(&error, &task.known) => Ok(Attempt::Outrun(error)),
            Err(error) => Err(placed(error, &task.known)),
        }
    }

    /// Refuses to ask what the caller does not see, and too much at once.
    fn check_asked(&self, task: &Task, criteria: &Criteria) -> Result<()> {
        let object = &task.known.score.criteria.object;
        let asked = || criteria.asked(task.counterpart);
        if asked().count() > MOST_ASKED {
            let detail = format!(
                "more than {MOST_ASKED} criteria of the score `{}` are in use here; take some out of use",
                task.known.name
            );
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        if asked().any(|criterion| !self.caller.may(Action::Read, object, &criterion.row)) {
            let detail = format!("the score `{}` has criteria that you may not read", task.known.name);
            return Err(Error::forbidden(detail));
        }
        Ok(())
    }

    /// Refuses who may not see all that stands, as it may have to give way.
    fn check_kept(&self, board: &Board<'_>) -> Result<()> {
        let object = &board.known.score.assessments.object;
        let slots = board.slots.criteria.values().chain([&board.slots.total]);
        let mut stored = slots.flat_map(|slot| slot.all()).filter_map(|assessment| assessment.stored.as_ref());
        if stored.any(|stored| !self.caller.may(Action::Read, object, stored.standing)) {
            let detail =
                format!("the record has assessments of the score `{}` that you may not read", board.known.name);
            return Err(Error::forbidden(detail));
        }
        Ok(())
    }

    /// Gives the total to the property of the record that takes it. That is the score's doing, as a formula's value is
    /// the formula's, so that nobody needs the right to change the record for it.
    fn total_step(&self, board: &Board<'_>, records: &Records) -> Result<Option<Step>> {
        let Place { object, subject, counterpart, .. } = board.place;
        let property = board.known.total_of(object).filter(|_| counterpart.is_none());
        let definition = self.catalog.object(object)?;
        let Some(property) = property.and_then(|name| definition.property_called(name)) else { return Ok(None) };
        let total = board.slots.total.standing().and_then(|total| total.points).map(Value::from);
        let registry = &self.catalog.effective.registry;
        let present = crate::records::stored::read(registry, object, &records.subject.properties)?;
        if present.get(property.name.as_str()) == total.as_ref() {
            return Ok(None);
        }
        let (object, version) = (object.to_owned(), records.subject.version);
        let values = vec![(property.name.clone(), total)];
        Ok(Some(Step::from(Operation::Compute { object, id: subject, version, values })))
    }

    /// Carries steps out, all or none; some of them write what nobody else does.
    async fn write_scores(&mut self, steps: &[Step], reply: Option<Reply<Results>>) -> Result<Written<Results>> {
        self.keeps_scores = true;
        let written = self.execute(steps, Mode::Atomic("steps"), reply).await;
        self.keeps_scores = false;
        written
    }
}

pub(super) fn archived(detail: &'static str) -> Error {
    Error::new(ErrorCode::Conflict, detail).with(Problem::new("", "archived", detail))
}

/// Somebody else has changed what was looked at, or has answered the same.
fn is_outrun(error: &Error, known: &Known) -> bool {
    let key = format!("/properties/{}", known.score.assessments.key);
    let is_taken = |problem: &Problem| problem.code == "taken" && problem.pointer.ends_with(&key);
    error.code == ErrorCode::VersionMismatch || error.problems.iter().any(is_taken)
}

/// Puts what is wrong with the records that are made where it stands in what the caller has sent.
fn placed(mut error: Error, known: &Known) -> Error {
    let parts = &known.score.assessments;
    let places = [(&parts.score, "/score"), (&parts.rationale, "/rationale")];
    for problem in &mut error.problems {
        let place = places.iter().find(|(name, _)| problem.pointer.ends_with(&format!("/properties/{name}")));
        problem.pointer = place.map_or_else(String::new, |(_, place)| (*place).to_owned());
    }
    error
}
