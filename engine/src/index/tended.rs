//! What the keeper knows of one tenant, and what follows from it: when its next turn is, and when the disk's.

use std::sync::Arc;
use std::time::Duration;

use engine_model::Sequence;
use engine_search::Index;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::feed::Feed;
use super::place::Generation;
use super::progress::Progress;
use super::slot::Slot;
use crate::error::Result;

/// Between two turns that nobody waits for, so that changes come together.
const PAUSE: Duration = Duration::from_millis(10);
/// The same where all places for writers are taken, since each turn then costs opening one and ending another.
const CROWDED_PAUSE: Duration = Duration::from_secs(1);
/// How long changes stay invisible that nobody waits for, where somebody has searched lately.
const VISIBLE_AFTER: Duration = Duration::from_secs(1);
/// The same where nobody has.
const VISIBLE_LATER: Duration = Duration::from_secs(10);
/// How long ago lately is.
const LATELY: Duration = Duration::from_secs(60);
/// Between bringing an index to disk and doing so again.
const PERSIST_EVERY: Duration = Duration::from_secs(10);
/// Bytes in memory with which it is done sooner.
const PERSIST_BYTES: u64 = 16 << 20;
/// Bytes in memory with which nothing more is applied: the disk does not keep up, or has no room.
const FULL_BYTES: u64 = 256 << 20;
/// After this long without an edit a writer's memory is given back.
const WRITER_IDLE: Duration = Duration::from_secs(30);
/// How long purged values stay in the files at first, so that one erasing does for many purges.
const ERASE_AFTER: Duration = Duration::from_secs(2);
/// Between two looks at whether that is done.
const ERASING: Duration = Duration::from_millis(500);
/// How many times longer than it took nothing is erased again.
const ERASE_REST: u32 = 10;
/// Between looking at the files of an index and doing so again; all of them are read.
const CHECK_EVERY: Duration = Duration::from_secs(60);
/// How long a tenant rests after its first failure, and twice as long after each further one.
const FIRST_REST: Duration = Duration::from_millis(100);
/// How long it rests at most.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How long it rests at most where somebody waits.
const ASKED_REST: Duration = Duration::from_secs(1);

/// How a tenant stands with the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is due now.
    Idle,
    /// It gets a turn; somebody waits for it or not.
    Ready { is_asked: bool },
    /// A turn is under way, and has the feed.
    AtWork,
}

/// How the making of a tenant's index stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Building {
    /// It is not made.
    No,
    /// It is due; somebody waits for it or not.
    Ready { is_asked: bool },
    /// It is made, or what was there before is removed.
    UnderWay,
}

/// What is done with an index beside its turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chore {
    /// Brings it to disk.
    Persist,
    /// Ends its writer.
    Rest,
    /// Takes out of its files what was purged.
    Erase,
    /// Compares its files with their checksums.
    Check,
}

/// How the erasing of what was purged stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Erasure {
    /// When it is begun or looked at next.
    next: Option<Instant>,
    /// Up to which purge, since when.
    under_way: Option<(i64, Instant)>,
    /// Not begun again before.
    rests_until: Option<Instant>,
    /// The last purge whose values are out of the files.
    done: Option<i64>,
}

impl Erasure {
    /// This was purged, as far as the index knows.
    fn plan(&mut self, purged: Option<i64>, now: Instant) {
        if purged > self.done && self.next.is_none() {
            let at = now + ERASE_AFTER;
            self.next = Some(self.rests_until.map_or(at, |until| at.max(until)));
        }
    }

    /// It was gone on with, up to the purge that the index knew of when it began; whether it is done.
    pub(super) fn went_on(&mut self, purged: Option<i64>, is_done: bool, now: Instant) {
        let (began_at, since) = *self.under_way.get_or_insert((purged.unwrap_or_default(), now));
        self.next = Some(now + ERASING);
        if is_done {
            let rest = now.duration_since(since).saturating_mul(ERASE_REST);
            *self = Self { done: Some(began_at), rests_until: Some(now + rest), ..Self::default() };
        }
    }
}

