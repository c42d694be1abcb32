//! Formulas and roll-ups: what is computed of a record is right whatever is written, by however many at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, all_records, create, create_id, define, id, jobs_are_done, results, searched};

/// `group`, `firm` and `bill`: a bill belongs to firms, a firm to a group.
async fn define_firms(tenant: &Client) {
    let name = json!({"type": "string"});
    define(tenant, json!({"name": "group", "plural": "groups", "properties": {"name": name}})).await;
    define(tenant, json!({"name": "firm", "plural": "firms", "properties": {"name": name}})).await;
    let bill = json!({
        "number": {"type": "string"}, "net": {"type": "money", "currency": "EUR", "maximum": 1000},
        "state": {"type": "enum", "options": ["open", "paid"], "default": "open"}, "issued_on": {"type": "date"},
        "gross": {"type": "formula", "formula": "net * 1.19", "result": "money", "currency": "EUR"},
    });
    define(tenant, json!({"name": "bill", "plural": "bills", "properties": bill})).await;
    for (name, from, to, cardinality) in
        [("bill_firm", "bill", "firm", "many_to_many"), ("firm_group", "firm", "group", "many_to_one")]
    {
        let body = json!({"name": name, "from": from, "to": to, "cardinality": cardinality});
        tenant.post("/association-definitions", &body).await.ok(201);
    }
}

async fn add_property(tenant: &Client, object: &str, property: Value) {
    tenant.post(&format!("/object-definitions/{object}/properties"), &property).await.ok(201);
}

async fn define_rollups(tenant: &Client) {
    let rollup = |name: &str, function: &str, property: &str, condition: &str| {
        let mut spec = json!({"name": name, "type": "rollup", "association": "bill_firm", "function": function});
        for (key, value) in [("property", property), ("where", condition)] {
            if !value.is_empty() {
                spec[key] = json!(value);
            }
        }
        spec
    };
    for spec in [
        rollup("bills", "count", "", ""),
        rollup("owed", "sum", "gross", "state == 'open'"),
        rollup("mean", "avg", "net", ""),
        rollup("least", "min", "net", ""),
        rollup("last_on", "max", "issued_on", ""),
        rollup("first_number", "first", "number", ""),
        rollup("last_state", "last", "state", ""),
    ] {
        add_property(tenant, "firm", spec).await;
    }
    let rated =
        json!({"name": "rated", "type": "formula", "formula": "owed > 100 ? 'high' : 'low'", "result": "string"});
    add_property(tenant, "firm", rated).await;
    let total =
        json!({"name": "owed", "type": "rollup", "association": "firm_group", "function": "sum", "property": "owed"});
    add_property(tenant, "group", total).await;
}

async fn bill(tenant: &Client, properties: Value, firms: &[&str]) -> String {
    let links: Vec<Value> = firms.iter().map(|firm| json!({"type": "bill_firm", "to": firm})).collect();
    let body = json!({"properties": properties, "associations": links});
    id(&tenant.post("/records/bill", &body).await.ok(201))
}

async fn properties(tenant: &Client, object: &str, id: &str) -> Value {
    tenant.get(&format!("/records/{object}/{id}")).await.ok(200)["properties"].clone()
}

