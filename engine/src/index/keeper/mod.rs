//! The keeper: gives tenants their turns, so that every index follows its log.
//!
//! It alone says who is at work. What somebody waits for comes first; the rest follows as there is time, a few tenants
//! at a time, so that no tenant holds up another. Losing a signal costs time only: whoever waits has the log read, and
//! all logs are looked at now and then.

mod builds;
mod chores;
pub(super) mod damage;
mod ending;
mod look;
mod room;
mod turns;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;

use engine_model::{Sequence, TenantId};
use engine_store::{Grown, GrowthListener};
use futures::StreamExt;
use tokio::time::Instant;

use self::builds::Builds;
use self::chores::Chores;
use self::look::Look;
use self::room::Room;
use self::turns::Turns;
use super::tended::Tended;
use super::{Call, Indexes};
use crate::engine::Engine;

/// Starts to keep the indexes until the engine closes. A keeper that does not follow lets be whom nobody asks for.
pub(crate) fn start(engine: &Engine, follows: bool) {
    engine.inner.indexes.follows.store(follows, Ordering::Relaxed);
    let growth = follows.then(|| engine.store().listen_to_growth());
    drop(engine.inner.tasks.spawn(Keeper::new(engine.clone(), growth).run()));
}

/// Keeps the indexes of one node.
struct Keeper {
    engine: Engine,
    /// Every tenant that something is to be done for, or whose index is open.
    tended: HashMap<TenantId, Tended>,
    turns: Turns,
    builds: Builds,
    chores: Chores,
    room: Room,
    growth: Option<GrowthListener>,
    look: Look,
}

impl Keeper {
    fn new(engine: Engine, growth: Option<GrowthListener>) -> Self {
        let now = Instant::now();
        Self {
            engine,
            tended: HashMap::new(),
            turns: Turns::new(),
            builds: Builds::new(),
            chores: Chores::new(now),
            room: Room::default(),
            growth,
            look: Look::new(now),
        }
    }

    async fn run(mut self) {
        let (engine, stopping) = (self.engine.clone(), self.engine.stopping());
        let called = &engine.inner.indexes.called;
        loop {
            self.admit_writers();
            self.begin_turns();
            self.begin_builds();
            self.begin_persisting();
            self.indexes().writers.store(self.room.writers(), Ordering::Relaxed);
            let next = self.next_moment();
            let may_look = self.growth.is_some() && self.turns.has_room();
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                Some(end) = self.turns.under_way.next() => self.end_turn(end),
                Some(end) = self.chores.under_way.next() => self.end_chore(end),
                Some(end) = self.builds.under_way.next() => self.end_build(end),
                Some(tenant) = self.builds.removals.next() => self.end_removal(tenant),
                Some(end) = self.room.closings.next() => self.end_closing(end),
                Some(heads) = self.look.under_way.next() => self.end_look(heads),
                Some(found) = self.look.peeks.next() => self.end_peek(found),
                () = called.notified() => self.take_calls(),
                grown = growth(&mut self.growth) => self.hear(grown),
                () = tokio::time::sleep_until(next) => self.wake(),
                () = tokio::time::sleep_until(self.look.due), if may_look && self.look.is_idle() => self.begin_look(),
            }
        }
        self.end().await;
    }

    fn indexes(&self) -> &Indexes {
        &self.engine.inner.indexes
    }

    /// What is known of a tenant; from now on something is.
    fn tend(&mut self, tenant: TenantId) -> &mut Tended {
        match self.tended.entry(tenant) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let slot = self.engine.inner.indexes.slot(tenant);
                self.room.forget(tenant);
                entry.insert(Tended::new(slot, Instant::now()))
            }
        }
    }

    fn take_calls(&mut self) {
        for call in self.indexes().take_calls() {
            match call {
                Call::Reach(tenant) => {
                    let tended = self.tend(tenant);
                    tended.slot.hear();
                    tended.is_called = true;
                    self.plan(tenant);
                }
                Call::Suspect(tenant) => self.suspect(tenant),
                Call::Rebuild(tenant, answer) => {
                    let tended = self.tend(tenant);
                    tended.answers.push(answer);
                    // One that is closed is opened first, so that it answers meanwhile.
                    if tended.index.is_some() {
                        self.want_build(tenant);
                    }
                    self.plan(tenant);
                }
            }
        }
    }

    fn hear(&mut self, grown: Grown) {
        match grown {
            Grown::These(tenants) => tenants.into_iter().for_each(|(tenant, head)| self.note_head(tenant, head)),
            Grown::Any => self.look.begin_anew(),
        }
    }

    /// A tenant's log stands at least here.
    fn note_head(&mut self, tenant: TenantId, head: Sequence) {
        if !self.tended.contains_key(&tenant) && self.room.has_reached(tenant, head) {
            return;
        }
        let tended = self.tend(tenant);
        tended.head = tended.head.max(head);
        tended.slot.note_head(head);
        self.plan(tenant);
    }

    /// Decides what comes next for a tenant, after something has changed for it.
    fn plan(&mut self, tenant: TenantId) {
        self.take_successor(tenant);
        self.give_up_lost(tenant);
        self.plan_build(tenant);
        self.plan_turn(tenant);
        self.plan_chore(tenant);
    }

    /// When something is due that was put off.
    fn next_moment(&self) -> Instant {
        let moments = [self.turns.later.next(), self.chores.next()];
        // Nothing being due, something else wakes it.
        moments.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + std::time::Duration::from_secs(3600))
    }

    /// Does what is due by now.
    fn wake(&mut self) {
        let now = Instant::now();
        while let Some(tenant) = self.turns.later.take_due(now) {
            self.plan_turn(tenant);
        }
        while let Some(tenant) = self.chores.later.take_due(now) {
            self.begin_chore(tenant);
        }
    }
}

/// What has grown; never, for who does not follow.
async fn growth(listener: &mut Option<GrowthListener>) -> Grown {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}
