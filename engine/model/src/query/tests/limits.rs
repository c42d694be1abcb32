use super::*;

fn leaf() -> Value {
    json!({"property": "seats", "op": "eq", "value": 1})
}

/// A filter that nests so many levels deep.
fn nested(levels: usize) -> Value {
    (1..levels).fold(leaf(), |inner, _| json!({"not": inner}))
}

#[test]
fn a_filter_nests_sixteen_levels_deep() {
    assert!(query(&json!({"filter": nested(16)})).is_ok());
    let found = refusal(&json!({"filter": nested(17)}));
    let pointer = format!("/filter{}", "/not".repeat(16));
    assert_eq!(found, (pointer, "too_deep", "a filter nests at most 16 levels deep".to_owned()));
    let far = (0..16).fold(leaf(), |inner, _| json!({"association": "deal_company", "match": inner}));
    assert_eq!(refusal(&json!({"filter": far})).1, "too_deep");
}

#[test]
fn a_filter_has_five_hundred_conditions_however_they_are_grouped() {
    let half = json!({"any": vec![leaf(); 250]});
    assert!(query(&json!({"filter": {"all": [half, half]}})).is_ok());
    let found = refusal(&json!({"filter": {"all": [half, half, leaf(), leaf()]}}));
    assert_eq!(found, ("/filter/all/2".to_owned(), "too_many", "a filter has at most 500 conditions".to_owned()));
    let empty = json!({"any": vec![json!({"all": []}); 251]});
    assert_eq!(refusal(&json!({"filter": {"all": [half, empty]}})).0, "/filter/all/1/any/250/all");
    let found = refusal(&json!({"filter": {"all": vec![leaf(); 501]}}));
    assert_eq!(found, ("/filter/all".to_owned(), "too_many", "a list of at most 500 is taken, not of 501".to_owned()));
}

#[test]
fn the_lists_of_a_filter_have_ten_thousand_values_together() {
    let list = |count: usize| json!({"property": "name", "op": "in", "value": vec!["a"; count]});
    assert!(query(&json!({"filter": {"all": [list(4_000), list(6_000)]}})).is_ok());
    let found = refusal(&json!({"filter": {"all": [list(4_000), list(6_001)]}}));
    let message = "all lists of a filter have at most 10000 values together";
    assert_eq!(found, ("/filter/all/1/value".to_owned(), "too_many", message.to_owned()));
    assert_eq!(refusal(&json!({"filter": list(10_001)})).2, "a list of at most 10000 is taken, not of 10001");
    let counted = json!({"association": "deal_task", "count": {"op": "in", "value": vec![1; 10_001]}});
    assert_eq!(refusal(&json!({"filter": counted})).0, "/filter/count/value");
}

#[test]
fn associations_lead_three_steps_far() {
    let step = |inner: Value| json!({"association": "contact_friend", "direction": "out", "match": inner});
    let three = json!({"association": "deal_party", "match": step(step(json!({"property": "age", "op": "exists"})))});
    assert!(query(&json!({"filter": three})).is_ok(), "{:?}", query(&json!({"filter": three})));
    let four = json!({"association": "deal_party", "match": step(step(step(json!({"all": []}))))});
    let found = refusal(&json!({"filter": four}));
    let message = "a filter leads along at most 3 associations, one after the other";
    assert_eq!(found, ("/filter/match/match/match".to_owned(), "too_deep", message.to_owned()));
}

#[test]
fn a_filter_that_leads_to_many_objects_is_not_resolved_for_ever() {
    let ids: Vec<_> = (1..10_000).map(|id| (1_000_000_000 + id).to_string()).collect();
    let ids = json!({"property": "id", "op": "in", "value": ids});
    let step = |association: &str, direction: &str, inner: Value| json!({"association": association, "direction": direction, "match": inner});
    let once = step("note_about", "in", ids.clone());
    assert!(query(&json!({"filter": once})).is_ok());
    // From a deal to its notes, to whatever these are about, which many objects may be, and on from each of them.
    let far = step("note_about", "in", step("note_about", "out", step("note_about", "in", ids)));
    assert!(query(&json!({"filter": far})).is_ok());
    let long = "x".repeat(1_700_000);
    let costly = json!({"property": "display_name", "op": "starts_with", "value": long});
    let body = json!({"filter": step("note_about", "in", step("note_about", "out", costly))});
    let message = "the filter takes too much work for all objects that it leads to; ask less, or of fewer objects";
    assert_eq!(refusal(&body), ("/filter".to_owned(), "too_costly", message.to_owned()));
}

