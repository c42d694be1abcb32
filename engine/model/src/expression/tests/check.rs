//! What is found wrong before there are records, and what is left alone.

use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Expression, Scope};
use crate::expression::{Types, check, check_condition, check_formula};
use crate::name::Name;
use crate::problem::Problems;
use crate::property::{Property, Storage};
use crate::query::Form;

fn definitions() -> IndexMap<Name, Property> {
    let specs = json!({
        "title": {"type": "string"}, "count": {"type": "integer"}, "price": {"type": "money", "currency": "EUR"},
        "is_new": {"type": "boolean"}, "due": {"type": "date"}, "seen": {"type": "datetime"}, "tags": {"type": "tags"},
        "extra": {"type": "json"}, "kind": {"type": "enum", "options": ["a", "b"]}, "owner": {"type": "user"},
    });
    let mut problems = Problems::new();
    let read = |(name, spec): (&String, &Json)| {
        let name = Name::new(name).expect("a name");
        Some((name.clone(), Property::read(name, spec, "core", "", &mut problems)?))
    };
    let read: IndexMap<_, _> = specs.as_object().expect("an object").iter().filter_map(read).collect();
    assert_eq!((problems, read.len()), (vec![], 10));
    read
}

fn wrong(source: &str) -> Vec<String> {
    let definitions = definitions();
    let found = check_condition(&Expression::compile(source).expect(source), &Types::of(&definitions));
    found
        .into_iter()
        .map(|problem| format!("{} {}: {}", problem.code, problem.position.column, problem.message))
        .collect()
}

