//! Merging records into one, and taking them apart again.
//!
//! A merge is one unit like any other write: the losers give back what they claim and become archived, their links move
//! to the winner, the winner takes over the values that it lacks, and from then on the losers' ids lead to it. What was
//! taken over and what was moved is remembered with each loser, so that each can be taken out again by itself.

mod detail;
mod moving;
mod parting;
mod returning;
mod surroundings;
mod values;

use engine_model::access::Action;
use engine_model::change::ChangeKind;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::property::Property;
use engine_model::{Problem, Problems, Properties, RecordId};
use engine_store::association::LinkKey;
use engine_store::commit::{LogEntry, MergedRecord, NewLink, RecordRef, Replace, Write};
use serde_json::{Map, Value, json};

use self::detail::KeptLink;
use self::surroundings::Limits;
use super::draft::Draft;
use super::operation::Effect;
use super::plan::{Body, Plan, Planner, check_version, definition_of};
use super::state::State;
use super::write::refuse;
use crate::caller::Caller;
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, ErrorCode, Result};

pub(crate) use parting::Parting;
pub(super) use surroundings::Surroundings;

/// Most links of all records that are merged into another one at once. The record that remains may have any number.
const MOST_LINKS: usize = 20_000;

/// Beside the winner's changed properties: the ids of the records that it has taken in or given back.
pub(crate) const MERGED_FROM: &str = "merged_from";

/// Of a loser: the record that its id leads to.
pub(crate) const MERGED_INTO: &str = "merged_into";

/// Records that are about to be merged.
#[derive(Debug)]
pub(crate) struct Merging {
    pub(crate) winner: Draft,
    losers: Vec<Loser>,
    /// The losers' links, which go.
    unlinks: Vec<LinkKey>,
    /// Those that come back as the winner's.
    links: Vec<NewLink>,
}

/// A record that is merged into another one.
#[derive(Debug)]
struct Loser {
    draft: Draft,
    id: RecordId,
    detail: String,
}

impl Planner<'_> {
    /// Plans to merge the records `from` into `winner`.
    pub(super) fn merge(
        &mut self,
        object: &ObjectDefinition,
        winner: State,
        from: &[String],
        choices: &[(String, String)],
        version: Option<i64>,
    ) -> Result<Plan> {
        self.check_update(object, &winner)?;
        self.basis.check_answers_stay(object)?;
        check_version(&winner, version)?;
        let (id, losers) = (id_of(&winner)?, self.losers(object, &winner, from));
        let may_see = self.basis.catalog.seen_by(&self.caller.rights, object);
        let choices = (choices, self.basis.pen.writes_read_only);
        let choices = values::choose(&self.workspace, object, &winner, from, choices, may_see);
        let (losers, choices) = match (losers, choices) {
            (Ok(losers), Ok(choices)) => (losers, choices),
            (losers, choices) => {
                return Err(refuse([losers.err(), choices.err()].into_iter().flatten().flatten().collect()));
            }
        };
        for loser in &losers {
            self.caller.check(Action::Archive, &object.name, loser)?;
            self.basis.check_kept(object, loser)?;
        }
        let surroundings = &self.workspace.surroundings;
        if surroundings.has_too_many_links {
            return Err(too_many_links());
        }
        let combined = values::combine(object, &winner, &losers, &choices);
        self.check_values(object, &winner, &combined.properties)?;
        let moved = moving::move_links(self.basis.catalog, surroundings, id, &losers);
        let mut draft =
            Draft::next(&self.basis, object, winner, combined.properties, combined.standing, Problems::new())
                .map_err(refuse)?;
        draft.touch_at_least(self.basis.pen);
        let (mut taken, mut links_of) = (combined.taken.into_iter(), moved.kept.into_iter());
        let mut merged = Vec::with_capacity(losers.len());
        for loser in losers {
            let (mut detail, links) = (taken.next().unwrap_or_default(), links_of.next().unwrap_or_default());
            detail.links = links;
            let (id, draft) = (id_of(&loser)?, Draft::archive(loser, self.basis.pen));
            merged.push(Loser { draft, id, detail: detail.text()? });
        }
        self.workspace.put(object, draft.before.as_ref(), draft.after.clone(), None);
        for loser in &merged {
            self.workspace.put_merged(object, &loser.draft, id);
        }
        let merging = Merging { winner: draft, losers: merged, unlinks: moved.unlinks, links: moved.links };
        Ok(Plan { body: Body::Merge(Box::new(merging)), links: Vec::new(), effect: Effect::Changed, upsert: None })
    }

    /// Refuses to change values that the caller may not change.
    fn check_values(&self, object: &ObjectDefinition, before: &State, after: &Properties) -> Result<()> {
        let changed = object.properties.values().filter(|property| {
            let name = property.name.as_str();
            !property.kind.is_computed() && before.properties.get(name) != after.get(name)
        });
        let at = |property: &Property| push_segment("/properties", &property.name);
        let problems: Problems =
            changed.filter_map(|property| self.caller.check_writes(object, property, &at(property)).err()).collect();
        if problems.is_empty() { Ok(()) } else { Err(refuse(problems)) }
    }

    /// The records to be merged, each of them another one.
    fn losers(&self, object: &ObjectDefinition, winner: &State, from: &[String]) -> Result<Vec<State>, Problems> {
        let (mut losers, mut problems) = (Vec::<State>::with_capacity(from.len()), Problems::new());
        if from.is_empty() {
            problems.push(Problem::new("/from", "required", "`from` lists the ids of the records to be merged"));
        }
        for (index, id) in from.iter().enumerate() {
            match self.loser(object, winner, &losers, id) {
                Ok(loser) => losers.push(loser),
                Err((code, message)) => problems.push(Problem::new(format!("/from/{index}"), code, message)),
            }
        }
        if problems.is_empty() { Ok(losers) } else { Err(problems) }
    }

    fn loser(
        &self,
        object: &ObjectDefinition,
        winner: &State,
        before: &[State],
        id: &str,
    ) -> Result<State, (&'static str, String)> {
        let found = self.workspace.find_any(id).filter(|state| may_know(self.caller, state));
        let Some(state) = found else {
            return Err(("not_found", format!("there is no `{}` record `{}`", object.name, shortened(id))));
        };
        if state.object != object.name.as_str() {
            let message = format!("record `{}` is a `{}`, not a `{}`", shortened(id), state.object, object.name);
            return Err(("invalid", message));
        }
        if state.record == winner.record {
            let is_itself = self.workspace.merged(id).is_none();
            let message = if is_itself {
                "a record cannot be merged into itself"
            } else {
                "it has been merged into this record already"
            };
            return Err(("invalid", message.to_owned()));
        }
        if before.iter().any(|known| known.record == state.record) {
            return Err(("duplicate", format!("record `{}` is named more than once", shortened(id))));
        }
        if state.archived_at.is_some() {
            return Err(("archived", "the record is archived; restore it before it is merged".to_owned()));
        }
        Ok(state.clone())
    }
}

