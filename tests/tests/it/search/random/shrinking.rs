//! Queries that ask a little less than another, to find the least that goes wrong.

use serde_json::{Map, Value, json};

/// Every query that is one step smaller.
pub(super) fn smaller(query: &Value) -> Vec<Value> {
    let mut found = without_a_member(query, &["q", "filter", "sort", "aggregate", "archived"]);
    found.extend(with(query, "filter", &query["filter"], &smaller_filters(&query["filter"])));
    found.extend(with(query, "sort", &query["sort"], &shorter(&query["sort"])));
    let tables = query["aggregate"].as_object().cloned().unwrap_or_default();
    for (name, table) in &tables {
        let rest: Map<_, _> = tables.iter().filter(|(other, _)| *other != name).map(owned).collect();
        found.extend(with(query, "aggregate", &query["aggregate"], &[Value::Object(rest.clone())]));
        for smaller in smaller_tables(table) {
            let changed = tables.iter().map(owned).map(|(other, table)| match other == *name {
                true => (other, smaller.clone()),
                false => (other, table),
            });
            found.push(replaced(query, "aggregate", json!(changed.collect::<Map<_, _>>())));
        }
    }
    found
}

fn smaller_filters(filter: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for form in ["all", "any"] {
        found.extend(filter[form].as_array().into_iter().flatten().cloned());
        found.extend(shorter(&filter[form]).into_iter().map(|list| json!({form: list})));
        for (at, inner) in filter[form].as_array().into_iter().flatten().enumerate() {
            for smaller in smaller_filters(inner) {
                let mut changed = filter.clone();
                changed[form][at] = smaller;
                found.push(changed);
            }
        }
    }
    for form in ["not", "match"] {
        if !filter[form].is_null() {
            found.extend(with(filter, form, &filter[form], &smaller_filters(&filter[form])));
        }
    }
    if filter["not"].is_object() {
        found.push(filter["not"].clone());
    }
    if filter["association"].is_string() {
        found.extend(without_a_member(filter, &["match", "quantifier", "count"]));
    }
    found.extend(with(filter, "value", &filter["value"], &shorter(&filter["value"])));
    found
}

fn smaller_tables(table: &Value) -> Vec<Value> {
    let mut found = without_a_member(table, &["group", "measures", "limit", "order"]);
    for list in ["group", "order"] {
        found.extend(with(table, list, &table[list], &shorter(&table[list])));
    }
    for name in table["measures"].as_object().into_iter().flat_map(Map::keys) {
        let mut changed = table.clone();
        changed["measures"].as_object_mut().unwrap().remove(name);
        found.push(changed);
    }
    found
}

fn without_a_member(object: &Value, names: &[&str]) -> Vec<Value> {
    let present = names.iter().filter(|name| object.get(**name).is_some());
    let without = |name: &&str| {
        let mut changed = object.clone();
        changed.as_object_mut().unwrap().remove(*name);
        changed
    };
    present.map(without).collect()
}

/// A list without one of its elements, in every way; nothing for what is no list, or one of fewer than two.
fn shorter(list: &Value) -> Vec<Value> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() < 2 {
        return Vec::new();
    }
    let without =
        |at: usize| list.iter().enumerate().filter(move |(other, _)| *other != at).map(|(_, one)| one.clone());
    (0..list.len()).map(|at| without(at).collect()).collect()
}

/// The object with a member replaced in each of these ways; none where it has no such member.
fn with(object: &Value, name: &str, member: &Value, values: &[Value]) -> Vec<Value> {
    if member.is_null() {
        Vec::new()
    } else {
        values.iter().map(|value| replaced(object, name, value.clone())).collect()
    }
}

fn replaced(object: &Value, name: &str, value: Value) -> Value {
    let mut changed = object.clone();
    changed[name] = value;
    changed
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}
