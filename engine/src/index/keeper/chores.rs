//! Chores: bringing indexes to disk, one at a time, and ending writers.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use engine_model::TenantId;
use engine_search::{Index, IndexSize, SearchError};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Keeper;
use super::damage::damage_of;
use crate::error::{Error, Result};
use crate::index::agenda::Agenda;
use crate::index::notes::Notes;
use crate::index::place::Place;
use crate::index::tended::Chore;

/// Bytes of all indexes that may wait for the disk before any of them is brought there sooner.
const ALL_BYTES: u64 = 16 << 20;

/// A chore that has ended: whose, which, how long it took, and what it has come to.
pub(super) type ChoreEnd = (TenantId, Chore, Duration, Result<Done>);

/// What a chore has come to.
pub(super) struct Done {
    has_writer: bool,
    size: IndexSize,
    /// Of erasing: up to which purge, and whether nothing is left of that.
    erased: Option<(Option<i64>, bool)>,
    /// Of checking: what is wrong with the files, if anything.
    damage: Option<String>,
}

/// Does a chore. May take as long as the disk does.
fn perform(tenant: TenantId, chore: Chore, index: &Index) -> Result<Done> {
    let purged = || Notes::read(&index.reached().notes, tenant).map(|notes| notes.purged);
    let mut damage = None;
    let erased = match chore {
        Chore::Erase => {
            let purged = purged().map_err(Error::internal)?;
            Some((purged, index.erase().map_err(Error::internal)?))
        }
        Chore::Check => {
            damage = damage_of(index.check_files())?;
            None
        }
        Chore::Persist => index.persist().map(|()| None).map_err(Error::internal)?,
        Chore::Rest => match index.rest() {
            // Edits came in between; it rests another time.
            Ok(()) | Err(SearchError::Uncommitted) => None,
            Err(error) => return Err(Error::internal(error)),
        },
    };
    Ok(Done { has_writer: index.has_writer(), size: index.size(), erased, damage })
}

/// Chores that are due, put off and under way.
pub(super) struct Chores {
    pub(super) later: Agenda,
    persists_due: VecDeque<TenantId>,
    is_persisting: bool,
    /// The disk is left to others as long as it was used.
    disk_rests_until: Instant,
    pub(super) under_way: FuturesUnordered<BoxFuture<'static, ChoreEnd>>,
    /// Bytes in memory that the disk does not have yet, where there are any.
    held: HashMap<TenantId, u64>,
}

impl Chores {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            later: Agenda::default(),
            persists_due: VecDeque::new(),
            is_persisting: false,
            disk_rests_until: now,
            under_way: FuturesUnordered::new(),
            held: HashMap::new(),
        }
    }

    /// When something is due that was put off.
    pub(super) fn next(&self) -> Option<Instant> {
        let disk = (!self.is_persisting && !self.persists_due.is_empty()).then_some(self.disk_rests_until);
        [self.later.next(), disk].into_iter().flatten().min()
    }

    fn hold(&mut self, tenant: TenantId, bytes: u64) {
        match bytes {
            0 => drop(self.held.remove(&tenant)),
            bytes => drop(self.held.insert(tenant, bytes)),
        }
    }

    fn is_pressing(&self) -> bool {
        self.held.values().sum::<u64>() > ALL_BYTES
    }
}

impl Keeper {
    pub(super) fn plan_chore(&mut self, tenant: TenantId) {
        let now = Instant::now();
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        tended.plan_erasure(now);
        self.chores.hold(tenant, tended.bytes());
        let next = tended.next_chore(now, self.chores.is_pressing());
        self.chores.later.set(tenant, next.map(|(at, _)| at).filter(|at| *at > now));
        if next.is_some_and(|(at, _)| at <= now) {
            self.begin_chore(tenant);
        }
    }

    /// Begins what is due by now, or has it wait for the disk.
    pub(super) fn begin_chore(&mut self, tenant: TenantId) {
        let (now, is_pressing) = (Instant::now(), self.chores.is_pressing());
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        match tended.next_chore(now, is_pressing) {
            Some((at, chore)) if at <= now => {
                tended.chore = Some(chore);
                if chore == Chore::Check {
                    tended.begin_check(now);
                }
                match (chore, &tended.index) {
                    (Chore::Rest | Chore::Erase | Chore::Check, Some((_, index))) => {
                        let index = index.clone();
                        self.spawn_chore(tenant, chore, index);
                    }
                    (Chore::Persist | Chore::Rest | Chore::Erase | Chore::Check, _) => {
                        self.chores.persists_due.push_back(tenant)
                    }
                }
            }
            Some((at, _)) => self.chores.later.set(tenant, Some(at)),
            None => {}
        }
    }

    pub(super) fn begin_persisting(&mut self) {
        let may_begin = self.chores.disk_rests_until <= Instant::now() || self.chores.is_pressing();
        if self.chores.is_persisting || !may_begin {
            return;
        }
        while let Some(tenant) = self.chores.persists_due.pop_front() {
            let Some(tended) = self.tended.get_mut(&tenant) else { continue };
            if let Some((_, index)) = &tended.index {
                let index = index.clone();
                self.chores.is_persisting = true;
                self.spawn_chore(tenant, Chore::Persist, index);
                return;
            }
            tended.chore = None;
        }
    }

    fn spawn_chore(&mut self, tenant: TenantId, chore: Chore, index: Index) {
        let began = Instant::now();
        let done = self.engine.inner.tasks.spawn_blocking(move || perform(tenant, chore, &index));
        let ended = async move {
            let done = done.await.unwrap_or_else(|panic| Err(Error::internal(panic)));
            (tenant, chore, began.elapsed(), done)
        };
        self.chores.under_way.push(ended.boxed());
    }

    pub(super) fn end_chore(&mut self, (tenant, chore, took, done): ChoreEnd) {
        let now = Instant::now();
        if chore == Chore::Persist {
            self.chores.is_persisting = false;
            self.chores.disk_rests_until = now + took;
            self.indexes().counts.persists.add(took);
        }
        if let Err(error) = &done {
            tracing::warn!(tenant.id = %tenant, %error, source = error.source.as_deref(), "a search index cannot be brought to disk, be merged, be erased or be checked");
            self.suspect_after(tenant, error);
        }
        let place = Place::of(&self.indexes().folder, tenant);
        let Some(tended) = self.tended.get_mut(&tenant) else { return };
        tended.chore = None;
        if let (Ok(done), Some(_)) = (&done, &tended.index) {
            tended.slot.set_size(Some(done.size));
        }
        match chore {
            Chore::Persist => {
                (tended.last_persist, tended.is_disk_failing) = (now, done.is_err());
                let folder = tended.index.as_ref().map(|(generation, _)| place.folder(*generation));
                tended.is_lost = done.is_err() && folder.is_some_and(|folder| !folder.exists());
            }
            Chore::Rest => {
                // A writer that cannot be ended as it should be has ended all the same.
                if !done.is_ok_and(|done| done.has_writer) {
                    (tended.written, tended.gives_way) = (None, false);
                    self.room.rested(tenant);
                }
            }
            Chore::Check => self.end_check(tenant, done.map(|done| done.damage)),
            Chore::Erase => {
                let (purged, is_done) = done.ok().and_then(|done| done.erased).unwrap_or_default();
                tended.erasure.went_on(purged, is_done, now);
                // It has a writer for that.
                tended.written = Some(now);
                self.room.wrote(tenant, now);
            }
        }
        self.plan(tenant);
    }
}
