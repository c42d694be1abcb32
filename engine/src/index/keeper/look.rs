//! Looking at all logs: at first, when signals may have been lost, and now and then.

use std::time::Duration;

use engine_model::{Sequence, TenantId};
use engine_store::change;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Keeper;
use super::room::OPENED_UNASKED;
use crate::error::Result;
use crate::index::place::Place;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);
/// After one that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// Tenants that are looked at in one statement.
const TENANTS: i64 = 1_000;

/// Where the logs of some tenants stand.
type Heads = Vec<(TenantId, Sequence)>;

/// Where the logs of some tenants stand, and how far their indexes reach on disk, as far as that can be told.
pub(super) type Peeked = Vec<(TenantId, Sequence, Option<Sequence>)>;

/// When all logs are looked at, and how far that is.
pub(super) struct Look {
    /// When the next statement is due.
    pub(super) due: Instant,
    /// The last tenant that was looked at; 0 at the beginning.
    after: i64,
    /// Signals were lost since it began.
    has_to_begin_anew: bool,
    pub(super) under_way: FuturesUnordered<BoxFuture<'static, Result<Heads>>>,
    /// Looks at how far indexes reach that are not open.
    pub(super) peeks: FuturesUnordered<BoxFuture<'static, Peeked>>,
}

impl Look {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            due: now,
            after: 0,
            has_to_begin_anew: false,
            under_way: FuturesUnordered::new(),
            peeks: FuturesUnordered::new(),
        }
    }

    /// What was found so far may be out of date.
    pub(super) fn begin_anew(&mut self) {
        self.due = Instant::now();
        self.has_to_begin_anew = self.after > 0 || !self.is_idle();
    }

    /// Whether the next statement is still to be sent.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }
}

impl Keeper {
    pub(super) fn begin_look(&mut self) {
        let (store, after) = (self.engine.store().clone(), self.look.after);
        let heads = async move { Ok(change::heads(&store, after, TENANTS).await?) };
        self.look.under_way.push(heads.boxed());
    }

    pub(super) fn end_look(&mut self, heads: Result<Heads>) {
        let now = Instant::now();
        match heads {
            Ok(heads) => {
                let is_last = i64::try_from(heads.len()).is_ok_and(|count| count < TENANTS);
                self.look.after = heads.last().filter(|_| !is_last).map_or(0, |(tenant, _)| tenant.0);
                let is_over = is_last && !std::mem::take(&mut self.look.has_to_begin_anew);
                self.look.due = if is_over { now + EVERY } else { now };
                // Where nothing has ever happened nobody needs an index to find nothing.
                self.note_heads(heads.into_iter().filter(|(_, head)| head.0 > 0));
            }
            Err(error) => {
                tracing::warn!(%error, "changes for the search indexes cannot be looked for; it is tried again");
                self.look.due = now + AGAIN;
            }
        }
    }

    /// Opens some indexes that nobody has asked for yet, and looks at the others from outside: with thousands of tenants
    /// nearly all of them miss nothing, and are not used for long.
    fn note_heads(&mut self, heads: impl Iterator<Item = (TenantId, Sequence)>) {
        let mut unknown = Vec::new();
        for (tenant, head) in heads {
            let is_known = self.tended.contains_key(&tenant) || self.room.knows(tenant);
            if is_known || self.tended.len() < OPENED_UNASKED {
                self.note_head(tenant, head);
            } else {
                unknown.push((tenant, head));
            }
        }
        if unknown.is_empty() {
            return;
        }
        let folder = self.indexes().folder.clone();
        let peek = self.engine.inner.tasks.spawn_blocking(move || {
            let reached = |tenant| Place::of(&folder, tenant).peek();
            unknown.into_iter().map(|(tenant, head)| (tenant, head, reached(tenant))).collect()
        });
        self.look.peeks.push(peek.map(Result::unwrap_or_default).boxed());
    }

    /// Opens indexes that miss something, and those of which that cannot be told.
    pub(super) fn end_peek(&mut self, peeked: Peeked) {
        for (tenant, head, reached) in peeked {
            if let Some(reached) = reached.filter(|_| !self.tended.contains_key(&tenant)) {
                self.room.found_closed(tenant, reached);
            }
            self.note_head(tenant, head);
        }
    }
}
