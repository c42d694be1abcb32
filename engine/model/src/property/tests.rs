//! What holds for every property type, and what the tests of each type share.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::query::Form;

/// The property that `spec` describes, or what is wrong with it.
fn read(spec: Value) -> Result<Property, Problems> {
    let mut problems = Problems::new();
    let name = Name::new("subject").expect("a name");
    Property::read(name, &spec, "custom", "", &mut problems).ok_or(problems)
}

pub(super) fn kind(spec: Value) -> Arc<dyn PropertyKind> {
    read(spec).expect("a property").kind
}

/// Pointers and codes of what is wrong with `spec`.
pub(super) fn problems(spec: Value) -> Vec<(&'static str, &'static str)> {
    let problems = read(spec).expect_err("problems");
    problems.into_iter().map(|problem| (&*problem.pointer.leak(), problem.code)).collect()
}

/// Normalises a value written as JSON.
pub(super) fn normalized(kind: &Arc<dyn PropertyKind>, written: &str) -> Result<Value, Faults> {
    let raw: Box<RawValue> = serde_json::from_str(written).expect("JSON");
    normalize(kind.as_ref(), &raw, &Locale::default()).map(Option::unwrap_or_default)
}

pub(super) fn accept(kind: &Arc<dyn PropertyKind>, written: &str) -> Value {
    normalized(kind, written).unwrap_or_else(|faults| panic!("{} takes {written}: {faults:?}", kind.name()))
}

pub(super) fn refuse(kind: &Arc<dyn PropertyKind>, written: &str) -> Faults {
    normalized(kind, written).expect_err(written)
}

pub(super) fn codes(faults: &Faults) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.code).collect()
}

