//! Conditions on values, and their order.

use serde_json::{Value, json};
use tests::TestServer;

use crate::fixture::{define_thing, results};
use crate::search::{check, create_all, names, search};

async fn texts_are_compared_without_case_and_accents(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"title": {"type": "string"}})).await;
    let thing = |name: &str, title: &str| json!({"name": name, "title": title});
    let things = [
        thing("1", "Émile Zola"),
        thing("2", "emile zola"),
        thing("3", "Łódź"),
        thing("4", "Straße"),
        thing("5", "STRASSE"),
        thing("6", "Ørsted"),
        thing("7", "Roof, phase 2"),
        json!({"name": "8"}),
    ];
    create_all(&tenant, "thing", &things).await;
    let table: &[(&str, Value, &[&str])] = &[
        ("eq", json!("EMILE ZOLA"), &["1", "2"]),
        ("eq", json!("strasse"), &["4", "5"]),
        ("eq", json!("lodz"), &["3"]),
        ("eq", json!("orsted"), &["6"]),
        ("eq", json!("emile"), &[]),
        ("neq", json!("émile zola"), &["3", "4", "5", "6", "7", "8"]),
        ("in", json!(["ŁÓDŹ", "orsted", "nobody"]), &["3", "6"]),
        ("in", json!([]), &[]),
        ("not_in", json!(["lodz", "strasse"]), &["1", "2", "6", "7", "8"]),
        ("not_in", json!([]), &["1", "2", "3", "4", "5", "6", "7", "8"]),
        ("lt", json!("lodz"), &["1", "2"]),
        ("lte", json!("LODZ"), &["1", "2", "3"]),
        ("gt", json!("orsted"), &["4", "5", "7"]),
        ("gte", json!("Ørsted"), &["4", "5", "6", "7"]),
        ("between", json!(["emile zola", "Łódź"]), &["1", "2", "3"]),
        ("between", json!(["Łódź", "emile zola"]), &[]),
        ("exists", Value::Null, &["1", "2", "3", "4", "5", "6", "7"]),
        ("not_exists", Value::Null, &["8"]),
        ("contains", json!("2 PHASE"), &["7"]),
        ("contains", json!("zola"), &["1", "2"]),
        ("contains", json!("zol"), &[]),
        ("contains", json!("zola roof"), &[]),
        ("starts_with", json!("ÉM"), &["1", "2"]),
        ("starts_with", json!("stras"), &["4", "5"]),
        ("starts_with", json!("roof, p"), &["7"]),
        ("starts_with", json!("zola"), &[]),
    ];
    check(&tenant, "thing", "title", table).await;
    let sorted = async |sort: Value| names(&tenant, "thing", json!({"sort": sort})).await.concat();
    assert_eq!(sorted(json!([{"property": "title"}])).await, "12367458");
    assert_eq!(sorted(json!([{"property": "title", "direction": "desc"}])).await, "45763128");
    assert_eq!(
        sorted(json!([{"property": "title"}, {"property": "id", "direction": "desc"}])).await,
        "21367548",
        "ties are broken by what is asked"
    );
}

async fn words_of_long_texts_and_parts_of_codes_are_found(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"notes": {"type": "text"}, "code": {"type": "string", "substring": true}});
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "1", "notes": "Die große Tür, frisch gestrichen", "code": "AB-127-Ł"}),
        json!({"name": "2", "notes": "Der grosse Turm", "code": "XAB 12"}),
        json!({"name": "3", "notes": "a.*b"}),
    ];
    create_all(&tenant, "thing", &things).await;
    let table: &[(&str, Value, &[&str])] = &[
        ("contains", json!("tur GROSSE"), &["1"]),
        ("contains", json!("große"), &["1", "2"]),
        ("contains", json!("ro"), &[]),
        ("exists", Value::Null, &["1", "2", "3"]),
    ];
    check(&tenant, "thing", "notes", table).await;
    let table: &[(&str, Value, &[&str])] = &[
        ("contains", json!("ab"), &["1", "2"]),
        ("contains", json!("27-l"), &["1"]),
        ("contains", json!("12 b"), &["1", "2"]),
        ("contains", json!("B-13"), &[]),
        ("starts_with", json!("ab"), &["1"]),
        ("eq", json!("ab-127-l"), &["1"]),
    ];
    check(&tenant, "thing", "code", table).await;
}

