//! Making an index anew: all records, all links, then what the log has since.
//!
//! The position is taken first, so whatever changes meanwhile comes with the log once more. Until it is finished the
//! index says so in its notes, and one that is interrupted is begun again.

use std::collections::HashMap;

use engine_model::time::Timestamp;
use engine_model::{RecordId, TenantId};
use engine_search::{Index, LinkEnds, Pace};
use engine_store::association::{self, LinkKey};
use engine_store::record::{self, RecordRow};
use engine_store::{Head, change};

use super::feed::{Feed, PAGE};
use super::notes::Notes;
use super::place::{Generation, Place};
use super::progress::Progress;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};

/// Records from which an index is written with more threads and memory.
const MANY: i64 = 20_000;

/// Bytes that wait for the disk at most.
const UNPERSISTED: u64 = 64 << 20;

/// Links that are read at a time.
const LINKS: i64 = 5_000;

/// Pages of the log that are applied at most before the index is taken into use, where it has the rest applied.
const ROUNDS: usize = 1_000;

/// Makes the index of a tenant anew, beside the one in use. `began` is called once it is known how much there is.
pub(super) async fn build(
    engine: &Engine,
    tenant: TenantId,
    in_use: Option<Generation>,
    progress: &Progress,
    began: impl FnOnce(),
) -> Result<Feed> {
    let mut reader = engine.store().read(tenant).await?;
    let head = reader.head().await?;
    let at = change::time_of(&mut reader, head.sequence()).await?.unwrap_or(Timestamp(0));
    drop(reader);
    engine.saw_versions(tenant, head.metadata_version, head.access_version).await;
    progress.begin(head.last_record_id);
    began();
    let mut feed = begin(engine, tenant, in_use, &head).await?;
    (feed.sequence, feed.at) = (head.sequence(), at);
    feed.put_all(progress).await?;
    progress.end_records();
    feed.link_all().await?;
    feed.catch_up().await?;
    feed.write_notes(|notes| notes.is_unfinished = false);
    feed.commit().await?;
    let (index, pace) = (feed.index.clone(), pace_of(&head));
    let finish = move || {
        match pace {
            Pace::Steady => index.rest(),
            // What can be merged is merged once the index is in use.
            Pace::Bulk => index.settle(),
        }?;
        index.persist().map(|()| index.size())
    };
    feed.size = feed.blocking(move || finish().map_err(Error::internal)).await?;
    feed.release();
    Ok(feed)
}

fn pace_of(head: &Head) -> Pace {
    if head.last_record_id > MANY { Pace::Bulk } else { Pace::Steady }
}

/// An empty index.
async fn begin(engine: &Engine, tenant: TenantId, in_use: Option<Generation>, head: &Head) -> Result<Feed> {
    let place = Place::of(&engine.inner.indexes.folder, tenant);
    let pace = pace_of(head);
    let begin = move || {
        let generation = place.begin(in_use).map_err(Error::internal)?;
        let index = Index::create(&place.folder(generation), pace).map_err(Error::internal)?;
        Ok((generation, index, Notes::unfinished(tenant)))
    };
    let begun: Result<_> = engine.inner.tasks.spawn_blocking(begin).await.map_err(Error::internal)?;
    Feed::resume(engine, tenant, begun?).await
}

impl Feed {
    /// Puts every record, each page while the next one is read.
    async fn put_all(&mut self, progress: &Progress) -> Result<()> {
        let mut rows = self.read_after(RecordId(0)).await?;
        while let Some(last) = rows.last().map(RecordRow::record_id) {
            let count = rows.len();
            let (engine, tenant, portion) = (self.engine.clone(), self.tenant, self.portion);
            let next = async move { page(&engine, tenant, last, portion.rows()).await };
            let (put, next) = tokio::join!(self.put(rows), next);
            put?;
            progress.add(count);
            self.make_room().await?;
            rows = next?;
        }
        Ok(())
    }

    async fn read_after(&self, after: RecordId) -> Result<Vec<RecordRow>> {
        page(&self.engine, self.tenant, after, self.portion.rows()).await
    }

    /// Adds every link.
    async fn link_all(&mut self) -> Result<()> {
        let mut after = LinkKey::default();
        loop {
            let mut reader = self.engine.store().read(self.tenant).await?;
            let links = association::page(&mut reader, &after, LINKS).await?;
            drop(reader);
            let Some(last) = links.last() else { return Ok(()) };
            after = last.clone();
            let ends = |link: LinkKey| {
                let (from, to) = (RecordId(link.from_id), RecordId(link.to_id));
                (LinkEnds { association: link.kind, from, to }, true)
            };
            // Each is read once and none is in the index yet, which is what being above the highest id means.
            self.apply_links(links.into_iter().map(ends).collect::<HashMap<_, _>>(), -1).await?;
            self.make_room().await?;
        }
    }

    /// Applies what the log has, as long as that is much.
    async fn catch_up(&mut self) -> Result<()> {
        for _ in 0..ROUNDS {
            if self.follow().await? < PAGE {
                break;
            }
            self.make_room().await?;
        }
        Ok(())
    }

    /// Brings to disk what has gathered in memory, where that is much; ends where the engine closes.
    async fn make_room(&mut self) -> Result<()> {
        if self.engine.inner.stopping.is_cancelled() {
            return Err(Error::new(ErrorCode::Unavailable, "the engine is closing"));
        }
        if self.index.unpersisted_bytes() < UNPERSISTED {
            return Ok(());
        }
        self.commit().await?;
        self.persist().await
    }
}

async fn page(engine: &Engine, tenant: TenantId, after: RecordId, rows: usize) -> Result<Vec<RecordRow>> {
    let mut reader = engine.store().read(tenant).await?;
    let limit = i64::try_from(rows).unwrap_or(1);
    Ok(record::page(&mut reader, after, limit).await?)
}
