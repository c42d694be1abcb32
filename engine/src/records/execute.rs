//! Runs a list of operations: load, plan, commit, answer; again where others were faster.

use std::sync::Arc;

use engine_model::access::Role;
use engine_model::time::Timestamp;
use engine_model::{Problem, Sequence, UserId};
use engine_store::access;
use engine_store::commit::{Committed, IdempotencyClaim, Item, Refusal};
use tokio::sync::OwnedMutexGuard;

use super::answer::{answer, settled, summary};
use super::failure::{join, refused};
use super::operation::{Done, Operation, Results, Step, retold};
use super::plan::{Body, Plan, Planner};
use super::workspace::Workspace;
use super::write::{ATTEMPTS, Attempt, Reply, Written, outrun};
use crate::definitions::catalog::Catalog;
use crate::error::{Error, Result};
use crate::session::{Session, may_be_outdated};

/// How a list of operations is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All or nothing; pointers begin with this path and the operation's index, or as they are for a single call.
    Atomic(&'static str),
    /// A single call: all or nothing, pointers as they are.
    Single,
    /// Each for itself.
    Each,
}

/// An operation that can be written.
pub(super) struct Ready {
    pub(super) index: usize,
    pub(super) plan: Plan,
}

/// A list of operations on its way: what has been answered so far.
struct Run<'a> {
    steps: &'a [Step],
    mode: Mode,
    reply: Option<Reply<Results>>,
    results: Vec<Option<Result<Done>>>,
    sequence: Sequence,
    /// Held from the first lost race on, so that callers of this node take turns.
    turn: Option<OwnedMutexGuard<()>>,
}

impl Session {
    /// Carries out `steps` in order. In an atomic mode anything wrong fails the call, with everything wrong; otherwise
    /// every step has a result of its own.
    pub async fn execute(
        &mut self,
        steps: &[Step],
        mode: Mode,
        reply: Option<Reply<Results>>,
    ) -> Result<Written<Results>> {
        let reply = reply.filter(|_| self.keeps_reply());
        let results = steps.iter().map(|_| None).collect();
        let mut run = Run { steps, mode, reply, results, sequence: Sequence::default(), turn: None };
        for attempt in 1..=ATTEMPTS {
            if self.attempt(&mut run, attempt == ATTEMPTS).await? {
                break;
            }
        }
        run.finish()
    }

    /// Plans and commits what is open; false where it has to be tried again.
    async fn attempt(&mut self, run: &mut Run<'_>, is_last: bool) -> Result<bool> {
        let at = self.now();
        let Some(ready) = self.prepare(run, at).await? else { return Ok(false) };
        let (catalog, role) = (Arc::clone(&self.catalog), self.caller.role.clone());
        let claim = self.claim_reply(run, &ready);
        let mut items = Vec::with_capacity(ready.len());
        for ready in &ready {
            items.push(Item { writes: ready.plan.writes(&catalog)? });
        }
        // What changes nothing needs no commit, unless a reply has to be kept.
        if claim.is_none() && items.iter().all(|item| item.writes.is_empty()) {
            let sequence = self.position().await?;
            let nothing = Committed { sequence, inserted: Vec::new(), items: Vec::new() };
            return Ok(run.settle(&catalog, &role, ready, &nothing, false));
        }
        let may_wait = claim.is_none() && !is_last;
        match self.commit(at, items, run.mode != Mode::Each, claim).await? {
            Attempt::Outdated => Ok(false),
            Attempt::Done(committed) => Ok(run.settle(&catalog, &role, ready, &committed, may_wait)),
            Attempt::Refused(refusals) => {
                if !refusals.iter().any(|(item, refusal)| goes_again(&ready[*item].plan, refusal)) {
                    return Err(refused(&ready, refusals, run.mode));
                }
                if run.turn.is_none() {
                    run.turn = self.take_turn(&ready).await;
                }
                Ok(false)
            }
        }
    }

