//! An undo of very many changes, as a job.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Run, Scope, Skipped};
use crate::error::{Error, Result};
use crate::jobs::{Ending, Job, JobError, JobState, RowProblem, SOURCE, Work};
use crate::session::Session;

/// The kind of job.
pub(crate) const UNDO: &str = "undo";

/// Most things not taken back that are kept; the others are counted.
const KEPT: u64 = 10_000;

#[derive(Serialize, Deserialize)]
struct Spec {
    scope: Scope,
}

/// How far it has got.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    undone: u64,
    skipped: u64,
    /// None before the first page; not shown.
    cursor: Option<Run>,
}

impl Session {
    /// Leaves an undo to a job.
    pub(super) async fn undo_later(&self, scope: &Scope) -> Result<Job> {
        let spec = serde_json::to_value(Spec { scope: scope.clone() }).map_err(Error::internal)?;
        let mut spec = if let Value::Object(spec) = spec { spec } else { Map::new() };
        spec.insert(SOURCE.to_owned(), Value::from(self.origin.source.clone()));
        self.job_create(UNDO, JobState::Queued, spec).await
    }
}

/// Runs an undo from where it stands. A page that was taken back without that being kept finds itself done.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let Spec { scope } = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let mut session = work.session().await?;
    let mut run = progress.cursor.take().unwrap_or_default();
    loop {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        session.refresh().await?;
        let mut skipped = Vec::new();
        let has_more = session.undo_page(&scope, &mut run, &mut skipped).await?;
        let first = progress.skipped;
        progress.skipped += u64::try_from(skipped.len()).unwrap_or(u64::MAX);
        work.keep_errors(kept(skipped, first)).await?;
        progress.undone = run.undone;
        progress.cursor = Some(run.clone());
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
        if !has_more {
            break;
        }
    }
    let mut next = run.has_answers.then_some(i64::MAX);
    while let Some(before) = next {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        next = session.total_page(&scope, before).await?;
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    Ok(Ending::Done)
}

/// What was not taken back, numbered on from `first`.
fn kept(skipped: Vec<Skipped>, first: u64) -> Vec<JobError> {
    let numbered = (first..KEPT).zip(skipped);
    let error = |(number, Skipped { record, property, reason }): (u64, Skipped)| {
        let pointer = property.map(|name| format!("/properties/{name}")).unwrap_or_default();
        let mut problem = RowProblem::new(None, pointer, "skipped", reason);
        problem.samples.extend(record.map(|record| record.to_string()));
        JobError { row: i64::try_from(number + 1).unwrap_or(i64::MAX), line: 0, problems: vec![problem] }
    };
    numbered.map(error).collect()
}
