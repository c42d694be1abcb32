//! Doing exactly what a plan says, in one step or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::change::ChangeKind;
use engine_model::layer::Layer;
use engine_model::upgrade::Side;
use engine_model::{JobId, Problem, Sequence};
use engine_store::{Head, Tx, change, definition, pack};
use serde_json::{Value, json};

use super::difference::Step;
use super::plan::{Proposal, Wanted};
use super::profile::lay;
use super::target::{Agreed, Target};
use crate::definitions::edit;
use crate::definitions::guard::fence::Turn;
use crate::definitions::guard::{Guard, Passage};
use crate::definitions::redefine::{ATTEMPTS, blocked};
use crate::error::{Error, ErrorCode, Result};
use crate::records::Written;
use crate::rollups::news;
use crate::session::Session;

/// What whoever applies a plan agrees to.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    /// Things stored may no longer be seen.
    pub allows_destructive: bool,
    /// Whose side items take that both the pack and the tenant have changed: the tenant's, unless said here or when
    /// the plan was made.
    pub accept: BTreeMap<String, Side>,
    /// How stored values become those of changed definitions, by `object.property`: what is said here goes before what
    /// the plan was made with, and that before what the pack says.
    pub migrations: BTreeMap<String, Value>,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The pack's name.
    pub pack: String,
    /// Its version; none where the tenant does not have it any more.
    pub version: Option<String>,
    /// The tenant's metadata version now.
    pub metadata_version: i64,
    /// False where all was so already.
    pub is_new: bool,
    /// Jobs that compute what the new definitions say, and write anew what they say otherwise.
    pub jobs: Vec<JobId>,
}

impl Session {
    /// Does exactly what a plan says, in one step or not at all. The same version again changes nothing.
    pub async fn pack_apply(&mut self, plan: &str, consent: &Consent) -> Result<Written<Applied>> {
        self.caller.check_admin()?;
        let unknown =
            || Error::not_found("there is no such plan; plans are kept for an hour by the server that made them");
        let kept = self.engine.inner.plans.get(&(self.tenant(), plan.to_owned())).await.ok_or_else(unknown)?;
        // What is said now goes before what the plan was made with.
        let mut accept = kept.accept.clone();
        accept.extend(consent.accept.clone());
        let mut migrations = kept.migrations.clone();
        migrations.extend(consent.migrations.clone());
        let consent = Consent { accept, migrations, ..*consent };
        if let Wanted::Purged(name) = &kept.wanted {
            return self.purge_as_planned(name, kept.metadata_version, &consent).await;
        }
        Ok(self.carry_out(&kept.wanted, Some(kept.metadata_version), &consent).await?.1)
    }

    /// Uninstalls a pack: what it defines is archived, and hidden with all that is stored under it, until it is
    /// installed again.
    pub async fn pack_uninstall(&mut self, name: &str) -> Result<Written<Applied>> {
        self.caller.check_admin()?;
        let consent = Consent { allows_destructive: true, ..Consent::default() };
        Ok(self.carry_out(&Wanted::Gone(name.to_owned()), None, &consent).await?.1)
    }

