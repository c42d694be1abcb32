//! The records that a list of operations is about: loaded in a few statements, then kept as the operations leave them.

use std::collections::HashMap;

use engine_model::object::ObjectDefinition;
use engine_model::property::{Locale, Property, normalize_value};
use engine_model::{Problem, Properties, RecordId};
use engine_store::commit::{RecordRef, UniqueValue};
use engine_store::{Reader, merge, record};
use serde_json::Value;
use uuid::Uuid;

use super::draft::Draft;
use super::merge::Surroundings;
use super::operation::{Operation, Target};
use super::purging::Dependents;
use super::replacing::InTheWay;
use super::rules::{unique_text, unique_values};
use super::state::State;
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, ErrorCode, Result};

/// How often an id leads on at most.
const LEADS: usize = 8;

/// Most merged records that are purged with the one that they lead to.
const PURGED_TOGETHER: i64 = 10_000;

/// The records that a list of operations is about.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    states: HashMap<RecordRef, State>,
    uids: HashMap<Uuid, RecordId>,
    holders: HashMap<UniqueValue, RecordRef>,
    references: HashMap<String, RecordRef>,
    /// Records that were merged into others, as they were then, and where their ids lead.
    merged: HashMap<RecordId, (State, RecordId)>,
    /// What merging and unmerging look at beside.
    pub(super) surroundings: Surroundings,
    /// What goes with records that are purged.
    pub(super) dependents: Dependents,
    /// What gives way to links that the operations make.
    pub(super) in_the_way: InTheWay,
    /// How many records the operations have made so far.
    pub(crate) inserts: usize,
}

/// What a text that names a record turned out to be.
enum Handle {
    Id(RecordId),
    Uid(Uuid),
    Reference(String),
    Value(UniqueValue),
}

impl Workspace {
    /// Loads whatever the operations mention: three statements at most, however many operations, and more only for
    /// records that were merged or are about to be.
    pub(crate) async fn load(reader: &mut Reader, catalog: &Catalog, operations: &[&Operation]) -> Result<Self> {
        let mut workspace = Self::default();
        let mut ids: Vec<i64> = Vec::new();
        let mut uids = Vec::new();
        let mut values = Vec::new();
        for handle in operations.iter().flat_map(|operation| mentioned(catalog, operation)) {
            match handle {
                Handle::Id(id) => ids.push(id.0),
                Handle::Uid(uid) => uids.push(uid),
                Handle::Value(value) => values.push(value),
                Handle::Reference(_) => {}
            }
        }
        if !uids.is_empty() {
            workspace.uids = record::ids_of_uids(reader, &uids).await?.into_iter().collect();
            ids.extend(workspace.uids.values().map(|id| id.0));
        }
        if !values.is_empty() {
            for (value, holder) in record::holders(reader, &values).await? {
                ids.push(holder.0);
                workspace.holders.insert(value, RecordRef::Id(holder));
            }
        }
        workspace.load_records(reader, catalog, ids).await?;
        workspace.load_merged(reader, catalog, operations).await?;
        workspace.surroundings = Surroundings::load(reader, catalog, &workspace, operations).await?;
        Ok(workspace)
    }

    /// Loads records, and those that they lead to where they were merged.
    async fn load_records(&mut self, reader: &mut Reader, catalog: &Catalog, mut ids: Vec<i64>) -> Result<()> {
        // Merging leaves chains of one; only what merges meanwhile makes a longer one.
        for _ in 0..LEADS {
            ids.sort_unstable();
            ids.dedup();
            let is_known = |id: RecordId| self.merged.contains_key(&id) || self.states.contains_key(&RecordRef::Id(id));
            ids.retain(|id| !is_known(RecordId(*id)));
            if ids.is_empty() {
                break;
            }
            for row in record::many(reader, std::mem::take(&mut ids)).await? {
                let (id, winner) = (row.record_id(), row.merged_into);
                let state = State::from_row(row, &catalog.effective.registry)?;
                if let Some(winner) = winner {
                    ids.push(winner);
                    self.merged.insert(id, (state, RecordId(winner)));
                } else {
                    self.states.insert(state.record, state);
                }
            }
        }
        Ok(())
    }

