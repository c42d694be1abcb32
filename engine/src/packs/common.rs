//! A pack on its way to many tenants: read once, and worked out once for all of them that have the same definitions.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use engine_model::time::Timestamp;

use super::known::Known;
use super::plan::Proposal;
use crate::definitions::catalog::Catalog;
use crate::definitions::effective::Effective;

/// Proposals that are kept, the latest: each holds the definitions before and after.
const KEPT: usize = 8;

/// A pack that is the same for many tenants.
#[derive(Debug)]
pub(crate) struct Common {
    pub(super) known: Arc<Known>,
    /// When that is archived which the pack leaves behind. One moment for all, so that tenants which share their
    /// definitions before share them after.
    pub(super) at: Timestamp,
    kept: Mutex<VecDeque<Kept>>,
}

#[derive(Debug)]
struct Kept {
    /// What it was worked out for, which is held so that nothing else takes its address.
    effective: Arc<Effective>,
    version: i64,
    proposal: Arc<Proposal>,
}

impl Kept {
    /// What is written into the own layer may name the metadata version that it comes with; all else follows from the
    /// definitions.
    fn is_for(&self, catalog: &Catalog) -> bool {
        let is_of_any_version = self.proposal.target.as_ref().is_none_or(|target| target.own.is_empty());
        Arc::ptr_eq(&self.effective, &catalog.effective) && (is_of_any_version || self.version == catalog.version)
    }
}

impl Common {
    pub(super) fn new(known: Known, at: Timestamp) -> Self {
        Self { known: Arc::new(known), at, kept: Mutex::new(VecDeque::new()) }
    }

    /// What was worked out for another tenant with these definitions.
    pub(super) fn proposal(&self, catalog: &Catalog) -> Option<Arc<Proposal>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.is_for(catalog)).map(|kept| Arc::clone(&kept.proposal))
    }

    pub(super) fn keep(&self, catalog: &Catalog, proposal: &Arc<Proposal>) {
        let (effective, proposal) = (Arc::clone(&catalog.effective), Arc::clone(proposal));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT - 1);
        kept.push_front(Kept { effective, version: catalog.version, proposal });
    }
}