fn may_know(caller: &Caller, state: &State) -> bool {
    caller.may(Action::Read, &state.object, state)
}

fn id_of(state: &State) -> Result<RecordId> {
    state.id().ok_or_else(|| Error::new(ErrorCode::BadRequest, "a record of the same request cannot be merged"))
}

fn too_many_links() -> Error {
    let message = format!(
        "these records have more than {MOST_LINKS} links in all; merge fewer at a time, or the other way round: the \
         record that remains may have any number"
    );
    Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("/from", "too_many_links", message))
}

impl Merging {
    /// The records that are merged into the winner.
    pub(super) fn merged(&self) -> impl Iterator<Item = RecordId> {
        self.losers.iter().map(|loser| loser.id)
    }

    /// The rows to write. Losers come first, so that the winner finds free what they give back.
    pub(super) fn writes(&self, catalog: &Catalog) -> Result<Vec<Write>> {
        let object = definition_of(catalog, &self.winner)?;
        let into = self.winner.after.id();
        let (mut writes, mut logs) = (Vec::new(), Vec::new());
        for loser in &self.losers {
            let (rows, entries) = parted(loser.draft.writes(object));
            writes.extend(rows);
            logs.extend(entries.into_iter().map(|entry| with(entry, MERGED_INTO, Value::Null, json!(into))));
        }
        writes.extend(self.unlinks.iter().map(unlink));
        let (rows, entries) = parted(self.winner.writes(object));
        writes.extend(rows);
        writes.extend(self.links.iter().cloned().map(Write::Link));
        let losers = self.losers.iter().map(|loser| MergedRecord { record: loser.id, detail: loser.detail.clone() });
        writes.extend(into.map(|winner| Write::Merge { winner, losers: losers.collect() }));
        let ids: Vec<RecordId> = self.losers.iter().map(|loser| loser.id).collect();
        logs.extend(told_of_winner(&self.winner, entries, ChangeKind::RecordMerged, (Value::Null, json!(ids))));
        writes.extend(logs.into_iter().map(Write::Log));
        Ok(writes)
    }
}

/// Rows apart from entries of the log, which come last.
fn parted(writes: Vec<Write>) -> (Vec<Write>, Vec<LogEntry>) {
    let (mut rows, mut entries) = (Vec::with_capacity(writes.len()), Vec::new());
    for write in writes {
        match write {
            Write::Log(entry) => entries.push(entry),
            row => rows.push(row),
        }
    }
    (rows, entries)
}

fn unlink(link: &LinkKey) -> Write {
    let (from, to) = (RecordRef::Id(RecordId(link.from_id)), RecordRef::Id(RecordId(link.to_id)));
    Write::Unlink { kind: link.kind.clone(), from, to }
}

/// A link that stood elsewhere before.
fn moved_link(key: &LinkKey, link: &KeptLink, limits: Limits) -> NewLink {
    NewLink {
        kind: key.kind.clone(),
        from: RecordRef::Id(RecordId(key.from_id)),
        to: RecordRef::Id(RecordId(key.to_id)),
        label: link.label.clone(),
        properties: link.properties.clone(),
        limits_from: limits.from,
        limits_to: limits.to,
        replace: Replace::Nothing,
        moved: Some(link.made()),
    }
}

/// An entry that says one thing more.
fn with(mut entry: LogEntry, name: &str, old: Value, new: Value) -> LogEntry {
    // What was written as JSON a moment ago reads as JSON.
    let mut changes: Map<String, Value> = serde_json::from_str(&entry.changes).unwrap_or_default();
    changes.insert(name.to_owned(), json!([old, new]));
    entry.changes = Value::Object(changes).to_string();
    entry
}

/// What the log says of the winner: its changed values and whom it took in or gave back, as one entry of `kind`; a
/// changed stage stands in one of its own.
fn told_of_winner(
    draft: &Draft,
    entries: Vec<LogEntry>,
    kind: ChangeKind,
    (old, new): (Value, Value),
) -> Vec<LogEntry> {
    let (updated, mut rest): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.kind == ChangeKind::RecordUpdated);
    let (object, record) = (draft.after.object.clone(), draft.after.record);
    let empty = || LogEntry { kind, object, record, changes: "{}".to_owned() };
    let entry = updated.into_iter().next().map_or_else(empty, |entry| LogEntry { kind, ..entry });
    rest.push(with(entry, MERGED_FROM, old, new));
    rest
}
