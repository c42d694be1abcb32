//! Plans one operation: from the workspace and the definitions to the rows to write.

use engine_model::access::Action;
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{Problem, RecordId};
use engine_store::association::LinkKey;
use engine_store::commit::{NewLink, RecordRef, UniqueValue, Write};
use uuid::Uuid;

use super::basis::Basis;
use super::draft::Draft;
use super::input::{LinkInput, RecordInput};
use super::links::End;
use super::merge::{Merging, Parting};
use super::operation::{Effect, Operation, Step, Target};
use super::purging::Purging;
use super::state::State;
use super::workspace::{Workspace, upsert_key};
use super::write::refuse;
use crate::caller::Caller;
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, ErrorCode, Result};

/// What an operation comes to.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) body: Body,
    pub(crate) links: Vec<NewLink>,
    pub(crate) effect: Effect,
    /// The value that an upsert went by: taken meanwhile, the operation is planned again.
    pub(crate) upsert: Option<UniqueValue>,
}

/// The main thing that a plan writes.
#[derive(Debug)]
pub(crate) enum Body {
    /// A record's next state.
    Record(Box<Draft>),
    /// Erased for good.
    Purge(Box<Purging>),
    /// Other records merged into one.
    Merge(Box<Merging>),
    /// A record taken out of another one again.
    Unmerge(Box<Parting>),
    /// A link taken away.
    Unlink(Write),
    /// Only links are made.
    Links,
}

/// Everything that planning looks at.
pub(crate) struct Planner<'a> {
    pub(crate) basis: Basis<'a>,
    pub(crate) caller: &'a Caller,
    pub(crate) workspace: Workspace,
}

impl<'a> Planner<'a> {
    /// Plans a step and takes its result over into the workspace.
    pub(crate) fn plan(&mut self, step: &Step) -> Result<Plan> {
        let plan = self.plan_step(step)?;
        plan.links.iter().for_each(|link| self.workspace.in_the_way.note(link));
        Ok(plan)
    }

    fn plan_step(&mut self, step: &Step) -> Result<Plan> {
        let name = step.reference.as_deref();
        match &step.operation {
            Operation::Create { object, input } => {
                let object = self.basis.catalog.object(object)?;
                self.create(object, input, name)
            }
            Operation::Update { object, target, input, version } => {
                let object = self.basis.catalog.object(object)?;
                let before = self.find(object, target)?;
                check_version(&before, *version)?;
                self.update(object, before, input, name)
            }
            Operation::Move { object, target, input, version } => {
                let object = self.basis.catalog.object(object)?;
                let before = self.find(object, target)?;
                check_version(&before, *version)?;
                self.move_to(object, before, input, name)
            }
            Operation::Own { object, target, handover, version } => {
                let object = self.basis.catalog.object(object)?;
                let before = self.find(object, target)?;
                check_version(&before, *version)?;
                self.hand_over(object, before, handover, name)
            }
            Operation::Upsert { object, id_property, id, input } => {
                let object = self.basis.catalog.object(object)?;
                self.upsert(object, id_property, id.as_deref(), input, name)
            }
            Operation::Archive { object, target, version } => {
                let object = self.basis.catalog.object(object)?;
                let before = self.find(object, target)?;
                self.caller.check(Action::Archive, &object.name, &before)?;
                self.basis.check_kept(object, &before)?;
                check_version(&before, *version)?;
                let draft = if before.archived_at.is_some() {
                    unchanged(before)
                } else {
                    Draft::archive(before, self.basis.pen)
                };
                Ok(self.take(object, draft, Vec::new(), name))
            }
            Operation::Restore { object, target } => {
                let object = self.basis.catalog.object(object)?;
                let before = self.find(object, target)?;
                self.caller.check(Action::Archive, &object.name, &before)?;
                self.basis.check_kept(object, &before)?;
                let draft = if before.archived_at.is_none() {
                    unchanged(before)
                } else {
                    Draft::restore(before, self.basis.pen)
                };
                Ok(self.take(object, draft, Vec::new(), name))
            }
            Operation::Purge { object, target } => {
                let object = self.basis.catalog.object(object)?;
                self.caller.check_admin()?;
                let state = self.find(object, target)?;
                self.purge(&state)
            }
            Operation::Merge { object, target, from, choices, version } => {
                let object = self.basis.catalog.object(object)?;
                let winner = self.find(object, target)?;
                self.merge(object, winner, from, choices, *version)
            }
            Operation::Unmerge { object, target, id, version } => {
                let object = self.basis.catalog.object(object)?;
                let winner = self.find(object, target)?;
                self.unmerge(object, winner, id, *version)
            }
            Operation::Settle { object, id, version } => {
                let (object, stored) = self.at_version(object, *id, *version)?;
                let draft = Draft::settle(&self.basis, object, stored);
                Ok(self.take(object, draft, Vec::new(), name))
            }
            Operation::Erase { object, id } => {
                let (_, state) = self.of_engine(object, *id)?;
                self.purge(&state)
            }
            Operation::Forget { object, id, properties } => {
                let (object, before) = self.of_engine(object, *id)?;
                let draft = Draft::forget(&self.basis, before, properties);
                Ok(self.take(object, draft, Vec::new(), name))
            }
            Operation::Unlink { kind, from, to } => {
                let (from, to) = (RecordRef::Id(*from), RecordRef::Id(*to));
                let write = Write::Unlink { kind: kind.clone(), from, to };
                Ok(Plan { body: Body::Unlink(write), links: Vec::new(), effect: Effect::Changed, upsert: None })
            }
            Operation::Compute { object, id, version, values } => {
                let (object, before) = self.at_version(object, *id, *version)?;
                let draft = Draft::compute(&self.basis, object, before, values);
                Ok(self.take(object, draft, Vec::new(), name))
            }
            Operation::Associate { kind, from, to, label, properties, replace } => {
                let input = LinkInput {
                    kind: kind.clone(),
                    to: to.clone(),
                    label: label.clone(),
                    properties: properties.clone(),
                };
                self.associate(from, &input, *replace)
            }
            Operation::Dissociate { kind, from, to } => self.dissociate(kind, from, to),
        }
    }

