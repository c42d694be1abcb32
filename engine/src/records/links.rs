//! Links as callers name them, resolved against the definitions: which end is which, what they may carry.

use engine_model::association::AssociationDefinition;
use engine_model::name::did_you_mean;
use engine_model::problem::push_segment;
use engine_model::property::normalize;
use engine_model::{Problem, Problems, Properties};
use engine_store::association::Direction;
use engine_store::commit::{NewLink, RecordRef, Replace};

use super::input::{LinkInput, PropertiesInput};
use crate::definitions::catalog::{Catalog, shortened};

/// A record at one end of a link.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) record: RecordRef,
    pub(crate) object: &'a str,
}

/// The association called `name` as seen from a record of `object`; problems are said relative to the link.
pub(crate) fn find<'a>(catalog: &'a Catalog, name: &str, object: &str) -> Result<&'a AssociationDefinition, Problem> {
    let known = || catalog.effective.registry.associations_of(object).map(|association| association.name.as_str());
    match catalog.effective.registry.associations.get(name).filter(|association| !association.archived) {
        Some(found) if found.from.as_str() == object || found.to.accepts(object) => Ok(found),
        Some(found) => {
            let message = format!("`{name}` does not concern `{object}`: it leads from `{}`", found.from);
            Err(Problem::new("/type", "invalid", message))
        }
        None => {
            let message = format!("there is no association `{}`{}", shortened(name), did_you_mean(name, known()));
            Err(Problem::new("/type", "unknown_association", message))
        }
    }
}

/// From which end the association is looked at by a record of `object`; at itself it is looked at from its start.
pub(crate) fn direction_from(association: &AssociationDefinition, object: &str) -> Direction {
    if association.from.as_str() == object { Direction::Out } else { Direction::In }
}

/// Where a link between two records starts and where it leads; none where the association links no such records.
fn ends_of(association: &AssociationDefinition, near: End<'_>, far: End<'_>) -> Option<(RecordRef, RecordRef)> {
    let leads =
        |from: End<'_>, to: End<'_>| association.from.as_str() == from.object && association.to.accepts(to.object);
    if leads(near, far) {
        Some((near.record, far.record))
    } else {
        leads(far, near).then_some((far.record, near.record))
    }
}

/// A link between two records whose objects are known.
pub(crate) fn resolve(catalog: &Catalog, input: &LinkInput, near: End<'_>, far: End<'_>) -> Result<NewLink, Problems> {
    let association = find(catalog, &input.kind, near.object).map_err(|problem| vec![problem])?;
    let Some((from, to)) = ends_of(association, near, far) else {
        let message = format!("`{}` does not link a `{}` with a `{}`", input.kind, near.object, far.object);
        return Err(vec![Problem::new("/to", "invalid", message)]);
    };
    if near.record == far.record {
        return Err(vec![Problem::new("/to", "invalid", "a record cannot be linked with itself")]);
    }
    let mut problems = Problems::new();
    if let Some(label) = &input.label
        && !association.labels.is_empty()
        && !association.labels.contains_key(label.as_str())
    {
        let hint = did_you_mean(label, association.labels.keys().map(|name| name.as_str()));
        let message = format!("`{}` has no label `{}`{hint}", association.name, shortened(label));
        problems.push(Problem::new("/label", "unknown_option", message));
    }
    let properties = read_properties(catalog, association, &input.properties, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(NewLink {
        kind: association.name.to_string(),
        from,
        to,
        label: input.label.clone(),
        properties: serde_json::to_string(&properties).unwrap_or_else(|_| "{}".to_owned()),
        limits_from: association.cardinality.limits_from(),
        limits_to: association.cardinality.limits_to(),
        replace: Replace::Nothing,
        moved: None,
    })
}

fn read_properties(
    catalog: &Catalog,
    association: &AssociationDefinition,
    input: &PropertiesInput,
    problems: &mut Problems,
) -> Properties {
    let mut values = Properties::new();
    for (name, raw) in &input.0 {
        let at = push_segment("/properties", name);
        let Some(property) = association.properties.get(name.as_str()).filter(|property| !property.archived) else {
            let hint = did_you_mean(name, association.properties.keys().map(|name| name.as_str()));
            let message = format!("`{}` is no property of `{}`{hint}", shortened(name), association.name);
            problems.push(Problem::new(at, "unknown_property", message));
            continue;
        };
        match normalize(property.kind.as_ref(), raw, &catalog.locale) {
            Ok(Some(value)) => drop(values.insert(name.clone(), value)),
            Ok(None) => {}
            Err(faults) => problems.extend(
                faults
                    .into_iter()
                    .map(|fault| Problem::new(format!("{at}{}", fault.pointer), fault.code, fault.message)),
            ),
        }
    }
    for property in association.properties.values().filter(|property| !property.archived) {
        if let (Some(default), false) = (&property.default, values.contains_key(property.name.as_str())) {
            values.insert(property.name.to_string(), default.clone());
        }
        if property.required && !values.contains_key(property.name.as_str()) {
            let at = push_segment("/properties", &property.name);
            problems.push(Problem::new(at, "required", format!("`{}` is required", property.name)));
        }
    }
    values
}
