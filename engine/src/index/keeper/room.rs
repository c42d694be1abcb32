//! Room: how many indexes are open and how many are written at a time. Who was used least lately gives way.

use std::collections::{HashMap, VecDeque};

use engine_model::{Sequence, TenantId};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Keeper;
use crate::error::Result;
use crate::index::slot::Shown;
use crate::index::tended::{Standing, Tended};

/// Writers that are open at a time, about; each takes threads and memory.
const WRITERS: usize = 4;
/// Writers with which no other is opened before one has ended: ending one takes a while.
const MOST_WRITERS: usize = 6;
/// Indexes that are open at a time, about. Opening one takes a few milliseconds; an open one keeps its files mapped.
const OPEN: usize = 64;
/// Indexes that are opened although nobody has asked for them, and nothing is missing in them.
pub(super) const OPENED_UNASKED: usize = 32;

/// An index that was closed: whose, how far what is on disk reaches, and whether that is all.
type ClosingEnd = (TenantId, Sequence, Result<()>);

/// What is open, and what was closed to make room.
#[derive(Default)]
pub(super) struct Room {
    /// Tenants with an open writer, and when each was written last.
    writers: HashMap<TenantId, Instant>,
    /// How far indexes reach that are closed.
    closed: HashMap<TenantId, Sequence>,
    /// Tenants whose turn has come, but for a writer.
    waiting: VecDeque<TenantId>,
    pub(super) closings: FuturesUnordered<BoxFuture<'static, ClosingEnd>>,
}

impl Room {
    /// A tenant's index was written.
    pub(super) fn wrote(&mut self, tenant: TenantId, at: Instant) {
        self.writers.insert(tenant, at);
    }

    /// A tenant's index has no writer any more.
    pub(super) fn rested(&mut self, tenant: TenantId) {
        self.writers.remove(&tenant);
    }

    /// Whether another writer would make one give way.
    pub(super) fn is_crowded(&self) -> bool {
        self.writers.len() >= WRITERS
    }

    /// How many writers there are.
    pub(super) fn writers(&self) -> u64 {
        u64::try_from(self.writers.len()).unwrap_or(u64::MAX)
    }

    /// Whether a closed index reaches that far.
    pub(super) fn has_reached(&self, tenant: TenantId, head: Sequence) -> bool {
        self.closed.get(&tenant).is_some_and(|reached| *reached >= head)
    }

    /// A tenant's index is not open, and on disk it reaches that far.
    pub(super) fn found_closed(&mut self, tenant: TenantId, reached: Sequence) {
        self.closed.insert(tenant, reached);
    }

    /// Whether it is known how far a closed index reaches.
    pub(super) fn knows(&self, tenant: TenantId) -> bool {
        self.closed.contains_key(&tenant)
    }

    /// A tenant's index is opened again.
    pub(super) fn forget(&mut self, tenant: TenantId) {
        self.closed.remove(&tenant);
    }
}

impl Keeper {
    /// Whether a turn would open one writer too many.
    pub(super) fn has_to_wait_for_a_writer(&self, tenant: TenantId) -> bool {
        let may_open_one = |tended: &Tended| tended.feed.is_some() && tended.written.is_none();
        self.room.writers.len() >= MOST_WRITERS && self.tended.get(&tenant).is_some_and(may_open_one)
    }

    pub(super) fn wait_for_a_writer(&mut self, tenant: TenantId) {
        if let Some(tended) = self.tended.get_mut(&tenant) {
            tended.standing = Standing::Idle;
            if !self.room.waiting.contains(&tenant) {
                self.room.waiting.push_back(tenant);
            }
        }
        self.make_room();
    }

    /// Goes on with those who have waited for a writer, if there is room for one by now.
    pub(super) fn admit_writers(&mut self) {
        if self.room.writers.len() < MOST_WRITERS {
            for tenant in std::mem::take(&mut self.room.waiting) {
                self.plan_turn(tenant);
            }
        }
    }

    /// Has writers end and indexes closed where there are too many.
    pub(super) fn make_room(&mut self) {
        let gives_way = |tenant: &TenantId| self.tended.get(tenant).is_some_and(|tended| tended.gives_way);
        let leaving = self.room.writers.keys().filter(|tenant| gives_way(tenant)).count();
        for _ in WRITERS..self.room.writers.len() - leaving {
            self.make_writer_give_way();
        }
        if self.tended.len() > OPEN {
            self.close_one();
        }
    }

    fn make_writer_give_way(&mut self) {
        let may_leave = |tenant: &TenantId| {
            self.tended.get(tenant).is_some_and(|tended| !tended.gives_way && tended.standing != Standing::AtWork)
        };
        let oldest = self.room.writers.iter().filter(|(tenant, _)| may_leave(tenant)).min_by_key(|(_, at)| **at);
        let Some(tenant) = oldest.map(|(tenant, _)| *tenant) else { return };
        if let Some(tended) = self.tended.get_mut(&tenant) {
            tended.gives_way = true;
        }
        self.plan(tenant);
    }

    fn close_one(&mut self) {
        let at_rest = self.tended.iter().filter(|(_, tended)| tended.is_at_rest());
        let oldest = at_rest.min_by_key(|(_, tended)| tended.last_used()).map(|(tenant, _)| *tenant);
        let Some((tenant, tended)) = oldest.and_then(|tenant| Some((tenant, self.tended.get_mut(&tenant)?))) else {
            return;
        };
        let Some(feed) = tended.feed.take() else { return };
        tended.standing = Standing::AtWork;
        tended.index = None;
        tended.slot.show(Shown::Closed);
        tended.slot.set_size(None);
        let closed = self.engine.inner.tasks.spawn(async move { feed.close().await });
        let ended = async move {
            let (durable, closed) =
                closed.await.unwrap_or_else(|panic| (Sequence(0), Err(crate::error::Error::internal(panic))));
            (tenant, durable, closed)
        };
        self.room.closings.push(ended.boxed());
    }

    pub(super) fn end_closing(&mut self, (tenant, durable, closed): ClosingEnd) {
        self.room.rested(tenant);
        if let Err(error) = closed {
            tracing::warn!(tenant.id = %tenant, %error, source = error.source.as_deref(), "a search index was closed before all was on disk; it follows the log from there");
        }
        let Some(mut tended) = self.tended.remove(&tenant) else { return };
        (tended.standing, tended.written, tended.gives_way) = (Standing::Idle, None, false);
        if tended.head > durable || tended.slot.wanted().is_some() || !tended.answers.is_empty() {
            // It is needed again already.
            self.tended.insert(tenant, tended);
            self.plan(tenant);
            return;
        }
        self.turns.later.set(tenant, None);
        self.chores.later.set(tenant, None);
        self.room.found_closed(tenant, durable);
        self.indexes().forget(tended.slot);
    }

    /// Gives up an index whose folder is gone.
    pub(super) fn give_up_lost(&mut self, tenant: TenantId) {
        if self.tended.get(&tenant).is_some_and(|tended| tended.is_lost && tended.standing != Standing::AtWork) {
            self.lose_index(tenant);
        }
    }

    /// Gives up an index that something is wrong with, so that it is opened again.
    pub(super) fn lose_index(&mut self, tenant: TenantId) {
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        let lost = (tended.feed.take(), tended.index.take());
        (tended.written, tended.gives_way, tended.is_lost) = (None, false, false);
        self.room.rested(tenant);
        // Ending a writer may take a while.
        drop(self.engine.inner.tasks.spawn_blocking(move || drop(lost)));
    }
}
