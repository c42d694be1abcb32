//! One page of changes, newest first: sorted by what they are about, and taken back in an order that works.

use std::collections::HashMap;

use engine_model::RecordId;
use engine_store::change::ChangeRow;
use engine_store::{merge, record};
use indexmap::IndexMap;

use super::links::{LinkChange, LinkEnds, LinkSteps};
use super::merges::Merge;
use super::states::{Known, OWNER, TEAM};
use super::{Run, Scope, Skipped};
use crate::error::{Error, Result};
use crate::records::{Mode, Operation, RecordInput, Step};
use crate::session::Session;

/// Records that were merged into those of a page and are looked at.
const MOST_MERGED: i64 = 10_000;

/// Where a record is on its way.
const STAGED: [&str; 2] = ["pipeline", "stage"];

/// Something to be carried out, and how many changes it takes back.
pub(super) struct Take {
    pub(super) step: Step,
    pub(super) changes: u64,
    /// What is skipped where it fails.
    pub(super) record: RecordId,
    pub(super) property: Option<String>,
}

/// Changes by what they are about, newest first.
#[derive(Default)]
struct Sorted {
    merges: Vec<Merge>,
    links: IndexMap<LinkEnds, Vec<LinkChange>>,
    records: IndexMap<i64, Vec<ChangeRow>>,
}

impl Session {
    /// Takes back changes that are given newest first.
    pub(super) async fn take_back(
        &mut self,
        changes: Vec<ChangeRow>,
        scope: &Scope,
        run: &mut Run,
        skipped: &mut Vec<Skipped>,
    ) -> Result<()> {
        let sorted = sort(changes, run, skipped)?;
        for merge in sorted.merges {
            self.take_merge_back(merge, run, skipped).await?;
        }
        let concerned = sorted.links.keys().flat_map(|ends| [ends.from, ends.to]).chain(sorted.records.keys().copied());
        let known = self.known(concerned.collect()).await?;
        // Links go while their records are there, and come when they are there again.
        let moves = self.moves_since(scope, &sorted.records).await?;
        let made = self.made_with_links(scope, &sorted.links, &sorted.records, (&known, &moves)).await?;
        let LinkSteps { go, come, rest } = self.link_steps(sorted.links, &known, &made, skipped).await?;
        run.undone += rest;
        self.perform_takes(go, run, skipped).await?;
        let steps = self.record_steps(sorted.records, (&known, &moves), skipped)?;
        self.perform_takes(steps, run, skipped).await?;
        self.perform_takes(come, run, skipped).await
    }

