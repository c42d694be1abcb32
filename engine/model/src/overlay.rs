//! What a tenant's layer must say so that the fold of a pack's definition and it is the definition wanted.
//!
//! The inverse of [`crate::layer::merge`]: it names only what differs, so that everything else keeps following
//! the pack through its upgrades.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::layer::option_entries;
use crate::problem::{Problem, Problems};

/// The overlay that turns `base` into `wanted`; neither holds nulls.
pub fn difference(base: &Map<String, Value>, wanted: &Map<String, Value>) -> Map<String, Value> {
    let mut overlay = Map::new();
    for (key, new) in wanted {
        let differs = match (base.get(key), new) {
            (Some(old), new) if old == new => None,
            (Some(old), new) if key == "options" => options(old, new),
            (Some(Value::Object(old)), Value::Object(new)) => {
                Some(difference(old, new)).filter(|inner| !inner.is_empty()).map(Value::Object)
            }
            (_, new) => Some(new.clone()),
        };
        if let Some(differs) = differs {
            overlay.insert(key.clone(), differs);
        }
    }
    for key in base.keys().filter(|key| !wanted.contains_key(*key)) {
        overlay.insert(key.clone(), Value::Null);
    }
    overlay
}

/// [`difference`] for an object or an association: constraints add up and cannot be taken away.
pub fn of_definition(
    base: &Map<String, Value>,
    wanted: &Map<String, Value>,
    problems: &mut Problems,
) -> Map<String, Value> {
    let (mut base, mut wanted) = (base.clone(), wanted.clone());
    let (old, new) = (base.shift_remove("constraints"), wanted.shift_remove("constraints"));
    let mut overlay = difference(&base, &wanted);
    let old: Vec<Value> = old.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let new = match new {
        Some(Value::Array(list)) => list,
        None => Vec::new(),
        // No list at all; the reader of the whole says so.
        Some(other) => {
            overlay.insert("constraints".to_owned(), other);
            return overlay;
        }
    };
    for kept in old.iter().filter(|kept| !new.contains(kept)) {
        let message = format!("the constraint {kept} comes with the pack and cannot be taken away; list it too");
        problems.push(Problem::new("/constraints", "immutable", message));
    }
    let added: Vec<Value> = new.into_iter().filter(|constraint| !old.contains(constraint)).collect();
    if !added.is_empty() {
        overlay.insert("constraints".to_owned(), Value::Array(added));
    }
    overlay
}

/// [`difference`] for a pipeline: stages in another order are listed in full.
pub fn of_pipeline(base: &Map<String, Value>, wanted: &Map<String, Value>) -> Map<String, Value> {
    let mut overlay = difference(base, wanted);
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (base.get("stages"), wanted.get("stages")) else {
        return overlay;
    };
    let kept = old.keys().filter(|name| new.contains_key(*name));
    let merged = kept.chain(new.keys().filter(|name| !old.contains_key(*name)));
    if !merged.eq(new.keys()) {
        overlay.insert("stages".to_owned(), new.iter().map(|(name, stage)| listed(name, stage)).collect());
    }
    overlay
}

fn listed(name: &str, stage: &Value) -> Value {
    let mut entry = Map::from_iter([("name".to_owned(), json!(name))]);
    match stage {
        Value::String(label) => drop(entry.insert("label".to_owned(), json!(label))),
        Value::Object(spec) => entry.extend(spec.clone()),
        // No form of a stage; the reader of the whole says so.
        other => return other.clone(),
    }
    Value::Object(entry)
}

/// The options to lay over `base` so that exactly those of `wanted` are there, in their order; `None` where they are.
fn options(base: &Value, wanted: &Value) -> Option<Value> {
    let (Some(old), Some(new)) = (option_entries(base), option_entries(wanted)) else { return Some(wanted.clone()) };
    let is_ordered_by_number = old.values().any(|entry| entry.contains_key("order"));
    let kept: Vec<&String> = old.keys().filter(|key| new.contains_key(*key)).collect();
    let keeps_order = kept.iter().copied().eq(new.keys().take(kept.len()));
    let names_all = !keeps_order || is_ordered_by_number;
    let mut overlay: Vec<Value> = new.iter().filter_map(|(key, entry)| changed(key, entry, &old, names_all)).collect();
    let removed = old.keys().filter(|key| !new.contains_key(*key));
    overlay.extend(removed.map(|key| json!({"key": key, "removed": true})));
    (!overlay.is_empty()).then_some(Value::Array(overlay))
}

