//! The worker: finds jobs that nobody works on, of whichever tenant, and carries them out, two at a time.
//!
//! What to do is read from the store each time, so losing a signal only costs time; a job whose worker is gone is taken
//! again once its lease has run out, and on SQLite as soon as there is a server again.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use engine_model::time::Timestamp;
use engine_model::{JobId, TenantId};
use engine_store::job::{self, Holder};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::task::JoinHandle;

use super::work::{Ending, Work};
use super::{JobState, failure};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::{assignment, duplicates, exports, packs, rollups, scoring, settle, transfer, undo};

/// How many jobs one node works on at once.
const SLOTS: usize = 2;

/// Pause between two looks for jobs that no signal announced: those of other nodes, and those whose worker has gone.
const PAUSE: Duration = Duration::from_secs(3);

/// How long an upload may rest before it is given up: an hour.
const STALE_MICROS: i64 = 60 * 60 * 1_000_000;

/// How many jobs are looked at in one go.
const PAGE: i64 = 100;

/// Starts the worker, which ends when the engine closes.
pub(crate) fn start_worker(engine: &Engine) {
    drop(engine.inner.tasks.spawn(work(engine.clone())));
}

async fn work(engine: Engine) {
    let mut running: FuturesUnordered<JoinHandle<()>> = FuturesUnordered::new();
    while !engine.inner.stopping.is_cancelled() {
        if let Err(error) = give_up_stale_uploads(&engine).await {
            tracing::warn!(%error, "unfinished uploads cannot be looked for");
        }
        if let Err(error) = fill(&engine, &mut running).await {
            tracing::warn!(%error, "jobs cannot be looked for");
        }
        tokio::select! {
            () = engine.inner.stopping.cancelled() => {}
            () = engine.inner.job_added.notified() => {}
            _ = running.next(), if !running.is_empty() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    while running.next().await.is_some() {}
}

/// Takes waiting jobs as long as there are slots for them.
async fn fill(engine: &Engine, running: &mut FuturesUnordered<JoinHandle<()>>) -> Result<()> {
    if running.len() >= SLOTS {
        return Ok(());
    }
    for (tenant, id) in job::waiting(engine.store(), engine.now(), PAGE).await? {
        if running.len() >= SLOTS {
            break;
        }
        match Work::take(engine, tenant, id).await {
            Ok(Some(work)) => running.push(engine.inner.tasks.spawn(run(work))),
            Ok(None) => {}
            // One job that cannot be taken keeps no other from its turn.
            Err(error) => tracing::warn!(tenant.id = %tenant, job.id = %id, %error, "a job cannot be taken"),
        }
    }
    Ok(())
}

async fn run(mut work: Work) {
    let (tenant, id) = (work.tenant, work.id);
    // A job that panics would otherwise be taken up again and again.
    let ending = AssertUnwindSafe(perform(&mut work)).catch_unwind().await;
    let ending = ending.unwrap_or_else(|_| Err(Error::internal("the job panicked")));
    if let Err(error) = work.finish(ending).await {
        tracing::warn!(tenant.id = %tenant, job.id = %id, %error, "a job's end cannot be kept; it is tried again");
    }
}

async fn perform(work: &mut Work) -> Result<Ending> {
    match work.kind.as_str() {
        transfer::IMPORT => transfer::run(work).await,
        exports::EXPORT => exports::run(work).await,
        rollups::COMPUTE => rollups::run(work).await,
        settle::MIGRATION => settle::run(work).await,
        packs::PURGE => packs::purge(work).await,
        assignment::REASSIGN => assignment::run(work).await,
        duplicates::SCAN => duplicates::run(work).await,
        scoring::ASSESS => scoring::run(work).await,
        undo::UNDO => undo::run(work).await,
        other => Err(Error::internal(format!("nobody knows how to do a job of the kind `{other}`"))),
    }
}

/// Ends uploads that nobody goes on with, so that their parts do not stay for ever.
async fn give_up_stale_uploads(engine: &Engine) -> Result<()> {
    let now = engine.now();
    let before = Timestamp(now.0 - STALE_MICROS);
    for (tenant, id) in job::stale_uploads(engine.store(), before, PAGE).await? {
        give_up(engine, tenant, id, now).await?;
    }
    Ok(())
}

async fn give_up(engine: &Engine, tenant: TenantId, id: JobId, now: Timestamp) -> Result<()> {
    let error = Error::new(ErrorCode::BadRequest, "the upload was not finished within an hour; send the file again");
    let progress = failure::with_error(serde_json::Map::new(), &error).to_string();
    let failed = JobState::Failed.as_str();
    job::end(engine.store(), tenant, id, Holder::Uploader, failed, &progress, now).await?;
    Ok(())
}
