//! What each property type takes, and in which form it gives it back.

use serde_json::{Value, json};
use tests::TestServer;

use crate::fixture::{Silence, create, define_thing, id};

fn every_type() -> Value {
    json!({
        "word": {"type": "string", "label": "Word", "min_length": 2, "max_length": 5, "pattern": "^[a-zé]+$"},
        "story": {"type": "text", "label": "Story", "markdown": true},
        "count": {"type": "integer", "label": "Count", "minimum": -5, "maximum": 5},
        "ratio": {"type": "decimal", "label": "Ratio"},
        "share": {"type": "percent", "label": "Share", "scale": 2},
        "price": {"type": "money", "label": "Price", "currency": "EUR", "minimum": 0},
        "yen": {"type": "money", "label": "Yen", "currency": "JPY"},
        "done": {"type": "boolean", "label": "Done"},
        "day": {"type": "date", "label": "Day"},
        "moment": {"type": "datetime", "label": "Moment"},
        "color": {"type": "enum", "label": "Color", "options": ["red", "green"]},
        "colors": {"type": "multi_enum", "label": "Colors", "options": {"red": "Red", "green": {"label": "Green", "color": "green"}}},
        "tags": {"type": "tags", "label": "Tags"},
        "mail": {"type": "email", "label": "Mail"},
        "phone": {"type": "phone", "label": "Phone"},
        "link": {"type": "url", "label": "Link"},
        "host": {"type": "domain", "label": "Host"},
        "spot": {"type": "geo", "label": "Spot"},
        "extra": {"type": "json", "label": "Extra", "schema": {"type": "object", "required": ["a"]}},
    })
}

async fn values_are_given_back_in_normal_form(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, every_type()).await;
    let forms = [
        ("word", json!("abcdé"), json!("abcdé")),
        ("story", json!("# A\n\nlong *one*"), json!("# A\n\nlong *one*")),
        ("count", json!(-5), json!(-5)),
        ("ratio", json!("0.500"), json!("0.5")),
        ("ratio", json!(1.25), json!("1.25")),
        ("ratio", json!("1e3"), json!("1000")),
        ("ratio", json!("999999999999.999999"), json!("999999999999.999999")),
        ("share", json!("12.5"), json!("12.50")),
        ("price", json!(120_000), json!("120000.00")),
        ("price", json!("0.10"), json!("0.10")),
        ("yen", json!("1500"), json!("1500")),
        ("done", json!(false), json!(false)),
        ("day", json!("2028-02-29"), json!("2028-02-29")),
        ("moment", json!("2026-05-04T03:02:01+02:00"), json!("2026-05-04T01:02:01.000000Z")),
        ("moment", json!("2026-05-04T03:02:01.1234567Z"), json!("2026-05-04T03:02:01.123456Z")),
        ("color", json!("red"), json!("red")),
        ("colors", json!(["green", "red"]), json!(["red", "green"])),
        ("tags", json!(["vip", "bot:off"]), json!(["vip", "bot:off"])),
        ("mail", json!("Ada@Example.COM"), json!("ada@example.com")),
        ("phone", json!("+1 (201) 555-0123"), json!("+12015550123")),
        ("host", json!("WWW.Example.COM"), json!("www.example.com")),
        ("spot", json!({"lat": 51.05, "lon": -114.07}), json!({"lat": 51.05, "lon": -114.07})),
        ("extra", json!({"a": [1, {"b": null}]}), json!({"a": [1, {"b": null}]})),
    ];
    for (name, given, expected) in forms {
        let body = json!({"properties": {"name": "Thing", name: given}});
        let record = tenant.post("/records/thing", &body).await.ok(201);
        assert_eq!(record["properties"][name], expected, "{name}: {given}");
        let read = tenant.get(&format!("/records/thing/{}", id(&record))).await.ok(200);
        assert_eq!(read, record, "{name}: {given}");
        let same = json!({"properties": {name: expected}});
        let patched = tenant.patch(&format!("/records/thing/{}", id(&record)), &same).await.ok(200);
        assert_eq!(patched["version"], 1, "the normal form of {name} is no change");
    }
}

