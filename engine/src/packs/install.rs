//! Installing a pack on a tenant: read, check on top of what the tenant has, lay it over, all in one transaction.

use std::sync::Arc;

use engine_model::layer::Layer;
use engine_model::name::did_you_mean;
use engine_model::pack::{LocatedProblem, Pack};
use engine_model::registry::Registry;
use engine_model::{Name, Problem, Sequence};
use engine_store::{Head, Tx, change, definition, pack};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::shipped::{self, Files};
use crate::definitions::catalog::Catalog;
use crate::definitions::guard::fence::Turn;
use crate::definitions::guard::{Guard, Passage};
use crate::definitions::redefine::{ATTEMPTS, blocked};
use crate::digest::digest;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::records::Written;
use crate::session::Session;

/// Where a pack comes from.
#[derive(Debug, Clone)]
pub enum PackSource {
    /// Its files: name and text.
    Files(Files),
    /// One that the server knows, by name.
    Known(String),
}

/// What installing did.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The pack's name.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// The tenant's metadata version now.
    pub metadata_version: i64,
    /// False where the tenant had this very version already.
    pub is_new: bool,
}

/// What installing a pack would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Names the plan when it is applied.
    pub id: String,
    /// The definitions that it was made for.
    pub metadata_version: i64,
    /// What would be added, in order; empty where the tenant has this version already.
    pub steps: Vec<PlanStep>,
}

/// One addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// `object`, `property`, `association` or `pipeline`.
    pub kind: &'static str,
    /// What is added: `permit`, `permit.number`.
    pub name: String,
}

/// A plan as it waits to be applied.
#[derive(Debug)]
pub(crate) struct KeptPlan {
    files: Files,
    metadata_version: i64,
}

/// A pack that a tenant has or could have.
#[derive(Debug, Clone)]
pub struct PackView {
    /// The pack's name.
    pub pack: String,
    /// What people read.
    pub label: String,
    /// Versions that the server knows.
    pub versions: Vec<String>,
    /// The version that the tenant has.
    pub installed: Option<String>,
    /// Switches that it declares.
    pub capabilities: Vec<String>,
}

impl Engine {
    /// Every pack that the server knows, shipped ones first.
    pub(crate) fn known_packs(&self) -> Vec<Files> {
        let shipped = shipped::packs().map(|(_, files)| files);
        shipped.chain(self.inner.packs.iter().cloned()).collect()
    }

    fn known_pack(&self, name: &str) -> Result<Files> {
        let mut names = Vec::new();
        for files in self.known_packs() {
            match Pack::read(&files) {
                Ok(pack) if pack.name.as_str() == name => return Ok(files),
                Ok(pack) => names.push(pack.name.to_string()),
                Err(problems) => tracing::warn!(problems = problems.len(), "a pack folder of the server has mistakes"),
            }
        }
        let hint = did_you_mean(name, names.iter().map(String::as_str));
        Err(Error::not_found(format!("there is no pack `{name}`{hint}")))
    }

    /// Installs the packs of a profile on a tenant that is being made.
    pub(crate) async fn install_profile(
        &self,
        tx: &mut Tx,
        profile: &str,
        at: engine_model::time::Timestamp,
    ) -> Result<()> {
        self.install_profile_packs(tx, profile, &[], at).await
    }

    /// Installs the packs of a profile that a tenant does not have yet.
    pub(crate) async fn install_profile_packs(
        &self,
        tx: &mut Tx,
        profile: &str,
        has: &[pack::TenantPackRow],
        at: engine_model::time::Timestamp,
    ) -> Result<()> {
        let Some(profile) = shipped::profile(profile) else { return Ok(()) };
        for name in profile.packs.iter().filter(|name| !has.iter().any(|row| row.name == name.as_str())) {
            let files = self.known_pack(name)?;
            let pack = Pack::read(&files).map_err(mistakes)?;
            lay(tx, &pack, &files, at).await?;
        }
        Ok(())
    }
}

