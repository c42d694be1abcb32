//! Indexes whose files may be damaged: they are looked at, and where they are the index is made anew.

use engine_model::TenantId;
use engine_search::SearchError;
use tokio::task::JoinError;
use tokio::time::Instant;

use super::Keeper;
use crate::error::{Error, Result};

/// Why the files of an index are not as they were written, by what checking them came to; none where they are.
pub(in crate::index) fn damage_of(checked: Result<(), SearchError>) -> Result<Option<String>> {
    match checked {
        Ok(()) => Ok(None),
        Err(SearchError::Damaged(reason)) => Ok(Some(reason)),
        Err(error) => Err(Error::internal(error)),
    }
}

/// Whether an error may come of damaged files: the library fails or panics with them wherever it reads them.
fn may_be_damage(error: &Error) -> bool {
    let Some(source) = error.source.as_deref() else { return false };
    match source.downcast_ref::<SearchError>() {
        Some(SearchError::Damaged(_) | SearchError::WriterLost(_)) => true,
        Some(_) => false,
        None => source.downcast_ref::<JoinError>().is_some_and(JoinError::is_panic),
    }
}

impl Keeper {
    /// Has the files of an index looked at, unless that was done a moment ago or it is made anew anyway.
    pub(super) fn suspect(&mut self, tenant: TenantId) {
        if let Some(tended) = self.tended.get_mut(&tenant) {
            tended.suspect(Instant::now());
            self.plan(tenant);
        }
    }

    /// The same where an error speaks for it.
    pub(super) fn suspect_after(&mut self, tenant: TenantId, error: &Error) {
        if may_be_damage(error)
            && let Some(tended) = self.tended.get_mut(&tenant)
        {
            tended.suspect(Instant::now());
        }
    }

    /// The files of an index were looked at.
    pub(super) fn end_check(&mut self, tenant: TenantId, damage: Result<Option<String>>) {
        match damage {
            Ok(Some(reason)) => {
                tracing::error!(tenant.id = %tenant, reason, "the files of a search index are damaged; it is made anew");
                self.want_build(tenant);
            }
            Ok(None) => {
                tracing::error!(tenant.id = %tenant, "a search index could not be read, though its files are as they were written: this is a mistake of the program");
            }
            // The chore's own end tells of it.
            Err(_) => {}
        }
    }
}