/// When a tenant's next turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Instant,
    /// Somebody waits for it.
    pub(super) is_asked: bool,
}

/// Told whoever asked for an index to be made anew.
pub(super) type Answer = oneshot::Sender<Result<()>>;

/// One tenant, as far as the keeper has something to do with it.
#[derive(Debug)]
pub(super) struct Tended {
    pub(super) slot: Arc<Slot>,
    pub(super) standing: Standing,
    /// The open index, unless a turn has it.
    pub(super) feed: Option<Box<Feed>>,
    /// The same index, also while a turn has the feed.
    pub(super) index: Option<(Generation, Index)>,
    /// Made anew, to be taken in its place.
    pub(super) successor: Option<Box<Feed>>,
    pub(super) building: Building,
    pub(super) progress: Arc<Progress>,
    /// Those who asked for that.
    pub(super) answers: Vec<Answer>,
    /// Somebody has begun to wait since the last turn began.
    pub(super) is_called: bool,
    /// Where the log is known to stand.
    pub(super) head: Sequence,
    /// Failures in a row, and until when it rests for them.
    pub(super) failures: u32,
    pub(super) rests_until: Option<Instant>,
    pub(super) last_turn: Instant,
    /// When it was last written; none without a writer.
    pub(super) written: Option<Instant>,
    /// Its writer has to give way to another one.
    pub(super) gives_way: bool,
    pub(super) chore: Option<Chore>,
    pub(super) erasure: Erasure,
    /// When its files are looked at, since they may be damaged; and when they were last.
    check_due: Option<Instant>,
    checked: Option<Instant>,
    pub(super) last_persist: Instant,
    /// That was to no avail.
    pub(super) is_disk_failing: bool,
    /// Its folder is gone, and with it whatever might be brought to disk.
    pub(super) is_lost: bool,
}

impl Tended {
    pub(super) fn new(slot: Arc<Slot>, now: Instant) -> Self {
        Self {
            slot,
            standing: Standing::Idle,
            feed: None,
            index: None,
            successor: None,
            building: Building::No,
            progress: Arc::default(),
            answers: Vec::new(),
            is_called: false,
            head: Sequence(0),
            failures: 0,
            rests_until: None,
            last_turn: now,
            written: None,
            gives_way: false,
            chore: None,
            erasure: Erasure::default(),
            check_due: None,
            checked: None,
            last_persist: now,
            is_disk_failing: false,
            is_lost: false,
        }
    }

    /// When the next turn is, as far as is known; `is_crowded` where all places for writers are taken.
    pub(super) fn next_turn(&self, now: Instant, is_crowded: bool) -> Option<Due> {
        if self.standing == Standing::AtWork || self.is_full() {
            return None;
        }
        let is_behind = self.feed.as_ref().is_none_or(|feed| feed.sequence < self.head);
        let is_asked = (self.is_called || is_behind) && self.slot.wanted().is_some();
        let at = match &self.feed {
            // Whoever makes it says when it is there.
            None if self.building != Building::No => return None,
            None => Some(now),
            Some(_) if is_asked => Some(now),
            Some(feed) => [self.next_page(feed, is_crowded), self.next_commit(feed)].into_iter().flatten().min(),
        };
        let rested = |at: Instant| {
            let until =
                self.rests_until.map(|until| if is_asked { until.min(self.last_turn + ASKED_REST) } else { until });
            until.map_or(at, |until| at.max(until))
        };
        at.map(|at| Due { at: rested(at), is_asked })
    }

    fn next_page(&self, feed: &Feed, is_crowded: bool) -> Option<Instant> {
        let is_behind = feed.sequence < self.head || feed.notes.filling().next().is_some();
        let pause = if is_crowded && self.written.is_none() { CROWDED_PAUSE } else { PAUSE };
        is_behind.then(|| self.last_turn + pause)
    }

    fn next_commit(&self, feed: &Feed) -> Option<Instant> {
        let since = feed.pending_since?;
        if self.gives_way {
            return Some(since);
        }
        let is_searched = self.slot.last_asked().is_some_and(|asked| asked.elapsed() < LATELY);
        Some(since + if is_searched { VISIBLE_AFTER } else { VISIBLE_LATER })
    }

