//! Taking a record out again of the one that it was merged into.

use engine_model::access::Action;
use engine_model::change::ChangeKind;
use engine_model::object::ObjectDefinition;
use engine_model::{Problem, Problems, Properties, RecordId};
use engine_store::association::LinkKey;
use engine_store::commit::{NewLink, Write};
use serde_json::{Value, json};

use super::detail::Detail;
use super::returning::return_links;
use super::surroundings::FarEnd;
use super::{MERGED_INTO, id_of, may_know, parted, told_of_winner, unlink, with};
use crate::caller::Standing;
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, ErrorCode, Result};
use crate::records::draft::Draft;
use crate::records::operation::{Effect, LeftOut};
use crate::records::plan::{Body, Plan, Planner, check_version, definition_of};
use crate::records::rules::unfit;
use crate::records::state::State;
use crate::records::write::refuse;

/// A record that is about to be taken out of another one.
#[derive(Debug)]
pub(crate) struct Parting {
    pub(crate) winner: Draft,
    pub(crate) loser: Draft,
    ids: (RecordId, RecordId),
    /// Links that the winner gives back.
    unlinks: Vec<LinkKey>,
    links: Vec<NewLink>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Planner<'_> {
    /// Plans to take the record `id` out of `winner`.
    pub(in crate::records) fn unmerge(
        &mut self,
        object: &ObjectDefinition,
        winner: State,
        id: &str,
        version: Option<i64>,
    ) -> Result<Plan> {
        self.check_update(object, &winner)?;
        check_version(&winner, version)?;
        let loser = self.merged_record(&winner, id)?;
        self.caller.check(Action::Archive, &object.name, &loser)?;
        self.basis.check_kept(object, &loser)?;
        let (winner_id, loser_id) = (id_of(&winner)?, id_of(&loser)?);
        let seen = &self.workspace.surroundings;
        let merged = seen.merge_of(loser_id).ok_or_else(|| Error::internal("a merge is not remembered"))?;
        if merged.winner != winner_id {
            let between = merged.winner;
            let message = format!(
                "record {loser_id} was merged into record {between}, and that one into record {winner_id} later; take \
                 {between} out first, then {loser_id} out of it"
            );
            return Err(conflict("merged_elsewhere", message));
        }
        let is_seen = |end: Option<&FarEnd>| self.may_know_end(end);
        self.check_fits(object, &loser, loser_id)?;
        let returned = return_links(self.basis.catalog, seen, &merged.detail.links, loser_id, winner_id, is_seen);
        let (properties, standing) = give_back(object, &winner, &merged.detail);
        self.check_values(object, &winner, &properties)?;
        let mut winner = Draft::next(&self.basis, object, winner, properties, standing, Problems::new())
            .map_err(|found| unfitting(&format!("record {winner_id} without what it took"), found))?;
        winner.touch_at_least(self.basis.pen);
        let loser = Draft::restore(loser, self.basis.pen);
        self.workspace.put(object, winner.before.as_ref(), winner.after.clone(), None);
        self.workspace.put_parted(object, &loser);
        let parting = Parting {
            winner,
            loser,
            ids: (winner_id, loser_id),
            unlinks: returned.unlinks,
            links: returned.links,
            left_out: returned.left_out,
        };
        Ok(Plan { body: Body::Unmerge(Box::new(parting)), links: Vec::new(), effect: Effect::Changed, upsert: None })
    }

    /// Whether the caller may know of the record at the other end of a remembered link, and of the one that its id leads
    /// to; of one that is gone nobody knows whose it was.
    fn may_know_end(&self, end: Option<&FarEnd>) -> bool {
        match end {
            Some(end) if end.led == end.id.0 => self.caller.may(Action::Read, &end.object, end.standing),
            Some(end) => self.caller.may_all(Action::Read, &end.object),
            None => self.caller.rights.reads_every_record(),
        }
    }

    /// Refuses to bring a record back that the definitions would not take any more: nobody could change it then.
    fn check_fits(&self, object: &ObjectDefinition, loser: &State, id: RecordId) -> Result<()> {
        let found = self.basis.told(object, unfit(self.basis.catalog, object, loser));
        if found.is_empty() { Ok(()) } else { Err(unfitting(&format!("record {id} as it was"), found)) }
    }