pub(super) fn pointers(faults: &Faults) -> Vec<&str> {
    faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

/// Every type, with and without options that matter to its values, each with a value that it takes.
fn specs() -> Vec<(Value, Value)> {
    vec![
        (json!({"type": "string"}), json!("Ada")),
        (json!({"type": "string", "min_length": 2, "max_length": 6, "pattern": r"^\w+\s?\d*$"}), json!("ab 1")),
        (json!({"type": "text"}), json!("# Ada\n")),
        (json!({"type": "text", "markdown": true, "max_length": 10}), json!("😀")),
        (json!({"type": "integer"}), json!(i64::MIN)),
        (json!({"type": "integer", "minimum": -10, "maximum": 1000, "unit": "days"}), json!(1e3)),
        (json!({"type": "decimal"}), json!("-12.50")),
        (json!({"type": "decimal", "scale": 0}), json!("999999999999999999")),
        (json!({"type": "decimal", "scale": 17}), json!("9.1")),
        (json!({"type": "decimal", "scale": 18, "minimum": "-0.5"}), json!(-0.5)),
        (json!({"type": "percent", "scale": 2, "minimum": 0, "maximum": 100}), json!(33.33)),
        (json!({"type": "money"}), json!(120000)),
        (json!({"type": "money", "currency": "JPY"}), json!("1e3")),
        (json!({"type": "money", "currency_property": "currency", "scale": 4}), json!("0.0001")),
        (json!({"type": "boolean"}), json!(false)),
        (json!({"type": "date"}), json!("2024-02-29")),
        (json!({"type": "datetime"}), json!("2026-03-01T09:30:00+02:00")),
        (json!({"type": "enum", "options": ["a", "Single Family", {"key": "1", "archived": true}]}), json!("a")),
        (json!({"type": "multi_enum", "options": ["a", "b", {"key": "1", "archived": true}]}), json!(["b", "a", "b"])),
        (json!({"type": "tags"}), json!(["b", " a", "b"])),
        (json!({"type": "tags", "prefixes": ["a:", "bot-1:"]}), json!(["bot-1:x:y", "vip"])),
        (json!({"type": "email"}), json!("Ada@Example.com")),
        (json!({"type": "phone"}), json!("(415) 555-2671 x12")),
        (json!({"type": "url"}), json!("HTTP://Example.com:80/a|b")),
        (json!({"type": "domain"}), json!("Bücher.example")),
        (json!({"type": "user", "team": "sales"}), json!("7")),
        (json!({"type": "json"}), json!({"a": [null, {"b": 1.5}]})),
        (json!({"type": "json", "schema": "address"}), json!({"street": "x"})),
        (json!({"type": "file", "accept": ["image/*"]}), json!("9223372036854775807")),
        (json!({"type": "geo"}), json!({"lon": -180, "lat": 52.52})),
        (json!({"type": "auto_number", "pattern": "INV-{00000}"}), Value::Null),
        (json!({"type": "formula", "formula": "a", "result": "decimal"}), Value::Null),
        (json!({"type": "rollup", "association": "a", "function": "count"}), Value::Null),
    ]
}

struct Checked {
    kind: Arc<dyn PropertyKind>,
    validator: jsonschema::Validator,
    lenient: jsonschema::Validator,
}

impl Checked {
    fn new(spec: Value) -> Self {
        let kind = kind(spec);
        let schema = Value::Object(kind.schema());
        let build = |formats: bool| {
            let options = jsonschema::options().should_validate_formats(formats);
            options.build(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"))
        };
        let (validator, lenient) = (build(true), build(false));
        Self { kind, validator, lenient }
    }

    fn is_valid(&self, value: &Value) -> bool {
        // The validator's `email` refuses characters that browsers and registries take in international domains.
        let is_international = self.kind.name() == "email" && value.as_str().is_some_and(|text| text.contains("xn--"));
        if is_international { self.lenient.is_valid(value) } else { self.validator.is_valid(value) }
    }
}

static KINDS: LazyLock<Vec<Checked>> =
    LazyLock::new(|| specs().into_iter().map(|(spec, _)| Checked::new(spec)).collect());

/// What a type accepts must follow its schema, be its own normal form and be unique under one key.
fn check(checked: &Checked, written: &str) -> Result<(), TestCaseError> {
    let Ok(value) = normalized(&checked.kind, written) else { return Ok(()) };
    if value.is_null() {
        return Ok(());
    }
    let name = checked.kind.name();
    prop_assert!(checked.is_valid(&value), "{} accepts {} as {} against its schema", name, written, value);
    let again = normalized(&checked.kind, &value.to_string());
    prop_assert_eq!(again.as_ref(), Ok(&value), "{} is not stable on {}", name, written);
    prop_assert_eq!(checked.kind.unique_key(&value), checked.kind.unique_key(&again.expect("a value")));
    Ok(())
}

fn check_all(written: &str) -> Result<(), TestCaseError> {
    KINDS.iter().try_for_each(|checked| check(checked, written))
}

fn check_cell(text: &str) -> Result<(), TestCaseError> {
    for checked in KINDS.iter() {
        if let Ok(value) = checked.kind.from_text(text) {
            check(checked, &value.to_string())?;
        }
    }
    Ok(())
}

/// Texts near to what some type takes.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        r"\PC{0,40}",
        r"[-+]?[0-9]{0,20}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,9})?",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        r"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,12})?(Z|[-+][0-2][0-9]:[0-6][0-9])",
        r"[a-zA-Z0-9.+'_!-]{1,12}@[a-zA-Z0-9é-]{1,9}(\.[a-zA-Z0-9ü-]{1,5}){1,3}",
        r"\PC{1,10}@\PC{1,10}\.[a-z]{2}",
        r"(https?|HTTP|ftp)://[a-zA-Z0-9.@:\[\]ü-]{1,20}(/[^\u0000-\u001f]{0,20})?(\?[^\u0000-\u001f]{0,20})?(#\PC{0,9})?",
        r"[\p{L}\p{M}\p{N}.-]{1,20}\.[\p{L}]{2,6}",
        r"(\+|00|011)?[0-9 ().-]{5,18}( ?(x|ext\.?|#|;ext=) ?[0-9]{1,8})?",
        r"(a|b|1|Single Family|a:x|bot-1:|b:c|;| ){1,4}",
        r"-?[0-9]{1,3}\.[0-9]{1,9}, ?-?[0-9]{1,3}\.[0-9]{1,20}",
    ]
}