    /// The records with these ids as they are now, merged ones too.
    async fn known(&self, mut ids: Vec<i64>) -> Result<HashMap<i64, Known>> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut reader = self.reader().await?;
        let rows = record::many(&mut reader, ids.clone()).await?;
        let mut known: HashMap<i64, Known> =
            rows.into_iter().map(|row| Ok((row.id, Known::of(row)?))).collect::<Result<_>>()?;
        let merged = merge::led_to(&mut reader, ids, MOST_MERGED).await?;
        if !merged.is_empty() {
            let rows = record::many(&mut reader, merged.into_iter().map(|id| id.0).collect()).await?;
            for winner in rows.into_iter().filter_map(|row| row.merged_into) {
                known.entry(winner).and_modify(|known| known.has_merged = true);
            }
        }
        Ok(known)
    }

    /// Carries steps out, each for itself; a write that some of its values cannot be part of is made without these.
    pub(super) async fn perform_takes(
        &mut self,
        takes: Vec<Take>,
        run: &mut Run,
        skipped: &mut Vec<Skipped>,
    ) -> Result<()> {
        let mut open = takes;
        while !open.is_empty() {
            let steps: Vec<Step> = open.iter().map(|take| take.step.clone()).collect();
            let results = self.execute(&steps, Mode::Each, None).await?.value;
            let tried = std::mem::take(&mut open);
            for (result, take) in results.into_iter().zip(tried) {
                match result {
                    Ok(_) => run.undone += take.changes,
                    Err(error) => {
                        let (rest, reasons) = take.without(error);
                        skipped.extend(reasons);
                        open.extend(rest);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Take {
    /// The same without the values that an error is about, if any are left; and why the others are not taken back.
    fn without(mut self, error: Error) -> (Option<Self>, Vec<Skipped>) {
        let Operation::Update { input, .. } = &mut self.step.operation else {
            return (None, reasons(error, self.record, self.property));
        };
        let told: HashMap<String, String> = error
            .problems
            .iter()
            .filter_map(|problem| Some((named(&problem.pointer)?, problem.message.clone())))
            .collect();
        let is_wrong = |name: &String| match STAGED.contains(&name.as_str()) {
            // Pipeline and stage only mean something together.
            true => STAGED.iter().any(|name| told.contains_key(*name)),
            false => told.contains_key(name),
        };
        let (wrong, left): (Vec<String>, Vec<String>) = names_of(input).into_iter().partition(is_wrong);
        let record = Some(self.record);
        if wrong.is_empty() {
            return (None, vec![Skipped { record, property: None, reason: error.detail }]);
        }
        let reason = |name: &String| told.get(name).unwrap_or(&error.detail).clone();
        let skip = |name: &String| Skipped { record, property: Some(name.clone()), reason: reason(name) };
        let skipped = wrong.iter().map(skip).collect();
        if left.is_empty() {
            return (None, skipped);
        }
        let goes = |name: &str| wrong.iter().any(|wrong| wrong == name);
        input.properties.0.retain(|(name, _)| !goes(name));
        input.owner = input.owner.take().filter(|_| !goes(OWNER));
        input.team = input.team.take().filter(|_| !goes(TEAM));
        (Some(self), skipped)
    }
}

/// What of a record an input changes.
fn names_of(input: &RecordInput) -> Vec<String> {
    let owner = input.owner.as_ref().map(|_| OWNER.to_owned());
    let team = input.team.as_ref().map(|_| TEAM.to_owned());
    input.properties.0.iter().map(|(name, _)| name.clone()).chain(owner).chain(team).collect()
}

/// The property, or `owner_id` or `team_id`, that a problem is about.
fn named(pointer: &str) -> Option<String> {
    let rest = pointer.strip_prefix("/properties/").or_else(|| pointer.strip_prefix('/'))?;
    rest.split('/').next().map(str::to_owned)
}

/// Why something was not taken back, by property where that is said.
pub(super) fn reasons(error: Error, record: RecordId, property: Option<String>) -> Vec<Skipped> {
    let record = Some(record);
    let of_property = error.problems.iter().filter_map(|problem| {
        let name = problem.pointer.strip_prefix("/properties/")?.split('/').next()?;
        Some(Skipped { record, property: Some(name.to_owned()), reason: problem.message.clone() })
    });
    let found: Vec<Skipped> = of_property.collect();
    if found.is_empty() { vec![Skipped { record, property, reason: error.detail }] } else { found }
}

fn sort(changes: Vec<ChangeRow>, run: &mut Run, skipped: &mut Vec<Skipped>) -> Result<Sorted> {
    let mut sorted = Sorted::default();
    for change in changes {
        let Some(id) = change.record_id else {
            let reason = "definitions are taken back with POST /metadata/rollback".to_owned();
            skipped.push(Skipped { record: None, property: None, reason });
            continue;
        };
        if let Some(merge) = Merge::of(&change)? {
            run.merges.extend(merge.concerned().map(|record| (change.at, record)));
            sorted.merges.push(merge);
        } else if change.kind.starts_with("association.") {
            // What a merge has moved has gone back with it.
            let link = LinkChange::of(&change)?.filter(|(ends, _)| {
                !run.merges.contains(&(change.at, ends.from)) && !run.merges.contains(&(change.at, ends.to))
            });
            if let Some((ends, link)) = link {
                sorted.links.entry(ends).or_default().push(link);
            }
        } else if !run.merges.contains(&(change.at, id)) {
            sorted.records.entry(id).or_default().push(change);
        }
    }
    Ok(sorted)
}
