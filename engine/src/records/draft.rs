//! From a state and an input to the next state and the rows to write; nothing is read or written here.

use std::sync::Arc;

use engine_model::change::{ChangeKind, Difference, changes_text, differences, move_text};
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{Name, Problems, Properties};
use engine_store::commit::{LogEntry, NewRecord, RecordRef, RecordUpdate, Write};
use serde_json::Value;
use uuid::Uuid;

use super::basis::{Basis, Pen, put, with_defaults};
use super::computed::{About, compute, start_rollups};
use super::input::RecordInput;
use super::rules::{TRANSITION, check, default_stage, intervals, pipeline_defaults, unique_values};
use super::state::State;
use crate::caller::Standing;
use crate::definitions::catalog::Catalog;

/// A record's next state, checked.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) before: Option<State>,
    pub(crate) after: State,
    /// Whole seconds that it was in the stage that it leaves, once that is known.
    pub(super) stay: Option<i64>,
    /// Whether it is handed over, which the log tells apart from other changes.
    pub(super) is_handover: bool,
    /// The assignment rule by which it gets its owner, as long as no turn is taken.
    pub(super) waits_for: Option<i64>,
}

impl Draft {
    /// The step from one state to the next; from none for a new record.
    pub(super) fn from_to(before: Option<State>, after: State) -> Self {
        Self { before, after, stay: None, is_handover: false, waits_for: None }
    }

    /// A new record; it becomes the `index`-th insert of its unit.
    pub(crate) fn create(
        basis: &Basis<'_>,
        object: &ObjectDefinition,
        input: &RecordInput,
        index: usize,
        uid: Uuid,
    ) -> Result<Self, Problems> {
        let Basis { catalog, pen, .. } = *basis;
        let mut problems = Problems::new();
        let given = basis.read_properties(object, None, &input.properties, &mut problems);
        let mut properties = with_defaults(object, given);
        if default_stage(catalog, object, &mut properties) {
            pipeline_defaults(catalog, object, &mut properties);
            properties = in_order(object, properties);
        }
        let turn = basis.turn.filter(|_| input.owner.is_none());
        let owner = turn.map(|turn| turn.user).or(basis.read_owner(input, None, &mut problems).flatten());
        let team = basis.read_team(input, None, &mut problems).unwrap_or(turn.and_then(|turn| turn.team));
        let about = About { created_at: pen.at, updated_at: pen.at, owner };
        start_rollups(catalog, object, &mut properties);
        properties = compute(catalog, object, properties, pen.at, &about);
        object.mark_forward(&mut properties);
        basis.check_users(object, None, &properties, &mut problems);
        basis.check_reserved(object, None, &properties, &mut problems);
        add_new(&mut problems, basis.told(object, check(catalog, object, None, &mut properties)));
        if !problems.is_empty() {
            return Err(problems);
        }
        let waits_for = match (&input.owner, turn) {
            (None, None) => basis.rules.fitting(object, &properties).map(|rule| rule.id),
            _ => None,
        };
        let display_name = object.display.render(&properties);
        let after = State {
            record: RecordRef::New(index),
            uid,
            object: object.name.to_string(),
            properties: Arc::new(properties),
            display_name,
            owner,
            team,
            version: 1,
            created_at: pen.at,
            created_by: Some(pen.by),
            updated_at: pen.at,
            updated_by: Some(pen.by),
            archived_at: None,
        };
        Ok(Self { waits_for, ..Self::from_to(None, after) })
    }

    /// A record with some values changed; the rest stays.
    pub(crate) fn update(
        basis: &Basis<'_>,
        object: &ObjectDefinition,
        before: State,
        input: &RecordInput,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let given = basis.read_properties(object, Some(&before), &input.properties, &mut problems);
        let mut properties = Properties::clone(&before.properties);
        let given_to = |name: &str| given.iter().find(|(property, _)| property.name.as_str() == name);
        let changes_pipeline =
            given_to("pipeline").is_some_and(|(_, value)| properties.get("pipeline") != value.as_ref());
        if changes_pipeline && given_to("stage").is_none() {
            properties.shift_remove("stage");
            // The stage changes with the pipeline, so both may have to be changed.
            let stage = object.property("stage");
            problems
                .extend(stage.and_then(|stage| basis.caller.check_writes(object, stage, "/properties/pipeline").err()));
        }
        put(object, &mut properties, given);
        default_stage(basis.catalog, object, &mut properties);
        let owner = basis.read_owner(input, before.owner, &mut problems).unwrap_or(before.owner);
        let team = basis.read_team(input, before.team, &mut problems).unwrap_or(before.team);
        basis.check_users(object, Some(&before.properties), &properties, &mut problems);
        Self::next(basis, object, before, properties, Standing { owner, team }, problems)
    }

