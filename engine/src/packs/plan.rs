//! What bringing a pack in, moving it on or taking it away would do. Nothing changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::Problems;
use engine_model::layer::Layer;
use engine_model::name::did_you_mean;
use engine_model::pack::{LocatedProblem, Pack};
use engine_model::upgrade::{Conflict, Side};
use engine_store::pack::{self, TenantPackRow};
use uuid::Uuid;

use super::common::Common;
use super::difference::{Step, steps};
use super::fragments;
use super::known::{Known, PackSource, mistakes};
use super::migrate::Migrations;
use super::requirements;
use super::shipped::Files;
use super::target::{Agreed, Target};
use super::touched::attach;
use crate::definitions::guard::{Guard, Passage};
use crate::definitions::redefine::ATTEMPTS;
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
    /// The same for many tenants.
    Common(Arc<Common>),
    /// The pack of this name is gone.
    Gone(String),
    /// And all that it has brought with it.
    Purged(String),
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
    pub(super) before: Option<Arc<Known>>,
    /// What tells the files of that version from all others.
    pub(super) digest: Option<String>,
    /// The version that it would have.
    pub(super) after: Option<Arc<Known>>,
    /// What would be; none where it is so already.
    pub(super) target: Option<Target>,
    /// What would be done, step by step, whatever records that touches.
    pub(super) steps: Vec<Step>,
    /// What views, reports, workflows and roles would name that is not there.
    pub(super) warnings: Problems,
}