    /// Loads what goes with records that are to be purged.
    async fn load_merged(&mut self, reader: &mut Reader, catalog: &Catalog, operations: &[&Operation]) -> Result<()> {
        let purged = operations.iter().filter_map(|operation| match operation {
            Operation::Purge { object, target } => self.find(catalog, catalog.object(object).ok()?, target).ok()?.id(),
            Operation::Erase { id, .. } => Some(*id),
            _ => None,
        });
        let purged: Vec<i64> = purged.map(|id| id.0).collect();
        if purged.is_empty() {
            return Ok(());
        }
        let merged = merge::led_to(reader, purged.clone(), PURGED_TOGETHER).await?;
        let merged: Vec<i64> = merged.into_iter().map(|id| id.0).collect();
        self.load_records(reader, catalog, merged.clone()).await?;
        self.dependents = Dependents::load(reader, catalog, &[purged, merged].concat()).await?;
        let dependent = self.dependents.ids();
        self.load_records(reader, catalog, dependent).await
    }

    /// The record of `object` that `target` names, archived or not.
    pub(crate) fn find(&self, catalog: &Catalog, object: &ObjectDefinition, target: &Target) -> Result<&State> {
        let missing = || Error::not_found(format!("there is no `{}` record `{}`", object.name, shortened(&target.id)));
        let found = match handle_of(catalog, object, target)? {
            Some(handle) => self.resolve(handle),
            None => None,
        };
        found.filter(|state| state.object == object.name.as_str()).ok_or_else(missing)
    }

    /// The record of whatever object that `id` names.
    pub(crate) fn find_any(&self, id: &str) -> Option<&State> {
        self.resolve(plain_handle(id)?)
    }

    /// A record as far as the operations have got.
    pub(super) fn state(&self, record: RecordRef) -> Option<&State> {
        self.states.get(&record)
    }

    /// The record that has a unique value, as far as the operations have got.
    pub(crate) fn holder(&self, value: &UniqueValue) -> Option<&State> {
        self.states.get(self.holders.get(value)?)
    }

    /// The record that `id` names itself, and where it leads, if it was merged into another one.
    pub(super) fn merged(&self, id: &str) -> Option<(&State, RecordId)> {
        let id = match plain_handle(id)? {
            Handle::Id(id) => id,
            Handle::Uid(uid) => *self.uids.get(&uid)?,
            Handle::Reference(_) | Handle::Value(_) => return None,
        };
        let (state, winner) = self.merged.get(&id)?;
        Some((state, self.led(*winner)))
    }

    /// Records whose ids lead to this one, as they were when they were merged.
    pub(super) fn merged_into(&self, state: &State) -> impl Iterator<Item = &State> {
        let id = state.id();
        self.merged.values().filter(move |(_, winner)| id == Some(*winner)).map(|(state, _)| state)
    }

    /// Where an id leads.
    fn led(&self, mut id: RecordId) -> RecordId {
        for _ in 0..LEADS {
            match self.merged.get(&id) {
                Some((_, winner)) => id = *winner,
                None => break,
            }
        }
        id
    }

    fn resolve(&self, handle: Handle) -> Option<&State> {
        let record = match handle {
            Handle::Id(id) => RecordRef::Id(self.led(id)),
            Handle::Uid(uid) => RecordRef::Id(self.led(*self.uids.get(&uid)?)),
            Handle::Reference(name) => *self.references.get(&name)?,
            Handle::Value(value) => *self.holders.get(&value)?,
        };
        self.states.get(&record)
    }

