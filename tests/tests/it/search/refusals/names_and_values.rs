//! Names that nothing has, operators and values that do not fit.

use serde_json::{Value, json};
use tests::TestServer;

use super::{check, refused, things};
use crate::fixture::Silence;

async fn unknown_names_are_told_with_the_nearest(server: TestServer) {
    let tenant = things(&server).await;
    let condition = |property: &str, op: &str| json!({"property": property, "op": op, "value": "x"});
    for (query, pointer, code, word) in [
        (json!({"filter": condition("amuont", "eq")}), "/filter/property", "unknown_property", "`amount`"),
        (json!({"filter": condition("ower_id", "eq")}), "/filter/property", "unknown_property", "`owner_id`"),
        (json!({"filter": condition("weight", "eq")}), "/filter/property", "unknown_property", "`thing`"),
        (json!({"filter": condition("name", "eqq")}), "/filter/op", "unknown_operator", "`eq`"),
        (json!({"filter": condition("name", "==")}), "/filter/op", "unknown_operator", "`eq`"),
        (json!({"filter": condition("notes", "like")}), "/filter/op", "unknown_operator", "`contains`"),
        (json!({"filter": {"association": "thing_bx"}}), "/filter/association", "unknown_association", "`thing_box`"),
        (
            json!({"filter": {"association": "thing_box", "match": condition("wieght", "eq")}}),
            "/filter/match/property",
            "unknown_property",
            "`weight`",
        ),
        (
            json!({"filter": {"association": "thing_box", "match": condition("amount", "eq")}}),
            "/filter/match/property",
            "unknown_property",
            "`box`",
        ),
        (json!({"filter": {"association": "thing_box", "quantifier": "al"}}), "/filter/quantifier", "unknown", "`all`"),
        (json!({"sort": [{"property": "amuont"}]}), "/sort/0/property", "unknown_property", "`amount`"),
        (json!({"sort": [{"property": "amount", "direction": "down"}]}), "/sort/0/direction", "unknown", "`desc`"),
        (json!({"select": ["name", "stge"]}), "/select/1", "unknown_property", "`stage`"),
        (json!({"include": ["bx(weight)"]}), "/include/0", "invalid", "`box`"),
        (json!({"aggregate": {"t": {"group": ["stge"]}}}), "/aggregate/t/group/0", "unknown_property", "`stage`"),
        (
            json!({"aggregate": {"t": {"group": [{"date": "on", "every": "monht"}]}}}),
            "/aggregate/t/group/0/every",
            "unknown",
            "`month`",
        ),
        (
            json!({"aggregate": {"t": {"measures": {"m": {"summ": "amount"}}}}}),
            "/aggregate/t/measures/m/summ",
            "unknown",
            "`sum`",
        ),
        (
            json!({"aggregate": {"t": {"measures": {"m": {"sum": "amuont"}}}}}),
            "/aggregate/t/measures/m/sum",
            "unknown_property",
            "`amount`",
        ),
        (
            json!({"aggregate": {"t": {"measures": {"total": {"sum": "amount"}}, "order": [{"measure": "totl"}]}}}),
            "/aggregate/t/order/0/measure",
            "unknown",
            "`total`",
        ),
        (json!({"filtre": {}}), "/filtre", "unknown", "`filter`"),
        (json!({"aggregate": {"t": {"groups": []}}}), "/aggregate/t/groups", "unknown", "`group`"),
        (json!({"consistency": "strng"}), "/consistency", "unknown", "`strong`"),
        (json!({"objects": ["thing"]}), "/objects", "unknown", ""),
    ] {
        check(&tenant, query, pointer, code, word).await;
    }
    let problem = tenant.post("/records/thng/search", &json!({})).await.problem(404, "not_found");
    assert!(problem.words().contains("`thing`"), "{}", problem.body);
    let problem = tenant.get("/records/thng/suggest?q=a").await.problem(404, "not_found");
    assert!(problem.words().contains("`thing`"), "{}", problem.body);
    let across = tenant.post("/search", &json!({"objects": ["thng"]})).await.problem(422, "validation_failed");
    assert_eq!(across.pointers(), ["/objects/0"]);
    assert!(across.words().contains("`thing`"), "{}", across.body);
    let elsewhere = json!({"objects": ["thing", "box"], "filter": {"property": "amount", "op": "exists"}});
    let across = tenant.post("/search", &elsewhere).await.problem(422, "validation_failed");
    assert_eq!(across.errors(), [("/filter/property".to_owned(), "unknown_property".to_owned())]);
    assert!(across.words().contains("`box`"), "{}", across.body);
}

