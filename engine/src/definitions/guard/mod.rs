//! Stored records and a change of definitions: none may become invalid by it.
//!
//! Old and new definitions are compared ([`compare`]); where the new ones ask for more, the records concerned are looked
//! at page by page outside any lock, then those that changed meanwhile, the last of them in the very transaction that
//! puts the new definitions in force. From then on writes are checked by the new definitions, since a commit refuses
//! what was prepared under others. Changes that only add cost no look at any record.

mod check;
mod claims;
pub(crate) mod coherence;
mod compare;
pub(crate) mod fence;
mod links;

use std::collections::BTreeSet;

use engine_model::change::ChangeKind;
use engine_model::object::ObjectDefinition;
use engine_model::property::Locale;
use engine_model::registry::Registry;
use engine_model::{Name, Problem, Problems, Properties, Sequence};
use engine_store::Tx;
use engine_store::claim::{self, Constraint, Rivals};
use engine_store::record::{self, RecordRow};
use engine_store::survey::{self, Touched};

use self::compare::ObjectGuard;
use self::fence::{Fence, Turn};
use self::links::LinkGuard;
use crate::error::{Error, Result};
use crate::session::Session;

/// Records, links or changes looked at in one go.
const PAGE: i64 = 1_000;

/// Pages of changes looked at in transactions of their own; whoever writes faster than that waits for the rest.
const ROUNDS: usize = 50;

/// A stored record, as far as it is looked at: as it would be.
#[derive(Debug)]
pub(crate) struct Stored {
    id: i64,
    is_archived: bool,
    properties: Properties,
    /// Properties whose stored values cannot be brought forward.
    stuck: Vec<Name>,
}

/// Records of `object`, which is defined as it shall be. Those that were merged into others are left out: nobody could
/// mend them where they are.
fn stored(object: &ObjectDefinition, rows: Vec<RecordRow>) -> Result<Vec<Stored>> {
    rows.into_iter()
        .filter(|row| row.merged_into.is_none())
        .map(|row| {
            let mut properties = serde_json::from_str(&row.properties).map_err(Error::internal)?;
            let (_, stuck) = object.forward(&mut properties);
            let stuck = stuck.into_iter().map(|(name, _)| name.clone()).collect();
            Ok(Stored { id: row.id, is_archived: row.archived_at.is_some(), properties, stuck })
        })
        .collect()
}

/// Everything that a change of definitions asks of what is stored.
#[derive(Debug)]
pub(crate) struct Guard {
    objects: Vec<ObjectGuard>,
    links: Vec<LinkGuard>,
    /// Constraints that are no more.
    gone: Vec<Constraint>,
    fence: Fence,
}

/// What came of the look at what is stored.
#[derive(Debug)]
pub(crate) enum Passage {
    /// Nothing is in the way; the transaction holds the tenant's lock, so that it stays so.
    Free(Tx),
    /// These records are in the way.
    Blocked(Problems),
    /// The definitions have moved on.
    Outdated,
}

impl Guard {
    /// What leads from the definitions of `session` to `new`; nothing where `new` is `None`.
    pub(crate) fn between(session: &Session, new: Option<&Registry>) -> Self {
        let fence = Fence { tenant: session.tenant(), version: session.catalog.version, turn: None };
        let mut guard = Self { objects: Vec::new(), links: Vec::new(), gone: Vec::new(), fence };
        if let Some(new) = new {
            guard.compare(&session.catalog.effective.registry, new, &session.catalog.locale);
        }
        guard
    }

    fn compare(&mut self, old: &Registry, new: &Registry, locale: &Locale) {
        for object in new.objects.values() {
            let (guard, gone) = compare::object(old, new, object, locale);
            self.objects.extend(guard);
            self.gone.extend(gone);
        }
        for after in new.associations.values() {
            let Some(before) = old.associations.get(&after.name) else { continue };
            let schema = |property: &_| coherence::validator(new, property);
            self.links.extend(LinkGuard::between(before, after, locale, schema));
        }
    }

    /// Looks at what is stored; where nothing is in the way, the change can be written in the transaction returned.
    pub(crate) async fn pass(&mut self, session: &Session) -> Result<Passage> {
        let mut position = session.position().await?;
        if !self.prepare(session).await? || !self.scan(session).await? {
            return Ok(Passage::Outdated);
        }
        let found = self.findings();
        if !found.is_empty() {
            return Ok(Passage::Blocked(found));
        }
        let mut rounds = 0;
        loop {
            let Some(mut tx) = self.fence.begin(&session.engine).await? else { return Ok(Passage::Outdated) };
            let is_all = self.catch_up(&mut tx, &mut position, rounds >= ROUNDS).await?;
            let found = if is_all { self.resolve(&mut tx).await? } else { self.findings() };
            if !found.is_empty() {
                return Ok(Passage::Blocked(found));
            }
            if is_all {
                return Ok(Passage::Free(tx));
            }
            tx.commit().await?;
            rounds += 1;
        }
    }

