//! Owners: records taken on, given back and handed over, by hand, by rules, and all that a user has at once.

use std::collections::BTreeMap;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Response, Tenant, TestServer};

use crate::fixture::{Silence, create, create_id, define, id, jobs_are_done, kinds, results};

async fn post(caller: &Client, path: &str) -> Response {
    caller.request(Method::POST, path).await
}

async fn owner(tenant: &Client, object: &str, id: &str) -> Value {
    tenant.get(&format!("/records/{object}/{id}")).await.ok(200)["owner_id"].clone()
}

async fn records_are_taken_on_and_given_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (mel, mel_id) = tenant.user("mel", "member").await;
    let (max, max_id) = tenant.user("max", "member").await;
    let (vic, _) = tenant.user("vic", "viewer").await;
    let deal = create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let path = |verb: &str| format!("/records/deal/{deal}/{verb}");
    let quiet = Silence::begins(&tenant).await;
    post(&vic, &path("claim")).await.problem(403, "forbidden");
    post(&mel, "/records/deal/999999999/claim").await.problem(404, "not_found");
    let stale = mel.request(Method::POST, &path("claim")).header("if-match", "\"7\"");
    stale.await.problem(412, "version_mismatch");
    quiet.holds().await;
    let claimed = mel.request(Method::POST, &path("claim")).header("idempotency-key", "mine").await;
    assert_eq!(claimed.header("etag"), "\"2\"");
    assert_eq!((&claimed.ok(200)["owner_id"], &claimed.json()["version"]), (&json!(mel_id), &json!(2)));
    let again = mel.request(Method::POST, &path("claim")).header("idempotency-key", "mine").await;
    assert_eq!((again.header("idempotent-replayed"), again.ok(200)), ("true", claimed.json()));
    // Who has it already changes nothing; whoever else is told who has it.
    assert_eq!(post(&mel, &path("claim")).await.ok(200)["version"], 2);
    let refused = post(&max, &path("claim")).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [(String::new(), "owned".to_owned())]);
    assert!(refused.words().contains(&format!("user {mel_id} owns the record already")), "{}", refused.words());
    post(&max, &path("release")).await.problem(403, "forbidden");
    assert_eq!(post(&mel, &path("release")).await.ok(200)["owner_id"], Value::Null);
    assert_eq!(post(&mel, &path("release")).await.ok(200)["version"], 3);
    assert_eq!(post(&max, &path("claim")).await.ok(200)["owner_id"], max_id);
    let changes = quiet.broken_by().await;
    assert_eq!(kinds(&changes), ["owner.claimed", "owner.released", "owner.claimed"]);
    let told: Vec<&Value> = changes.iter().map(|change| &change["changes"]).collect();
    assert_eq!(
        told,
        [
            &json!({"owner_id": [null, mel_id]}),
            &json!({"owner_id": [mel_id, null]}),
            &json!({"owner_id": [null, max_id]})
        ]
    );
    assert_eq!(changes[0]["actor"], mel_id);
    // It is told by the record's history, and found by its owner; and it is taken back like any change.
    let history = tenant.get(&format!("/records/deal/{deal}/history?limit=1")).await.ok(200);
    assert_eq!((&results(&history)[0]["property"], &results(&history)[0]["new"]), (&json!("owner_id"), &json!(max_id)));
    let query = json!({"filter": {"property": "owner_id", "op": "eq", "value": max_id}});
    assert_eq!(results(&tenant.post("/records/deal/search", &query).await.ok(200)).len(), 1);
    let request = changes[2]["request_id"].as_str().unwrap();
    let undone = tenant.post("/undo", &json!({"request_id": request})).await.ok(200);
    assert_eq!((&undone["undone"], owner(&tenant, "deal", &deal).await), (&json!(1), Value::Null));
    // What it was before is told of any moment.
    let at = changes[1]["at"].as_str().unwrap();
    let then = tenant.get(&format!("/records/deal/{deal}?at={}", at.replace('+', "%2B"))).await.ok(200);
    assert_eq!((&then["owner_id"], &then["version"]), (&Value::Null, &json!(3)));
    tenant.delete(&format!("/records/deal/{deal}")).await.ok(204);
    let refused = post(&mel, &path("claim")).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [(String::new(), "archived".to_owned())]);
}

