//! Conditions on linked records, from either end.

use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{create, define, id};
use crate::search::{create_all, names, search};

/// Three people, four houses; 1 lives in A and B, 2 in B, 3 nowhere; 1 knows 2, 2 knows 3.
async fn neighbours(server: &TestServer) -> (Tenant, Vec<String>, Vec<String>) {
    let tenant = server.tenant("generic").await;
    let name = json!({"name": {"type": "string"}, "size": {"type": "integer"}});
    define(&tenant, json!({"name": "person", "plural": "persons", "display": "{{ name }}", "properties": name})).await;
    define(&tenant, json!({"name": "house", "plural": "houses", "display": "{{ name }}", "properties": name})).await;
    for (name, to) in [("lives_in", "house"), ("knows", "person")] {
        let definition = json!({"name": name, "from": "person", "to": to, "cardinality": "many_to_many"});
        tenant.post("/association-definitions", &definition).await.ok(201);
    }
    let named = |name: &str, size: i32| json!({"name": name, "size": size});
    let people = create_all(&tenant, "person", &[named("1", 10), named("2", 20), named("3", 30)]).await;
    let houses = [named("A", 1), named("B", 2), named("C", 3), named("D", 4)];
    let houses = create_all(&tenant, "house", &houses).await;
    for (person, house) in [(0, 0), (0, 1), (1, 1)] {
        link(&tenant, "lives_in", &people[person], &houses[house]).await;
    }
    link(&tenant, "knows", &people[0], &people[1]).await;
    link(&tenant, "knows", &people[1], &people[2]).await;
    (tenant, people, houses)
}

