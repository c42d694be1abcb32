use proptest::prelude::*;

use super::super::filter_of_expression;
use super::*;

/// Words of the language, right and wrong, and values.
fn words() -> impl Strategy<Value = String> {
    let known = [
        "all",
        "any",
        "not",
        "property",
        "op",
        "value",
        "association",
        "match",
        "count",
        "quantifier",
        "direction",
        "sort",
        "filter",
        "aggregate",
        "group",
        "measures",
        "sum",
        "percentiles",
        "at",
        "date",
        "number",
        "every",
        "order",
        "key",
        "measure",
        "limit",
        "cursor",
        "q",
        "eq",
        "in",
        "between",
        "has_any",
        "contains",
        "exists",
        "gt",
        "amount",
        "stage",
        "due_at",
        "id",
        "name",
        "tags",
        "deal_company",
        "note_about",
        "deal_party",
        "month",
        "today-1m",
        "now",
        "1e9",
        "",
    ];
    prop_oneof![9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        5 => words().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words(), inner), 0..5).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Filters whose form is right, of names, operators and values that may not fit each other.
fn filters() -> impl Strategy<Value = Value> {
    let names = REGISTRY.objects["deal"]
        .properties
        .keys()
        .map(ToString::to_string)
        .chain(["id", "uid", "age"].map(str::to_owned));
    let names: Vec<_> = names.collect();
    let ops = [
        "eq",
        "neq",
        "lt",
        "gte",
        "between",
        "in",
        "not_in",
        "exists",
        "contains",
        "starts_with",
        "has_any",
        "has_all",
    ];
    let value = prop_oneof![
        documents(),
        Just(json!("won")),
        Just(json!(["7", "today"])),
        Just(json!([1, 2])),
        Just(json!(true))
    ];
    let condition = (prop::sample::select(names), prop::sample::select(ops.to_vec()), value)
        .prop_map(|(property, op, value)| json!({"property": property, "op": op, "value": value}));
    condition.prop_recursive(5, 30, 4, |inner| {
        let links = prop::sample::select(vec!["deal_company", "deal_party", "deal_task", "note_about"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!({"all": list})),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!({"any": list})),
            inner.clone().prop_map(|inner| json!({"not": inner})),
            (links, inner).prop_map(|(link, inner)| json!({"association": link, "match": inner})),
        ]
    })
}

/// The pointer leads to something that was sent, or to a member that something sent lacks.
fn leads_somewhere(pointer: &str, body: &Value) -> bool {
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    body.pointer(pointer).is_some() || body.pointer(parent).is_some()
}

proptest! {
    #[test]
    fn whatever_is_sent_is_understood_or_told_in_place(
        filter in prop_oneof![1 => documents(), 4 => filters()], aggregate in documents(), sort in documents(), rest in documents(),
    ) {
        let mut body = json!({"filter": filter, "aggregate": aggregate, "sort": sort});
        if let Value::Object(rest) = rest {
            body.as_object_mut().expect("an object").extend(rest);
        }
        if let Err(problems) = query(&body) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(leads_somewhere(&problem.pointer, &body), "{} in {body}", problem.pointer);
                prop_assert!(!problem.message.is_empty());
            }
        }
    }

    #[test]
    fn any_expression_is_a_filter_or_told_why_not(
        parts in prop::collection::vec(prop::sample::select(vec![
            "name", "amount", "tags", "is_hot", "due_at", "stage", "nope", "now", "today", "null", "'a'", "1.5", "[1]", "==",
            "!=", "<", ">=", "in", "&&", "||", "!", "(", ")", ".exists(t, t == 'a')", ".startsWith('a')", "has(name)", "+",
            "-", "days(1)", "? true : false",
        ]), 1..9),
    ) {
        let source = parts.join(" ");
        if let Err(problems) = filter_of_expression(&source, object("deal"), &context()) {
            prop_assert!(problems.iter().all(|problem| problem.message.contains("column") || problem.code == "too_deep"));
        }
    }
}