    /// Plans the open steps and answers those that cannot be done; `None` where definitions have moved on meanwhile.
    async fn prepare(&mut self, run: &mut Run<'_>, at: Timestamp) -> Result<Option<Vec<Ready>>> {
        let open: Vec<usize> = (0..run.steps.len()).filter(|index| run.results[*index].is_none()).collect();
        let (mut ready, failed) = self.plan_all(run.steps, &open, at).await?;
        if failed.iter().any(|(_, error)| may_be_outdated(error)) && self.refresh().await? {
            return Ok(None);
        }
        if run.mode != Mode::Each && !failed.is_empty() {
            return Err(join(failed, run.mode));
        }
        for (index, error) in failed {
            run.results[index] = Some(Err(error));
        }
        self.assign_numbers(&mut ready).await?;
        Ok(Some(ready))
    }

    /// The claim of the caller's key, with what a repetition of the request will be answered.
    fn claim_reply(&self, run: &Run<'_>, ready: &[Ready]) -> Option<IdempotencyClaim> {
        let reply = Arc::clone(run.reply.as_ref()?);
        let answered: Vec<_> = run.results.iter().map(|result| result.as_ref().map(retold)).collect();
        let plans: Vec<_> = ready.iter().map(|ready| (ready.index, summary(&ready.plan))).collect();
        let (catalog, role) = (Arc::clone(&self.catalog), self.caller.role.clone());
        self.claim(move |committed| {
            let mut results = answered;
            for (position, (index, summary)) in plans.into_iter().enumerate() {
                results[index] = Some(answer(&catalog, &role, summary, committed, committed.items.get(position)));
            }
            let value = results.into_iter().map(settled).collect();
            reply(&Written { value, sequence: committed.sequence })
        })
    }

    /// Plans the open steps; those that cannot be done are answered at once.
    pub(super) async fn plan_all(
        &self,
        steps: &[Step],
        open: &[usize],
        at: Timestamp,
    ) -> Result<(Vec<Ready>, Vec<(usize, Error)>)> {
        let chosen: Vec<Step> = open.iter().map(|index| steps[*index].clone()).collect();
        let workspace = if chosen.iter().all(mentions_nothing) {
            Workspace::default()
        } else {
            Workspace::load(&mut self.reader().await?, &self.catalog, &chosen).await?
        };
        let mut planner = Planner { catalog: &self.catalog, caller: &self.caller, pen: self.pen(at), workspace };
        let (mut ready, mut failed) = (Vec::with_capacity(chosen.len()), Vec::new());
        for (index, step) in open.iter().zip(&chosen) {
            match planner.plan(step) {
                Ok(plan) => ready.push(Ready { index: *index, plan }),
                Err(error) => failed.push((*index, error)),
            }
        }
        self.check_users(&mut ready, &mut failed).await?;
        Ok((ready, failed))
    }

    /// Users that records name must exist.
    async fn check_users(&self, ready: &mut Vec<Ready>, failed: &mut Vec<(usize, Error)>) -> Result<()> {
        let mut position = 0;
        while position < ready.len() {
            let mut problems = Vec::new();
            for (pointer, user) in named_users(&self.catalog, &ready[position].plan) {
                if !self.user_exists(user).await? {
                    problems.push(Problem::new(pointer, "not_found", format!("there is no user `{user}`")));
                }
            }
            if problems.is_empty() {
                position += 1;
            } else {
                let refused = ready.remove(position);
                failed.push((refused.index, Error::invalid(problems)));
            }
        }
        Ok(())
    }

    pub(crate) async fn user_exists(&self, user: UserId) -> Result<bool> {
        let key = (self.tenant(), self.caller.access_version, user.0);
        if user == self.caller.user || self.engine.inner.known_users.contains_key(&key) {
            return Ok(true);
        }
        let found = access::user(&mut self.reader().await?, user).await?;
        let exists = found.is_some_and(|user| user.archived_at.is_none());
        if exists {
            self.engine.inner.known_users.insert(key, true).await;
        }
        Ok(exists)
    }

