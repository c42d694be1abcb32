//! How values become others, and the way back.

use serde_json::{Value as Json, json};

use super::*;
use crate::layer::CUSTOM;
use crate::layer::tests::layer;
use crate::registry::Registry;

fn object(property: Json) -> ObjectDefinition {
    let properties = json!({"a": property, "other": {"type": "string"}});
    let (registry, problems) = Registry::fold(&[layer("core", &json!({"objects": {"o": {"properties": properties}}}))]);
    assert_eq!(problems, []);
    registry.objects["o"].clone()
}

/// What a record becomes, without what is hidden; and why a value has none.
fn forward(property: Json, stored: Json) -> (Json, Vec<String>) {
    let object = object(property);
    let mut properties = stored.as_object().cloned().expect("an object");
    let (_, failed) = object.forward(&mut properties);
    properties.retain(|key, _| !is_hidden(key));
    (Json::Object(properties), failed.into_iter().map(|(_, reason)| reason).collect())
}

fn with(spec: Json, how: Json) -> Json {
    let (mut spec, mut how) = (spec, how);
    how["version"] = json!(7);
    spec["migrated"] = how;
    spec
}

#[test]
fn a_default_is_for_what_is_missing_or_not_valid_any_more() {
    let spec = with(json!({"type": "integer", "maximum": 9, "required": true}), json!({"default": 5}));
    assert_eq!(forward(spec.clone(), json!({"a": 3})).0, json!({"a": 3}));
    assert_eq!(forward(spec.clone(), json!({"a": 30})).0, json!({"a": 5}));
    assert_eq!(forward(spec, json!({"other": "x"})).0, json!({"other": "x", "a": 5}));
}

#[test]
fn a_property_takes_over_what_another_name_had_and_gives_it_back() {
    let way = |how: Json| with(json!({"type": "string"}), how);
    let there = way(json!({"rename": "old", "convert": "'S' + string(value)", "before": {"type": "integer"}}));
    let back = json!({"properties": {"old": {"type": "integer", "migrated":
        {"rename": "a", "undo": 7, "version": 8, "before": {"type": "string"}}}}});
    let layers = [layer("core", &json!({"objects": {"o": back}}))];
    let (back, problems) = Registry::fold(&layers);
    assert_eq!(problems, []);
    let mut properties = json!({"old": 1}).as_object().cloned().expect("an object");
    let object = object(there);
    let shown = |properties: &Properties| {
        let mut shown = properties.clone();
        shown.retain(|key, _| !is_hidden(key));
        Json::Object(shown)
    };
    assert!(object.bring_forward(&mut properties));
    assert_eq!(shown(&properties), json!({"a": "S1"}));
    let before: Vec<_> = object.values_before(&properties).map(|(name, value)| (name.as_str(), value)).collect();
    assert_eq!(before, [("a", None), ("old", Some(json!(1)))]);
    let mut changed = properties.clone();
    assert!(back.objects["o"].bring_forward(&mut properties));
    assert_eq!(shown(&properties), json!({"old": 1}));
    // What has been changed since goes back as it is, as far as it may.
    forget_before(&mut changed, "a");
    changed.insert("a".to_owned(), json!("7"));
    let (_, failed) = back.objects["o"].forward(&mut changed);
    assert_eq!((shown(&changed), failed.len()), (json!({}), 1));
}

#[test]
fn a_map_says_what_each_value_becomes() {
    let spec = with(json!({"type": "enum", "options": ["new", "gone"]}), json!({"map": {"old": "new", "odd": null}}));
    let of = |value: &str| forward(spec.clone(), json!({"a": value}));
    assert_eq!([of("old").0, of("gone").0, of("odd").0], [json!({"a": "new"}), json!({"a": "gone"}), json!({})]);
    assert_eq!((of("bad").0, of("bad").1.len()), (json!({}), 1));
    let list = with(json!({"type": "multi_enum", "options": ["b", "c"]}), json!({"map": {"a": "b", "d": null}}));
    assert_eq!(forward(list, json!({"a": ["a", "c", "d"]})).0, json!({"a": ["b", "c"]}));
}

