//! What a whole record must meet: required values, the JSON Schema, rules, stages; and the values it claims.

use engine_model::expression::Scope;
use engine_model::name::did_you_mean;
use engine_model::object::{Constraint, ObjectDefinition};
use engine_model::pipeline::{Pipeline, Stage};
use engine_model::problem::push_segment;
use engine_model::property::{Property, Storage, normalize_value};
use engine_model::rule::Rule;
use engine_model::{Name, Problem, Problems, Properties};
use engine_store::commit::{Interval, UniqueValue};
use jsonschema::Validator;
use serde_json::Value;

use super::criterion::check_expressions;
use super::details::check_details;
use super::state::State;
use crate::definitions::catalog::Catalog;
use crate::digest::digest;

/// Checks a record's next state as a whole; values alone have been checked before.
pub(crate) fn check(
    catalog: &Catalog,
    object: &ObjectDefinition,
    before: Option<&State>,
    properties: &mut Properties,
) -> Problems {
    let mut problems = Problems::new();
    check_required(object, properties, &mut problems);
    check_stage(catalog, object, before, properties, &mut problems);
    check_schema(catalog, object, properties, &mut problems);
    check_rules(object, properties, &mut problems);
    check_expressions(catalog, object, before, properties, &mut problems);
    check_details(catalog, object, before, properties, &mut problems);
    problems
}

/// What is wrong with a record that comes back as it was: definitions may have become others while it was away.
pub(super) fn unfit(catalog: &Catalog, object: &ObjectDefinition, state: &State) -> Problems {
    let mut problems = check(catalog, object, Some(state), &mut Properties::clone(&state.properties));
    let text = |name: &str| state.properties.get(name).and_then(Value::as_str);
    let pipelines = catalog.effective.registry.pipelines.get(object.name.as_str());
    if let (Some(pipelines), Some(name), Some(stage)) = (pipelines, text("pipeline"), text("stage")) {
        match pipelines.get(name) {
            Some(pipeline) if pipeline.stages.get(stage).is_none_or(|stage| stage.archived) => {
                // The schema knows no more than that it is no option.
                problems.retain(|problem| problem.pointer != pointer("stage"));
                problems.push(no_stage(pipeline, stage));
            }
            Some(_) => {}
            None => {
                let message = format!("`{}` has no pipeline `{name}` any more", object.name);
                problems.push(Problem::new(pointer("pipeline"), "unknown", message));
            }
        }
    }
    problems
}

fn pointer(name: &str) -> String {
    push_segment("/properties", name)
}

fn check_required(object: &ObjectDefinition, properties: &Properties, problems: &mut Problems) {
    for property in object.properties.values() {
        let is_required = property.required && !property.archived && !property.kind.is_computed();
        if is_required && !properties.contains_key(property.name.as_str()) {
            problems.push(Problem::new(
                pointer(&property.name),
                "required",
                format!("`{}` is required", property.name),
            ));
        }
    }
}

fn check_schema(catalog: &Catalog, object: &ObjectDefinition, properties: &mut Properties, problems: &mut Problems) {
    let Some(validator) = catalog.effective.validator(object) else { return };
    // Values of archived properties stay stored and are no longer described.
    let is_described = |name: &str| object.property(name).is_some();
    let undescribed: Vec<String> = properties.keys().filter(|name| !is_described(name)).cloned().collect();
    if undescribed.is_empty() {
        // Taken and put back: a copy would cost more than the check.
        let described = Value::Object(std::mem::take(properties));
        add_violations(validator, &described, problems);
        if let Value::Object(described) = described {
            *properties = described;
        }
    } else {
        let mut described = properties.clone();
        described.retain(|name, _| is_described(name));
        add_violations(validator, &Value::Object(described), problems);
    }
}

fn add_violations(validator: &Validator, described: &Value, problems: &mut Problems) {
    for error in validator.iter_errors(described) {
        let at = format!("/properties{}", error.instance_path());
        let is_known = problems.iter().any(|problem| problem.pointer == at);
        if !is_known && !error.instance_path().to_string().is_empty() {
            problems.push(Problem::new(at, "invalid", error.to_string()));
        }
    }
}

fn check_rules(object: &ObjectDefinition, properties: &Properties, problems: &mut Problems) {
    for constraint in &object.constraints {
        match constraint {
            // A rule speaks of values; where one is missing it has nothing to say.
            Constraint::Rule(rule) => problems.extend(broken(rule, object, properties, false)),
            Constraint::NoOverlap { from, to, .. } => {
                let (start, end) = (moment(object, properties, from), moment(object, properties, to));
                if let (Some(start), Some(end)) = (start, end)
                    && end <= start
                {
                    problems.push(Problem::new(pointer(to), "invalid", format!("`{to}` must be after `{from}`")));
                }
            }
            // Who may is asked where values are given.
            Constraint::Unique { .. } | Constraint::Reserved(_) => {}
        }
    }
}

