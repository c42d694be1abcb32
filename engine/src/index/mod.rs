//! The search indexes of this node: one for each tenant, fed by the change log.
//!
//! An index is derived and can be thrown away at any time. Its position is its own, not the tenant's: every node has
//! indexes of its own, so following them is no matter of [`Follower`](crate::Follower)s. One task, the
//! [keeper](keeper), gives tenants their turns; a turn applies what the log has and makes it visible where somebody
//! waits. What is visible becomes durable behind, and after a crash the log is followed from where that was.

mod agenda;
mod build;
mod check;
mod compose;
mod counts;
mod feed;
mod fill;
mod freshen;
mod keeper;
mod notes;
mod pace;
mod page;
mod place;
mod portion;
mod progress;
mod queue;
mod reach;
mod reindex;
mod slot;
mod snapshot;
mod status;
mod tended;
mod turn;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_model::TenantId;
use tokio::sync::Notify;

pub use check::IndexCheck;
pub use snapshot::SearchView;
pub(crate) use snapshot::unfilled;
pub use status::{Done, IndexStatus, TenantIndex};

pub(crate) use keeper::start;

use counts::Counts;
use slot::Slot;
use tended::Answer;

/// All indexes of one node, as they are seen from outside of the keeper.
#[derive(Debug)]
pub(crate) struct Indexes {
    /// Where they stand, a folder for each tenant.
    folder: PathBuf,
    slots: Mutex<HashMap<TenantId, Arc<Slot>>>,
    /// What the keeper has not been told yet.
    calls: Mutex<Vec<Call>>,
    called: Notify,
    counts: Counts,
    /// Writers that are open.
    writers: AtomicU64,
    /// Whether all logs are followed, and what is missing is made by itself.
    follows: AtomicBool,
}

/// What the keeper is asked for.
#[derive(Debug)]
enum Call {
    /// Somebody waits for more than can be seen.
    Reach(TenantId),
    /// A search could not read the index; its files are to be looked at.
    Suspect(TenantId),
    /// The index is to be made anew.
    Rebuild(TenantId, Answer),
}

impl Indexes {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            slots: Mutex::default(),
            calls: Mutex::default(),
            called: Notify::new(),
            counts: Counts::default(),
            writers: AtomicU64::new(0),
            follows: AtomicBool::new(false),
        }
    }

    /// A tenant's slot.
    fn slot(&self, tenant: TenantId) -> Arc<Slot> {
        Arc::clone(self.slots().entry(tenant).or_insert_with(|| Slot::new(tenant)))
    }

    /// A tenant's slot, if anything is known of its index.
    fn known_slot(&self, tenant: TenantId) -> Option<Arc<Slot>> {
        self.slots().get(&tenant).cloned()
    }

    /// Every slot.
    fn all_slots(&self) -> Vec<Arc<Slot>> {
        self.slots().values().cloned().collect()
    }

    /// Forgets a slot that nobody has but the keeper, which gives it up.
    fn forget(&self, slot: Arc<Slot>) {
        let mut slots = self.slots();
        // One here, one in the map.
        if Arc::strong_count(&slot) <= 2 {
            slots.remove(&slot.tenant);
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the keeper.
    fn call(&self, call: Call) {
        self.calls().push(call);
        self.called.notify_one();
    }

    /// A search could not read the index: has its files looked at, and the index made anew if they are damaged.
    pub(crate) fn suspect(&self, tenant: TenantId) {
        self.call(Call::Suspect(tenant));
    }

    fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls())
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