    /// Takes a turn at gathering claims, and gives back what others may have left.
    async fn prepare(&mut self, session: &Session) -> Result<bool> {
        let constraints = self.constraints();
        if constraints.is_empty() {
            return Ok(true);
        }
        if !self.fence.take_turn(&session.engine).await? {
            return Ok(false);
        }
        for constraint in &constraints {
            if !self.fence.free(&session.engine, constraint).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn constraints(&self) -> Vec<Constraint> {
        self.objects.iter().flat_map(|guard| &guard.claims).map(|claim| claim.constraint.clone()).collect()
    }

    /// Looks at every record and link concerned, outside any lock; false where the definitions have moved on.
    async fn scan(&mut self, session: &Session) -> Result<bool> {
        for guard in &mut self.objects {
            let is_free = scan_records(guard, session, &self.fence, false).await?;
            if !is_free || !scan_records(guard, session, &self.fence, true).await? {
                return Ok(false);
            }
        }
        for guard in &mut self.links {
            guard.scan(&mut session.reader().await?).await?;
        }
        Ok(true)
    }

    /// Looks at what changed after `position`, a page of it or all; whether that was all.
    async fn catch_up(&mut self, tx: &mut Tx, position: &mut Sequence, all: bool) -> Result<bool> {
        if self.objects.is_empty() && self.links.is_empty() {
            return Ok(true);
        }
        loop {
            let touched = survey::touched_after(tx.reader(), *position, PAGE).await?;
            if let Some(last) = touched.last() {
                *position = Sequence(last.sequence);
            }
            self.look_again(tx, &touched).await?;
            let is_all = i64::try_from(touched.len()).is_ok_and(|length| length < PAGE);
            if is_all || !all {
                return Ok(is_all);
            }
        }
    }

    async fn look_again(&mut self, tx: &mut Tx, touched: &[Touched]) -> Result<()> {
        for guard in &mut self.objects {
            let is_of = |touched: &&Touched| touched.object.as_deref() == Some(guard.object.name.as_str());
            let records: BTreeSet<i64> = touched.iter().filter(is_of).map(|touched| touched.record_id).collect();
            if records.is_empty() {
                continue;
            }
            let records: Vec<i64> = records.into_iter().collect();
            let rows = stored(&guard.object, record::many(tx.reader(), records.clone()).await?)?;
            guard.look(&rows);
            for claim in &mut guard.claims {
                claim.free(tx, records.clone()).await?;
                claim.take(tx, &guard.object, &rows, Rivals::All).await?;
            }
        }
        let is_link = |touched: &&Touched| touched.kind == ChangeKind::AssociationCreated.as_str();
        let linked: BTreeSet<i64> = touched.iter().filter(is_link).map(|touched| touched.record_id).collect();
        for guard in &mut self.links {
            if !linked.is_empty() {
                guard.look_again(tx.reader(), &linked).await?;
            }
        }
        Ok(())
    }

    /// Tries claims in conflict once more, now that everything else is as it is; what is in the way after that.
    async fn resolve(&mut self, tx: &mut Tx) -> Result<Problems> {
        for guard in &mut self.objects {
            for claim in &mut guard.claims {
                claim.resolve(tx, &guard.object).await?;
            }
        }
        Ok(self.checked().chain(self.claimed()).collect())
    }

    /// What is in the way for certain, with the conflicts of claims where that is so.
    fn findings(&self) -> Problems {
        let checked: Problems = self.checked().collect();
        let is_hopeless = self.objects.iter().flat_map(|guard| &guard.claims).any(|claim| claim.is_hopeless());
        if checked.is_empty() && !is_hopeless { checked } else { checked.into_iter().chain(self.claimed()).collect() }
    }

    fn checked(&self) -> impl Iterator<Item = Problem> {
        let records = self.objects.iter().flat_map(|guard| &guard.checks).filter_map(|check| check.problem());
        records.chain(self.links.iter().flat_map(LinkGuard::problems))
    }

    fn claimed(&self) -> impl Iterator<Item = Problem> {
        self.objects.iter().flat_map(|guard| &guard.claims).filter_map(|claim| claim.problem())
    }

    /// Ends the look in the transaction that makes the change; the turn that [`Guard::settle`] goes on by.
    pub(crate) async fn finish(&mut self, tx: &mut Tx) -> Result<Turn> {
        self.fence.end_turn(tx).await?;
        let ticket = if self.gone.is_empty() { 0 } else { claim::last_ticket(tx.reader()).await? };
        Ok(Turn { ticket, is_held: false })
    }

    /// Gives back what was claimed under constraints that are no more: the change is in force, by this version.
    pub(crate) fn settle(self, session: &Session, version: i64, turn: Turn) {
        let fence = Fence { version, turn: Some(turn), ..self.fence };
        fence.sweep(&session.engine, self.gone);
    }

    /// Gives the gathered claims back: the change is not made.
    pub(crate) async fn abandon(mut self, session: &Session) {
        if self.fence.turn.is_none() {
            return;
        }
        if let Err(error) = self.fence.give_turn_up(&session.engine).await {
            tracing::warn!(tenant.id = %self.fence.tenant, %error, "a turn at gathering claims runs out by itself");
        }
        let constraints = self.constraints();
        self.fence.sweep(&session.engine, constraints);
    }
}

impl ObjectGuard {
    fn look(&mut self, rows: &[Stored]) {
        for row in rows {
            for check in &mut self.checks {
                check.look(&self.object, row);
            }
        }
    }
}

async fn scan_records(guard: &mut ObjectGuard, session: &Session, fence: &Fence, archived: bool) -> Result<bool> {
    // Archived records claim nothing.
    if archived && guard.checks.is_empty() {
        return Ok(true);
    }
    let mut after = 0;
    loop {
        let mut reader = session.reader().await?;
        let rows = record::list(&mut reader, &guard.object.name, archived, after, PAGE).await?;
        drop(reader);
        let next =
            rows.last().map(|row| row.id).filter(|_| i64::try_from(rows.len()).is_ok_and(|length| length >= PAGE));
        let rows = stored(&guard.object, rows)?;
        guard.look(&rows);
        if !archived && !guard.claims.is_empty() {
            let Some(mut tx) = fence.begin(&session.engine).await? else { return Ok(false) };
            for claim in &mut guard.claims {
                claim.take(&mut tx, &guard.object, &rows, Rivals::Earlier).await?;
            }
            tx.commit().await?;
        }
        match next {
            Some(next) => after = next,
            None => return Ok(true),
        }
    }
}
