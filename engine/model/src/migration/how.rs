//! What becomes of stored values, as it is written, and of one value by it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::expression::Expression;
use crate::name::Name;
use crate::problem::Problem;
use crate::property::{Locale, PropertyKind, Storage, normalize_value};
use crate::spec::SpecReader;

/// What becomes of stored values.
#[derive(Debug, Clone)]
pub(super) enum How {
    /// This, where there is no value, or one that the definition does not take.
    Default(Json),
    /// Another value for each of these.
    Map(BTreeMap<String, Option<Json>>),
    /// What an expression makes of `value` and `record`.
    Convert(Expression),
    /// The values from before another migration.
    Undo(i64),
    /// The same values, which the property had under another name.
    Keep,
}

/// What becomes of values; those of a property that was `renamed` may stay as they are.
pub(super) fn read_how(reader: &mut SpecReader<'_>, renamed: Option<&Name>) -> Option<How> {
    let default = reader.value("default").cloned();
    let map = reader.value("map").cloned();
    let convert = reader.string("convert").map(str::to_owned);
    let undo = reader.count("undo").and_then(|version| i64::try_from(version).ok());
    let given = [default.is_some(), map.is_some(), convert.is_some(), undo.is_some()];
    let given = given.iter().filter(|given| **given).count();
    if renamed.is_some() && given == 0 {
        return Some(How::Keep);
    }
    if given != 1 {
        let at = reader.pointer().to_owned();
        let message = "a migration has exactly one of `default`, `map`, `convert` and `undo`";
        reader.problems().push(Problem::new(at, "invalid", message));
        return None;
    }
    if let Some(source) = convert {
        let compiled = Expression::compile(&source).map_err(|error| error.to_string());
        let compiled = compiled.and_then(|expression| {
            let unknown = expression.names().find(|name| !["value", "record"].contains(name)).map(str::to_owned);
            match unknown {
                None => Ok(expression),
                Some(name) => Err(format!("there is no `{name}` here; an expression sees `value` and `record`")),
            }
        });
        return match compiled {
            Ok(expression) => Some(How::Convert(expression)),
            Err(message) => {
                reader.problem("convert", "invalid_expression", message);
                None
            }
        };
    }
    if let Some(map) = map {
        let pairs = pairs(&map);
        if pairs.is_none() {
            reader.problem("map", "wrong_type", "an object is expected: what each value becomes, null for no value");
        }
        return pairs.map(How::Map);
    }
    default.map(How::Default).or_else(|| undo.map(How::Undo))
}

/// What each value becomes, from an object or a list of pairs.
fn pairs(map: &Json) -> Option<BTreeMap<String, Option<Json>>> {
    let some = |value: &Json| Some(value.clone()).filter(|value| !value.is_null());
    match map {
        Json::Object(map) => Some(map.iter().map(|(key, value)| (key.clone(), some(value))).collect()),
        Json::Array(list) => list
            .iter()
            .map(|pair| match pair.as_array()?.as_slice() {
                [key, value] => Some((key.as_str()?.to_owned(), some(value))),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

impl How {
    /// What a value may have been before, the likeliest first.
    pub(super) fn origins(&self, value: &Json) -> Vec<Json> {
        let mapped_back = |value: &Json| match self {
            Self::Map(map) => map.iter().find(|(_, to)| to.as_ref() == Some(value)).map(|(from, _)| json!(from)),
            Self::Default(_) | Self::Convert(_) | Self::Undo(_) | Self::Keep => None,
        };
        let back = match value {
            Json::Array(list) => {
                Some(list.iter().map(|one| mapped_back(one).unwrap_or_else(|| one.clone())).collect::<Json>())
            }
            value => mapped_back(value),
        };
        let text = (value.is_number() || value.is_boolean()).then(|| json!(value.to_string()));
        back.into_iter().chain([value.clone()]).chain(text).collect()
    }
}

/// Another value where the map has one; each element of a list by itself.
pub(super) fn mapped(
    map: &BTreeMap<String, Option<Json>>,
    kind: &dyn PropertyKind,
    value: &Json,
) -> Result<Option<Json>, String> {
    let one = |value: &Json| {
        let key = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        map.get(&key).cloned().unwrap_or_else(|| Some(value.clone()))
    };
    match value {
        Json::Array(list) => normal(kind, &list.iter().filter_map(one).collect()),
        value => one(value).map_or(Ok(None), |value| normal(kind, &value)),
    }
}

/// What a map makes of a value, or of an element of a list, as the type keeps it.
pub(super) fn mapped_to(kind: &dyn PropertyKind, target: &Json) -> Result<Option<Json>, String> {
    match kind.storage() {
        Storage::TextList if !target.is_array() => normal(kind, &json!([target])),
        _ => normal(kind, target),
    }
}

/// A value as the type keeps it; archived options are kept as they are.
pub(super) fn normal(kind: &dyn PropertyKind, value: &Json) -> Result<Option<Json>, String> {
    match normalize_value(kind, value, &Locale::default()) {
        Ok(value) => Ok(value),
        Err(faults) if faults.iter().all(|fault| fault.code == "archived_option") => Ok(Some(value.clone())),
        Err(faults) => Err(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")),
    }
}

pub(super) fn is_valid(kind: &dyn PropertyKind, value: &Json) -> bool {
    normal(kind, value).is_ok_and(|normal| normal.as_ref() == Some(value))
}
