//! What went wrong: with single rows of a job's input, or with all of it.

use engine_model::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// What is wrong with one row of a job's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// Number of the row, counted from 1 without the header.
    pub row: i64,
    /// Line of the file on which the row begins, counted from 1.
    pub line: u64,
    /// Everything that is wrong with it.
    pub problems: Vec<RowProblem>,
}

/// One thing that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowProblem {
    /// The column that it comes from, where it comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// RFC 6901 pointer into the record, `/properties/amount`; empty for all of it.
    pub pointer: String,
    /// Stable word that programs may rely on.
    pub code: String,
    /// What is wrong and what to do about it.
    pub message: String,
    /// Ids of records in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
}

impl RowProblem {
    /// A problem with what stands in `column`.
    pub(crate) fn new(
        column: Option<&str>,
        pointer: impl Into<String>,
        code: &str,
        message: impl Into<String>,
    ) -> Self {
        let column = column.map(str::to_owned);
        Self { column, pointer: pointer.into(), code: code.to_owned(), message: message.into(), samples: Vec::new() }
    }
}

impl From<Problem> for RowProblem {
    fn from(problem: Problem) -> Self {
        let Problem { pointer, code, message, samples, count: _ } = problem;
        Self { column: None, pointer, code: code.to_owned(), message, samples }
    }
}

/// What is kept of a row's error; its number is the key.
#[derive(Serialize, Deserialize)]
struct Kept {
    line: u64,
    problems: Vec<RowProblem>,
}

impl JobError {
    /// What is wrong with a record of a job that goes through records: its id stands for the row.
    pub(crate) fn of_record(id: i64, error: Error) -> Self {
        let whole = || vec![RowProblem::new(None, "", error.code.as_str(), error.detail.clone())];
        let problems = if error.problems.is_empty() { whole() } else { Vec::new() };
        let problems = problems.into_iter().chain(error.problems.iter().cloned().map(RowProblem::from)).collect();
        Self { row: id, line: 0, problems }
    }

    pub(super) fn read(row: i64, detail: &str) -> Result<Self> {
        let Kept { line, problems } = serde_json::from_str(detail).map_err(Error::internal)?;
        Ok(Self { row, line, problems })
    }

    /// The text to keep, under the row's number.
    pub(super) fn into_kept(self) -> Result<(i64, String)> {
        let Self { row, line, problems } = self;
        Ok((row, serde_json::to_string(&Kept { line, problems }).map_err(Error::internal)?))
    }
}

/// A failed job's progress: as far as it had got, and why it ended.
pub(super) fn with_error(mut progress: Map<String, Value>, error: &Error) -> Value {
    let reason = json!({"code": error.code.as_str(), "detail": error.detail, "problems": error.problems});
    progress.insert("error".to_owned(), reason);
    Value::Object(progress)
}
