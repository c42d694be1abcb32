//! What a changed definition must meet whatever is stored: named schemas exist, schemas compile, what a constraint reads
//! stays as it is, what a roll-up reads is not archived, and a migration can work.

use std::sync::Arc;

use engine_model::object::{Constraint, ObjectDefinition};
use engine_model::problem::push_segment;
use engine_model::property::Property;
use engine_model::registry::Registry;
use engine_model::{Name, Problem, Problems};
use indexmap::IndexMap;
use jsonschema::Validator;
use serde_json::Value;

use super::claims::interval_name;

/// Problems of what differs between two sets of definitions.
pub(crate) fn check(old: &Registry, new: &Registry) -> Problems {
    let mut problems = Problems::new();
    for object in new.objects.values() {
        let before = old.objects.get(&object.name);
        if before.is_some_and(|before| before.spec == object.spec) {
            continue;
        }
        let at = push_segment("/objects", &object.name);
        check_schemas(new, &object.properties, &at, &mut problems);
        check_migrations(before, object, &at, &mut problems);
        check_rollups(new, before, object, &at, &mut problems);
        if let Some(before) = before {
            check_intervals(before, object, &at, &mut problems);
        }
    }
    for pipeline in new.pipelines.values().flat_map(IndexMap::values).filter(|pipeline| !pipeline.archived) {
        let before = old.pipelines.get(&pipeline.object).and_then(|all| all.get(&pipeline.name));
        // One that was taken like this stays as it is.
        let had_none = before.is_some_and(|before| before.first_stage().is_none());
        if pipeline.first_stage().is_none() && !had_none {
            let at = format!("{}/stages", push_segment("/pipelines", &pipeline.name));
            let message =
                "all stages are archived, so no record could be in one; archive the pipeline, or keep a stage";
            problems.push(Problem::new(at, "required", message));
        }
    }
    for association in new.associations.values() {
        if old.associations.get(&association.name).is_none_or(|before| before.spec != association.spec) {
            check_schemas(
                new,
                &association.properties,
                &push_segment("/associations", &association.name),
                &mut problems,
            );
        }
    }
    problems
}

fn check_schemas(registry: &Registry, properties: &IndexMap<Name, Property>, at: &str, problems: &mut Problems) {
    for property in properties.values().filter(|property| property.spec.contains_key("schema")) {
        let at = format!("{}/schema", push_segment(&format!("{at}/properties"), &property.name));
        let reference = property.kind.schema_reference();
        if let Some(name) = reference.filter(|name| !registry.schemas.contains_key(*name)) {
            problems.push(Problem::new(at, "unknown", registry.no_fragment(name)));
        } else if let Err(reason) = compile(registry, property) {
            problems.push(Problem::new(at, "invalid", no_schema(&reason)));
        }
    }
}

/// A migration that comes now must be able to work; one that is there already has.
fn check_migrations(before: Option<&ObjectDefinition>, after: &ObjectDefinition, at: &str, problems: &mut Problems) {
    let known = |property: &Property| before?.properties.get(&property.name)?.migrated.as_ref();
    for (property, migration) in after.migrating() {
        if known(property).is_none_or(|known| known.version != migration.version) {
            let at = push_segment(&format!("{at}/properties"), &property.name);
            problems.extend(migration.check(after, property, &format!("{at}/migration")));
        }
    }
}

/// Keys of a roll-up that say what it is made of.
const MADE_OF: [&str; 4] = ["association", "direction", "property", "where"];

/// What a roll-up reads may be archived later; who says anew what it reads learns that there is nothing to read.
fn check_rollups(
    registry: &Registry,
    before: Option<&ObjectDefinition>,
    after: &ObjectDefinition,
    at: &str,
    problems: &mut Problems,
) {
    for property in after.properties.values().filter(|property| !property.archived) {
        let old = before.and_then(|before| before.properties.get(&property.name));
        let is_same = |key: &&str| old.is_some_and(|old| old.spec.get(*key) == property.spec.get(*key));
        if old.is_none_or(|old| old.kind.rollup().is_none()) || !MADE_OF.iter().all(is_same) {
            let at = push_segment(&format!("{at}/properties"), &property.name);
            problems.extend(registry.archived_parts(after, property, &at));
        }
    }
}

fn compile(registry: &Registry, property: &Property) -> Result<Validator, String> {
    let named = property.kind.schema_reference().and_then(|name| registry.schemas.get(name)).cloned();
    let schema = named.unwrap_or_else(|| Value::Object(property.kind.schema()));
    compile_schema(&schema)
}

/// A schema by itself, or why it is none.
pub(crate) fn compile_schema(schema: &Value) -> Result<Validator, String> {
    let options = jsonschema::draft202012::options().should_validate_formats(false);
    options.build(schema).map_err(|error| error.to_string())
}

/// What is said of a schema that does not compile.
pub(crate) fn no_schema(reason: &str) -> String {
    format!("this is no JSON Schema 2020-12: {reason}")
}

/// The compiled schema of a property whose type leaves checking it to others.
pub(crate) fn validator(registry: &Registry, property: &Property) -> Option<Arc<Validator>> {
    if !property.spec.contains_key("schema") {
        return None;
    }
    compile(registry, property).ok().map(Arc::new)
}

/// Intervals are claimed as numbers that say nothing of the properties they came from, so these must stay as they are.
fn check_intervals(before: &ObjectDefinition, after: &ObjectDefinition, at: &str, problems: &mut Problems) {
    let was_there = |rule: &Constraint| before.constraints.iter().any(|old| interval_name(old) == interval_name(rule));
    for rule in &after.constraints {
        let Constraint::NoOverlap { within, from, to } = rule else { continue };
        for name in [within, from, to] {
            let Some(property) = after.properties.get(name) else { continue };
            let old = before.properties.get(name).filter(|_| was_there(rule));
            let is_other = old.is_some_and(|old| old.kind.storage() != property.kind.storage());
            if property.archived || is_other {
                let what = if property.archived { "archiving it" } else { "changing its type" };
                let message =
                    format!("a `no_overlap` constraint reads `{name}`; take the constraint away before {what}");
                problems.push(Problem::new(push_segment(&format!("{at}/properties"), name), "in_use", message));
            }
        }
    }
}