#[test]
fn an_expression_sees_the_value_as_it_was_and_the_record() {
    let before = json!({"type": "string"});
    let convert = |source: &str| json!({"convert": source, "before": before});
    let to_integer = with(json!({"type": "integer"}), convert("int(value)"));
    assert_eq!(forward(to_integer.clone(), json!({"a": "12"})).0, json!({"a": 12}));
    assert_eq!(forward(to_integer.clone(), json!({})).0, json!({}));
    assert_eq!(forward(to_integer, json!({"a": "x"})).1.len(), 1);
    let joined = with(json!({"type": "string"}), json!({"convert": "record.other + '!'"}));
    assert_eq!(forward(joined, json!({"other": "y"})).0, json!({"other": "y", "a": "y!"}));
    let own = with(json!({"type": "integer"}), convert("size(record.a)"));
    assert_eq!(forward(own, json!({"a": "four"})).0, json!({"a": 4}));
}

#[test]
fn a_record_is_brought_forward_once_and_can_go_back() {
    let to_integer = json!({"convert": "int(value) + 1", "before": {"type": "string"}});
    let object = object(with(json!({"type": "integer"}), to_integer));
    let mut properties = json!({"a": "1"}).as_object().cloned().expect("an object");
    assert!(object.bring_forward(&mut properties));
    assert!(!object.bring_forward(&mut properties));
    assert_eq!(properties["a"], 2);
    assert_eq!(
        object.values_before(&properties).collect::<Vec<_>>(),
        [(&Name::new("a").expect("a name"), Some(json!("1")))]
    );
    let mut back = self::object(json!({"type": "string", "migrated": {"undo": 7, "version": 9}}));
    assert!(back.bring_forward(&mut properties));
    assert_eq!(properties["a"], "1");
    let mut changed = json!({"a": 5, "\u{1}m": 7}).as_object().cloned().expect("an object");
    assert_eq!(back.forward(&mut changed).1.len(), 1, "5 is no string");
    back = self::object(json!({"type": "string", "migrated": {"undo": 7, "version": 9, "settled": true}}));
    assert!(!back.bring_forward(&mut properties.clone()));
}

#[test]
fn what_is_asked_for_is_checked() {
    let ask = |asked: Json| {
        let mut problems = Problems::new();
        let kept = Migration::specify(&asked, None, 3, "/migration", &mut problems);
        assert_eq!(kept.is_none(), !problems.is_empty());
        problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect::<Vec<_>>()
    };
    assert_eq!(ask(json!({"default": 1})), []);
    assert_eq!(ask(json!({})), [("/migration".to_owned(), "invalid")]);
    assert_eq!(ask(json!({"default": 1, "map": {}})), [("/migration".to_owned(), "invalid")]);
    assert_eq!(ask(json!({"convert": "vale + 1"})), [("/migration/convert".to_owned(), "invalid_expression")]);
    assert_eq!(ask(json!({"convert": "value", "version": 3})), [("/migration/version".to_owned(), "unknown_key")]);
}

/// Everything that a definition says of a property by a former name is said of that property.
#[test]
fn what_layers_say_of_a_property_by_a_former_name_they_say_of_it() {
    let pack = layer(
        "crm",
        &json!({
            "objects": {
                "deal": {"properties": {
                    "name": {"type": "string"}, "b": {"type": "integer", "was": ["a", "z"]},
                    "code": {"type": "string", "was": "currency"}}},
                "company": {"properties": {"name": {"type": "string"}}}},
            "associations": {"deal_company": {"from": "deal", "to": "company"}},
        }),
    );
    let own = layer(
        CUSTOM,
        &json!({
            "extend": {
                "deal": {
                    "display": "{{ name }} {{ a }}{% if z %}!{% endif %}",
                    "properties": {
                        "a": {"label": "Ours"},
                        "double": {"type": "formula", "formula": "a * 2", "result": "integer"},
                        "amount": {"type": "money", "currency_property": "currency"}},
                    "constraints": [{"unique": ["a", "name"]}, {"rule": "z > 0", "message": "None.", "at": "a"},
                        {"reserved": {"property": "currency", "prefixes": ["x"]}}],
                    "features": {"duplicates": [["a"]]}},
                "company": {"properties": {
                    "total": {"type": "rollup", "association": "deal_company", "function": "sum", "property": "a",
                        "where": "a > 5"}}}},
            "pipelines": {"sales": {"object": "deal", "defaults": {"a": 7}, "stages": {"open": {},
                "won": {"type": "won", "requires": ["a"], "rules": [{"rule": "z > 0", "at": "a"}]}}}},
        }),
    );
    let (registry, problems) = Registry::fold(&[pack, own]);
    assert_eq!(problems, []);
    let deal = &registry.objects["deal"];
    assert_eq!(deal.properties["b"].label, "Ours");
    assert!(!deal.properties.contains_key("a"));
    let uses = |object: &str, name: &str| -> Vec<String> {
        registry.uses(object, name).into_iter().map(|found| format!("{} {}", found.kind, found.pointer)).collect()
    };
    assert_eq!(
        uses("deal", "b"),
        [
            "display /objects/deal/display",
            "constraint /objects/deal/constraints/0",
            "constraint /objects/deal/constraints/1",
            "duplicates /objects/deal/features/duplicates",
            "formula /objects/deal/properties/double/formula",
            "rollup /objects/company/properties/total/property",
            "pipeline /pipelines/sales/defaults/b",
            "stage /pipelines/sales/stages/won/requires",
            "stage /pipelines/sales/stages/won/rules/0",
        ]
    );
    assert_eq!(
        uses("deal", "code"),
        ["constraint /objects/deal/constraints/2", "currency /objects/deal/properties/amount/currency_property"]
    );
    let properties = json!({"name": "Roof", "b": 3});
    assert_eq!(deal.display.render(properties.as_object().expect("an object")), "Roof 3!");
    assert_eq!(deal.property_called("z").map(|property| property.name.as_str()), Some("b"));
}