    /// The record as it was when it was merged into `winner`.
    fn merged_record(&self, winner: &State, id: &str) -> Result<State> {
        let missing = || {
            let message = format!("there is no record `{}`", shortened(id));
            Error::new(ErrorCode::NotFound, message.clone()).with(Problem::new("/id", "not_found", message))
        };
        let Some((loser, into)) = self.workspace.merged(id) else {
            let known = self.workspace.find_any(id).filter(|state| may_know(self.caller, state));
            let state = known.ok_or_else(missing)?;
            let is_itself = state.record == winner.record;
            let message = match is_itself {
                true => "this is the record itself; name the one that was merged into it".to_owned(),
                false => format!("record `{}` has not been merged into another one", shortened(id)),
            };
            return Err(conflict("not_merged", message));
        };
        if !may_know(self.caller, loser) {
            return Err(missing());
        }
        if Some(into) != winner.id() {
            if !self.caller.may_all(Action::Read, &loser.object) {
                // Where it is now may be hidden.
                return Err(missing());
            }
            let message = format!("record `{}` was merged into record {into}, not into this one", shortened(id));
            return Err(conflict("merged_elsewhere", message));
        }
        Ok(loser.clone())
    }
}

/// That a record would not fit the definitions, with each property for which that is so; what the caller may not change is
/// said as anywhere.
fn unfitting(record: &str, found: Problems) -> Error {
    if found.iter().any(|problem| problem.code == "forbidden") {
        return refuse(found);
    }
    let of_record = |problem: Problem| {
        let property = problem.pointer.strip_prefix("/properties/").map(|rest| rest.split('/').next().unwrap_or(rest));
        let at = property.map(|name| format!("`{name}`: ")).unwrap_or_default();
        Problem::new("/id", problem.code, format!("{record} does not fit: {at}{}", problem.message))
    };
    let problems: Problems = found.into_iter().map(of_record).collect();
    let detail = match problems.as_slice() {
        [only] => only.message.clone(),
        many => format!("{record} does not fit, for {} reasons; see `errors`", many.len()),
    };
    Error { problems, ..Error::new(ErrorCode::Conflict, detail) }
}

fn conflict(code: &'static str, message: String) -> Error {
    Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("/id", code, message))
}

/// The winner without what it took from the loser, where nobody has changed that since.
fn give_back(object: &ObjectDefinition, winner: &State, detail: &Detail) -> (Properties, Standing) {
    let mut properties = Properties::clone(&winner.properties);
    let value = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
    for (name, pair) in detail.values.iter().filter(|(name, _)| object.property(name).is_some()) {
        let (old, new) = (value(&pair[0]), value(&pair[1]));
        if properties.get(name) == new.as_ref() {
            match old {
                Some(old) => drop(properties.insert(name.clone(), old)),
                None => drop(properties.shift_remove(name)),
            }
        }
    }
    let owner = match detail.owner {
        Some((old, new)) if winner.owner == new => old,
        Some(_) | None => winner.owner,
    };
    let team = match detail.team {
        Some((old, new)) if winner.team == new => old,
        Some(_) | None => winner.team,
    };
    (properties, Standing { owner, team })
}

impl Parting {
    /// The rows to write. The winner comes first, so that the loser finds free what it takes again.
    pub(in crate::records) fn writes(&self, catalog: &Catalog) -> Result<Vec<Write>> {
        let object = definition_of(catalog, &self.winner)?;
        let (winner, loser) = self.ids;
        let (mut writes, of_winner) = parted(self.winner.writes(object));
        let (rows, of_loser) = parted(self.loser.writes(object));
        writes.extend(rows);
        writes.push(Write::Unmerge { winner, loser });
        writes.extend(self.unlinks.iter().map(unlink));
        writes.extend(self.links.iter().cloned().map(Write::Link));
        // As after a merge, what the winner's entry says comes last.
        let mut logs: Vec<_> =
            of_loser.into_iter().map(|entry| with(entry, MERGED_INTO, json!(winner), Value::Null)).collect();
        let told = (json!([loser]), Value::Null);
        logs.extend(told_of_winner(&self.winner, of_winner, ChangeKind::RecordUpdated, told));
        writes.extend(logs.into_iter().map(Write::Log));
        Ok(writes)
    }
}
