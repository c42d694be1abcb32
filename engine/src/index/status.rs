//! How the indexes of this node are, for whoever watches it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use engine_model::{Sequence, TenantId};

use super::counts::Counts;
use crate::engine::Engine;
#[cfg(doc)]
use crate::error::ErrorCode;
use crate::error::{Error, Result};

/// How the indexes of one node are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexStatus {
    /// Indexes that are open.
    pub open: u64,
    /// Those of them that have a writer.
    pub writers: u64,
    /// Indexes that are being made, or are about to be.
    pub building: u64,
    /// Records and links in the open indexes.
    pub documents: u64,
    /// Bytes of the open indexes on disk.
    pub disk_bytes: u64,
    /// Bytes of them that are in memory only.
    pub memory_bytes: u64,
    /// Changes that cannot be found yet, of the tenant that has most of them.
    pub lag_changes: u64,
    /// How long the log has been further than what can be found, of the tenant for which that is longest.
    pub lag: Duration,
    /// Turns at following the log.
    pub turns: Done,
    /// Changes that were applied.
    pub changes: u64,
    /// Commits, which make changes visible.
    pub commits: Done,
    /// Times that an index was brought to disk.
    pub persists: Done,
    /// Indexes that were made, or begun to be.
    pub builds: Done,
}

/// What was done since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// How often.
    pub times: u64,
    /// How long that took in all.
    pub took: Duration,
}

/// How the index of one tenant is on this node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantIndex {
    /// The last change that can be found; none where the index is closed, or there is none yet.
    pub sequence: Option<Sequence>,
    /// Changes that cannot be found yet, as far as is known.
    pub lag_changes: u64,
    /// Records and links in it; 0 where it is closed.
    pub documents: u64,
    /// Bytes on disk; 0 where it is closed.
    pub disk_bytes: u64,
    /// Where it is being made or is about to be: how many records are done, of how many, about.
    pub building: Option<(i64, i64)>,
    /// Why it could not be made last.
    pub failure: Option<String>,
}

impl Engine {
    /// Refuses a tenant that there is not.
    pub(super) async fn check_tenant(&self, tenant: TenantId) -> Result<()> {
        let found = engine_store::tenant::get(&mut self.store().read(tenant).await?).await?;
        found.map(drop).ok_or_else(|| Error::not_found("there is no such tenant"))
    }

    /// How a tenant's search index is on this node, as far as that was looked at last.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] where there is no such tenant.
    pub async fn tenant_index(&self, tenant: TenantId) -> Result<TenantIndex> {
        self.check_tenant(tenant).await?;
        let slot = self.inner.indexes.slot(tenant);
        let size = slot.size().unwrap_or_default();
        let lag = slot.lag().map_or(0, |(changes, _)| changes);
        Ok(TenantIndex {
            sequence: slot.shown_sequence(),
            lag_changes: u64::try_from(lag).unwrap_or_default(),
            documents: size.documents,
            disk_bytes: size.disk_bytes,
            building: slot.making(),
            failure: slot.failure(),
        })
    }

    /// How the search indexes of this node are, as far as that was looked at last.
    pub fn index_status(&self) -> IndexStatus {
        let indexes = &self.inner.indexes;
        let mut status = IndexStatus { writers: indexes.writers.load(Ordering::Relaxed), ..done(&indexes.counts) };
        for slot in indexes.all_slots() {
            if let Some(size) = slot.size() {
                status.open += 1;
                status.documents += size.documents;
                status.disk_bytes += size.disk_bytes;
                status.memory_bytes += size.memory_bytes;
            }
            status.building += u64::from(slot.is_building());
            if let Some((changes, since)) = slot.lag() {
                status.lag_changes = status.lag_changes.max(u64::try_from(changes).unwrap_or_default());
                status.lag = status.lag.max(since.elapsed());
            }
        }
        status
    }
}

fn done(counts: &Counts) -> IndexStatus {
    IndexStatus {
        turns: counts.turns.read(),
        changes: counts.changes.load(Ordering::Relaxed),
        commits: counts.commits.read(),
        persists: counts.persists.read(),
        builds: counts.builds.read(),
        ..IndexStatus::default()
    }
}
