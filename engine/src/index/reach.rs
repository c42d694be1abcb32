//! Waiting until an index has reached a position of the log.

use std::time::Duration;

use engine_model::query::{Field, Formerly};
use engine_model::time::Timestamp;
use engine_model::{Sequence, TenantId};
use tokio::time::Instant;

use super::Call;
use super::slot::{Shown, Slot};
use super::snapshot::SearchView;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};

/// How long a search waits for its index.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits for what the index is being filled with, if it can be asked for something else instead.
const SOON: Duration = Duration::from_millis(500);

impl Engine {
    /// The tenant's index as soon as it has reached `at_least`, which is at once where it has already; position 0 takes
    /// whatever can be seen.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`] where the index is being made, or does not get there within 5 seconds.
    pub async fn search_view(&self, tenant: TenantId, at_least: Sequence) -> Result<SearchView> {
        self.reach(tenant, at_least, None, Instant::now() + PATIENCE).await
    }

    /// The same with the values of `now`, where they depend on the time.
    ///
    /// # Errors
    /// As for [`Engine::search_view`].
    pub(crate) async fn fresh_view(&self, tenant: TenantId, at_least: Sequence, now: Timestamp) -> Result<SearchView> {
        self.reach(tenant, at_least, Some(now), Instant::now() + PATIENCE).await
    }

    /// The same once all values of these fields are in it, which takes a moment after their definitions have changed;
    /// with the values of `fresh_at`, where they depend on the time. `formerly` is what they were asked for as.
    ///
    /// # Errors
    /// As for [`Engine::search_view`]; and where the values are not all there within 5 seconds, how far that is, or
    /// soon where it can be asked for something else: see [`unfilled`](super::unfilled).
    pub(crate) async fn filled_view(
        &self,
        tenant: TenantId,
        at_least: Sequence,
        fresh_at: Option<Timestamp>,
        fields: &[&Field],
        formerly: &Formerly,
    ) -> Result<SearchView> {
        let (deadline, soon) = (Instant::now() + PATIENCE, Instant::now() + SOON);
        let slot = self.inner.indexes.slot(tenant);
        let mut shown = slot.watch();
        loop {
            drop(shown.borrow_and_update());
            let view = self.reach(tenant, at_least, fresh_at, deadline).await?;
            let Err(unfilled) = view.check_filled(fields.iter().copied()) else { return Ok(view) };
            let until = match view.formerly() == *formerly {
                true => deadline,
                false if view.is_soon_filled() => soon,
                false => return Err(unfilled),
            };
            match tokio::time::timeout_at(until, shown.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(closing()),
                Err(_) => return Err(unfilled),
            }
        }
    }

    /// Waits until the index of `at_least` has what the definitions of some objects say now, for five seconds; whether
    /// it has. One that cannot be had is not waited for.
    pub(crate) async fn has_filled(&self, tenant: TenantId, at_least: Sequence, objects: &[String]) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.inner.indexes.slot(tenant).watch();
        loop {
            drop(shown.borrow_and_update());
            let Ok(view) = self.reach(tenant, at_least, None, deadline).await else { return true };
            if !view.filling().any(|(object, _)| objects.iter().any(|filled| filled == object)) {
                return true;
            }
            match tokio::time::timeout_at(deadline, shown.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return true,
                Err(_) => return false,
            }
        }
    }

    pub(super) async fn reach(
        &self,
        tenant: TenantId,
        at_least: Sequence,
        fresh_at: Option<Timestamp>,
        deadline: Instant,
    ) -> Result<SearchView> {
        let slot = self.inner.indexes.slot(tenant);
        slot.touch();
        let mut shown = slot.watch();
        if let Some(view) = ready(&slot, &shown.borrow_and_update(), at_least, fresh_at)? {
            return Ok(view);
        }
        let (_waiter, is_first) = slot.wait(at_least, fresh_at);
        if is_first {
            self.inner.indexes.call(Call::Reach(tenant));
        }
        let reached = async {
            loop {
                if let Some(view) = ready(&slot, &shown.borrow_and_update(), at_least, fresh_at)? {
                    return Ok(view);
                }
                if shown.changed().await.is_err() {
                    return Err(closing());
                }
            }
        };
        let stopping = self.stopping();
        tokio::select! {
            reached = tokio::time::timeout_at(deadline, reached) => reached.unwrap_or_else(|_| Err(late(&slot))),
            () = stopping.cancelled() => Err(closing()),
        }
    }
}

/// What is shown, if it is enough; an error where it will not be for long.
fn ready(slot: &Slot, shown: &Shown, at_least: Sequence, fresh_at: Option<Timestamp>) -> Result<Option<SearchView>> {
    let is_enough = |view: &SearchView| view.sequence() >= at_least && fresh_at.is_none_or(|at| view.is_fresh(at));
    match shown {
        Shown::Ready(view) if is_enough(view) => Ok(Some(view.clone())),
        Shown::Building(progress) if progress.takes_long() => Err(failing(slot).unwrap_or_else(|| progress.error())),
        Shown::Ready(_) | Shown::Closed | Shown::Building(_) => Ok(None),
    }
}

fn late(slot: &Slot) -> Error {
    let slow = || {
        let detail = format!("the search index did not catch up within {} seconds; try again", PATIENCE.as_secs());
        Error::new(ErrorCode::Unavailable, detail)
    };
    match &*slot.watch().borrow() {
        Shown::Ready(_) => slow(),
        Shown::Building(progress) => failing(slot).unwrap_or_else(|| progress.error()),
        Shown::Closed => failing(slot).unwrap_or_else(slow),
    }
}

/// What is told where there is no index and none could be made. The reason may name folders, which are not for callers.
fn failing(slot: &Slot) -> Option<Error> {
    let detail = "the search index cannot be built; the log of the server tells its operator why, and it is tried again \
                  by itself; lists and reads by id work";
    slot.failure().map(|_| Error::new(ErrorCode::Unavailable, detail))
}

fn closing() -> Error {
    Error::new(ErrorCode::Unavailable, "the server is closing")
}