    /// A record that the engine looks after. An object that is off goes on to be looked after, so that nothing is wrong
    /// when it is on again.
    fn at_version(&self, object: &str, id: RecordId, version: i64) -> Result<(&'a ObjectDefinition, State)> {
        let (object, found) = self.of_engine(object, id)?;
        check_version(&found, Some(version))?;
        Ok((object, found))
    }

    fn of_engine(&self, object: &str, id: RecordId) -> Result<(&'a ObjectDefinition, State)> {
        let registry = &self.basis.catalog.effective.registry;
        let object = registry.objects.get(object).ok_or_else(|| Error::not_found("the object is gone"))?;
        let found = self.workspace.find(self.basis.catalog, object, &Target::id(id.to_string()))?.clone();
        Ok((object, found))
    }

    /// Finds a record that the caller may know of.
    fn find(&self, object: &ObjectDefinition, target: &Target) -> Result<State> {
        if let Some(name) = &target.id_property {
            self.caller.check_key(&self.basis.catalog.effective.registry, object, name)?;
        }
        let state = self.workspace.find(self.basis.catalog, object, target)?;
        if !self.caller.may(Action::Read, &object.name, state) {
            return Err(Error::not_found(format!("there is no `{}` record `{}`", object.name, shortened(&target.id))));
        }
        Ok(state.clone())
    }

    fn create(&mut self, object: &ObjectDefinition, input: &RecordInput, name: Option<&str>) -> Result<Plan> {
        self.caller.check_create(&object.name)?;
        let (index, uid) = (self.workspace.inserts, new_uid(self.basis.pen.at));
        let near = End { record: RecordRef::New(index), object: &object.name };
        let links = self.links(near, None, input);
        let draft = match (Draft::create(&self.basis, object, input, index, uid), links) {
            (Ok(draft), Ok(links)) => return Ok(self.insert(object, draft, links, name)),
            (draft, links) => [draft.err(), links.err()],
        };
        Err(refuse(draft.into_iter().flatten().flatten().collect()))
    }

    fn insert(&mut self, object: &ObjectDefinition, draft: Draft, links: Vec<NewLink>, name: Option<&str>) -> Plan {
        self.workspace.inserts += 1;
        self.take(object, draft, links, name)
    }

    fn update(
        &mut self,
        object: &ObjectDefinition,
        before: State,
        input: &RecordInput,
        name: Option<&str>,
    ) -> Result<Plan> {
        self.check_update(object, &before)?;
        let links = self.links(End { record: before.record, object: &object.name }, Some(&before), input);
        let draft = match (Draft::update(&self.basis, object, before, input), links) {
            (Ok(draft), Ok(links)) => return Ok(self.take(object, draft, links, name)),
            (draft, links) => [draft.err(), links.err()],
        };
        Err(refuse(draft.into_iter().flatten().flatten().collect()))
    }

    /// Refuses a record that may not be changed: by the caller, or because it is archived.
    pub(super) fn check_update(&self, object: &ObjectDefinition, state: &State) -> Result<()> {
        self.caller.check(Action::Update, &object.name, state)?;
        self.basis.check_kept(object, state)?;
        if state.archived_at.is_some() {
            let detail = "the record is archived; restore it before changing it";
            return Err(Error::new(ErrorCode::Conflict, detail).with(Problem::new("", "archived", detail)));
        }
        Ok(())
    }

    fn upsert(
        &mut self,
        object: &ObjectDefinition,
        id_property: &str,
        id: Option<&str>,
        input: &RecordInput,
        name: Option<&str>,
    ) -> Result<Plan> {
        self.caller.check_key(&self.basis.catalog.effective.registry, object, id_property)?;
        let key = upsert_key(self.basis.catalog, object, id_property, id, input)?;
        let id_property = object.property_called(id_property).map_or(id_property, |property| &*property.name);
        let holder = self.workspace.holder(&key).cloned();
        let is_seen = |state: &State| self.caller.may(Action::Read, &object.name, state);
        // One that the caller may not see is not there to be changed; its value is taken all the same.
        let is_hidden = holder.as_ref().is_some_and(|holder| !is_seen(holder));
        let mut plan = match holder.filter(|_| !is_hidden) {
            Some(before) => self.update(object, before, input, name)?,
            None => {
                let mut input = input.clone();
                let is_given = input.properties.0.iter().any(|(name, _)| name == id_property);
                if let (Some(id), false) = (id, is_given) {
                    let value = object.property(id_property).and_then(|property| property.kind.from_text(id).ok());
                    let raw = serde_json::value::to_raw_value(&value).map_err(Error::internal)?;
                    input.properties.0.push((id_property.to_owned(), raw));
                }
                self.create(object, &input, name)?
            }
        };
        plan.upsert = Some(key).filter(|_| !is_hidden);
        Ok(plan)
    }

