//! Indexes that are made anew: because there is none that could be used, or because somebody asked for it.

use std::sync::Arc;

use engine_model::TenantId;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Keeper;
use crate::error::{Error, Result};
use crate::index::build::build;
use crate::index::feed::Feed;
use crate::index::place::Place;
use crate::index::queue::{Queue, Taken};
use crate::index::tended::{Building, Standing};

/// Indexes that are made at a time.
const PLACES: usize = 3;
/// Those of them that nobody waits for.
const QUIET_PLACES: usize = 1;

/// The making of an index that has ended.
type BuildEnd = (TenantId, Taken, Result<Box<Feed>>);

/// Indexes that are to be made, and those that are being made.
pub(super) struct Builds {
    due: Queue,
    pub(super) under_way: FuturesUnordered<BoxFuture<'static, BuildEnd>>,
    /// Former indexes that are being removed.
    pub(super) removals: FuturesUnordered<BoxFuture<'static, TenantId>>,
}

impl Builds {
    pub(super) fn new() -> Self {
        let (under_way, removals) = (FuturesUnordered::new(), FuturesUnordered::new());
        Self { due: Queue::new(PLACES, QUIET_PLACES), under_way, removals }
    }
}

impl Keeper {
    /// Has the index of a tenant made, unless that is under way.
    pub(super) fn want_build(&mut self, tenant: TenantId) {
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        if tended.building == Building::No {
            tended.progress = Arc::default();
            let is_asked = tended.is_build_waited_for();
            tended.building = Building::Ready { is_asked };
            tended.slot.show_building(&tended.progress);
            tended.slot.begin_making(&tended.progress);
            self.builds.due.push(tenant, is_asked);
        }
    }

    /// Somebody may wait by now for what was to be made some time.
    pub(super) fn plan_build(&mut self, tenant: TenantId) {
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        if tended.building == (Building::Ready { is_asked: false }) && tended.is_build_waited_for() {
            tended.building = Building::Ready { is_asked: true };
            self.builds.due.push(tenant, true);
        }
    }

    pub(super) fn begin_builds(&mut self) {
        while let Some((tenant, place)) = self.builds.due.take() {
            let building = self.tended.get(&tenant).map(|tended| tended.building);
            if building == Some(Building::Ready { is_asked: place.is_asked() }) {
                self.begin_build(tenant, place);
            } else {
                self.builds.due.give_back(place);
            }
        }
    }

    fn begin_build(&mut self, tenant: TenantId, place: Taken) {
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        tended.building = Building::UnderWay;
        let in_use = tended.index.as_ref().map(|(generation, _)| *generation);
        let (engine, slot, progress) = (self.engine.clone(), tended.slot.clone(), Arc::clone(&tended.progress));
        let made = async move {
            let began = Instant::now();
            let made = build(&engine, tenant, in_use, &progress, || slot.show_building(&progress)).await;
            engine.inner.indexes.counts.builds.add(began.elapsed());
            made.map(Box::new)
        };
        let made = self.engine.inner.tasks.spawn(made);
        let ended = async move { (tenant, place, made.await.unwrap_or_else(|panic| Err(Error::internal(panic)))) };
        self.builds.under_way.push(ended.boxed());
    }

    pub(super) fn end_build(&mut self, (tenant, place, made): BuildEnd) {
        self.builds.due.give_back(place);
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        match made {
            Ok(feed) => {
                tended.succeed();
                tended.successor = Some(feed);
            }
            Err(error) => {
                tended.building = Building::No;
                tended.fail(Instant::now());
                tracing::warn!(tenant.id = %tenant, %error, source = error.source.as_deref(), "a search index cannot be built");
                tended.slot.end_making(Some(error.cause()));
                for answer in tended.answers.drain(..) {
                    drop(answer.send(Err(error.retold())));
                }
            }
        }
        self.plan(tenant);
    }

    /// Puts an index that was made anew in the place of the former one.
    pub(super) fn take_successor(&mut self, tenant: TenantId) {
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        if tended.standing == Standing::AtWork || tended.chore.is_some() {
            return;
        }
        let Some(successor) = tended.successor.take() else { return };
        let former = (tended.feed.take(), tended.index.take());
        let generation = successor.generation;
        successor.show(&tended.slot);
        tended.index = Some((generation, successor.index.clone()));
        tended.feed = Some(successor);
        // Whoever waits needs a turn to see whether this is enough.
        (tended.is_called, tended.is_lost) = (true, false);
        tended.written = tended.index.as_ref().filter(|(_, index)| index.has_writer()).map(|_| Instant::now());
        match tended.written {
            Some(now) => self.room.wrote(tenant, now),
            None => self.room.rested(tenant),
        }
        let place = Place::of(&self.indexes().folder, tenant);
        let removal = self.engine.inner.tasks.spawn_blocking(move || {
            drop(former);
            if let Err(error) = place.remove_all_but(Some(generation)) {
                tracing::warn!(tenant.id = %tenant, %error, "a former search index stays behind");
            }
        });
        // A panic leaves it behind too, until the next start.
        self.builds.removals.push(removal.map(move |_| tenant).boxed());
    }

    /// Nothing is left of the former index.
    pub(super) fn end_removal(&mut self, tenant: TenantId) {
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        tended.building = Building::No;
        tended.slot.end_making(None);
        for answer in tended.answers.drain(..) {
            // Who asked may not wait any more.
            drop(answer.send(Ok(())));
        }
        self.plan(tenant);
    }
}