/// JSON as text, so that numbers of any form occur.
fn documents() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_filter("JSON", |value| value.is_finite()).prop_map(|value| json!(value).to_string()),
        r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][-+]?[0-9]{1,9})?",
        texts().prop_map(|text| json!(text).to_string()),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let keys = prop_oneof![Just("lat".to_owned()), Just("lon".to_owned()), "[a-c]?"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|elements| format!("[{}]", elements.join(","))),
            prop::collection::vec((keys, inner), 0..4).prop_map(|entries| {
                let entries: Vec<_> =
                    entries.into_iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_accepted_follows_the_schema_and_is_stable(written in documents()) {
        check_all(&written)?;
    }

    #[test]
    fn texts_too(text in texts()) {
        check_all(&json!(text).to_string())?;
    }

    #[test]
    fn cells_too(text in texts()) {
        check_cell(&text)?;
    }

    #[test]
    fn lists_of_texts_too(list in prop::collection::vec(r"(a|b|1|Single Family|a:x|bot-1:y|c:d|\PC{0,6})", 0..8)) {
        check_all(&json!(list).to_string())?;
    }

    #[test]
    fn points_too(lat in -91.0..91.0_f64, lon in -181.0..181.0_f64) {
        check_all(&json!({"lon": lon, "lat": lat}).to_string())?;
    }
}

#[test]
fn every_type_takes_its_example() {
    for (checked, (spec, example)) in KINDS.iter().zip(specs()) {
        accept(&checked.kind, &example.to_string());
        check(checked, &example.to_string()).unwrap_or_else(|error| panic!("{spec}: {error}"));
    }
}

#[test]
fn every_type_is_among_those_checked() {
    let checked: Vec<_> = specs().into_iter().map(|(spec, _)| spec["type"].clone()).collect();
    for entry in TABLE {
        assert!(checked.contains(&json!(entry.name)), "{}", entry.name);
        assert_eq!(TABLE.iter().filter(|other| other.name == entry.name).count(), 1);
    }
}

#[test]
fn parts_of_words_are_found_in_short_texts_only() {
    for type_name in ["string", "email", "phone", "url", "domain", "auto_number"] {
        let property = read(json!({"type": type_name, "substring": true})).expect(type_name);
        assert!(property.substring && !read(json!({"type": type_name})).expect(type_name).substring);
    }
    assert!(read(json!({"type": "formula", "formula": "a", "result": "string", "substring": true})).is_ok());
    for type_name in ["text", "integer", "boolean", "tags", "user", "json", "datetime"] {
        assert_eq!(problems(json!({"type": type_name, "substring": true})), [("/substring", "not_applicable")]);
    }
    assert_eq!(problems(json!({"type": "string", "substring": 1})), [("/substring", "wrong_type")]);
}

#[test]
fn answers_write_values_in_the_form_of_their_type() {
    for (spec, example) in specs() {
        let kind = kind(spec.clone());
        let Ok(value) = normalized(&kind, &example.to_string()) else { continue };
        let Some(number) = kind.storage().number_of(&value) else { continue };
        assert_eq!(kind.form().number(number.into()), value, "{spec}");
    }
    let form = |spec: Value| kind(spec).form();
    assert_eq!(form(json!({"type": "boolean"})).text("true"), json!(true));
    let formula = json!({"type": "formula", "formula": "a", "result": "percent", "scale": 1});
    assert_eq!(form(formula), Form::Decimal { scale: 1, is_padded: true });
    assert_eq!(form(json!({"type": "rollup", "association": "a", "function": "count"})), Form::Integer);
    assert_eq!(form(json!({"type": "rollup", "association": "a", "function": "sum", "property": "b"})), Form::Text);
}

#[test]
fn a_type_is_never_narrower_than_itself() {
    for (spec, _) in specs() {
        assert!(!kind(spec.clone()).narrows_to(kind(spec.clone()).as_ref()), "{spec}");
    }
}

#[test]
fn null_and_the_empty_text_are_no_value() {
    for checked in KINDS.iter() {
        assert_eq!(normalized(&checked.kind, "null"), Ok(Value::Null));
        assert_eq!(normalized(&checked.kind, r#""""#), Ok(Value::Null));
        assert_eq!(
            checked.kind.from_text("  ").map(|value| value.is_null() || value == ""),
            Ok(true),
            "{:?}",
            checked.kind
        );
    }
}

#[test]
fn a_default_is_brought_to_normal_form_or_refused() {
    let property = read(json!({"type": "money", "default": 5, "label": "Fee", "group": "cost"})).expect("a property");
    assert_eq!(property.default, Some(json!("5.00")));
    assert_eq!(property.label, "Fee");
    assert_eq!(problems(json!({"type": "tags", "default": ["a", 1]})), [("/default/1", "wrong_type")]);
    assert_eq!(problems(json!({"type": "enum", "options": 1, "default": "a"})), [("/options", "wrong_type")]);
}

#[test]
fn options_are_shown_in_their_canonical_form() {
    let property = read(json!({"type": "enum", "options": {"a": "First"}, "required": true})).expect("a property");
    assert_eq!(
        Value::Object(property.spec),
        json!({"type": "enum", "options": [{"key": "a", "label": "First", "archived": false}], "required": true})
    );
}

#[test]
fn what_the_engine_makes_is_neither_required_nor_defaulted() {
    assert_eq!(problems(json!({"type": "auto_number", "required": true})), [("/required", "not_applicable")]);
    let formula = json!({"type": "formula", "formula": "a", "result": "string", "default": "x"});
    assert_eq!(problems(formula), [("/default", "not_applicable")]);
    assert_eq!(problems(json!({"type": "geo", "unique": true})), [("/unique", "not_applicable")]);
}
