//! A pack planned or applied over many tenants, each for itself: one that fails stops no other.

mod one;
mod run;
mod selection;

use std::collections::BTreeMap;

use engine_model::pack::Pack;
use engine_model::upgrade::Conflict;
use engine_model::{JobId, Problems};
use engine_store::commit::Origin;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::apply::Consent;
use super::common::Common;
use super::difference::{Action, Step};
use super::fragments;
use super::known::{Known, PackSource, mistakes, newest};
use super::requirements::layers_below;
use super::shipped::Files;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use run::{Run, Told};

/// What is to be done to tenants.
#[derive(Debug, Clone)]
pub struct TenantsPack {
    /// The pack. By name, one that the server knows.
    pub source: PackSource,
    /// Slugs of the tenants that are meant; all unless given.
    pub tenants: Option<Vec<String>>,
    /// Tenants that do not have the pack get it, too.
    pub installs: bool,
    /// Only say what would be done.
    pub only_plans: bool,
    /// What is agreed to for each of them. The sides of a conflict that a tenant does not have are left out there.
    pub consent: Consent,
}

/// What became of one tenant.
#[derive(Debug)]
pub struct TenantOutcome {
    /// Its slug.
    pub tenant: String,
    /// The version that it had; none where it did not have the pack.
    pub from: Option<String>,
    /// The version that it has now, or would have.
    pub to: String,
    /// What was done.
    pub fate: Fate,
}

/// What was done to a tenant.
#[derive(Debug)]
pub enum Fate {
    /// It has the version now.
    Changed {
        /// What was done.
        steps: StepCounts,
        /// Where its own side held, or the pack's where that was accepted.
        conflicts: Vec<Conflict>,
        /// Jobs that go on.
        jobs: Vec<JobId>,
    },
    /// It had the version already.
    Unchanged,
    /// What applying would do.
    Planned {
        /// Step by step.
        steps: Vec<Step>,
        /// What both the pack and the tenant have changed.
        conflicts: Vec<Conflict>,
        /// What views, reports, workflows and roles would name that is not there.
        warnings: Problems,
    },
    /// Nothing was changed, and why.
    Failed(Error),
    /// It is not concerned, and why.
    Skipped(&'static str),
}

/// How many steps do what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepCounts {
    /// Definitions that are new, or there again.
    pub add: usize,
    /// Definitions that say something else.
    pub change: usize,
    /// Definitions that are archived.
    pub remove: usize,
}

impl StepCounts {
    /// Counts steps.
    pub fn of(steps: &[Step]) -> Self {
        let mut counts = Self::default();
        for step in steps {
            match step.action {
                Action::Add => counts.add += 1,
                Action::Change => counts.change += 1,
                Action::Remove => counts.remove += 1,
            }
        }
        counts
    }
}

/// Tenants as they are done. Dropped, it lets no further one begin; those under way are finished.
#[derive(Debug)]
pub struct TenantOutcomes {
    told: mpsc::Receiver<Told>,
    is_whole: bool,
}

impl TenantOutcomes {
    /// The next tenant that is done; none after the last. An error where the list of tenants breaks off, and nothing
    /// after that.
    pub async fn next(&mut self) -> Option<Result<TenantOutcome>> {
        match self.told.recv().await? {
            Told::Tenant(outcome) => Some(Ok(*outcome)),
            Told::Broken(error) => Some(Err(error)),
            Told::Whole => {
                self.is_whole = true;
                None
            }
        }
    }

    /// Whether all tenants have been told; false as long as there may be more, and where it was stopped before the end.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }
}

impl Engine {
    /// Plans or applies a pack for many tenants, up to four at a time, each in a transaction of its own or not at all.
    /// For the platform only; `origin` is what their logs say, without a user.
    ///
    /// A pack with mistakes, and tenants that are not there, are told before anything is begun. `stop` lets no further
    /// tenant begin. One run at a time on a node: any other is `unavailable`.
    pub async fn pack_over_tenants(
        &self,
        wanted: TenantsPack,
        origin: Origin,
        stop: CancellationToken,
    ) -> Result<TenantOutcomes> {
        let TenantsPack { source, tenants, installs, only_plans, consent } = wanted;
        let common = Common::new(self.sound_pack(source)?, self.now());
        let selected = match tenants {
            Some(slugs) => Some(self.selected(slugs).await?),
            None => None,
        };
        let run = Run { engine: self.clone(), common: common.into(), installs, only_plans, consent, origin };
        let (told, is_whole) = (run.start(selected, stop)?, false);
        Ok(TenantOutcomes { told, is_whole })
    }

    /// A pack without mistakes of form, and without any on top of what it requires, where the server knows that.
    fn sound_pack(&self, source: PackSource) -> Result<Known> {
        let mut server = self.readable_packs();
        let files: Files = match source {
            PackSource::Files(files) => files,
            PackSource::Known { name, version } => newest(&server, &name, version.as_deref())?.1.clone(),
        };
        // The first of a name is the newest.
        server.sort_by(|(one, _), (other, _)| other.version.cmp(&one.version));
        let server: Vec<Pack> = server.into_iter().map(|(pack, _)| pack).collect();
        let known = Known::read(files).map_err(mistakes)?;
        // What builds on a pack that only tenants have can be checked there alone.
        if let Some(below) = below(&known.pack, &server) {
            let mut found = known.pack.check(&layers_below(&known.pack, &below));
            found.extend(fragments::mistakes(&known.pack));
            if !found.is_empty() {
                return Err(mistakes(found));
            }
        }
        Ok(known)
    }
}

/// Of what the server knows, the newest versions that the pack, and what it requires, can stand on; none where one is
/// missing.
fn below(of: &Pack, server: &[Pack]) -> Option<Vec<Pack>> {
    let mut found = BTreeMap::new();
    let mut wanted: Vec<_> = of.requires.iter().collect();
    while let Some((name, versions)) = wanted.pop() {
        if *name == of.name || found.contains_key(name) {
            continue;
        }
        let pack = server.iter().find(|pack| pack.name == *name && versions.matches(&pack.version))?;
        wanted.extend(&pack.requires);
        found.insert(name.clone(), pack.clone());
    }
    Some(found.into_values().collect())
}

fn busy() -> Error {
    Error::new(ErrorCode::Unavailable, "another pack is being planned or applied over tenants; try again after it")
}