/// What a plan says.
#[derive(Debug)]
pub(super) struct Foreseen {
    pub(super) metadata_version: i64,
    pub(super) proposal: Arc<Proposal>,
    /// The proposal's steps, with the records that they touch.
    pub(super) steps: Vec<Step>,
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
        self.plan(Wanted::Pack(files), Agreed { accept, migrations, for_many: false }).await
    }

    /// What uninstalling a pack and erasing for good all that it has brought would do; applying the plan does both.
    pub async fn pack_purge_plan(&mut self, name: &str) -> Result<Plan> {
        self.caller.check_admin()?;
        self.refresh().await?;
        let (steps, warnings) = self.foresee_purge(name).await?;
        let metadata_version = self.catalog.version;
        let wanted = Wanted::Purged(name.to_owned());
        let kept = KeptPlan { wanted, accept: BTreeMap::new(), migrations: BTreeMap::new(), metadata_version };
        Ok(Plan { id: self.keep_plan(kept).await, metadata_version, steps, conflicts: Vec::new(), warnings })
    }

    async fn keep_plan(&self, kept: KeptPlan) -> String {
        let id = Uuid::new_v4().to_string();
        self.engine.inner.plans.insert((self.tenant(), id.clone()), Arc::new(kept)).await;
        id
    }

    /// What uninstalling a pack would do.
    pub async fn pack_uninstall_plan(&mut self, name: &str) -> Result<Plan> {
        self.caller.check_admin()?;
        let agreed = Agreed { accept: &BTreeMap::new(), migrations: &BTreeMap::new(), for_many: false };
        self.plan(Wanted::Gone(name.to_owned()), agreed).await
    }

    async fn plan(&mut self, wanted: Wanted, agreed: Agreed<'_>) -> Result<Plan> {
        let Foreseen { metadata_version, proposal, steps } = self.foresee(&wanted, agreed).await?;
        let (accept, migrations) = (agreed.accept.clone(), agreed.migrations.clone());
        let id = self.keep_plan(KeptPlan { wanted, accept, migrations, metadata_version }).await;
        let (conflicts, warnings) = (proposal.conflicts().to_vec(), proposal.warnings.clone());
        Ok(Plan { id, metadata_version, steps, conflicts, warnings })
    }

    /// What a plan says, which nobody keeps.
    pub(super) async fn foresee(&mut self, wanted: &Wanted, agreed: Agreed<'_>) -> Result<Foreseen> {
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let proposal = self.propose(wanted, agreed).await?;
            let metadata_version = self.catalog.version;
            let mut steps = Vec::new();
            if let Some(target) = &proposal.target {
                steps.clone_from(&proposal.steps);
                self.tell_effects(&mut steps, &target.registry).await?;
                let Some(found) = self.look_ahead(target).await? else { continue };
                attach(found, &mut steps);
            }
            if self.catalog.version == metadata_version {
                return Ok(Foreseen { metadata_version, proposal, steps });
            }
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
    pub(super) async fn propose(&self, wanted: &Wanted, agreed: Agreed<'_>) -> Result<Arc<Proposal>> {
        let Wanted::Common(common) = wanted else { return self.work_out(wanted, agreed).await.map(Arc::new) };
        if let Some(proposal) = common.proposal(&self.catalog) {
            return Ok(proposal);
        }
        let proposal = Arc::new(self.work_out(wanted, agreed).await?);
        // Rows that were read after the definitions may be newer than these, which is nobody else's business.
        if self.reader().await?.head().await?.metadata_version == self.catalog.version {
            common.keep(&self.catalog, &proposal);
        }
        Ok(proposal)
    }

    async fn work_out(&self, wanted: &Wanted, agreed: Agreed<'_>) -> Result<Proposal> {
        let rows = pack::all(&mut self.reader().await?).await?;
        let installed = self.installed(&rows).await?;
        let (name, after, at) = match wanted {
            Wanted::Pack(files) => {
                let pack = self.checked(files, &rows, &installed).await?;
                (pack.name.to_string(), Some(Arc::new(Known { pack, files: files.clone() })), self.now())
            }
            Wanted::Common(common) => {
                // What was installed was checked before.
                if !installed
                    .iter()
                    .any(|known| known.name() == common.known.name() && known.files == common.known.files)
                {
                    self.check(&common.known, &rows, &installed).await?;
                }
                (common.known.name().to_owned(), Some(Arc::clone(&common.known)), common.at)
            }
            Wanted::Gone(name) | Wanted::Purged(name) => (name.clone(), None, self.now()),
        };
        let row = rows.iter().find(|row| row.name == name && row.is_installed());
        let before = installed.iter().find(|known| known.name() == name).cloned();
        let is_so = match (&after, row) {
            (None, None) => {
                let hint = did_you_mean(&name, installed.iter().map(|known| known.name()));
                return Err(Error::not_found(format!("the tenant does not have the pack `{name}`{hint}")));
            }
            (Some(known), Some(row)) if known.pack.version.to_string() == row.version => {
                let says_the_same = |before: &Arc<Known>| before.says_the_same(known);
                if known.digest()? != row.digest && !before.as_ref().is_some_and(says_the_same) {
                    return Err(other_contents(&known.pack));
                }
                true
            }
            _ => false,
        };
        let next = after.as_ref().map(|known| &known.pack);
        requirements::check_dependents(&name, next.map(|pack| &pack.version), &installed)?;
        let layer = next.map(|pack| &pack.layer);
        let target = match is_so {
            true => None,
            false => Some(Target::of(&self.catalog, &rows, (&name, layer), agreed, at)?),
        };
        let digest = row.map(|row| row.digest.clone());
        let versions = [&before, &after].map(|known| known.as_ref().map(|known| &known.pack));
        let steps = target.as_ref().map(|target| steps(&self.catalog, &target.registry, versions)).unwrap_or_default();
        let warnings = target.as_ref().map(|target| self.warnings(target)).unwrap_or_default();
        Ok(Proposal { name, before, digest, after, target, steps, warnings })
    }

    /// What definitions of behavior would name from then on that is not there.
    fn warnings(&self, target: &Target) -> Problems {
        let before = self.catalog.effective.registry.check_behaviors(None);
        let after = target.registry.check_behaviors(None).into_iter();
        after.filter(|problem| !before.contains(problem)).collect()
    }

    /// The packs that the tenant has now.
    pub(super) async fn installed(&self, rows: &[TenantPackRow]) -> Result<Vec<Arc<Known>>> {
        let sources = pack::sources(&mut self.reader().await?).await?;
        let has = |digest: &str| rows.iter().any(|row| row.digest == digest && row.is_installed());
        let mut installed = Vec::new();
        for source in sources.iter().filter(|source| has(&source.digest)) {
            installed.extend(self.engine.inner.shared.known(source).await?);
        }
        Ok(installed)
    }

    /// A pack without mistakes, on top of the other packs that the tenant has.
    async fn checked(&self, files: &Files, rows: &[TenantPackRow], installed: &[Arc<Known>]) -> Result<Pack> {
        let (mut lacking, mut fragments) = (None, Vec::new());
        let below = |pack: &Pack| {
            fragments = fragments::mistakes(pack);
            if !requirements::unmet(pack, rows, installed, &[]).is_empty() {
                lacking = Some(pack.clone());
            }
            self.layers_beside(pack)
        };
        let (pack, found) = match Pack::read_and_check(files, below) {
            Ok(pack) => (Some(pack), Vec::new()),
            Err(found) => (None, found),
        };
        let unmet = match lacking {
            Some(pack) => self.unmet(&pack, rows, installed).await?,
            None => Vec::new(),
        };
        // What is missing explains what is unknown, so it goes first.
        match pack {
            Some(pack) if unmet.is_empty() && fragments.is_empty() => Ok(pack),
            _ => Err(mistakes(unmet.into_iter().chain(found).chain(fragments).collect())),
        }
    }

    /// The same of a pack that was read before.
    async fn check(&self, known: &Known, rows: &[TenantPackRow], installed: &[Arc<Known>]) -> Result<()> {
        let mut found = known.pack.check(&self.layers_beside(&known.pack));
        found.extend(fragments::mistakes(&known.pack));
        let unmet = self.unmet(&known.pack, rows, installed).await?;
        if unmet.is_empty() && found.is_empty() {
            return Ok(());
        }
        Err(mistakes(unmet.into_iter().chain(found).collect()))
    }

    /// The layers of all other packs of the tenant.
    fn layers_beside(&self, pack: &Pack) -> Vec<Layer> {
        let beside = self.catalog.effective.pack_layers().filter(|layer| layer.name != pack.name.as_str());
        beside.map(|layer| Layer::clone(layer)).collect()
    }

    /// What a pack requires and the tenant does not have.
    async fn unmet(
        &self,
        pack: &Pack,
        rows: &[TenantPackRow],
        installed: &[Arc<Known>],
    ) -> Result<Vec<LocatedProblem>> {
        if requirements::unmet(pack, rows, installed, &[]).is_empty() {
            return Ok(Vec::new());
        }
        let known: Vec<String> = self.known_packs().await?.iter().map(|(pack, _)| pack.name.to_string()).collect();
        let found = requirements::unmet(pack, rows, installed, &known);
        Ok(found.into_iter().map(|problem| pack.located(problem)).collect())
    }
}

impl Proposal {
    /// What both the pack and the tenant have changed.
    pub(super) fn conflicts(&self) -> &[Conflict] {
        self.target.as_ref().map(|target| target.conflicts.as_slice()).unwrap_or_default()
    }
}

fn other_contents(of: &Pack) -> Error {
    let detail =
        format!("`{}` {} is known with other contents; a changed pack needs a new version", of.name, of.version);
    Error::new(ErrorCode::Conflict, detail)
}