#[test]
fn former_names_are_remembered_until_another_property_takes_them() {
    let fold = |properties: Json| {
        let document = json!({"objects": {"deal": {"display": "{{ t }}", "properties": properties}}});
        let (registry, problems) = Registry::fold(&[layer("crm", &document)]);
        assert_eq!(problems, []);
        registry.objects["deal"].clone()
    };
    let old = fold(json!({"t": {"type": "string"}, "b": {"type": "integer", "was": "a"}}));
    let kept = Migration::of_rename(&old.properties["b"], 3, None);
    assert_eq!(kept["once"], json!(["b", "a"]));
    let named =
        |object: &ObjectDefinition, name: &str| object.property_called(name).map(|found| found.name.to_string());
    let new = fold(json!({"t": {"type": "string"}, "c": {"type": "integer", "migrated": kept.clone()}}));
    assert_eq!(
        ["a", "b", "c", "d"].map(|name| named(&new, name)),
        [Some("c".to_owned()), Some("c".to_owned()), Some("c".to_owned()), None]
    );
    // A further migration of the same property takes none of them away.
    let mut problems = Problems::new();
    let next = Migration::specify(&json!({"default": 1}), Some(&new.properties["c"]), 4, "", &mut problems);
    assert_eq!(next.expect("a migration")["once"], json!(["b", "a"]));
    let taken = fold(json!({"t": {"type": "string"}, "a": {"type": "integer"},
        "c": {"type": "integer", "migrated": kept}}));
    assert_eq!(named(&taken, "a"), Some("a".to_owned()));
}

#[test]
fn what_was_written_since_is_what_it_would_have_been() {
    let of = |before: Json, after: Json, migration: Json, value: Json| {
        let before = object(before).properties["a"].clone();
        let mut problems = Problems::new();
        let kept = Migration::specify(&migration, Some(&before), 3, "", &mut problems).expect("a migration");
        assert_eq!(problems, []);
        let mut after = after;
        after["migrated"] = kept;
        let properties = [("a".to_owned(), value)].into_iter().collect();
        object(after).properties["a"].former_value(&properties)
    };
    let options = |keys: &[&str]| json!({"type": "enum", "options": keys});
    let map = json!({"map": {"b": "bb", "x": null}});
    let mapped = |value: &str| of(options(&["a", "b", "x"]), options(&["a", "bb", "c"]), map.clone(), json!(value));
    assert_eq!([mapped("bb"), mapped("a"), mapped("c")], [Some(json!("b")), Some(json!("a")), None]);
    let many = |keys: &[&str]| json!({"type": "multi_enum", "options": keys});
    let list = of(many(&["a", "b", "x"]), many(&["a", "bb"]), map, json!(["a", "bb"]));
    assert_eq!(list, Some(json!(["a", "b"])));
    let convert = json!({"convert": "int(value)"});
    let text = of(json!({"type": "string"}), json!({"type": "integer"}), convert, json!(7));
    assert_eq!(text, Some(json!("7")));
}