    /// A record's next state with these values, which are in normal form, checked as a whole.
    pub(crate) fn next(
        basis: &Basis<'_>,
        object: &ObjectDefinition,
        before: State,
        properties: Properties,
        standing: Standing,
        mut problems: Problems,
    ) -> Result<Self, Problems> {
        let Basis { catalog, pen, .. } = *basis;
        basis.check_reserved(object, Some(&before.properties), &properties, &mut problems);
        let mut properties = recompute(catalog, object, &before, properties, standing, pen.at);
        let mut found = check(catalog, object, Some(&before), &mut properties);
        // Where it goes back to it came from, whether or not a move leads there.
        found.retain(|problem| !(pen.takes_back && problem.code == TRANSITION));
        add_new(&mut problems, basis.told(object, found));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut after = before.clone();
        if properties != *before.properties || standing != before.standing() {
            after.display_name = object.display.render(&properties);
            after.properties = Arc::new(properties);
            (after.owner, after.team) = (standing.owner, standing.team);
            after.touch(pen);
        }
        Ok(Self::from_to(Some(before), after))
    }

    /// A record with the values that its roll-ups have by now, and with what is made of them. Nothing is checked, since
    /// nobody could do anything about it.
    pub(crate) fn compute(
        basis: &Basis<'_>,
        object: &ObjectDefinition,
        before: State,
        values: &[(Name, Option<Value>)],
    ) -> Self {
        let Basis { catalog, pen, .. } = *basis;
        let mut properties = Properties::clone(&before.properties);
        for (name, value) in values {
            match value {
                Some(value) => drop(properties.insert(name.to_string(), value.clone())),
                None => drop(properties.shift_remove(name.as_str())),
            }
        }
        let properties = recompute(catalog, object, &before, properties, before.standing(), pen.at);
        let mut after = before.clone();
        if properties != *before.properties {
            after.display_name = object.display.render(&properties);
            after.properties = Arc::new(properties);
            after.version += 1;
            (after.updated_at, after.updated_by) = (pen.at, None);
        }
        Self::from_to(Some(before), after)
    }

    /// A record as its definition has it now, where the values that are stored were brought forward; nothing is checked,
    /// as that was done before the definition changed.
    pub(crate) fn settle(basis: &Basis<'_>, object: &ObjectDefinition, stored: State) -> Self {
        let Basis { catalog, pen, .. } = *basis;
        let mut before = stored.clone();
        let properties = Arc::make_mut(&mut before.properties);
        for (name, value) in object.values_before(&stored.properties) {
            match value {
                Some(value) => drop(properties.insert(name.to_string(), value)),
                None => drop(properties.shift_remove(name.as_str())),
            }
        }
        let properties = Properties::clone(&stored.properties);
        let about = About { updated_at: pen.at, ..About::from(&stored) };
        let properties = compute(catalog, object, in_order(object, properties), pen.at, &about);
        let mut after = stored;
        after.display_name = object.display.render(&properties);
        after.properties = Arc::new(properties);
        after.touch(pen);
        Self::from_to(Some(before), after)
    }

    /// A record without the values of properties that are not defined any more.
    pub(crate) fn forget(basis: &Basis<'_>, before: State, names: &[String]) -> Self {
        let mut after = before.clone();
        Arc::make_mut(&mut after.properties).retain(|name, _| !names.contains(name));
        if after.properties != before.properties {
            after.touch(basis.pen);
        }
        Self::from_to(Some(before), after)
    }

    /// A record put away; its unique values become free.
    pub(crate) fn archive(before: State, pen: Pen) -> Self {
        let mut after = before.clone();
        after.archived_at = Some(pen.at);
        after.touch(pen);
        Self::from_to(Some(before), after)
    }

    /// An archived record brought back; it takes its unique values again.
    pub(crate) fn restore(before: State, pen: Pen) -> Self {
        let mut after = before.clone();
        after.archived_at = None;
        after.touch(pen);
        Self::from_to(Some(before), after)
    }

    /// Makes a version though no value is another one, since something else about the record is.
    pub(super) fn touch_at_least(&mut self, pen: Pen) {
        if !self.changes_anything() {
            self.after.touch(pen);
        }
    }

    /// Whether there is anything to write.
    pub(crate) fn changes_anything(&self) -> bool {
        self.before.as_ref().is_none_or(|before| before.version != self.after.version)
    }

    /// The rows to write: the record, the values it takes and gives back, and what to log.
    pub(crate) fn writes(&self, object: &ObjectDefinition) -> Vec<Write> {
        let after = &self.after;
        let record = after.record;
        let mut writes = Vec::with_capacity(4);
        match &self.before {
            None => writes.push(Write::Insert(NewRecord {
                uid: after.uid,
                object: after.object.clone(),
                properties: text(&after.properties),
                display_name: after.display_name.clone(),
                owner: after.owner,
                team: after.team,
            })),
            Some(before) => writes.push(Write::Update(RecordUpdate {
                record,
                expected_version: before.version,
                properties: text(&after.properties),
                display_name: after.display_name.clone(),
                owner: after.owner,
                team: after.team,
                archived_at: after.archived_at,
            })),
        }
        self.claim(object, &mut writes);
        writes.extend(
            self.log()
                .into_iter()
                .map(|(kind, changes)| Write::Log(LogEntry { kind, object: after.object.clone(), record, changes })),
        );
        writes
    }

