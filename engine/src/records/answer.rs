//! What an operation is answered, once the ids of new records are known.

use engine_model::RecordId;
use engine_model::time::Timestamp;
use engine_store::commit::{Committed, RecordRef, Refusal};

use super::operation::{Done, Effect, LeftOut};
use super::plan::Body;
use super::ready::Ready;
use super::record::Shown;
use super::refusal::{Onlooker, explain};
use super::state::State;
use super::write::outrun;
use crate::duplicates::Duplicate;
use crate::error::{Error, Result};

/// What answering needs of a plan, detached from it so that it can be done inside the commit.
pub(super) struct Summary {
    state: Option<State>,
    effect: Effect,
    /// When it was done.
    at: Timestamp,
    links_at: &'static str,
    left_out: Vec<LeftOut>,
    duplicates: Vec<Duplicate>,
}

pub(super) fn summary(Ready { plan, duplicates, .. }: &Ready, at: Timestamp) -> Summary {
    let (state, left_out) = match &plan.body {
        Body::Record(draft) => (Some(draft.after.clone()), Vec::new()),
        Body::Merge(merging) => (Some(merging.winner.after.clone()), Vec::new()),
        Body::Unmerge(parting) => (Some(parting.loser.after.clone()), parting.left_out.clone()),
        Body::Purge(_) | Body::Unlink(_) | Body::Links => (None, Vec::new()),
    };
    let duplicates = duplicates.clone();
    Summary { state, effect: plan.effect, at, links_at: plan.links_at(), left_out, duplicates }
}

pub(super) fn answer(
    onlooker: &Onlooker<'_>,
    summary: Summary,
    committed: &Committed,
    item: Option<&Result<bool, Vec<Refusal>>>,
) -> Result<Done> {
    let Onlooker { catalog, rights, .. } = onlooker;
    let has_changed = match item {
        Some(Ok(has_changed)) => *has_changed,
        Some(Err(refusals)) => return Err(explain(refusals, summary.links_at, onlooker)),
        None => false,
    };
    let Summary { state, effect, at, left_out, duplicates, .. } = summary;
    // Only the commit knows which links were there already.
    let effect = match effect {
        Effect::Created => Effect::Created,
        Effect::Changed | Effect::Unchanged if has_changed => Effect::Changed,
        Effect::Changed | Effect::Unchanged => Effect::Unchanged,
    };
    let Some(state) = state else { return Ok(Done { record: None, effect, left_out, duplicates }) };
    let id = match state.record {
        RecordRef::Id(id) => id,
        RecordRef::New(index) => committed
            .inserted
            .get(index)
            .copied()
            .flatten()
            .ok_or_else(|| Error::internal("a committed record has no id"))?,
    };
    let object = catalog.effective.registry.objects.get(state.object.as_str());
    let shown = object.map_or_else(Shown::nothing, |object| Shown::of(catalog, object, rights, None, at));
    let record = state.into_record(RecordId(id.0), &shown)?;
    Ok(Done { record: Some(record), effect, left_out, duplicates })
}

pub(super) fn settled(result: Option<Result<Done>>) -> Result<Done> {
    result.unwrap_or_else(|| Err(outrun()))
}
