//! The cases, and how many clients at once put them on something that answers.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use tokio::task::JoinSet;

use super::Effort;
use super::histogram::Latencies;

/// What each client does again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Creates one contact.
    Create,
    /// Creates 100 contacts in one request.
    CreateBatch,
    /// Reads one contact by its id.
    Read,
}

/// One line of the report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) action: Action,
    pub(crate) clients: usize,
}

/// Contacts in one batch.
pub(crate) const BATCH: u64 = 100;

/// Every case, in the order of the report.
pub(crate) const CASES: [Case; 8] = [
    Case { action: Action::Create, clients: 1 },
    Case { action: Action::Create, clients: 16 },
    Case { action: Action::Create, clients: 64 },
    Case { action: Action::Create, clients: 256 },
    Case { action: Action::CreateBatch, clients: 1 },
    Case { action: Action::CreateBatch, clients: 4 },
    Case { action: Action::CreateBatch, clients: 16 },
    Case { action: Action::Read, clients: 16 },
];

impl Action {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::CreateBatch => "create, batches of 100",
            Self::Read => "read by id",
        }
    }

    /// Records that one request makes or reads.
    pub(crate) const fn records(self) -> u64 {
        match self {
            Self::Create | Self::Read => 1,
            Self::CreateBatch => BATCH,
        }
    }
}

/// What came of a case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) latencies: Latencies,
    pub(crate) errors: u64,
    pub(crate) elapsed: Duration,
    pub(crate) records_per_request: u64,
    /// Requests that were answered, before and after the measured time too: what the processor time was spent on.
    pub(crate) answered: u64,
}

impl Outcome {
    /// Records of all requests that were answered.
    pub(crate) fn answered_records(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
        let records = (self.answered * self.records_per_request) as f64;
        records
    }

    pub(crate) fn records_per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
        let records = (self.latencies.count() * self.records_per_request) as f64;
        records / self.elapsed.as_secs_f64()
    }
}

/// A client that does one thing once; `false` when the reply was an error.
pub(crate) trait Client: Send + 'static {
    fn call(&mut self) -> impl Future<Output = Result<bool>> + Send;
}

/// Lets all `clients` call at once, first to warm up, then measured.
pub(crate) async fn run<C: Client>(clients: Vec<C>, action: Action, effort: Effort) -> Result<Outcome> {
    let began = Instant::now() + effort.warm_up;
    let until = began + effort.measure;
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(call_until(client, began, until));
    }
    let mut outcome = Outcome {
        latencies: Latencies::new(),
        errors: 0,
        elapsed: effort.measure,
        records_per_request: action.records(),
        answered: 0,
    };
    while let Some(joined) = tasks.join_next().await {
        let share = joined.map_err(|error| anyhow!("a client died: {error}"))??;
        outcome.latencies.add(&share.latencies);
        outcome.errors += share.errors;
        outcome.answered += share.answered;
    }
    Ok(outcome)
}

/// What one client saw.
struct Share {
    latencies: Latencies,
    errors: u64,
    answered: u64,
}

async fn call_until<C: Client>(mut client: C, began: Instant, until: Instant) -> Result<Share> {
    let mut share = Share { latencies: Latencies::new(), errors: 0, answered: 0 };
    loop {
        let asked = Instant::now();
        let is_right = client.call().await?;
        let answered = Instant::now();
        share.answered += 1;
        if answered >= until {
            return Ok(share);
        }
        match is_right {
            true if asked >= began => share.latencies.record(answered - asked),
            true => {}
            false => share.errors += 1,
        }
    }
}
