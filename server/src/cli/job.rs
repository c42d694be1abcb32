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
pub(super) struct Job {
    state: State,
    progress: Progress,
    #[serde(default)]
    pub(super) counts: Counts,
    /// What a dry run found first.
    #[serde(default)]
    errors: Vec<RowProblem>,
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

/// How far it has got: an import in bytes of the file and in rows, an export in records.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Progress {
    bytes: u64,
    total_bytes: u64,
    rows: u64,
    records: Option<u64>,
    total: Option<u64>,
    /// Why it could not go on.
    error: Option<Reason>,
}

/// How many rows became what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
}

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
    row: Option<u64>,
    line: Option<u64>,
    column: Option<String>,
    pointer: String,
    message: String,
}

impl Job {
    /// What a dry run found first, one line for each thing that is wrong.
    pub(super) fn lines(&self) -> Vec<String> {
        let place = |problem: &RowProblem| (problem.row.unwrap_or_default(), problem.line.unwrap_or_default());
        self.errors.iter().map(|problem| problem.told_at(place(problem))).collect()
    }
}

impl RowError {
    /// One line for each thing that is wrong with the row.
    pub(super) fn lines(&self) -> Vec<String> {
        self.problems.iter().map(|problem| problem.told_at((self.row, self.line))).collect()
    }
}

impl RowProblem {
    fn told_at(&self, (row, line): (u64, u64)) -> String {
        format!("row {row} (line {line}): {}", self.text())
    }

    fn text(&self) -> String {
        match &self.column {
            Some(column) => format!("{column}: {}", self.message),
            None if self.pointer.is_empty() => self.message.clone(),
            None => format!("{}: {}", self.pointer, self.message),
        }
    }
}

impl Progress {
    /// Shows it on a bar.
    fn show(&self, bar: &ProgressBar) -> anyhow::Result<()> {
        let Some(records) = self.records else {
            bar.set_style(ProgressStyle::with_template(
                "{bar:40} {bytes}/{total_bytes} imported, {msg} rows, {eta} left",
            )?);
            bar.set_length(self.total_bytes);
            bar.set_position(self.bytes);
            bar.set_message(self.rows.to_string());
            return Ok(());
        };
        match self.total {
            Some(total) => {
                bar.set_style(ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} records, {eta} left")?);
                bar.set_length(total.max(records));
            }
            None => bar.set_style(ProgressStyle::with_template("{spinner} {human_pos} records")?),
        }
        bar.set_position(records);
        Ok(())
    }
}

/// Looks at a job until it has ended: how it ended, and the answer as it came.
pub(super) async fn wait(client: &Client, id: &str) -> anyhow::Result<(Job, Value)> {
    let bar = ProgressBar::no_length();
    loop {
        let answer = client.get(&format!("/jobs/{id}")).await?;
        let job: Job = serde_json::from_value(answer.clone()).context("the server's answer is no job")?;
        job.progress.show(&bar)?;
        match job.state {
            State::Uploading | State::Queued | State::Running => tokio::time::sleep(PAUSE).await,
            State::Done => {
                bar.finish_and_clear();
                return Ok((job, answer));
            }
            State::Failed => {
                bar.abandon();
                bail!("the job {id} could not go on: {}", reason(job.progress.error));
            }
            State::Cancelled => {
                bar.abandon();
                let rows = job.progress.records.unwrap_or(job.progress.rows);
                bail!("the job {id} was cancelled after {rows} rows");
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
        assert_eq!(error.lines(), expected);
    }

    #[test]
    fn a_failure_is_told_with_its_reason() {
        let answer = r#"{"state": "failed", "progress": {"rows": 2, "error": {"code": "validation_failed",
            "detail": "2 problems; see `errors`", "problems": [{"pointer": "/columns/x", "code": "unknown", "message": "odd"}]}}}"#;
        let job: Job = serde_json::from_str(answer).expect("a job");
        assert_eq!(reason(job.progress.error), "2 problems; see `errors`\n  /columns/x: odd");
    }
}
