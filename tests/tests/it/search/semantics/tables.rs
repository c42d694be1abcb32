//! Groups and measures, row by row.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::define_thing;
use crate::search::{create_all, search};

/// The rows of one table.
async fn rows(tenant: &Client, table: Value) -> Value {
    let found = search(tenant, "thing", json!({"limit": 0, "aggregate": {"t": table}})).await;
    found["aggregates"]["t"].clone()
}

async fn groups_take_values_as_stored_and_what_is_cut_is_one_row(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({
        "kind": {"type": "string"}, "tags": {"type": "tags"}, "fee": {"type": "money", "currency": "EUR"},
        "size": {"type": "enum", "options": ["small", "large", "huge"]}, "open": {"type": "boolean"},
    });
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "1", "kind": "Été", "tags": ["a", "b"], "fee": "10.05", "size": "large", "open": true}),
        json!({"name": "2", "kind": "été", "tags": ["a"], "fee": "0.10", "size": "small"}),
        json!({"name": "3", "kind": "Été", "fee": "9999999999999999.99", "size": "small", "open": false}),
        json!({"name": "4", "tags": ["b"], "size": "huge"}),
    ];
    create_all(&tenant, "thing", &things).await;
    let measures = json!({"n": {"count": true}, "total": {"sum": "fee"}});
    for (table, expected) in [
        (
            json!({"group": ["kind"], "measures": measures}),
            json!([
                {"key": ["Été"], "n": 2, "total": "10000000000000010.04"},
                {"key": ["été"], "n": 1, "total": "0.10"},
                {"key": [null], "n": 1, "total": "0.00"},
            ]),
        ),
        (
            json!({"group": ["tags"], "order": [{"key": "desc"}]}),
            json!([{"key": ["b"], "count": 2}, {"key": ["a"], "count": 2}, {"key": [null], "count": 1}]),
        ),
        (
            json!({"group": ["size"], "order": [{"key": "asc"}], "limit": 1, "measures": measures}),
            json!([{"key": ["small"], "n": 2, "total": "10000000000000000.09"}, {"other": true, "n": 2, "total": "10.05"}]),
        ),
        (
            json!({"group": ["size"]}),
            json!([{"key": ["small"], "count": 2}, {"key": ["large"], "count": 1}, {"key": ["huge"], "count": 1}]),
        ),
        (
            json!({"group": ["open", "size"], "order": [{"key": "asc"}]}),
            json!([
                {"key": [false, "small"], "count": 1},
                {"key": [true, "large"], "count": 1},
                {"key": [null, "small"], "count": 1},
                {"key": [null, "huge"], "count": 1},
            ]),
        ),
        (
            json!({"group": [{"number": "fee", "every": "0.5"}], "order": [{"measure": "count"}, {"key": "desc"}]}),
            json!([
                {"key": ["9999999999999999.50"], "count": 1},
                {"key": ["10.00"], "count": 1},
                {"key": ["0.00"], "count": 1},
                {"key": [null], "count": 1},
            ]),
        ),
        (
            json!({"measures": {"a": {"avg": "fee"}, "l": {"min": "fee"}, "h": {"max": "fee"}, "k": {"count_distinct": "kind"}}}),
            json!([{"key": [], "a": "3333333333333336.7133333333", "l": "0.10", "h": "9999999999999999.99", "k": 2}]),
        ),
        (
            json!({"group": ["open"], "measures": {"most": {"max": "fee"}}}),
            json!([
                {"key": [false], "most": "9999999999999999.99"},
                {"key": [true], "most": "10.05"},
                {"key": [null], "most": "0.10"},
            ]),
        ),
    ] {
        assert_eq!(rows(&tenant, table.clone()).await, expected, "{table}");
    }
}