impl Session {
    /// Every pack that the server knows, and which version the tenant has.
    pub async fn packs(&mut self) -> Result<Vec<PackView>> {
        let mut reader = self.reader().await?;
        let installed = pack::installed(&mut reader).await?;
        let mut views: Vec<PackView> = Vec::new();
        let sources = pack::sources(&mut reader).await?;
        let kept = sources.iter().filter_map(|row| serde_json::from_str::<Files>(&row.source).ok());
        for files in self.engine.known_packs().into_iter().chain(kept) {
            let Ok(pack) = Pack::read(&files) else { continue };
            let version = pack.version.to_string();
            if let Some(view) = views.iter_mut().find(|view| view.pack == pack.name.as_str()) {
                if !view.versions.contains(&version) {
                    view.versions.push(version);
                }
                continue;
            }
            let has = installed.iter().find(|row| row.name == pack.name.as_str());
            views.push(PackView {
                pack: pack.name.to_string(),
                label: pack.label,
                versions: vec![version],
                installed: has.map(|row| row.version.clone()),
                capabilities: pack.capabilities.iter().map(Name::to_string).collect(),
            });
        }
        Ok(views)
    }

    /// What installing a pack would add; every mistake in it is said at once. Nothing changes.
    pub async fn pack_plan(&mut self, source: PackSource) -> Result<Plan> {
        self.caller.check_admin()?;
        self.refresh().await?;
        let files = match source {
            PackSource::Files(files) => files,
            PackSource::Known(name) => self.engine.known_pack(&name)?,
        };
        let (pack, registry) = self.checked(&files).await?;
        let steps = if registry.is_some() { steps(&pack) } else { Vec::new() };
        let id = Uuid::new_v4().to_string();
        let metadata_version = self.catalog.version;
        let kept = KeptPlan { files, metadata_version };
        self.engine.inner.plans.insert((self.tenant(), id.clone()), Arc::new(kept)).await;
        Ok(Plan { id, metadata_version, steps })
    }

    /// Does exactly what a plan says, in one step or not at all. The same version again changes nothing.
    pub async fn pack_apply(&mut self, plan: &str) -> Result<Written<Installed>> {
        self.caller.check_admin()?;
        let unknown =
            || Error::not_found("there is no such plan; plans are kept for an hour by the server that made them");
        let kept = self.engine.inner.plans.get(&(self.tenant(), plan.to_owned())).await.ok_or_else(unknown)?;
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            self.caller.check_admin()?;
            let (pack, registry) = self.checked(&kept.files).await?;
            let Some(registry) = registry else {
                let sequence: Sequence = self.position().await?;
                let value = installed(&pack, self.catalog.version, false);
                return Ok(Written { value, sequence });
            };
            if self.catalog.version != kept.metadata_version {
                return Err(out_of_date());
            }
            let mut guard = Guard::between(self, Some(&registry));
            match self.lay_in_force(&pack, &kept.files, &mut guard).await {
                Ok(Some((head, turn))) => {
                    guard.settle(self, head.metadata_version, turn);
                    let value = installed(&pack, head.metadata_version, true);
                    return Ok(Written { value, sequence: head.sequence() });
                }
                Ok(None) => guard.abandon(self).await,
                Err(error) => {
                    guard.abandon(self).await;
                    return Err(error);
                }
            }
        }
        Err(out_of_date())
    }

    /// Where the tenant stands with the pack, if no stored record is in the way; `None` where rights have moved on.
    async fn lay_in_force(&mut self, pack: &Pack, files: &Files, guard: &mut Guard) -> Result<Option<(Head, Turn)>> {
        let mut tx = match guard.pass(self).await? {
            Passage::Free(tx) => tx,
            Passage::Outdated => return Err(out_of_date()),
            Passage::Blocked(found) => return Err(blocked(found)),
        };
        if tx.head.access_version != self.caller.access_version {
            return Ok(None);
        }
        let turn = guard.finish(&mut tx).await?;
        let at = self.now();
        lay(&mut tx, pack, files, at).await?;
        let summary = format!("install pack {} {}", pack.name, pack.version);
        let changes = json!({"pack": [null, pack.name], "version": [null, pack.version.to_string()]}).to_string();
        definition::add_version(&mut tx, Some(self.caller.user), at, &summary, changes.clone()).await?;
        change::append(&mut tx, &self.origin, at, "metadata.changed", None, changes).await?;
        let head = tx.commit().await?;
        self.catch_up(head.metadata_version, head.access_version).await?;
        Ok(Some((head, turn)))
    }

    /// A pack without mistakes, and the definitions with it; `None` where the tenant has this very version.
    async fn checked(&self, files: &Files) -> Result<(Pack, Option<Registry>)> {
        let pack = Pack::read_and_check(files, |pack| {
            let below = self.catalog.effective.pack_layers().filter(|layer| layer.name != pack.name.as_str());
            below.map(|layer| Layer::clone(layer)).collect()
        })
        .map_err(mistakes)?;
        let has = pack::installed(&mut self.reader().await?).await?;
        if let Some(row) = has.iter().find(|row| row.name == pack.name.as_str()) {
            if pack.version.to_string() != row.version {
                return Err(no_upgrade(&pack, &row.version));
            }
            let source = serde_json::to_string(files).map_err(Error::internal)?;
            return if digest(&source) == row.digest { Ok((pack, None)) } else { Err(other_contents(&pack)) };
        }
        check_requirements(&pack, &has)?;
        let registry = with_pack(&self.catalog, &pack)?;
        Ok((pack, Some(registry)))
    }
}