async fn formulas_are_part_of_every_write(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_firms(&tenant).await;
    let made = create(&tenant, "bill", json!({"number": "A", "net": "10"})).await;
    assert_eq!(made["properties"], json!({"number": "A", "net": "10.00", "state": "open", "gross": "11.90"}));
    let path = format!("/records/bill/{}", id(&made));
    let changed = tenant.patch(&path, &json!({"properties": {"net": 20}})).await.ok(200);
    assert_eq!(changed["properties"]["gross"], "23.80");
    let history = tenant.get(&format!("{path}/history")).await.ok(200);
    let gross: Vec<[&Value; 2]> = results(&history)
        .iter()
        .filter(|entry| entry["property"] == "gross")
        .map(|entry| [&entry["old"], &entry["new"]])
        .collect();
    assert_eq!(gross, [[&json!("11.90"), &json!("23.80")], [&Value::Null, &json!("11.90")]]);
    let refused = tenant.patch(&path, &json!({"properties": {"gross": "1"}})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/properties/gross".to_owned(), "read_only".to_owned())]);
    let quiet = Silence::begins(&tenant).await;
    tenant.patch(&path, &json!({"properties": {"net": "20.00"}})).await.ok(200);
    quiet.holds().await;
    create(&tenant, "bill", json!({"number": "B", "net": "5"})).await;
    let query = json!({"filter": {"property": "gross", "op": "gt", "value": "6"}, "aggregate": {"sum": {"measures": {"s": {"sum": "gross"}}}}});
    let found = tenant.post("/records/bill/search", &query).await.ok(200);
    assert_eq!((results(&found).len(), &found["aggregates"]["sum"][0]["s"]), (1, &json!("23.80")));
    let empty = tenant.patch(&path, &json!({"properties": {"net": null}})).await.ok(200);
    assert_eq!(empty["properties"], json!({"number": "A", "state": "open"}));
}

async fn rollups_follow_whatever_happens_to_linked_records(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_firms(&tenant).await;
    define_rollups(&tenant).await;
    let group = create_id(&tenant, "group", json!({"name": "G"})).await;
    let made = create(&tenant, "firm", json!({"name": "One"})).await;
    assert_eq!(made["properties"], json!({"name": "One", "bills": 0, "owed": "0.00", "rated": "low"}));
    let (one, two) = (id(&made), create_id(&tenant, "firm", json!({"name": "Two"})).await);
    tenant.put(&format!("/records/firm/{one}/associations/firm_group/{group}"), &json!({})).await.ok(204);
    let first = bill(&tenant, json!({"number": "B-1", "net": "100", "issued_on": "2026-01-31"}), &[&one, &two]).await;
    let second = bill(&tenant, json!({"number": "B-2", "net": "50", "issued_on": "2026-02-28"}), &[&one]).await;
    let expected = json!({
        "name": "One", "bills": 2, "owed": "178.50", "mean": "75", "least": "50.00", "last_on": "2026-02-28",
        "first_number": "B-1", "last_state": "open", "rated": "high",
    });
    assert_eq!(properties(&tenant, "firm", &one).await, expected);
    assert_eq!(properties(&tenant, "group", &group).await["owed"], "178.50");

    let high = json!({"filter": {"property": "rated", "op": "eq", "value": "high"}, "sort": [{"property": "owed", "direction": "desc"}]});
    let found = tenant.post("/records/firm/search", &high).await.ok(200);
    assert_eq!(results(&found).iter().map(id).collect::<Vec<_>>(), [one.clone(), two.clone()]);

    tenant.patch(&format!("/records/bill/{first}"), &json!({"properties": {"state": "paid"}})).await.ok(200);
    let now = properties(&tenant, "firm", &one).await;
    assert_eq!([&now["owed"], &now["bills"], &now["rated"]], [&json!("59.50"), &json!(2), &json!("low")]);
    assert_eq!(properties(&tenant, "group", &group).await["owed"], "59.50");

    tenant.delete(&format!("/records/bill/{second}")).await.ok(204);
    let now = properties(&tenant, "firm", &one).await;
    assert_eq!([&now["owed"], &now["bills"], &now["last_state"]], [&json!("0.00"), &json!(1), &json!("paid")]);
    tenant.post(&format!("/records/bill/{second}/restore"), &json!({})).await.ok(200);
    assert_eq!(properties(&tenant, "firm", &one).await["owed"], "59.50");

    let link = format!("/records/bill/{second}/associations/bill_firm");
    assert!(matches!(tenant.delete(&format!("{link}/{one}")).await.status, 200 | 204));
    tenant.put(&format!("{link}/{two}"), &json!({})).await.ok(204);
    assert_eq!(properties(&tenant, "firm", &one).await["owed"], "0.00");
    assert_eq!(properties(&tenant, "firm", &two).await["owed"], "59.50");

    // What happens while a firm is archived counts once it is back.
    tenant.delete(&format!("/records/firm/{two}")).await.ok(204);
    tenant.patch(&format!("/records/bill/{second}"), &json!({"properties": {"net": "1"}})).await.ok(200);
    tenant.post(&format!("/records/firm/{two}/restore"), &json!({})).await.ok(200);
    assert_eq!(properties(&tenant, "firm", &two).await["owed"], "1.19");

    tenant.delete(&format!("/records/bill/{first}?purge=true")).await.ok(204);
    let now = properties(&tenant, "firm", &one).await;
    assert_eq!([&now["bills"], &now["first_number"], &now["mean"]], [&json!(0), &Value::Null, &Value::Null]);
    let quiet = Silence::begins(&tenant).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    quiet.holds().await;
}

/// A sum that its type cannot hold is no value, and no zero either.
async fn a_sum_that_is_too_large_has_no_value(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let name = json!({"type": "string"});
    define(&tenant, json!({"name": "firm", "plural": "firms", "properties": {"name": name}})).await;
    let of_bill = json!({"net": {"type": "money", "currency": "EUR"}, "count": {"type": "integer"}});
    define(&tenant, json!({"name": "bill", "plural": "bills", "properties": of_bill})).await;
    let link = json!({"name": "bill_firm", "from": "bill", "to": "firm", "cardinality": "many_to_many"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let sum = |name: &str, of: &str| json!({"name": name, "type": "rollup", "association": "bill_firm", "function": "sum", "property": of});
    add_property(&tenant, "firm", sum("total", "net")).await;
    add_property(&tenant, "firm", sum("counted", "count")).await;
    let less = json!({"name": "less", "type": "formula", "formula": "total - 1", "result": "money", "currency": "EUR"});
    add_property(&tenant, "firm", less).await;
    let firm = create_id(&tenant, "firm", json!({"name": "One"})).await;
    let most = json!({"net": "9999999999999999.99", "count": i64::MAX});
    bill(&tenant, most.clone(), &[&firm]).await;
    let second = bill(&tenant, most, &[&firm]).await;
    assert_eq!(properties(&tenant, "firm", &firm).await, json!({"name": "One"}));
    // Nor does it get one by a write of something else.
    let path = format!("/records/firm/{firm}");
    let changed = tenant.patch(&path, &json!({"properties": {"name": "Uno"}})).await.ok(200);
    assert_eq!(changed["properties"], json!({"name": "Uno"}));
    let none = json!({"filter": {"property": "total", "op": "eq", "value": "0"}});
    assert!(results(&searched(&tenant, "firm", &none).await).is_empty());
    tenant.patch(&format!("/records/bill/{second}"), &json!({"properties": {"net": "-1", "count": -1}})).await.ok(200);
    let now = json!({
        "name": "Uno", "total": "9999999999999998.99", "counted": i64::MAX - 1, "less": "9999999999999997.99",
    });
    assert_eq!(properties(&tenant, "firm", &firm).await, now);
}

async fn many_writers_lose_nothing_and_wait_for_nobody(server: TestServer) {
    const WRITERS: usize = 64;
    const BILLS: usize = 8;
    let tenant = server.tenant("generic").await;
    define_firms(&tenant).await;
    define_rollups(&tenant).await;
    let firm = create_id(&tenant, "firm", json!({"name": "Busy"})).await;
    let writer = async |at: usize| {
        for number in 0..BILLS {
            let made = bill(&tenant, json!({"number": format!("{at}-{number}"), "net": "1.00"}), &[&firm]).await;
            if number % 4 == 0 {
                tenant.patch(&format!("/records/bill/{made}"), &json!({"properties": {"net": "2.00"}})).await.ok(200);
            }
        }
    };
    join_all((0..WRITERS).map(writer)).await;
    let now = tenant.get(&format!("/records/firm/{firm}")).await.ok(200);
    let net = 640;
    let owed = format!("{}.{:02}", net * 119 / 100, net * 119 % 100);
    assert_eq!([&now["properties"]["bills"], &now["properties"]["owed"]], [&json!(WRITERS * BILLS), &json!(owed)]);
}

async fn what_is_defined_later_is_computed_for_what_there_is(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_firms(&tenant).await;
    let firm = create_id(&tenant, "firm", json!({"name": "One"})).await;
    let first = bill(&tenant, json!({"net": "10"}), &[&firm]).await;
    let archived = bill(&tenant, json!({"net": "20"}), &[&firm]).await;
    tenant.delete(&format!("/records/bill/{archived}")).await.ok(204);
    define_rollups(&tenant).await;
    let double = json!({"name": "double", "type": "formula", "formula": "net * 2", "result": "decimal"});
    add_property(&tenant, "bill", double).await;
    jobs_are_done(&tenant).await;
    assert_eq!(properties(&tenant, "bill", &first).await["double"], "20");
    assert_eq!(properties(&tenant, "bill", &archived).await["double"], "40");
    let now = properties(&tenant, "firm", &firm).await;
    assert_eq!([&now["bills"], &now["owed"], &now["rated"]], [&json!(1), &json!("11.90"), &json!("low")]);

    tenant.patch("/object-definitions/bill/properties/double", &json!({"formula": "net * 3"})).await.ok(200);
    let condition = json!({"function": "sum", "property": "net", "where": null});
    tenant.patch("/object-definitions/firm/properties/owed", &condition).await.ok(200);
    jobs_are_done(&tenant).await;
    assert_eq!(properties(&tenant, "bill", &first).await["double"], "30");
    assert_eq!(properties(&tenant, "firm", &firm).await["owed"], "10.00");
    let found =
        tenant.post("/records/bill/search", &json!({"filter": {"property": "double", "op": "eq", "value": 30}}));
    assert_eq!(results(&found.await.ok(200)).len(), 1);
}

async fn what_depends_on_the_time_is_right_at_any_moment(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let late = json!({"type": "formula", "formula": "now() > due_at", "result": "boolean"});
    let properties = json!({"name": {"type": "string"}, "due_at": {"type": "datetime"}, "is_late": late});
    define(&tenant, json!({"name": "ticket", "plural": "tickets", "properties": properties})).await;
    let due = chrono::Utc::now() + chrono::Duration::milliseconds(1500);
    let made = create(&tenant, "ticket", json!({"name": "soon", "due_at": due.to_rfc3339()})).await;
    create(&tenant, "ticket", json!({"name": "later", "due_at": "2100-01-01T00:00:00Z"})).await;
    assert_eq!(made["properties"]["is_late"], false);
    let search = async |is_late: bool| {
        let query = json!({"filter": {"property": "is_late", "op": "eq", "value": is_late}});
        let found = tenant.post("/records/ticket/search", &query).await.ok(200);
        results(&found).iter().map(|record| record["properties"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((search(true).await.len(), search(false).await.len()), (0, 2));
    let quiet = Silence::begins(&tenant).await;
    tokio::time::sleep(Duration::from_millis(1600)).await;
    let read = tenant.get(&format!("/records/ticket/{}", id(&made))).await.ok(200);
    assert_eq!(read["properties"]["is_late"], true);
    let found = search(true).await;
    assert_eq!((found.len(), &found[0]["name"], &found[0]["is_late"]), (1, &json!("soon"), &json!(true)));
    assert_eq!(search(false).await.len(), 1);
    quiet.holds().await;
    // One that is added to records that are there is in the index as well.
    let week = json!({"name": "is_soon", "type": "formula", "formula": "due_at - now() < duration('168h')", "result": "boolean"});
    add_property(&tenant, "ticket", week).await;
    let query = json!({"filter": {"property": "is_soon", "op": "eq", "value": true}});
    assert_eq!(results(&searched(&tenant, "ticket", &query).await).len(), 1);
}

async fn circles_and_mistakes_are_refused(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_firms(&tenant).await;
    define_rollups(&tenant).await;
    let refuse = async |object: &str, property: Value| {
        let reply = tenant.post(&format!("/object-definitions/{object}/properties"), &property).await;
        reply.problem(422, "validation_failed").errors()
    };
    let error = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    let share =
        json!({"name": "share", "type": "rollup", "association": "bill_firm", "function": "sum", "property": "owed"});
    add_property(&tenant, "bill", share).await;
    let circle = json!({"formula": "net * 1.19 + share"});
    let reply = tenant.patch("/object-definitions/bill/properties/gross", &circle).await;
    let problem = reply.problem(422, "validation_failed");
    assert_eq!(problem.errors()[0].1, "cycle");
    assert!(problem.words().contains("`bill.gross` →"), "{}", problem.words());
    let formula = |source: &str| json!({"name": "f", "type": "formula", "formula": source, "result": "integer"});
    assert_eq!(refuse("bill", formula("nett * 2")).await, error("/formula", "unknown"));
    assert_eq!(refuse("bill", formula("f + 1")).await, error("/formula", "cycle"));
    let moment = json!({"name": "r", "type": "rollup", "association": "bill_firm", "function": "count", "where": "issued_on < today()"});
    assert_eq!(refuse("firm", moment).await, error("/where", "unknown"));
}

/// Rules are asked when a record is written, so what changes by itself cannot be asked.
async fn rules_read_nothing_that_depends_on_the_moment(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let formula = |source: &str, result: &str| json!({"type": "formula", "formula": source, "result": result});
    let properties = json!({
        "name": {"type": "string"}, "at": {"type": "datetime"}, "is_open": {"type": "boolean"},
        "secs": formula("(now() - at).getSeconds()", "integer"), "is_late": formula("secs > 60", "boolean"),
    });
    define(&tenant, json!({"name": "visit", "plural": "visits", "properties": properties})).await;
    let told = |reply: tests::Response| {
        let problem = reply.problem(422, "validation_failed");
        assert!(problem.words().contains("depends on the present moment"), "{}", problem.words());
        problem.pointers()
    };
    let rules = json!({"constraints": [{"rule": "name != 'x'"}, {"rule": "secs > 100"}, {"rule": "!is_late"}]});
    let refused = tenant.patch("/object-definitions/visit", &rules).await;
    assert_eq!(told(refused), ["/constraints/1/rule", "/constraints/2/rule"]);
    let stages = json!({"name": "course", "stages": [{"name": "new"}, {"name": "done", "requires": ["secs"], "rules": [{"rule": "is_late"}]}]});
    let refused = tenant.post("/pipelines/visit", &stages).await;
    assert_eq!(told(refused), ["/stages/1/rules/0/rule", "/stages/1/requires"]);
    let rule = json!({"object": "visit", "name": "late", "when": "secs > 100", "users": ["1"]});
    assert!(told(tenant.post("/assignment-rules", &rule).await).contains(&"/when".to_owned()));
    let rules = json!({"constraints": [{"rule": "is_open"}]});
    tenant.patch("/object-definitions/visit", &rules).await.ok(200);
    // Nor can a property become such under a rule.
    let late = json!({"type": "formula", "formula": "is_late", "result": "boolean"});
    let refused = tenant.patch("/object-definitions/visit/properties/is_open", &late).await;
    assert!(refused.problem(422, "validation_failed").words().contains("a rule has no clock"));
}

/// What a firm should have, from its bills as they are listed.
fn expected(bills: &[&Value]) -> BTreeMap<&'static str, Value> {
    let cents = |text: &Value| text.as_str().map_or(0, |text| text.replace('.', "").parse::<i64>().expect("cents"));
    let net: Vec<i64> = bills
        .iter()
        .filter(|bill| !bill["properties"]["net"].is_null())
        .map(|bill| cents(&bill["properties"]["net"]))
        .collect();
    let owed: i64 = bills
        .iter()
        .filter(|bill| bill["properties"]["state"] == "open")
        .map(|bill| cents(&bill["properties"]["gross"]))
        .sum();
    let money = |cents: i64| json!(format!("{}.{:02}", cents / 100, cents % 100));
    BTreeMap::from([
        ("bills", json!(bills.len())),
        ("owed", money(owed)),
        ("least", net.iter().min().map_or(Value::Null, |least| money(*least))),
        ("first_number", bills.first().map_or(Value::Null, |bill| bill["properties"]["number"].clone())),
        ("last_state", bills.last().map_or(Value::Null, |bill| bill["properties"]["state"].clone())),
    ])
}

async fn any_order_of_writes_comes_to_the_same(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_firms(&tenant).await;
    define_rollups(&tenant).await;
    let mut random = StdRng::seed_from_u64(20_261_129);
    let (mut firms, mut bills) = (Vec::new(), Vec::new());
    for number in 0..6 {
        firms.push(create_id(&tenant, "firm", json!({"name": format!("F{number}")})).await);
    }
    for step in 0..240 {
        let firm = firms[random.random_range(0..firms.len())].clone();
        let net = format!("{}.{:02}", random.random_range(0..900), random.random_range(0..100));
        if bills.len() < 10 || random.random_ratio(1, 5) {
            let body = json!({"properties": {"number": format!("N{step}"), "net": net},
                "associations": [{"type": "bill_firm", "to": firm}]});
            let made = tenant.post("/records/bill", &body).await;
            // A firm that is archived takes no links.
            bills.extend((made.status == 201).then(|| id(&made.json())));
            continue;
        }
        let one = bills[random.random_range(0..bills.len())].clone();
        let path = format!("/records/bill/{one}");
        match random.random_range(0..9) {
            0 => drop(tenant.patch(&path, &json!({"properties": {"net": net}})).await),
            1 => drop(tenant.patch(&path, &json!({"properties": {"net": null}})).await),
            2 => drop(tenant.patch(&path, &json!({"properties": {"state": "paid"}})).await),
            3 => drop(tenant.put(&format!("{path}/associations/bill_firm/{firm}"), &json!({})).await),
            4 => drop(tenant.delete(&format!("{path}/associations/bill_firm/{firm}")).await),
            5 => drop(tenant.delete(&path).await),
            6 => drop(tenant.post(&format!("{path}/restore"), &json!({})).await),
            7 if random.random_ratio(1, 3) => drop(tenant.delete(&format!("{path}?purge=true")).await),
            7 => drop(tenant.delete(&format!("/records/firm/{firm}")).await),
            _ => drop(tenant.post(&format!("/records/firm/{firm}/restore"), &json!({})).await),
        }
    }
    for firm in &firms {
        tenant.post(&format!("/records/firm/{firm}/restore"), &json!({})).await.ok(200);
    }
    properties(&tenant, "firm", &firms[0]).await;
    jobs_are_done(&tenant).await;
    let listed = all_records(&tenant, "bill").await;
    for firm in &firms {
        let links = tenant.get(&format!("/records/firm/{firm}/associations/bill_firm?limit=200")).await.ok(200);
        let linked: Vec<&Value> = results(&links).iter().map(|link| &link["record"]["id"]).collect();
        let own: Vec<&Value> = listed.iter().filter(|bill| linked.contains(&&bill["id"])).collect();
        let stored = properties(&tenant, "firm", firm).await;
        for (name, value) in expected(&own) {
            assert_eq!(stored[name], value, "{name} of firm {firm}: {stored:#}");
        }
    }
}

/// What is archived is no source of a new roll-up, and stays one of those that there are.
async fn rollups_are_not_made_of_what_is_archived(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_firms(&tenant).await;
    add_property(&tenant, "bill", json!({"name": "gone", "type": "integer"})).await;
    let rollup = |name: &str, rest: Value| {
        let mut spec = json!({"name": name, "type": "rollup", "association": "bill_firm", "function": "sum"});
        spec.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        spec
    };
    add_property(&tenant, "firm", rollup("early", json!({"property": "gone"}))).await;
    let double = json!({"name": "double", "type": "formula", "formula": "early * 2", "result": "integer"});
    add_property(&tenant, "firm", double).await;
    let firm = create_id(&tenant, "firm", json!({"name": "One"})).await;
    bill(&tenant, json!({"gone": 7}), &[&firm]).await;
    let stays = json!({"name": "One", "early": 7, "double": 14});
    assert_eq!(properties(&tenant, "firm", &firm).await, stays);
    tenant.delete("/object-definitions/bill/properties/gone").await.ok(204);
    let refuse = async |spec: Value| {
        let problem = tenant.post("/object-definitions/firm/properties", &spec).await.problem(422, "validation_failed");
        assert!(problem.words().contains("is archived"), "{}", problem.words());
        problem.errors()
    };
    let error = |pointer: &str| vec![(pointer.to_owned(), "archived".to_owned())];
    assert_eq!(refuse(rollup("late", json!({"property": "gone"}))).await, error("/property"));
    assert_eq!(refuse(rollup("late", json!({"property": "net", "where": "gone > 1"}))).await, error("/where"));
    // The one that is there is read, changed and searched as before.
    tenant.patch("/object-definitions/firm/properties/early", &json!({"label": "Early"})).await.ok(200);
    jobs_are_done(&tenant).await;
    bill(&tenant, json!({"net": "1"}), &[&firm]).await;
    tenant.patch(&format!("/records/firm/{firm}"), &json!({"properties": {"name": "Uno"}})).await.ok(200);
    let stays = json!({"name": "Uno", "early": 7, "double": 14});
    assert_eq!(properties(&tenant, "firm", &firm).await, stays);
    let asked = json!({"filter": {"property": "early", "op": "gt", "value": 6}});
    assert_eq!(results(&searched(&tenant, "firm", &asked).await).len(), 1);
    // It goes on once its source is back.
    tenant.post("/object-definitions/bill/properties/gone/restore", &json!({})).await.ok(200);
    bill(&tenant, json!({"gone": 1}), &[&firm]).await;
    jobs_are_done(&tenant).await;
    assert_eq!(properties(&tenant, "firm", &firm).await, json!({"name": "Uno", "early": 8, "double": 16}));
    tenant.delete("/association-definitions/bill_firm").await.ok(204);
    assert_eq!(refuse(rollup("late", json!({"property": "net"}))).await, error("/association"));
    tenant.get("/object-definitions/firm").await.ok(200);
}

scenarios![
    formulas_are_part_of_every_write,
    rollups_follow_whatever_happens_to_linked_records,
    a_sum_that_is_too_large_has_no_value,
    many_writers_lose_nothing_and_wait_for_nobody,
    what_is_defined_later_is_computed_for_what_there_is,
    what_depends_on_the_time_is_right_at_any_moment,
    circles_and_mistakes_are_refused,
    rules_read_nothing_that_depends_on_the_moment,
    rollups_are_not_made_of_what_is_archived,
    any_order_of_writes_comes_to_the_same,
];
