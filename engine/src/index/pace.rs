//! Writes give way to the index that has to follow them: under a flood of writes it would otherwise fall further and
//! further behind, and whoever needs what was just written would wait for all of the flood.

use std::time::Duration;

use engine_model::TenantId;

use super::slot::Slot;
use crate::engine::Engine;

/// Changes by which an index may be behind what somebody waits for. Catching up with them takes well below a second.
const BEHIND_THE_WANTED: i64 = 3_000;

/// Changes that may be left to apply while nobody waits. Whoever comes then is patient for five seconds, which is time
/// for all of them.
const UNAPPLIED: i64 = 25_000;

/// How long a write waits at most: an index that cannot be written keeps nobody from writing.
const PATIENCE: Duration = Duration::from_millis(500);

/// An index that was not written for so long does not follow, and is not waited for.
const STALLED: Duration = Duration::from_secs(1);

impl Engine {
    /// Waits a moment where the tenant's index is far behind.
    pub(crate) async fn give_way_to_the_index(&self, tenant: TenantId) {
        let Some(slot) = self.inner.indexes.known_slot(tenant).filter(|slot| is_far_behind(slot)) else { return };
        let (mut shown, mut applied) = (slot.watch(), slot.watch_applied());
        let caught_up = async {
            while is_far_behind(&slot) {
                let moved = tokio::select! {
                    moved = shown.changed() => moved,
                    moved = applied.changed() => moved,
                };
                if moved.is_err() {
                    break;
                }
            }
        };
        // Time being over is as good a reason to go on.
        drop(tokio::time::timeout(PATIENCE, caught_up).await);
    }
}

fn is_far_behind(slot: &Slot) -> bool {
    slot.is_waited_for_by(BEHIND_THE_WANTED) || slot.has_unapplied(UNAPPLIED, STALLED)
}