#[test]
fn what_can_never_have_a_value_is_told_with_its_place() {
    for (source, told) in [
        ("titel != ''", "unknown 1: `titel` is no property of this object; did you mean `title`?"),
        (
            "title > 5",
            "invalid_expression 7: `>` is not defined for a string and an integer; write a number without quotes",
        ),
        (
            "due >= '2026-01-31'",
            "invalid_expression 5: `>=` is not defined for a date and a string; write a date as date('2026-01-31')",
        ),
        (
            "price == '5'",
            "invalid_expression 7: `==` is not defined for a decimal and a string; write a number without quotes",
        ),
        ("is_new + 1 > 0", "invalid_expression 8: `+` is not defined for a boolean and an integer"),
        ("count", "invalid_expression 1: a condition must be true or false, and this is an integer"),
        ("title + kind", "invalid_expression 1: a condition must be true or false, and this is a string"),
        ("count && is_new", "invalid_expression 1: `&&` needs true or false, not an integer"),
        ("is_new || title.size()", "invalid_expression 16: `||` needs true or false, not an integer"),
        ("!due", "invalid_expression 2: `!` needs true or false, not a date"),
        ("-title == 'x'", "invalid_expression 1: `-` is not defined for a string"),
        ("count ? is_new : true", "invalid_expression 1: `?` needs true or false, not an integer"),
        ("count.startsWith('x')", "invalid_expression 7: `startsWith` is not defined for an integer and a string"),
        ("title.getFullYear() > 2000", "invalid_expression 7: `getFullYear` is not defined for a string"),
        ("due - seen > days(1)", "invalid_expression 5: `-` is not defined for a date and a datetime"),
        ("title.name == 'x'", "invalid_expression 6: a field needs a map, not a string"),
        ("count[0] == 1", "invalid_expression 6: `[]` needs a list or a map, not an integer"),
        ("1 in count", "invalid_expression 3: `in` is not defined for an integer and an integer"),
        ("title.all(x, x == 'a')", "invalid_expression 1: a loop needs a list or a map, not a string"),
        ("tags.all(x, 5)", "invalid_expression 13: a loop's condition must be true or false, not an integer"),
        ("count.matches('x')", "invalid_expression 1: `matches` needs a string, not an integer"),
        ("count.split(' ').size() > 1", "invalid_expression 7: `split` is not defined for an integer and a string"),
        ("title.substring(kind) == ''", "invalid_expression 7: `substring` is not defined for a string and a string"),
        (
            "title.trim() > 5",
            "invalid_expression 14: `>` is not defined for a string and an integer; write a number without quotes",
        ),
        (
            "title.split(',') == title + 1",
            "invalid_expression 27: `+` is not defined for a string and an integer; write a number without quotes",
        ),
        ("duration(count) > duration('1h')", "invalid_expression 1: `duration` is not defined for an integer"),
    ] {
        let found = wrong(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        let (place, message) = told.split_once(": ").expect("a place");
        let (found_place, found_message) = found[0].split_once(": ").expect("a place");
        assert_eq!(found_message.split("; take").next(), Some(message), "{source}");
        assert_eq!(found_place.split(' ').next(), place.split(' ').next(), "{source}");
    }
    assert_eq!(wrong("titel == 1 && titel == 2 || name > 1").len(), 2);
}

#[test]
fn what_may_have_a_value_is_left_alone() {
    for source in [
        "true",
        "extra",
        "extra.a.b > 5 && extra[0] == 'x'",
        "due == null || due >= date('2026-01-31')",
        "count > 1.5 && price * 2 >= count",
        "(seen - timestamp('2026-01-31T00:00:00Z')).getDays() > 3",
        "date(seen) - due < days(3) && due + days(count) > due",
        "title == '' || title.size() > 3 && title.contains(kind)",
        "tags.exists(tag, tag == 'x' || tag > 5) && size(tags) > 0 && 'a' in tags",
        "[1, 2].map(x, x * 2).all(y, y > 1)",
        "kind in ['a', 'b'] && {'a': 1}[kind] == 1",
        "(is_new ? count : price) > 1",
        "(is_new ? null : count) == null",
        "count == '5'",
        "string(count) == '5' && int(title) > 3 && decimal(title) > 0.5 && bool(title)",
        "timestamp(title) > seen && duration(title) > duration('1h') && timestamp(due) < seen",
        "seen.getHours('Europe/Paris') > 8 && seen.getFullYear() == due.getFullYear()",
        "has(title) && has(extra.a) && owner != ''",
        "title.matches('^a')",
        "null == title",
        "title.split(' ')[0].startsWith('x') && title.split(' ').size() > 1 && title.substring(1, 2) == 'x'",
        "tags.join(', ') == title.trim().lowerAscii() && title.indexOf(kind) > 0 && title.replace('a', kind) != ''",
    ] {
        assert_eq!(wrong(source), [""; 0], "{source}");
    }
}

#[test]
fn a_formula_gives_what_its_result_can_be() {
    let definitions = definitions();
    let types = Types::of(&definitions);
    let check = |source: &str, result: Storage, form: Form| {
        let found = check_formula(&Expression::compile(source).expect(source), &types, result, form);
        found.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    assert_eq!(check("count + 1", Storage::Scaled(0), Form::Integer), [""; 0]);
    assert_eq!(
        check("title + 'x'", Storage::Scaled(0), Form::Integer),
        ["the formula gives a string, and its result is an integer"]
    );
    assert_eq!(
        check("price > 1", Storage::Date, Form::Date),
        ["the formula gives a boolean, and its result is a date"]
    );
    assert_eq!(
        check("price", Storage::Boolean, Form::Boolean),
        ["the formula gives a decimal, and its result is a boolean"]
    );
    assert_eq!(check("tags", Storage::Text, Form::Text), ["the formula gives a list, and its result is a text"]);
    assert_eq!(check("extra", Storage::Boolean, Form::Boolean), [""; 0]);
    assert_eq!(check("is_new ? due : null", Storage::Date, Form::Date), [""; 0]);
}

/// Expressions all of whose parts are needed, most of them wrong somewhere.
fn source() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "title",
        "count",
        "price",
        "is_new",
        "due",
        "seen",
        "tags",
        "extra",
        "kind",
        "1",
        "2.5",
        "'1'",
        "'2026-01-31'",
        "true",
        "null",
        "days(1)",
        "[1]",
        "{'a': 1}",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(3, 12, 3, |inner| {
        let operators = prop::sample::select(vec!["+", "-", "*", "/", "==", "!=", "<", ">=", "in"]);
        let calls = prop::sample::select(vec![
            "size",
            "string",
            "int",
            "decimal",
            "date",
            "timestamp",
            "duration",
            "days",
            "bool",
            "!",
            "-",
        ]);
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (calls, inner.clone()).prop_map(|(call, of)| format!("{call}({of})")),
            inner.clone().prop_map(|range| format!("{range}.map(x, string(x))")),
            inner.clone().prop_map(|of| format!("{of}.trim().split('a').join('b')")),
            (inner.clone(), inner.clone()).prop_map(|(of, with)| format!("{of}.join({with})")),
            (inner.clone(), inner.clone()).prop_map(|(of, with)| format!("{of}.substring({with})")),
            (inner.clone(), inner.clone()).prop_map(|(of, with)| format!("{of}.split({with})[0]")),
            inner.prop_map(|of| format!("{of}.getDays()")),
        ]
    })
}

/// A record with a value of each property.
fn values() -> impl Strategy<Value = crate::Properties> {
    let title = prop::sample::select(vec!["", "1", "true", "2026-01-31", "2026-01-31T00:00:00Z", "36h"]);
    (
        title,
        any::<i8>(),
        any::<bool>(),
        prop::sample::select(vec![json!(1), json!("x"), json!([1]), json!({"a": 1}), json!(true)]),
    )
        .prop_map(|(title, count, is_new, extra)| {
            let all = json!({"title": title, "count": count, "price": "2.50", "is_new": is_new, "due": "2026-01-31",
                "seen": "2026-01-31T09:00:00.000000Z", "tags": ["a"], "extra": extra, "kind": "a", "owner": "7"});
            all.as_object().cloned().expect("an object")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What has a value for some record is not refused. Choices and what absorbs failures are not among these: there
    /// a part that is not looked at may be wrong all the same.
    #[test]
    fn what_runs_is_not_refused(source in source(), properties in values()) {
        let definitions = definitions();
        let expression = Expression::compile(&source).expect(&source);
        if expression.evaluate(&Scope::for_record(&definitions, &properties)).is_ok() {
            prop_assert_eq!(check(&expression, &Types::of(&definitions)), vec![], "{}", source);
        }
    }
}