    /// What was proposed, and what was done. `planned` is the version of the definitions that it was planned for; where
    /// none is given, it is worked out again for as long as definitions keep changing, a few times.
    pub(super) async fn carry_out(
        &mut self,
        wanted: &Wanted,
        planned: Option<i64>,
        consent: &Consent,
    ) -> Result<(Arc<Proposal>, Written<Applied>)> {
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            self.caller.check_admin()?;
            let for_many = matches!(wanted, Wanted::Common(_));
            let agreed = Agreed { accept: &consent.accept, migrations: &consent.migrations, for_many };
            let proposal = self.propose(wanted, agreed).await?;
            let Some(target) = &proposal.target else {
                let sequence: Sequence = self.position().await?;
                let value = proposal.applied(self.catalog.version, Vec::new());
                return Ok((proposal, Written { value, sequence }));
            };
            if planned.is_some_and(|planned| planned != self.catalog.version) {
                return Err(out_of_date());
            }
            if !consent.allows_destructive {
                check_destructive(&proposal.steps)?;
            }
            let mut guard = Guard::between(self, Some(&target.registry));
            match self.put_pack_in_force(&proposal, target, &mut guard, planned.is_some()).await {
                Ok(Some((head, turn, jobs))) => {
                    guard.settle(self, head.metadata_version, turn);
                    let value = Applied { is_new: true, ..proposal.applied(head.metadata_version, jobs) };
                    return Ok((proposal, Written { value, sequence: head.sequence() }));
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

    /// Where the tenant stands with the change, if no stored record is in the way; `None` where it has to be looked at
    /// again.
    async fn put_pack_in_force(
        &mut self,
        proposal: &Proposal,
        target: &Target,
        guard: &mut Guard,
        is_planned: bool,
    ) -> Result<Option<(Head, Turn, Vec<JobId>)>> {
        let mut tx = match guard.pass(self).await? {
            Passage::Free(tx) => tx,
            Passage::Outdated if is_planned => return Err(out_of_date()),
            Passage::Outdated => return Ok(None),
            Passage::Blocked(found) => return Err(blocked(found)),
        };
        if tx.head.access_version != self.caller.access_version {
            return Ok(None);
        }
        let turn = guard.finish(&mut tx).await?;
        self.write_pack(&mut tx, proposal, target).await?;
        let computing = self.compute_news(&mut tx, &news(&self.catalog.effective.registry, &target.registry)).await?;
        let settling = self.settle_news(&mut tx, &target.registry).await?.map(|job| job.id);
        let jobs: Vec<JobId> = computing.into_iter().chain(settling).collect();
        let head = tx.commit().await?;
        self.catch_up(head.metadata_version, head.access_version).await?;
        if !jobs.is_empty() {
            self.tell_worker();
        }
        Ok(Some((head, turn, jobs)))
    }

    async fn write_pack(&self, tx: &mut Tx, proposal: &Proposal, target: &Target) -> Result<()> {
        let at = self.now();
        let remnant = remnant_text(&target.remnant);
        if proposal.before.is_none() {
            self.check_not_purging(tx.reader(), &proposal.name).await?;
        }
        match &proposal.after {
            Some(known) => lay(tx, &known.pack, &known.files, &remnant, at).await?,
            None => pack::uninstall(tx, &proposal.name, &remnant, at).await?,
        }
        edit::put(tx, &target.own, at).await?;
        // Users do this to their own tenant, the platform to any.
        let by = if self.origin.actor.is_none() { ", by the platform" } else { "" };
        let summary = format!("{}{by}", proposal.summary());
        let mut changes = edit::changes(self.catalog.effective.own_layer(), &target.own);
        let [before, after] = proposal.versions();
        changes.insert(format!("packs.{}", proposal.name), json!([before, after]));
        if let Some(digest) = &proposal.digest {
            changes.insert(format!("digests.{}", proposal.name), json!([digest, null]));
        }
        let changes = Value::Object(changes).to_string();
        definition::add_version(tx, self.origin.actor, at, &summary, changes).await?;
        let entry = json!({
            "metadata_version": [self.catalog.version, tx.head.metadata_version],
            "summary": [null, summary],
        });
        let kind = ChangeKind::MetadataChanged.as_str();
        Ok(change::append(tx, &self.origin, at, kind, None, entry.to_string()).await?)
    }
}

/// What a pack leaves behind, as it is kept.
pub(super) fn remnant_text(remnant: &Layer) -> String {
    if remnant.is_empty() { String::new() } else { Value::Object(remnant.document()).to_string() }
}

impl Proposal {
    pub(super) fn versions(&self) -> [Option<String>; 2] {
        [&self.before, &self.after].map(|known| known.as_ref().map(|known| known.pack.version.to_string()))
    }

    /// One line for people.
    fn summary(&self) -> String {
        let name = &self.name;
        match self.versions() {
            [None, Some(version)] => format!("install pack {name} {version}"),
            [Some(before), Some(after)] => format!("move pack {name} from {before} to {after}"),
            [_, None] => format!("uninstall pack {name}"),
        }
    }

    fn applied(&self, metadata_version: i64, jobs: Vec<JobId>) -> Applied {
        let [_, version] = self.versions();
        Applied { pack: self.name.clone(), version, metadata_version, is_new: false, jobs }
    }
}

pub(super) fn check_destructive(steps: &[Step]) -> Result<()> {
    let told = |(index, step): (usize, &Step)| {
        let message = format!("`{}` would be archived, with what is stored under it", step.name);
        step.destructive.then(|| Problem::new(format!("/steps/{index}"), "destructive", message))
    };
    let problems: Vec<Problem> = steps.iter().enumerate().filter_map(told).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let detail = "the plan takes definitions away; apply it with `allow_destructive: true` if that is meant";
    Err(Error { code: ErrorCode::Destructive, detail: detail.to_owned(), ..Error::invalid(problems) })
}

pub(super) fn out_of_date() -> Error {
    Error::new(ErrorCode::PlanOutOfDate, "definitions have changed since the plan was made; plan again")
}
