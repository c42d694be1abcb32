//! Looking at all logs: at first, when signals may have been lost, and now and then.

use std::time::Duration;

use engine_model::{Sequence, TenantId};
use engine_store::change;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Keeper;
use crate::error::Result;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);
/// After one that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// Tenants that are looked at in one statement.
const TENANTS: i64 = 1_000;

/// Where the logs of some tenants stand.
type Heads = Vec<(TenantId, Sequence)>;

/// When all logs are looked at, and how far that is.
pub(super) struct Look {
    /// When the next statement is due.
    pub(super) due: Instant,
    /// The last tenant that was looked at; 0 at the beginning.
    after: i64,
    /// Signals were lost since it began.
    has_to_begin_anew: bool,
    pub(super) under_way: FuturesUnordered<BoxFuture<'static, Result<Heads>>>,
}

impl Look {
    pub(super) fn new(now: Instant) -> Self {
        Self { due: now, after: 0, has_to_begin_anew: false, under_way: FuturesUnordered::new() }
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
                for (tenant, head) in heads {
                    // Nothing has ever happened there, and nobody needs an index to find nothing.
                    if head.0 > 0 {
                        self.note_head(tenant, head);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "changes for the search indexes cannot be looked for; it is tried again");
                self.look.due = now + AGAIN;
            }
        }
    }
}