    fn claim(&self, object: &ObjectDefinition, writes: &mut Vec<Write>) {
        let record = self.after.record;
        let live = |state: &&State| state.archived_at.is_none();
        let before = self.before.as_ref().filter(live);
        let after = Some(&self.after).filter(live);
        let values =
            |state: Option<&State>| state.map(|state| unique_values(object, &state.properties)).unwrap_or_default();
        let (old, new) = (values(before), values(after));
        writes
            .extend(old.iter().filter(|value| !new.contains(value)).map(|value| Write::Release(record, value.clone())));
        writes.extend(new.into_iter().filter(|value| !old.contains(value)).map(|value| Write::Claim(record, value)));
        let spans = |state: Option<&State>| state.map(|state| intervals(object, &state.properties)).unwrap_or_default();
        let (old, new) = (spans(before), spans(after));
        writes.extend(old.iter().filter(|span| !new.contains(span)).map(|span| Write::Vacate(record, span.clone())));
        writes.extend(new.into_iter().filter(|span| !old.contains(span)).map(|span| Write::Occupy(record, span)));
    }

    /// Each changed property stands in exactly one entry: the stage's in `stage.changed`, the owner's in that of a
    /// handover where it is one, the rest in `record.updated`.
    fn log(&self) -> Vec<(ChangeKind, String)> {
        let after = &self.after;
        let new_owner = after.owner.map(|owner| Value::from(owner.to_string()));
        let new_team = after.team.map(|team| Value::from(team.to_string()));
        let Some(before) = &self.before else {
            let nothing = Properties::new();
            let mut changes = differences(&nothing, &after.properties);
            for (name, new) in [("owner_id", &new_owner), ("team_id", &new_team)] {
                changes.extend(new.as_ref().map(|new| Difference { name, old: None, new: Some(new) }));
            }
            return vec![(ChangeKind::RecordCreated, changes_text(&changes))];
        };
        match (before.archived_at, after.archived_at) {
            (None, Some(_)) => return vec![(ChangeKind::RecordArchived, "{}".to_owned())],
            (Some(_), None) => return vec![(ChangeKind::RecordRestored, "{}".to_owned())],
            _ => {}
        }
        let old_owner = before.owner.map(|owner| Value::from(owner.to_string()));
        let old_team = before.team.map(|team| Value::from(team.to_string()));
        let differences = differences(&before.properties, &after.properties).into_iter();
        let (moved, mut changes): (Vec<_>, Vec<_>) =
            differences.partition(|difference| ["pipeline", "stage"].contains(&difference.name));
        let standing = [("owner_id", &old_owner, &new_owner), ("team_id", &old_team, &new_team)];
        changes.extend(standing.iter().filter(|(_, old, new)| old != new).map(|(name, old, new)| Difference {
            name,
            old: old.as_ref(),
            new: new.as_ref(),
        }));
        let handed_over: Vec<_> =
            changes.extract_if(.., |change| self.is_handover && change.name == "owner_id").collect();
        let kind = if after.owner.is_some() { ChangeKind::OwnerClaimed } else { ChangeKind::OwnerReleased };
        let handed_over = (!handed_over.is_empty()).then(|| (kind, changes_text(&handed_over)));
        let updated = (!changes.is_empty()).then(|| (ChangeKind::RecordUpdated, changes_text(&changes)));
        let moved = (!moved.is_empty()).then(|| (ChangeKind::StageChanged, move_text(&moved, self.stay)));
        updated.into_iter().chain(handed_over).chain(moved).collect()
    }
}

/// The next values of a record with what is computed of them. Only a record that is another counts as changed now.
fn recompute(
    catalog: &Catalog,
    object: &ObjectDefinition,
    before: &State,
    properties: Properties,
    standing: Standing,
    now: Timestamp,
) -> Properties {
    let about = About { owner: standing.owner, ..About::from(before) };
    let properties = compute(catalog, object, in_order(object, properties), now, &about);
    if properties == *before.properties && standing == before.standing() {
        return properties;
    }
    compute(catalog, object, properties, now, &About { updated_at: now, ..about })
}

impl State {
    fn touch(&mut self, pen: Pen) {
        self.version += 1;
        self.updated_at = pen.at;
        self.updated_by = Some(pen.by);
    }
}

/// The order of the definition, so that equal records have equal texts.
pub(super) fn in_order(object: &ObjectDefinition, mut properties: Properties) -> Properties {
    let mut ordered = Properties::with_capacity(properties.len());
    for name in object.properties.keys() {
        if let Some((name, value)) = properties.remove_entry(name.as_str()) {
            ordered.insert(name, value);
        }
    }
    ordered.extend(properties);
    ordered
}

/// Adds what is wrong in places where nothing was wrong before.
fn add_new(problems: &mut Problems, found: Problems) {
    for problem in found {
        if !problems.iter().any(|known| known.pointer == problem.pointer) {
            problems.push(problem);
        }
    }
}

fn text(properties: &Properties) -> String {
    // A map of JSON values always serialises.
    serde_json::to_string(properties).unwrap_or_else(|_| "{}".to_owned())
}
