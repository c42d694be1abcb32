//! Records that a request has made, changed, put away or brought back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine_model::change::ChangeKind;
use engine_model::object::ObjectDefinition;
use engine_model::{Properties, RecordId};
use engine_store::change::{self, ChangeRow};
use engine_store::record::RecordRow;
use indexmap::IndexMap;
use serde_json::Value;

use super::links::{LinkChange, LinkEnds};
use super::page::Take;
use super::{Scope, Skipped};
use crate::error::{Error, Result};
use crate::records::{MERGED_INTO, Operation, PropertiesInput, RecordInput, Target, pairs};
use crate::session::Session;

pub(super) const OWNER: &str = "owner_id";
pub(super) const TEAM: &str = "team_id";

/// A record as it is now.
#[derive(Debug)]
pub(super) struct Known {
    id: i64,
    object: String,
    /// Owner and team stand among them.
    values: Properties,
    version: i64,
    is_archived: bool,
    /// Microseconds since 1970.
    created_at: i64,
    merged_into: Option<i64>,
    /// Others have been merged into it.
    pub(super) has_merged: bool,
}

impl Known {
    pub(super) fn of(row: RecordRow) -> Result<Self> {
        let mut values: Properties = serde_json::from_str(&row.properties).map_err(Error::internal)?;
        values.extend(row.owner_id.map(|owner| (OWNER.to_owned(), Value::from(owner.to_string()))));
        values.extend(row.team_id.map(|team| (TEAM.to_owned(), Value::from(team.to_string()))));
        let (object, is_archived) = (row.object, row.archived_at.is_some());
        let RecordRow { id, version, created_at, merged_into, .. } = row;
        Ok(Self { id, object, values, version, is_archived, created_at, merged_into, has_merged: false })
    }

    /// A property's value; null where it has none.
    pub(super) fn value(&self, name: &str) -> &Value {
        self.values.get(name).unwrap_or(&Value::Null)
    }

    /// Whether its links are at rest: it is archived, and not because it is another one now.
    pub(super) fn rests(&self) -> bool {
        self.is_archived && self.merged_into.is_none()
    }

    /// Where its id leads.
    pub(super) fn led(&self) -> i64 {
        self.merged_into.unwrap_or(self.id)
    }
}

/// A record that was made together with links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    /// Microseconds since 1970.
    pub(super) at: i64,
    /// It has become another one since, so that it is not put away.
    pub(super) stays: bool,
}

/// What taking changes back makes of a record.
struct Then<'k> {
    known: &'k Known,
    values: Properties,
    is_archived: bool,
    /// How many changes of values, and of archiving, were taken back.
    counts: (u64, u64),
    skipped: Vec<Skipped>,
    /// Somebody else has moved it to another stage since.
    is_moved: bool,
    /// Its records are always in a stage.
    has_stages: bool,
}

/// What is known of moves from stage to stage: where a record is, pipeline and stage only say together.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Records that others have moved since.
    moved: HashSet<i64>,
    /// Objects that have pipelines.
    staged: HashSet<String>,
}

impl Session {
    /// Which of the records that are moved back have been moved by others since.
    pub(super) async fn moves_since(&self, scope: &Scope, records: &IndexMap<i64, Vec<ChangeRow>>) -> Result<Moves> {
        let is_move = |change: &ChangeRow| change.kind == ChangeKind::StageChanged.as_str();
        let moving = records.iter().filter(|(_, changes)| changes.iter().any(is_move)).map(|(id, _)| *id);
        let moving: Vec<i64> = moving.collect();
        if moving.is_empty() {
            return Ok(Moves::default());
        }
        let last = change::last_moves(&mut self.reader().await?, moving).await?;
        let is_others = |change: &&ChangeRow| !scope.is_own(change) && change.request_id != self.origin.request_id;
        let moved = last.iter().filter(is_others).filter_map(|change| change.record_id).collect();
        let registry = &self.catalog.effective.registry;
        let staged = registry.pipelines.keys().filter(|object| registry.active_pipelines(object).next().is_some());
        let staged = staged.map(ToString::to_string).collect();
        Ok(Moves { moved, staged })
    }

