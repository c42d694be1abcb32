//! Formulas and roll-ups as definitions have them.

use serde_json::{Value, json};

use super::*;
use crate::layer::tests::layer;
use crate::problem::Problem;
use crate::property::{Locale, Storage};
use crate::query::Direction;
use crate::registry::Registry;
use crate::time::Timestamp;
use crate::{Properties, UserId};

fn fold(document: Value) -> (Registry, Vec<Problem>) {
    Registry::fold(&[layer("core", &document)])
}

fn sound(document: Value) -> Registry {
    let (registry, problems) = fold(document);
    assert_eq!(problems, []);
    registry
}

fn refused(document: Value) -> Vec<(String, &'static str)> {
    fold(document).1.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
}

fn formula(source: &str, result: &str) -> Value {
    json!({"type": "formula", "formula": source, "result": result})
}

fn about(locale: &Locale) -> Circumstances<'_> {
    Circumstances {
        now: Timestamp::parse("2026-03-01T12:00:00Z").expect("a moment"),
        zone: chrono_tz::UTC,
        locale,
        created_at: Timestamp::parse("2026-02-27T12:00:00Z").expect("a moment"),
        updated_at: Timestamp::parse("2026-02-28T12:00:00Z").expect("a moment"),
        owner: Some(UserId(7)),
    }
}

fn computed(properties: Value, stored: Value) -> (Value, Option<Timestamp>) {
    let registry = sound(json!({"objects": {"o": {"properties": properties}}}));
    let (object, locale) = (&registry.objects["o"], Locale::default());
    let mut values: Properties = stored.as_object().cloned().unwrap_or_default();
    let formulas = registry.computed.formulas("o").expect("formulas");
    formulas.compute_stored(object, &mut values, &about(&locale));
    let until = formulas.compute_live(object, &mut values, &about(&locale));
    (Value::Object(values), until)
}

#[test]
fn formulas_read_each_other_whatever_their_order() {
    let (values, until) = computed(
        json!({
            "gross": formula("net + tax", "money"),
            "tax": formula("net * 0.19", "money"),
            "net": {"type": "money"},
            "is_large": formula("gross > 100", "boolean"),
        }),
        json!({"net": "99.99"}),
    );
    assert_eq!(values, json!({"net": "99.99", "tax": "19.00", "gross": "118.99", "is_large": true}));
    assert_eq!(until, None);
}

#[test]
fn what_cannot_be_computed_has_no_value() {
    let of_half = json!({"half": formula("1 / n", "decimal"), "n": {"type": "integer"}});
    assert_eq!(computed(of_half.clone(), json!({"n": 0, "half": "3"})).0, json!({"n": 0}));
    assert_eq!(computed(of_half.clone(), json!({"half": "3"})).0, json!({}));
    assert_eq!(computed(of_half, json!({"n": 1})).0, json!({"n": 1, "half": "1"}));
}

#[test]
fn results_are_of_their_type_and_rounded_as_accounts_are() {
    let of_amount = |source: &str, result: &str| {
        let formula = formula(source, result);
        computed(json!({"f": formula, "a": {"type": "money"}}), json!({"a": "10.00"})).0["f"].clone()
    };
    assert_eq!(of_amount("a / 3", "money"), json!("3.33"));
    assert_eq!(of_amount("a / 16 * 1.0", "money"), json!("0.63"));
    assert_eq!(of_amount("a / 4", "integer"), json!(3));
    assert_eq!(of_amount("-a / 4", "integer"), json!(-3));
    assert_eq!(of_amount("a > 5", "boolean"), json!(true));
    assert_eq!(of_amount("'x' + string(a)", "string"), json!("x10.00"));
    assert_eq!(of_amount("a > 5", "string"), Value::Null);
    assert_eq!(of_amount("owner_id", "string"), json!("7"));
    assert_eq!(of_amount("created_at", "datetime"), json!("2026-02-27T12:00:00.000000Z"));
}

#[test]
fn what_depends_on_the_moment_is_not_stored_and_holds_until_a_certain_one() {
    let properties = json!({
        "age": formula("(now() - created_at).getDays()", "integer"),
        "is_old": formula("age >= 3", "boolean"),
        "twice": formula("n * 2", "integer"),
        "n": {"type": "integer"},
    });
    let registry = sound(json!({"objects": {"o": {"properties": properties}}}));
    let formulas = registry.computed.formulas("o").expect("formulas");
    assert_eq!(["age", "is_old", "twice"].map(|name| formulas.is_live(name)), [true, true, false]);
    let (object, locale) = (&registry.objects["o"], Locale::default());
    let mut values = Properties::from_iter([("n".to_owned(), json!(4)), ("age".to_owned(), json!(9))]);
    formulas.compute_stored(object, &mut values, &about(&locale));
    assert_eq!(Value::Object(values.clone()), json!({"n": 4, "twice": 8}));
    let until = formulas.compute_live(object, &mut values, &about(&locale));
    assert_eq!(Value::Object(values), json!({"n": 4, "twice": 8, "age": 2, "is_old": false}));
    assert_eq!(until, Timestamp::parse("2026-03-02T12:00:00Z"));
}

