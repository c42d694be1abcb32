//! How far a follower is, for whoever wants to see what follows from a write that was acknowledged before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine_model::{Sequence, TenantId};
use engine_store::{Store, change};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::Result;

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
    pub(crate) fn begin(&self) {
        self.is_followed.store(true, Ordering::Relaxed);
    }

    /// Whether somebody follows.
    pub(crate) fn is_followed(&self) -> bool {
        self.is_followed.load(Ordering::Relaxed)
    }

    /// A tenant's log is followed up to this position.
    pub(crate) fn note(&self, tenant: TenantId, position: Sequence) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let known = reached.entry(tenant).or_default();
        *known = position.max(*known);
        drop(reached);
        self.signal.send_replace(());
    }

    /// How far a tenant's log is known to be followed.
    pub(crate) fn of(&self, tenant: TenantId) -> Sequence {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.get(&tenant).copied().unwrap_or_default()
    }

    /// Waits until `follower` has followed up to a position, without a connection meanwhile; false where that takes too
    /// long.
    pub(crate) async fn reach(
        &self,
        store: &Store,
        tenant: TenantId,
        follower: &str,
        position: Sequence,
        deadline: Instant,
    ) -> Result<bool> {
        let (mut signal, mut look) = (self.signal.subscribe(), Instant::now());
        while self.of(tenant) < position {
            if deadline <= Instant::now() {
                return Ok(false);
            }
            if look <= Instant::now() {
                let elsewhere = change::position(&mut store.read(tenant).await?, follower).await?;
                if elsewhere >= position {
                    self.note(tenant, elsewhere);
                    break;
                }
                look = Instant::now() + LOOK_EVERY;
            }
            let _ = tokio::time::timeout_at(look.min(deadline), signal.changed()).await;
        }
        Ok(true)
    }
}