fn changed(
    key: &str,
    entry: &Map<String, Value>,
    old: &IndexMap<String, Map<String, Value>>,
    names_all: bool,
) -> Option<Value> {
    let Some(present) = old.get(key) else { return Some(Value::Object(entry.clone())) };
    let mut overlay = Map::from_iter([("key".to_owned(), json!(key))]);
    overlay.extend(difference(present, entry));
    (names_all || overlay.len() > 1).then_some(Value::Object(overlay))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layer::merge;
    use crate::name::Name;
    use crate::property::{EnumOption, Property};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    fn overlay(base: Value, wanted: Value) -> Value {
        Value::from(difference(&map(base), &map(wanted)))
    }

    #[test]
    fn only_what_differs_is_named() {
        assert_eq!(
            overlay(
                json!({"label": "Deal", "icon": "x", "properties": {"a": {"type": "string"}, "b": {"type": "date", "label": "B"}}}),
                json!({"label": "Sale", "properties": {"a": {"type": "string"}, "b": {"type": "date", "unique": true}, "c": {"type": "text"}}}),
            ),
            json!({"label": "Sale", "properties": {"b": {"unique": true, "label": null}, "c": {"type": "text"}}, "icon": null})
        );
        assert_eq!(overlay(json!({"a": 1}), json!({"a": 1})), json!({}));
    }

    #[test]
    fn options_are_named_only_as_far_as_they_differ() {
        let base = json!({"options": {"new": "New", "old": {"label": "Old", "color": "red"}, "odd": null}});
        let wanted = json!({"options": [{"key": "new", "label": "New"}, {"key": "old", "label": "Older"}, "more"]});
        assert_eq!(
            overlay(base, wanted),
            json!({"options": [
                {"key": "old", "label": "Older", "color": null}, {"key": "more"}, {"key": "odd", "removed": true},
            ]})
        );
        assert_eq!(
            overlay(json!({"options": ["a", "b"]}), json!({"options": ["b", "a"]})),
            json!({"options": [{"key": "b"}, {"key": "a"}]})
        );
    }

    #[test]
    fn a_pack_s_constraints_stay() {
        let base = map(json!({"constraints": [{"unique": ["a"]}]}));
        let mut problems = Problems::new();
        let wanted = map(json!({"constraints": [{"unique": ["b"]}, {"unique": ["a"]}]}));
        assert_eq!(
            Value::from(of_definition(&base, &wanted, &mut problems)),
            json!({"constraints": [{"unique": ["b"]}]})
        );
        assert_eq!(problems, []);
        assert!(of_definition(&base, &Map::new(), &mut problems).is_empty());
        assert_eq!((problems[0].pointer.as_str(), problems[0].code), ("/constraints", "immutable"));
        assert!(problems[0].message.contains(r#"{"unique":["a"]}"#));
    }

    #[test]
    fn stages_in_another_order_are_listed() {
        let base = map(json!({"stages": {"open": "Open", "won": {"type": "won"}}}));
        let appended = map(json!({"stages": {"open": "Open", "won": {"type": "won"}, "lost": {}}}));
        assert_eq!(Value::from(of_pipeline(&base, &appended)), json!({"stages": {"lost": {}}}));
        let inserted = map(json!({"stages": {"open": "Open", "lost": {}, "won": {"type": "won"}}}));
        assert_eq!(
            Value::from(of_pipeline(&base, &inserted)),
            json!({"stages": [{"name": "open", "label": "Open"}, {"name": "lost"}, {"name": "won", "type": "won"}]})
        );
        let fewer = map(json!({"stages": {"won": {"type": "won"}}}));
        assert_eq!(Value::from(of_pipeline(&base, &fewer)), json!({"stages": {"open": null}}));
    }

    /// What the reader makes of options: keys, labels, colours, in order.
    fn canonical(options: &Value) -> Vec<(String, String, Option<String>, bool)> {
        let spec = json!({"type": "enum", "options": options});
        let mut problems = Problems::new();
        let name = Name::new("a").expect("a name");
        let property = Property::read(name, &spec, "crm", "", &mut problems);
        assert_eq!(problems, []);
        let property = property.expect("a property");
        let option =
            |option: &EnumOption| (option.key.clone(), option.label.clone(), option.color.clone(), option.archived);
        property.kind.options().iter().map(option).collect()
    }

    fn option() -> impl Strategy<Value = Map<String, Value>> {
        let label = prop::option::of("[A-C]");
        let order = prop::option::weighted(0.2, 0_u64..6);
        (label, prop::option::of("[r-t]"), prop::bool::weighted(0.3), order).prop_map(
            |(label, color, archived, order)| {
                let mut entry = Map::new();
                for (key, value) in [("label", label), ("color", color)] {
                    entry.extend(value.map(|value| (key.to_owned(), json!(value))));
                }
                entry.extend(archived.then(|| ("archived".to_owned(), json!(true))));
                entry.extend(order.map(|order| ("order".to_owned(), json!(order))));
                entry
            },
        )
    }

    fn option_list() -> impl Strategy<Value = Value> {
        prop::collection::hash_map("[a-f]", option(), 0..6).prop_map(|entries| {
            entries
                .into_iter()
                .map(|(key, spec)| {
                    let mut entry = Map::from_iter([("key".to_owned(), json!(key))]);
                    entry.extend(spec);
                    Value::Object(entry)
                })
                .collect()
        })
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from), Just(json!(["x"]))];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop::collection::hash_map("[a-d]", inner, 0..4).prop_map(|map| map.into_iter().collect())
        })
    }

    proptest! {
        #[test]
        fn laid_over_the_base_it_gives_what_is_wanted(base in tree(), wanted in tree()) {
            let (Value::Object(base), Value::Object(wanted)) = (base, wanted) else { return Ok(()) };
            let mut merged = base.clone();
            merge(&mut merged, difference(&base, &wanted));
            prop_assert_eq!(merged, wanted);
        }

        #[test]
        fn exactly_the_wanted_options_become_effective(base in option_list(), wanted in option_list()) {
            let mut merged = map(json!({"options": base}));
            merge(&mut merged, difference(&map(json!({"options": base})), &map(json!({"options": wanted}))));
            prop_assert_eq!(canonical(&merged["options"]), canonical(&wanted));
        }
    }
}