/// The code of a move that a pipeline does not allow.
pub(super) const TRANSITION: &str = "transition";

/// Between what a rule says and why it could not be computed.
pub(super) const RULE_FAILED: &str = " (the rule failed: ";

/// What a rule has against a record; also that a value is missing that it speaks of, where it `needs_values`.
fn broken(rule: &Rule, object: &ObjectDefinition, properties: &Properties, needs_values: bool) -> Option<Problem> {
    let Rule { expression, message, at } = rule;
    let told = match expression.evaluate_bool(&Scope::for_record(&object.properties, properties)) {
        Ok(true) => return None,
        Ok(false) => message.clone(),
        Err(error) if error.is_missing_value() && !needs_values => return None,
        Err(error) if error.is_missing_value() => message.clone(),
        Err(error) => format!("{message}{RULE_FAILED}{error})"),
    };
    Some(Problem::new(at.as_ref().map_or_else(|| "/properties".to_owned(), |name| pointer(name)), "rule", told))
}

/// The stage belongs to the pipeline, may be entered from the present one, and has what it asks for.
fn check_stage(
    catalog: &Catalog,
    object: &ObjectDefinition,
    before: Option<&State>,
    properties: &Properties,
    problems: &mut Problems,
) {
    let text = |properties: &Properties, name: &str| properties.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(pipelines) = catalog.effective.registry.pipelines.get(object.name.as_str()) else { return };
    let (Some(name), Some(stage_name)) = (text(properties, "pipeline"), text(properties, "stage")) else { return };
    let Some(pipeline) = pipelines.get(name.as_str()) else { return };
    let old_pipeline = before.and_then(|state| text(&state.properties, "pipeline"));
    let old_stage = before.and_then(|state| text(&state.properties, "stage"));
    let moves = old_pipeline.as_deref() != Some(name.as_str()) || old_stage.as_deref() != Some(stage_name.as_str());
    if !moves {
        return;
    }
    let Some(stage) = pipeline.stages.get(stage_name.as_str()).filter(|stage| !stage.archived) else {
        problems.push(no_stage(pipeline, &stage_name));
        return;
    };
    let forbidden = match (old_pipeline, old_stage) {
        (Some(before), Some(old)) if before == name => (!pipeline.allows(&old, &stage_name)).then(|| {
            format!(
                "the pipeline `{name}` does not allow to move from `{old}` to `{stage_name}`; {}",
                in_words(pipeline.next_stages(&old))
            )
        }),
        (Some(before), Some(_)) => (!pipeline.may_be_entered_at(&stage_name)).then(|| {
            let first = pipeline.first_stage().map_or("", |first| &*first.name);
            format!(
                "a record that comes from the pipeline `{before}` enters `{name}` in the stage `{first}`, as a new one \
                 does; move it on to `{stage_name}` from there"
            )
        }),
        // It was in no pipeline, so it begins here.
        _ => None,
    };
    if let Some(message) = forbidden {
        // What the stage asks for is of no use then.
        problems.push(Problem::new(pointer("stage"), TRANSITION, message));
        return;
    }
    // What is archived can be given by nobody, so nothing is asked of it.
    let asked = stage.requires.iter().filter(|required| object.property(required).is_some());
    let missing = asked.filter(|required| !properties.contains_key(required.as_str()));
    for required in missing.clone() {
        let message = format!("`{required}` is required to enter the stage `{stage_name}`");
        problems.push(Problem::new(pointer(required), "required", message));
    }
    // A rule over what is missing as well would only repeat it.
    let is_told = |rule: &&Rule| missing.clone().any(|name| rule.names(name));
    let rests = |rule: &&Rule| object.properties.values().any(|found| found.archived && rule.names(&found.name));
    let rules = stage.rules.iter().filter(|rule| !is_told(rule) && !rests(rule));
    problems.extend(rules.filter_map(|rule| broken(rule, object, properties, true)));
}

/// That no record may enter what is called so.
fn no_stage(pipeline: &Pipeline, stage: &str) -> Problem {
    let known = || pipeline.stages.values().filter(|stage| !stage.archived).map(|stage| stage.name.as_str());
    if pipeline.stages.contains_key(stage) {
        let known = known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = format!(
            "the stage `{stage}` of the pipeline `{}` is archived, so no record enters it; there are {known}",
            pipeline.name
        );
        return Problem::new(pointer("stage"), "archived_option", message);
    }
    let hint = did_you_mean(stage, known());
    let message = format!("`{stage}` is no stage of the pipeline `{}`{hint}", pipeline.name);
    Problem::new(pointer("stage"), "unknown_option", message)
}

/// Where the way leads on from a stage.
fn in_words<'a>(next: impl Iterator<Item = &'a Stage>) -> String {
    let next: Vec<String> = next.map(|stage| format!("`{}`", stage.name)).collect();
    match next.as_slice() {
        [] => "no move leads on from there".to_owned(),
        [only] => format!("from there it may move to {only}"),
        [first @ .., last] => format!("from there it may move to {} or {last}", first.join(", ")),
    }
}