async fn one_of_many_who_claim_a_record_has_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let deal = create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let mut callers = Vec::new();
    for number in 0..8 {
        callers.push(tenant.user(&format!("user{number}"), "member").await);
    }
    let path = format!("/records/deal/{deal}/claim");
    let claims = callers.iter().cycle().take(64).map(async |(caller, user)| (user, post(caller, &path).await.status));
    let claims = join_all(claims).await;
    let winner = owner(&tenant, "deal", &deal).await;
    for (user, status) in claims {
        assert_eq!(status, if winner == **user { 200 } else { 409 }, "user {user}, owner {winner}");
    }
    let log = tenant.get(&format!("/records/deal/{deal}/history")).await.ok(200);
    let owners = results(&log).iter().filter(|entry| entry["property"] == "owner_id").count();
    assert_eq!(owners, 1);
}

async fn what_is_archived_is_claimed_by_nobody(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (_, mel) = tenant.user("mel", "member").await;
    let deal = json!({"properties": {"name": "Roof"}, "owner_id": mel});
    let deal = id(&tenant.post("/records/deal", &deal).await.ok(201));
    tenant.delete(&format!("/records/deal/{deal}")).await.ok(204);
    let refused = post(&tenant, &format!("/records/deal/{deal}/claim")).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [(String::new(), "archived".to_owned())]);
}

async fn many_records_are_handed_over_at_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (mel, mel_id) = tenant.user("mel", "member").await;
    let (_, max_id) = tenant.user("max", "member").await;
    let mut deals = Vec::new();
    for number in 0..4 {
        deals.push(create_id(&tenant, "deal", json!({"name": format!("Deal {number}")})).await);
    }
    let batch = async |caller: &Client, verb: &str, body: Value| {
        caller.post(&format!("/records/deal/batch/{verb}"), &body).await
    };
    let inputs = |ids: &[String]| json!(ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>());
    let statuses = |reply: &Value| -> Vec<u64> {
        results(reply).iter().map(|result| result["status"].as_u64().unwrap()).collect()
    };
    let body = json!({"inputs": [{"id": deals[0]}, {"id": deals[1], "owner_id": null}], "owner_id": max_id});
    let reply = batch(&tenant, "assign", body).await.ok(207);
    assert_eq!(statuses(&reply), [200, 200]);
    assert_eq!(owner(&tenant, "deal", &deals[0]).await, max_id);
    let reply = batch(&mel, "claim", json!({"inputs": inputs(&deals)})).await.ok(207);
    assert_eq!(statuses(&reply), [409, 200, 200, 200]);
    let reply = batch(&mel, "release", json!({"inputs": inputs(&deals)})).await.ok(207);
    assert_eq!(statuses(&reply), [403, 200, 200, 200]);
    // All or nothing.
    let quiet = Silence::begins(&tenant).await;
    let body = json!({"inputs": inputs(&deals), "atomic": true});
    let refused = batch(&mel, "claim", body).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [("/inputs/0".to_owned(), "owned".to_owned())]);
    // Everything wrong is told, and what has no meaning is not dropped without a word.
    let body = json!({"inputs": [{"id": deals[0], "owner_id": "999999"}], "atomic": true});
    let refused = batch(&tenant, "assign", body).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/inputs/0/owner_id"]);
    let body = json!({"inputs": [{"id": deals[0], "properties": {"name": "X"}, "team_id": "1"}], "owner_id": max_id,
        "rule": "1"});
    let refused = batch(&tenant, "claim", body).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/owner_id", "/rule", "/inputs/0/properties", "/inputs/0/team_id"]);
    let body = json!({"inputs": [{"id": deals[0]}], "atomic": true});
    let refused = batch(&tenant, "assign", body).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/inputs/0/rule".to_owned(), "no_rule".to_owned())]);
    quiet.holds().await;
    let body = json!({"inputs": inputs(&deals), "owner_id": mel_id, "atomic": true});
    batch(&tenant, "assign", body).await.ok(200);
    assert_eq!(kinds(&quiet.broken_by().await), ["owner.claimed"; 4]);
}

async fn rule(tenant: &Client, body: Value) -> String {
    id(&tenant.post("/assignment-rules", &body).await.ok(201))
}

/// How many records of an object each owner has.
async fn owners(tenant: &Client, object: &str) -> BTreeMap<String, u64> {
    let query = json!({"limit": 0, "aggregate": {"t": {"group": ["owner_id"], "measures": {"n": {"count": true}}}}});
    let answer = tenant.post(&format!("/records/{object}/search"), &query).await.ok(200);
    let rows = answer["aggregates"]["t"].as_array().unwrap();
    rows.iter().map(|row| (row["key"][0].as_str().unwrap_or("nobody").to_owned(), row["n"].as_u64().unwrap())).collect()
}

