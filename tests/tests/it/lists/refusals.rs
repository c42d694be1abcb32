//! What is wrong with lists, what is gone, and who sees them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{adult, list, members, objects, told, until};
use crate::fixture::{Silence, changes_after, create_id, id, results};

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
    let problem = tenant.patch(&format!("/lists/{one}"), &nothing).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/object", "/name", "/filter"]);
    assert_eq!(tenant.patch(&format!("/lists/{one}"), &json!({"sharing": null})).await.ok(200)["version"], 1);
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

async fn all_that_is_wrong_with_a_change_is_told(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let list = json!({"object": "contact", "name": "Known", "filter": {"property": "email", "op": "exists"}});
    let list = id(&tenant.post("/lists", &list).await.ok(201));
    let wrong = json!({"name": null, "filter": null, "sharing": "x", "team": "99", "object": "deal", "zz": 1});
    let refused = tenant.patch(&format!("/lists/{list}"), &wrong).await.problem(422, "validation_failed");
    let mut told = refused.pointers();
    told.sort();
    assert_eq!(told, ["/filter", "/name", "/object", "/sharing", "/team", "/zz"]);
    let refused = tenant.patch(&format!("/lists/{list}"), &json!({"name": 7, "object": null, "filter": 3})).await;
    let mut told = refused.problem(422, "validation_failed").pointers();
    told.sort();
    assert_eq!(told, ["/filter", "/name", "/object"]);
}

scenarios![
    all_that_is_wrong_with_a_change_is_told,
    what_is_wrong_with_a_list_is_told_at_once,
    a_property_that_is_gone_stops_its_lists_only,
    lists_are_seen_by_whom_they_are_shared_with,
];
