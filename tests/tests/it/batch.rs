//! Up to a thousand inputs in one request: each answered for itself, or all or nothing.

use serde_json::{Value, json};
use tests::TestServer;

use crate::fixture::{
    Silence, all_records, changes_after, contact, create, create_id, define_thing, id, kinds, results, sequence,
};

fn inputs(emails: &[&str]) -> Vec<Value> {
    emails.iter().map(|email| json!({"properties": contact(email)})).collect()
}

fn statuses(reply: &Value) -> Vec<u64> {
    results(reply).iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

async fn each_input_is_answered_in_its_place(server: TestServer) {
    let tenant = server.tenant("generic").await;
    create_id(&tenant, "contact", contact("taken@example.com")).await;
    let quiet = Silence::begins(&tenant).await;
    let mut inputs = inputs(&["a@example.com", "taken@example.com", "b@example.com", "A@example.com"]);
    inputs.push(json!({"properties": {"first_name": "No", "last_name": "Number", "lead_score": "x"}}));
    let reply = tenant.post("/records/contact/batch/create", &json!({"inputs": inputs})).await;
    let body = reply.ok(207);
    assert_eq!(statuses(&body), [201, 409, 201, 409, 422]);
    let indexes: Vec<u64> = results(&body).iter().map(|result| result["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4]);
    assert_eq!(results(&body)[2]["record"]["properties"]["email"], "b@example.com");
    let error = &results(&body)[4]["error"];
    let pointer = error["errors"][0]["pointer"].as_str().unwrap();
    assert_eq!((&error["code"], pointer), (&json!("validation_failed"), "/properties/lead_score"));
    assert!(results(&body)[1]["record"].is_null() && results(&body)[0]["error"].is_null());
    let changes = quiet.broken_by().await;
    assert_eq!(kinds(&changes), ["record.created", "record.created"]);
    assert_eq!(sequence(&changes[1]), reply.sequence());
    assert_eq!(all_records(&tenant, "contact").await.len(), 3);
}

async fn atomic_batch_is_all_or_nothing(server: TestServer) {
    let tenant = server.tenant("generic").await;
    create_id(&tenant, "contact", contact("taken@example.com")).await;
    let quiet = Silence::begins(&tenant).await;
    let mut wrong = inputs(&["a@example.com", "b@example.com"]);
    wrong.insert(1, json!({"properties": {"first_name": "No", "last_name": "Number", "lead_score": "x"}}));
    wrong.push(json!({"properties": {"first_name": "Nobody"}}));
    let body = json!({"inputs": wrong, "atomic": true});
    let problem = tenant.post("/records/contact/batch/create", &body).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/inputs/1/properties/lead_score", "/inputs/3/properties/last_name"]);
    let body = json!({"inputs": inputs(&["a@example.com", "taken@example.com"]), "atomic": true});
    let problem = tenant.post("/records/contact/batch/create", &body).await.problem(409, "conflict");
    assert_eq!(problem.pointers(), ["/inputs/1/properties/email"]);
    quiet.holds().await;
    let body = json!({"inputs": inputs(&["a@example.com", "b@example.com"]), "atomic": true, "select": ["email"]});
    let reply = tenant.post("/records/contact/batch/create", &body).await.ok(200);
    assert_eq!(results(&reply)[1]["record"]["properties"], json!({"email": "b@example.com"}));
    assert_eq!(all_records(&tenant, "contact").await.len(), 3);
}

async fn numbers_of_a_batch_follow_each_other_and_mistakes_take_none(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"number": {"type": "auto_number", "label": "Number", "pattern": "T-{000}"}})).await;
    let named = |name: Value| json!({"properties": {"name": name}});
    let inputs = [named(json!("a")), named(json!(1)), named(json!("b")), named(json!(null)), named(json!("c"))];
    let body = tenant.post("/records/thing/batch/create", &json!({"inputs": inputs})).await.ok(207);
    assert_eq!(statuses(&body), [201, 422, 201, 422, 201]);
    let numbers: Vec<&Value> = results(&body).iter().map(|result| &result["record"]["properties"]["number"]).collect();
    assert_eq!(numbers, [&json!("T-001"), &Value::Null, &json!("T-002"), &Value::Null, &json!("T-003")]);
    assert_eq!(create(&tenant, "thing", json!({"name": "d"})).await["properties"]["number"], "T-004");
}