async fn null_and_empty_are_the_same_as_absent_for_every_type(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, every_type()).await;
    let names = every_type();
    for empty in [Value::Null, json!("")] {
        let mut properties = json!({"name": "Thing"});
        for name in names.as_object().unwrap().keys() {
            properties[name] = empty.clone();
        }
        let record = tenant.post("/records/thing", &json!({"properties": properties})).await.ok(201);
        assert_eq!(record["properties"], json!({"name": "Thing"}), "all {empty}");
        let contact = json!({"first_name": "Ada", "last_name": "Lovelace", "contact_status": empty});
        assert_eq!(create(&tenant, "contact", contact).await["properties"]["contact_status"], "active", "the default");
    }
}

async fn wrong_values_are_named_with_their_place_and_change_nothing(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, every_type()).await;
    let quiet = Silence::begins(&tenant).await;
    let wrong = [
        ("word", json!("a"), "", "too_short"),
        ("word", json!("abcdef"), "", "too_long"),
        ("word", json!("AB"), "", "pattern"),
        ("word", json!(7), "", "wrong_type"),
        ("count", json!(6), "", "too_large"),
        ("count", json!(-6), "", "too_small"),
        ("count", json!("5"), "", "wrong_type"),
        ("count", json!(1.5), "", "wrong_type"),
        ("ratio", json!("0.1234567"), "", "too_precise"),
        ("ratio", json!("1234567890123.0"), "", "too_large"),
        ("ratio", json!("one"), "", "invalid"),
        ("price", json!("-0.01"), "", "too_small"),
        ("price", json!("0.001"), "", "too_precise"),
        ("yen", json!("0.5"), "", "too_precise"),
        ("done", json!("true"), "", "wrong_type"),
        ("day", json!("2026-02-29"), "", "invalid"),
        ("day", json!("2026-2-9"), "", "invalid"),
        ("moment", json!("2026-05-04T03:02:01"), "", "invalid"),
        ("color", json!("Red"), "", "unknown_option"),
        ("colors", json!(["red", "blue"]), "/1", "unknown_option"),
        ("tags", json!(["a", 7]), "/1", "wrong_type"),
        ("mail", json!("nobody"), "", "invalid"),
        ("phone", json!("call me"), "", "invalid"),
        ("link", json!("not a link"), "", "invalid"),
        ("host", json!("exa mple"), "", "invalid"),
    ];
    for (name, given, below, code) in wrong {
        let body = json!({"properties": {"name": "Thing", name: given}});
        let problem = tenant.post("/records/thing", &body).await.problem(422, "validation_failed");
        let expected = (format!("/properties/{name}{below}"), code.to_owned());
        assert_eq!(problem.errors(), [expected], "{name}: {given}");
    }
    for (name, given) in
        [("spot", json!({"lat": 91, "lon": 0})), ("spot", json!([1, 2])), ("extra", json!({})), ("extra", json!([]))]
    {
        let body = json!({"properties": {"name": "Thing", name: given}});
        let problem = tenant.post("/records/thing", &body).await.problem(422, "validation_failed");
        let place = format!("/properties/{name}");
        assert!(problem.pointers().iter().all(|pointer| pointer.starts_with(&place)), "{name}: {}", problem.body);
    }
    quiet.holds().await;
}

async fn money_in_another_property_s_currency_has_that_currency_s_scale(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let create = async |properties: Value| tenant.post("/records/deal", &json!({"properties": properties})).await;
    let deal = create(json!({"name": "Roof", "amount": "120000"})).await.ok(201);
    assert_eq!((&deal["properties"]["amount"], &deal["properties"]["currency"]), (&json!("120000.00"), &json!("USD")));
    assert_eq!(deal["properties"]["stage"], "prospecting");
    assert_eq!(deal["properties"]["pipeline"], "sales");
    let other = json!({"name": "Roof", "pipeline": "simple", "stage": "won"});
    assert_eq!(create(other).await.ok(201)["properties"]["stage"], "won");
    let lost =
        create(json!({"name": "Roof", "pipeline": "sales", "stage": "won"})).await.problem(422, "validation_failed");
    assert_eq!(lost.pointers(), ["/properties/stage"]);
}

scenarios![
    values_are_given_back_in_normal_form,
    null_and_empty_are_the_same_as_absent_for_every_type,
    wrong_values_are_named_with_their_place_and_change_nothing,
    money_in_another_property_s_currency_has_that_currency_s_scale,
];
