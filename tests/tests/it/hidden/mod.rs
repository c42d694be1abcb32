//! What a caller may not read is not told in roundabout ways either: by who is in the way, by links, by totals, by what
//! others have saved, by hints.

mod hints;
mod in_the_way;
mod links;
mod lists;
mod rollups;
mod saved;

use serde_json::{Value, json};
use tests::{Client, Tenant};

use crate::fixture::{create, define, id};

fn all() -> Value {
    json!({"create": true, "read": "all", "update": "all", "archive": "all"})
}

/// Somebody with a role of these rights.
async fn with_role(tenant: &Tenant, name: &str, objects: Value, properties: Value) -> Client {
    let role = json!({"name": name, "label": name, "objects": objects, "properties": properties});
    tenant.post("/roles", &role).await.ok(201);
    tenant.user(name, name).await.0
}

/// What a refusal names: its words, and the records in the way.
fn told(problem: &tests::Problem) -> (String, Value) {
    let error = &problem.body["errors"][0];
    (error["message"].as_str().unwrap().to_owned(), error.get("samples").cloned().unwrap_or_default())
}

/// Patients with a name and an `ssn` that clerks do not see.
async fn patients(tenant: &Tenant) -> Client {
    let definition = json!({
        "name": "patient", "plural": "patients", "display": "{{ name }}",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"},
            "ssn": {"type": "string", "unique": true}, "pin": {"type": "integer"}, "born_on": {"type": "date"}},
    });
    define(tenant, definition).await;
    for (name, age, ssn, pin) in [("Ada", 36, "111-22", 7), ("Bob", 40, "333-44", 8)] {
        let patient =
            json!({"name": name, "age": age, "city": "Bath", "ssn": ssn, "pin": pin, "born_on": "2026-01-01"});
        create(tenant, "patient", patient).await;
    }
    let hidden =
        json!({"patient.ssn": {"read": false}, "patient.pin": {"read": false}, "patient.born_on": {"read": false}});
    with_role(tenant, "clerk", json!({"*": all()}), hidden).await
}

async fn user_of(caller: &Client) -> String {
    id(&caller.get("/tenant").await.ok(200)["user"])
}
