//! Merges that a request has made or taken back.

use engine_model::RecordId;
use engine_store::change::ChangeRow;
use engine_store::record;
use serde_json::Value;

use super::page::reasons;
use super::states::Known;
use super::{Run, Skipped};
use crate::error::{Error, Result};
use crate::records::{MERGED_FROM, Mode, Operation, Step, Target, pairs};
use crate::session::Session;

/// Records that went into another one, or came out of it.
#[derive(Debug)]
pub(super) struct Merge {
    object: String,
    winner: i64,
    others: Vec<RecordId>,
    /// They went in; otherwise they came out.
    is_in: bool,
    /// Properties that the winner changed with it.
    changed: Vec<String>,
}

impl Merge {
    /// What a change of the winner says of a merge; none where it says nothing.
    pub(super) fn of(change: &ChangeRow) -> Result<Option<Self>> {
        let (Some(winner), Some(object)) = (change.record_id, change.object.clone()) else { return Ok(None) };
        if change.kind != "record.merged" && !change.changes.contains(MERGED_FROM) {
            return Ok(None);
        }
        let changed = pairs(change)?;
        let Some((_, old, new)) = changed.iter().find(|(name, ..)| name == MERGED_FROM) else { return Ok(None) };
        let is_in = old.is_null();
        let list = if is_in { new } else { old };
        let others = list.as_array().into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok()).collect();
        let changed = changed.iter().map(|(name, ..)| name.clone()).filter(|name| name != MERGED_FROM).collect();
        Ok(Some(Self { object, winner, others, is_in, changed }))
    }

    /// Every record that it changed.
    pub(super) fn concerned(&self) -> impl Iterator<Item = i64> {
        self.others.iter().map(|id| id.0).chain([self.winner])
    }
}

impl Session {
    pub(super) async fn take_merge_back(
        &mut self,
        merge: Merge,
        run: &mut Run,
        skipped: &mut Vec<Skipped>,
    ) -> Result<()> {
        let mut is_taken = false;
        // The last that went in comes out first.
        for other in merge.others.iter().rev() {
            let operation = if merge.is_in {
                let (object, target) = (merge.object.clone(), Target::id(merge.winner.to_string()));
                Operation::Unmerge { object, target, id: other.to_string(), version: None }
            } else {
                self.merge_again(&merge, *other).await?
            };
            // By itself, since each looks at what the one before has left.
            match self.execute(&[Step::from(operation)], Mode::Each, None).await?.value.into_iter().next() {
                Some(Ok(_)) => is_taken = true,
                Some(Err(error)) => skipped.extend(reasons(error, *other, None)),
                None => return Err(Error::internal("an operation was not answered")),
            }
        }
        run.undone += u64::from(is_taken);
        Ok(())
    }

    /// Merges a record again, with the values that the winner had from it before.
    async fn merge_again(&self, merge: &Merge, other: RecordId) -> Result<Operation> {
        let definition = self.catalog.object(&merge.object)?;
        let rows = record::many(&mut self.reader().await?, vec![other.0]).await?;
        let merged = rows.into_iter().next().map(Known::of).transpose()?;
        let has_value = |name: &str| merged.as_ref().is_some_and(|known| known.has(name));
        let names =
            definition.properties.values().filter(|property| !property.archived && !property.kind.is_computed());
        let choices = names.map(|property| property.name.as_str()).filter_map(|name| {
            let is_changed = merge.changed.iter().any(|changed| changed == name);
            // What the winner lacks it would take, unless that is said.
            let giver = if is_changed { other.0 } else { merge.winner };
            (is_changed || has_value(name)).then(|| (name.to_owned(), giver.to_string()))
        });
        Ok(Operation::Merge {
            object: merge.object.clone(),
            target: Target::id(merge.winner.to_string()),
            from: vec![other.to_string()],
            choices: choices.collect(),
            version: None,
        })
    }
}

impl Known {
    fn has(&self, name: &str) -> bool {
        self.value(name) != &Value::Null
    }
}
