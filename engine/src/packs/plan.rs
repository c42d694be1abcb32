//! What bringing a pack in, moving it on or taking it away would do. Nothing changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::Problems;
use engine_model::layer::Layer;
use engine_model::name::did_you_mean;
use engine_model::pack::Pack;
use engine_model::upgrade::{Conflict, Side};
use engine_store::pack::{self, TenantPackRow};
use uuid::Uuid;

use super::difference::{Step, steps};
use super::known::{PackSource, mistakes};
use super::migrate::Migrations;
use super::requirements;
use super::shipped::Files;
use super::target::{Agreed, Target};
use super::touched::attach;
use crate::definitions::guard::{Guard, Passage};
use crate::definitions::redefine::ATTEMPTS;
use crate::digest::digest;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// What would be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Names the plan when it is applied.
    pub id: String,
    /// The definitions that it was made for.
    pub metadata_version: i64,
    /// What would be added, changed and removed; empty where the tenant has this version already.
    pub steps: Vec<Step>,
    /// What both the pack and the tenant have changed; the tenant's side holds unless the pack's is accepted.
    pub conflicts: Vec<Conflict>,
    /// What views, reports, workflows and roles would name that is not there; all else of them goes on.
    pub warnings: Problems,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// A pack in this version.
    Pack(Files),
    /// The pack of this name is gone.
    Gone(String),
}

/// A plan as it waits to be applied.
#[derive(Debug)]
pub(crate) struct KeptPlan {
    pub(super) wanted: Wanted,
    /// The sides that it was made with.
    pub(super) accept: BTreeMap<String, Side>,
    pub(super) migrations: Migrations,
    pub(super) metadata_version: i64,
}

/// What is asked for, and what it comes to.
#[derive(Debug)]
pub(super) struct Proposal {
    /// The pack's name.
    pub(super) name: String,
    /// The version that the tenant has.
    pub(super) before: Option<Pack>,
    /// What tells the files of that version from all others.
    pub(super) digest: Option<String>,
    /// The version that it would have.
    pub(super) after: Option<(Pack, Files)>,
    /// What would be; none where it is so already.
    pub(super) target: Option<Target>,
}

impl Session {
    /// What installing a pack, or moving it to another version, would do; every mistake in it is said at once.
    ///
    /// `migrations` say, by `object.property`, how stored values become those of changed definitions, where the pack does
    /// not say it or something else is wanted.
    pub async fn pack_plan(
        &mut self,
        source: PackSource,
        accept: &BTreeMap<String, Side>,
        migrations: &Migrations,
    ) -> Result<Plan> {
        self.caller.check_admin()?;
        self.refresh().await?;
        let files = self.files_of(source).await?;
        self.plan(Wanted::Pack(files), Agreed { accept, migrations }).await
    }

    /// What uninstalling a pack would do.
    pub async fn pack_uninstall_plan(&mut self, name: &str) -> Result<Plan> {
        self.caller.check_admin()?;
        let agreed = Agreed { accept: &BTreeMap::new(), migrations: &BTreeMap::new() };
        self.plan(Wanted::Gone(name.to_owned()), agreed).await
    }

