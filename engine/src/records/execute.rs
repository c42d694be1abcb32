//! Runs a list of operations: load, plan, commit, answer; again where others were faster.

use std::sync::Arc;

use engine_model::time::Timestamp;
use engine_model::{Problem, RecordId, Sequence, UserId};
use engine_store::access;
use engine_store::commit::{Committed, Item, RecordRef, Refusal};

use super::operation::{Done, Effect, Operation, Results, Step, retold};
use super::plan::{Body, Plan, Planner};
use super::record::Shown;
use super::workspace::Workspace;
use super::write::{ATTEMPTS, Attempt, Reply, Written, explain, outrun};
use crate::definitions::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};
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

impl Session {
    /// Carries out `steps` in order. In an atomic mode the first thing wrong fails the call with everything wrong;
    /// otherwise every step has a result of its own.
    pub async fn execute(
        &mut self,
        steps: &[Step],
        mode: Mode,
        reply: Option<Reply<Results>>,
    ) -> Result<Written<Results>> {
        let mut results: Vec<Option<Result<Done>>> = steps.iter().map(|_| None).collect();
        let mut turn = None;
        let mut sequence = Sequence::default();
        for attempt in 0..ATTEMPTS {
            let open: Vec<usize> = (0..steps.len()).filter(|index| results[*index].is_none()).collect();
            let at = self.now();
            let (mut ready, failed) = self.plan_all(steps, &open, at).await?;
            let is_unsure = failed.iter().any(|(_, error)| may_be_outdated(error));
            if is_unsure && self.refresh().await? {
                continue;
            }
            if mode != Mode::Each && !failed.is_empty() {
                return Err(join(failed, mode));
            }
            for (index, error) in failed {
                results[index] = Some(Err(error));
            }
            self.assign_numbers(&mut ready).await?;
            let (catalog, role) = (Arc::clone(&self.catalog), self.caller.role.clone());
            let claim = reply.as_ref().filter(|_| self.keeps_reply()).and_then(|reply| {
                let reply = Arc::clone(reply);
                let answered: Vec<_> = results.iter().map(|result| result.as_ref().map(retold)).collect();
                let plans: Vec<_> = ready.iter().map(|ready| (ready.index, summary(&ready.plan))).collect();
                let (catalog, role) = (Arc::clone(&catalog), role.clone());
                self.claim(move |committed| {
                    let mut results = answered;
                    for (position, (index, summary)) in plans.into_iter().enumerate() {
                        results[index] =
                            Some(answer(&catalog, &role, summary, committed, committed.items.get(position)));
                    }
                    let value = results.into_iter().map(settled).collect();
                    reply(&Written { value, sequence: committed.sequence })
                })
            });
            if ready.is_empty() && claim.is_none() {
                sequence = sequence.max(self.position().await?);
                break;
            }
            let mut items = Vec::with_capacity(ready.len());
            for ready in &ready {
                items.push(Item { writes: ready.plan.writes(&catalog)? });
            }
            // A unit that changes nothing needs no commit, unless a reply has to be kept.
            if claim.is_none() && items.iter().all(|item| item.writes.is_empty()) {
                sequence = self.position().await?;
                let nothing = Committed { sequence, inserted: Vec::new(), items: Vec::new() };
                for ready in ready {
                    results[ready.index] = Some(answer(&catalog, &role, summary(&ready.plan), &nothing, None));
                }
                break;
            }
            let keeps_reply = claim.is_some();
            match self.commit(at, items, mode != Mode::Each, claim).await? {
                Attempt::Outdated => {}
                Attempt::Refused(refusals) => {
                    let again = refusals.iter().any(|(item, refusal)| goes_again(&ready[*item].plan, refusal));
                    if !again {
                        return Err(refused(&ready, refusals, mode));
                    }
                    if turn.is_none() {
                        turn = self.take_turn(&ready).await;
                    }
                }
                Attempt::Done(committed) => {
                    sequence = committed.sequence;
                    let mut left = 0;
                    for (position, ready) in ready.into_iter().enumerate() {
                        let item = committed.items.get(position);
                        let stale = matches!(item, Some(Err(refusals)) if refusals.iter().any(|refusal| goes_again(&ready.plan, refusal)));
                        if stale && !keeps_reply && attempt + 1 < ATTEMPTS {
                            left += 1;
                            continue;
                        }
                        results[ready.index] = Some(answer(&catalog, &role, summary(&ready.plan), &committed, item));
                    }
                    if left == 0 {
                        break;
                    }
                }
            }
        }
        if mode != Mode::Each && results.iter().any(Option::is_none) {
            return Err(outrun());
        }
        Ok(Written { value: results.into_iter().map(settled).collect(), sequence })
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

    async fn take_turn(&self, ready: &[Ready]) -> Option<tokio::sync::OwnedMutexGuard<()>> {
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

/// What answering needs of a plan, detached from it so that it can be done inside the commit.
struct Summary {
    state: Option<super::state::State>,
    effect: Effect,
}

fn summary(plan: &Plan) -> Summary {
    let state = match &plan.body {
        Body::Record(draft) => Some(draft.after.clone()),
        Body::Purge(_) | Body::Unlink(_) | Body::Links => None,
    };
    Summary { state, effect: plan.effect }
}

fn answer(
    catalog: &Catalog,
    role: &engine_model::access::Role,
    summary: Summary,
    committed: &Committed,
    item: Option<&Result<bool, Vec<Refusal>>>,
) -> Result<Done> {
    let has_changed = match item {
        Some(Ok(has_changed)) => *has_changed,
        Some(Err(refusals)) => return Err(explain(refusals)),
        None => false,
    };
    let Summary { state, effect } = summary;
    // Only the commit knows which links were there already.
    let effect = match effect {
        Effect::Created => Effect::Created,
        Effect::Changed | Effect::Unchanged if has_changed => Effect::Changed,
        Effect::Changed | Effect::Unchanged => Effect::Unchanged,
    };
    let Some(state) = state else { return Ok(Done { record: None, effect }) };
    let id = match state.record {
        RecordRef::Id(id) => id,
        RecordRef::New(index) => committed
            .inserted
            .get(index)
            .copied()
            .flatten()
            .ok_or_else(|| Error::internal("a committed record has no id"))?,
    };
    let object = catalog.registry.objects.get(state.object.as_str());
    let shown = object.map_or(Shown::Only(Vec::new()), |object| Shown::of(object, role, None));
    let record = state.into_record(RecordId(id.0), &shown)?;
    Ok(Done { record: Some(record), effect })
}

fn settled(result: Option<Result<Done>>) -> Result<Done> {
    result.unwrap_or_else(|| Err(outrun()))
}

fn place(mode: Mode, index: usize) -> String {
    match mode {
        Mode::Atomic(path) => format!("/{path}/{index}"),
        Mode::Single | Mode::Each => String::new(),
    }
}

/// One error for everything that is wrong with the operations of an atomic list.
fn join(mut failed: Vec<(usize, Error)>, mode: Mode) -> Error {
    if failed.len() == 1
        && let Some((index, error)) = failed.pop()
    {
        return located(error, &place(mode, index));
    }
    // The most telling code wins; all problems are listed.
    let strongest = |code: ErrorCode| match code {
        ErrorCode::Forbidden => 0,
        ErrorCode::NotFound => 1,
        ErrorCode::ValidationFailed => 2,
        _ => 3,
    };
    let code = failed.iter().map(|(_, error)| error.code).min_by_key(|code| strongest(*code));
    let problems: Vec<Problem> =
        failed.into_iter().flat_map(|(index, error)| located(error, &place(mode, index)).problems).collect();
    let mut joined = Error::invalid(problems);
    joined.code = code.unwrap_or(ErrorCode::ValidationFailed);
    joined
}

fn located(error: Error, place: &str) -> Error {
    if place.is_empty() {
        return error;
    }
    let mut error = error.within(place);
    if error.problems.is_empty() {
        error.problems.push(Problem::new(place, error.code.as_str(), error.detail.clone()));
    }
    error
}

fn refused(ready: &[Ready], refusals: Vec<(usize, Refusal)>, mode: Mode) -> Error {
    let mut by_item: Vec<(usize, Vec<Refusal>)> = Vec::new();
    for (item, refusal) in refusals {
        match by_item.last_mut() {
            Some((last, list)) if *last == item => list.push(refusal),
            _ => by_item.push((item, vec![refusal])),
        }
    }
    let failed = by_item.into_iter().map(|(item, refusals)| (ready[item].index, explain(&refusals))).collect();
    join(failed, mode)
}