#[test]
fn full_text_is_short() {
    assert!(query(&json!({"q": "wort ".repeat(128)})).is_ok());
    assert!(query(&json!({"q": "é".repeat(1_000)})).is_ok());
    assert!(query(&json!({"q": "東".repeat(128)})).is_ok());
    assert_eq!(refusal(&json!({"q": "東".repeat(129)})).1, "too_many");
    for (q, code, message) in [
        ("a ".repeat(129), "too_many", "has more than 128 words; at most so many are looked for"),
        ("é".repeat(1_001), "too_long", "has 1001 characters; at most 1000 are looked for"),
    ] {
        assert_eq!(refusal(&json!({"q": q})), ("/q".to_owned(), code, message.to_owned()));
        for property in ["notes", "sku"] {
            let filter = json!({"property": property, "op": "contains", "value": q});
            assert_eq!(refusal(&json!({"filter": filter})), ("/filter/value".to_owned(), code, message.to_owned()));
        }
    }
}

#[test]
fn pages_orders_and_tables_have_limits() {
    let table = |count: usize, of: Value| (0..count).map(|index| (format!("m{index}"), of.clone())).collect::<Value>();
    let count = json!({"count": true});
    for (within, beyond, pointer, code) in [
        (json!({"limit": 200}), json!({"limit": 201}), "/limit", "too_large"),
        (json!({"limit": 0}), json!({"limit": -1}), "/limit", "out_of_range"),
        (json!({"sort": vec!["name"; 8]}), json!({"sort": vec!["name"; 9]}), "/sort", "too_many"),
        (
            json!({"aggregate": table(20, json!({}))}),
            json!({"aggregate": table(21, json!({}))}),
            "/aggregate",
            "too_many",
        ),
        (
            json!({"aggregate": {"a": {"group": vec!["stage"; 5]}}}),
            json!({"aggregate": {"a": {"group": vec!["stage"; 6]}}}),
            "/aggregate/a/group",
            "too_many",
        ),
        (
            json!({"aggregate": {"a": {"measures": table(20, count.clone())}}}),
            json!({"aggregate": {"a": {"measures": table(21, count)}}}),
            "/aggregate/a/measures",
            "too_many",
        ),
        (
            json!({"aggregate": {"a": {"limit": 10_000}}}),
            json!({"aggregate": {"a": {"limit": 10_001}}}),
            "/aggregate/a/limit",
            "too_large",
        ),
        (
            json!({"aggregate": {"a": {"limit": 1}}}),
            json!({"aggregate": {"a": {"limit": 0}}}),
            "/aggregate/a/limit",
            "too_small",
        ),
    ] {
        assert!(query(&within).is_ok(), "{within}");
        let (found, found_code, _) = refusal(&beyond);
        assert_eq!((found.as_str(), found_code), (pointer, code), "{beyond}");
    }
}

#[test]
fn a_body_of_megabytes_is_given_up_early() {
    let many = format!(
        "{{\"filter\": {{\"all\": [{}]}}}}",
        vec!["{\"any\": [{\"all\": []}, {\"all\": []}, {\"all\": []}]}"; 400].join(",")
    );
    let body: Box<RawValue> = serde_json::from_str(&many).expect("JSON");
    let found = read::<QueryText>(&body).expect_err("too many");
    assert_eq!(found.len(), 1);
    let wrong = vec![json!({"property": "seats", "op": "in", "value": vec!["x"; 50]}); 200];
    assert_eq!(refused(&json!({"filter": {"all": wrong}})).len(), 1_000);
}
