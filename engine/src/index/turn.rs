//! A turn: what is done for one tenant's index at a time.

use std::time::Duration;

use engine_model::{Sequence, TenantId};
use tokio::time::Instant;

use super::feed::{Feed, PAGE};
use super::place::{Found, Place};
use super::slot::{Shown, Slot};
use super::snapshot::SearchView;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// After this long others get their turn, although there is more.
pub(super) const LONG: Duration = Duration::from_millis(100);

/// Edits after which they are made visible although nobody waits: a search that comes later has less to wait for.
const MANY: usize = 5_000;

/// What a turn has come to.
#[derive(Debug)]
pub(super) enum Turn {
    /// The index is open. Whatever is to be written takes another turn, once there is room for a writer.
    Opened,
    /// The log was applied, to its end or not.
    Followed { is_at_end: bool },
    /// There is no index that could be used, and why.
    NothingThere(String),
}

/// What came of opening an index.
pub(super) enum Opened {
    Feed(Box<Feed>),
    Nothing(String),
}

/// Opens a tenant's index, if there is one that this version reads and that was made from this log.
pub(super) async fn open(engine: &Engine, tenant: TenantId) -> Result<Opened> {
    let place = Place::of(&engine.inner.indexes.folder, tenant);
    let found = engine.inner.tasks.spawn_blocking(move || place.open()).await.map_err(Error::internal)?;
    let found = match found.map_err(Error::internal)? {
        Found::Index(found) => found,
        Found::Nothing(reason) => return Ok(Opened::Nothing(reason)),
    };
    let reached = found.1.reached();
    let mut reader = engine.store().read(tenant).await?;
    // Another database, or one that was set back, has another change there or none.
    let at = engine_store::change::time_of(&mut reader, reached.sequence).await?;
    if reached.sequence.0 > 0 && at != Some(reached.at) {
        return Ok(Opened::Nothing("the index was made from another log".to_owned()));
    }
    drop(reader);
    Ok(Opened::Feed(Box::new(Feed::resume(engine, tenant, *found).await?)))
}

/// Opens the index where it is not open; else applies what the log has, and makes visible what somebody waits for, or
/// all where it `commits`. The feed comes back unless there is none.
pub(super) async fn take(
    engine: Engine,
    slot: &Slot,
    feed: Option<Box<Feed>>,
    commits: bool,
) -> (Option<Box<Feed>>, Result<Turn>) {
    let Some(mut feed) = feed else {
        let opened = open(&engine, slot.tenant).await;
        slot.end_opening(opened.as_ref().err().map(Error::cause));
        return match opened {
            Ok(Opened::Feed(mut feed)) => {
                feed.show(slot);
                feed.release();
                (Some(feed), Ok(Turn::Opened))
            }
            Ok(Opened::Nothing(reason)) => (None, Ok(Turn::NothingThere(reason))),
            Err(error) => (None, Err(error)),
        };
    };
    let began = Instant::now();
    let followed = feed.follow_for(slot, began, commits).await;
    feed.release();
    engine.inner.indexes.counts.turns.add(began.elapsed());
    (Some(feed), followed.map(|is_at_end| Turn::Followed { is_at_end }))
}

impl Feed {
    /// Whether the log was applied to its end.
    async fn follow_for(&mut self, slot: &Slot, began: Instant, commits: bool) -> Result<bool> {
        let is_at_end = loop {
            let changes = self.follow().await?;
            slot.note_applied(self.sequence);
            self.engine.inner.indexes.counts.add_changes(changes);
            let is_at_end = changes < PAGE;
            let is_enough = slot.wanted().is_some_and(|wanted| is_at_end || self.sequence >= wanted);
            if (is_enough && self.has_news()) || self.pending >= MANY {
                self.commit_and_show(slot).await?;
            }
            if is_at_end || began.elapsed() > LONG {
                break is_at_end;
            }
        };
        if is_at_end && slot.wanted().is_none() {
            self.fill().await?;
        }
        if is_at_end && let Some(at) = slot.wants_fresh() {
            self.freshen(slot, at, began).await?;
        }
        if commits && self.has_news() {
            self.commit_and_show(slot).await?;
        }
        Ok(is_at_end)
    }

    pub(super) async fn commit_and_show(&mut self, slot: &Slot) -> Result<()> {
        self.commit().await?;
        self.show(slot);
        Ok(())
    }

    /// Shows what was committed.
    pub(super) fn show(&self, slot: &Slot) {
        slot.show(Shown::Ready(SearchView::new(self.tenant, self.index.view(), self.notes.clone(), self.due)));
        slot.set_size(Some(self.size));
    }

    /// Brings everything to disk and closes the index; how far what is on disk reaches.
    pub(super) async fn close(mut self: Box<Self>) -> (Sequence, Result<()>) {
        let committed = if self.has_news() { self.commit().await } else { Ok(()) };
        let index = self.index.clone();
        let persist = move || index.persist().and_then(|()| index.rest()).map_err(Error::internal);
        let persisted = self.blocking(persist).await;
        let (durable, tasks) = (self.index.durable(), self.engine.inner.tasks.clone());
        // Waited for, since the folder is not free before.
        let dropped = tasks.spawn_blocking(move || drop(self)).await.map_err(Error::internal);
        (durable, committed.and(persisted).and(dropped))
    }
}