    /// Gives new records their numbers. Taken last, so that a mistake in the input costs none.
    async fn assign_numbers(&self, ready: &mut [Ready]) -> Result<()> {
        for ready in ready {
            let Body::Record(draft) = &mut ready.plan.body else { continue };
            if draft.before.is_some() {
                continue;
            }
            let Some(object) = self.catalog.registry.objects.get(draft.after.object.as_str()) else { continue };
            let mut assigned = false;
            for property in object.properties.values().filter(|property| !property.archived) {
                let Some(numbers) = property.kind.auto_number() else { continue };
                let counter = format!("{}.{}", object.name, property.name);
                let number = engine_store::counter::take(self.engine.store(), self.tenant(), &counter, 1).await?;
                draft.after.properties.insert(property.name.to_string(), numbers.format(number).into());
                assigned = true;
            }
            if assigned {
                draft.after.display_name = object.display.render(&draft.after.properties);
            }
        }
        Ok(())
    }

    async fn take_turn(&self, ready: &[Ready]) -> Option<OwnedMutexGuard<()>> {
        let mut existing = ready.iter().filter_map(|ready| match &ready.plan.body {
            Body::Record(draft) => draft.after.id(),
            Body::Purge(_) | Body::Unlink(_) | Body::Links => None,
        });
        match (existing.next(), existing.next()) {
            (Some(record), None) => Some(self.engine.inner.locks.take(self.tenant(), record).await),
            _ => None,
        }
    }
}

impl Run<'_> {
    /// Takes over how the ready steps ended; false where some of them lost a race and may wait for another turn.
    fn settle(
        &mut self,
        catalog: &Catalog,
        role: &Role,
        ready: Vec<Ready>,
        committed: &Committed,
        may_wait: bool,
    ) -> bool {
        self.sequence = committed.sequence;
        for (position, ready) in ready.into_iter().enumerate() {
            let item = committed.items.get(position);
            let refusals = item.and_then(|item| item.as_ref().err()).map_or(&[][..], Vec::as_slice);
            if !(may_wait && refusals.iter().any(|refusal| goes_again(&ready.plan, refusal))) {
                self.results[ready.index] = Some(answer(catalog, role, summary(&ready.plan), committed, item));
            }
        }
        self.results.iter().all(Option::is_some)
    }

    fn finish(self) -> Result<Written<Results>> {
        if self.mode != Mode::Each && self.results.iter().any(Option::is_none) {
            return Err(outrun());
        }
        Ok(Written { value: self.results.into_iter().map(settled).collect(), sequence: self.sequence })
    }
}

/// A plain new record needs nothing loaded.
fn mentions_nothing(step: &Step) -> bool {
    matches!(&step.operation, Operation::Create { input, .. } if input.associations.is_empty())
}

/// Others were faster, and planning again may find another way.
fn goes_again(plan: &Plan, refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Stale(_) => true,
        Refusal::Taken { value, .. } => plan.upsert.as_ref() == Some(value),
        Refusal::Missing(_) | Refusal::Overlap { .. } | Refusal::Cardinality { .. } => false,
    }
}

fn named_users(catalog: &Catalog, plan: &Plan) -> Vec<(String, UserId)> {
    let Body::Record(draft) = &plan.body else { return Vec::new() };
    let mut users = Vec::new();
    let before = draft.before.as_ref();
    if let Some(owner) = draft.after.owner
        && before.is_none_or(|before| before.owner != Some(owner))
    {
        users.push(("/owner_id".to_owned(), owner));
    }
    let Some(object) = catalog.registry.objects.get(draft.after.object.as_str()) else { return users };
    for property in object.properties.values().filter(|property| property.kind.name() == "user") {
        let value = |state: &super::state::State| state.properties.get(property.name.as_str()).cloned();
        let now = value(&draft.after);
        if now != before.and_then(value)
            && let Some(user) = now.as_ref().and_then(|value| value.as_str()?.parse().ok())
        {
            users.push((format!("/properties/{}", property.name), user));
        }
    }
    users
}
