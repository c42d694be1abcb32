//! What lists ask: linked records, other lists; and lists in filters.

use serde_json::{Value, json};
use tests::TestServer;

use super::{adult, found, list, members, objects};
use crate::fixture::{create_id, id};

async fn linked_records_and_other_lists_count(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let ada = create_id(&tenant, "person", json!({"name": "Ada", "age": 36})).await;
    let bob = create_id(&tenant, "person", json!({"name": "Bob", "age": 12})).await;
    let acme = create_id(&tenant, "firm", json!({"name": "Acme", "size": 5})).await;
    let large = json!({"property": "size", "op": "gte", "value": 100});
    let at_large = json!({"association": "person_firm", "match": large});
    let large = list(&tenant, json!({"object": "firm", "name": "Large", "filter": large})).await;
    let named = json!({"association": "person_firm", "match": {"list": large}});
    let employed = list(&tenant, json!({"object": "person", "name": "Employed", "filter": at_large})).await;
    let by_list = list(&tenant, json!({"object": "person", "name": "By list", "filter": named})).await;
    let chosen = list(&tenant, json!({"object": "firm", "name": "Chosen"})).await;
    let of_chosen = json!({"all": [adult(), {"association": "person_firm", "match": {"list": chosen}}]});
    let of_chosen = list(&tenant, json!({"object": "person", "name": "Of chosen", "filter": of_chosen})).await;
    let nobodys = json!({"not": {"association": "person_firm", "match": {"list": chosen}}});
    let nobodys = list(&tenant, json!({"object": "person", "name": "Others", "filter": nobodys})).await;
    let all = async || {
        let mut all = Vec::new();
        for list in [&employed, &by_list, &of_chosen, &nobodys] {
            let kept = members(&tenant, list).await;
            assert_eq!(kept, found(&tenant, "person", list).await);
            all.push(kept);
        }
        all
    };
    let none: Vec<String> = Vec::new();
    let (only_ada, only_bob) = (vec![ada.clone()], vec![bob.clone()]);
    let both = vec![ada.clone(), bob.clone()];
    assert_eq!(all().await, [none.clone(), none.clone(), none.clone(), both.clone()]);
    for person in [&ada, &bob] {
        tenant.put(&format!("/records/person/{person}/associations/person_firm/{acme}"), &json!({})).await.ok(204);
    }
    assert_eq!(all().await, [none.clone(), none.clone(), none.clone(), both.clone()]);
    // The firm grows, and is chosen: its people join.
    tenant.patch(&format!("/records/firm/{acme}"), &json!({"properties": {"size": 100}})).await.ok(200);
    tenant.put(&format!("/lists/{chosen}/members/{acme}"), &Value::Null).await.ok(204);
    assert_eq!(all().await, [both.clone(), both.clone(), only_ada.clone(), none.clone()]);
    tenant.delete(&format!("/records/person/{bob}/associations/person_firm/{acme}")).await.ok(204);
    assert_eq!(all().await, [only_ada.clone(), only_ada.clone(), only_ada.clone(), only_bob.clone()]);
    tenant.delete(&format!("/records/firm/{acme}")).await.ok(204);
    assert_eq!(all().await, [none.clone(), none.clone(), none.clone(), both.clone()]);
    tenant.post(&format!("/records/firm/{acme}/restore"), &Value::Null).await.ok(200);
    assert_eq!(all().await, [only_ada.clone(), only_ada.clone(), only_ada.clone(), only_bob.clone()]);
    // Another filter below is another filter above.
    let smaller = json!({"filter": {"property": "size", "op": "gte", "value": 1000}});
    tenant.patch(&format!("/lists/{large}"), &smaller).await.ok(200);
    assert_eq!(all().await, [only_ada.clone(), none.clone(), only_ada, only_bob]);
    tenant.delete(&format!("/records/firm/{acme}?purge=true")).await.ok(204);
    assert_eq!(all().await, [none.clone(), none.clone(), none, both]);
}

async fn filters_take_lists_wherever_filters_are_taken(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let ada = create_id(&tenant, "person", json!({"name": "Ada", "age": 36})).await;
    create_id(&tenant, "person", json!({"name": "Bob", "age": 12})).await;
    let adults = list(&tenant, json!({"object": "person", "name": "Adults", "filter": adult()})).await;
    // A write is seen at once, whether members are kept already or not.
    let cyd = create_id(&tenant, "person", json!({"name": "Cyd", "age": 20})).await;
    let search = async |filter: Value| {
        let body = json!({"filter": filter, "count": true, "limit": 0});
        tenant.post("/records/person/search", &body).await
    };
    assert_eq!(search(json!({"list": adults})).await.ok(200)["total"], 2);
    let number: i64 = adults.parse().unwrap();
    assert_eq!(search(json!({"not": {"list": number}})).await.ok(200)["total"], 1);
    assert_eq!(found(&tenant, "person", &adults).await, [ada, cyd]);
    let body = json!({"filter": {"list": adults}, "limit": 0,
        "aggregate": {"n": {"measures": {"n": {"count": true}}}}});
    let counted = tenant.post("/records/person/search", &body).await.ok(200);
    assert_eq!(counted["aggregates"]["n"][0]["n"], 2);
    let view = json!({"object": "person", "label": "Grown", "filter": {"list": adults}});
    let view = id(&tenant.post("/views", &view).await.ok(201));
    assert_eq!(tenant.get(&format!("/views/{view}/records")).await.ok(200)["total"], 2);
    let report = json!({"object": "person", "label": "How many", "filter": {"list": adults},
        "measures": {"n": {"count": true}}});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    assert_eq!(tenant.get(&format!("/reports/{report}/data")).await.ok(200)["rows"][0]["n"], 2);

    let firms = list(&tenant, json!({"object": "firm", "name": "Firms"})).await;
    for (filter, words) in [
        (json!({"list": "99"}), "there is no list `99`"),
        (json!({"list": "x"}), "there is no list `x`"),
        (json!({"list": firms}), "one of `firm` records, not of `person`"),
    ] {
        let problem = search(filter).await.problem(422, "validation_failed");
        assert_eq!(problem.pointers(), ["/filter/list"]);
        assert!(problem.words().contains(words), "{}", problem.body);
    }
    let problem = search(json!({"list": {"id": 1}})).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/filter/list"]);
    let problem = search(json!({"lists": "1"})).await.problem(422, "validation_failed");
    assert!(problem.words().contains("did you mean `list`?"), "{}", problem.body);
}

scenarios![linked_records_and_other_lists_count, filters_take_lists_wherever_filters_are_taken,];
