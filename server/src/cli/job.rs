//! Waits for a long work of the server and shows how far it is.

use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::Value;

use super::client::Client;

/// Pause between two looks at a job.
const PAUSE: Duration = Duration::from_millis(250);

/// A job as the server tells it.
#[derive(Debug, Deserialize)]
struct Job {
    state: State,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Uploading,
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// How far an import has got.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    bytes: u64,
    total_bytes: u64,
    rows: u64,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    /// The first rows that a dry run would refuse.
    pub(super) problems: Vec<RowError>,
    error: Option<Reason>,
}

/// Why a job could not go on.
#[derive(Debug, Deserialize)]
struct Reason {
    detail: String,
    #[serde(default)]
    problems: Vec<RowProblem>,
}

/// A row that failed.
#[derive(Debug, Deserialize)]
pub(super) struct RowError {
    row: u64,
    line: u64,
    problems: Vec<RowProblem>,
}

#[derive(Debug, Deserialize)]
struct RowProblem {
    column: Option<String>,
    pointer: String,
    message: String,
}

impl RowError {
    /// One line for each thing that is wrong with it.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| format!("row {} (line {}): {}", self.row, self.line, problem.text()))
    }
}

impl RowProblem {
    fn text(&self) -> String {
        match &self.column {
            Some(column) => format!("{column}: {}", self.message),
            None if self.pointer.is_empty() => self.message.clone(),
            None => format!("{}: {}", self.pointer, self.message),
        }
    }
}

/// Looks at a job until it has ended; how far it got, and the answer as it came.
pub(super) async fn wait(client: &Client, id: &str) -> anyhow::Result<(Progress, Value)> {
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} imported, {msg} rows, {eta} left")?);
    loop {
        let answer = client.get(&format!("/jobs/{id}")).await?;
        let job: Job = serde_json::from_value(answer.clone()).context("the server's answer is no job")?;
        let progress = job.progress;
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.bytes);
        bar.set_message(progress.rows.to_string());
        match job.state {
            State::Uploading | State::Queued | State::Running => tokio::time::sleep(PAUSE).await,
            State::Done => {
                bar.finish_and_clear();
                return Ok((progress, answer));
            }
            State::Failed => {
                bar.abandon();
                bail!("the job {id} could not go on: {}", reason(progress.error));
            }
            State::Cancelled => {
                bar.abandon();
                bail!("the job {id} was cancelled after {} rows", progress.rows);
            }
        }
    }
}

fn reason(error: Option<Reason>) -> String {
    let Some(Reason { detail, problems }) = error else { return "the server does not say why".to_owned() };
    let further = problems.iter().map(|problem| format!("\n  {}", problem.text()));
    std::iter::once(detail).chain(further).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_row_is_told_by_row_line_and_column() {
        let answer = r#"{"row": 3, "line": 5, "problems": [
            {"column": "Amount", "pointer": "/properties/amount", "code": "wrong_type", "message": "a number is expected"},
            {"pointer": "/properties/name", "code": "required", "message": "`name` is required"},
            {"pointer": "", "code": "conflict", "message": "taken"}]}"#;
        let error: RowError = serde_json::from_str(answer).expect("a row");
        let expected = [
            "row 3 (line 5): Amount: a number is expected",
            "row 3 (line 5): /properties/name: `name` is required",
            "row 3 (line 5): taken",
        ];
        assert_eq!(error.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_failure_is_told_with_its_reason() {
        let answer = r#"{"state": "failed", "progress": {"rows": 2, "error": {"code": "validation_failed",
            "detail": "2 problems; see `errors`", "problems": [{"pointer": "/columns/x", "code": "unknown", "message": "odd"}]}}}"#;
        let job: Job = serde_json::from_str(answer).expect("a job");
        assert_eq!(reason(job.progress.error), "2 problems; see `errors`\n  /columns/x: odd");
    }
}
