//! What packs and the own layer come to, property by property, without the engine's fold.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definitions::Shot;
use super::packs;
use super::reference::{Reference, typed};

/// What is compared of a property.
const KEYS: [&str; 7] = ["type", "label", "required", "unique", "minimum", "formula", "migration"];

type Properties = BTreeMap<(String, String), Map<String, Value>>;

/// What is otherwise than it should be.
pub(super) fn check(reference: &Reference, after: &Shot) -> Result<(), String> {
    let expected = expected(reference, &after.own);
    let mut found = Properties::new();
    for object in after.catalog.effective.registry.objects.values().filter(|object| !object.archived) {
        for property in object.properties.values().filter(|property| !property.archived && property.layer != "engine") {
            let spec = property.spec.iter().filter(|(key, _)| KEYS.contains(&key.as_str()));
            let spec = spec.map(|(key, value)| (key.clone(), value.clone())).collect();
            found.insert((object.name.to_string(), property.name.to_string()), spec);
        }
    }
    let names = expected.keys().chain(found.keys());
    let wrong: Vec<String> = names
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| format!("{name:?} is {:?} instead of {:?}", found.get(name), expected.get(name)))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("the fold: {}", wrong.join("\n"))) }
}

fn expected(reference: &Reference, own: &Value) -> Properties {
    let mut objects: BTreeMap<String, Value> = BTreeMap::new();
    for (name, pack) in &reference.packs {
        if let Some(number) = pack.installed {
            lay(&mut objects, &packs::document(name, number));
        }
        let is_shared = |key: &(String, Option<String>)| {
            let others = reference.packs.iter().filter(|(other, _)| *other != name);
            others
                .filter_map(|(other, pack)| pack.installed.map(|number| typed(&packs::document(other, number))))
                .any(|typed| typed.contains_key(key))
        };
        // What another pack has, too, is not gone.
        for ((object, property), spec) in pack.left.iter().filter(|(key, _)| !is_shared(key)) {
            let spec = match property {
                Some(property) => json!({"properties": {(property.as_str()): spec}}),
                None => spec.clone(),
            };
            lay(&mut objects, &json!({"extend": {(object.as_str()): spec}}));
        }
    }
    lay(&mut objects, own);
    let mut all = Properties::new();
    for (object, spec) in objects.iter().filter(|(_, spec)| spec["archived"] != true) {
        for (property, spec) in spec["properties"].as_object().into_iter().flatten() {
            if spec["archived"] != true && spec.get("type").is_some() {
                let spec = spec.as_object().into_iter().flatten().filter(|(key, _)| KEYS.contains(&key.as_str()));
                let spec = spec.map(|(key, value)| (key.clone(), value.clone())).collect();
                all.insert((object.clone(), property.clone()), spec);
            }
        }
    }
    all
}

fn lay(objects: &mut BTreeMap<String, Value>, document: &Value) {
    for section in ["objects", "extend"] {
        for (name, spec) in document[section].as_object().into_iter().flatten() {
            merge(objects.entry(name.clone()).or_insert_with(|| json!({})), spec);
        }
    }
}

fn merge(base: &mut Value, over: &Value) {
    for (key, value) in over.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(base.as_object_mut().and_then(|base| base.remove(key))),
            Value::Object(_) if base[key].is_object() => merge(&mut base[key], value),
            value => base[key] = value.clone(),
        }
    }
}