async fn every_verb_works_in_batches(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let made = tenant
        .post("/records/contact/batch/create", &json!({"inputs": inputs(&["a@example.com", "b@example.com"])}))
        .await
        .ok(207);
    let ids: Vec<String> = results(&made).iter().map(|result| id(&result["record"])).collect();
    let update = json!({"inputs": [
        {"id": ids[0], "properties": {"title": "Countess"}, "version": 1},
        {"id": ids[1], "properties": {"title": "Countess"}, "version": 9},
        {"id": "999999999", "properties": {"title": "Countess"}},
    ]});
    let updated = tenant.post("/records/contact/batch/update", &update).await.ok(207);
    assert_eq!(statuses(&updated), [200, 412, 404]);
    let upsert = json!({"id_property": "email", "inputs": inputs(&["A@example.com", "c@example.com"])});
    let upserted = tenant.post("/records/contact/batch/upsert", &upsert).await.ok(207);
    assert_eq!(statuses(&upserted), [200, 201]);
    assert_eq!(results(&upserted)[0]["record"]["id"], ids[0]);
    let named = |ids: &[String]| json!({"inputs": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()});
    let archived = tenant.post("/records/contact/batch/archive", &named(&ids)).await.ok(207);
    assert_eq!(statuses(&archived), [200, 200]);
    assert_eq!(all_records(&tenant, "contact").await.len(), 1);
    let read = tenant.post("/records/contact/batch/read", &named(&ids)).await.ok(207);
    assert_eq!(statuses(&read), [200, 200]);
    assert!(results(&read).iter().all(|result| result["record"]["archived_at"].is_string()));
    let restored = tenant.post("/records/contact/batch/restore", &named(&ids)).await.ok(207);
    assert_eq!(statuses(&restored), [200, 200]);
    let by_email = json!({"id_property": "email", "inputs": [{"id": "b@example.com"}, {"id": "nobody@example.com"}]});
    assert_eq!(statuses(&tenant.post("/records/contact/batch/read", &by_email).await.ok(207)), [200, 404]);
    assert_eq!(all_records(&tenant, "contact").await.len(), 3);
}

