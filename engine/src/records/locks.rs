//! Locks that make callers of one node take turns at a record, once they have been in each other's way.
//!
//! Correctness does not need them: the commit checks versions. They only spare the losers of a race from losing again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use engine_model::{RecordId, TenantId};
use tokio::sync::{Mutex, OwnedMutexGuard};

const STRIPES: usize = 256;

/// A fixed number of locks that all records share.
#[derive(Debug)]
pub(crate) struct RecordLocks(Vec<Arc<Mutex<()>>>);

impl Default for RecordLocks {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Arc::default()).collect())
    }
}

impl RecordLocks {
    /// Waits for the record's turn.
    pub(crate) async fn take(&self, tenant: TenantId, record: RecordId) -> OwnedMutexGuard<()> {
        let mut hasher = DefaultHasher::new();
        (tenant, record).hash(&mut hasher);
        let stripe = usize::try_from(hasher.finish() % 256).unwrap_or(0);
        Arc::clone(&self.0[stripe % self.0.len()]).lock_owned().await
    }
}
