//! How far roll-ups are, for whoever wants to see those of a write that was acknowledged before.

use std::time::Duration;

use engine_model::Sequence;
use tokio::time::Instant;

use super::follow::FOLLOWER;
use crate::error::Result;
use crate::session::Session;

/// How long a read waits for roll-ups before it takes what there is.
const PATIENCE: Duration = Duration::from_secs(1);

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
        if depth == 0 || !progress.is_followed() || progress.of(tenant) >= position {
            return Ok(false);
        }
        let (mut position, deadline) = (position, Instant::now() + PATIENCE);
        for _ in 0..depth {
            if !progress.reach(self.engine.store(), tenant, FOLLOWER, position, deadline).await? {
                break;
            }
            // What was written on the way is what the next roll-up is made of.
            position = self.position().await?;
        }
        Ok(true)
    }
}
