//! The way of every change of definitions, from its plan to its version in force.

use std::sync::Arc;

use engine_model::change::ChangeKind;
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems};
use engine_store::{Tx, change, definition};
use serde_json::{Value, json};

use super::catalog::Catalog;
use super::edit::{self, Edit};
use super::guard::fence::Turn;
use super::guard::{Guard, Passage, coherence};
use super::show::Showing;
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::Job;
use crate::records::{Reply, Written};
use crate::rollups::news;
use crate::session::Session;

/// How often a change is planned again because others were faster.
pub(crate) const ATTEMPTS: usize = 8;

/// A definition that was changed.
#[derive(Debug, Clone)]
pub struct Defined {
    /// As it is shown now.
    pub definition: Value,
    /// The job that writes stored records anew, where the change came with a migration.
    pub job: Option<Job>,
}

/// A change that is sound by itself.
struct Proposal {
    edit: Edit,
    /// The definitions with it; none where it changes nothing.
    registry: Option<Registry>,
}

impl Session {
    /// Changes the tenant's own layer by what `plan` makes of the current definitions.
    pub(crate) async fn redefine(
        &mut self,
        plan: impl Fn(&Catalog, Timestamp) -> Result<Edit> + Send + Sync,
        reply: Option<Reply<Defined>>,
    ) -> Result<Written<Defined>> {
        if let Some(kept) = self.kept_reply().await? {
            return Err(Error::replayed(kept));
        }
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            self.caller.check_admin()?;
            let catalog = Arc::clone(&self.catalog);
            let proposal = Proposal::check(&catalog, plan(&catalog, self.now())?)?;
            let mut guard = Guard::between(self, proposal.registry.as_ref());
            match self.put_in_force(&catalog, &proposal, &mut guard, reply.as_ref()).await {
                Ok(Some((written, version, turn))) => {
                    guard.settle(self, version, turn);
                    return Ok(written);
                }
                Ok(None) => guard.abandon(self).await,
                Err(error) => {
                    guard.abandon(self).await;
                    return Err(error);
                }
            }
        }
        Err(Error::new(ErrorCode::Conflict, "definitions keep being changed by others; try again"))
    }

    /// The answer, the version in force and the turn to tidy up by; `None` where the change has to be planned again.
    async fn put_in_force(
        &mut self,
        catalog: &Catalog,
        proposal: &Proposal,
        guard: &mut Guard,
        reply: Option<&Reply<Defined>>,
    ) -> Result<Option<(Written<Defined>, i64, Turn)>> {
        let mut value = Defined { definition: proposal.answer(catalog)?, job: None };
        if proposal.registry.is_none() && self.idempotency.is_none() {
            let sequence = self.position().await?;
            return Ok(Some((Written { value, sequence }, catalog.version, Turn::default())));
        }
        let mut tx = match guard.pass(self).await? {
            Passage::Free(tx) => tx,
            Passage::Outdated => return Ok(None),
            Passage::Blocked(found) => return Err(blocked(proposal.edit.place(found, true))),
        };
        if tx.head.access_version != self.caller.access_version {
            return Ok(None);
        }
        let turn = guard.finish(&mut tx).await?;
        let mut job = None;
        if let Some(registry) = &proposal.registry {
            self.write(&mut tx, catalog, &proposal.edit).await?;
            job = self.compute_news(&mut tx, &news(&catalog.effective.registry, registry)).await?;
            value.job = self.settle_news(&mut tx, registry).await?;
        }
        let written = Written { value, sequence: tx.head.sequence() };
        if let Some(reply) = reply {
            self.keep_reply(&mut tx, &written, |written| reply(written)).await?;
        }
        let head = tx.commit().await?;
        self.catch_up(head.metadata_version, head.access_version).await?;
        if job.is_some() || written.value.job.is_some() {
            self.tell_worker();
        }
        Ok(Some((written, head.metadata_version, turn)))
    }

    async fn write(&self, tx: &mut Tx, catalog: &Catalog, edit: &Edit) -> Result<()> {
        let now = self.now();
        edit::put(tx, &edit.rows, now).await?;
        let changes = Value::Object(edit::changes(catalog.effective.own_layer(), &edit.rows)).to_string();
        definition::add_version(tx, self.origin.actor, now, &edit.summary, changes).await?;
        let entry = json!({
            "metadata_version": [catalog.version, tx.head.metadata_version],
            "summary": [null, edit.summary],
        });
        let kind = ChangeKind::MetadataChanged.as_str();
        Ok(change::append(tx, &self.origin, now, kind, None, entry.to_string()).await?)
    }
}

impl Proposal {
    /// Checks a change together with all other definitions.
    fn check(catalog: &Catalog, mut edit: Edit) -> Result<Self> {
        edit.news(catalog);
        let (registry, found) = if edit.rows.is_empty() {
            (None, Problems::new())
        } else {
            let (registry, mut found) = catalog.effective.with_own_layer(edit.apply(catalog));
            found.extend(coherence::check(&catalog.effective.registry, &registry));
            (Some(registry), found)
        };
        let reads =
            registry.as_ref().is_none_or(|registry| edit.answer(Showing { registry, ..Showing::of(catalog) }).is_ok());
        let problems = edit.place(found, reads);
        if problems.is_empty() { Ok(Self { edit, registry }) } else { Err(Error::invalid(problems)) }
    }

    fn answer(&self, catalog: &Catalog) -> Result<Value> {
        let showing = Showing::of(catalog);
        let registry = self.registry.as_ref().unwrap_or(&catalog.effective.registry);
        self.edit.answer(Showing { registry, ..showing })
    }
}

/// What stored records stand in the way of.
pub(crate) fn blocked(problems: Vec<Problem>) -> Error {
    let detail = match problems.as_slice() {
        [only] => only.message.clone(),
        many => format!("stored records are in the way in {} places; see `errors`", many.len()),
    };
    Error { code: ErrorCode::RecordsInTheWay, detail, ..Error::invalid(problems) }
}