    /// Takes over a record that an operation merges into another one.
    pub(super) fn put_merged(&mut self, object: &ObjectDefinition, loser: &Draft, winner: RecordId) {
        self.put(object, loser.before.as_ref(), loser.after.clone(), None);
        if let Some(state) = self.states.remove(&loser.after.record)
            && let Some(id) = state.id()
        {
            self.merged.insert(id, (state, winner));
        }
    }

    /// Takes over a record that an operation takes out of another one again.
    pub(super) fn put_parted(&mut self, object: &ObjectDefinition, loser: &Draft) {
        if let Some(id) = loser.after.id() {
            self.merged.remove(&id);
        }
        self.put(object, loser.before.as_ref(), loser.after.clone(), None);
    }

    /// Takes over a record as an operation leaves it.
    pub(crate) fn put(&mut self, object: &ObjectDefinition, before: Option<&State>, after: State, name: Option<&str>) {
        if let Some(before) = before.filter(|state| state.archived_at.is_none()) {
            for value in unique_values(object, &before.properties) {
                self.holders.remove(&value);
            }
        }
        if after.archived_at.is_none() {
            for value in unique_values(object, &after.properties) {
                self.holders.entry(value).or_insert(after.record);
            }
        }
        if let Some(name) = name {
            self.references.insert(name.to_owned(), after.record);
        }
        self.states.insert(after.record, after);
    }
}

/// Every record that an operation names, except by reference.
fn mentioned(catalog: &Catalog, operation: &Operation) -> Vec<Handle> {
    let target = |object: &str, target: &Target| {
        let object = catalog.object(object).ok()?;
        handle_of(catalog, object, target).ok().flatten()
    };
    let mut handles: Vec<Handle> = Vec::new();
    let input = match operation {
        Operation::Create { input, .. } => Some(input),
        Operation::Update { object, target: named, input, .. } => {
            handles.extend(target(object, named));
            Some(input)
        }
        Operation::Upsert { object, id_property, id, input } => {
            if let Ok(object) = catalog.object(object)
                && let Ok(value) = upsert_key(catalog, object, id_property, id.as_deref(), input)
            {
                handles.push(Handle::Value(value));
            }
            Some(input)
        }
        Operation::Archive { object, target: named, .. }
        | Operation::Move { object, target: named, .. }
        | Operation::Own { object, target: named, .. }
        | Operation::Restore { object, target: named }
        | Operation::Purge { object, target: named } => {
            handles.extend(target(object, named));
            None
        }
        Operation::Unlink { from, to, .. } => {
            handles.extend([*from, *to].map(Handle::Id));
            None
        }
        Operation::Compute { id, .. }
        | Operation::Settle { id, .. }
        | Operation::Erase { id, .. }
        | Operation::Forget { id, .. } => {
            handles.push(Handle::Id(*id));
            None
        }
        Operation::Merge { object, target: named, from, choices, .. } => {
            handles.extend(target(object, named));
            let chosen = choices.iter().map(|(_, id)| id);
            handles.extend(from.iter().chain(chosen).filter_map(|id| plain_handle(id)));
            None
        }
        Operation::Unmerge { object, target: named, id, .. } => {
            handles.extend(target(object, named));
            handles.extend(plain_handle(id));
            None
        }
        Operation::Associate { from, to, .. } | Operation::Dissociate { from, to, .. } => {
            handles.extend([from, to].into_iter().filter_map(|id| plain_handle(id)));
            None
        }
    };
    let links = input.into_iter().flat_map(|input| &input.associations);
    handles.extend(links.filter_map(|link| plain_handle(&link.to)));
    handles
}

/// `None` where the text can name no record, so that there is none.
fn handle_of(catalog: &Catalog, object: &ObjectDefinition, target: &Target) -> Result<Option<Handle>> {
    match &target.id_property {
        None => Ok(plain_handle(&target.id)),
        Some(_) if target.id.starts_with('$') => Ok(plain_handle(&target.id)),
        Some(name) => {
            unique_property(object, name, |_| true)?;
            Ok(unique_value(&catalog.locale, object, name, &Value::from(target.id.as_str())).map(Handle::Value))
        }
    }
}