    /// Records that were made together with links by what is taken back.
    pub(super) async fn made_with_links(
        &self,
        scope: &Scope,
        links: &IndexMap<LinkEnds, Vec<LinkChange>>,
        records: &IndexMap<i64, Vec<ChangeRow>>,
        (known, moves): (&HashMap<i64, Known>, &Moves),
    ) -> Result<HashMap<i64, Made>> {
        let made = links.iter().flat_map(|(ends, changes)| {
            let moments = changes.iter().filter_map(LinkChange::made_at);
            moments.flat_map(|at| [(ends.from, at), (ends.to, at)])
        });
        let together = made.filter(|(end, at)| known.get(end).is_some_and(|known| known.created_at == *at));
        let together: HashSet<i64> = together.map(|(end, _)| end).collect();
        if together.is_empty() {
            return Ok(HashMap::new());
        }
        // They may stand on another page than the links.
        let creations = change::creations(&mut self.reader().await?, together.into_iter().collect()).await?;
        let mut made = HashMap::new();
        for creation in creations.into_iter().filter(|creation| scope.is_own(creation)) {
            let Some(known) = creation.record_id.and_then(|id| known.get(&id)) else { continue };
            let Ok(object) = self.catalog.object(&known.object) else { continue };
            let mut then = Then::begin(known, moves);
            for change in
                records.get(&known.id).into_iter().flatten().filter(|change| change.sequence != creation.sequence)
            {
                then.take_back(object, change)?;
            }
            let stays = known.merged_into.is_some() || then.stays(object, &pairs(&creation)?).is_some();
            made.insert(known.id, Made { at: creation.at, stays });
        }
        Ok(made)
    }

    /// Steps that bring records back to where they were.
    pub(super) fn record_steps(
        &self,
        records: IndexMap<i64, Vec<ChangeRow>>,
        (known, moves): (&HashMap<i64, Known>, &Moves),
        skipped: &mut Vec<Skipped>,
    ) -> Result<Vec<Take>> {
        let catalog = Arc::clone(&self.catalog);
        let mut takes = Vec::new();
        for (id, changes) in records {
            let mut skip =
                |reason: String| skipped.push(Skipped { record: Some(RecordId(id)), property: None, reason });
            let Some(known) = known.get(&id) else {
                skip("the record's values are erased for good".to_owned());
                continue;
            };
            if let Some(winner) = known.merged_into {
                skip(format!("the record has been merged into record {winner}; take it out of that one first"));
                continue;
            }
            let Ok(object) = catalog.object(&known.object) else {
                skip(format!("there is no object `{}` any more", known.object));
                continue;
            };
            let mut then = Then::begin(known, moves);
            for change in &changes {
                then.take_back(object, change)?;
            }
            takes.extend(then.steps()?);
            skipped.append(&mut then.skipped);
        }
        Ok(takes)
    }
}

impl<'k> Then<'k> {
    fn begin(known: &'k Known, moves: &Moves) -> Self {
        let (values, is_archived) = (known.values.clone(), known.is_archived);
        let (is_moved, has_stages) = (moves.moved.contains(&known.id), moves.staged.contains(&known.object));
        Self { known, values, is_archived, counts: (0, 0), skipped: Vec::new(), is_moved, has_stages }
    }

    fn skip(&mut self, property: Option<&str>, reason: &str) {
        let (record, property) = (Some(RecordId(self.known.id)), property.map(str::to_owned));
        self.skipped.push(Skipped { record, property, reason: reason.to_owned() });
    }

    fn take_back(&mut self, object: &ObjectDefinition, change: &ChangeRow) -> Result<()> {
        let is_of_merge = |(name, ..): &(String, Value, Value)| name == MERGED_INTO;
        match change.kind.as_str() {
            "record.created" => self.take_creation_back(object, &pairs(change)?),
            "stage.changed" if self.is_moved => self.skip(Some("stage"), "the record has been moved since"),
            "stage.changed" if self.has_stages && pairs(change)?.iter().any(|(_, old, _)| old.is_null()) => {
                self.skip(Some("stage"), "it was in no stage before, and records of its object always are in one");
            }
            kind if ChangeKind::is_of_values(kind) => self.take_values_back(object, pairs(change)?),
            "record.archived" | "record.restored" if pairs(change)?.iter().any(is_of_merge) => {}
            "record.archived" if self.is_archived => self.archive(false),
            "record.archived" => self.skip(None, "the record has been restored since"),
            "record.restored" if !self.is_archived => self.archive(true),
            "record.restored" => self.skip(None, "the record has been archived since"),
            "segment.joined" | "segment.left" => self.skip(None, "who is in a list is put right in the list"),
            _ => self.skip(None, "erased values cannot be brought back"),
        }
        Ok(())
    }