async fn a_thousand_inputs_are_taken_and_one_more_is_not(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let emails: Vec<String> = (0..1001).map(|n| format!("c{n}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let quiet = Silence::begins(&tenant).await;
    let refused = tenant.post("/records/contact/batch/create", &json!({"inputs": inputs(&emails)})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/inputs"]);
    quiet.holds().await;
    let taken = tenant.post("/records/contact/batch/create", &json!({"inputs": inputs(&emails[..1000])})).await.ok(207);
    assert_eq!(statuses(&taken), vec![201; 1000]);
    let records = all_records(&tenant, "contact").await;
    assert_eq!(records.len(), 1000);
    let created: Vec<Value> =
        changes_after(&tenant, 0).await.into_iter().filter(|change| change["kind"] == "record.created").collect();
    assert_eq!(created.len(), 1000);
    assert!(created.is_sorted_by(|one, next| sequence(one) < sequence(next)));
    let empty = tenant.post("/records/contact/batch/create", &json!({"inputs": []})).await;
    assert!(matches!(empty.status, 207 | 422), "{}", empty.text);
}

/// What one input has wrong is its own, whether it shows in its form, its members or its values.
async fn malformed_input_is_answered_in_its_place(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let quiet = Silence::begins(&tenant).await;
    for (path, body) in [
        ("/records/contact/batch/create", json!({})),
        ("/records/contact/batch/read", json!({"inputs": null})),
        ("/records/contact/batch/create", json!({"atomic": true})),
        ("/associations/batch/create", json!({})),
        ("/associations/batch/archive", json!({})),
        ("/associations/batch/read", json!({"type": "contact_company"})),
    ] {
        let refused = tenant.post(path, &body).await.problem(422, "validation_failed");
        assert_eq!(refused.errors(), [("/inputs".to_owned(), "required".to_owned())], "{path}");
    }
    let ada = contact("ada@example.com");
    let malformed = json!([{"properties": ada}, 7, {"properties": []}, {"id": "1", "properties": ada}, null,
        {"properties": contact("bob@example.com"), "ownr_id": "1"}, {"properties": {"email": "x"}}]);
    let all = json!({"inputs": malformed, "atomic": true});
    let refused = tenant.post("/records/contact/batch/create", &all).await.problem(422, "validation_failed");
    let expected = ["/inputs/1", "/inputs/2/properties", "/inputs/3/id", "/inputs/4", "/inputs/5/ownr_id"];
    assert_eq!(refused.pointers(), expected);
    // What is wrong with the batch itself refuses it, whatever its inputs.
    let wrong = json!({"inputs": malformed, "rule": "1"});
    let refused = tenant.post("/records/contact/batch/create", &wrong).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), [&["/rule"], &expected[..]].concat());
    quiet.holds().await;

    let each = || tenant.post("/records/contact/batch/create", &json!({"inputs": malformed}));
    let first = each().header("idempotency-key", "once").await;
    let done = first.ok(207);
    assert_eq!(statuses(&done), [201, 422, 422, 422, 422, 422, 422]);
    let told: Vec<Value> = results(&done)[1..]
        .iter()
        .map(|one| json!([one["index"], one["error"]["errors"][0]["pointer"], one["error"]["errors"][0]["code"]]))
        .collect();
    let expected = [
        json!([1, "", "wrong_type"]),
        json!([2, "/properties", "wrong_type"]),
        json!([3, "/id", "not_applicable"]),
        json!([4, "", "required"]),
        json!([5, "/ownr_id", "unknown"]),
        json!([6, "/properties/email", "invalid"]),
    ];
    assert_eq!(told, expected);
    let again = each().header("idempotency-key", "once").await;
    assert_eq!(
        (again.header("idempotent-replayed"), again.ok(207)["results"].clone()),
        ("true", done["results"].clone())
    );
    assert_eq!(all_records(&tenant, "contact").await.len(), 1);

    let ada = results(&done)[0]["record"]["id"].as_str().unwrap();
    let read = json!({"inputs": [{}, {"id": ada}, {"id": ada, "version": 1}]});
    let read = tenant.post("/records/contact/batch/read", &read).await.ok(207);
    assert_eq!(statuses(&read), [422, 200, 422]);
    let acme = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    let links = json!({"inputs": [{"type": "contact_company", "from": ada}, {"type": "contact_company", "from": ada, "to": acme}]});
    let linked = tenant.post("/associations/batch/create", &links).await.ok(207);
    assert_eq!(statuses(&linked), [422, 200]);
    assert_eq!(results(&linked)[0]["error"]["errors"][0]["pointer"], "/to");
    let of = json!({"type": "contact_company", "inputs": [{"object": "contact"}, {"object": "contact", "id": ada}]});
    let of = tenant.post("/associations/batch/read", &of).await.ok(207);
    assert_eq!(statuses(&of), [422, 200]);
    let gone = tenant.post("/associations/batch/archive", &links).await.ok(207);
    assert_eq!(statuses(&gone), [422, 200]);
    // Where nothing is left to be done, everything is answered all the same.
    let none = tenant.post("/records/contact/batch/update", &json!({"inputs": [{}, 1]})).await.ok(207);
    assert_eq!(statuses(&none), [422, 422]);
}

scenarios![
    malformed_input_is_answered_in_its_place,
    each_input_is_answered_in_its_place,
    numbers_of_a_batch_follow_each_other_and_mistakes_take_none,
    atomic_batch_is_all_or_nothing,
    every_verb_works_in_batches,
    a_thousand_inputs_are_taken_and_one_more_is_not,
];