async fn what_does_not_fit_or_parse_is_told_in_place(server: TestServer) {
    let tenant = things(&server).await;
    let condition =
        |property: &str, op: &str, value: Value| json!({"filter": {"property": property, "op": op, "value": value}});
    let group = |group: Value| json!({"aggregate": {"t": {"group": [group]}}});
    let measure = |measure: Value| json!({"aggregate": {"t": {"measures": {"m": measure}}}});
    for (query, pointer, code) in [
        (condition("tags", "eq", json!("a")), "/filter/op", "not_applicable"),
        (condition("notes", "starts_with", json!("a")), "/filter/op", "not_applicable"),
        (condition("stage", "contains", json!("a")), "/filter/op", "not_applicable"),
        (condition("hot", "lt", json!(true)), "/filter/op", "not_applicable"),
        (condition("data", "eq", json!(1)), "/filter/op", "not_applicable"),
        (condition("owner_id", "gt", json!("1")), "/filter/op", "not_applicable"),
        (condition("amount", "eq", json!("much")), "/filter/value", "invalid"),
        (condition("amount", "eq", json!(true)), "/filter/value", "wrong_type"),
        (condition("amount", "in", json!("1")), "/filter/value", "wrong_type"),
        (condition("amount", "in", json!([1, "x", 2])), "/filter/value/1", "invalid"),
        (condition("amount", "between", json!([1])), "/filter/value", "invalid"),
        (condition("amount", "between", json!([1, null])), "/filter/value/1", "required"),
        (condition("seats", "eq", json!("5")), "/filter/value", "wrong_type"),
        (condition("hot", "eq", json!("true")), "/filter/value", "wrong_type"),
        (condition("stage", "eq", json!("wno")), "/filter/value", "unknown_option"),
        (condition("stage", "eq", json!("Won")), "/filter/value", "unknown_option"),
        (condition("on", "eq", json!("2026-02-29")), "/filter/value", "invalid"),
        (condition("on", "gte", json!("todya-3d")), "/filter/value", "invalid"),
        (condition("at", "gte", json!("2026-02-28T10:00:00")), "/filter/value", "invalid"),
        (condition("at", "gte", json!(5)), "/filter/value", "wrong_type"),
        (condition("name", "eq", json!(5)), "/filter/value", "wrong_type"),
        (condition("name", "eq", Value::Null), "/filter/value", "required"),
        (condition("id", "eq", json!("x")), "/filter/value", "invalid"),
        (json!({"filter": {"property": "name", "op": "eq"}}), "/filter/value", "required"),
        (json!({"filter": {"property": "name"}}), "/filter/op", "required"),
        (json!({"filter": {"property": "name", "op": "exists", "value": 1}}), "/filter/value", "not_applicable"),
        (json!({"filter": {"all": {}}}), "/filter/all", "wrong_type"),
        (json!({"filter": {"all": [], "any": []}}), "/filter", "invalid"),
        (json!({"filter": {}}), "/filter", "invalid"),
        (json!({"filter": 5}), "/filter", "wrong_type"),
        (json!({"filter": {"association": "thing_next"}}), "/filter/direction", "required"),
        (json!({"filter": {"association": "thing_box", "direction": "in"}}), "/filter/direction", "not_applicable"),
        (
            json!({"filter": {"association": "thing_box", "quantifier": "any", "count": {"op": "eq", "value": 0}}}),
            "/filter/count",
            "not_applicable",
        ),
        (
            json!({"filter": {"association": "thing_box", "count": {"op": "eq", "value": "0"}}}),
            "/filter/count/value",
            "wrong_type",
        ),
        (
            json!({"filter": {"association": "thing_box", "count": {"op": "contains", "value": 0}}}),
            "/filter/count/op",
            "not_applicable",
        ),
        (json!({"sort": ["notes"]}), "/sort/0/property", "not_applicable"),
        (json!({"sort": ["data"]}), "/sort/0/property", "not_applicable"),
        (json!({"sort": {}}), "/sort", "wrong_type"),
        (group(json!("notes")), "/aggregate/t/group/0", "not_applicable"),
        (group(json!({"date": "name", "every": "day"})), "/aggregate/t/group/0/date", "not_applicable"),
        (group(json!({"date": "on"})), "/aggregate/t/group/0/every", "required"),
        (group(json!({"number": "amount", "every": 0})), "/aggregate/t/group/0/every", "too_small"),
        (group(json!({"number": "seats", "every": 0.5})), "/aggregate/t/group/0/every", "too_precise"),
        (group(json!({"number": "stage", "every": 5})), "/aggregate/t/group/0/number", "not_applicable"),
        (measure(json!({"sum": "name"})), "/aggregate/t/measures/m/sum", "not_applicable"),
        (measure(json!({"sum": "on"})), "/aggregate/t/measures/m/sum", "not_applicable"),
        (measure(json!({"count": false})), "/aggregate/t/measures/m/count", "invalid"),
        (measure(json!({"sum": "amount", "avg": "amount"})), "/aggregate/t/measures/m", "invalid"),
        (
            measure(json!({"percentiles": {"property": "amount", "at": [101]}})),
            "/aggregate/t/measures/m/percentiles/at/0",
            "invalid",
        ),
        (measure(json!({"percentiles": {"property": "amount"}})), "/aggregate/t/measures/m/percentiles/at", "required"),
        (json!({"q": 5}), "/q", "wrong_type"),
        (json!({"count": "yes"}), "/count", "wrong_type"),
        (json!({"fuzzy": 1}), "/fuzzy", "wrong_type"),
        (json!({"archived": "true"}), "/archived", "wrong_type"),
    ] {
        check(&tenant, query, pointer, code, "").await;
    }
}