#[test]
fn what_a_formula_names_exists() {
    let (_, problems) = fold(json!({"objects": {"o": {"properties": {
        "amount": {"type": "money"}, "secret": {"type": "integer", "sensitive": true},
        "a": formula("amuont * 2", "money"), "b": formula("secret + 1", "integer"),
        "c": {"type": "formula", "formula": "secret + 1", "result": "integer", "sensitive": true},
        "d": {"type": "formula", "formula": "now() > created_at", "result": "boolean", "unique": true},
    }}}}));
    let found: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
    let at = |name: &str| format!("/objects/o/properties/{name}");
    assert_eq!(
        found,
        [
            (at("a/formula").as_str(), "unknown"),
            (at("b/formula").as_str(), "sensitive"),
            (at("d/unique").as_str(), "not_applicable")
        ]
    );
    assert!(problems[0].message.contains("did you mean `amount`?"), "{}", problems[0].message);
}

#[test]
fn nothing_is_computed_from_itself() {
    let (registry, problems) = fold(json!({
        "objects": {
            "deal": {"properties": {"a": formula("b + 1", "integer"), "b": formula("a + 1", "integer"),
                "c": formula("1 + 1", "integer"), "share": formula("budget / 2", "money"),
                "budget": {"type": "rollup", "association": "deal_company", "function": "max", "property": "total"}}},
            "company": {"properties": {
                "total": {"type": "rollup", "association": "deal_company", "function": "sum", "property": "share"}}},
        },
        "associations": {"deal_company": {"from": "deal", "to": "company"}},
    }));
    let found: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
    assert_eq!(
        found,
        [("/objects/deal/properties/a/formula", "cycle"), ("/objects/deal/properties/share/formula", "cycle")]
    );
    assert!(
        problems[1].message.contains("`deal.share` → `deal.budget` → `company.total` → `deal.share`"),
        "{}",
        problems[1].message
    );
    assert_eq!(registry.computed.formulas("deal").expect("one is left").order, [Name::new("c").expect("a name")]);
    assert!(registry.computed.rollups().is_empty());
}

fn company_and_deals(company: Value) -> Value {
    json!({
        "objects": {
            "company": {"properties": company},
            "deal": {"properties": {"amount": {"type": "money", "currency": "EUR", "minimum": 0, "maximum": 1000},
                "closed_on": {"type": "date"}, "twice": formula("amount * 2", "money"), "stage": {"type": "enum", "options": ["open", "won"]},
                "age": formula("(today() - closed_on).getDays()", "integer")}},
        },
        "associations": {"deal_company": {"from": "deal", "to": "company"},
            "parent": {"from": "company", "to": "company"}, "about": {"from": "deal", "to": "any"}},
    })
}

#[test]
fn a_rollup_has_the_type_of_what_it_is_made_of() {
    let rollup = |function: &str, property: &str| {
        json!({"type": "rollup", "association": "deal_company", "function": function, "property": property,
            "where": "stage == 'won'"})
    };
    let registry = sound(company_and_deals(json!({
        "big": formula("total * 2", "money"),
        "total": rollup("sum", "amount"), "last_on": rollup("max", "closed_on"), "first_stage": rollup("first", "stage"),
        "mean": rollup("avg", "amount"), "top": rollup("max", "twice"),
        "deals": {"type": "rollup", "association": "deal_company", "function": "count"},
        "group": {"type": "rollup", "association": "parent", "direction": "in", "function": "sum", "property": "total"},
    })));
    let company = &registry.objects["company"];
    let storage = |name: &str| company.properties[name].kind.storage();
    assert_eq!(
        ["total", "last_on", "first_stage", "mean", "deals", "group"].map(storage),
        [
            Storage::Scaled(2),
            Storage::Date,
            Storage::Option,
            Storage::Scaled(6),
            Storage::Scaled(0),
            Storage::Scaled(2)
        ]
    );
    // What is computed takes no values from callers, but what it results in does.
    for name in ["total", "top", "group"] {
        let result = company.properties[name].kind.rollup().and_then(|rollup| rollup.result.clone()).expect("a type");
        assert!(result.formula().is_none() && result.rollup().is_none(), "{name}");
    }
    let depths: Vec<(&str, usize)> =
        registry.computed.rollups().iter().map(|rollup| (rollup.property.as_str(), rollup.depth)).collect();
    assert!(depths.contains(&("total", 1)) && depths.contains(&("group", 2)), "{depths:?}");
    let schema = company.properties["total"].kind.schema();
    assert!(!schema.values().any(|value| value == "1000.00" || value == "1000"), "a sum has no bounds: {schema:?}");
    let order: Vec<&str> = registry.computed.rollups().iter().map(|rollup| rollup.property.as_str()).collect();
    let place = |name: &str| order.iter().position(|found| *found == name).expect("linked");
    assert!(place("total") < place("group"));
    let group = &registry.computed.rollups()[place("group")];
    assert_eq!((group.direction, group.other_direction()), (Direction::In, Direction::Out));
    let total = &registry.computed.rollups()[place("total")];
    assert_eq!(
        (total.direction, total.others.as_slice()),
        (Direction::In, [Name::new("deal").expect("a name")].as_slice())
    );
    assert!(total.reads.contains("amount") && total.reads.contains("stage"));
}

