//! Members that come and go, at once and behind, whoever writes.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{adult, check_all, found, list, members, objects, told, until};
use crate::fixture::{Silence, create, create_id, id, results};

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

async fn what_a_list_cannot_miss_is_not_taken_away(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let of = json!({"object": "contact", "name": "Static"});
    let by_hand = id(&tenant.post("/lists", &of).await.ok(201));
    let filter = json!({"property": "first_name", "op": "eq", "value": "Ada"});
    let of = json!({"object": "contact", "name": "Dynamic", "filter": filter});
    let kept = id(&tenant.post("/lists", &of).await.ok(201));
    for list in [&by_hand, &kept] {
        let path = format!("/lists/{list}");
        let before = tenant.get(&path).await.ok(200);
        let none = json!({"name": null, "filter": null, "object": null});
        let refused = tenant.patch(&path, &none).await.problem(422, "validation_failed");
        let required = ["/object", "/name", "/filter"].map(|at| (at.to_owned(), "required".to_owned()));
        assert_eq!(refused.errors(), required);
        for (name, _) in none.as_object().unwrap() {
            let refused = tenant.patch(&path, &json!({name: null})).await.problem(422, "validation_failed");
            assert_eq!(refused.pointers(), [format!("/{name}")]);
        }
        assert_eq!(tenant.get(&path).await.ok(200)["version"], before["version"]);
        let cleared = tenant.patch(&path, &json!({"description": null, "name": "Other"})).await.ok(200);
        assert_eq!(cleared["name"], "Other");
    }
    // A new list without a filter is one by hand, whichever way that is said.
    let of = json!({"object": "contact", "name": "New", "filter": null});
    assert_eq!(tenant.post("/lists", &of).await.ok(201)["kind"], "static");
}

scenarios![
    what_a_list_cannot_miss_is_not_taken_away,
    members_come_and_go_with_what_they_hold,
    records_are_put_into_static_lists,
    another_filter_is_told_as_coming_and_going,
    a_list_of_many_is_filled_behind,
    sixty_four_writers_leave_members_that_are_exact,
    a_key_makes_a_list_once,
];
