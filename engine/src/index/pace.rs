//! Writes give way to searches that wait: under a flood of writes an index would otherwise fall further and further
//! behind, and whoever needs what was just written would wait for all of the flood.

use std::time::Duration;

use engine_model::TenantId;

use crate::engine::Engine;

/// Changes by which an index may be behind what somebody waits for. Catching up with them takes well below a second.
const BEHIND: i64 = 3_000;

/// How long a write waits at most: an index that cannot be written keeps nobody from writing.
const PATIENCE: Duration = Duration::from_millis(500);

impl Engine {
    /// Waits a moment where somebody waits for the tenant's index, and it is far behind.
    pub(crate) async fn give_way_to_searches(&self, tenant: TenantId) {
        let Some(slot) = self.inner.indexes.known_slot(tenant).filter(|slot| slot.is_waited_for_by(BEHIND)) else {
            return;
        };
        let mut shown = slot.watch();
        let caught_up = async {
            while slot.is_waited_for_by(BEHIND) {
                if shown.changed().await.is_err() {
                    break;
                }
            }
        };
        // Time being over is as good a reason to go on.
        drop(tokio::time::timeout(PATIENCE, caught_up).await);
    }
}
