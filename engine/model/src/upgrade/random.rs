//! Random layers: written and read they stay the same, and merging three ways keeps what each side is owed.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::layer::tests::layer;
use crate::layer::{CUSTOM, Folded};
use crate::registry::Registry;

/// A specification of a property, as packs and tenants write it.
fn property() -> impl Strategy<Value = Value> {
    let label = prop::option::of("[A-C]");
    let options = prop::option::of(prop::collection::btree_map("[x-z]", "[A-C]", 1..3));
    (label, prop::option::of(any::<bool>()), options).prop_map(|(label, required, options)| {
        let mut spec = Map::new();
        spec.extend(label.map(|label| ("label".to_owned(), json!(label))));
        spec.extend(required.map(|required| ("required".to_owned(), json!(required))));
        spec.extend(options.map(|options| ("options".to_owned(), json!(options))));
        Value::Object(spec)
    })
}

/// What a pack says of the object `thing`.
fn pack() -> impl Strategy<Value = Value> {
    let properties = prop::collection::btree_map("[a-d]", property(), 0..4);
    (prop::option::of("[A-C]"), properties).prop_map(|(label, properties)| {
        let typed = properties.into_iter().map(|(name, mut spec)| {
            let kind = if spec.get("options").is_some() { "enum" } else { "string" };
            spec["type"] = json!(kind);
            (name, spec)
        });
        let mut thing = json!({"properties": typed.collect::<Map<_, _>>()});
        thing["label"] = json!(label.unwrap_or_else(|| "Thing".to_owned()));
        json!({"objects": {"thing": thing}})
    })
}

/// What a tenant says of it.
fn own() -> impl Strategy<Value = Value> {
    let properties = prop::collection::btree_map("[a-d]", property(), 0..4);
    (prop::option::of("[A-C]"), properties).prop_map(|(label, properties)| {
        let said = properties.into_iter().filter(|(_, spec)| spec.as_object().is_some_and(|spec| !spec.is_empty()));
        let mut thing = json!({"properties": said.collect::<Map<_, _>>()});
        label.into_iter().for_each(|label| thing["label"] = json!(label));
        json!({"extend": {"thing": thing}})
    })
}

/// A property as all layers have it.
fn folded<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Map<String, Value> {
    let mut folded = Folded::new("", Map::new(), String::new());
    for layer in layers {
        for spec in layer.objects.values().chain(layer.extend.values()) {
            folded.add(&layer.name, spec.clone(), None);
        }
    }
    folded.spec
}

/// Each place of a layer's `thing` where something stands that is no map, as the way there.
fn leaves(spec: &Map<String, Value>) -> Vec<(Vec<String>, Value)> {
    let mut all = Vec::new();
    for (key, value) in spec {
        match value {
            Value::Object(inner) => {
                let inner = leaves(inner).into_iter();
                all.extend(inner.map(|(way, value)| ([vec![key.clone()], way].concat(), value)));
            }
            value => all.push((vec![key.clone()], value.clone())),
        }
    }
    all
}

/// Maps written the other way round.
fn turned(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect(),
        other => other.clone(),
    }
}

/// The value at a place; an option's by its key.
fn at<'a>(spec: &'a Map<String, Value>, way: &[String]) -> Option<&'a Value> {
    let (last, way) = way.split_last()?;
    way.iter().try_fold(spec, |spec, key| spec.get(key)?.as_object())?.get(last)
}

/// Options merge by their keys, which has a test of its own.
fn without_options(mut document: Value) -> Value {
    for spec in properties(&mut document).filter_map(Value::as_object_mut) {
        spec.shift_remove("options");
        spec.entry("type").and_modify(|kind| *kind = json!("string"));
    }
    document
}

fn properties(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let sections = document.as_object_mut().into_iter().flat_map(Map::values_mut);
    let all = sections.filter_map(|section| section["thing"]["properties"].as_object_mut());
    all.flat_map(Map::values_mut)
}