#[test]
fn what_a_rollup_cannot_be_made_of_is_told() {
    let rollup = |value: Value| {
        let mut spec =
            json!({"type": "rollup", "association": "deal_company", "function": "sum", "property": "amount"});
        spec.as_object_mut().expect("an object").extend(value.as_object().cloned().unwrap_or_default());
        refused(company_and_deals(json!({"r": spec})))
    };
    let at = |key: &str| format!("/objects/company/properties/r/{key}");
    assert_eq!(rollup(json!({})), []);
    assert_eq!(rollup(json!({"association": "deal_compny"})), [(at("association"), "unknown")]);
    assert_eq!(rollup(json!({"association": "parent"})), [(at("direction"), "required")]);
    assert_eq!(rollup(json!({"direction": "out"})), [(at("direction"), "not_applicable")]);
    assert_eq!(rollup(json!({"property": "amout"})), [(at("property"), "unknown")]);
    assert_eq!(rollup(json!({"property": "stage"})), [(at("property"), "not_applicable")]);
    assert_eq!(rollup(json!({"property": "age"})), [(at("property"), "not_applicable")]);
    assert_eq!(rollup(json!({"where": "stge == 'won'"})), [(at("where"), "unknown")]);
    assert_eq!(rollup(json!({"where": "stage == 'wan'"})), [(at("where"), "unknown_option")]);
    assert_eq!(rollup(json!({"where": "closed_on < today()"})), [(at("where"), "unknown")]);
    assert_eq!(rollup(json!({"where": "amount * 2 > 5"})), [(at("where"), "invalid_expression")]);
}

#[test]
fn a_mistake_in_a_condition_is_told_where_it_is() {
    let count =
        json!({"type": "rollup", "association": "bill_firm", "function": "count", "where": "code == 'x' && age > 1"});
    let found = refused(json!({
        "objects": {
            "firm": {"properties": {"known": count}},
            "bill": {"properties": {
                "name": {"type": "string"}, "code": {"type": "string", "sensitive": true}, "at": {"type": "datetime"},
                "age": formula("(now() - at).getDays()", "integer"),
            }},
        },
        "associations": {"bill_firm": {"from": "bill", "to": "firm"}},
    }));
    let at = "/objects/firm/properties/known/where";
    assert_eq!(found, [(at.to_owned(), "not_applicable"), (at.to_owned(), "sensitive")]);
}

#[test]
fn a_rollup_of_what_is_archived_keeps_its_type_and_is_not_followed() {
    let all = |amount: Value, association: Value| {
        json!({
            "objects": {
                "firm": {"properties": {
                    "total": {"type": "rollup", "association": "bill_firm", "function": "sum", "property": "amount"},
                    "double": formula("total * 2", "decimal"),
                }},
                "bill": {"properties": {"amount": amount}},
            },
            "associations": {"bill_firm": association},
        })
    };
    let (amount, link) = (json!({"type": "money"}), json!({"from": "bill", "to": "firm"}));
    let (gone, unlinked) =
        (json!({"type": "money", "archived": true}), json!({"from": "bill", "to": "firm", "archived": true}));
    for (registry, rollups) in
        [(sound(all(amount.clone(), link.clone())), 1), (sound(all(gone, link)), 0), (sound(all(amount, unlinked)), 0)]
    {
        let firm = &registry.objects["firm"];
        assert_eq!(
            (firm.properties["total"].kind.storage(), registry.computed.rollups().len()),
            (Storage::Scaled(2), rollups)
        );
        let mut values: Properties = json!({"total": "1.50"}).as_object().cloned().unwrap_or_default();
        let formulas = registry.computed.formulas("firm").expect("formulas");
        formulas.compute_stored(firm, &mut values, &about(&Locale::default()));
        assert_eq!(Value::Object(values), json!({"total": "1.50", "double": "3"}));
    }
}
