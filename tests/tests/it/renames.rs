//! Properties that a version of a pack calls otherwise: their values come along, and whoever knew them by a former name
//! finds them.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create_id, jobs_are_done};

/// A pack with one object, which has these properties.
fn pack(name: &str, version: &str, object: &str, properties: &str) -> String {
    format!(
        "pack: {name}\nversion: {version}\nobjects:\n  {object}:\n    display: \"{{{{ title }}}}\"\n    properties:\n      \
         title: {{type: string}}\n{properties}"
    )
}

fn works(version: &str, properties: &str) -> String {
    pack("works", version, "work", properties)
}

async fn plan(tenant: &Client, source: &str) -> Value {
    tenant.post("/packs/plan", &json!({"source": source})).await.ok(200)
}

/// Brings a version in that takes nothing away.
async fn apply(tenant: &Client, source: &str) {
    let planned = plan(tenant, source).await;
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    jobs_are_done(tenant).await;
}

async fn values(tenant: &Client, id: &str) -> Value {
    tenant.get(&format!("/records/work/{id}")).await.ok(200)["properties"].clone()
}

async fn what_stays_keeps_its_values(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = works("1.0.0", "      u: {type: integer}\n");
    apply(&tenant, &first).await;
    let id = create_id(&tenant, "work", json!({"u": 7})).await;
    for (further, pointer) in [
        ("      u: {type: integer}\n      v: {was: u, type: integer}\n", "/objects/work/properties/v/was"),
        (
            "      v: {was: u, type: integer}\n      w: {was: [x, u], type: integer}\n",
            "/objects/work/properties/w/was",
        ),
    ] {
        let wrong = json!({"source": works("1.1.0", further)});
        let refused = tenant.post("/packs/plan", &wrong).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), [pointer]);
    }
    // What is another pack's is not this one's to call otherwise.
    let of_others = "pack: other\nversion: 1.0.0\nrequires: {works: ^1.0}\nextend:\n  work: {properties: {v: {was: u, type: integer}}}\n";
    let refused = tenant.post("/packs/plan", &json!({"source": of_others})).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/extend/work/properties/v/was"]);
    // Nor is what the tenant has defined itself.
    let own = json!({"name": "mine", "type": "integer"});
    tenant.post("/object-definitions/work/properties", &own).await.ok(201);
    tenant.patch(&format!("/records/work/{id}"), &json!({"properties": {"mine": 8}})).await.ok(200);
    apply(&tenant, &works("1.1.0", "      u: {type: integer}\n      v: {was: mine, type: integer}\n")).await;
    assert_eq!(values(&tenant, &id).await, json!({"u": 7, "mine": 8}));
    // Where it is said over the admin API, it is a mistake there.
    let own = json!({"name": "w", "type": "integer", "was": "u"});
    let refused = tenant.post("/object-definitions/work/properties", &own).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/was"]);
    assert_eq!(values(&tenant, &id).await, json!({"u": 7, "mine": 8}));
}

scenarios!(what_stays_keeps_its_values);
