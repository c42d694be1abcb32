//! Searches that cannot be answered: everything that is wrong, where, and what was probably meant.

mod bounds;
mod cursors;
mod expressions;
mod names_and_values;
mod patterns;

use serde_json::{Value, json};
use tests::{Client, Problem, Tenant, TestServer};

use crate::fixture::{define, define_thing};

/// A tenant with things, boxes that they are in, and nothing in either.
async fn things(server: &TestServer) -> Tenant {
    let tenant = server.tenant("generic").await;
    let properties = json!({
        "amount": {"type": "money", "currency": "EUR"}, "stage": {"type": "enum", "options": ["new", "won", "lost"]},
        "on": {"type": "date"}, "at": {"type": "datetime"}, "tags": {"type": "tags"}, "hot": {"type": "boolean"},
        "notes": {"type": "text"}, "seats": {"type": "integer"}, "data": {"type": "json"}, "code": {"type": "string", "substring": true},
    });
    define_thing(&tenant, properties).await;
    let weight = json!({"weight": {"type": "decimal"}});
    define(&tenant, json!({"name": "box", "plural": "boxes", "properties": weight})).await;
    for (name, from, to) in [("thing_box", "thing", "box"), ("thing_next", "thing", "thing")] {
        tenant.post("/association-definitions", &json!({"name": name, "from": from, "to": to})).await.ok(201);
    }
    tenant
}

async fn refused(tenant: &Client, query: &Value) -> Problem {
    tenant.post("/records/thing/search", query).await.problem(422, "validation_failed")
}

/// Fails unless a search is refused for this one reason, in these words among others.
async fn check(tenant: &Client, query: Value, pointer: &str, code: &str, word: &str) {
    let problem = refused(tenant, &query).await;
    assert_eq!(problem.errors(), [(pointer.to_owned(), code.to_owned())], "{query}: {}", problem.body);
    assert!(problem.words().contains(word), "{query}: no {word} in {}", problem.body);
}