/// Fills in where a new record starts, or where a record that changes its pipeline goes on; whether it may have.
pub(crate) fn default_stage(catalog: &Catalog, object: &ObjectDefinition, properties: &mut Properties) -> bool {
    if !catalog.effective.registry.pipelines.contains_key(object.name.as_str()) {
        return false;
    }
    let chosen = properties.get("pipeline").and_then(Value::as_str);
    let pipeline = match chosen {
        Some(name) => {
            catalog.effective.registry.active_pipelines(&object.name).find(|pipeline| pipeline.name.as_str() == name)
        }
        None => {
            // A stage without a pipeline means the default pipeline, or else the first that has such a stage.
            let stage = properties.get("stage").and_then(Value::as_str);
            let default = catalog.effective.registry.default_pipeline(&object.name);
            match stage {
                Some(stage) => default.filter(|pipeline| pipeline.stages.contains_key(stage)).or_else(|| {
                    catalog
                        .effective
                        .registry
                        .active_pipelines(&object.name)
                        .find(|pipeline| pipeline.stages.contains_key(stage))
                }),
                None => default,
            }
            .or(default)
        }
    };
    let Some(pipeline) = pipeline else { return false };
    properties.insert("pipeline".to_owned(), Value::from(pipeline.name.as_str()));
    if !properties.contains_key("stage")
        && let Some(first) = pipeline.first_stage()
    {
        properties.insert("stage".to_owned(), Value::from(first.name.as_str()));
    }
    true
}

/// Gives a new record the values that its pipeline has for what has none.
pub(crate) fn pipeline_defaults(catalog: &Catalog, object: &ObjectDefinition, properties: &mut Properties) {
    let pipelines = catalog.effective.registry.pipelines.get(object.name.as_str());
    let name = properties.get("pipeline").and_then(Value::as_str);
    let Some(pipeline) = pipelines.zip(name).and_then(|(all, name)| all.get(name)) else { return };
    for (name, value) in &pipeline.defaults {
        let property = object.property(name).filter(|property| property.is_writable());
        let Some(property) = property.filter(|_| !properties.contains_key(name.as_str())) else { continue };
        // It was checked when the definition was; what the tenant's country makes of a number is known only here.
        if let Ok(Some(value)) = normalize_value(property.kind.as_ref(), value, &catalog.locale) {
            properties.insert(name.to_string(), value);
        }
    }
}

/// The unique values that a record in this state has.
pub(crate) fn unique_values(object: &ObjectDefinition, properties: &Properties) -> Vec<UniqueValue> {
    object
        .unique_sets()
        .filter_map(|set| {
            let names: Vec<Name> = set.iter().map(|property| property.name.clone()).collect();
            Some(UniqueValue {
                object: object.name.to_string(),
                properties: Constraint::claim_name(&names),
                value: unique_text(&set, properties)?,
            })
        })
        .collect()
}

/// The text under which the values of a set of properties are unique; `None` where one has no value.
pub(crate) fn unique_text(set: &[&Property], properties: &Properties) -> Option<String> {
    let mut keys = Vec::with_capacity(set.len());
    for property in set {
        keys.push(property.kind.unique_key(properties.get(property.name.as_str())?));
    }
    let text = match keys.as_slice() {
        [only] => only.clone(),
        many => serde_json::to_string(many).ok()?,
    };
    // An index row of PostgreSQL holds no more than a third of a page.
    Some(if text.len() > LONGEST_KEY { format!("sha256:{}", digest(&text)) } else { text })
}

/// Bytes up to which a unique value is stored as it is; longer ones are stored as their hash.
const LONGEST_KEY: usize = 1_024;

/// The intervals that a record in this state occupies. Without an end it is open-ended.
pub(crate) fn intervals(object: &ObjectDefinition, properties: &Properties) -> Vec<Interval> {
    let mut intervals = Vec::new();
    for constraint in &object.constraints {
        let Constraint::NoOverlap { within, from, to } = constraint else { continue };
        let Some(competing) = object.property(within) else { continue };
        let Some(value) = properties.get(within.as_str()) else { continue };
        let Some(starts_at) = moment(object, properties, from) else { continue };
        intervals.push(Interval {
            object: object.name.to_string(),
            properties: Constraint::claim_name(&[within.clone(), from.clone(), to.clone()]),
            within: competing.kind.unique_key(value),
            starts_at,
            ends_at: moment(object, properties, to).unwrap_or(i64::MAX),
        });
    }
    intervals
}

/// A value as a position on a line: microseconds for dates and moments, the scaled number otherwise.
fn moment(object: &ObjectDefinition, properties: &Properties, name: &Name) -> Option<i64> {
    let value = properties.get(name.as_str())?;
    let storage = object.property(name)?.kind.storage();
    let number = storage.number_of(value)?;
    if storage == Storage::Date { number.checked_mul(MICROSECONDS_OF_A_DAY) } else { Some(number) }
}

const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;
