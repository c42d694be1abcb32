use serde_json::{Value, json};

use super::*;
use crate::property::Storage;

/// Each condition with what it asks of the index.
fn check(property: &str, table: &[(&str, Value, &str)]) {
    for (op, value, expected) in table {
        let condition = match value {
            Value::Null => json!({"property": property, "op": op}),
            value => json!({"property": property, "op": op, "value": value}),
        };
        assert_eq!(asked(&condition), *expected, "{condition}");
    }
}

#[test]
fn texts_are_compared_folded() {
    check(
        "name",
        &[
            ("eq", json!("Émile Zola"), "name {emile zola}"),
            ("neq", json!("Ø"), "!name {o}"),
            ("lt", json!("Łódź"), "name (..lodz)"),
            ("lte", json!("B"), "name (..b]"),
            ("gt", json!("B"), "name (b..)"),
            ("gte", json!("B"), "name [b..)"),
            ("between", json!(["A", "Émile"]), "name [a..emile]"),
            ("between", json!(["b", "A"]), "nothing"),
            ("in", json!(["b", "A", "a"]), "name {a,b}"),
            ("in", json!([]), "nothing"),
            ("not_in", json!(["a"]), "!name {a}"),
            ("not_in", json!([]), "!nothing"),
            ("exists", Value::Null, "name?"),
            ("not_exists", Value::Null, "!name?"),
            ("contains", json!("Roof, PHASE 2"), "name words{roof,phase,2}"),
            ("contains", json!(" – "), "nothing"),
            ("contains", json!("🎉"), "nothing"),
            ("contains", json!(""), "name?"),
            ("starts_with", json!("Ré"), "name re*"),
            ("starts_with", json!(""), "name?"),
        ],
    );
}

#[test]
fn texts_with_a_normal_form_are_compared_in_it_where_they_have_one() {
    check(
        "email",
        &[("eq", json!(" Ada@Example.COM"), "email {ada@example.com}"), ("eq", json!("Ada@"), "email {ada@}")],
    );
    check(
        "phone",
        &[
            ("eq", json!("(415) 555-2671"), "phone {+14155552671}"),
            ("in", json!(["+1 415 555 2671", "x"]), "phone {+14155552671,x}"),
            ("starts_with", json!("+1415"), "phone +1415*"),
            ("contains", json!("555-26 71"), "phone words{5552671}"),
            ("contains", json!("020 7946 0958"), "phone words{2079460958}"),
            ("contains", json!("none"), "phone words{none}"),
        ],
    );
    check("site", &[("eq", json!("HTTPS://Example.com"), "site {https://example.com/}")]);
    check("serial", &[("eq", json!("INV-1"), "serial {inv-1}")]);
    check("gross", &[("eq", json!("1"), "gross 100")]);
}

#[test]
fn parts_of_words_are_found_where_the_property_says_so() {
    check(
        "sku",
        &[
            ("contains", json!("  Ab-1 É "), "sku parts{ab-1,e}"),
            ("contains", json!(" "), "nothing"),
            ("contains", json!("\u{301}"), "nothing"),
            ("contains", json!("🎉"), "sku parts{🎉}"),
            ("contains", json!(""), "sku?"),
            ("eq", json!("AB"), "sku {ab}"),
        ],
    );
}

#[test]
fn long_texts_are_asked_for_words() {
    check(
        "notes",
        &[
            ("contains", json!("Große Tür"), "notes words{grosse,tur}"),
            ("exists", Value::Null, "notes?"),
            ("not_exists", Value::Null, "!notes?"),
        ],
    );
}

#[test]
fn options_order_as_they_are_listed() {
    check(
        "stage",
        &[
            ("eq", json!("won"), "stage {won}"),
            ("neq", json!("lost"), "!stage {lost}"),
            ("in", json!(["won", "new", "won"]), "stage {new,won}"),
            ("not_in", json!(["new"]), "!stage {new}"),
            ("lt", json!("won"), "stage {new,proposal}"),
            ("lt", json!("new"), "nothing"),
            ("lte", json!("proposal"), "stage {new,proposal}"),
            ("gt", json!("proposal"), "stage {lost,won}"),
            ("gte", json!("won"), "stage {lost,won}"),
            ("between", json!(["proposal", "won"]), "stage {proposal,won}"),
            ("between", json!(["won", "new"]), "nothing"),
            ("exists", Value::Null, "stage?"),
        ],
    );
}

#[test]
fn lists_are_asked_what_they_hold() {
    check(
        "tags",
        &[
            ("has_any", json!(["VIP", " Été "]), "tags {ete,vip}"),
            ("has_all", json!(["b", "A"]), "tags all{a,b}"),
            ("has_any", json!([]), "nothing"),
            ("has_all", json!([]), "everything"),
            ("exists", Value::Null, "tags?"),
        ],
    );
    check("kinds", &[("has_any", json!(["Repair"]), "kinds {Repair}"), ("has_all", json!(["New"]), "kinds all{New}")]);
}