    fn archive(&mut self, is_archived: bool) {
        self.is_archived = is_archived;
        self.counts.1 += 1;
    }

    /// Nobody has changed it where it is, but for what is taken back, as it was made.
    fn take_creation_back(&mut self, object: &ObjectDefinition, made: &[(String, Value, Value)]) {
        if let Some(reason) = self.stays(object, made) {
            return self.skip(None, reason);
        }
        // It is put away as it is.
        self.values.clone_from(&self.known.values);
        self.counts.1 += self.counts.0;
        self.counts.0 = 0;
        self.archive(true);
    }

    /// Why a record is not put away that was made with these values.
    fn stays(&self, object: &ObjectDefinition, made: &[(String, Value, Value)]) -> Option<&'static str> {
        let counts = |name: &str| {
            [OWNER, TEAM].contains(&name) || object.property(name).is_some_and(|property| !property.kind.is_computed())
        };
        let as_made =
            made.iter().filter(|(name, ..)| counts(name)).all(|(name, _, new)| self.values.get(name) == Some(new));
        let is_more = |name: &&String| counts(name) && !made.iter().any(|(known, ..)| known == *name);
        if self.is_archived {
            Some("the record has been archived since")
        } else if self.known.has_merged {
            Some("other records have been merged into it since; take them out of it first")
        } else if !as_made || self.values.keys().any(|name| is_more(&name)) {
            Some("the record has been changed since it was made")
        } else {
            None
        }
    }

    /// What is computed follows from the values that come back, and is written by nobody.
    fn take_values_back(&mut self, object: &ObjectDefinition, changed: Vec<(String, Value, Value)>) {
        let is_computed = |name: &str| object.property(name).is_some_and(|property| property.kind.is_computed());
        let mut is_taken = false;
        for (name, old, new) in changed.into_iter().filter(|(name, ..)| !is_computed(name)) {
            if self.values.get(&name).unwrap_or(&Value::Null) != &new {
                self.skip(Some(&name), "it has been changed since");
                continue;
            }
            match old {
                Value::Null => drop(self.values.shift_remove(&name)),
                old => drop(self.values.insert(name, old)),
            }
            is_taken = true;
        }
        self.counts.0 += u64::from(is_taken);
    }

    /// One write where there is one kind of change; a record that is put away is changed before or after.
    fn steps(&mut self) -> Result<Vec<Take>> {
        let known = self.known;
        let (object, target) = (known.object.clone(), Target::id(known.id.to_string()));
        let take = |operation: Operation, changes: u64| Take {
            step: operation.into(),
            changes,
            record: RecordId(known.id),
            property: None,
        };
        let input = self.input()?;
        let mut takes = Vec::new();
        let mut version = known.version;
        let (values, archiving) = self.counts;
        if known.is_archived && !self.is_archived {
            takes.push(take(Operation::Restore { object: object.clone(), target: target.clone() }, archiving));
            version += 1;
        }
        match input {
            Some(_) if known.is_archived && self.is_archived => {
                self.skip(None, "the record is archived; restore it first");
            }
            Some(input) => {
                let (object, target) = (object.clone(), target.clone());
                takes.push(take(Operation::Update { object, target, input, version: Some(version) }, values));
                version += 1;
            }
            None => {}
        }
        if !known.is_archived && self.is_archived {
            takes.push(take(Operation::Archive { object, target, version: Some(version) }, archiving));
        }
        Ok(takes)
    }

    /// The values that become others; none where all stay.
    fn input(&self) -> Result<Option<RecordInput>> {
        let (before, then) = (&self.known.values, &self.values);
        let names = before.keys().chain(then.keys().filter(|name| !before.contains_key(*name)));
        let mut input = RecordInput::default();
        let mut properties = Vec::new();
        for name in names.filter(|name| before.get(*name) != then.get(*name)) {
            let value = then.get(name).unwrap_or(&Value::Null);
            if name == OWNER {
                input.owner = Some(value.as_str().map(str::to_owned));
            } else if name == TEAM {
                input.team = Some(value.as_str().map(str::to_owned));
            } else {
                let raw = serde_json::value::to_raw_value(value).map_err(Error::internal)?;
                properties.push((name.clone(), raw));
            }
        }
        let is_empty = properties.is_empty() && input.owner.is_none() && input.team.is_none();
        input.properties = PropertiesInput(properties);
        Ok((!is_empty).then_some(input))
    }
}