async fn new_records_go_by_rules_and_turns(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define(
        &tenant,
        json!({"name": "lead", "display": "{{ name }} of {{ mine }}", "properties": {"name": {"type": "string"},
            "size": {"type": "integer"},
            "mine": {"type": "formula", "formula": "owner_id == '' ? 'nobody' : owner_id", "result": "string"}}}),
    )
    .await;
    let mut users = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        users.push(tenant.user(name, "member").await.1);
    }
    let north = id(&tenant.post("/teams", &json!({"name": "North", "members": [users[2], users[3]]})).await.ok(201));
    create(&tenant, "lead", json!({"name": "early"})).await;
    let large = json!({"object": "lead", "label": "Large", "when": "size > 100", "team": north});
    let large = rule(&tenant, large).await;
    let made = tenant.get(&format!("/assignment-rules/{large}")).await.ok(200);
    assert_eq!(
        (&made["position"], &made["team"], &made["users"], &made["active"]),
        (&json!(1), &json!(north), &json!([]), &json!(true))
    );
    let others = json!({"object": "lead", "label": "Others", "users": [users[0], users[1]]});
    let others = rule(&tenant, others).await;
    // In turns however many there are at once, and by how many calls.
    join_all((0..60).map(async |number| {
        let size = if number % 3 == 0 { 500 } else { 5 };
        let made = create(&tenant, "lead", json!({"name": format!("Lead {number}"), "size": size})).await;
        assert_eq!(made["properties"]["mine"], made["owner_id"], "{made}");
        assert_eq!(made["team_id"], if size == 500 { json!(north) } else { Value::Null });
    }))
    .await;
    let each = |counts: [u64; 5]| -> BTreeMap<String, u64> {
        let names = ["nobody".to_owned()].into_iter().chain(users.clone());
        names.zip(counts).filter(|(_, count)| *count > 0).collect()
    };
    assert_eq!(owners(&tenant, "lead").await, each([1, 20, 20, 10, 10]));
    let inputs: Vec<Value> = (0..10).map(|number| json!({"properties": {"name": format!("B{number}")}})).collect();
    tenant.post("/records/lead/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    assert_eq!(owners(&tenant, "lead").await, each([1, 25, 25, 10, 10]));
    // Who is named, or that nobody is, goes before any rule; a mistake costs nobody a turn.
    let named = json!({"properties": {"name": "named"}, "owner_id": users[3]});
    tenant.post("/records/lead", &named).await.ok(201);
    let unowned = json!({"properties": {"name": "unowned"}, "owner_id": null});
    tenant.post("/records/lead", &unowned).await.ok(201);
    tenant.post("/records/lead", &json!({"properties": {"size": "x"}})).await.problem(422, "validation_failed");
    let pair = json!({"operations": [
        {"op": "create", "ref": "a", "object": "lead", "properties": {"name": "pair"}},
        {"op": "update", "object": "lead", "id": "$a", "properties": {"size": 3}}]});
    let pair = tenant.post("/transactions", &pair).await.ok(200);
    assert_eq!(results(&pair)[1]["record"]["owner_id"], results(&pair)[0]["record"]["owner_id"]);
    assert_eq!(results(&pair)[0]["record"]["owner_id"], users[0]);
    assert_eq!(owners(&tenant, "lead").await, each([2, 26, 25, 10, 11]));
    // By hand, by the rule that is named or by the first that fits.
    let lost = id(&tenant.post("/records/lead", &unowned).await.ok(201));
    let assign = |body: Value| {
        let mut body = body;
        body["inputs"] = json!([{"id": lost}]);
        tenant.post("/records/lead/batch/assign", &json!(body))
    };
    let assigned = assign(json!({})).await.ok(207);
    assert_eq!(results(&assigned)[0]["record"]["owner_id"], users[1]);
    let assigned = assign(json!({"rule": large})).await.ok(207);
    assert_eq!(results(&assigned)[0]["record"]["owner_id"], users[2]);
    assert_eq!(results(&assigned)[0]["record"]["team_id"], north);
    let refused = assign(json!({"rule": "999"})).await.ok(207);
    assert_eq!(results(&refused)[0]["error"]["errors"][0]["pointer"], "/rule");
    // A user who is put away is passed over at once, and a rule that is off, or gone, is not applied.
    tenant.delete(&format!("/users/{}", users[0])).await.ok(204);
    for _ in 0..2 {
        assert_eq!(create(&tenant, "lead", json!({"name": "late"})).await["owner_id"], users[1]);
    }
    tenant.patch(&format!("/assignment-rules/{others}"), &json!({"active": false})).await.ok(200);
    assert_eq!(create(&tenant, "lead", json!({"name": "off"})).await["owner_id"], Value::Null);
    let swapped = json!({"active": true, "users": [users[3]], "position": 1, "when": "name != 'odd'"});
    tenant.patch(&format!("/assignment-rules/{large}"), &swapped).await.ok(200);
    assert_eq!(create(&tenant, "lead", json!({"name": "even"})).await["owner_id"], users[3]);
    assert_eq!(create(&tenant, "lead", json!({"name": "odd"})).await["owner_id"], Value::Null);
    tenant.delete(&format!("/assignment-rules/{large}")).await.ok(204);
    assert_eq!(create(&tenant, "lead", json!({"name": "even"})).await["owner_id"], Value::Null);
    tenant.get(&format!("/assignment-rules/{large}")).await.problem(404, "not_found");
}