fn no_upgrade(of: &Pack, version: &str) -> Error {
    let detail = format!(
        "the tenant has `{}` {version}; moving an installed pack to version {} is not supported by this release",
        of.name, of.version
    );
    Error::new(ErrorCode::Conflict, detail)
}

fn other_contents(of: &Pack) -> Error {
    let detail =
        format!("`{}` {} is known with other contents; a changed pack needs a new version", of.name, of.version);
    Error::new(ErrorCode::Conflict, detail)
}

fn out_of_date() -> Error {
    Error::new(ErrorCode::PlanOutOfDate, "definitions have changed since the plan was made; plan again")
}

fn installed(of: &Pack, metadata_version: i64, is_new: bool) -> Installed {
    Installed { pack: of.name.to_string(), version: of.version.to_string(), metadata_version, is_new }
}

/// One addition per object, property, association and pipeline.
fn steps(of: &Pack) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    let mut add = |kind: &'static str, name: String| steps.push(PlanStep { kind, name });
    for (name, spec) in &of.layer.objects {
        add("object", name.to_string());
        for property in property_names(spec) {
            add("property", format!("{name}.{property}"));
        }
    }
    for (name, spec) in &of.layer.extend {
        for property in property_names(spec) {
            add("property", format!("{name}.{property}"));
        }
    }
    for name in of.layer.associations.keys() {
        add("association", name.to_string());
    }
    for (object, name) in of.layer.pipelines.keys() {
        add("pipeline", format!("{object}.{name}"));
    }
    steps
}

fn property_names(spec: &Map<String, Value>) -> impl Iterator<Item = &String> {
    spec.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys)
}

async fn lay(tx: &mut Tx, of: &Pack, files: &Files, at: engine_model::time::Timestamp) -> Result<()> {
    let source = serde_json::to_string(files).map_err(Error::internal)?;
    let (version, digest) = (of.version.to_string(), digest(&source));
    let new = pack::NewPack { name: &of.name, version: &version, source: &source, digest: &digest };
    Ok(pack::install(tx, &new, at).await?)
}

fn check_requirements(of: &Pack, has: &[pack::TenantPackRow]) -> Result<()> {
    let mut problems = Vec::new();
    for (name, wanted) in &of.requires {
        let at = format!("/requires/{name}");
        let Some(row) = has.iter().find(|row| row.name == name.as_str()) else {
            problems.push(Problem::new(at, "missing_pack", format!("install `{name}` {wanted} first")));
            continue;
        };
        if !semver::Version::parse(&row.version).is_ok_and(|version| wanted.matches(&version)) {
            let message = format!("the tenant has `{name}` {}, but {wanted} is required", row.version);
            problems.push(Problem::new(at, "pack_version", message));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::invalid(problems)) }
}

/// The definitions with a pack; the tenant's own layer must still stand on top of it.
fn with_pack(catalog: &Catalog, of: &Pack) -> Result<Registry> {
    let (registry, problems) = catalog.effective.with_pack(of.layer.clone());
    if problems.is_empty() {
        return Ok(registry);
    }
    let detail = "the pack collides with what the tenant has defined itself; see `errors`";
    Err(Error { code: ErrorCode::Conflict, detail: detail.to_owned(), ..Error::invalid(problems) })
}

/// Mistakes in a pack's files, each with file, line and column in its message.
pub(crate) fn mistakes(problems: Vec<LocatedProblem>) -> Error {
    let problems = problems
        .into_iter()
        .map(|problem| Problem::new(problem.pointer.clone(), problem.code, problem.to_string()))
        .collect();
    Error::invalid(problems)
}
