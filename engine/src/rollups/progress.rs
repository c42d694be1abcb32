//! How far roll-ups are, for whoever wants to see those of a write that was acknowledged before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine_model::{Sequence, TenantId};
use engine_store::change;
use tokio::sync::watch;
use tokio::time::Instant;

use super::follow::FOLLOWER;
use crate::error::Result;
use crate::session::Session;

/// How long a read waits for roll-ups before it takes what there is.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether another node has got further.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How far this node has followed, by tenant.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Somebody follows here; whoever waited for anybody else would wait in vain.
    is_followed: AtomicBool,
    reached: Mutex<HashMap<TenantId, Sequence>>,
    signal: watch::Sender<()>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { is_followed: AtomicBool::new(false), reached: Mutex::default(), signal: watch::channel(()).0 }
    }
}

impl Progress {
    /// Somebody follows from here on.
    pub(super) fn begin(&self) {
        self.is_followed.store(true, Ordering::Relaxed);
    }

    /// The roll-ups of a tenant are those of this position.
    pub(super) fn note(&self, tenant: TenantId, position: Sequence) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let known = reached.entry(tenant).or_default();
        *known = position.max(*known);
        drop(reached);
        self.signal.send_replace(());
    }

    fn of(&self, tenant: TenantId) -> Sequence {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.get(&tenant).copied().unwrap_or_default()
    }
}

impl Session {
    /// Waits until the roll-ups of `object` are those of now, or for a second.
    pub(crate) async fn settle_rollups(&self, object: &str) -> Result<()> {
        if self.depth_of_rollups(object) > 0 {
            self.await_rollups(object, self.position().await?).await?;
        }
        Ok(())
    }

    fn depth_of_rollups(&self, object: &str) -> usize {
        let rollups = self.catalog.effective.registry.computed.rollups_of(object);
        rollups.map(|rollup| rollup.depth).max().unwrap_or_default()
    }

    /// Waits until the roll-ups of `object` are at least those of a position, or for a second; whether it had to wait.
    pub(crate) async fn await_rollups(&self, object: &str, position: Sequence) -> Result<bool> {
        let (progress, tenant) = (&self.engine.inner.rollups, self.tenant());
        let depth = self.depth_of_rollups(object);
        let is_followed = progress.is_followed.load(Ordering::Relaxed);
        if depth == 0 || !is_followed || progress.of(tenant) >= position {
            return Ok(false);
        }
        let (mut position, deadline) = (position, Instant::now() + PATIENCE);
        for _ in 0..depth {
            if !self.await_position(position, deadline).await? {
                break;
            }
            // What was written on the way is what the next roll-up is made of.
            position = self.position().await?;
        }
        Ok(true)
    }

    /// Waits until the log is followed up to a position; false where that takes too long.
    async fn await_position(&self, position: Sequence, deadline: Instant) -> Result<bool> {
        let (progress, tenant) = (&self.engine.inner.rollups, self.tenant());
        let (mut signal, mut look) = (progress.signal.subscribe(), Instant::now());
        while progress.of(tenant) < position {
            if deadline <= Instant::now() {
                return Ok(false);
            }
            if look <= Instant::now() {
                let elsewhere = change::position(&mut self.reader().await?, FOLLOWER).await?;
                if elsewhere >= position {
                    progress.note(tenant, elsewhere);
                    break;
                }
                look = Instant::now() + LOOK_EVERY;
            }
            let _ = tokio::time::timeout_at(look.min(deadline), signal.changed()).await;
        }
        Ok(true)
    }
}
