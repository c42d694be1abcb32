//! Activities of declared types: what a type says of details, and of whom it happens to, is checked wherever a record of
//! that type or a link to one is written.

use engine_model::behavior::ActivityType;
use engine_model::entry::{Entry, EntryKind, EntryType};
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::property::normalize;
use engine_model::{Problem, Problems, Properties, UserId};
use serde_json::Value;
use serde_json::value::to_raw_value;

use super::input::PropertiesInput;
use super::state::State;
use crate::definitions::catalog::{Catalog, shortened};
use crate::timeline::declared;

/// The code of a link between an activity and what its type does not happen to.
pub(crate) const HAPPENS_ELSEWHERE: &str = "not_applicable";

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
    let Some(entry) = activity_entry(object) else { return };
    let Some(taker) = entry.details.as_ref().and_then(|name| object.property(name)) else { return };
    let of = type_property(object, entry);
    let parts = [Some(taker.name.as_str()), of];
    let stays =
        |before: &State| parts.iter().flatten().all(|name| before.properties.get(*name) == properties.get(*name));
    if before.is_some_and(stays) {
        return;
    }
    let Some(word) = type_of(object, entry, properties) else { return };
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

/// Users that the details of an activity name, each with its place; none where they were there before.
pub(super) fn users_in(
    catalog: &Catalog,
    object: &ObjectDefinition,
    before: Option<&Properties>,
    properties: &Properties,
) -> Vec<(String, UserId)> {
    let found = || {
        let entry = activity_entry(object)?;
        let taker = object.property(entry.details.as_ref()?)?.name.as_str();
        let (_, activity) = declared(&catalog.effective.registry, type_of(object, entry, properties)?)?;
        Some((taker, activity, properties.get(taker)?.as_object()?))
    };
    let Some((taker, activity, details)) = found() else { return Vec::new() };
    let at = push_segment("/properties", taker);
    let is_user = |name: &str| activity.detail(name).is_some_and(|detail| detail.kind.name() == "user");
    let present = before.and_then(|before| before.get(taker));
    let is_new = |name: &String, value: &Value| present.and_then(|present| present.get(name)) != Some(value);
    let named = details.iter().filter(|(name, value)| is_user(name) && is_new(name, value));
    named.filter_map(|(name, value)| Some((push_segment(&at, name), value.as_str()?.parse().ok()?))).collect()
}

/// What might be a user among the details that somebody sends, whatever their type.
pub(super) fn users_sent(object: &ObjectDefinition, input: &PropertiesInput) -> Vec<UserId> {
    let taker = activity_entry(object).and_then(|entry| object.property(entry.details.as_ref()?));
    let sent = taker.and_then(|taker| input.0.iter().find(|(name, _)| *name == taker.name.as_str()));
    let details = sent.and_then(|(_, raw)| serde_json::from_str::<Properties>(raw.get()).ok()).unwrap_or_default();
    details.values().filter_map(|value| value.as_str()?.parse().ok()).collect()
}

/// Why an activity with these values is not linked with a record of the object `far` by an association: its type does not
/// happen to such records.
pub(super) fn happens_elsewhere(
    catalog: &Catalog,
    object: &ObjectDefinition,
    properties: &Properties,
    kind: &str,
    far: &str,
) -> Option<String> {
    let entry = activity_entry(object).filter(|entry| entry.about.as_str() == kind)?;
    let word = type_of(object, entry, properties)?;
    let (_, activity) = declared(&catalog.effective.registry, word)?;
    if activity.objects.is_empty() || activity.objects.iter().any(|name| name == far) {
        return None;
    }
    Some(format!("`{word}` happens to records of {}, not of `{far}`", activity.objects.join(", ")))
}

/// What decides of which type an activity will be that is made, or changed, by this input: its type alone.
pub(super) fn type_sent(object: &ObjectDefinition, before: Option<&State>, input: &PropertiesInput) -> Properties {
    let of = activity_entry(object).and_then(|entry| object.property(type_property(object, entry)?));
    let Some(of) = of else { return Properties::new() };
    let name = of.name.as_str();
    let value = match (input.0.iter().find(|(sent, _)| sent == name), before) {
        (Some((_, raw)), _) => serde_json::from_str(raw.get()).ok(),
        (None, Some(before)) => before.properties.get(name).cloned(),
        (None, None) => of.default.clone(),
    };
    value.map(|value| (name.to_owned(), value)).into_iter().collect()
}

/// The property that says of which type an activity of this object is; none where its records are none, or all of one
/// type.
pub(super) fn type_named(object: &ObjectDefinition) -> Option<&str> {
    type_property(object, activity_entry(object)?)
}

/// The association by which records of this object are linked with what they happened to, where they are activities.
pub(super) fn about_of(object: &ObjectDefinition) -> Option<&str> {
    activity_entry(object).map(|entry| entry.about.as_str())
}

fn activity_entry(object: &ObjectDefinition) -> Option<&Entry> {
    object.entry.as_ref().filter(|entry| entry.kind == EntryKind::Activity)
}

/// The property that says of which type an activity is.
fn type_property<'o>(object: &'o ObjectDefinition, entry: &Entry) -> Option<&'o str> {
    match &entry.of {
        Some(EntryType::Property(name)) => object.property(name).map(|property| property.name.as_str()),
        Some(EntryType::Fixed(_)) | None => None,
    }
}

/// The type of an activity with these values.
fn type_of<'a>(object: &'a ObjectDefinition, entry: &'a Entry, properties: &'a Properties) -> Option<&'a str> {
    match &entry.of {
        Some(EntryType::Fixed(name)) => Some(name.as_str()),
        Some(EntryType::Property(_)) | None => properties.get(type_property(object, entry)?)?.as_str(),
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
