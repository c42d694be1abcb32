//! Carries out the rows of one chunk, or only plans them.

use std::collections::HashMap;
use std::sync::Arc;

use engine_store::idempotency::StoredReply;

use super::bind::Bound;
use super::layout::Layout;
use super::lookup::{Targets, Users};
use super::outcome::{Ended, Outcome, problems_of};
use super::row::RowDraft;
use super::seen::Seen;
use super::steps::Steps;
use crate::error::{Error, Result};
use crate::jobs::RowProblem;
use crate::records::{Effect, Mode, Reply, Results, Step};
use crate::session::Session;

/// How rows are carried out.
#[derive(Debug, Clone, Copy)]
pub(super) enum How<'a> {
    /// For good. Without a key, the claim makes the chunk happen once.
    Write {
        /// Name of the chunk.
        claim: Option<&'a str>,
    },
    /// Only in thought; these keys came in earlier chunks.
    Rehearse(&'a Seen),
}

/// Carries out rows, each for itself.
pub(super) async fn carry_out(
    session: &mut Session,
    bound: &Bound,
    layout: &Layout,
    users: &Users,
    mut drafts: Vec<RowDraft>,
    how: How<'_>,
) -> Result<Outcome> {
    let targets = Targets::load(session, &drafts).await?;
    let catalog = Arc::clone(&session.catalog);
    let rehearsed = if let How::Rehearse(seen) = how { Some(seen) } else { None };
    let mut steps = Steps::new(&catalog, bound, users, &targets, rehearsed);
    let planned: Vec<Step> = drafts.iter_mut().map(|draft| steps.step(draft)).collect();
    let happened = match how {
        How::Write { claim: Some(claim) } => happened(session, claim).await?,
        How::Write { claim: None } | How::Rehearse(_) => None,
    };
    let (mut sound, mut faulty, mut outcome) = (Vec::new(), Vec::new(), Outcome::default());
    for (draft, step) in drafts.into_iter().zip(planned) {
        match happened.as_ref().map(|rows| rows.get(&draft.row)) {
            Some(Some(ended)) => outcome.add(layout, &draft, ended.clone()),
            None if draft.problems.is_empty() => sound.push((draft, step)),
            // What kept a row from happening then may have gone, but the chunk happens once.
            Some(None) if draft.problems.is_empty() => outcome.add(layout, &draft, interrupted()),
            None | Some(None) => faulty.push((draft, step)),
        }
    }
    let (drafts, steps): (Vec<_>, Vec<_>) = sound.into_iter().unzip();
    let rows: Vec<i64> = drafts.iter().map(|draft| draft.row).collect();
    for (draft, ended) in drafts.into_iter().zip(perform(session, &rows, &steps, how).await?) {
        outcome.add(layout, &draft, ended);
    }
    let (drafts, steps): (Vec<_>, Vec<_>) = faulty.into_iter().unzip();
    for (draft, plan) in drafts.into_iter().zip(session.plan_only(&steps).await?) {
        outcome.add(layout, &draft, with_plan(&draft, &plan));
    }
    outcome.errors.sort_unstable_by_key(|error| error.row);
    Ok(outcome)
}

/// How each row ended, where the chunk happened before the job was interrupted.
async fn happened(session: &mut Session, claim: &str) -> Result<Option<HashMap<i64, Ended>>> {
    session.set_idempotency(claim, claim.to_owned());
    let Some(reply) = session.kept_reply().await? else { return Ok(None) };
    let rows: Vec<(i64, Ended)> = serde_json::from_str(&reply.body).map_err(Error::internal)?;
    Ok(Some(rows.into_iter().collect()))
}

fn interrupted() -> Ended {
    let message = "the row could not be taken before the import was interrupted; import it once more";
    Ended::Failed(vec![RowProblem::new(None, "", "interrupted", message)])
}

/// Carries out steps that nothing is wrong with yet; `rows` are the numbers of their rows.
async fn perform(session: &mut Session, rows: &[i64], steps: &[Step], how: How<'_>) -> Result<Vec<Ended>> {
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let claim = match how {
        How::Rehearse(_) => {
            let plans = session.plan_only(steps).await?;
            return Ok(plans.iter().map(ended).collect());
        }
        How::Write { claim } => claim,
    };
    let reply = claim.map(|_| -> Reply<Results> {
        let rows = rows.to_vec();
        Arc::new(move |written| kept(&rows, &written.value))
    });
    let written = session.execute(steps, Mode::Each, reply).await?;
    Ok(written.value.iter().map(Ended::of).collect())
}

/// What is kept under the claim: each row's number and how it ended.
fn kept(rows: &[i64], results: &Results) -> StoredReply {
    let ended: Vec<(i64, Ended)> = rows.iter().copied().zip(results.iter().map(Ended::of)).collect();
    let body = serde_json::to_string(&ended).unwrap_or_default();
    StoredReply { status: 200, headers: "{}".to_owned(), body }
}

fn ended(plan: &Result<Effect>) -> Ended {
    match plan {
        Ok(effect) => (*effect).into(),
        Err(error) => Ended::Failed(problems_of(error)),
    }
}

/// A row that cannot be read is still planned, so that what else is wrong with it is said at once.
fn with_plan(draft: &RowDraft, plan: &Result<Effect>) -> Ended {
    let mut problems = draft.problems.clone();
    if let Err(error) = plan {
        let is_new = |pointer: &str| !draft.problems.iter().any(|known| known.pointer == pointer);
        problems.extend(problems_of(error).into_iter().filter(|problem| is_new(&problem.pointer)));
    }
    Ended::Failed(problems)
}