    /// Whether a turn that begins now makes visible what nobody waits for.
    pub(super) fn commits(&self, now: Instant) -> bool {
        self.feed.as_ref().and_then(|feed| self.next_commit(feed)).is_some_and(|at| at <= now)
    }

    /// What is to be done with the index beside its turns, and when; `is_pressing` where memory is short.
    pub(super) fn next_chore(&self, now: Instant, is_pressing: bool) -> Option<(Instant, Chore)> {
        if self.chore.is_some() || self.successor.is_some() {
            return None;
        }
        let persist = self.next_persist(now, is_pressing).map(|at| (at, Chore::Persist));
        let rest = self.next_rest(now).map(|at| (at, Chore::Rest));
        let erase = self.erasure.next.map(|at| (at, Chore::Erase));
        let check = self.check_due.filter(|_| self.index.is_some()).map(|at| (at, Chore::Check));
        [persist, rest, erase, check].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Its files may be damaged, and are looked at unless it is made anew anyway.
    pub(super) fn suspect(&mut self, now: Instant) {
        if self.building == Building::No && self.check_due.is_none() {
            self.check_due = Some(self.checked.map_or(now, |checked| now.max(checked + CHECK_EVERY)));
        }
    }

    /// Its files are looked at.
    pub(super) fn begin_check(&mut self, now: Instant) {
        (self.check_due, self.checked) = (None, Some(now));
    }

    fn next_persist(&self, now: Instant, is_pressing: bool) -> Option<Instant> {
        let (_, index) = self.index.as_ref()?;
        let bytes = index.unpersisted_bytes();
        let is_durable = bytes == 0 && self.slot.shown_sequence().is_none_or(|shown| shown <= index.durable());
        if is_durable {
            return None;
        }
        let is_much = bytes > PERSIST_BYTES || (is_pressing && bytes > 0);
        Some(if is_much && !self.is_disk_failing { now } else { self.last_persist + PERSIST_EVERY })
    }

    fn next_rest(&self, now: Instant) -> Option<Instant> {
        let written = self.written?;
        let feed = self.feed.as_ref().filter(|feed| !feed.has_news())?;
        let is_idle = self.standing == Standing::Idle && feed.sequence >= self.head;
        match (self.gives_way, is_idle) {
            (true, _) => Some(now),
            (false, true) => Some(written + WRITER_IDLE),
            (false, false) => None,
        }
    }

    /// Looks at what was purged: erases it some time, or notes that it is erased.
    pub(super) fn plan_erasure(&mut self, now: Instant) {
        let Some(feed) = &mut self.feed else { return };
        match feed.notes.purged {
            purged @ Some(_) if purged <= self.erasure.done => feed.write_notes(|notes| notes.purged = None),
            purged => self.erasure.plan(purged, now),
        }
    }

    /// Whether somebody waits for the index to be made.
    pub(super) fn is_build_waited_for(&self) -> bool {
        !self.answers.is_empty() || self.slot.wanted().is_some()
    }

    /// Bytes in memory that the disk does not have yet.
    pub(super) fn bytes(&self) -> u64 {
        self.index.as_ref().map_or(0, |(_, index)| index.unpersisted_bytes())
    }

    fn is_full(&self) -> bool {
        self.bytes() > FULL_BYTES
    }

    /// Whether nothing is going on and nobody waits, so that the index may be closed.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_alone = self.chore.is_none() && self.successor.is_none() && self.building == Building::No;
        self.standing == Standing::Idle && is_alone && self.slot.wanted().is_none() && self.feed.is_some()
    }

    /// When it was used last.
    pub(super) fn last_used(&self) -> Instant {
        self.slot.last_asked().map_or(self.last_turn, |asked| asked.max(self.last_turn))
    }

    /// It has failed; how long it rests.
    pub(super) fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        self.rests_until = Some(now + FIRST_REST.saturating_mul(doubled).min(LONGEST_REST));
    }

    /// It has worked.
    pub(super) fn succeed(&mut self) {
        self.failures = 0;
        self.rests_until = None;
    }
}