fn plain_handle(id: &str) -> Option<Handle> {
    if let Some(name) = id.strip_prefix('$') {
        return Some(Handle::Reference(name.to_owned()));
    }
    if let Ok(id) = id.parse() {
        return Some(Handle::Id(id));
    }
    Uuid::try_parse(id).ok().map(Handle::Uid)
}

/// Refuses a property that does not name one record, or that whoever asks may not see: it is as if there were none.
pub(crate) fn unique_property(
    object: &ObjectDefinition,
    name: &str,
    may_see: impl Fn(&Property) -> bool + Copy,
) -> Result<()> {
    let Some(property) = object.property_called(name).filter(|property| may_see(property)) else {
        let hint = object.property_hint(name, may_see);
        let message = format!("`{}` is no property of `{}`{hint}", shortened(name), object.name);
        return Err(bad_id_property(message));
    };
    let is_unique = object.unique_sets().any(|set| matches!(set.as_slice(), [only] if only.name == property.name));
    if is_unique {
        return Ok(());
    }
    let unique = object.unique_sets().filter(|set| matches!(set.as_slice(), [only] if may_see(only)));
    let unique: Vec<String> = unique.map(|set| format!("`{}`", set[0].name)).collect();
    let hint = if unique.is_empty() { "none is".to_owned() } else { format!("these are: {}", unique.join(", ")) };
    Err(bad_id_property(format!("`{name}` is not unique, so it does not name one record; {hint}")))
}

fn bad_id_property(message: String) -> Error {
    Error { code: ErrorCode::BadRequest, ..Error::invalid(vec![Problem::new("/id_property", "invalid", message)]) }
}

/// The unique value that a text stands for; `None` where the property could never hold it.
pub(crate) fn unique_value(
    locale: &Locale,
    object: &ObjectDefinition,
    name: &str,
    value: &Value,
) -> Option<UniqueValue> {
    let property = object.property_called(name)?;
    // An identifier in a path is text, whatever the property's JSON type is.
    let typed = match value {
        Value::String(text) => property.kind.from_text(text).ok()?,
        other => other.clone(),
    };
    // Callers may not write what the engine makes, but they may look for it.
    let normal = if property.kind.is_computed() {
        typed
    } else {
        normalize_value(property.kind.as_ref(), &typed, locale).ok().flatten()?
    };
    let name = property.name.to_string();
    let properties = Properties::from_iter([(name.clone(), normal)]);
    let value = unique_text(&[property], &properties)?;
    Some(UniqueValue { object: object.name.to_string(), properties: name, value })
}

/// The unique value that an upsert is about.
pub(crate) fn upsert_key(
    catalog: &Catalog,
    object: &ObjectDefinition,
    id_property: &str,
    id: Option<&str>,
    input: &super::input::RecordInput,
) -> Result<UniqueValue> {
    unique_property(object, id_property, |_| true)?;
    let id_property = object.property_called(id_property).map_or(id_property, |property| &*property.name);
    let given = match id {
        Some(id) => Some(Value::from(id)),
        None => input.properties.0.iter().find(|(name, _)| name == id_property).and_then(|(_, raw)| {
            serde_json::from_str::<Value>(raw.get()).ok().filter(|value| !value.is_null() && value != "")
        }),
    };
    let pointer = format!("/properties/{id_property}");
    let Some(given) = given else {
        let message = format!("`{id_property}` is required: it says which record is meant");
        return Err(Error::invalid_at(pointer, "required", message));
    };
    if let Some(value) = unique_value(&catalog.locale, object, id_property, &given) {
        return Ok(value);
    }
    Err(Error::invalid_at(pointer, "invalid", format!("this is no value that `{id_property}` can have")))
}
