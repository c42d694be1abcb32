//! How rows ended, and what is kept of that.

use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::progress::Counts;
use super::row::RowDraft;
use crate::error::{Error, ErrorCode};
use crate::jobs::{JobError, RowProblem};
use crate::records::{Done, Effect};

/// How a row ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ended {
    /// It made a record.
    Created,
    /// It changed a record.
    Updated,
    /// Everything was so already.
    Unchanged,
    /// It did nothing, for these reasons.
    Failed(Vec<RowProblem>),
}

impl From<Effect> for Ended {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Created => Self::Created,
            Effect::Changed => Self::Updated,
            Effect::Unchanged => Self::Unchanged,
        }
    }
}

impl Ended {
    /// How an operation ended.
    pub(super) fn of(result: &Result<Done, Error>) -> Self {
        match result {
            Ok(done) => done.effect.into(),
            Err(error) => Self::Failed(problems_of(error)),
        }
    }
}

/// What an error says, at least in one problem.
pub(super) fn problems_of(error: &Error) -> Vec<RowProblem> {
    if error.code == ErrorCode::Internal {
        tracing::error!(%error, source = ?error.source, "a row of an import failed");
    }
    if error.problems.is_empty() {
        return vec![RowProblem::new(None, "", error.code.as_str(), error.detail.clone())];
    }
    error.problems.iter().cloned().map(RowProblem::from).collect()
}

/// How the rows of a chunk ended.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) counts: Counts,
    pub(super) errors: Vec<JobError>,
}

impl Outcome {
    /// Counts a row, laid out like `layout`, and keeps what is wrong with it.
    pub(super) fn add(&mut self, layout: &Layout, draft: &RowDraft, ended: Ended) {
        match ended {
            // Only a rehearsal finds nothing stored by an earlier row.
            Ended::Created if draft.came_again => self.counts.updated += 1,
            Ended::Created => self.counts.created += 1,
            Ended::Updated => self.counts.updated += 1,
            Ended::Unchanged => self.counts.unchanged += 1,
            Ended::Failed(problems) => {
                self.counts.failed += 1;
                let problems = problems.into_iter().map(|problem| located(layout, draft, problem)).collect();
                self.errors.push(JobError { row: draft.row, line: draft.line, problems });
            }
        }
    }
}

/// Says which column a problem comes from, and names records of the same file by what the file calls them.
fn located(layout: &Layout, draft: &RowDraft, mut problem: RowProblem) -> RowProblem {
    let link = match (problem.pointer.strip_prefix("/associations"), draft.linked.as_slice()) {
        (Some(""), [only]) => Some(only),
        (Some(rest), links) => rest.split('/').nth(1).and_then(|index| links.get(index.parse::<usize>().ok()?)),
        (None, _) => None,
    };
    if let (Some(link), "not_found") = (link, problem.code.as_str()) {
        problem.message = format!("there is no {}", link.to);
        match link.is_found {
            // One that the caller may not see is told as one that there is not.
            true => "/associations".clone_into(&mut problem.pointer),
            false => problem.message.push_str("; the row that should make it may have failed"),
        }
    }
    let column = link.and_then(|link| link.column.as_deref()).or_else(|| layout.column_of(&problem.pointer));
    problem.column = problem.column.or_else(|| column.map(str::to_owned));
    problem
}
