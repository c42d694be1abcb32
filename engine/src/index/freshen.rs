//! Putting records again whose values depend on the time, once somebody asks for them.

use engine_model::time::Timestamp;
use tokio::time::Instant;

use super::feed::Feed;
use super::slot::Slot;
use super::turn::LONG;
use crate::error::{Error, Result};

/// Records that are put at a time.
const AT_A_TIME: usize = 1_000;

impl Feed {
    /// Puts the records whose values are others at `at` than they are in the index, and shows them; stops where the turn
    /// has been long.
    pub(super) async fn freshen(&mut self, slot: &Slot, at: Timestamp, began: Instant) -> Result<()> {
        while self.due.is_some_and(|due| due <= at) {
            if self.has_news() {
                self.commit_and_show(slot).await?;
            }
            let view = self.index.view();
            let due = self.blocking(move || view.due(at, AT_A_TIME).map_err(Error::internal)).await?;
            if due.is_empty() {
                let view = self.index.view();
                self.due = self.blocking(move || view.next_due().map_err(Error::internal)).await?;
                break;
            }
            let reader = self.engine.store().read(self.tenant).await?;
            // Those that are gone go with the log.
            self.put_many(reader, due.into_iter().map(|id| id.0).collect()).await?;
            if began.elapsed() > LONG {
                break;
            }
        }
        // Whoever waits is to see it, also where there was nothing to put.
        if self.has_news() {
            self.commit().await?;
        }
        self.show(slot);
        Ok(())
    }
}