async fn addresses_and_numbers_are_compared_in_their_normal_form(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"email": {"type": "email"}, "phone": {"type": "phone"}, "host": {"type": "domain"}});
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "1", "email": "Ada@Mail.example.com", "phone": "+1 (613) 555-0100", "host": "Example.com"}),
        json!({"name": "2", "email": "bob@example.com", "phone": "+442079460958", "host": "api.example.com"}),
        json!({"name": "3"}),
    ];
    create_all(&tenant, "thing", &things).await;
    for (property, op, value, expected) in [
        ("email", "eq", "ADA@mail.example.COM", &["1"][..]),
        ("email", "starts_with", "ada@", &["1"]),
        ("email", "contains", "example", &["1", "2"]),
        ("email", "contains", "mail", &["1"]),
        ("phone", "eq", "(613) 555-0100", &["1"]),
        ("phone", "eq", "+44 20 7946 0958", &["2"]),
        ("phone", "starts_with", "+44", &["2"]),
        ("phone", "contains", "555-0100", &["1"]),
        ("host", "eq", "EXAMPLE.com", &["1"]),
    ] {
        check(&tenant, "thing", property, &[(op, json!(value), expected)]).await;
    }
    check(&tenant, "thing", "email", &[("neq", json!("bob@example.com"), &["1", "3"])]).await;
}

async fn options_are_ordered_as_they_are_listed(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let options = json!(["small", "medium", "large"]);
    define_thing(&tenant, json!({"size": {"type": "enum", "options": options}})).await;
    let sizes = [json!("large"), json!("small"), Value::Null, json!("medium"), json!("small")];
    let things: Vec<Value> =
        (1..).zip(sizes).map(|(name, size)| json!({"name": name.to_string(), "size": size})).collect();
    create_all(&tenant, "thing", &things).await;
    let table: &[(&str, Value, &[&str])] = &[
        ("eq", json!("small"), &["2", "5"]),
        ("neq", json!("small"), &["1", "3", "4"]),
        ("lt", json!("medium"), &["2", "5"]),
        ("gte", json!("medium"), &["1", "4"]),
        ("between", json!(["small", "medium"]), &["2", "4", "5"]),
        ("in", json!(["large", "small"]), &["1", "2", "5"]),
        ("not_in", json!(["large"]), &["2", "3", "4", "5"]),
        ("not_exists", Value::Null, &["3"]),
    ];
    check(&tenant, "thing", "size", table).await;
    let sorted = async |direction: &str| {
        names(&tenant, "thing", json!({"sort": [{"property": "size", "direction": direction}]})).await.concat()
    };
    assert_eq!((sorted("asc").await, sorted("desc").await), ("25413".to_owned(), "14253".to_owned()));
}

async fn lists_are_asked_what_they_hold(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties =
        json!({"tags": {"type": "tags"}, "kinds": {"type": "multi_enum", "options": ["new", "repair", "other"]}});
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "1", "tags": ["VIP", "été"], "kinds": ["repair", "new"]}),
        json!({"name": "2", "tags": ["vip"], "kinds": ["other"]}),
        json!({"name": "3"}),
    ];
    create_all(&tenant, "thing", &things).await;
    let table: &[(&str, Value, &[&str])] = &[
        ("has_any", json!(["vip", "x"]), &["1", "2"]),
        ("has_all", json!(["ETE", "vip"]), &["1"]),
        ("has_any", json!([]), &[]),
        ("has_all", json!([]), &["1", "2", "3"]),
        ("not_exists", Value::Null, &["3"]),
    ];
    check(&tenant, "thing", "tags", table).await;
    let table: &[(&str, Value, &[&str])] =
        &[("has_any", json!(["new", "other"]), &["1", "2"]), ("has_all", json!(["new", "repair"]), &["1"])];
    check(&tenant, "thing", "kinds", table).await;
}