async fn rules_that_cannot_be_applied_are_refused_or_say_so(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define(&tenant, json!({"name": "lead", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}))
        .await;
    let (mel, mel_id) = tenant.user("mel", "member").await;
    mel.get("/assignment-rules").await.problem(403, "forbidden");
    let right = json!({"object": "lead", "label": "All", "users": [mel_id]});
    mel.post("/assignment-rules", &right).await.problem(403, "forbidden");
    for (body, pointers) in [
        (json!({}), vec!["/object", "/label", "/users"]),
        (json!({"object": "led", "label": " ", "users": [], "whn": "x"}), vec!["/label", "/users", "/whn", "/object"]),
        (
            json!({"object": "lead", "label": "L", "users": ["x", mel_id, mel_id, "99"], "when": "siz > 1", "position": 0}),
            vec!["/position", "/users/0", "/users/2", "/when", "/users/1"],
        ),
        (
            json!({"object": "lead", "label": "L", "users": [mel_id], "team": "1", "when": "size >"}),
            vec!["/team", "/when", "/team"],
        ),
        (json!({"object": "lead", "label": "L", "team": "x"}), vec!["/team"]),
        (json!({"object": "lead", "label": "L\u{0}", "users": [mel_id]}), vec!["/label"]),
    ] {
        let refused = tenant.post("/assignment-rules", &body).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), pointers, "{body}: {}", refused.words());
    }
    let mut sized = right.clone();
    sized["when"] = json!("size > 1");
    let sized = rule(&tenant, sized).await;
    let path = format!("/assignment-rules/{sized}");
    let refused = tenant.patch(&path, &json!({"object": "contact"})).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/object"]);
    // A rule over a property that is put away fits nothing any more, says so, and can still be changed.
    tenant.delete("/object-definitions/lead/properties/size").await.ok(204);
    assert_eq!(create(&tenant, "lead", json!({"name": "A"})).await["owner_id"], Value::Null);
    let shown = tenant.get(&path).await.ok(200);
    assert_eq!(shown["warnings"][0]["pointer"], "/when");
    let shown = tenant.patch(&path, &json!({"label": "Sized"})).await.ok(200);
    assert_eq!((&shown["label"], &shown["when"]), (&json!("Sized"), &json!("size > 1")));
    tenant.patch(&path, &json!({"when": null})).await.ok(200);
    assert_eq!(create(&tenant, "lead", json!({"name": "A"})).await["owner_id"], mel_id);
    let listed = tenant.get("/assignment-rules?object=lead").await.ok(200);
    assert_eq!(results(&listed).len(), 1);
    assert_eq!(results(&tenant.get("/assignment-rules?object=deal").await.ok(200)), &Vec::<Value>::new());
}

