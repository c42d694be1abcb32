//! What has been done for the indexes since the start.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::status::Done;

/// How often something was done, and how long that took in all.
#[derive(Debug, Default)]
pub(super) struct Count {
    times: AtomicU64,
    micros: AtomicU64,
}

/// What one node has done for its indexes.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Turns at following the log.
    pub(super) turns: Count,
    /// Changes that were applied.
    pub(super) changes: AtomicU64,
    pub(super) commits: Count,
    pub(super) persists: Count,
    pub(super) builds: Count,
}

impl Counts {
    pub(super) fn add_changes(&self, changes: usize) {
        self.changes.fetch_add(u64::try_from(changes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Count {
    pub(super) fn add(&self, took: Duration) {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Done {
        let took = Duration::from_micros(self.micros.load(Ordering::Relaxed));
        Done { times: self.times.load(Ordering::Relaxed), took }
    }
}
