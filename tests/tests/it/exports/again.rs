//! A file of NDJSON is imported as it is, where nothing is yet.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{define_sample, export, hostile_samples};
use crate::fixture::{all_records, create, create_id, define, id, jobs_are_done, results};

async fn import(tenant: &Client, object: &str, file: Vec<u8>) -> Value {
    let upload = tenant.request(Method::POST, &format!("/imports?object={object}&format=ndjson"));
    let job = upload.bytes("application/x-ndjson", file).await.ok(202);
    jobs_are_done(tenant).await;
    tenant.get(&format!("/jobs/{}", id(&job["job"]))).await.ok(200)
}

/// The properties of all records but those that each tenant's engine makes, by name.
async fn values(tenant: &Client, object: &str, without: &[&str]) -> Vec<Value> {
    let mut all: Vec<Value> =
        all_records(tenant, object).await.into_iter().map(|mut one| one["properties"].take()).collect();
    for values in &mut all {
        values.as_object_mut().unwrap().retain(|name, _| !without.contains(&name.as_str()));
    }
    all.sort_by_key(ToString::to_string);
    all
}

async fn whole_objects_are_imported_as_they_were_exported(server: TestServer) {
    let here = server.tenant("generic").await;
    let there = server.tenant("generic").await;
    for tenant in [&here, &there] {
        define_sample(tenant).await;
    }
    for sample in hostile_samples() {
        create(&here, "sample", sample).await;
    }
    let ndjson = |object: &str| json!({"object": object, "format": "ndjson"});
    let (_, file) = export(&here, &ndjson("sample")).await;
    let job = import(&there, "sample", file.clone()).await;
    assert_eq!((&job["counts"]["created"], &job["counts"]["failed"]), (&json!(4), &json!(0)), "{job}");
    let without = ["number"];
    let imported = values(&there, "sample", &without).await;
    assert_eq!(imported, values(&here, "sample", &without).await);
    assert_eq!(imported.iter().filter(|values| values.get("double").is_some()).count(), 3);
    // Numbers that the engine gives are the tenant's own.
    let numbers: Vec<Value> =
        all_records(&there, "sample").await.iter().map(|one| one["properties"]["number"].clone()).collect();
    assert_eq!(numbers, ["S-0001", "S-0002", "S-0003", "S-0004"]);

    // Owners and teams are others elsewhere; a user that is named and is not there is left out.
    let (_, mia) = here.user("mia", "member").await;
    let deal = json!({"name": "Roof", "pipeline": "simple", "stage": "won", "amount": "12.5", "tags": ["a;b", "c"]});
    here.post("/records/deal", &json!({"properties": deal, "owner_id": mia})).await.ok(201);
    let visit = json!({"name": "visit", "properties": {"title": {"type": "string"}, "by": {"type": "user"}, "seen_by": {"type": "user"}}});
    for tenant in [&here, &there] {
        define(tenant, visit.clone()).await;
    }
    create_id(&here, "visit", json!({"title": "Roof", "by": mia, "seen_by": "1"})).await;
    let of = |object: &'static str| {
        let (here, there) = (&here, &there);
        async move {
            let (_, file) = export(here, &ndjson(object)).await;
            let job = import(there, object, file).await;
            assert_eq!((&job["counts"]["created"], &job["counts"]["failed"]), (&json!(1), &json!(0)), "{job}");
            results(&there.get(&format!("/records/{object}")).await.ok(200))[0].clone()
        }
    };
    let made = of("deal").await;
    let original = results(&here.get("/records/deal").await.ok(200))[0].clone();
    assert_eq!((&made["properties"], &made["owner_id"]), (&original["properties"], &Value::Null));
    assert_eq!(of("visit").await["properties"], json!({"title": "Roof", "seen_by": "1"}));

    // A file of another object says so, and what a line has by mistake is told with it.
    let line = json!({"object": "deal", "uid": "x", "properties": {"name": "A"}, "ownr": "x", "links": 1});
    let job = import(&there, "sample", line.to_string().into_bytes()).await;
    assert_eq!(job["counts"]["failed"], 1, "{job}");
    let errors = there.get(&format!("/jobs/{}/errors", id(&job))).await;
    let row: Value = serde_json::from_str(errors.text.trim()).unwrap();
    let mut told: Vec<(&str, &str)> = Vec::new();
    for problem in row["problems"].as_array().unwrap() {
        told.push((problem["pointer"].as_str().unwrap(), problem["code"].as_str().unwrap()));
    }
    assert_eq!(told, [("/object", "invalid"), ("/ownr", "unknown_key"), ("/links", "invalid")]);
}

scenarios![whole_objects_are_imported_as_they_were_exported,];
