//! One tenant's place at the indexes: what can be seen, and who waits for more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_model::time::Timestamp;
use engine_model::{Sequence, TenantId};
use engine_search::IndexSize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::progress::Progress;
use super::snapshot::SearchView;

/// What can be seen of a tenant's index.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// It is not open.
    Closed,
    /// It is being made, and there is none as long as that takes.
    Building(Arc<Progress>),
    /// This.
    Ready(SearchView),
}

/// One tenant's place at the indexes.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) tenant: TenantId,
    shown: watch::Sender<Shown>,
    applied: watch::Sender<Option<Applied>>,
    state: Mutex<State>,
}

/// How far the log is in the index, seen or not, and since when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Applied {
    sequence: Sequence,
    at: Instant,
}

#[derive(Debug, Default)]
struct State {
    /// How many wait for more than can be seen.
    waiting: usize,
    /// The highest position that one of them needs.
    wanted: Sequence,
    /// The latest moment whose values one of them needs.
    fresh_at: Option<Timestamp>,
    /// Somebody has begun to wait, and the keeper does not know yet.
    has_called: bool,
    /// When a search asked last.
    asked: Option<Instant>,
    /// Where the log is known to stand.
    head: Sequence,
    /// Since when that is further than what can be seen.
    behind_since: Option<Instant>,
    /// What the files took when that was looked at last; none where the index is closed.
    size: Option<IndexSize>,
    /// Somebody has asked for it to be made anew, and it has not been.
    is_asked_anew: bool,
    /// How far the making has come, as long as that takes.
    making: Option<Arc<Progress>>,
    /// Why the last one came to nothing.
    failure: Option<String>,
    /// Why what is there cannot be opened.
    obstacle: Option<String>,
}

/// Somebody who waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiter {
    slot: Arc<Slot>,
}

impl Slot {
    pub(super) fn new(tenant: TenantId) -> Arc<Self> {
        let (shown, applied) = (watch::channel(Shown::Closed).0, watch::channel(None).0);
        Arc::new(Self { tenant, shown, applied, state: Mutex::default() })
    }

    /// What can be seen now and later.
    pub(super) fn watch(&self) -> watch::Receiver<Shown> {
        self.shown.subscribe()
    }

    /// The log was applied up to here.
    pub(super) fn note_applied(&self, sequence: Sequence) {
        self.applied.send_replace(Some(Applied { sequence, at: Instant::now() }));
    }

    /// How far the log is applied now and later.
    pub(super) fn watch_applied(&self) -> watch::Receiver<Option<Applied>> {
        self.applied.subscribe()
    }

    /// Whether more than `changes` are left to apply to an index that was written within `lately`.
    pub(super) fn has_unapplied(&self, changes: i64, lately: Duration) -> bool {
        let Some(applied) = *self.applied.borrow() else { return false };
        self.state().head.0.saturating_sub(applied.sequence.0) > changes && applied.at.elapsed() < lately
    }

    /// Shows something else. What is ready is never taken back for what reaches less far.
    pub(super) fn show(&self, shown: Shown) {
        self.shown.send_modify(|now| {
            if now.sequence().is_none_or(|now| shown.sequence().is_none_or(|next| next >= now)) {
                *now = shown;
            }
        });
        self.note_head(Sequence(0));
    }

    /// Shows that the index is being made, unless there is another one to be seen.
    pub(super) fn show_building(&self, progress: &Arc<Progress>) {
        self.shown.send_modify(|now| {
            if now.sequence().is_none() {
                *now = Shown::Building(Arc::clone(progress));
            }
        });
    }

    /// How far what can be seen reaches; none where nothing can be.
    pub(super) fn shown_sequence(&self) -> Option<Sequence> {
        self.shown.borrow().sequence()
    }

    /// Whether the index is being made, and there is none as long as that takes.
    pub(super) fn is_building(&self) -> bool {
        matches!(&*self.shown.borrow(), Shown::Building(_))
    }

    /// Begins to wait for a position, and for the values of a moment where they depend on the time; whether the keeper
    /// has to be told.
    pub(super) fn wait(self: &Arc<Self>, wanted: Sequence, fresh_at: Option<Timestamp>) -> (Waiter, bool) {
        let mut state = self.state();
        state.waiting += 1;
        state.wanted = state.wanted.max(wanted);
        state.fresh_at = state.fresh_at.max(fresh_at);
        let was_told = std::mem::replace(&mut state.has_called, true);
        (Waiter { slot: Arc::clone(self) }, !was_told)
    }

    /// The keeper has been told; who begins to wait from here on tells it again.
    pub(super) fn hear(&self) {
        self.state().has_called = false;
    }

    /// The position that is waited for, if anybody needs more than can be seen.
    pub(super) fn wanted(&self) -> Option<Sequence> {
        let (is_waiting, wanted) = {
            let state = self.state();
            (state.waiting > 0, state.wanted)
        };
        let has_less = || self.shown_sequence().is_none_or(|shown| shown < wanted);
        (is_waiting && (has_less() || self.wants_fresh().is_some())).then_some(wanted)
    }

    /// The moment whose values are waited for, if what can be seen has older ones.
    pub(super) fn wants_fresh(&self) -> Option<Timestamp> {
        let at = self.state().fresh_at?;
        (!self.shown.borrow().is_fresh(at)).then_some(at)
    }

