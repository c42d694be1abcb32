//! Followers: what is done because of changes, each with its own saved position in every tenant's log.
//!
//! Nothing else reacts to a write. A follower is told what happened after the fact, in order, at least once; it may be
//! stopped at any moment and goes on from where it was. Signals only make it quicker: what they miss, a look every few
//! seconds finds.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use engine_model::{Sequence, TenantId};
use engine_store::change::{self, ChangeRow};
use futures::future::BoxFuture;

use crate::engine::Engine;
use crate::error::Result;

/// Changes that a follower is handed at a time.
const CHUNK: i64 = 1_000;
/// Tenants that are looked at in one statement.
const TENANTS: i64 = 1_000;
/// How often a follower looks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long it rests after a failure.
const REST: Duration = Duration::from_secs(1);

/// Something that follows the change log.
pub trait Follower: Debug + Send + Sync {
    /// The name under which its positions are saved; never changes.
    fn name(&self) -> &'static str;

    /// Takes over changes of one tenant, in commit order and without gaps.
    ///
    /// The position is saved after it returns, so the same changes may come again: taking them twice must be the same
    /// as taking them once. Where it fails, it is handed the same changes again later.
    fn follow<'a>(&'a self, tenant: TenantId, changes: &'a [ChangeRow]) -> BoxFuture<'a, Result<()>>;
}

/// A change as a follower is handed it.
pub type Following = ChangeRow;

/// Starts to follow with what `follower` does, until the engine closes.
pub(crate) fn start(engine: &Engine, follower: Arc<dyn Follower>) {
    let following = engine.clone();
    engine.inner.tasks.spawn(async move {
        let mut signal = following.store().subscribe_all();
        let stopping = following.stopping();
        loop {
            signal.mark_unchanged();
            let pause = match catch_up(&following, follower.as_ref()).await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(follower = follower.name(), %error, "a follower could not go on; it tries again");
                    tokio::select! {
                        () = tokio::time::sleep(REST) => continue,
                        () = stopping.cancelled() => return,
                    }
                }
            };
            tokio::select! {
                _ = tokio::time::timeout(pause, signal.changed()) => {}
                () = stopping.cancelled() => return,
            }
        }
    });
}

/// Goes on in every tenant whose log has grown.
async fn catch_up(engine: &Engine, follower: &dyn Follower) -> Result<()> {
    let mut last = 0;
    loop {
        let tenants = change::behind(engine.store(), follower.name(), last, TENANTS).await?;
        let is_last = i64::try_from(tenants.len()).is_ok_and(|count| count < TENANTS);
        for tenant in tenants {
            last = tenant.0;
            follow_tenant(engine, follower, tenant).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn follow_tenant(engine: &Engine, follower: &dyn Follower, tenant: TenantId) -> Result<()> {
    loop {
        if engine.inner.stopping.is_cancelled() {
            return Ok(());
        }
        let mut reader = engine.store().read(tenant).await?;
        let position = change::position(&mut reader, follower.name()).await?;
        let changes = change::after(&mut reader, position, CHUNK).await?;
        drop(reader);
        let Some(last) = changes.last() else { return Ok(()) };
        let reached = Sequence(last.sequence);
        follower.follow(tenant, &changes).await?;
        change::save_position(engine.store(), tenant, follower.name(), reached, engine.now()).await?;
    }
}