async fn numbers_are_compared_exactly_and_nulls_come_last(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties =
        json!({"seats": {"type": "integer"}, "fee": {"type": "money", "currency": "EUR"}, "open": {"type": "boolean"}});
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "1", "seats": 9_007_199_254_740_993_i64, "fee": "10.00", "open": true}),
        json!({"name": "2", "seats": 9_007_199_254_740_992_i64, "fee": "9999999999999999.99", "open": false}),
        json!({"name": "3", "seats": -4, "fee": "9999999999999999.98"}),
        json!({"name": "4"}),
    ];
    create_all(&tenant, "thing", &things).await;
    let table: &[(&str, Value, &[&str])] = &[
        ("eq", json!(9_007_199_254_740_993_i64), &["1"]),
        ("lt", json!(9_007_199_254_740_993_i64), &["2", "3"]),
        ("gt", json!(-4.5), &["1", "2", "3"]),
        ("eq", json!(-4.5), &[]),
        ("neq", json!(-4), &["1", "2", "4"]),
        ("between", json!([-4, 9_007_199_254_740_992_i64]), &["2", "3"]),
    ];
    check(&tenant, "thing", "seats", table).await;
    let table: &[(&str, Value, &[&str])] = &[
        ("eq", json!("10"), &["1"]),
        ("eq", json!(10.0), &["1"]),
        ("gte", json!("9999999999999999.985"), &["2"]),
        ("in", json!(["9999999999999999.98", "10.001"]), &["3"]),
        ("gt", json!("10.004"), &["2", "3"]),
    ];
    check(&tenant, "thing", "fee", table).await;
    check(&tenant, "thing", "open", &[("eq", json!(false), &["2"]), ("neq", json!(true), &["2", "3", "4"])]).await;
    for (property, ascending, descending) in
        [("seats", "3214", "1234"), ("fee", "1324", "2314"), ("open", "2134", "1234")]
    {
        for (direction, expected) in [("asc", ascending), ("desc", descending)] {
            let sort = json!([{"property": property, "direction": direction}]);
            assert_eq!(
                names(&tenant, "thing", json!({"sort": sort})).await.concat(),
                expected,
                "{property} {direction}"
            );
        }
    }
}

async fn archived_records_are_found_where_asked_for(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}})).await;
    let thing = |name: &str, size: i32| json!({"name": name, "size": size});
    let ids = create_all(&tenant, "thing", &[thing("1", 1), thing("2", 2), thing("3", 3)]).await;
    tenant.delete(&format!("/records/thing/{}", ids[1])).await.ok(204);
    tenant.delete(&format!("/records/thing/{}?purge=true", ids[2])).await.ok(204);
    let least = json!({"property": "size", "op": "gte", "value": 1});
    assert_eq!(names(&tenant, "thing", json!({"filter": least})).await, ["1"]);
    let archived = search(&tenant, "thing", json!({"filter": least, "archived": true, "count": true})).await;
    assert_eq!((&archived["total"], results(&archived).len()), (&json!(1), 1));
    assert_eq!(
        (&archived["results"][0]["display_name"], archived["results"][0]["archived_at"].is_string()),
        (&json!("2"), true)
    );
    tenant.post(&format!("/records/thing/{}/restore", ids[1]), &json!({})).await.ok(200);
    assert_eq!(names(&tenant, "thing", json!({"filter": least})).await, ["1", "2"]);
    assert!(names(&tenant, "thing", json!({"archived": true})).await.is_empty());
}

async fn limit_of_nothing_gives_counts_and_tables_only(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}})).await;
    create_all(&tenant, "thing", &[json!({"name": "1", "size": 1}), json!({"name": "2", "size": 2})]).await;
    let query = json!({"limit": 0, "count": true, "aggregate": {"t": {"measures": {"s": {"sum": "size"}}}}});
    let found = search(&tenant, "thing", query).await;
    assert_eq!(
        (&found["results"], &found["next_cursor"], &found["total"], &found["aggregates"]),
        (&json!([]), &Value::Null, &json!(2), &json!({"t": [{"key": [], "s": 3}]}))
    );
    let plain = search(&tenant, "thing", json!({})).await;
    assert_eq!(plain.as_object().unwrap().keys().collect::<Vec<_>>(), ["results", "next_cursor", "sequence"]);
}

scenarios![
    texts_are_compared_without_case_and_accents,
    words_of_long_texts_and_parts_of_codes_are_found,
    addresses_and_numbers_are_compared_in_their_normal_form,
    options_are_ordered_as_they_are_listed,
    lists_are_asked_what_they_hold,
    numbers_are_compared_exactly_and_nulls_come_last,
    archived_records_are_found_where_asked_for,
    limit_of_nothing_gives_counts_and_tables_only,
];
