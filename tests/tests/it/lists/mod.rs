//! Lists of records: put by hand, and kept by a filter.

mod filters;
mod life;
mod random;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tests::Client;

use crate::fixture::{changes_after, define, id, results};

async fn objects(tenant: &Client) {
    define(
        tenant,
        json!({"name": "firm", "plural": "firms", "display": "{{ name }}", "properties": {
            "name": {"type": "string"}, "size": {"type": "integer"}}}),
    )
    .await;
    define(
        tenant,
        json!({"name": "person", "plural": "persons", "display": "{{ name }}", "properties": {
            "name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"},
            "born": {"type": "date"}}}),
    )
    .await;
    let link = json!({"name": "person_firm", "from": "person", "to": "firm", "cardinality": "many_to_many"});
    tenant.post("/association-definitions", &link).await.ok(201);
}

async fn list(tenant: &Client, body: Value) -> String {
    id(&tenant.post("/lists", &body).await.ok(201))
}

/// Ids of all members, and that the list says how many they are.
async fn members(tenant: &Client, list: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut path = format!("/lists/{list}/members?limit=200");
    loop {
        let page = tenant.get(&path).await.ok(200);
        found.extend(results(&page).iter().map(id));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/lists/{list}/members?limit=200&cursor={cursor}");
    }
    found
}

/// Ids of what a search finds that is in a list.
async fn found(tenant: &Client, object: &str, list: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let body = json!({"filter": {"list": list}, "sort": [{"property": "id"}], "limit": 200, "cursor": cursor});
        let page = tenant.post(&format!("/records/{object}/search"), &body).await.ok(200);
        found.extend(results(&page).iter().map(id));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return found;
        }
    }
}

/// Who has joined which list and who has left, in order, since a position.
async fn told(tenant: &Client, position: u64) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = changes_after(tenant, position).await;
    let of_lists = changes.iter().filter(|change| text(&change["kind"]).starts_with("segment."));
    of_lists
        .map(|change| {
            let list = &change["changes"]["list"];
            let list = if list[0].is_null() { &list[1] } else { &list[0] };
            (text(&change["kind"]), text(list), text(&change["record_id"]))
        })
        .collect()
}

/// Waits until what is read says so.
async fn until<T: std::fmt::Debug>(mut read: impl AsyncFnMut() -> T, is_it: impl Fn(&T) -> bool) -> T {
    let began = std::time::Instant::now();
    loop {
        let found = read().await;
        if is_it(&found) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it stays {found:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn adult() -> Value {
    json!({"property": "age", "op": "gte", "value": 18})
}

/// Every list has exactly the members that a search finds, says how many, and was told of each of them.
async fn check_all(tenant: &Client, object: &str, lists: &[String]) {
    let mut kept = Vec::new();
    for list in lists {
        members(tenant, list).await;
    }
    for list in lists {
        // A merge puts the record that remains into the others' static lists a moment later.
        let both = async || (found(tenant, object, list).await, members(tenant, list).await);
        let (expected, _) = until(both, |(found, members)| found == members).await;
        let read = tenant.get(&format!("/lists/{list}")).await.ok(200);
        assert_eq!(read["members"], expected.len(), "{read}");
        kept.push(expected);
    }
    // What was told of records that are purged is erased with them.
    let purged: BTreeSet<String> = changes_after(tenant, 0)
        .await
        .iter()
        .filter(|change| change["kind"] == "record.purged")
        .map(|change| change["record_id"].as_str().unwrap().to_owned())
        .collect();
    let mut folded: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, list, record) in told(tenant, 0).await.into_iter().filter(|(_, _, record)| !purged.contains(record)) {
        let members = folded.entry(list).or_default();
        let is_news = if kind == "segment.joined" { members.insert(record) } else { members.remove(&record) };
        assert!(is_news, "nobody joins or leaves twice");
    }
    for (list, expected) in lists.iter().zip(kept) {
        let told: BTreeSet<String> = folded.get(list).cloned().unwrap_or_default();
        assert_eq!(told, expected.into_iter().collect(), "what was told of list {list} comes to its members");
    }
}
