//! Writes down who is given sensitive values: requests that wait together share a statement, and so a commit.
//!
//! It locks no tenant, since nothing else depends on these rows; on SQLite it has the one writer for a statement.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine_model::TenantId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::NewRead;
use crate::error::{Result, StoreError};
use crate::pool::{Pool, Scope};
use crate::sql::{Sql, args, rows};

/// Requests that may wait before further ones are held back.
const QUEUE: usize = 1_024;

/// Rows after which a statement takes no further request.
const FULL: usize = 2_000;

/// Writers on PostgreSQL; a tenant always takes the same one.
const POSTGRES_LANES: usize = 4;

/// How long closing waits for what was accepted.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(20);

const RECORD: Sql = Sql::each(
    "insert into sensitive_read (tenant_id, id, at, user_id, token_id, object, record_id, properties, request_id, \
       ip, user_agent) \
     select value->>0, unhex(value->>1), value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
       value->>8, value->>9, value->>10 from json_each($1)",
    "insert into sensitive_read (tenant_id, id, at, user_id, token_id, object, record_id, properties, request_id, \
       ip, user_agent) \
     select r.* from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], \
       $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[]) r",
);

/// One request's rows, and who waits for them to be written.
#[derive(Debug)]
struct Waiting {
    tenant: TenantId,
    reads: Vec<NewRead>,
    written: oneshot::Sender<Result<()>>,
}

/// Sends rows to whoever writes them.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Empty once it is closing.
    lanes: Mutex<Vec<mpsc::Sender<Waiting>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Recorder {
    pub(crate) fn start(pool: &Arc<Pool>, is_postgres: bool) -> Self {
        let count = if is_postgres { POSTGRES_LANES } else { 1 };
        let (mut lanes, mut tasks) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let lane = Lane { pool: Arc::clone(pool), receiver, one_tenant_each: is_postgres };
            lanes.push(sender);
            #[expect(clippy::disallowed_methods, reason = "the recorder owns its lanes and ends them when it closes")]
            tasks.push(tokio::spawn(lane.run()));
        }
        Self { lanes: Mutex::new(lanes), tasks: Mutex::new(tasks) }
    }

    /// Writes one request's rows; durable once it returns.
    pub(crate) async fn record(&self, tenant: TenantId, reads: Vec<NewRead>) -> Result<()> {
        let (written, is_written) = oneshot::channel();
        let lane = self.lane(tenant).ok_or(StoreError::Closing)?;
        lane.send(Waiting { tenant, reads, written }).await.map_err(|_| StoreError::Closing)?;
        drop(lane);
        is_written.await.map_err(|_| StoreError::Closing)?
    }

    fn lane(&self, tenant: TenantId) -> Option<mpsc::Sender<Waiting>> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = usize::try_from(tenant.0).unwrap_or(0).checked_rem(lanes.len())?;
        lanes.get(lane).cloned()
    }

    /// Takes nothing more, writes what was accepted, and ends the lanes.
    pub(crate) async fn close(&self) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for mut task in tasks {
            if tokio::time::timeout(CLOSE_TIMEOUT, &mut task).await.is_err() {
                tracing::warn!("closing the store while it is still written down who was given sensitive values");
                task.abort();
            }
        }
    }
}

struct Lane {
    pool: Arc<Pool>,
    receiver: mpsc::Receiver<Waiting>,
    /// On PostgreSQL the connection carries the tenant.
    one_tenant_each: bool,
}

impl Lane {
    async fn run(mut self) {
        while let Some(first) = self.receiver.recv().await {
            let mut rows = first.reads.len();
            let mut group = vec![first];
            while rows < FULL
                && let Ok(next) = self.receiver.try_recv()
            {
                rows += next.reads.len();
                group.push(next);
            }
            group.sort_by_key(|waiting| waiting.tenant);
            let is_together = |one: &Waiting, other: &Waiting| !self.one_tenant_each || one.tenant == other.tenant;
            let mut groups: Vec<Vec<Waiting>> = Vec::new();
            for waiting in group {
                match groups.last_mut() {
                    Some(last) if last.first().is_some_and(|first| is_together(first, &waiting)) => last.push(waiting),
                    _ => groups.push(vec![waiting]),
                }
            }
            for group in groups {
                answer(self.write(&group).await, group);
            }
        }
    }

    async fn write(&self, group: &[Waiting]) -> Result<()> {
        let Some(first) = group.first() else { return Ok(()) };
        let all: Vec<(TenantId, &NewRead)> =
            group.iter().flat_map(|waiting| waiting.reads.iter().map(|read| (waiting.tenant, read))).collect();
        let rows = rows!(all; row => row.0.0, row.1.id, row.1.at.0, row.1.user.0, row.1.token.0, row.1.object.as_str(),
            row.1.record.map(|record| record.0), row.1.properties.as_str(), row.1.request_id.as_deref(),
            row.1.ip.as_deref(), row.1.user_agent.as_deref());
        let mut lease = self.pool.acquire(Scope::Tenant(first.tenant)).await?;
        lease.execute(&RECORD, args![rows]).await.map(drop)
    }
}

/// Everybody whom it concerns learns of it; who does not wait any more is given nothing either.
fn answer(result: Result<()>, group: Vec<Waiting>) {
    match result {
        Ok(()) => group.into_iter().for_each(|waiting| drop(waiting.written.send(Ok(())))),
        Err(error) => {
            tracing::error!(%error, requests = group.len(), "who is given sensitive values could not be written down");
            group.into_iter().for_each(|waiting| drop(waiting.written.send(Err(error.again()))));
        }
    }
}