#[test]
fn numbers_are_compared_exactly() {
    check(
        "amount",
        &[
            ("eq", json!("10.5"), "amount 1050"),
            ("eq", json!(10.005), "nothing"),
            ("neq", json!("10.005"), "!nothing"),
            ("gt", json!("10.005"), "amount 1001.."),
            ("gte", json!("10.005"), "amount 1001.."),
            ("lt", json!(" -10.005 "), "amount ..-1001"),
            ("lte", json!("10.009"), "amount ..1000"),
            ("gt", json!(10), "amount 1001.."),
            ("lt", json!(10), "amount ..999"),
            ("between", json!(["0.001", 1]), "amount 1..100"),
            ("between", json!([2, 1]), "nothing"),
            ("in", json!([3, "0.01", 0.02, "1.001"]), "amount 1..2,300"),
            ("gt", json!("1e30"), "nothing"),
            ("lt", json!("1e30"), "amount .."),
            ("eq", json!("-1e30"), "nothing"),
        ],
    );
    check("seats", &[("gt", json!(1.5), "seats 2.."), ("eq", json!(3), "seats 3"), ("eq", json!(2.5), "nothing")]);
    check("rank", &[("eq", json!("0.0000001"), "nothing"), ("gte", json!("0.0000001"), "rank 1..")]);
    check("tasks", &[("eq", json!(0), "tasks 0")]);
}

#[test]
fn booleans_are_true_or_false() {
    check(
        "is_hot",
        &[
            ("eq", json!(true), "is_hot {true}"),
            ("neq", json!(false), "!is_hot {false}"),
            ("not_exists", Value::Null, "!is_hot?"),
        ],
    );
}

#[test]
fn dates_are_days() {
    // 2026-03-18 is day 20,530.
    check(
        "closed_on",
        &[
            ("eq", json!("today"), "closed_on 20530"),
            ("eq", json!("now"), "closed_on 20530"),
            ("neq", json!("2026-03-18"), "!closed_on 20530"),
            ("lt", json!("2026-03-18"), "closed_on ..20529"),
            ("gte", json!("today-30d"), "closed_on 20500.."),
            ("eq", json!("this_week"), "closed_on 20528..20534"),
            ("lt", json!("this_week"), "closed_on ..20527"),
            ("lte", json!("this_week"), "closed_on ..20534"),
            ("gt", json!("this_week"), "closed_on 20535.."),
            ("gte", json!("this_week"), "closed_on 20528.."),
            ("between", json!(["last_week", "this_week"]), "closed_on 20521..20534"),
            ("in", json!(["yesterday", "today", "2027-01-01"]), "closed_on 20529..20530,20819"),
            ("eq", json!("2026-03-18T00:00:00-05:00"), "closed_on 20530"),
        ],
    );
}

#[test]
fn a_day_means_all_of_it_where_moments_are() {
    let hour = 3_600_000_000_i64;
    // Midnight in Paris.
    let start = 20_530 * 24 * hour - hour;
    let end = start + 24 * hour - 1;
    let now = 20_530 * 24 * hour + 9 * hour + hour / 2;
    check(
        "due_at",
        &[
            ("eq", json!("2026-03-18"), &format!("due_at {start}..{end}")),
            ("lt", json!("today"), &format!("due_at ..{}", start - 1)),
            ("lte", json!("today"), &format!("due_at ..{end}")),
            ("gt", json!("today"), &format!("due_at {}..", end + 1)),
            ("eq", json!("2026-03-18T09:30:00Z"), &format!("due_at {now}")),
            ("gte", json!("now-3h"), &format!("due_at {}..", now - 3 * hour)),
            ("eq", json!("last_2h"), &format!("due_at {}..{now}", now - 2 * hour)),
            ("eq", json!("last_30d"), &format!("due_at {}..{now}", start - 30 * 24 * hour)),
            ("gt", json!("last_30d"), &format!("due_at {}..", now + 1)),
        ],
    );
}

#[test]
fn the_fields_of_every_record_can_be_asked_about() {
    check(
        "id",
        &[
            ("eq", json!("42"), "id {42}"),
            ("neq", json!("42"), "!id {42}"),
            ("in", json!(["9", "10", "9"]), "id {9,10}"),
            ("in", json!([]), "id {}"),
            ("not_in", json!(["9"]), "!id {9}"),
            ("lt", json!("42"), "id ..41"),
            ("between", json!(["2", "5"]), "id 2..5"),
        ],
    );
    let uid = "0192AAAA-BBBB-7CCC-8DDD-EEEEFFFF0000";
    check("uid", &[("eq", json!(uid), "uid {0192aaaa-bbbb-7ccc-8ddd-eeeeffff0000}")]);
    check(
        "owner_id",
        &[
            ("eq", json!("7"), "owner_id {7}"),
            ("in", json!(["8", "7"]), "owner_id {7,8}"),
            ("exists", Value::Null, "owner_id?"),
        ],
    );
    check("agent", &[("not_in", json!([" 7 "]), "!agent {7}")]);
    check("version", &[("gt", json!(1), "version 2..")]);
    check(
        "display_name",
        &[("contains", json!("Roof"), "display_name words{roof}"), ("eq", json!("Ä"), "display_name {a}")],
    );
    check("created_at", &[("lt", json!("1970-01-01T00:00:00.000001Z"), "created_at ..0")]);
    check("archived_at", &[("not_exists", Value::Null, "!archived_at?")]);
}