async fn all_that_a_user_has_is_handed_over(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (_, mel_id) = tenant.user("mel", "member").await;
    let (max, max_id) = tenant.user("max", "member").await;
    let owned = async |tenant: &Tenant, object: &str, properties: Value| {
        let body = json!({"properties": properties, "owner_id": mel_id});
        id(&tenant.post(&format!("/records/{object}"), &body).await.ok(201))
    };
    let inputs: Vec<Value> =
        (0..450).map(|number| json!({"properties": {"name": format!("D{number}")}, "owner_id": mel_id})).collect();
    tenant.post("/records/deal/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    let task = json!({"title": "Call", "assigned_to_id": mel_id});
    let (contact, task) = (
        owned(&tenant, "contact", json!({"first_name": "A", "last_name": "B"})).await,
        owned(&tenant, "task", task).await,
    );
    let kept = create_id(&tenant, "deal", json!({"name": "kept"})).await;
    tenant.delete(&format!("/users/{mel_id}")).await.ok(204);
    let path = format!("/users/{mel_id}/reassign");
    let quiet = Silence::begins(&tenant).await;
    max.post(&path, &json!({"to": max_id})).await.problem(403, "forbidden");
    for (body, pointers) in [
        (json!({}), vec!["/to"]),
        (json!({"to": mel_id, "objects": ["dael"]}), vec!["/to", "/objects/0"]),
        (json!({"to": "99", "by_rules": true, "properties": true}), vec!["/to", "/properties"]),
        (json!({"to": "99"}), vec!["/to"]),
    ] {
        let refused = tenant.post(&path, &body).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), pointers, "{body}");
    }
    tenant.post("/users/999/reassign", &json!({"to": max_id})).await.problem(404, "not_found");
    quiet.holds().await;
    let job = tenant.post(&path, &json!({"to": max_id, "objects": ["deal"]})).await.ok(202)["job"].clone();
    assert_eq!((&job["kind"], &job["spec"]["to"]), (&json!("reassign"), &json!(max_id)));
    jobs_are_done(&tenant).await;
    let job = tenant.get(&format!("/jobs/{}", job["id"].as_str().unwrap())).await.ok(200);
    assert_eq!((&job["counts"]["updated"], &job["counts"]["failed"]), (&json!(450), &json!(0)));
    let expected = [(max_id.clone(), 450), ("nobody".to_owned(), 1)].into_iter().collect();
    assert_eq!(owners(&tenant, "deal").await, expected);
    assert_eq!(owner(&tenant, "deal", &kept).await, Value::Null);
    assert_eq!(owner(&tenant, "contact", &contact).await, mel_id);
    let changes = quiet.broken_by().await;
    assert_eq!(changes.len(), 450);
    let told = |change: &Value| {
        change["kind"] == "owner.claimed" && change["changes"] == json!({"owner_id": [mel_id, max_id]})
    };
    assert!(changes.iter().all(told), "{}", changes[0]);
    // The rest, also where properties name the user.
    let body = json!({"to": max_id, "properties": true});
    let job = id(&tenant.post(&path, &body).await.ok(202)["job"]);
    jobs_are_done(&tenant).await;
    // A record that names the user twice is one record.
    let job = tenant.get(&format!("/jobs/{job}")).await.ok(200);
    assert_eq!((&job["counts"]["updated"], &job["progress"]["done"]), (&json!(2), &json!(2)), "{job}");
    let task = tenant.get(&format!("/records/task/{task}")).await.ok(200);
    assert_eq!((&task["owner_id"], &task["properties"]["assigned_to_id"]), (&json!(max_id), &json!(max_id)));
    assert_eq!(owner(&tenant, "contact", &contact).await, max_id);
    // To nobody, then by rules.
    let path = format!("/users/{max_id}/reassign");
    tenant.post(&path, &json!({"to": null, "objects": ["contact"]})).await.ok(202);
    jobs_are_done(&tenant).await;
    assert_eq!(owner(&tenant, "contact", &contact).await, Value::Null);
    let (_, ann) = tenant.user("ann", "member").await;
    let (_, bob) = tenant.user("bob", "member").await;
    rule(&tenant, json!({"object": "deal", "label": "Two", "users": [ann, bob]})).await;
    tenant.post(&path, &json!({"by_rules": true, "objects": ["deal", "task"]})).await.ok(202);
    jobs_are_done(&tenant).await;
    let expected = [(ann, 225), (bob, 225), ("nobody".to_owned(), 1)].into_iter().collect();
    assert_eq!(owners(&tenant, "deal").await, expected);
    let jobs = tenant.get("/jobs?limit=1").await.ok(200);
    let (last, counts) = (&results(&jobs)[0]["id"], &results(&jobs)[0]["counts"]);
    assert_eq!((&counts["updated"], &counts["failed"]), (&json!(450), &json!(1)));
    let errors = tenant.get(&format!("/jobs/{}/errors", last.as_str().unwrap())).await;
    assert!(errors.text.contains("no assignment rule of `task` fits the record"), "{}", errors.text);
}

scenarios![
    what_is_archived_is_claimed_by_nobody,
    records_are_taken_on_and_given_back,
    one_of_many_who_claim_a_record_has_it,
    many_records_are_handed_over_at_once,
    new_records_go_by_rules_and_turns,
    rules_that_cannot_be_applied_are_refused_or_say_so,
    all_that_a_user_has_is_handed_over,
];
