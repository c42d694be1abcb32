//! The packs that come with a profile.

use engine_model::pack::Pack;
use engine_model::time::Timestamp;
use engine_store::{Tx, change, pack};

use super::known::newest;
use super::shipped::{self, Files};
use crate::digest::digest;
use crate::engine::Engine;
use crate::error::{Error, Result};

impl Engine {
    /// Installs the packs of a profile that the tenant does not have and never had.
    pub(crate) async fn install_profile(
        &self,
        tx: &mut Tx,
        profile: &str,
        has: &[pack::TenantPackRow],
        at: Timestamp,
    ) -> Result<()> {
        let Some(profile) = shipped::profile(profile) else { return Ok(()) };
        let missing: Vec<_> =
            profile.packs.iter().filter(|name| !has.iter().any(|row| row.name == name.as_str())).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let known = self.readable_packs();
        for name in missing {
            let (pack, files) = newest(&known, name, None)?;
            lay(tx, pack, files, "", at).await?;
        }
        Ok(())
    }
}

/// Lays a pack over those that the tenant has, or moves it to another version in its place.
pub(super) async fn lay(tx: &mut Tx, of: &Pack, files: &Files, remnant: &str, at: Timestamp) -> Result<()> {
    let source = serde_json::to_string(files).map_err(Error::internal)?;
    let (version, digest) = (of.version.to_string(), digest(&source));
    let document = serde_json::to_string(&of.document).map_err(Error::internal)?;
    let (name, source, document, digest) = (&of.name, &source, &document, &digest);
    let new = pack::NewPack { name, version: &version, source, document, digest, remnant };
    if of.layer.has_rollups() {
        let position = tx.head.sequence();
        change::start_following(tx, crate::rollups::FOLLOWER, position, at).await?;
    }
    Ok(pack::install(tx, &new, at).await?)
}
