//! How long records were in the stages that they leave, for the log to say.

use std::collections::HashMap;

use engine_model::RecordId;
use engine_model::time::Timestamp;
use engine_store::change::{self, ChangeRow};
use engine_store::commit::RecordRef;

use super::draft::Draft;
use super::plan::Body;
use super::ready::Ready;
use crate::error::Result;
use crate::session::Session;

impl Session {
    /// Measures the stays that end at `at`, with one statement for all records. Whoever moves one of them meanwhile has
    /// it at another version, so that the write is planned again.
    pub(super) async fn measure_stays(&self, ready: &mut [Ready], at: Timestamp) -> Result<()> {
        let mut moving: Vec<i64> = Vec::new();
        for ready in &mut *ready {
            moving.extend(leaving(&mut ready.plan.body).and_then(|draft| draft.after.id()).map(|id| id.0));
        }
        let mut entered: HashMap<RecordRef, Timestamp> = HashMap::new();
        if !moving.is_empty() {
            let moves = change::last_moves(&mut self.reader().await?, moving).await?;
            let of = |row: ChangeRow| Some((RecordRef::Id(RecordId(row.record_id?)), Timestamp(row.at)));
            entered.extend(moves.into_iter().filter_map(of));
        }
        for ready in ready {
            let Some(draft) = leaving(&mut ready.plan.body) else { continue };
            // Whoever was never moved is where it began.
            let since = entered.insert(draft.after.record, at).unwrap_or(draft.after.created_at);
            draft.stay = Some(seconds_between(since, at));
        }
        Ok(())
    }
}

/// Whole seconds from one moment to another; none where clocks of two nodes disagree.
pub(crate) fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    const MICROSECONDS: i64 = 1_000_000;
    to.0.saturating_sub(from.0).max(0) / MICROSECONDS
}

/// The draft of a record that leaves a stage.
fn leaving(body: &mut Body) -> Option<&mut Draft> {
    let draft = match body {
        Body::Record(draft) => draft,
        Body::Merge(merging) => &mut merging.winner,
        Body::Unmerge(parting) => &mut parting.winner,
        Body::Purge(_) | Body::Unlink(_) | Body::Links => return None,
    };
    let before = &draft.before.as_ref()?.properties;
    let is_another = |name: &str| before.get(name) != draft.after.properties.get(name);
    (before.contains_key("stage") && ["pipeline", "stage"].into_iter().any(is_another)).then_some(draft)
}
