//! Lists of records: put by hand, and kept by a filter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, changes_after, create, create_id, define, id, results};

pub(crate) async fn objects(tenant: &Client) {
    define(
        tenant,
        json!({"name": "firm", "plural": "firms", "display": "{{ name }}", "properties": {
            "name": {"type": "string"}, "size": {"type": "integer"}}}),
    )
    .await;
    define(
        tenant,
        json!({"name": "person", "plural": "persons", "display": "{{ name }}", "properties": {
            "name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"},
            "born": {"type": "date"}}}),
    )
    .await;
    let link = json!({"name": "person_firm", "from": "person", "to": "firm", "cardinality": "many_to_many"});
    tenant.post("/association-definitions", &link).await.ok(201);
}

pub(crate) async fn list(tenant: &Client, body: Value) -> String {
    id(&tenant.post("/lists", &body).await.ok(201))
}

/// Ids of all members, and that the list says how many they are.
pub(crate) async fn members(tenant: &Client, list: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut path = format!("/lists/{list}/members?limit=200");
    loop {
        let page = tenant.get(&path).await.ok(200);
        found.extend(results(&page).iter().map(id));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/lists/{list}/members?limit=200&cursor={cursor}");
    }
    found
}

/// Ids of what a search finds that is in a list.
pub(crate) async fn found(tenant: &Client, object: &str, list: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let body = json!({"filter": {"list": list}, "sort": [{"property": "id"}], "limit": 200, "cursor": cursor});
        let page = tenant.post(&format!("/records/{object}/search"), &body).await.ok(200);
        found.extend(results(&page).iter().map(id));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return found;
        }
    }
}

/// Who has joined which list and who has left, in order, since a position.
pub(crate) async fn told(tenant: &Client, position: u64) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = changes_after(tenant, position).await;
    let of_lists = changes.iter().filter(|change| text(&change["kind"]).starts_with("segment."));
    of_lists
        .map(|change| {
            let list = &change["changes"]["list"];
            let list = if list[0].is_null() { &list[1] } else { &list[0] };
            (text(&change["kind"]), text(list), text(&change["record_id"]))
        })
        .collect()
}

