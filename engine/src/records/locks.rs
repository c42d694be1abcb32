//! KeyedLocks that callers of one node take at something.
//!
//! Changing a record is correct without them: the commit checks versions. They spare the losers of a race from losing
//! again. Of new records that may be refused as duplicates, they keep two that are alike from being looked at at once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

const STRIPES: usize = 256;

/// A fixed number of locks that all keys share.
#[derive(Debug)]
pub(crate) struct KeyedLocks(Vec<Arc<Mutex<()>>>);

impl Default for KeyedLocks {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Arc::default()).collect())
    }
}

impl KeyedLocks {
    /// Waits for the turn at what has this key.
    pub(crate) async fn take(&self, key: impl Hash) -> OwnedMutexGuard<()> {
        let stripe = {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            usize::try_from(hasher.finish() % 256).unwrap_or(0)
        };
        Arc::clone(&self.0[stripe % self.0.len()]).lock_owned().await
    }
}
