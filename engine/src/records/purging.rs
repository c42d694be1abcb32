//! Purging records for good: with each go those that were merged into it, and what scores have answered of it, which
//! would say nothing any more of whom or of what it was answered.

use std::collections::{HashMap, HashSet};

use engine_model::behavior::Score;
use engine_model::change::ChangeKind;
use engine_model::{Problem, RecordId};
use engine_store::Reader;
use engine_store::association::{LinkKey, counts, leading, leading_to};
use engine_store::commit::{LogEntry, RecordRef, RecordUpdate, Write};

use super::draft::Draft;
use super::operation::Effect;
use super::plan::{Body, Plan, Planner, definition_of};
use super::rules::{intervals, unique_values};
use super::state::State;
use crate::definitions::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};

/// Most answers that go with the records that one list of operations purges.
const MOST_ANSWERS: i64 = 10_000;

/// Records that are about to be purged.
#[derive(Debug)]
pub(crate) struct Purging {
    pub(crate) states: Vec<State>,
    /// Criteria that were asked for one of these records alone. With the link they would be asked of everybody, so they
    /// are put away.
    orphans: Vec<Draft>,
    /// Records with the number of links among which their answers were found: with others it is looked again.
    counted: Vec<(RecordId, i64)>,
}

/// What goes with records that are purged.
#[derive(Debug, Default)]
pub(crate) struct Dependents {
    /// Answers, by the record that they are of, for, or to.
    answers: HashMap<i64, Vec<RecordId>>,
    /// Criteria, by the record that they are asked for alone.
    orphans: HashMap<i64, Vec<RecordId>>,
    /// How many links each record had before these were looked for; none where no score could have answered.
    links: HashMap<i64, i64>,
    /// They are more than go at once.
    are_too_many: bool,
    gone: HashSet<RecordRef>,
}

impl Dependents {
    /// Finds what goes with records that are purged: a few statements for each score.
    pub(super) async fn load(reader: &mut Reader, catalog: &Catalog, purged: &[i64]) -> Result<Self> {
        let mut dependents = Self::default();
        let behaviors = catalog.effective.registry.behaviors.values();
        let scores: Vec<&Score> = behaviors.filter_map(|behavior| behavior.score()).collect();
        if !scores.is_empty() {
            dependents.links.extend(counts(reader, purged.to_vec()).await?);
        }
        for score in scores {
            let Score { assessments, criteria, .. } = score;
            let kinds = [Some(&assessments.subject), Some(&assessments.criterion), assessments.counterpart.as_ref()];
            for kind in kinds.into_iter().flatten() {
                let found = leading_to(reader, purged.to_vec(), kind, MOST_ANSWERS + 1).await?;
                dependents.are_too_many |= i64::try_from(found.len()).is_ok_and(|count| count > MOST_ANSWERS);
                for link in found {
                    dependents.answers.entry(link.to_id).or_default().push(RecordId(link.from_id));
                }
            }
            if let Some(kind) = &criteria.counterpart {
                dependents.find_orphans(reader, purged, kind).await?;
            }
        }
        Ok(dependents)
    }

    async fn find_orphans(&mut self, reader: &mut Reader, purged: &[i64], kind: &str) -> Result<()> {
        let asked = leading_to(reader, purged.to_vec(), kind, MOST_ANSWERS).await?;
        if asked.is_empty() {
            return Ok(());
        }
        let mut criteria: Vec<i64> = asked.iter().map(|link| link.from_id).collect();
        criteria.sort_unstable();
        criteria.dedup();
        let all = leading(reader, criteria, kind, MOST_ANSWERS).await?;
        for link in asked {
            let is_asked_beside = |other: &LinkKey| other.from_id == link.from_id && !purged.contains(&other.to_id);
            if !all.iter().any(is_asked_beside) {
                self.orphans.entry(link.to_id).or_default().push(RecordId(link.from_id));
            }
        }
        Ok(())
    }

