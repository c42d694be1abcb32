//! What a score has answered is changed by the score alone, by whichever way somebody tries; what others write down
//! themselves never stands.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{HOTEL, assess, contact, criterion, lines, score_of};
use crate::fixture::{Silence, create_id, id, results};

const PARTS: [&str; 8] =
    ["score", "rationale", "assessed_at", "assessed_by", "user_id", "review_status", "is_current", "current_key"];

fn made_up() -> Value {
    json!({"score": 100, "rationale": "Trust me", "assessed_at": "2026-01-01T00:00:00Z", "assessed_by": "person",
        "user_id": "1", "review_status": "accepted", "is_current": true, "current_key": "fit/1/-/1"})
}

/// Where each of these parts is refused.
fn refused(parts: &[&str], before: &str) -> Vec<(String, String)> {
    parts.iter().map(|part| (format!("{before}/properties/{part}"), "read_only".to_owned())).collect()
}

async fn answers_are_made_up_by_nobody(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let reach = criterion(&tenant, "Reach", "subject.email != null", "1").await;
    let ada = contact(&tenant, json!({"email": "ada@example.com"})).await;
    let eve = contact(&tenant, json!({})).await;
    let score = assess(&tenant, &ada).await;
    assess(&tenant, &eve).await;
    let total = id_in(&score["assessment_id"]);
    let answer = id_in(&score["criteria"][0]["assessment_id"]);
    let free = create_id(&tenant, "fit_assessment", json!({})).await;
    let quiet = Silence::begins(&tenant).await;
    let all = "/records/fit_assessment";
    let standing = &PARTS[6..];
    for (one, parts) in [(&total, &PARTS[..]), (&answer, &PARTS[..]), (&free, standing)] {
        let reply = tenant.patch(&format!("{all}/{one}"), &json!({"properties": made_up()})).await;
        let refusal = reply.problem(422, "validation_failed");
        assert_eq!(refusal.errors(), refused(parts, ""));
        let words = "is written by the score `fit` alone; assess the record, or override or review what stands";
        assert!(refusal.words().contains(words), "{}", refusal.words());
    }
    let reply = tenant.post(all, &json!({"properties": made_up()})).await.problem(422, "validation_failed");
    assert_eq!(reply.errors(), refused(standing, ""));
    let inputs = json!({"inputs": [{"id": total, "properties": made_up()}]});
    let batch = tenant.post(&format!("{all}/batch/update"), &inputs).await.ok(207);
    assert_eq!(results(&batch)[0]["error"]["errors"].as_array().unwrap().len(), PARTS.len());
    let upsert = json!({"inputs": [{"properties": made_up()}], "id_property": "current_key", "atomic": true});
    let reply = tenant.post(&format!("{all}/batch/upsert"), &upsert).await.problem(422, "validation_failed");
    assert_eq!(reply.errors(), refused(standing, "/inputs/0"));
    let operations = json!({"operations": [
        {"op": "update", "object": "fit_assessment", "id": total, "properties": {"score": 100}}]});
    let reply = tenant.post("/transactions", &operations).await.problem(422, "validation_failed");
    assert_eq!(reply.pointers(), ["/operations/0/properties/score"]);

    // Of whom something was said is part of it, from either end.
    let link = "associations/fit_assessment_subject";
    for (method, path) in [
        (Method::PUT, format!("{all}/{total}/{link}/{eve}?replace=true")),
        (Method::DELETE, format!("{all}/{total}/{link}/{ada}")),
        (Method::PUT, format!("/records/contact/{eve}/{link}/{total}")),
        (Method::DELETE, format!("/records/contact/{ada}/{link}/{total}")),
        (Method::DELETE, format!("{all}/{answer}/associations/fit_assessment_fit_criterion/{reach}")),
    ] {
        let reply = tenant.request(method, &path).await.problem(422, "validation_failed");
        assert_eq!(reply.errors(), [("/type".to_owned(), "read_only".to_owned())], "{path}");
    }
    let reply = tenant.post(&format!("{all}/{free}/merge"), &json!({"from": [total]})).await.problem(409, "conflict");
    assert_eq!(reply.errors(), [(String::new(), "read_only".to_owned())]);
    quiet.holds().await;

    let row = json!({"properties": {"score": 100, "is_current": true, "current_key": "fit/1/-/1"}});
    let job = imported(&tenant, "fit_assessment", &row.to_string()).await;
    assert_eq!(job["counts"]["failed"], 1, "{job}");
    let errors = tenant.get(&format!("/jobs/{}/errors", id(&job))).await;
    let places: Vec<Value> = serde_json::from_str::<Value>(errors.text.trim()).unwrap()["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| json!([problem["pointer"], problem["code"]]))
        .collect();
    assert_eq!(
        places,
        standing.iter().map(|part| json!([format!("/properties/{part}"), "read_only"])).collect::<Vec<_>>()
    );

    // What somebody writes down beside that is a record as any other, and never stands.
    let mut noted = made_up();
    standing.iter().for_each(|part| drop(noted.as_object_mut().unwrap().remove(*part)));
    let links = json!([{"type": "fit_assessment_subject", "to": ada}]);
    let noted = json!({"properties": noted, "associations": links});
    let noted = id(&tenant.post(all, &noted).await.ok(201));
    tenant.patch(&format!("{all}/{noted}"), &json!({"properties": {"score": 99}})).await.ok(200);
    tenant.put(&format!("{all}/{noted}/{link}/{eve}?replace=true"), &json!({})).await.ok(204);
    assert_eq!(tenant.get(&score_of(&ada)).await.ok(200), score);
}

async fn people_say_otherwise_by_the_calls_for_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let reach = criterion(&tenant, "Reach", "subject.email != null", "1").await;
    let ada = contact(&tenant, json!({"email": "ada@example.com"})).await;
    assess(&tenant, &ada).await;
    let (mia, user) = tenant.user("mia", "member").await;
    let of = format!("{}/criteria/{reach}", score_of(&ada));
    let said = json!({"score": 30, "rationale": "She never answers"});
    let said = mia.put(&of, &said).header("x-request-id", "said").await.ok(200);
    assert_eq!((&said["total"], &said["criteria"][0]["user"]), (&json!(30), &json!(user)));
    let rejected = mia.put(&format!("{of}/review"), &json!({"review": "rejected"})).header("x-request-id", "read");
    assert_eq!(rejected.await.ok(200)["total"], Value::Null);
    // Who leaves hands over their records, and not what they have said.
    let job = tenant.post(&format!("/users/{user}/reassign"), &json!({"to": "1", "properties": true})).await.ok(202);
    ended(&tenant, &job["job"]).await;
    let now = tenant.get(&score_of(&ada)).await.ok(200);
    assert_eq!(now["criteria"][0]["user"], json!(user));
    // What was said is taken back with the request that said it.
    for request in ["read", "said"] {
        let undone = tenant.post("/undo", &json!({"request_id": request})).await.ok(200);
        assert_eq!(undone["skipped"], json!([]), "{undone}");
    }
    let back = tenant.get(&score_of(&ada)).await.ok(200);
    assert_eq!((&back["total"], lines(&back)), (&json!(100), vec![("Reach", Some(100), Some("rule"))]));
    assert_eq!(assess(&tenant, &ada).await["total"], 100);
}

