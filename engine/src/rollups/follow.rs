//! Following the log of the tenants that have roll-ups.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use engine_model::{Name, Sequence, TenantId};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::affected::Affected;
use super::linked::add_linked;
use crate::engine::Engine;
use crate::error::Result;
use crate::followers::{Followed, Follower, Following};
use crate::session::Session;

/// The name under which positions are kept.
pub(crate) const FOLLOWER: &str = "rollups";

/// What the change log says of values drawn together.
#[derive(Debug)]
pub(crate) struct Rollups {
    engine: Engine,
    /// Roll-ups that wait for what the index is being filled with, by tenant and object.
    late: Mutex<HashMap<(TenantId, Name), BTreeSet<usize>>>,
}

impl Rollups {
    pub(crate) fn new(engine: &Engine) -> Self {
        engine.inner.rollups.begin();
        Self { engine: engine.clone(), late: Mutex::default() }
    }

    /// Whether a job has to compute the records of an object, some of whose roll-ups wait for the index: once when they
    /// begin to, so that nothing is forgotten, which itself waits; and once more when they have waited, for what another
    /// node with an index of its own has done too early.
    fn has_to_be_filled(
        &self,
        tenant: TenantId,
        object: &Name,
        asked: &BTreeSet<usize>,
        waiting: &BTreeSet<usize>,
    ) -> bool {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant, object.clone());
        if !waiting.is_empty() {
            let known = late.entry(key).or_default();
            let count = known.len();
            known.extend(waiting);
            return known.len() > count;
        }
        let has_waited = late.get(&key).is_some_and(|known| !known.is_disjoint(asked));
        if has_waited {
            late.remove(&key);
        }
        has_waited
    }

    async fn follow_page(&self, tenant: TenantId, changes: &[Following]) -> Result<()> {
        let mut session = self.engine.session_of_engine(tenant, FOLLOWER).await?;
        session.refresh().await?;
        let affected = Affected::of(&session.catalog.effective.registry.computed, changes)?;
        if affected.is_empty() {
            return Ok(());
        }
        let mut whole = affected.whole.clone();
        let wanted = session.records_of(affected, &mut whole).await?;
        if !whole.is_empty() {
            session.fill_rollups(&whole).await?;
        }
        for (object, wanted) in wanted {
            let asked: BTreeSet<usize> = wanted.values().flatten().copied().collect();
            let waiting = session.refresh_rollups(&object, &wanted, false).await?;
            if self.has_to_be_filled(tenant, &object, &asked, &waiting) {
                let rollups = if waiting.is_empty() { asked } else { waiting };
                session.fill_rollups(&rollups).await?;
            }
        }
        Ok(())
    }
}

impl Follower for Rollups {
    fn name(&self) -> &'static str {
        FOLLOWER
    }

    fn follows(&self) -> Followed {
        Followed::WithPosition
    }

    fn reached(&self, tenant: TenantId, position: Sequence) {
        self.engine.inner.rollups.note(tenant, position);
    }

    fn follow<'a>(&'a self, tenant: TenantId, changes: &'a [Following]) -> BoxFuture<'a, Result<()>> {
        self.follow_page(tenant, changes).boxed()
    }
}

impl Session {
    /// Every record that draws from what has changed, by object, each with the roll-ups concerned. Objects that others
    /// draw from come first. Roll-ups of too many records become part of `whole`.
    pub(super) async fn records_of(
        &self,
        affected: Affected,
        whole: &mut BTreeSet<usize>,
    ) -> Result<Vec<(Name, BTreeMap<i64, BTreeSet<usize>>)>> {
        let rollups = self.catalog.effective.registry.computed.rollups();
        let Affected { mut records, parts, .. } = affected;
        if !parts.is_empty() {
            let mut reader = self.reader().await?;
            for (at, parts) in &parts {
                if let Some(rollup) = rollups.get(*at) {
                    let (found, direction) = (records.entry(*at).or_default(), rollup.other_direction());
                    if !add_linked(&mut reader, parts, &rollup.association, direction, found).await? {
                        records.remove(at);
                        whole.insert(*at);
                    }
                }
            }
        }
        let mut wanted: Vec<(Name, BTreeMap<i64, BTreeSet<usize>>)> = Vec::new();
        for (at, records) in records {
            let Some(rollup) = rollups.get(at) else { continue };
            let of_object = match wanted.iter().position(|(object, _)| *object == rollup.object) {
                Some(place) => &mut wanted[place].1,
                None => {
                    wanted.push((rollup.object.clone(), BTreeMap::new()));
                    let last = wanted.len() - 1;
                    &mut wanted[last].1
                }
            };
            for record in records {
                of_object.entry(record).or_default().insert(at);
            }
        }
        Ok(wanted)
    }
}
