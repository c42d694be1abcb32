//! Assessing many records at once, as a job.

use engine_model::access::Action;
use engine_model::query::QueryText;
use engine_model::score::objects_at;
use engine_model::{Problem, Problems, RecordId};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::again::SOURCE;
use super::assess::Task;
use super::criteria::Criteria;
use super::definition::Known;
use super::history::read;
use super::wish::Wish;
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Ending, Job, JobError, JobReply, JobState, Work};
use crate::records::Written;
use crate::session::Session;

/// What these jobs are called.
pub(crate) const ASSESS: &str = "assess";

/// Records that are found at a time; the claim on the job is renewed after each page.
const PAGE: usize = 40;

/// Records that are assessed side by side, so that their commits go together.
const SIDE_BY_SIDE: usize = 8;

/// A job's specification.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Spec {
    score: String,
    object: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<Value>,
    /// The record that they are assessed for.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    counterpart: Option<RecordId>,
    /// Only totals are made anew, of what stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    totals: bool,
}

/// How far it has got.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// Where the next page begins.
    cursor: Option<String>,
    /// Records that were looked at.
    done: i64,
    /// Those whose score is another one now.
    updated: i64,
    unchanged: i64,
    failed: i64,
}

/// How one record fared.
enum Fared {
    Updated,
    Unchanged,
    /// It was taken away meanwhile.
    Gone,
    Failed(JobError),
}

impl Progress {
    fn count(&mut self, fared: Vec<Fared>) -> Vec<JobError> {
        let mut errors = Vec::new();
        for one in fared {
            self.done += 1;
            match one {
                Fared::Updated => self.updated += 1,
                Fared::Unchanged => self.unchanged += 1,
                Fared::Gone => {}
                Fared::Failed(error) => {
                    self.failed += 1;
                    errors.push(error);
                }
            }
        }
        errors
    }
}

impl Session {
    /// Adds the job that assesses records of an object: all that the caller sees, or those that meet `filter`, alone or
    /// for another record. `problems` are those that its input has been found to have.
    pub async fn score_assess(
        &mut self,
        score: &str,
        (object, filter, counterpart): (Option<String>, Option<Map<String, Value>>, Option<String>),
        mut problems: Problems,
        reply: Option<JobReply>,
    ) -> Result<Written<Job>> {
        self.refresh().await?;
        let known = self.score_known(score)?;
        self.check_assesses(&known, &Wish::Assess)?;
        match object.as_deref().map(|object| self.check_assessed(&known, object)) {
            Some(Err(error)) if error.code == ErrorCode::NotFound => {
                problems.push(Problem::new("/object", "unknown", error.detail));
            }
            Some(other) => other?,
            // What is missing was told.
            None => {}
        }
        let counterpart = self.score_counterpart(&known, counterpart.as_deref(), &mut problems).await?;
        let filter = filter.map(Value::Object);
        let object = object.unwrap_or_default();
        let spec = Spec { score: score.to_owned(), object, filter, counterpart, totals: false };
        let is_object_known = !spec.object.is_empty() && !problems.iter().any(|problem| problem.pointer == "/object");
        if is_object_known {
            self.check_assess_filter(&spec, &mut problems).await?;
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let tx = self.engine.store().begin(self.tenant()).await?;
        self.job_begin(tx, ASSESS, spec, reply).await
    }

    /// Leaves it to jobs to make the totals anew of all records that are assessed for one.
    pub(super) async fn totals_later(&self, known: &Known, counterpart: RecordId) -> Result<()> {
        let parts = &known.score.assessments;
        let Some(beside) = &parts.counterpart else { return Ok(()) };
        let is_it = json!({"property": "id", "op": "eq", "value": counterpart.to_string()});
        let for_it = json!({"association": beside.as_str(), "direction": "out", "match": is_it});
        let filter = json!({"association": parts.subject.as_str(), "direction": "in", "match": for_it});
        for object in objects_at(&parts.subject, &self.catalog.effective.registry) {
            let spec = Spec {
                score: known.name.clone(),
                object: object.name.to_string(),
                filter: Some(filter.clone()),
                counterpart: Some(counterpart),
                totals: true,
            };
            let Value::Object(spec) = serde_json::to_value(spec).map_err(Error::internal)? else { continue };
            self.job_create(ASSESS, JobState::Queued, spec).await?;
        }
        Ok(())
    }

    fn check_assessed(&self, known: &Known, object: &str) -> Result<()> {
        self.catalog.object(object)?;
        known.check_subject(self, object)?;
        self.caller.check_any(Action::Read, object)
    }

    /// What is wrong with a filter.
    async fn check_assess_filter(&self, spec: &Spec, problems: &mut Problems) -> Result<()> {
        let found = match page_of(spec, None) {
            Ok(text) => self.resolve_search(&[&spec.object], &text, Problems::new()).await.map(drop),
            Err(error) => Err(error),
        };
        match found {
            Err(error) if error.code == ErrorCode::ValidationFailed => problems.extend(error.problems),
            other => other?,
        }
        Ok(())
    }

    /// Assesses some records, each for itself.
    async fn assess_some(&self, task: &Task, wish: &Wish, criteria: &Criteria, ids: Vec<RecordId>) -> Vec<Fared> {
        let assess = |subject: RecordId| {
            let (mut session, task) = (self.clone(), Task { subject, ..task.clone() });
            async move {
                match session.assess(&task, wish, Some(criteria), None).await {
                    Ok(assessed) if assessed.is_changed => Fared::Updated,
                    Ok(_) => Fared::Unchanged,
                    Err(error) if error.code == ErrorCode::NotFound => Fared::Gone,
                    Err(error) => Fared::Failed(JobError::of_record(subject.0, error)),
                }
            }
        };
        futures::stream::iter(ids).map(assess).buffered(SIDE_BY_SIDE).collect().await
    }
}

/// One page of the records that are assessed, in the order of their ids.
fn page_of(spec: &Spec, cursor: Option<&str>) -> Result<QueryText> {
    let mut query = json!({"sort": ["id"], "limit": PAGE, "select": []});
    for (key, value) in [("filter", spec.filter.clone()), ("cursor", cursor.map(Value::from))] {
        if let Some(value) = value {
            query[key] = value;
        }
    }
    read(&query)
}

/// Assesses what a job is about.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let spec: Spec = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let (mut session, wish) = match spec.totals {
        // That is the score's doing, whoever has merged the records for which others are assessed.
        true => (work.engine.session_of_engine(work.tenant, SOURCE).await?, Wish::Total),
        false => (work.session().await?, Wish::Assess),
    };
    loop {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        session.refresh().await?;
        let known = session.score_known(&spec.score)?;
        known.check_subject(&session, &spec.object)?;
        session.check_assesses(&known, &wish)?;
        let text = page_of(&spec, progress.cursor.as_deref())?;
        let found = session.record_search(&spec.object, &text, Problems::new()).await?;
        let ids = found.results.iter().map(|found| found.record.id).collect();
        let criteria = session.score_criteria(&mut session.reader().await?, &known).await?;
        let (object, counterpart) = (spec.object.clone(), spec.counterpart);
        let task = Task { known, object, subject: RecordId(0), counterpart };
        let fared = session.assess_some(&task, &wish, &criteria, ids).await;
        work.keep_errors(progress.count(fared)).await?;
        progress.cursor = found.next_cursor;
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
        if progress.cursor.is_none() {
            return Ok(Ending::Done);
        }
    }
}
