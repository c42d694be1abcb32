//! Lanes: writers that take whatever waits and commit it together.
//!
//! SQLite has one lane, since it has one writer; a group may hold units of several tenants. PostgreSQL has several,
//! and a tenant always takes the same one, so that units of a tenant wait in a queue rather than for a row lock.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::group::{self, Done, Waiting};
use super::optimistic::Heads;
use super::{Outcome, Unit};
use crate::error::{Result, StoreError};
use crate::pool::Pool;
use crate::signal::Signals;

/// Units that may wait in a lane before callers are held back.
const QUEUE: usize = 1024;

/// Writes after which a group is full; bounds how long the tenant's lock is held.
const GROUP_WRITES: usize = 4_000;

const POSTGRES_LANES: usize = 8;

/// How long closing waits for what was accepted.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends units to their lanes.
#[derive(Debug)]
pub(crate) struct Committer {
    lanes: Vec<mpsc::Sender<Waiting>>,
    closing: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Committer {
    pub(crate) fn start(pool: &Arc<Pool>, signals: &Arc<Signals>, is_postgres: bool) -> Self {
        let count = if is_postgres { POSTGRES_LANES } else { 1 };
        let closing = watch::channel(false).0;
        let (mut lanes, mut tasks) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let (pool, signals, closing) = (Arc::clone(pool), Arc::clone(signals), closing.subscribe());
            let (heads, one_tenant_each) = (Heads::default(), is_postgres);
            let lane = Lane { pool, signals, receiver, closing, heads, one_tenant_each };
            lanes.push(sender);
            #[expect(clippy::disallowed_methods, reason = "the committer owns its lanes and ends them when it closes")]
            tasks.push(tokio::spawn(lane.run()));
        }
        Self { lanes, closing, tasks: Mutex::new(tasks) }
    }

    pub(crate) async fn commit(&self, unit: Unit) -> Result<Outcome> {
        let lane = usize::try_from(unit.tenant.0).unwrap_or(0) % self.lanes.len();
        let (answer, answered) = oneshot::channel();
        self.lanes[lane].send(Waiting::new(unit, answer)).await.map_err(|_| StoreError::Closing)?;
        answered.await.map_err(|_| StoreError::Closing)?
    }

    /// Takes nothing more, finishes what was accepted, and ends the lanes.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for mut task in tasks {
            if tokio::time::timeout(CLOSE_TIMEOUT, &mut task).await.is_err() {
                tracing::warn!("closing the store while writes are still waiting");
                task.abort();
            }
        }
    }
}

struct Lane {
    pool: Arc<Pool>,
    signals: Arc<Signals>,
    receiver: mpsc::Receiver<Waiting>,
    closing: watch::Receiver<bool>,
    heads: Heads,
    /// On PostgreSQL the connection carries the tenant, so each tenant has a transaction of its own.
    one_tenant_each: bool,
}

impl Lane {
    async fn run(mut self) {
        while let Some(first) = self.next().await {
            for group in self.gather(first) {
                self.commit(group).await;
            }
        }
    }

    async fn next(&mut self) -> Option<Waiting> {
        if !*self.closing.borrow() {
            tokio::select! {
                next = self.receiver.recv() => return next,
                _ = self.closing.changed() => {}
            }
        }
        self.receiver.close();
        self.receiver.recv().await
    }

    /// Takes what waits, up to a full group, sorted by tenant.
    fn gather(&mut self, first: Waiting) -> Vec<Vec<Waiting>> {
        let mut weight = first.weight();
        let mut group = vec![first];
        while weight < GROUP_WRITES
            && let Ok(next) = self.receiver.try_recv()
        {
            weight += next.weight();
            group.push(next);
        }
        group.retain(|waiting| !waiting.is_abandoned());
        group.sort_by_key(Waiting::tenant);
        if !self.one_tenant_each {
            return vec![group];
        }
        let mut groups: Vec<Vec<Waiting>> = Vec::new();
        for waiting in group {
            match groups.last_mut() {
                Some(last) if last.first().is_some_and(|first| first.tenant() == waiting.tenant()) => {
                    last.push(waiting)
                }
                _ => groups.push(vec![waiting]),
            }
        }
        groups
    }

    /// Commits a group. One that fails for what is in it is halved until the unit at fault stands alone.
    async fn commit(&mut self, group: Vec<Waiting>) {
        let mut left = vec![group];
        while let Some(group) = left.pop() {
            // Their replies were made for an attempt that failed; the key makes it safe to ask again.
            let (spent, mut group): (Vec<_>, Vec<_>) = group.into_iter().partition(Waiting::is_spent);
            fail(spent, StoreError::Unavailable(sqlx::Error::Protocol("a group of writes failed".to_owned())));
            let attempt = AssertUnwindSafe(group::commit(&self.pool, &mut self.heads, &mut group)).catch_unwind().await;
            match attempt.unwrap_or_else(|_| Err(StoreError::Damaged("a write could not be checked".to_owned()))) {
                Ok(done) => self.answer(group, done),
                Err(error) if error.is_unavailable() || group.len() == 1 => fail(group, error),
                Err(error) => {
                    tracing::warn!(%error, units = group.len(), "a group of writes failed; trying its halves");
                    let second = group.split_off(group.len() / 2);
                    left.push(second);
                    left.push(group);
                }
            }
        }
    }

    fn answer(&self, group: Vec<Waiting>, done: Done) {
        for (tenant, sequence) in done.grown {
            self.signals.publish(tenant, sequence);
        }
        for (waiting, outcome) in group.into_iter().zip(done.outcomes) {
            waiting.answer(Ok(outcome));
        }
    }
}

/// Everybody whom it concerns learns of the failure.
fn fail(mut group: Vec<Waiting>, error: StoreError) {
    let Some(last) = group.pop() else { return };
    tracing::error!(%error, units = group.len() + 1, "writes failed");
    for waiting in group {
        waiting.answer(Err(error.again()));
    }
    last.answer(Err(error));
}
