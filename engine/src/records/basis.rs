//! What callers give a record: read, brought to normal form, and checked value by value.

use engine_model::migration::forget_before;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::property::{Property, normalize};
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, Properties, TeamId, UserId};
use serde_json::Value;

use super::details::users_in;
use super::input::{PropertiesInput, RecordInput};
use super::rules::RULE_FAILED;
use super::state::State;
use super::users::Strangers;
use crate::assignment::{Rules, Turn};
use crate::caller::Caller;
use crate::definitions::catalog::{Catalog, shortened};

/// Who writes and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    pub(crate) at: Timestamp,
    pub(crate) by: UserId,
    /// It is an import, which moves links that a record can have only one of.
    pub(crate) is_import: bool,
    /// It may write read-only properties, as imports may, who takes changes back, and scores.
    pub(crate) writes_read_only: bool,
    /// It may write what scores answer, as these may, and who takes changes back.
    pub(crate) writes_answers: bool,
    /// It takes changes back.
    pub(crate) takes_back: bool,
    /// It may write what is reserved, as administrators and automation may.
    pub(crate) keeps_reserved: bool,
}

/// What a draft is made on.
#[derive(Debug)]
pub(crate) struct Basis<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) pen: Pen,
    /// Who writes it.
    pub(crate) caller: &'a Caller,
    /// Users and teams that are named and do not exist.
    pub(crate) strangers: &'a Strangers,
    /// By which records get an owner that nobody was given.
    pub(crate) rules: &'a Rules,
    /// Who gets the record, where a turn is taken for it.
    pub(crate) turn: Option<Turn>,
}

impl Basis<'_> {
    /// Values in normal form; `None` takes a value away.
    pub(super) fn read_properties<'o>(
        &self,
        object: &'o ObjectDefinition,
        before: Option<&State>,
        input: &PropertiesInput,
        problems: &mut Problems,
    ) -> Vec<Given<'o>> {
        let mut given = Vec::with_capacity(input.0.len());
        for (name, raw) in &input.0 {
            let at = || push_segment("/properties", name);
            let Some(property) = object.property(name) else {
                let hint = object.property_hint(name, self.catalog.seen_by(&self.caller.rights, object));
                let message = format!("`{}` is no property of `{}`{hint}", shortened(name), object.name);
                problems.push(Problem::new(at(), "unknown_property", message));
                continue;
            };
            if let Some(problem) = self.check_answer(object, property, before, &at()) {
                problems.push(problem);
                continue;
            }
            if property.read_only && !self.pen.writes_read_only {
                problems.push(Problem::new(at(), "read_only", format!("`{name}` is read-only")));
                continue;
            }
            if let Err(problem) = self.caller.check_writes(object, property, &at()) {
                problems.push(problem);
                continue;
            }
            match normalize(property.kind.as_ref(), raw, &self.catalog.locale) {
                Ok(value) => given.push((property, value)),
                Err(faults) => problems.extend(
                    faults.into_iter().map(|fault| Problem::new(at() + &fault.pointer, fault.code, fault.message)),
                ),
            }
        }
        given
    }

    pub(super) fn read_owner(
        &self,
        input: &RecordInput,
        before: Option<UserId>,
        problems: &mut Problems,
    ) -> Option<Option<UserId>> {
        let Some(text) = input.owner.as_ref()? else { return Some(None) };
        match text.parse() {
            Ok(owner) => {
                if before != Some(owner) && self.strangers.users.contains(&owner) {
                    problems.push(no_user("/owner_id".to_owned(), owner));
                }
                Some(Some(owner))
            }
            Err(error) => {
                problems.push(Problem::new("/owner_id", "invalid", error.to_string()));
                None
            }
        }
    }

    pub(super) fn read_team(
        &self,
        input: &RecordInput,
        before: Option<TeamId>,
        problems: &mut Problems,
    ) -> Option<Option<TeamId>> {
        let Some(text) = input.team.as_ref()? else { return Some(None) };
        let team = text.parse::<TeamId>().ok();
        if team.is_none_or(|team| before != Some(team) && self.strangers.teams.contains(&team)) {
            let message = format!("there is no team `{}`", shortened(text));
            problems.push(Problem::new("/team_id", "not_found", message));
        }
        team.map(Some)
    }

    /// What is told of what is wrong with a whole record: of values that the caller does not see, only that they do not
    /// fit.
    pub(super) fn told(&self, object: &ObjectDefinition, mut problems: Problems) -> Problems {
        if problems.is_empty() {
            return problems;
        }
        let registry = &self.catalog.effective.registry;
        let sees_all = object.properties.values().all(|property| self.caller.reads(registry, object, property));
        for problem in problems.iter_mut().filter(|_| !sees_all) {
            // Why a rule fails may quote what it speaks of.
            if let Some(end) = problem.message.find(RULE_FAILED) {
                problem.message.truncate(end);
            }
            let hidden = object.properties.values().find(|property| {
                let at = push_segment("/properties", &property.name);
                let is_its =
                    problem.pointer.strip_prefix(&at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                is_its && !self.caller.reads(registry, object, property)
            });
            // That a value is missing says nothing of any.
            if let Some(property) = hidden.filter(|_| problem.code != "required") {
                problem.message = format!("what `{}` has, which you do not see, does not fit", property.name);
            }
        }
        problems
    }

    /// Users in properties exist, or were there before.
    pub(super) fn check_users(
        &self,
        object: &ObjectDefinition,
        before: Option<&Properties>,
        properties: &Properties,
        problems: &mut Problems,
    ) {
        if self.strangers.users.is_empty() {
            return;
        }
        for (name, value) in properties {
            let is_user = object.property(name).is_some_and(|property| property.kind.name() == "user");
            if is_user
                && before.and_then(|before| before.get(name)) != Some(value)
                && let Some(user) = value.as_str().and_then(|text| text.parse().ok())
                && self.strangers.users.contains(&user)
            {
                problems.push(no_user(push_segment("/properties", name), user));
            }
        }
        for (at, user) in users_in(self.catalog, object, before, properties) {
            if self.strangers.users.contains(&user) {
                problems.push(no_user(at, user));
            }
        }
    }
}

pub(super) fn no_user(pointer: String, user: UserId) -> Problem {
    Problem::new(pointer, "not_found", format!("there is no user `{user}`"))
}

/// What a caller gives a property; `None` takes its value away.
pub(super) type Given<'o> = (&'o Property, Option<Value>);

/// Values take the places of those before.
pub(super) fn put(object: &ObjectDefinition, properties: &mut Properties, given: Vec<Given<'_>>) {
    for (property, value) in given {
        if object.has_migrated() && properties.get(property.name.as_str()) != value.as_ref() {
            forget_before(properties, &property.name);
        }
        match value {
            Some(value) => drop(properties.insert(property.name.to_string(), value)),
            None => drop(properties.shift_remove(property.name.as_str())),
        }
    }
}

/// A new record's values, in the order of the definition. Null is the same as nothing.
pub(super) fn with_defaults(object: &ObjectDefinition, mut given: Vec<Given<'_>>) -> Properties {
    let default_of = |property: &Property| property.default.clone().filter(|_| property.is_writable());
    let mut properties = Properties::with_capacity(given.len() + 4);
    for property in object.properties.values() {
        let given = given.iter_mut().find(|(named, _)| std::ptr::eq(*named, property));
        let value = given.and_then(|(_, value)| value.take()).or_else(|| default_of(property));
        if let Some(value) = value {
            properties.insert(property.name.to_string(), value);
        }
    }
    properties
}
