//! Runs a list of operations: load, plan, commit, answer; again where others were faster.

use std::sync::Arc;

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence};
use engine_store::commit::{Committed, IdempotencyClaim, Item, NewLink, RecordRef, Refusal, Replace};
use tokio::sync::OwnedMutexGuard;

use super::answer::{answer, settled, summary};
use super::basis::Basis;
use super::failure::{join, refused};
use super::handover::Handover;
use super::judge::may_refuse;
use super::operation::{Done, Effect, Operation, Results, Step, retold};
use super::plan::{Body, Plan, Planner};
use super::ready::Ready;
use super::refusal::Onlooker;
use super::workspace::Workspace;
use super::write::{ATTEMPTS, Attempt, Reply, Written, outrun};
use crate::assignment::Assigning;
use crate::error::{Error, ErrorCode, Result};
use crate::rollups::Drawing;
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

/// A list of operations on its way: what has been answered so far.
struct Run<'a> {
    steps: &'a [Step],
    mode: Mode,
    reply: Option<Reply<Results>>,
    results: Vec<Option<Result<Done>>>,
    sequence: Sequence,
    /// Who gets records that nobody was given.
    assigning: Assigning,
    /// Whose roll-ups are to be looked at again once records are purged.
    drawing: Vec<Drawing>,
    /// Records that others were merged into or taken out of, and these, each with its object.
    parted: Vec<(String, RecordId)>,
    /// Held from the first lost race on, so that callers of this node take turns.
    turn: Option<OwnedMutexGuard<()>>,
    /// Held as long as records are made that may be refused as duplicates.
    creation: Option<OwnedMutexGuard<()>>,
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
        self.engine.give_way_to_the_index(self.tenant()).await;
        let results = steps.iter().map(|_| None).collect();
        let mut run = Run {
            steps,
            mode,
            reply,
            results,
            sequence: Sequence::default(),
            assigning: Assigning::default(),
            drawing: Vec::new(),
            parted: Vec::new(),
            turn: None,
            creation: None,
        };
        let attempted = self.attempts(&mut run).await;
        self.spend_turns(&mut run, attempted.as_ref().err());
        attempted?;
        let (drawing, parted) = (std::mem::take(&mut run.drawing), std::mem::take(&mut run.parted));
        // Turns are given back first: looking again writes as well.
        let written = run.finish()?;
        for drawing in drawing {
            self.draw_again(drawing).await;
        }
        self.total_again(parted).await;
        Ok(written)
    }

    async fn attempts(&mut self, run: &mut Run<'_>) -> Result<()> {
        for attempt in 1..=ATTEMPTS {
            if self.attempt(run, attempt == ATTEMPTS).await? {
                break;
            }
        }
        Ok(())
    }

    /// Turns of records that were not made are the next ones'. A failure that may have come after the commit says nothing
    /// of that.
    fn spend_turns(&self, run: &mut Run<'_>, failure: Option<&Error>) {
        if failure.is_some_and(|error| matches!(error.code, ErrorCode::Unavailable | ErrorCode::Internal)) {
            return;
        }
        let (steps, results) = (run.steps, &run.results);
        let has_used = |step: usize| {
            let is_handover = matches!(steps[step].operation, Operation::Own { .. });
            let done = results[step].as_ref().and_then(|result| result.as_ref().ok()).filter(|_| failure.is_none());
            done.is_some_and(|done| is_handover || done.effect == Effect::Created)
        };
        self.give_turns_back(&mut run.assigning, has_used);
    }

    /// Plans and commits what is open; false where it has to be tried again.
    async fn attempt(&mut self, run: &mut Run<'_>, is_last: bool) -> Result<bool> {
        let at = self.now();
        let Some(ready) = self.prepare(run, at).await? else { return Ok(false) };
        let (catalog, rights) = (Arc::clone(&self.catalog), Arc::clone(&self.caller.rights));
        let claim = self.claim_reply(run, &ready, at);
        let purged: Vec<(&str, i64)> = ready.iter().flat_map(|ready| ready.plan.purges()).collect();
        if !purged.is_empty() {
            run.drawing.push(self.drawing_from(&purged).await?);
        }
        let mut items = Vec::with_capacity(ready.len());
        for ready in &ready {
            items.push(Item { writes: ready.plan.writes(&catalog)? });
        }
        // What changes nothing needs no commit, unless a reply has to be kept.
        if claim.is_none() && items.iter().all(|item| item.writes.is_empty()) {
            let sequence = self.position().await?;
            let nothing = Committed { sequence, inserted: Vec::new(), items: Vec::new() };
            let onlooker = Onlooker::strict(&catalog, &rights);
            return Ok(run.settle(&onlooker, (ready, at), &nothing, false));
        }
        let keeps_reply = claim.is_some();
        let may_wait = !keeps_reply && !is_last;
        match self.commit(at, items, run.mode != Mode::Each, claim).await? {
            Attempt::Outdated => Ok(false),
            Attempt::Done(committed) => {
                let refusals = committed.items.iter().filter_map(|item| item.as_ref().err()).flatten().collect();
                let onlooker = match keeps_reply {
                    // As it is told again under the same key.
                    true => Onlooker::strict(&catalog, &rights),
                    false => self.onlooker(refusals).await?,
                };
                Ok(run.settle(&onlooker, (ready, at), &committed, may_wait))
            }
            Attempt::Refused(refusals) => {
                if !refusals.iter().any(|(item, refusal)| goes_again(&ready[*item].plan, refusal)) {
                    let onlooker = self.onlooker(refusals.iter().map(|(_, refusal)| refusal).collect()).await?;
                    return Err(refused(&ready, refusals, run.mode, &onlooker));
                }
                if run.turn.is_none() {
                    run.turn = self.take_turn(&ready).await;
                }
                Ok(false)
            }
        }
    }

    /// Plans the open steps and answers those that cannot be done; `None` where the rest has to be planned
    /// anew: definitions have moved on meanwhile, or records may not be made.
    async fn prepare(&mut self, run: &mut Run<'_>, at: Timestamp) -> Result<Option<Vec<Ready>>> {
        let open: Vec<usize> = (0..run.steps.len()).filter(|index| run.results[*index].is_none()).collect();
        let (mut ready, mut failed) = self.plan_assigned(run, &open, at).await?;
        let misplaced = self.misplaced(&ready).await?;
        ready.retain(|ready| !misplaced.iter().any(|(index, _)| *index == ready.index));
        failed.extend(misplaced);
        if failed.iter().any(|(_, error)| may_be_outdated(error)) && self.refresh().await? {
            return Ok(None);
        }
        if run.mode != Mode::Each && !failed.is_empty() {
            return Err(join(failed, run.mode));
        }
        for (index, error) in failed {
            run.results[index] = Some(Err(error));
        }
        if run.creation.is_none() && may_refuse(&self.catalog, &ready) {
            // Whoever waits here holds nobody off who has this turn.
            run.turn = None;
            run.creation = Some(self.engine.inner.creations.take(self.tenant()).await);
        }
        let refused = self.judge(&mut ready, run.mode == Mode::Single).await?;
        if !refused.is_empty() {
            if run.mode != Mode::Each {
                return Err(join(refused, run.mode));
            }
            for (index, error) in refused {
                run.results[index] = Some(Err(error));
            }
            // The others are planned anew: what is made has its place among what is written.
            return Ok(None);
        }
        self.assign_numbers(&mut ready).await?;
        self.measure_stays(&mut ready, at).await?;
        Ok(Some(ready))
    }

    /// Plans the open steps, and again once turns are taken for records that get their owners by rules.
    async fn plan_assigned(
        &mut self,
        run: &mut Run<'_>,
        open: &[usize],
        at: Timestamp,
    ) -> Result<(Vec<Ready>, Vec<(usize, Error)>)> {
        if run.steps.iter().any(|step| may_go_by_rules(&step.operation)) {
            self.follow_rules(&mut run.assigning).await?;
        }
        let planned = self.plan_all(run.steps, open, at, &run.assigning).await?;
        let waiting: Vec<(usize, String, i64)> = planned.0.iter().filter_map(Ready::waits_for).collect();
        if waiting.is_empty() || run.mode != Mode::Each && !planned.1.is_empty() {
            return Ok(planned);
        }
        self.take_turns(&waiting, &mut run.assigning).await?;
        self.plan_all(run.steps, open, at, &run.assigning).await
    }

    /// The claim of the caller's key, with what a repetition of the request will be answered.
    fn claim_reply(&self, run: &Run<'_>, ready: &[Ready], at: Timestamp) -> Option<IdempotencyClaim> {
        let reply = Arc::clone(run.reply.as_ref()?);
        let answered: Vec<_> = run.results.iter().map(|result| result.as_ref().map(retold)).collect();
        let plans: Vec<_> = ready.iter().map(|ready| (ready.index, summary(ready, at))).collect();
        let (catalog, rights) = (Arc::clone(&self.catalog), Arc::clone(&self.caller.rights));
        self.claim(move |committed| {
            let mut results = answered;
            // Nothing can be looked up inside the commit.
            let onlooker = Onlooker::strict(&catalog, &rights);
            for (position, (index, summary)) in plans.into_iter().enumerate() {
                let item = committed.items.get(position);
                results[index] = Some(answer(&onlooker, summary, committed, item));
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
        assigning: &Assigning,
    ) -> Result<(Vec<Ready>, Vec<(usize, Error)>)> {
        let chosen: Vec<&Operation> = open.iter().map(|index| &steps[*index].operation).collect();
        let workspace = if chosen.iter().all(|operation| mentions_nothing(operation)) {
            Workspace::default()
        } else {
            let mut reader = self.reader().await?;
            let mut workspace = Workspace::load(&mut reader, &self.catalog, &chosen).await?;
            workspace.in_the_way = self.in_the_way(&mut reader, &workspace, &chosen).await?;
            workspace
        };
        let strangers = self.strangers(&chosen).await?;
        let basis = Basis {
            catalog: &self.catalog,
            pen: self.pen(at),
            caller: &self.caller,
            strangers: &strangers,
            rules: &assigning.rules,
            turn: None,
        };
        let mut planner = Planner { basis, caller: &self.caller, workspace };
        let (mut ready, mut failed) = (Vec::with_capacity(chosen.len()), Vec::new());
        for index in open {
            planner.basis.turn = assigning.turn(*index);
            match planner.plan(&steps[*index]) {
                Ok(plan) => ready.push(Ready { index: *index, plan, duplicates: Vec::new() }),
                Err(error) => failed.push((*index, error)),
            }
        }
        Ok((ready, failed))
    }

    async fn take_turn(&self, ready: &[Ready]) -> Option<OwnedMutexGuard<()>> {
        let mut existing = ready.iter().filter_map(|ready| match &ready.plan.body {
            Body::Record(draft) => draft.after.id(),
            Body::Merge(merging) => merging.winner.after.id(),
            Body::Unmerge(parting) => parting.winner.after.id(),
            Body::Purge(_) | Body::Unlink(_) | Body::Links => None,
        });
        match (existing.next(), existing.next()) {
            (Some(record), None) => Some(self.engine.inner.locks.take((self.tenant(), record)).await),
            _ => None,
        }
    }
}

impl Run<'_> {
    /// Takes over how the ready steps ended; false where some of them lost a race and may wait for another turn.
    fn settle(
        &mut self,
        onlooker: &Onlooker<'_>,
        (ready, at): (Vec<Ready>, Timestamp),
        committed: &Committed,
        may_wait: bool,
    ) -> bool {
        self.sequence = committed.sequence;
        for (position, ready) in ready.into_iter().enumerate() {
            let item = committed.items.get(position);
            let refusals = item.and_then(|item| item.as_ref().err()).map_or(&[][..], Vec::as_slice);
            if !(may_wait && refusals.iter().any(|refusal| goes_again(&ready.plan, refusal))) {
                let answered = answer(onlooker, summary(&ready, at), committed, item);
                if answered.is_ok() {
                    self.parted.extend(ready.plan.parted());
                }
                self.results[ready.index] = Some(answered);
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
fn mentions_nothing(operation: &Operation) -> bool {
    matches!(operation, Operation::Create { input, .. } if input.associations.is_empty())
}

/// Whether the record that it is about may get its owner by a rule.
fn may_go_by_rules(operation: &Operation) -> bool {
    match operation {
        Operation::Create { input, .. } | Operation::Upsert { input, .. } => input.owner.is_none(),
        Operation::Own { handover, .. } => matches!(handover, Handover::ByRule(_)),
        _ => false,
    }
}

/// Others were faster, and planning again may find another way.
fn goes_again(plan: &Plan, refusal: &Refusal) -> bool {
    match refusal {
        // A record that is missing may have been merged, and its id leads on.
        Refusal::Stale(_) | Refusal::Missing(RecordRef::Id(_)) => true,
        Refusal::Taken { value, .. } => plan.upsert.as_ref() == Some(value),
        // Whoever moves links has seen which ones there is room for, and whoever replaces them which ones give way.
        Refusal::Cardinality { kind, .. } => {
            let replaces = |link: &NewLink| link.kind == *kind && matches!(link.replace, Replace::These(_));
            matches!(plan.body, Body::Merge(_) | Body::Unmerge(_)) || plan.links.iter().any(replaces)
        }
        Refusal::Missing(RecordRef::New(_)) | Refusal::Overlap { .. } => false,
    }
}