    async fn plan(&mut self, wanted: Wanted, agreed: Agreed<'_>) -> Result<Plan> {
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let proposal = self.propose(&wanted, agreed).await?;
            let metadata_version = self.catalog.version;
            let (mut all, mut conflicts, mut warnings) = (Vec::new(), Vec::new(), Problems::new());
            if let Some(target) = &proposal.target {
                all = proposal.steps(self);
                self.count_touched(&mut all).await?;
                let Some(found) = self.look_ahead(target).await? else { continue };
                attach(found, &mut all);
                conflicts.clone_from(&target.conflicts);
                let before = self.catalog.effective.registry.check_behaviors(None);
                let after = target.registry.check_behaviors(None).into_iter();
                warnings = after.filter(|problem| !before.contains(problem)).collect();
            }
            if self.catalog.version != metadata_version {
                continue;
            }
            let id = Uuid::new_v4().to_string();
            let (accept, migrations) = (agreed.accept.clone(), agreed.migrations.clone());
            let kept = KeptPlan { wanted, accept, migrations, metadata_version };
            self.engine.inner.plans.insert((self.tenant(), id.clone()), Arc::new(kept)).await;
            return Ok(Plan { id, metadata_version, steps: all, conflicts, warnings });
        }
        Err(Error::new(ErrorCode::Conflict, "definitions keep being changed by others; try again"))
    }

    /// Which stored records stand in the way; `None` where the definitions have moved on.
    async fn look_ahead(&mut self, target: &Target) -> Result<Option<Problems>> {
        let mut guard = Guard::between(self, Some(&target.registry));
        // The transaction of a way that is free is given back right here.
        let passage = guard.pass(self).await.map(|passage| match passage {
            Passage::Free(_) => Some(Vec::new()),
            Passage::Blocked(found) => Some(found),
            Passage::Outdated => None,
        });
        guard.abandon(self).await;
        passage
    }

    /// What `wanted` comes to on top of what the tenant has.
    pub(super) async fn propose(&self, wanted: &Wanted, agreed: Agreed<'_>) -> Result<Proposal> {
        let rows = pack::all(&mut self.reader().await?).await?;
        let installed = self.installed(&rows).await?;
        let now = self.now();
        let (name, after) = match wanted {
            Wanted::Pack(files) => {
                let pack = self.checked(files, &rows, &installed).await?;
                (pack.name.to_string(), Some((pack, files.clone())))
            }
            Wanted::Gone(name) => (name.clone(), None),
        };
        let row = rows.iter().find(|row| row.name == name && row.is_installed());
        let before = installed.iter().find(|(pack, _)| pack.name.as_str() == name).map(|(pack, _)| pack.clone());
        let is_so = match (&after, row) {
            (None, None) => {
                let hint = did_you_mean(&name, installed.iter().map(|(pack, _)| pack.name.as_str()));
                return Err(Error::not_found(format!("the tenant does not have the pack `{name}`{hint}")));
            }
            (Some((pack, files)), Some(row)) if pack.version.to_string() == row.version => {
                let source = serde_json::to_string(files).map_err(Error::internal)?;
                if digest(&source) != row.digest {
                    return Err(other_contents(pack));
                }
                true
            }
            _ => false,
        };
        let next = after.as_ref().map(|(pack, _)| pack);
        requirements::check_dependents(&name, next.map(|pack| &pack.version), &installed)?;
        let layer = next.map(|pack| &pack.layer);
        let target = match is_so {
            true => None,
            false => Some(Target::of(&self.catalog, &rows, (&name, layer), agreed, now)?),
        };
        let digest = row.map(|row| row.digest.clone());
        Ok(Proposal { name, before, digest, after, target })
    }

    /// The packs that the tenant has now.
    pub(super) async fn installed(&self, rows: &[TenantPackRow]) -> Result<Vec<(Pack, Files)>> {
        let sources = pack::sources(&mut self.reader().await?).await?;
        let has = |digest: &str| rows.iter().any(|row| row.digest == digest && row.is_installed());
        let mut installed = Vec::new();
        for source in sources.iter().filter(|source| has(&source.digest)) {
            let files: Files = serde_json::from_str(&source.source).map_err(Error::internal)?;
            // What a later release cannot read any more is told where definitions are loaded.
            if let Ok(pack) = Pack::read(&files) {
                installed.push((pack, files));
            }
        }
        Ok(installed)
    }

    /// A pack without mistakes, on top of the other packs that the tenant has.
    async fn checked(&self, files: &Files, rows: &[TenantPackRow], installed: &[(Pack, Files)]) -> Result<Pack> {
        let mut lacking = None;
        let below = |pack: &Pack| {
            if !requirements::unmet(pack, rows, installed, &[]).is_empty() {
                lacking = Some(pack.clone());
            }
            let below = self.catalog.effective.pack_layers().filter(|layer| layer.name != pack.name.as_str());
            below.map(|layer| Layer::clone(layer)).collect()
        };
        let (pack, found) = match Pack::read_and_check(files, below) {
            Ok(pack) => (Some(pack), Vec::new()),
            Err(found) => (None, found),
        };
        let mut unmet = Vec::new();
        if let Some(pack) = lacking {
            let known: Vec<String> = self.known_packs().await?.iter().map(|(pack, _)| pack.name.to_string()).collect();
            let found = requirements::unmet(&pack, rows, installed, &known);
            unmet.extend(found.into_iter().map(|problem| pack.located(problem)));
        }
        // What is missing explains what is unknown, so it goes first.
        match pack {
            Some(pack) if unmet.is_empty() => Ok(pack),
            _ => Err(mistakes(unmet.into_iter().chain(found).collect())),
        }
    }
}

impl Proposal {
    /// What would be done, step by step.
    pub(super) fn steps(&self, session: &Session) -> Vec<Step> {
        let versions = [self.before.as_ref(), self.after.as_ref().map(|(pack, _)| pack)];
        let target = self.target.as_ref();
        target.map(|target| steps(&session.catalog, &target.registry, versions)).unwrap_or_default()
    }
}

fn other_contents(of: &Pack) -> Error {
    let detail =
        format!("`{}` {} is known with other contents; a changed pack needs a new version", of.name, of.version);
    Error::new(ErrorCode::Conflict, detail)
}
