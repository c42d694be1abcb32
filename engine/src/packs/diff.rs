//! What differs between the definitions of two metadata versions.

use std::sync::Arc;

use engine_model::registry::Registry;

use super::difference::{Step, steps_between};
use super::past::Then;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// What leads from the definitions of one version to those of another.
#[derive(Debug, Clone)]
pub struct MetadataDiff {
    /// The version before.
    pub from: i64,
    /// The version after.
    pub to: i64,
    /// What differs, as a plan would have it; without what it does to records.
    pub steps: Vec<Step>,
}

impl Session {
    /// What differs between two versions; `to` is the version in force unless given.
    pub async fn metadata_diff(&mut self, from: i64, to: Option<i64>) -> Result<MetadataDiff> {
        self.refresh().await?;
        let to = to.unwrap_or(self.catalog.version);
        for (version, at) in [(from, "/from"), (to, "/to")] {
            let found = self.check_version(version, at);
            found.map_err(|error| Error { code: ErrorCode::BadRequest, ..error })?;
        }
        let old = self.registry_then(from).await?;
        let new = self.registry_then(to).await?;
        Ok(MetadataDiff { from, to, steps: steps_between(&self.catalog, &old, &new) })
    }

    async fn registry_then(&self, version: i64) -> Result<Registry> {
        let past = self.past(version).await?;
        let Then { packs, own, .. } = self.definitions_then(&past).await?;
        let layers: Vec<Arc<_>> = packs.into_iter().chain([Arc::new(own)]).collect();
        // What does not read any more is told wherever it is in force.
        Ok(self.catalog.effective.refold(&layers).0)
    }
}