/// Waits until what is read says so.
pub(crate) async fn until<T: std::fmt::Debug>(mut read: impl AsyncFnMut() -> T, is_it: impl Fn(&T) -> bool) -> T {
    let began = std::time::Instant::now();
    loop {
        let found = read().await;
        if is_it(&found) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it stays {found:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn adult() -> Value {
    json!({"property": "age", "op": "gte", "value": 18})
}

async fn members_come_and_go_with_what_they_hold(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let ada = create_id(&tenant, "person", json!({"name": "Ada", "age": 36})).await;
    let bob = create_id(&tenant, "person", json!({"name": "Bob", "age": 12})).await;
    let silence = Silence::begins(&tenant).await;
    let body = json!({"object": "person", "name": " Adults ", "description": "Of age", "filter": adult()});
    let made = tenant.post("/lists", &body).await.ok(201);
    let adults = id(&made);
    assert_eq!(
        (&made["name"], &made["kind"], &made["members"], &made["state"], &made["version"]),
        (&json!("Adults"), &json!("dynamic"), &json!(1), &json!("current"), &json!(1))
    );
    assert_eq!((&made["filter"], &made["sharing"], &made["problems"]), (&adult(), &json!("everyone"), &json!([])));
    let page = tenant.get(&format!("/lists/{adults}/members")).await.ok(200);
    assert_eq!(results(&page)[0]["properties"]["name"], "Ada");
    assert!(results(&page)[0]["joined_at"].is_string() && page["next_cursor"].is_null());
    silence.holds().await;

    // Bob grows up, Ada is forgotten, Cyd is new: members are those of now for whoever asks.
    tenant.patch(&format!("/records/person/{bob}"), &json!({"properties": {"age": 18}})).await.ok(200);
    assert_eq!(members(&tenant, &adults).await, [ada.clone(), bob.clone()]);
    tenant.patch(&format!("/records/person/{ada}"), &json!({"properties": {"age": null}})).await.ok(200);
    let cyd = create_id(&tenant, "person", json!({"name": "Cyd", "age": 50})).await;
    // What no list asks about changes nothing.
    tenant.patch(&format!("/records/person/{bob}"), &json!({"properties": {"city": "Rome"}})).await.ok(200);
    assert_eq!(members(&tenant, &adults).await, [bob.clone(), cyd.clone()]);
    assert_eq!(tenant.get(&format!("/lists/{adults}")).await.ok(200)["members"], 2);
    let all = silence.broken_by().await;
    let joined = all.iter().find(|change| change["kind"] == "segment.joined").unwrap();
    assert_eq!(joined["changes"], json!({"list": [null, adults]}));
    assert_eq!(
        (&joined["object"], &joined["source"], &joined["actor"]),
        (&json!("person"), &json!("lists"), &Value::Null)
    );
    let event = |kind: &str, record: &str| (format!("segment.{kind}"), adults.clone(), record.to_owned());
    let events = [event("joined", &bob), event("left", &ada), event("joined", &cyd)];
    assert_eq!(told(&tenant, 0).await, events);

    // Archived records leave and come back; purged ones leave for good.
    tenant.delete(&format!("/records/person/{bob}")).await.ok(204);
    assert_eq!(members(&tenant, &adults).await, std::slice::from_ref(&cyd));
    tenant.post(&format!("/records/person/{bob}/restore"), &Value::Null).await.ok(200);
    assert_eq!(members(&tenant, &adults).await, [bob.clone(), cyd.clone()]);
    tenant.delete(&format!("/records/person/{cyd}?purge=true")).await.ok(204);
    assert_eq!(members(&tenant, &adults).await, std::slice::from_ref(&bob));
    let events = [event("left", &bob), event("joined", &bob), event("left", &cyd)];
    assert_eq!(told(&tenant, 0).await[3..], events);

    // A record that goes into another one leaves; the one that remains is what it is then.
    let dan = create_id(&tenant, "person", json!({"name": "Dan", "age": 90})).await;
    assert_eq!(members(&tenant, &adults).await, [bob.clone(), dan.clone()]);
    tenant.post(&format!("/records/person/{ada}/merge"), &json!({"from": [dan]})).await.ok(200);
    assert_eq!(members(&tenant, &adults).await, [ada.clone(), bob.clone()]);
}

async fn records_are_put_into_static_lists(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let mut ids = Vec::new();
    for name in ["Ada", "Bob", "Cyd", "Dan"] {
        ids.push(create_id(&tenant, "person", json!({"name": name})).await);
    }
    let firm = create_id(&tenant, "firm", json!({"name": "Acme"})).await;
    let friends = list(&tenant, json!({"object": "person", "name": "Friends"})).await;
    let at = |record: &str| format!("/lists/{friends}/members/{record}");
    let silence = Silence::begins(&tenant).await;
    tenant.put(&at(&ids[0]), &Value::Null).await.ok(204);
    tenant.put(&at(&ids[0]), &Value::Null).await.ok(204);
    let body = json!({"add": [ids[1], ids[2], ids[0]], "remove": [ids[3]]});
    let changed = tenant.post(&format!("/lists/{friends}/members"), &body).await.ok(200);
    assert_eq!(changed, json!({"added": 2, "removed": 0}));
    tenant.delete(&at(&ids[1])).await.ok(204);
    tenant.delete(&at(&ids[1])).await.ok(204);
    assert_eq!(members(&tenant, &friends).await, [ids[0].clone(), ids[2].clone()]);
    assert_eq!(found(&tenant, "person", &friends).await, [ids[0].clone(), ids[2].clone()]);
    let read = tenant.get(&format!("/lists/{friends}")).await.ok(200);
    assert_eq!((&read["kind"], &read["members"], &read["filter"]), (&json!("static"), &json!(2), &Value::Null));
    let event = |kind: &str, at: usize| (format!("segment.{kind}"), friends.clone(), ids[at].clone());
    let events = [event("joined", 0), event("joined", 1), event("joined", 2), event("left", 1)];
    assert_eq!(told(&tenant, 0).await, events);
    assert_eq!(silence.broken_by().await.len(), 4);

    let silence = Silence::begins(&tenant).await;
    tenant.put(&at(&firm), &Value::Null).await.problem(404, "not_found");
    tenant.put("/lists/99/members/1", &Value::Null).await.problem(404, "not_found");
    let body = json!({"add": [firm, ids[3], "no"], "remove": [ids[3]]});
    let problem = tenant.post(&format!("/lists/{friends}/members"), &body).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/add/0", "/add/2", "/add/1"]);
    tenant.post(&format!("/lists/{friends}/members"), &json!({})).await.problem(422, "validation_failed");
    silence.holds().await;

    // Whoever is archived is away, and comes back with the record; a loser's lists are the winner's.
    tenant.delete(&format!("/records/person/{}", ids[0])).await.ok(204);
    assert_eq!(members(&tenant, &friends).await, [ids[2].clone()]);
    tenant.put(&at(&ids[0]), &Value::Null).await.problem(409, "conflict");
    tenant.post(&format!("/records/person/{}/restore", ids[0]), &Value::Null).await.ok(200);
    assert_eq!(members(&tenant, &friends).await, [ids[0].clone(), ids[2].clone()]);
    tenant.post(&format!("/records/person/{}/merge", ids[3]), &json!({"from": [ids[2]]})).await.ok(200);
    assert_eq!(members(&tenant, &friends).await, [ids[0].clone(), ids[3].clone()]);
    tenant.delete(&format!("/records/person/{}?purge=true", ids[0])).await.ok(204);
    assert_eq!(members(&tenant, &friends).await, [ids[3].clone()]);
    assert_eq!(tenant.get(&format!("/lists/{friends}")).await.ok(200)["members"], 1);

    // The members of the other kind are not put.
    let adults = list(&tenant, json!({"object": "person", "name": "Adults", "filter": adult()})).await;
    tenant.put(&format!("/lists/{adults}/members/{}", ids[3]), &Value::Null).await.problem(409, "conflict");
    tenant.delete(&format!("/lists/{adults}/members/{}", ids[3])).await.problem(409, "conflict");
    let body = json!({"add": [ids[3]]});
    tenant.post(&format!("/lists/{adults}/members"), &body).await.problem(409, "conflict");
}

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

async fn what_is_wrong_with_a_list_is_told_at_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let silence = Silence::begins(&tenant).await;
    let refused = async |body: Value, at: &[&str]| {
        let problem = tenant.post("/lists", &body).await.problem(422, "validation_failed");
        assert_eq!(problem.pointers(), at, "{}", problem.body);
        problem
    };
    refused(json!({}), &["/object", "/name"]).await;
    refused(
        json!({"object": "persn", "name": "", "sharing": "x", "colour": 1}),
        &["/colour", "/object", "/name", "/sharing"],
    )
    .await;
    let filter = json!({"all": [{"property": "agee", "op": "gte", "value": 1}, {"property": "age", "op": "gte", "value": "x"},
        {"association": "person_firms", "match": {}}, {"list": "7"}]});
    let problem = refused(
        json!({"object": "person", "name": "Wrong", "filter": filter}),
        &[
            "/filter/all/2/match",
            "/filter/all/0/property",
            "/filter/all/1/value",
            "/filter/all/2/association",
            "/filter/all/3/list",
        ],
    )
    .await;
    assert!(problem.words().contains("did you mean `age`?"), "{}", problem.body);
    silence.holds().await;

    let one = list(&tenant, json!({"object": "person", "name": "One", "filter": adult()})).await;
    let two = list(&tenant, json!({"object": "person", "name": "Two", "filter": {"list": one}})).await;
    let three = list(&tenant, json!({"object": "person", "name": "Three", "filter": {"not": {"list": two}}})).await;
    let problem = tenant.patch(&format!("/lists/{one}"), &json!({"filter": {"list": three}})).await;
    let problem = problem.problem(422, "validation_failed");
    let circle = format!("a list cannot ask about itself: {one} → {three} → {two} → {one}");
    assert!(problem.words().contains(&circle), "{}", problem.body);
    let problem = tenant.patch(&format!("/lists/{one}"), &json!({"filter": {"any": [{"list": one}]}})).await;
    assert!(problem.problem(422, "validation_failed").words().contains(&format!("{one} → {one}")));
    let problem = tenant.delete(&format!("/lists/{one}")).await.problem(409, "conflict");
    assert!(problem.words().contains(&format!("is named by other lists: {two}")), "{}", problem.body);
    let wrong = json!({"object": "firm", "filter": {"list": "99"}, "name": "", "description": 7});
    let problem = tenant.patch(&format!("/lists/{one}"), &wrong).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/description", "/object", "/name", "/filter/list"]);
    let nothing = json!({"name": null, "filter": null, "object": null, "sharing": null});
    assert_eq!(tenant.patch(&format!("/lists/{one}"), &nothing).await.ok(200)["version"], 1);
    let by_hand = list(&tenant, json!({"object": "person", "name": "By hand"})).await;
    let problem = tenant.patch(&format!("/lists/{by_hand}"), &json!({"filter": adult()})).await;
    assert_eq!(problem.problem(422, "validation_failed").pointers(), ["/filter"]);

    // The same again makes no new version; something else makes one.
    let patch = json!({"name": "One", "object": "person", "filter": adult()});
    assert_eq!(tenant.patch(&format!("/lists/{one}"), &patch).await.ok(200)["version"], 1);
    let patch = json!({"name": "First", "description": "x"});
    let changed = tenant.patch(&format!("/lists/{one}"), &patch).await.ok(200);
    assert_eq!((&changed["version"], &changed["name"], &changed["filter"]), (&json!(2), &json!("First"), &adult()));

    tenant.delete(&format!("/lists/{three}")).await.ok(204);
    tenant.get(&format!("/lists/{three}")).await.problem(404, "not_found");
    tenant.get(&format!("/lists/{three}/members")).await.problem(404, "not_found");
    let listed = tenant.get("/lists?object=person").await.ok(200);
    assert_eq!(results(&listed).iter().map(id).collect::<Vec<_>>(), [one, two, by_hand]);
    assert_eq!(tenant.get("/lists?object=firm").await.ok(200)["results"], json!([]));
}

async fn another_filter_is_told_as_coming_and_going(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let mut ids = Vec::new();
    for age in [10, 20, 30] {
        ids.push(create_id(&tenant, "person", json!({"age": age})).await);
    }
    let young = list(
        &tenant,
        json!({"object": "person", "name": "Young", "filter":
        {"property": "age", "op": "lt", "value": 25}}),
    )
    .await;
    assert_eq!(members(&tenant, &young).await, ids[..2]);
    let patch = json!({"filter": {"property": "age", "op": "between", "value": [15, 35]}});
    let changed = tenant.patch(&format!("/lists/{young}"), &patch).await.ok(200);
    assert_eq!((&changed["version"], &changed["state"]), (&json!(2), &json!("filling")));
    assert_eq!(members(&tenant, &young).await, ids[1..]);
    let read = tenant.get(&format!("/lists/{young}")).await.ok(200);
    assert_eq!((&read["state"], &read["members"]), (&json!("current"), &json!(2)));
    let event = |kind: &str, at: usize| (format!("segment.{kind}"), young.clone(), ids[at].clone());
    assert_eq!(told(&tenant, 0).await, [event("left", 0), event("joined", 2)]);
}

async fn a_list_of_many_is_filled_behind(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    for part in 0..3 {
        let inputs: Vec<Value> =
            (0..900).map(|n| json!({"properties": {"name": format!("P{part}-{n}"), "age": n % 30}})).collect();
        tenant.post("/records/person/batch/create", &json!({"inputs": inputs})).await.ok(207);
    }
    let silence = Silence::begins(&tenant).await;
    let body =
        json!({"object": "person", "name": "Nearly all", "filter": {"property": "age", "op": "gte", "value": 3}});
    let made = tenant.post("/lists", &body).await.ok(201);
    assert_eq!((&made["state"], &made["members"]), (&json!("filling"), &json!(0)));
    let list = id(&made);
    // One that comes while it is filled has joined; one that was there has not.
    let new = create_id(&tenant, "person", json!({"age": 20})).await;
    let full =
        until(async || tenant.get(&format!("/lists/{list}")).await.ok(200), |read| read["state"] == "current").await;
    assert_eq!(full["members"], 2_431);
    assert_eq!(members(&tenant, &list).await, found(&tenant, "person", &list).await);
    assert_eq!(told(&tenant, 0).await, [("segment.joined".to_owned(), list.clone(), new)]);
    assert_eq!(silence.broken_by().await.len(), 2);
    // It is gone at once, and its members soon.
    tenant.delete(&format!("/lists/{list}")).await.ok(204);
    tenant.get(&format!("/lists/{list}")).await.problem(404, "not_found");
}

async fn a_property_that_is_gone_stops_its_lists_only(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let ada = create_id(&tenant, "person", json!({"age": 36, "city": "Rome"})).await;
    let adults = list(&tenant, json!({"object": "person", "name": "Adults", "filter": adult()})).await;
    let romans = json!({"property": "city", "op": "eq", "value": "Rome"});
    let romans = list(&tenant, json!({"object": "person", "name": "Romans", "filter": romans})).await;
    tenant.delete("/object-definitions/person/properties/age").await.ok(204);
    let bob = create_id(&tenant, "person", json!({"city": "Rome"})).await;
    assert_eq!(members(&tenant, &romans).await, [ada.clone(), bob]);
    let read = tenant.get(&format!("/lists/{adults}")).await.ok(200);
    assert_eq!((&read["problems"][0]["pointer"], &read["members"]), (&json!("/filter/property"), &json!(1)));
    assert_eq!(members(&tenant, &adults).await, std::slice::from_ref(&ada));
    let body = json!({"filter": {"list": adults}});
    let problem = tenant.post("/records/person/search", &body).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/filter/list"]);
    let said = server.log().matches("asks for something that is not there any more").count();
    assert_eq!(said, 1, "it is logged once");
    tenant.post("/object-definitions/person/properties/age/restore", &Value::Null).await.ok(200);
    let cyd = create_id(&tenant, "person", json!({"age": 20})).await;
    until(async || members(&tenant, &adults).await, |found| *found == [ada.clone(), cyd.clone()]).await;
    assert_eq!(tenant.get(&format!("/lists/{adults}")).await.ok(200)["problems"], json!([]));
}

async fn lists_are_seen_by_whom_they_are_shared_with(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let team = id(&tenant.post("/teams", &json!({"name": "Sales"})).await.ok(201));
    let (one, one_id) = tenant.user("one", "member").await;
    let (other, _) = tenant.user("other", "member").await;
    tenant.patch(&format!("/teams/{team}"), &json!({"members": [one_id]})).await.ok(200);
    let make = async |sharing: &str| {
        let mut body = json!({"object": "person", "name": sharing, "sharing": sharing, "filter": adult()});
        if sharing == "team" {
            body["team"] = json!(team);
        }
        list(&tenant, body).await
    };
    let (private, of_team, everyones) = (make("private").await, make("team").await, make("everyone").await);
    let seen =
        async |who: &Client| -> BTreeSet<String> { results(&who.get("/lists").await.ok(200)).iter().map(id).collect() };
    assert_eq!(seen(&tenant).await, BTreeSet::from([private.clone(), of_team.clone(), everyones.clone()]));
    assert_eq!(seen(&one).await, BTreeSet::from([of_team.clone(), everyones.clone()]));
    assert_eq!(seen(&other).await, BTreeSet::from([everyones.clone()]));
    other.get(&format!("/lists/{of_team}")).await.problem(404, "not_found");
    let body = json!({"filter": {"list": of_team}});
    other.post("/records/person/search", &body).await.problem(422, "validation_failed");
    one.post("/records/person/search", &body).await.ok(200);
    one.patch(&format!("/lists/{of_team}"), &json!({"name": "x"})).await.problem(403, "forbidden");
    one.delete(&format!("/lists/{everyones}")).await.problem(403, "forbidden");
    // Who joins a list that somebody does not see is not told to them.
    let position = changes_after(&tenant, 0).await.len();
    let ada = create_id(&tenant, "person", json!({"age": 36})).await;
    until(async || told(&tenant, 0).await.len(), |count| *count == 3).await;
    assert_eq!(told(&one, 0).await.len(), 2);
    assert_eq!(told(&other, 0).await, [("segment.joined".to_owned(), everyones, ada)]);
    assert!(position > 0);
}

async fn sixty_four_writers_leave_members_that_are_exact(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let firm = create_id(&tenant, "firm", json!({"name": "Acme", "size": 50})).await;
    let mut lists = Vec::new();
    for n in 0..20 {
        let filter = match n % 4 {
            0 => json!({"property": "age", "op": "gte", "value": n}),
            1 => json!({"property": "city", "op": "eq", "value": format!("c{}", n % 3)}),
            2 => json!({"association": "person_firm", "match": {"property": "size", "op": "gte", "value": 40 + n}}),
            _ => json!({"not": {"property": "age", "op": "lt", "value": n}}),
        };
        lists.push(list(&tenant, json!({"object": "person", "name": format!("L{n}"), "filter": filter})).await);
    }
    let writer = async |at: usize| {
        let client = Client::clone(&tenant);
        let person = create_id(&client, "person", json!({"age": at % 30, "city": format!("c{}", at % 3)})).await;
        for turn in 0..6 {
            let age = (at * 7 + turn * 11) % 30;
            let body = json!({"properties": {"age": age, "city": format!("c{}", (at + turn) % 4)}});
            client.patch(&format!("/records/person/{person}"), &body).await.ok(200);
            let link = format!("/records/person/{person}/associations/person_firm/{firm}");
            match turn % 3 {
                0 => drop(client.put(&link, &json!({})).await.ok(204)),
                1 => {
                    let size = json!({"properties": {"size": 40 + (at + turn) % 20}});
                    client.patch(&format!("/records/firm/{firm}"), &size).await.ok(200);
                }
                _ => drop(client.delete(&link).await.ok(204)),
            }
        }
        if at.is_multiple_of(8) {
            client.delete(&format!("/records/person/{person}")).await.ok(204);
        }
    };
    join_all((0..64).map(writer)).await;
    check_all(&tenant, "person", &lists).await;
}

/// Every list has exactly the members that a search finds, says how many, and was told of each of them.
pub(crate) async fn check_all(tenant: &Client, object: &str, lists: &[String]) {
    let mut kept = Vec::new();
    for list in lists {
        members(tenant, list).await;
    }
    for list in lists {
        // A merge puts the record that remains into the others' static lists a moment later.
        let both = async || (found(tenant, object, list).await, members(tenant, list).await);
        let (expected, _) = until(both, |(found, members)| found == members).await;
        let read = tenant.get(&format!("/lists/{list}")).await.ok(200);
        assert_eq!(read["members"], expected.len(), "{read}");
        kept.push(expected);
    }
    // What was told of records that are purged is erased with them.
    let purged: BTreeSet<String> = changes_after(tenant, 0)
        .await
        .iter()
        .filter(|change| change["kind"] == "record.purged")
        .map(|change| change["record_id"].as_str().unwrap().to_owned())
        .collect();
    let mut folded: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, list, record) in told(tenant, 0).await.into_iter().filter(|(_, _, record)| !purged.contains(record)) {
        let members = folded.entry(list).or_default();
        let is_news = if kind == "segment.joined" { members.insert(record) } else { members.remove(&record) };
        assert!(is_news, "nobody joins or leaves twice");
    }
    for (list, expected) in lists.iter().zip(kept) {
        let told: BTreeSet<String> = folded.get(list).cloned().unwrap_or_default();
        assert_eq!(told, expected.into_iter().collect(), "what was told of list {list} comes to its members");
    }
}

async fn a_key_makes_a_list_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    objects(&tenant).await;
    let ada = id(&create(&tenant, "person", json!({"name": "Ada"})).await);
    let make = || tenant.post("/lists", &json!({"object": "person", "name": "One"})).header("Idempotency-Key", "a");
    let (first, again) = (make().await.ok(201), make().await.ok(201));
    assert_eq!(first, again);
    let path = format!("/lists/{}/members", id(&first));
    let put = || tenant.post(&path, &json!({"add": [ada]})).header("Idempotency-Key", "b");
    assert_eq!(
        (put().await.ok(200), put().await.ok(200)),
        (json!({"added": 1, "removed": 0}), json!({"added": 1, "removed": 0}))
    );
    assert_eq!(results(&tenant.get("/lists").await.ok(200)).len(), 1);
}

scenarios![
    members_come_and_go_with_what_they_hold,
    records_are_put_into_static_lists,
    linked_records_and_other_lists_count,
    filters_take_lists_wherever_filters_are_taken,
    what_is_wrong_with_a_list_is_told_at_once,
    another_filter_is_told_as_coming_and_going,
    a_list_of_many_is_filled_behind,
    a_property_that_is_gone_stops_its_lists_only,
    lists_are_seen_by_whom_they_are_shared_with,
    sixty_four_writers_leave_members_that_are_exact,
    a_key_makes_a_list_once,
];
