//! The seeds fit the shipped packs: every record is in shape, every link leads somewhere, every map names what exists.

use std::collections::HashSet;

use super::shipped::{profiles, registry, root};
use super::*;
use crate::object::ObjectDefinition;
use crate::property::{Locale, Property, normalize_value};

fn yaml_file(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a text");
    let mut problems = Vec::new();
    let document = yaml::parse(&path.display().to_string(), &text, &mut Budget::default(), &mut problems);
    assert_eq!(problems, []);
    document.expect("a document").value
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    value[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn property<'a>(object: &'a ObjectDefinition, name: &str) -> &'a Property {
    object.property(name).unwrap_or_else(|| panic!("{} has no property {name}", object.name))
}

/// Checks a link's type, its far end and the unique property there.
fn check_link(registry: &Registry, from: &str, association: &str, to: &str, by: &str) {
    let definition = &registry.associations[association];
    assert_eq!(definition.from.as_str(), from, "{association}");
    assert!(definition.to.accepts(to), "{association} to {to}");
    assert!(property(&registry.objects[to], by).unique, "{to}.{by}");
}

#[test]
fn demo_records_are_in_shape_and_links_find_what_came_before() {
    let registry = registry(&profiles()[0]);
    let folder = root().join("seeds/demo");
    let seed = yaml_file(&folder.join("seed.yaml"));
    let mut known: HashSet<(String, String, String)> = HashSet::new();
    let mut records = 0;
    for entry in seed["records"].as_array().expect("a list") {
        let object = &registry.objects[entry["object"].as_str().expect("an object")];
        let file = entry["file"].as_str().expect("a file");
        for line in fs::read_to_string(folder.join(file)).expect("a text").lines() {
            let record: Value = serde_json::from_str(line).expect("JSON");
            let properties = record["properties"].as_object().expect("properties");
            for (name, value) in properties {
                let property = property(object, name);
                let normal = normalize_value(property.kind.as_ref(), value, &Locale::default());
                let normal =
                    normal.unwrap_or_else(|faults| panic!("{file} {name} {value}: {faults:?}")).expect("a value");
                if property.unique {
                    let key = (object.name.to_string(), name.clone(), property.kind.unique_key(&normal));
                    assert!(known.insert(key), "{file}: {value} twice");
                }
            }
            for property in object.properties.values().filter(|property| property.required) {
                assert!(properties.contains_key(property.name.as_str()), "{file}: {} is missing", property.name);
            }
            for link in record["links"].as_array().into_iter().flatten() {
                let [to, by, value] = ["object", "property", "value"].map(|key| link["to"][key].as_str().expect(key));
                let association = link["type"].as_str().expect("a type");
                check_link(&registry, &object.name, association, to, by);
                assert!(known.contains(&(to.to_owned(), by.to_owned(), value.to_owned())), "{file}: {link}");
                let labels = &registry.associations[association].labels;
                assert!(link["label"].as_str().is_none_or(|label| labels.contains_key(label)), "{file}: {link}");
            }
            records += 1;
        }
    }
    assert_eq!(records, 150);
}

#[test]
fn demo_deals_are_the_sum_of_their_lines() {
    let folder = root().join("seeds/demo");
    let lines = |file: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(file)).expect("a text");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let cents = |value: &Value| value.as_str().expect("an amount").replace('.', "").parse::<i64>().expect("digits");
    for deal in lines("deals.ndjson") {
        let reference = &deal["properties"]["reference"];
        let of_deal = |line: &&Value| line["links"][0]["to"]["value"] == *reference;
        let items = lines("line_items.ndjson");
        let amounts: Vec<i64> = items.iter().filter(of_deal).map(|line| cents(&line["properties"]["amount"])).collect();
        if !amounts.is_empty() {
            assert_eq!(amounts.iter().sum::<i64>(), cents(&deal["properties"]["amount"]), "{reference}");
        }
    }
}