    /// Whether somebody waits for what an open index has not reached, and more than `changes` are missing in it.
    pub(super) fn is_waited_for_by(&self, changes: i64) -> bool {
        let Some((wanted, shown)) = self.wanted().zip(self.shown_sequence()) else { return false };
        self.state().head.max(wanted).0.saturating_sub(shown.0) > changes
    }

    /// A search asks.
    pub(super) fn touch(&self) {
        self.state().asked = Some(Instant::now());
    }

    /// When a search asked last.
    pub(super) fn last_asked(&self) -> Option<Instant> {
        self.state().asked
    }

    /// The log stands at least here.
    pub(super) fn note_head(&self, head: Sequence) {
        let mut state = self.state();
        state.head = state.head.max(head);
        let is_behind = self.shown_sequence().unwrap_or_default() < state.head;
        state.behind_since = is_behind.then(|| state.behind_since.unwrap_or_else(Instant::now));
    }

    /// By how many changes, and since when, the log is further than what can be seen.
    pub(super) fn lag(&self) -> Option<(i64, Instant)> {
        let state = self.state();
        let shown = self.shown_sequence().unwrap_or_default();
        state.behind_since.map(|since| (state.head.0.saturating_sub(shown.0), since))
    }

    /// What the index takes; none where it is closed.
    pub(super) fn set_size(&self, size: Option<IndexSize>) {
        self.state().size = size;
    }

    /// What the index takes: its files as they were looked at last, and the documents that can be seen now.
    pub(super) fn size(&self) -> Option<IndexSize> {
        let documents = self.shown.borrow().documents();
        self.state().size.map(|size| IndexSize { documents, ..size })
    }

    /// Somebody asks for it to be made anew.
    pub(super) fn ask_anew(&self) {
        let mut state = self.state();
        (state.is_asked_anew, state.failure) = (true, None);
    }

    /// It is made from here on.
    pub(super) fn begin_making(&self, progress: &Arc<Progress>) {
        self.state().making = Some(Arc::clone(progress));
    }

    /// It was made, or could not be.
    pub(super) fn end_making(&self, failure: Option<String>) {
        let mut state = self.state();
        (state.is_asked_anew, state.making, state.failure) = (false, None, failure);
    }

    /// How many records are done, of how many, where it is made or asked for.
    pub(super) fn making(&self) -> Option<(i64, i64)> {
        let state = self.state();
        let made = state.making.as_ref().map(|progress| progress.read());
        made.or_else(|| state.is_asked_anew.then_some((0, 0)))
    }

    /// It was opened, or could not be.
    pub(super) fn end_opening(&self, obstacle: Option<String>) {
        self.state().obstacle = obstacle;
    }

    /// Why it could not be made or opened last.
    pub(super) fn failure(&self) -> Option<String> {
        let state = self.state();
        state.failure.clone().or_else(|| state.obstacle.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn documents(&self) -> u64 {
        match self {
            Self::Ready(view) => view.documents(),
            Self::Closed | Self::Building(_) => 0,
        }
    }

    /// Whether values that depend on the time are those of this moment.
    fn is_fresh(&self, at: Timestamp) -> bool {
        match self {
            Self::Ready(view) => view.is_fresh(at),
            Self::Closed | Self::Building(_) => true,
        }
    }

    fn sequence(&self) -> Option<Sequence> {
        match self {
            Self::Ready(view) => Some(view.sequence()),
            Self::Closed | Self::Building(_) => None,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut state = self.slot.state();
        state.waiting -= 1;
        if state.waiting == 0 {
            (state.wanted, state.fresh_at) = (Sequence(0), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use engine_search::{Index, Pace, Reached};

    use super::super::notes::Notes;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn changes_are_left_to_apply_only_as_long_as_the_index_follows() {
        let (slot, lately) = (Slot::new(TenantId(7)), Duration::from_secs(1));
        slot.note_head(Sequence(10));
        assert!(!slot.has_unapplied(0, lately), "it is not open");
        slot.note_applied(Sequence(4));
        assert!(slot.has_unapplied(5, lately) && !slot.has_unapplied(6, lately));
        tokio::time::advance(lately).await;
        assert!(!slot.has_unapplied(5, lately), "it has stopped");
        slot.note_applied(Sequence(5));
        assert!(slot.has_unapplied(4, lately) && !slot.has_unapplied(5, lately));
    }

    #[test]
    fn an_index_is_far_behind_only_for_those_who_wait() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::create(&folder.path().join("1"), Pace::Steady).expect("an index");
        let slot = Slot::new(TenantId(7));
        let show =
            || slot.show(Shown::Ready(SearchView::new(slot.tenant, index.view(), Arc::new(Notes::default()), None)));
        slot.note_head(Sequence(10));
        let (waiter, _) = slot.wait(Sequence(3), None);
        assert!(!slot.is_waited_for_by(5), "what is closed or being made is told to those who wait");
        show();
        assert!(slot.is_waited_for_by(9) && !slot.is_waited_for_by(10));
        drop(waiter);
        assert!(!slot.is_waited_for_by(5), "nobody waits");
        let (_waiter, _) = slot.wait(Sequence(3), None);
        assert!(slot.is_waited_for_by(5));
        index.commit(Reached { sequence: Sequence(4), at: Timestamp(1), notes: String::new() }).expect("committed");
        show();
        assert!(!slot.is_waited_for_by(5), "it has what is waited for");
    }
}