async fn link(tenant: &Client, association: &str, from: &str, to: &str) {
    let inputs = json!([{"type": association, "from": from, "to": to}]);
    tenant.post("/associations/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
}

async fn check(tenant: &Client, object: &str, condition: Value, expected: &str) {
    let found = names(tenant, object, json!({"filter": condition})).await.concat();
    assert_eq!(found, expected, "{object}: {condition}");
}

async fn linked_records_are_asked_about_with_every_quantifier(server: TestServer) {
    let (tenant, ..) = neighbours(&server).await;
    let small = json!({"property": "size", "op": "lt", "value": 2});
    let lives = |rest: Value| {
        let mut condition = json!({"association": "lives_in"});
        condition.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        condition
    };
    for (condition, expected) in [
        (lives(json!({})), "12"),
        (lives(json!({"match": small})), "1"),
        (lives(json!({"quantifier": "any", "match": small})), "1"),
        (lives(json!({"quantifier": "none", "match": small})), "23"),
        (lives(json!({"quantifier": "none"})), "3"),
        (lives(json!({"quantifier": "all", "match": small})), "3"),
        (lives(json!({"quantifier": "all", "match": {"not": small}})), "23"),
        (lives(json!({"count": {"op": "eq", "value": 0}})), "3"),
        (lives(json!({"count": {"op": "gte", "value": 2}})), "1"),
        (lives(json!({"count": {"op": "eq", "value": 0}, "match": small})), "23"),
        (lives(json!({"count": {"op": "neq", "value": 1}})), "13"),
        (lives(json!({"count": {"op": "between", "value": [0, 1]}})), "23"),
        (lives(json!({"count": {"op": "in", "value": [0, 2]}})), "13"),
    ] {
        check(&tenant, "person", condition, expected).await;
    }
    let old = json!({"property": "size", "op": "gt", "value": 10});
    check(&tenant, "house", json!({"association": "lives_in", "match": old}), "B").await;
    check(&tenant, "house", json!({"association": "lives_in", "quantifier": "all", "match": old}), "CD").await;
    check(&tenant, "house", json!({"association": "lives_in", "count": {"op": "gt", "value": 1}}), "B").await;
    for (direction, any, all) in [("out", "2", "23"), ("in", "", "1")] {
        let oldest = json!({"property": "size", "op": "gte", "value": 30});
        let knows = json!({"association": "knows", "direction": direction, "match": oldest});
        check(&tenant, "person", knows, any).await;
        let knows = json!({"association": "knows", "direction": direction, "quantifier": "all", "match": oldest});
        check(&tenant, "person", knows, all).await;
    }
    let of_neighbours = json!({"association": "lives_in", "match": {"association": "lives_in", "match": old}});
    check(&tenant, "person", of_neighbours, "12").await;
}

async fn what_is_archived_or_taken_away_does_not_count(server: TestServer) {
    let (tenant, people, houses) = neighbours(&server).await;
    let lives = |op: &str, value: u32| json!({"association": "lives_in", "count": {"op": op, "value": value}});
    check(&tenant, "person", lives("gte", 1), "12").await;
    tenant.delete(&format!("/records/house/{}", houses[1])).await.ok(204);
    check(&tenant, "person", lives("gte", 1), "1").await;
    check(
        &tenant,
        "person",
        json!({"association": "lives_in", "quantifier": "all", "match": {"property": "size", "op": "eq", "value": 1}}),
        "123",
    )
    .await;
    tenant.post(&format!("/records/house/{}/restore", houses[1]), &json!({})).await.ok(200);
    check(&tenant, "person", lives("eq", 2), "1").await;
    tenant.delete(&format!("/records/person/{}/associations/lives_in/{}", people[0], houses[1])).await.ok(204);
    check(&tenant, "person", lives("eq", 1), "12").await;
    tenant.delete(&format!("/records/house/{}?purge=true", houses[0])).await.ok(204);
    check(&tenant, "person", lives("eq", 0), "13").await;
    check(&tenant, "person", json!({"association": "lives_in"}), "2").await;
}

async fn the_example_of_the_contract_answers(server: TestServer) {
    let tenant = server.tenant("generic").await;
    tenant.post("/object-definitions/task/properties", &json!({"name": "due_at", "type": "datetime"})).await.ok(201);
    let tasks = json!({"name": "deal_task", "from": "deal", "to": "task", "cardinality": "one_to_many"});
    tenant.post("/association-definitions", &tasks).await.ok(201);
    let company = id(&create(&tenant, "company", json!({"name": "Acme", "industry": "Construction"})).await);
    let other = id(&create(&tenant, "company", json!({"name": "Globex", "industry": "energy"})).await);
    let due = (chrono::Utc::now() - chrono::TimeDelta::days(5)).to_rfc3339();
    let late = (chrono::Utc::now() - chrono::TimeDelta::days(40)).to_rfc3339();
    let deals = [
        ("Ada, roof", "120000", "proposal", &company, &late),
        ("Ada, lovely loft", "5000.5", "negotiation", &company, &late),
        ("Ada, lovely hut", "9000", "closed_lost", &company, &late),
        ("Ada, lovely lodge", "9000", "proposal", &other, &late),
        ("Ada, lovely lounge", "9000", "proposal", &company, &due),
        ("Ada, lovely bath", "999.99", "proposal", &company, &late),
    ];
    for (name, amount, stage, company, due) in deals {
        let deal = id(&create(&tenant, "deal", json!({"name": name, "amount": amount, "stage": stage})).await);
        let owner = if name == "Ada, lovely bath" { json!("1") } else { Value::Null };
        tenant.patch(&format!("/records/deal/{deal}"), &json!({"owner_id": owner})).await.ok(200);
        link(&tenant, "deal_company", &deal, company).await;
        let task = id(&create(&tenant, "task", json!({"title": "Call", "due_at": due})).await);
        link(&tenant, "deal_task", &deal, &task).await;
    }
    let mut query = json!({
        "q": "ada lov",
        "filter": {"all": [
            {"property": "stage", "op": "in", "value": ["proposal", "negotiation"]},
            {"any": [
                {"property": "amount", "op": "gte", "value": "1000"},
                {"not": {"property": "owner_id", "op": "exists"}},
            ]},
            {"association": "deal_company", "quantifier": "any", "match": {"property": "industry", "op": "eq", "value": "construction"}},
            {"association": "deal_task", "count": {"op": "eq", "value": 0}, "match": {"property": "due_at", "op": "gte", "value": "today-30d"}},
        ]},
        "sort": [{"property": "amount", "direction": "desc"}, {"property": "id"}],
        "select": ["name", "amount"], "include": ["company(name)"], "limit": 50, "cursor": null, "count": true,
        "aggregate": {"by_stage": {"group": ["stage"], "measures": {"total": {"sum": "amount"}, "n": {"count": true}}}},
        "consistency": "strong",
    });
    let found = search(&tenant, "deal", query.clone()).await;
    assert_eq!(found["total"], 1);
    assert_eq!(found["results"][0]["properties"], json!({"name": "Ada, lovely loft", "amount": "5000.50"}));
    assert_eq!(found["results"][0]["included"]["company"][0]["properties"], json!({"name": "Acme"}), "{found}");
    assert_eq!(found["aggregates"], json!({"by_stage": [{"key": ["negotiation"], "total": "5000.50", "n": 1}]}));
    assert_eq!(found["next_cursor"], Value::Null);
    assert!(found["sequence"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    query["q"] = Value::Null;
    assert_eq!(names(&tenant, "deal", query).await, ["Ada, roof", "Ada, lovely loft"]);
}

scenarios![
    linked_records_are_asked_about_with_every_quantifier,
    what_is_archived_or_taken_away_does_not_count,
    the_example_of_the_contract_answers,
];
