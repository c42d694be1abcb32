//! Whose values the merged record has.

use std::collections::HashMap;

use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::property::Property;
use engine_model::{Problem, Problems, Properties};
use serde_json::json;

use super::detail::Detail;
use crate::caller::Standing;
use crate::definitions::catalog::shortened;
use crate::records::state::State;
use crate::records::workspace::Workspace;
use engine_store::commit::RecordRef;

/// Property to the record whose value it takes.
pub(super) type Choices = HashMap<String, RecordRef>;

/// Reads whose values are wanted; everything that is wrong with it by its place.
pub(super) fn choose(
    workspace: &Workspace,
    object: &ObjectDefinition,
    winner: &State,
    from: &[String],
    (wanted, may_write_read_only): (&[(String, String)], bool),
    may_see: impl Fn(&Property) -> bool + Copy,
) -> Result<Choices, Problems> {
    let concerned: Vec<RecordRef> =
        from.iter().filter_map(|id| workspace.find_any(id)).map(|state| state.record).chain([winner.record]).collect();
    let (mut choices, mut problems) = (Choices::new(), Problems::new());
    for (name, id) in wanted {
        let at = push_segment("/properties", name);
        let Some(property) = object.property(name) else {
            let hint = object.property_hint(name, may_see);
            let message = format!("`{}` is no property of `{}`{hint}", shortened(name), object.name);
            problems.push(Problem::new(at, "unknown_property", message));
            continue;
        };
        if property.kind.is_computed() {
            let message = format!("`{name}` is made by the engine and stays the remaining record's");
            problems.push(Problem::new(at, "read_only", message));
            continue;
        }
        if property.read_only && !may_write_read_only {
            problems.push(Problem::new(at, "read_only", format!("`{name}` is read-only")));
            continue;
        }
        let record = workspace.find_any(id).map(|state| state.record).filter(|record| concerned.contains(record));
        let Some(record) = record else {
            let message = format!("`{}` is neither the record that remains nor one of `from`", shortened(id));
            problems.push(Problem::new(at, "invalid", message));
            continue;
        };
        choices.insert(name.clone(), record);
    }
    if problems.is_empty() { Ok(choices) } else { Err(problems) }
}

/// The merged record's values, and what each loser gave.
pub(super) struct Combined {
    pub(super) properties: Properties,
    pub(super) standing: Standing,
    /// In the order of the losers.
    pub(super) taken: Vec<Detail>,
}

/// Takes the winner's values, and where it has none the first loser's that has one, unless another one's are chosen.
pub(super) fn combine(object: &ObjectDefinition, winner: &State, losers: &[State], choices: &Choices) -> Combined {
    let mut properties = Properties::clone(&winner.properties);
    let mut taken: Vec<Detail> = losers.iter().map(|_| Detail::default()).collect();
    // Where a record stands on a board says nothing of another one's place.
    let is_rank = |name: &str| object.rank().is_some_and(|rank| rank.name.as_str() == name);
    let is_mergeable =
        |name: &&str| !is_rank(name) && object.property(name).is_some_and(|property| !property.kind.is_computed());
    for name in object.properties.keys().map(|name| name.as_str()).filter(is_mergeable) {
        let giver = match choices.get(name) {
            Some(chosen) => losers.iter().position(|loser| loser.record == *chosen),
            None if properties.contains_key(name) => None,
            None => losers.iter().position(|loser| loser.properties.contains_key(name)),
        };
        let Some((giver, detail)) = giver.and_then(|index| Some((losers.get(index)?, taken.get_mut(index)?))) else {
            continue;
        };
        let (old, new) = (properties.get(name).cloned(), giver.properties.get(name).cloned());
        if old != new {
            detail.values.insert(name.to_owned(), json!([old, new]));
            match new {
                Some(new) => drop(properties.insert(name.to_owned(), new)),
                None => drop(properties.shift_remove(name)),
            }
        }
    }
    let mut owner = winner.owner;
    if owner.is_none()
        && let Some((loser, detail)) = losers.iter().zip(&mut taken).find(|(loser, _)| loser.owner.is_some())
    {
        owner = loser.owner;
        detail.owner = Some((None, owner));
    }
    let mut team = winner.team;
    if team.is_none()
        && let Some((loser, detail)) = losers.iter().zip(&mut taken).find(|(loser, _)| loser.team.is_some())
    {
        team = loser.team;
        detail.team = Some((None, team));
    }
    Combined { properties, standing: Standing { owner, team }, taken }
}