    pub(super) fn take(
        &mut self,
        object: &ObjectDefinition,
        draft: Draft,
        links: Vec<NewLink>,
        name: Option<&str>,
    ) -> Plan {
        self.workspace.put(object, draft.before.as_ref(), draft.after.clone(), name);
        let effect = match (&draft.before, draft.changes_anything()) {
            (None, _) => Effect::Created,
            (Some(_), true) => Effect::Changed,
            (Some(_), false) => Effect::Unchanged,
        };
        Plan { body: Body::Record(Box::new(draft)), links, effect, upsert: None }
    }
}

impl Plan {
    /// Where the operation's body speaks of links.
    pub(crate) fn links_at(&self) -> &'static str {
        match self.body {
            Body::Record(_) | Body::Purge(_) => "/associations",
            Body::Merge(_) => "/from",
            Body::Unmerge(_) => "/id",
            Body::Unlink(_) | Body::Links => "",
        }
    }

    /// Records that it purges and that counted until now, each with its object; what is archived counts nowhere.
    pub(crate) fn purges(&self) -> impl Iterator<Item = (&str, i64)> {
        let states = match &self.body {
            Body::Purge(purging) => purging.states.as_slice(),
            Body::Record(_) | Body::Merge(_) | Body::Unmerge(_) | Body::Unlink(_) | Body::Links => &[],
        };
        let counting = states.iter().filter(|state| state.archived_at.is_none());
        counting.filter_map(|state| Some((&*state.object, state.id()?.0)))
    }

    /// Records that it merges others into or takes out of others, and these where they stand by themselves from then on.
    pub(crate) fn parted(&self) -> Vec<(String, RecordId)> {
        let drafts: [Option<&Draft>; 2] = match &self.body {
            Body::Merge(merging) => [Some(&merging.winner), None],
            Body::Unmerge(parting) => [Some(&parting.winner), Some(&parting.loser)],
            Body::Record(_) | Body::Purge(_) | Body::Unlink(_) | Body::Links => [None, None],
        };
        let states = drafts.into_iter().flatten().map(|draft| &draft.after);
        states.filter_map(|state| Some((state.object.clone(), state.id()?))).collect()
    }

    /// The link that it takes away.
    pub(super) fn unlinked(&self) -> Option<LinkKey> {
        match &self.body {
            Body::Unlink(Write::Unlink { kind, from: RecordRef::Id(from), to: RecordRef::Id(to) }) => {
                Some(LinkKey { from_id: from.0, kind: kind.clone(), to_id: to.0 })
            }
            _ => None,
        }
    }

    /// The rows to write, in order.
    pub(crate) fn writes(&self, catalog: &Catalog) -> Result<Vec<Write>> {
        let mut writes = match &self.body {
            Body::Record(draft) if draft.changes_anything() => draft.writes(definition_of(catalog, draft)?),
            Body::Purge(purging) => purging.writes(catalog)?,
            Body::Merge(merging) => merging.writes(catalog)?,
            Body::Unmerge(parting) => parting.writes(catalog)?,
            Body::Unlink(Write::Unlink { kind, from, to }) => {
                vec![Write::Unlink { kind: kind.clone(), from: *from, to: *to }]
            }
            Body::Record(_) | Body::Unlink(_) | Body::Links => Vec::new(),
        };
        writes.extend(self.links.iter().cloned().map(Write::Link));
        Ok(writes)
    }
}

/// The object that a draft is of.
pub(super) fn definition_of<'c>(catalog: &'c Catalog, draft: &Draft) -> Result<&'c ObjectDefinition> {
    let object = catalog.effective.registry.objects.get(draft.after.object.as_str());
    object.ok_or_else(|| Error::internal("a planned record has no object"))
}

pub(super) fn unchanged(state: State) -> Draft {
    Draft::from_to(Some(state.clone()), state)
}

pub(super) fn check_version(state: &State, expected: Option<i64>) -> Result<()> {
    match expected {
        Some(expected) if expected != state.version => {
            let detail = format!("the record is at version {}, not {expected}; read it again", state.version);
            Err(Error::new(ErrorCode::VersionMismatch, detail))
        }
        _ => Ok(()),
    }
}

/// UUIDv7 of the present moment; random in its lower part.
pub(crate) fn new_uid(at: Timestamp) -> Uuid {
    let micros = u64::try_from(at.0).unwrap_or(0);
    let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, micros / 1_000_000, nanos))
}