async fn sums_beyond_64_bits_are_numbers(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}})).await;
    let things = ["a", "b", "c"].map(|name| json!({"name": name, "size": i64::MAX}));
    create_all(&tenant, "thing", &things).await;
    create_all(&tenant, "thing", &[json!({"name": "d", "size": i64::MIN})]).await;
    let measures = json!({"s": {"sum": "size"}, "l": {"min": "size"}, "h": {"max": "size"}});
    let table = json!({"group": ["name"], "order": [{"key": "desc"}], "limit": 1, "measures": measures});
    let most = json!({"filter": {"property": "size", "op": "gt", "value": 0}, "limit": 0, "aggregate": {"t": {"measures": measures}, "u": table}});
    for (path, mut query) in [("/records/thing/search", most.clone()), ("/search", most)] {
        if path == "/search" {
            query["objects"] = json!(["thing"]);
        }
        let text = tenant.post(path, &query).await.text;
        // A value of JSON in memory has not that many digits.
        let all = r#"{"key":[],"s":27670116110564327421,"l":9223372036854775807,"h":9223372036854775807}"#;
        let other = r#"{"other":true,"s":18446744073709551614,"l":9223372036854775807,"h":9223372036854775807}"#;
        assert!(text.contains(all) && text.contains(other), "{text}");
    }
    let least = json!({"limit": 0, "aggregate": {"t": {"measures": {"l": {"min": "size"}, "s": {"sum": "size"}}}}});
    let text = tenant.post("/records/thing/search", &least).await.text;
    assert!(text.contains(r#""l":-9223372036854775808,"s":18446744073709551613"#), "{text}");
}

async fn what_no_record_has_is_measured_as_nothing(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}, "on": {"type": "date"}})).await;
    let measures = json!({"n": {"count": true}, "a": {"avg": "size"}, "m": {"min": "on"}, "d": {"count_distinct": "on"},
        "p": {"percentiles": {"property": "size", "at": [50]}}});
    let nothing = json!([{"key": [], "n": 0, "a": null, "m": null, "d": 0, "p": {"50": null}}]);
    assert_eq!(rows(&tenant, json!({"measures": measures})).await, nothing);
    assert_eq!(rows(&tenant, json!({"group": ["size"], "measures": measures})).await, json!([]));
}

async fn percentiles_are_within_a_hundredth_of_the_value(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}, "fee": {"type": "money", "currency": "EUR"}})).await;
    let inputs: Vec<Value> = (1..=1_000)
        .map(|n| json!({"properties": {"name": "x", "size": n * 7 % 1_000 + 1, "fee": format!("{n}.50")}}))
        .collect();
    tenant.post("/records/thing/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    let at = json!([1, 50, 95, 99.9]);
    let measures = json!({"s": {"percentiles": {"property": "size", "at": at}},
        "f": {"percentiles": {"property": "fee", "at": at}}});
    let found = rows(&tenant, json!({"measures": measures})).await;
    for (spelling, percent) in [("1", 1.0), ("50", 50.0), ("95", 95.0), ("99.9", 99.9)] {
        let size = found[0]["s"][spelling].as_f64().unwrap();
        let fee: f64 = found[0]["f"][spelling].as_str().unwrap().parse().unwrap();
        // Whichever of the two values next to the place is taken, or what lies between.
        let (least, most) = (percent * 10.0 * 0.99, (percent * 10.0 + 1.0) * 1.01);
        assert!((least..=most).contains(&size), "{spelling} %: {size}");
        assert!((least..=most + 0.5).contains(&fee), "{spelling} %: {fee}");
    }
}

async fn intervals_are_those_of_the_tenants_calendar(server: TestServer) {
    let tenant = server.tenant("generic").await;
    tenant.patch("/tenant", &json!({"time_zone": "America/Edmonton"})).await.ok(200);
    define_thing(&tenant, json!({"at": {"type": "datetime"}, "on": {"type": "date"}})).await;
    let things = [
        json!({"name": "1", "at": "2026-01-01T06:59:59Z", "on": "2026-01-01"}),
        json!({"name": "2", "at": "2026-01-01T07:00:00Z", "on": "2026-03-31"}),
        // The first day of summer time.
        json!({"name": "3", "at": "2026-03-09T05:59:59Z", "on": "2026-04-01"}),
        json!({"name": "4"}),
    ];
    create_all(&tenant, "thing", &things).await;
    for (property, every, keys) in [
        ("at", "day", ["2025-12-31", "2026-01-01", "2026-03-08"].as_slice()),
        ("at", "week", &["2025-12-29", "2026-03-02"]),
        ("at", "month", &["2025-12-01", "2026-01-01", "2026-03-01"]),
        ("at", "quarter", &["2025-10-01", "2026-01-01"]),
        ("at", "year", &["2025-01-01", "2026-01-01"]),
        ("on", "quarter", &["2026-01-01", "2026-04-01"]),
    ] {
        let table = json!({"group": [{"date": property, "every": every}], "order": [{"key": "asc"}]});
        let found = rows(&tenant, table.clone()).await;
        let found: Vec<&Value> = found.as_array().unwrap().iter().map(|row| &row["key"][0]).collect();
        let expected: Vec<Value> = keys.iter().map(|key| json!(key)).chain([Value::Null]).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{table}");
    }
}

scenarios![
    groups_take_values_as_stored_and_what_is_cut_is_one_row,
    sums_beyond_64_bits_are_numbers,
    what_no_record_has_is_measured_as_nothing,
    percentiles_are_within_a_hundredth_of_the_value,
    intervals_are_those_of_the_tenants_calendar,
];
