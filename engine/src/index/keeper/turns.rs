//! Turns: who gets one next, and what comes of it.

use engine_model::TenantId;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Keeper;
use crate::error::{Error, Result};
use crate::index::agenda::Agenda;
use crate::index::feed::Feed;
use crate::index::queue::{Queue, Taken};
use crate::index::tended::Standing;
use crate::index::turn::{self, Turn};

/// Turns at a time.
const PLACES: usize = 4;
/// Those of them that nobody waits for.
const QUIET_PLACES: usize = 2;

/// A turn that has ended: whose, in which place, the feed, and what it has come to.
pub(super) type TurnEnd = (TenantId, Taken, Option<Box<Feed>>, Result<Turn>);

/// Turns that are due, put off and under way.
pub(super) struct Turns {
    due: Queue,
    pub(super) later: Agenda,
    pub(super) under_way: FuturesUnordered<BoxFuture<'static, TurnEnd>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        let due = Queue::new(PLACES, QUIET_PLACES);
        Self { due, later: Agenda::default(), under_way: FuturesUnordered::new() }
    }

    /// Whether nobody waits for a place, so that more may be found who do.
    pub(super) fn has_room(&self) -> bool {
        self.due.is_empty()
    }
}

impl Keeper {
    pub(super) fn plan_turn(&mut self, tenant: TenantId) {
        let (now, is_crowded) = (Instant::now(), self.room.is_crowded());
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        let due = tended.next_turn(now, is_crowded);
        let is_now = due.is_some_and(|due| due.at <= now);
        self.turns.later.set(tenant, due.map(|due| due.at).filter(|_| !is_now));
        let Some(due) = due.filter(|_| is_now) else { return };
        let is_waiting = match tended.standing {
            Standing::Ready { is_asked } => is_asked || !due.is_asked,
            Standing::Idle | Standing::AtWork => false,
        };
        if !is_waiting {
            tended.standing = Standing::Ready { is_asked: due.is_asked };
            self.turns.due.push(tenant, due.is_asked);
        }
    }

    pub(super) fn begin_turns(&mut self) {
        while let Some((tenant, place)) = self.turns.due.take() {
            let standing = self.tended.get(&tenant).map(|tended| tended.standing);
            // Who has been moved to those that are waited for stands in both queues.
            if standing != Some(Standing::Ready { is_asked: place.is_asked() }) {
                self.turns.due.give_back(place);
            } else if self.has_to_wait_for_a_writer(tenant) {
                self.turns.due.give_back(place);
                self.wait_for_a_writer(tenant);
            } else {
                self.begin_turn(tenant, place);
            }
        }
    }

    fn begin_turn(&mut self, tenant: TenantId, place: Taken) {
        let now = Instant::now();
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        let commits = tended.commits(now);
        (tended.standing, tended.is_called) = (Standing::AtWork, false);
        let (engine, slot, feed) = (self.engine.clone(), tended.slot.clone(), tended.feed.take());
        let turn = async move { turn::take(engine, &slot, feed, commits).await };
        let turn = self.engine.inner.tasks.spawn(turn);
        let ended = async move {
            // After a panic the index is opened again.
            let (feed, turn) = turn.await.unwrap_or_else(|panic| (None, Err(Error::internal(panic))));
            (tenant, place, feed, turn)
        };
        self.turns.under_way.push(ended.boxed());
    }

    pub(super) fn end_turn(&mut self, (tenant, place, feed, turn): TurnEnd) {
        self.turns.due.give_back(place);
        self.keep_feed(tenant, feed);
        let now = Instant::now();
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        tended.last_turn = now;
        match turn {
            Ok(Turn::Opened) => {
                tended.succeed();
                // Whoever waits may need more than there is.
                tended.is_called = true;
                if !tended.answers.is_empty() {
                    self.want_build(tenant);
                }
            }
            Ok(Turn::Followed { is_at_end }) => {
                tended.succeed();
                // What is known of the log's head may be older than what was read.
                if let Some(feed) = tended.feed.as_ref().filter(|feed| is_at_end || feed.sequence > tended.head) {
                    tended.head = feed.sequence.max(tended.head);
                }
                // A long turn leaves some for the next.
                tended.is_called |= tended.slot.wants_fresh().is_some();
                if !tended.answers.is_empty() {
                    self.want_build(tenant);
                }
            }
            Ok(Turn::NothingThere(reason)) => {
                tracing::info!(tenant.id = %tenant, reason, "a search index is built");
                self.want_build(tenant);
            }
            Err(error) => {
                tended.fail(now);
                tracing::warn!(tenant.id = %tenant, %error, source = error.source.as_deref(), "a search index cannot follow its log; it tries again");
                self.suspect_after(tenant, &error);
            }
        }
        self.make_room();
        self.plan(tenant);
    }

    /// Takes a feed back from a turn.
    fn keep_feed(&mut self, tenant: TenantId, mut feed: Option<Box<Feed>>) {
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        tended.standing = Standing::Idle;
        if let Some(edited) = feed.as_mut().and_then(|feed| feed.take_edited()) {
            tended.written = Some(edited);
            self.room.wrote(tenant, edited);
        }
        match &feed {
            Some(feed) => tended.index = Some((feed.generation, feed.index.clone())),
            None => self.lose_index(tenant),
        }
        if let Some(tended) = self.tended.get_mut(&tenant) {
            tended.feed = feed;
        }
    }
}
