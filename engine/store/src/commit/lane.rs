//! Lanes: writers that take whatever waits and commit it together.
//!
//! SQLite has one lane, since it has one writer; a group may hold units of several tenants. PostgreSQL has several,
//! and a tenant always takes the same one, so that units of a tenant wait in a queue rather than for a row lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::TenantId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::apply::apply;
use super::check::{Mentions, load};
use super::state::State;
use super::{Outcome, Unit};
use crate::error::{Result, StoreError};
use crate::pool::{Lease, Pool, Scope};
use crate::signal::Signals;

/// Units that may wait in a lane before callers are held back.
const QUEUE: usize = 1024;

/// Writes after which a group is full; bounds how long the tenant's lock is held.
const GROUP_WRITES: usize = 4_000;

const POSTGRES_LANES: usize = 8;

/// A unit and where its answer goes.
struct Waiting {
    unit: Unit,
    answer: oneshot::Sender<Result<Outcome>>,
}

/// Sends units to their lanes.
#[derive(Debug)]
pub(crate) struct Committer {
    lanes: Vec<mpsc::Sender<Waiting>>,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Committer {
    pub(crate) fn start(pool: &Arc<Pool>, signals: &Arc<Signals>, is_postgres: bool) -> Self {
        let count = if is_postgres { POSTGRES_LANES } else { 1 };
        let mut lanes = Vec::with_capacity(count);
        let mut tasks = Vec::with_capacity(count);
        for _ in 0..count {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let lane = Lane { pool: Arc::clone(pool), signals: Arc::clone(signals), receiver };
            lanes.push(sender);
            #[expect(clippy::disallowed_methods, reason = "the committer owns its lanes and ends them by closing the queue")]
            tasks.push(tokio::spawn(lane.run()));
        }
        Self { lanes, tasks: std::sync::Mutex::new(tasks) }
    }

    pub(crate) async fn commit(&self, unit: Unit) -> Result<Outcome> {
        let lane = usize::try_from(unit.tenant.0).unwrap_or(0) % self.lanes.len();
        let (answer, answered) = oneshot::channel();
        self.lanes[lane].send(Waiting { unit, answer }).await.map_err(|_| StoreError::Closing)?;
        answered.await.map_err(|_| StoreError::Closing)?
    }

    /// Ends the lanes; whatever waits in them is answered first by `Closing`.
    pub(crate) async fn close(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for task in tasks {
            task.abort();
            // An aborted task ends with a cancellation, which is what was asked for.
            drop(task.await);
        }
    }
}

struct Lane {
    pool: Arc<Pool>,
    signals: Arc<Signals>,
    receiver: mpsc::Receiver<Waiting>,
}

type Group = Vec<(TenantId, Vec<Unit>)>;
type Answers = Vec<oneshot::Sender<Result<Outcome>>>;

impl Lane {
    async fn run(mut self) {
        while let Some(first) = self.receiver.recv().await {
            let (group, answers) = self.gather(first);
            self.commit(group, answers).await;
        }
    }

    /// Takes what waits, up to a full group, tenant by tenant.
    fn gather(&mut self, first: Waiting) -> (Group, BTreeMap<TenantId, Answers>) {
        let mut writes = 0;
        let mut units: BTreeMap<TenantId, Vec<Unit>> = BTreeMap::new();
        let mut answers: BTreeMap<TenantId, Answers> = BTreeMap::new();
        let mut next = Some(first);
        while let Some(Waiting { unit, answer }) = next {
            writes += unit.items.iter().map(|item| item.writes.len()).sum::<usize>();
            answers.entry(unit.tenant).or_default().push(answer);
            units.entry(unit.tenant).or_default().push(unit);
            next = if writes < GROUP_WRITES { self.receiver.try_recv().ok() } else { None };
        }
        (units.into_iter().collect(), answers)
    }

    async fn commit(&self, group: Group, mut answers: BTreeMap<TenantId, Answers>) {
        match self.transact(group).await {
            Ok(done) => {
                for (tenant, outcomes, sequence) in done {
                    self.signals.publish(tenant, sequence);
                    for (answer, outcome) in answers.remove(&tenant).unwrap_or_default().into_iter().zip(outcomes) {
                        // A caller that went away does not wait for its answer.
                        drop(answer.send(Ok(outcome)));
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "a group of writes failed");
                let is_unavailable = error.is_unavailable();
                for answer in answers.into_values().flatten() {
                    let error = if is_unavailable {
                        StoreError::Unavailable(sqlx::Error::WorkerCrashed)
                    } else {
                        StoreError::Statement(sqlx::Error::WorkerCrashed)
                    };
                    drop(answer.send(Err(error)));
                }
            }
        }
    }

    async fn transact(&self, group: Group) -> Result<Vec<(TenantId, Vec<Outcome>, i64)>> {
        let mut done = Vec::with_capacity(group.len());
        let mut lease: Option<Lease> = None;
        for (tenant, units) in group {
            // On PostgreSQL the connection carries the tenant, so each tenant has a transaction of its own.
            let open = match lease.take() {
                Some(mut open) if open.is_postgres() => {
                    open.commit().await?;
                    drop(open);
                    None
                }
                other => other,
            };
            let mut open = match open {
                Some(open) => open,
                None => {
                    let mut fresh = self.pool.acquire(Scope::Tenant(tenant)).await?;
                    fresh.begin().await?;
                    fresh
                }
            };
            let (outcomes, sequence) = write_units(&mut open, tenant, units).await?;
            done.push((tenant, outcomes, sequence));
            lease = Some(open);
        }
        if let Some(mut open) = lease {
            open.commit().await?;
        }
        Ok(done)
    }
}

async fn write_units(lease: &mut Lease, tenant: TenantId, units: Vec<Unit>) -> Result<(Vec<Outcome>, i64)> {
    let seen = load(lease, tenant, &Mentions::of(&units)).await?;
    let before = seen.head;
    let mut state = State::new(seen);
    let outcomes: Vec<Outcome> = units.into_iter().map(|unit| state.take(unit)).collect();
    if state.head != before || !state.rows.replies.is_empty() {
        apply(lease, tenant, &state).await?;
    }
    Ok((outcomes, state.head.last_sequence))
}