proptest! {
    #[test]
    fn a_layer_is_what_is_read_of_its_document(below in pack(), above in own()) {
        for document in [below, above] {
            let read = layer("crm", &document);
            let again = layer("crm", &Value::Object(read.document()));
            prop_assert_eq!(read.document(), again.document());
            prop_assert_eq!((read.objects, read.extend), (again.objects, again.extend));
        }
    }

    #[test]
    fn what_layers_come_to_does_not_depend_on_how_maps_are_written(below in pack(), above in own()) {
        let others = [layer("crm", &turned(&without_order(&below))), layer(CUSTOM, &turned(&without_order(&above)))];
        let straight = [layer("crm", &without_order(&below)), layer(CUSTOM, &without_order(&above))];
        let (one, other) = (Registry::fold(&straight).0, Registry::fold(&others).0);
        prop_assert_eq!(one.objects.len(), other.objects.len());
        for (name, object) in &one.objects {
            prop_assert_eq!(&object.spec, &other.objects[name].spec);
        }
    }

    #[test]
    fn without_changes_of_its_own_a_tenant_has_what_the_pack_has(before in pack(), after in pack()) {
        let (before, after) = (layer("crm", &before), layer("crm", &after));
        let own = layer(CUSTOM, &json!({}));
        let (rebased, conflicts) = rebase(&own, &Specs::of([&before]), &Specs::of([&after]), &BTreeMap::new());
        prop_assert_eq!(conflicts, vec![]);
        prop_assert!(rebased.is_empty());
    }

    #[test]
    fn what_the_tenant_says_holds_and_all_else_is_the_pack_s(before in pack(), after in pack(), own in own()) {
        let [before, after, own] = [("crm", before), ("crm", after), (CUSTOM, own)]
            .map(|(name, document)| layer(name, &without_options(document)));
        let (rebased, _) = rebase(&own, &Specs::of([&before]), &Specs::of([&after]), &BTreeMap::new());
        let (whole, packs, tenants) = (folded([&after, &rebased]), folded([&after]), folded([&own]));
        let is_taken = |way: &[String]| {
            // A property that the pack takes stays as the tenant has it, in whole.
            let property = way.get(1).filter(|_| way[0] == "properties");
            property.is_some_and(|property| {
                let has = |layer: &Layer| at(&folded([layer]), &["properties".to_owned(), property.clone()]).is_some();
                !has(&before) && has(&after) && has(&own)
            })
        };
        for (way, value) in leaves(&tenants) {
            prop_assert_eq!(at(&whole, &way), Some(&value), "{:?}", way);
        }
        for (way, value) in leaves(&packs).into_iter().filter(|(way, _)| at(&tenants, way).is_none() && !is_taken(way)) {
            prop_assert_eq!(at(&whole, &way), Some(&value), "{:?}", way);
        }
    }

    #[test]
    fn where_the_pack_s_side_is_accepted_it_holds(before in pack(), after in pack(), own in own()) {
        let [before, after, own] = [("crm", before), ("crm", after), (CUSTOM, own)]
            .map(|(name, document)| layer(name, &without_options(document)));
        let specs = (Specs::of([&before]), Specs::of([&after]));
        let (_, conflicts) = rebase(&own, &specs.0, &specs.1, &BTreeMap::new());
        let accept = conflicts.iter().map(|conflict| (conflict.name.clone(), Side::Pack)).collect();
        let (rebased, told) = rebase(&own, &specs.0, &specs.1, &accept);
        let holds = |side| conflicts.iter().map(|found| Conflict { holds: side, ..found.clone() }).collect::<Vec<_>>();
        prop_assert_eq!((&conflicts, told), (&holds(Side::Tenant), holds(Side::Pack)));
        let whole = folded([&after, &rebased]);
        for conflict in conflicts {
            let head = match conflict.name.split_once('.') {
                Some((_, property)) => vec!["properties".to_owned(), property.to_owned()],
                None => Vec::new(),
            };
            for (way, value) in leaves(conflict.pack.as_object().expect("a side")) {
                let way = [head.clone(), way].concat();
                prop_assert_eq!(at(&whole, &way).unwrap_or(&Value::Null), &value, "{:?}", way);
            }
        }
        // Nothing is in conflict any more.
        prop_assert_eq!(rebase(&rebased, &specs.1, &specs.1, &BTreeMap::new()).1, vec![]);
    }
}

/// Options as lists, whose order counts.
fn without_order(document: &Value) -> Value {
    let mut document = document.clone();
    for spec in properties(&mut document) {
        if let Some(Value::Object(options)) = spec.get("options") {
            let keys: Vec<Value> = options.iter().map(|(key, label)| json!({"key": key, "label": label})).collect();
            spec["options"] = Value::Array(keys);
        }
    }
    document
}
