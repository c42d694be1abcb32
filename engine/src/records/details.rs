//! Details of activities: what a type declares is checked wherever a record of that type is written.

use engine_model::behavior::ActivityType;
use engine_model::entry::{EntryKind, EntryType};
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::property::normalize;
use engine_model::{Problem, Problems, Properties};
use serde_json::Value;
use serde_json::value::to_raw_value;

use super::input::PropertiesInput;
use super::state::State;
use crate::definitions::catalog::{Catalog, shortened};
use crate::timeline::declared;

/// Brings the details of a record that is an activity of a declared type to normal form, and tells what is wrong with
/// them. Details that were there before, of the same type, stand in the way of nothing; the list of types is open, and
/// of one that nobody declares nothing is known.
pub(super) fn check_details(
    catalog: &Catalog,
    object: &ObjectDefinition,
    before: Option<&State>,
    properties: &mut Properties,
    problems: &mut Problems,
) {
    let Some(entry) = object.entry.as_ref().filter(|entry| entry.kind == EntryKind::Activity) else { return };
    let Some(taker) = entry.details.as_ref().and_then(|name| object.property(name)) else { return };
    let of = match &entry.of {
        Some(EntryType::Property(name)) => object.property(name).map(|property| property.name.as_str()),
        Some(EntryType::Fixed(_)) | None => None,
    };
    let parts = [Some(taker.name.as_str()), of];
    let stays =
        |before: &State| parts.iter().flatten().all(|name| before.properties.get(*name) == properties.get(*name));
    if before.is_some_and(stays) {
        return;
    }
    let word = match &entry.of {
        Some(EntryType::Fixed(name)) => Some(name.as_str()),
        Some(EntryType::Property(_)) | None => of.and_then(|name| properties.get(name)?.as_str()),
    };
    let Some(word) = word else { return };
    let registry = &catalog.effective.registry;
    let Some((_, activity)) = declared(registry, word) else {
        let plain = word.trim().to_lowercase();
        if let Some(of) = of.filter(|_| declared(registry, &plain).is_some()) {
            let message = format!("the type `{}` is written `{plain}`", shortened(word));
            problems.push(Problem::new(push_segment("/properties", of), "invalid", message));
        }
        return;
    };
    let name = taker.name.to_string();
    let given = match properties.get(&name) {
        None => PropertiesInput::default(),
        // JSON values always serialise.
        Some(Value::Object(map)) => PropertiesInput(
            map.iter().filter_map(|(name, value)| Some((name.clone(), to_raw_value(value).ok()?))).collect(),
        ),
        Some(_) => {
            let message = format!("the details of `{word}` are an object of names and values");
            problems.push(Problem::new(push_segment("/properties", &name), "wrong_type", message));
            return;
        }
    };
    let details = read_details(catalog, (word, activity), &given, &push_segment("/properties", &name), problems);
    if !details.is_empty() || properties.contains_key(&name) {
        properties.insert(name, Value::Object(details));
    }
}

/// What is told of an activity, in normal form and in the order of its type.
pub(crate) fn read_details(
    catalog: &Catalog,
    (of, activity): (&str, &ActivityType),
    input: &PropertiesInput,
    pointer: &str,
    problems: &mut Problems,
) -> Properties {
    let before = problems.len();
    let mut given = Properties::new();
    for (name, raw) in &input.0 {
        let at = push_segment(pointer, name);
        let Some(property) = activity.detail(name) else {
            let known = activity.details.values().filter(|detail| !detail.archived).map(|detail| detail.name.as_str());
            let message = format!("`{}` is no detail of `{of}`{}", shortened(name), did_you_mean(name, known));
            problems.push(Problem::new(at, "unknown_property", message));
            continue;
        };
        match normalize(property.kind.as_ref(), raw, &catalog.locale) {
            Ok(value) => drop(value.map(|value| given.insert(name.clone(), value))),
            Err(faults) => problems.extend(
                faults
                    .into_iter()
                    .map(|fault| Problem::new(format!("{at}{}", fault.pointer), fault.code, fault.message)),
            ),
        }
    }
    let mut details = Properties::new();
    for property in activity.details.values().filter(|property| !property.archived) {
        let name = property.name.as_str();
        let is_wrong = || problems[before..].iter().any(|problem| problem.pointer == push_segment(pointer, name));
        match given.shift_remove(name).or_else(|| property.default.clone()) {
            Some(value) => drop(details.insert(name.to_owned(), value)),
            None if property.required && !is_wrong() => {
                let at = push_segment(pointer, name);
                problems.push(Problem::new(at, "required", format!("`{name}` is required")));
            }
            None => {}
        }
    }
    if problems.len() == before
        && let Some(validator) = catalog.effective.details_validator(of, activity)
    {
        let whole = Value::Object(details);
        for error in validator.iter_errors(&whole) {
            let at = format!("{pointer}{}", error.instance_path());
            problems.push(Problem::new(at, "invalid", error.to_string()));
        }
        return match whole {
            Value::Object(details) => details,
            _ => Properties::new(),
        };
    }
    details
}
