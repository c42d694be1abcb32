//! The end: what has begun is finished, and all indexes are brought to disk, within bounds.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;

use super::Keeper;
use crate::index::feed::PAGE;

/// How long that may take. What is not on disk by then is taken from the log at the next start.
const PATIENCE: Duration = Duration::from_secs(15);
/// Indexes that are brought to disk at a time.
const AT_A_TIME: usize = 2;

impl Keeper {
    pub(super) async fn end(mut self) {
        if tokio::time::timeout(PATIENCE, self.bring_all_to_disk()).await.is_err() {
            tracing::warn!("not all search indexes are on disk; they follow the log from where they are");
        }
    }

    async fn bring_all_to_disk(&mut self) {
        while let Some((tenant, _, feed, _)) = self.turns.under_way.next().await {
            if let Some(tended) = self.tended.get_mut(&tenant) {
                tended.feed = feed;
            }
        }
        // Those that are being made stop by themselves.
        while self.builds.under_way.next().await.is_some() {}
        while self.builds.removals.next().await.is_some() {}
        while self.chores.under_way.next().await.is_some() {}
        while self.room.closings.next().await.is_some() {}
        let feeds = self.tended.drain().filter_map(|(_, tended)| tended.feed);
        let closings = stream::iter(feeds).map(|mut feed| async move {
            let tenant = feed.tenant;
            // What comes later, or cannot be read, is taken from the log at the next start.
            while feed.follow().await.is_ok_and(|changes| changes == PAGE) {}
            if let (_, Err(error)) = feed.close().await {
                tracing::warn!(tenant.id = %tenant, %error, source = error.source.as_deref(), "a search index cannot be brought to disk");
            }
        });
        closings.buffer_unordered(AT_A_TIME).for_each(|()| async {}).await;
    }
}