async fn everything_that_is_wrong_is_told_at_once(server: TestServer) {
    let tenant = things(&server).await;
    let quiet = Silence::begins(&tenant).await;
    let query = json!({
        "q": "a ".repeat(140),
        "filter": {"all": [
            {"property": "amuont", "op": "eq", "value": 1},
            {"any": [{"property": "tags", "op": "eq", "value": 1}, {"property": "stage", "op": "in", "value": ["wno", "new", 5]}]},
            {"association": "thing_bx"},
            {"property": "name"},
        ]},
        "sort": ["-amuont", {"property": "data"}],
        "select": ["name", "nmae"], "include": ["bx"], "limit": 1_000, "limt": 1, "consistency": "week",
        "aggregate": {"t": {"group": ["stge"], "measures": {"m": {"sum": "name"}, "n": {"total": "x"}}}},
    });
    let mut pointers = refused(&tenant, &query).await.pointers();
    pointers.sort();
    let expected = [
        "/aggregate/t/group/0",
        "/aggregate/t/measures/m/sum",
        "/aggregate/t/measures/n/total",
        "/consistency",
        "/filter/all/0/property",
        "/filter/all/1/any/0/op",
        "/filter/all/1/any/1/value/0",
        "/filter/all/1/any/1/value/2",
        "/filter/all/2/association",
        "/filter/all/3/op",
        "/include/0",
        "/limit",
        "/limt",
        "/q",
        "/select/1",
        "/sort/0/property",
        "/sort/1/property",
    ];
    assert_eq!(pointers, expected);
    let across = json!({"objects": ["zz", "thing"], "limit": 900, "sort": ["nope"], "cursor": "zz"});
    let problem = tenant.post("/search", &across).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/objects/0", "/limit", "/sort/0/property", "/cursor"]);
    let nowhere = tenant.post("/search", &json!({"objects": []})).await.problem(422, "validation_failed");
    assert_eq!(nowhere.errors(), [("/objects".to_owned(), "required".to_owned())]);
    // Once, although most objects have no weight, and with what to do.
    let query = json!({"filter": {"property": "weight", "op": "exists"}});
    let problem = tenant.post("/search", &query).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/filter/property"]);
    assert!(problem.words().contains("in `objects`") && problem.words().contains("`box`"), "{}", problem.body);
    quiet.holds().await;
}

scenarios![
    unknown_names_are_told_with_the_nearest,
    what_does_not_fit_or_parse_is_told_in_place,
    everything_that_is_wrong_is_told_at_once
];
