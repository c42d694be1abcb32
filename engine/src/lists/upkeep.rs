//! Finds lists that are due, of whichever tenant: to be looked at as a whole, or to be forgotten.
//!
//! What is due is read from the store each time, so losing a signal only costs a second; whoever has taken a list and is
//! gone is followed by somebody else after half a minute.

use std::time::Duration;

use engine_model::TenantId;
use engine_model::time::Timestamp;
use engine_store::list::{self, Due};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::whole::{LEASE, look_at_all};
use crate::engine::Engine;
use crate::error::{ErrorCode, Result};

/// Lists that one node looks at at a time.
const PLACES: usize = 2;

/// Pause between two looks for what no signal announced.
const PAUSE: Duration = Duration::from_secs(1);

/// The same where the last look has failed.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// When it is tried again with a list whose index could not be asked.
pub(super) const SOON: Duration = Duration::from_secs(2);

/// When it is tried again with a list that asks too much.
pub(super) const LATE: Duration = Duration::from_secs(300);

/// Members that are forgotten at a time.
const AT_A_TIME: i64 = 2_000;

/// Starts to look, until the engine closes.
pub(crate) fn start(engine: &Engine) {
    drop(engine.inner.tasks.spawn(run(engine.clone())));
}

async fn run(engine: Engine) {
    let mut running = FuturesUnordered::new();
    let stopping = engine.stopping();
    while !stopping.is_cancelled() {
        let mut pause = PAUSE;
        match find(&engine, PLACES - running.len()).await {
            Ok(found) => running.extend(found.into_iter().map(|taken| {
                let task = engine.inner.tasks.spawn(work(engine.clone(), taken));
                async move { task.await.is_ok() }
            })),
            Err(error) => {
                tracing::warn!(%error, "lists that are due cannot be looked for");
                pause = LONG_PAUSE;
            }
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = engine.inner.lists.due.notified() => {}
            _ = running.next(), if !running.is_empty() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    while running.next().await.is_some() {}
}

/// A list that this node has taken.
struct Taken {
    due: Due,
    lease: Timestamp,
}

async fn find(engine: &Engine, places: usize) -> Result<Vec<Taken>> {
    let mut taken = Vec::new();
    if places == 0 {
        return Ok(taken);
    }
    let limit = i64::try_from(places).unwrap_or(1);
    for due in list::due(engine.store(), engine.now(), limit).await? {
        let lease = engine.now().after(LEASE);
        if list::claim(engine.store(), TenantId(due.tenant_id), due.id, due.due_at, lease).await? {
            taken.push(Taken { due, lease });
        }
    }
    Ok(taken)
}

async fn work(engine: Engine, Taken { due, lease }: Taken) {
    let tenant = TenantId(due.tenant_id);
    let done = match due.deleted_at {
        Some(_) => forget(&engine, tenant, due.id).await,
        None => look_at_all(&engine, tenant, due.id, lease.0).await,
    };
    let Err(error) = done else { return };
    let pause = match error.code {
        ErrorCode::ValidationFailed => LATE,
        _ => SOON,
    };
    if !engine.stopping().is_cancelled() {
        tracing::warn!(tenant.id = %tenant, list.id = due.id, %error, "a list cannot be looked at; it is tried again");
    }
    if let Err(error) = put_off(&engine, tenant, due.id, pause).await {
        tracing::warn!(tenant.id = %tenant, list.id = due.id, %error, "a list is tried again when its lease has run out");
    }
}

async fn put_off(engine: &Engine, tenant: TenantId, id: i64, pause: Duration) -> Result<()> {
    let row = list::get(&mut engine.store().read(tenant).await?, id).await?;
    let at = engine.now().after(pause);
    if let Some(due_at) = row.and_then(|row| row.due_at).filter(|due_at| *due_at > engine.now().0) {
        list::claim(engine.store(), tenant, id, due_at, at).await?;
    }
    Ok(())
}

async fn forget(engine: &Engine, tenant: TenantId, id: i64) -> Result<()> {
    loop {
        let ids = list::ids(&mut engine.store().read(tenant).await?, id, 0, AT_A_TIME).await?;
        if ids.is_empty() {
            return Ok(list::forget(engine.store(), tenant, id).await?);
        }
        let mut tx = engine.store().begin(tenant).await?;
        list::remove(&mut tx, &ids.into_iter().map(|record| (id, record)).collect::<Vec<_>>()).await?;
        tx.commit().await?;
        if engine.stopping().is_cancelled() {
            return Ok(());
        }
    }
}