/// Which properties are protected is said by the pack that declares the score, in its names.
async fn a_score_of_any_pack_keeps_its_answers(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let planned = tenant.post("/packs/plan", &json!({"source": HOTEL})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    let wrong = json!({"properties": {"points": 7, "state": "accepted", "what": "x"}});
    let reply = tenant.post("/records/verdict", &wrong).await.problem(422, "validation_failed");
    assert_eq!(reply.pointers(), ["/properties/what"]);
    // What the tenant adds is its own.
    let more = json!({"name": "remark", "type": "string"});
    tenant.post("/object-definitions/verdict/properties", &more).await.ok(201);
    let own = json!({"properties": {"remark": "Of my own"}});
    tenant.post("/records/verdict", &own).await.ok(201);
}

fn id_in(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}

async fn imported(tenant: &Client, object: &str, line: &str) -> Value {
    let upload = tenant.request(Method::POST, &format!("/imports?object={object}&format=ndjson"));
    let job = upload.bytes("application/x-ndjson", line.to_owned()).await.ok(202);
    ended(tenant, &job["job"]).await
}

async fn ended(tenant: &Client, job: &Value) -> Value {
    crate::fixture::jobs_are_done(tenant).await;
    tenant.get(&format!("/jobs/{}", id(job))).await.ok(200)
}

scenarios![
    answers_are_made_up_by_nobody,
    people_say_otherwise_by_the_calls_for_it,
    a_score_of_any_pack_keeps_its_answers,
];
