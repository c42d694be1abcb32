//! Searches: what they find, what they refuse, what they show to whom, and what they have seen.

mod access;
mod consistency;
mod crash;
mod random;
mod reference;
mod refusals;
mod semantics;

use serde_json::{Value, json};
use tests::Client;

use crate::fixture::{create, id, results};

/// The reply to a search of one object.
async fn search(tenant: &Client, object: &str, query: Value) -> Value {
    tenant.post(&format!("/records/{object}/search"), &query).await.ok(200)
}

/// What the records are called that a search finds, in order.
async fn names(tenant: &Client, object: &str, query: Value) -> Vec<String> {
    let found = search(tenant, object, query).await;
    results(&found).iter().map(|record| record["display_name"].as_str().unwrap().to_owned()).collect()
}

/// Makes a record of each of these and gives their ids.
async fn create_all(tenant: &Client, object: &str, all: &[Value]) -> Vec<String> {
    let mut ids = Vec::new();
    for properties in all {
        ids.push(id(&create(tenant, object, properties.clone()).await));
    }
    ids
}

/// Fails where a condition on a property is met by others than these, in the order of their ids.
async fn check(tenant: &Client, object: &str, property: &str, table: &[(&str, Value, &[&str])]) {
    for (op, value, expected) in table {
        let mut condition = json!({"property": property, "op": op, "value": value});
        if value.is_null() {
            condition.as_object_mut().unwrap().remove("value");
        }
        let found = names(tenant, object, json!({"filter": condition})).await;
        assert_eq!(found, *expected, "{condition}");
        let rest = names(tenant, object, json!({"filter": {"not": condition}})).await;
        let all = names(tenant, object, json!({})).await;
        let others: Vec<_> = all.into_iter().filter(|name| !expected.contains(&name.as_str())).collect();
        assert_eq!(rest, others, "not {condition}");
    }
}