    /// All of them.
    pub(super) fn ids(&self) -> Vec<i64> {
        let answers = self.answers.values().take(if self.are_too_many { 0 } else { usize::MAX });
        answers.chain(self.orphans.values()).flatten().map(|id| id.0).collect()
    }
}

impl Planner<'_> {
    /// Plans to purge a record, with what goes with it.
    pub(super) fn purge(&mut self, state: &State) -> Result<Plan> {
        let dependents = &self.workspace.dependents;
        if dependents.are_too_many {
            let message = format!(
                "scores have answered more than {MOST_ANSWERS} times of the records to be purged; purge these answers \
                 first, some at a time"
            );
            return Err(Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("", "too_many", message)));
        }
        let merged: Vec<State> = self.workspace.merged_into(state).cloned().collect();
        let mut states: Vec<State> = merged.into_iter().chain([state.clone()]).collect();
        let of = |ids: &HashMap<i64, Vec<RecordId>>| -> Vec<State> {
            let purged = states.iter().filter_map(State::id);
            let ids = purged.flat_map(|id| ids.get(&id.0).into_iter().flatten());
            ids.filter_map(|id| self.workspace.state(RecordRef::Id(*id)).cloned()).collect()
        };
        let links = |state: &State| {
            let id = state.id()?;
            Some((id, *dependents.links.get(&id.0)?))
        };
        let counted = states.iter().filter_map(links).collect();
        let (answers, orphans) = (of(&dependents.answers), of(&dependents.orphans));
        states.extend(answers);
        let gone = &mut self.workspace.dependents.gone;
        // What goes with two of the records goes once.
        states.retain(|state| gone.insert(state.record));
        let mut drafts = Vec::new();
        for orphan in orphans.into_iter().filter(|orphan| orphan.archived_at.is_none()) {
            let Ok(object) = self.basis.catalog.object(&orphan.object) else { continue };
            if !self.workspace.dependents.gone.insert(orphan.record) {
                continue;
            }
            let draft = Draft::archive(orphan, self.basis.pen);
            self.workspace.put(object, draft.before.as_ref(), draft.after.clone(), None);
            drafts.push(draft);
        }
        let body = Body::Purge(Box::new(Purging { states, orphans: drafts, counted }));
        Ok(Plan { body, links: Vec::new(), effect: Effect::Changed, upsert: None })
    }
}

impl Purging {
    /// The rows to write.
    pub(super) fn writes(&self, catalog: &Catalog) -> Result<Vec<Write>> {
        let mut writes: Vec<Write> = self.counted.iter().map(|(id, links)| Write::HasLinks(*id, *links)).collect();
        for orphan in &self.orphans {
            writes.extend(orphan.writes(definition_of(catalog, orphan)?));
        }
        for state in &self.states {
            writes.extend(erase(catalog, state)?);
        }
        Ok(writes)
    }
}

/// The rows that erase one record.
fn erase(catalog: &Catalog, state: &State) -> Result<Vec<Write>> {
    let record = state.record;
    let id = state.id().ok_or_else(|| Error::new(ErrorCode::BadRequest, "a new record cannot be purged"))?;
    let mut writes = vec![Write::Update(RecordUpdate {
        record,
        expected_version: state.version,
        properties: "{}".to_owned(),
        display_name: String::new(),
        owner: None,
        team: None,
        archived_at: Some(state.archived_at.unwrap_or(state.updated_at)),
    })];
    if let (Some(object), None) = (catalog.effective.registry.objects.get(state.object.as_str()), state.archived_at) {
        writes.extend(unique_values(object, &state.properties).into_iter().map(|value| Write::Release(record, value)));
        writes.extend(intervals(object, &state.properties).into_iter().map(|span| Write::Vacate(record, span)));
    }
    writes.push(Write::Purge(id));
    let changes = "{}".to_owned();
    writes.push(Write::Log(LogEntry { kind: ChangeKind::RecordPurged, object: state.object.clone(), record, changes }));
    Ok(writes)
}
