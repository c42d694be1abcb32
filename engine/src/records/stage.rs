//! Moving a record to a stage: one write with the values that the stage asks for, told where the body has them.

use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::rank::RANK;
use engine_model::{Problem, Problems, Properties};
use serde_json::Value;

use super::basis::{Basis, put};
use super::draft::Draft;
use super::input::{MoveInput, PropertiesInput};
use super::plan::{Plan, Planner};
use super::rules::{TRANSITION, default_stage};
use super::state::State;
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, ErrorCode, Result};

/// What the body has beside `properties`, each at its own place.
const BESIDE: [&str; 2] = ["pipeline", "stage"];

impl Planner<'_> {
    /// Plans to move a record to a stage; where it is there already, only what is given changes.
    pub(super) fn move_to(
        &mut self,
        object: &ObjectDefinition,
        before: State,
        input: &MoveInput,
        name: Option<&str>,
    ) -> Result<Plan> {
        has_pipelines(self.basis.catalog, object)?;
        self.check_update(object, &before)?;
        let draft = Draft::move_to(&self.basis, object, before, input).map_err(refuse)?;
        Ok(self.take(object, draft, Vec::new(), name))
    }
}

/// Refuses an object whose records have no stages.
pub(crate) fn has_pipelines(catalog: &Catalog, object: &ObjectDefinition) -> Result<()> {
    match catalog.effective.registry.active_pipelines(&object.name).next() {
        Some(_) => Ok(()),
        None => Err(Error::not_found(format!("`{}` has no pipelines, so its records have no stages", object.name))),
    }
}

impl Draft {
    /// A record in another stage, and with other values.
    fn move_to(
        basis: &Basis<'_>,
        object: &ObjectDefinition,
        before: State,
        input: &MoveInput,
    ) -> Result<Self, Problems> {
        let (given, misplaced) = apart(&input.properties);
        let mut problems = Problems::new();
        let given = basis.read_properties(object, Some(&before), &given, &mut problems);
        let mut properties = Properties::clone(&before.properties);
        put(object, &mut properties, given);
        let moved = [("stage", true, "/stage"), ("pipeline", input.pipeline.is_some(), "/pipeline")];
        let mut is_forbidden = false;
        for (name, is_given, at) in moved.into_iter().chain([(RANK, input.rank.is_some(), "/after")]) {
            if let Some(property) = object.property(name).filter(|_| is_given) {
                let forbidden = basis.caller.check_writes(object, property, at).err();
                is_forbidden |= forbidden.is_some();
                problems.extend(forbidden);
            }
        }
        if is_forbidden {
            // What the pipeline has to say would tell where the record is.
            return Err(misplaced.into_iter().chain(problems).collect());
        }
        match find_pipeline(basis.catalog, object, input.pipeline.as_deref()) {
            Ok(named) => {
                properties.extend(named.map(|name| ("pipeline".to_owned(), Value::from(name))));
                properties.insert("stage".to_owned(), Value::from(input.stage.as_str()));
                default_stage(basis.catalog, object, &mut properties);
            }
            Err(problem) => problems.push(problem),
        }
        if let Some(rank) = &input.rank {
            properties.insert(RANK.to_owned(), Value::from(rank.as_str()));
        }
        basis.check_users(object, Some(&before.properties), &properties, &mut problems);
        let standing = before.standing();
        // Nothing is made of it where something was misplaced, but everything else is told with that.
        match Self::next(basis, object, before, properties, standing, problems) {
            Ok(draft) if misplaced.is_empty() => Ok(draft),
            Ok(_) => Err(misplaced),
            Err(problems) => Err(misplaced.into_iter().chain(problems.into_iter().map(placed)).collect()),
        }
    }
}

/// The values that `properties` may hold, and what is said of those that stand beside it.
fn apart(input: &PropertiesInput) -> (PropertiesInput, Problems) {
    let (beside, given): (Vec<_>, Vec<_>) =
        input.0.iter().cloned().partition(|(name, _)| BESIDE.contains(&name.as_str()));
    let tell = |(name, _): (String, _)| {
        let message = format!("`{name}` stands beside `properties`, not in it");
        Problem::new(format!("/properties/{name}"), "not_applicable", message)
    };
    (PropertiesInput(given), beside.into_iter().map(tell).collect())
}

/// The pipeline that is named, if one is.
fn find_pipeline<'a>(
    catalog: &Catalog,
    object: &ObjectDefinition,
    named: Option<&'a str>,
) -> Result<Option<&'a str>, Problem> {
    let Some(name) = named else { return Ok(None) };
    let mut known = catalog.effective.registry.active_pipelines(&object.name).map(|pipeline| pipeline.name.as_str());
    if known.any(|known| known == name) {
        return Ok(Some(name));
    }
    let known = catalog.effective.registry.active_pipelines(&object.name).map(|pipeline| pipeline.name.as_str());
    let hint = did_you_mean(name, known);
    let message = format!("`{}` is no pipeline of `{}`{hint}", shortened(name), object.name);
    Err(Problem::new("/pipeline", "unknown_option", message))
}

/// A problem of a record's stage, where the body of a move has it.
fn placed(mut problem: Problem) -> Problem {
    for name in BESIDE {
        if problem.pointer == format!("/properties/{name}") {
            problem.pointer = format!("/{name}");
        }
    }
    problem
}

/// What the caller may not change is forbidden, as in every way of writing; a move that the pipeline forbids is a conflict
/// with where the record is, whatever else is wrong.
fn refuse(problems: Problems) -> Error {
    let has = |code: &str| problems.iter().any(|problem| problem.code == code);
    let code = match () {
        () if has("forbidden") => ErrorCode::Forbidden,
        () if has(TRANSITION) => ErrorCode::Conflict,
        () => ErrorCode::ValidationFailed,
    };
    Error { code, ..Error::invalid(problems) }
}
