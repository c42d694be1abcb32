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
    pub(super) id: String,
    state: State,
    #[serde(default)]
    progress: Progress,
    #[serde(default)]
    pub(super) counts: Counts,
    #[serde(default)]
    pub(super) errors: Vec<RowError>,
    /// Why it failed, where it did.
    detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

#[derive(Debug, Default, Deserialize)]
struct Progress {
    done: u64,
    total: Option<u64>,
}

/// How many rows became what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) failed: u64,
}

/// One of the first rows that failed.
#[derive(Debug, Deserialize)]
pub(super) struct RowError {
    pub(super) row: u64,
    #[serde(default)]
    pub(super) pointer: String,
    pub(super) message: String,
}

/// Looks at a job until it has ended; the job as it ended, and the answer as it came.
pub(super) async fn wait(client: &Client, id: &str) -> anyhow::Result<(Job, Value)> {
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} rows {per_sec} {eta}")?);
    loop {
        let answer = client.get(&format!("/jobs/{id}")).await?;
        let job: Job = serde_json::from_value(answer.clone()).context("the server's answer is no job")?;
        if let Some(total) = job.progress.total {
            bar.set_length(total);
        }
        bar.set_position(job.progress.done);
        match job.state {
            State::Queued | State::Running => tokio::time::sleep(PAUSE).await,
            State::Done => {
                bar.finish_and_clear();
                return Ok((job, answer));
            }
            State::Failed | State::Cancelled => {
                bar.abandon();
                let why = job.detail.unwrap_or_else(|| "it was cancelled".to_owned());
                bail!("the job {id} did not come to its end: {why}");
            }
        }
    }
}