#[test]
fn filters_are_joined_and_nested() {
    let stage = json!({"property": "stage", "op": "eq", "value": "won"});
    let hot = json!({"property": "is_hot", "op": "eq", "value": true});
    for (filter, expected) in [
        (json!({"all": [stage, hot]}), "(stage {won} & is_hot {true})"),
        (json!({"all": [stage, {"any": [hot, {"not": stage}]}]}), "(stage {won} & (is_hot {true} | !stage {won}))"),
        (json!({"all": []}), "everything"),
        (json!({"any": []}), "nothing"),
        (json!({"not": {"all": []}}), "!everything"),
    ] {
        assert_eq!(asked(&filter), expected, "{filter}");
    }
}

#[test]
fn a_filter_is_written_as_it_was_sent() {
    for filter in [
        json!({"all": [{"property": "amount", "op": "gt", "value": "1.50"}, {"any": []}]}),
        json!({"not": {"property": "name", "op": "exists"}}),
        json!({"property": "name", "op": "in", "value": ["a", null]}),
        json!({"association": "contact_friend", "direction": "in", "quantifier": "all", "match": {"all": []}}),
        json!({"association": "deal_task", "count": {"op": "between", "value": [1, 2]}}),
        json!({"association": "deal_task", "quantifier": "none"}),
    ] {
        let sent = raw(&filter);
        let text: super::super::ast::FilterText = read(&sent).expect("a filter");
        assert_eq!(serde_json::to_value(&text).expect("JSON"), filter);
    }
    let exact: Box<RawValue> =
        serde_json::from_str(r#"{"property": "amount", "op": "eq", "value": 1.2300000000000000001}"#).expect("JSON");
    let text: super::super::ast::FilterText = read(&exact).expect("a filter");
    let written = r#"{"property":"amount","op":"eq","value":1.2300000000000000001}"#;
    assert_eq!(serde_json::to_string(&text).expect("JSON"), written);
}

/// Values that each form of storage takes, for every operator.
fn sample(storage: Storage, op: &str, name: &str) -> Value {
    let one = match (storage, name) {
        (Storage::Option, _) => json!("won"),
        (Storage::TextList, "kinds") => json!("New"),
        (Storage::Scaled(_), "id") | (_, "agent" | "owner_id" | "created_by" | "updated_by") => json!("7"),
        (_, "uid") => json!("01920000-0000-7000-8000-000000000000"),
        (Storage::Scaled(_), _) => json!(1),
        (Storage::Boolean, _) => json!(true),
        (Storage::Date | Storage::Datetime, _) => json!("today"),
        (Storage::Text | Storage::LongText | Storage::TextList | Storage::Opaque, _) => json!("a"),
    };
    match op {
        "exists" | "not_exists" => Value::Null,
        "in" | "not_in" | "has_any" | "has_all" => json!([one]),
        "between" => json!([one, one]),
        _ => one,
    }
}

#[test]
fn each_property_takes_its_operators_and_no_others() {
    const ALL: [&str; 15] = [
        "eq",
        "neq",
        "lt",
        "lte",
        "gt",
        "gte",
        "between",
        "in",
        "not_in",
        "exists",
        "not_exists",
        "contains",
        "starts_with",
        "has_any",
        "has_all",
    ];
    let system = ["id", "uid", "display_name", "owner_id", "created_at", "created_by", "updated_at", "updated_by"];
    let visible = object("deal").properties.values().filter(|property| !property.archived && !property.sensitive);
    let names = visible.map(|property| property.name.as_str()).chain(system).chain(["archived_at", "version"]);
    let mut pairs = 0;
    for name in names {
        let found = resolve::known(name, object("deal"), &context()).expect(name);
        for op in ALL {
            let body = json!({"filter": {"property": name, "op": op, "value": sample(found.field.storage, op, name)}});
            pairs += 1;
            if found.operators.contains(&op) {
                assert!(query(&body).is_ok(), "{body}: {:?}", query(&body));
            } else {
                let (pointer, code, message) = refusal(&body);
                assert_eq!((pointer.as_str(), code), ("/filter/op", "not_applicable"), "{body}");
                assert!(message.starts_with(&format!("`{op}` does not fit ")), "{message}");
            }
        }
    }
    assert_eq!(pairs, 30 * ALL.len());
}