#[test]
fn import_maps_name_only_what_exists() {
    let mut maps = 0;
    for profile in profiles() {
        let prefixes: &[&str] = match profile.name.as_str() {
            "generic" => &["sales-"],
            "healthcare" => &["healthcare-"],
            _ => &["construction-"],
        };
        let registry = registry(&profile);
        for entry in fs::read_dir(root().join("seeds/maps")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
                let map = yaml_file(&path);
                // Users are no object of a pack.
                match map["object"].as_str() {
                    Some("user") => check_map_of_users(&map, name),
                    _ => check_map(&registry, &map, name),
                }
                maps += 1;
            }
        }
    }
    assert_eq!(maps, 14);
}

fn check_map_of_users(map: &Value, name: &str) {
    let properties = ["name", "email", "role", "time_zone", "locale"];
    let columns = map["columns"].as_object().expect("columns").values().map(|target| target.as_str().expect("a name"));
    let constants = map["constants"].as_object().into_iter().flat_map(|constants| constants.keys().map(String::as_str));
    let filled: Vec<&str> = columns.chain(constants).collect();
    assert!(filled.iter().all(|property| properties.contains(property)), "{name}: {filled:?}");
    assert!(filled.contains(&map["key"].as_str().expect("a key")), "{name}");
}

fn check_map(registry: &Registry, map: &Value, name: &str) {
    let keys: Vec<&str> = map.as_object().expect("a map").keys().map(String::as_str).collect();
    let known = ["object", "key", "columns", "compose", "constants", "skip_without", "ignore"];
    assert!(keys.iter().all(|key| known.contains(key)), "{name}: {keys:?}");
    let object = &registry.objects[map["object"].as_str().expect("an object")];
    let key = map["key"].as_str().expect("a key");
    assert!(property(object, key).unique, "{name}: {key}");
    let mut filled: HashSet<&str> = HashSet::new();
    let columns = map["columns"].as_object().expect("columns");
    for (column, targets) in columns {
        let one = std::slice::from_ref(targets);
        for target in targets.as_array().map_or(one, Vec::as_slice) {
            filled.extend(check_target(registry, object, target));
        }
        assert!(!texts(map, "ignore").contains(&column.as_str()), "{name}: {column} is mapped and ignored");
    }
    for (property_name, value) in map["constants"].as_object().into_iter().flatten() {
        let kind = &property(object, property_name).kind;
        assert!(normalize_value(kind.as_ref(), value, &Locale::default()).is_ok(), "{name}: {property_name} {value}");
        filled.insert(property_name);
    }
    for (property_name, template) in map["compose"].as_object().into_iter().flatten() {
        property(object, property_name);
        filled.insert(property_name);
        for column in template.as_str().expect("a text").split('{').skip(1).filter_map(|part| part.split_once('}')) {
            let is_known = columns.contains_key(column.0) || !texts(map, "ignore").contains(&column.0);
            assert!(is_known, "{name}: {} is ignored", column.0);
        }
    }
    assert!(filled.contains(key), "{name}: nothing fills {key}");
    // The second run over the accounts only adds links to records that are there.
    if name != "sales-subsidiaries.yaml" {
        for property in object.properties.values().filter(|property| property.required && property.default.is_none()) {
            assert!(filled.contains(property.name.as_str()), "{name}: nothing fills {}", property.name);
        }
    }
}

/// The property that a target fills, if it is one.
fn check_target<'a>(registry: &Registry, object: &ObjectDefinition, target: &'a Value) -> Option<&'a str> {
    if let Some(association) = target["link"].as_str() {
        let [to, by] = ["object", "by"].map(|key| target[key].as_str().expect(key));
        check_link(registry, &object.name, association, to, by);
        return None;
    }
    if target["owner"].is_string() {
        return None;
    }
    let name = target.as_str().or(target["property"].as_str()).expect("a property");
    let property = property(object, name);
    for value in target["values"].as_object().into_iter().flat_map(|values| values.values()) {
        let options = property.kind.options();
        let is_option = options.is_empty() || options.iter().any(|option| Some(option.key.as_str()) == value.as_str());
        assert!(is_option || value.is_null(), "{name}: {value}");
    }
    Some(name)
}
