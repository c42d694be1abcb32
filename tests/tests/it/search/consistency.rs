//! What a search has seen: everything that was acknowledged before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Client, Store, Tenant, TestServer};

use super::{names, search};
use crate::fixture::{builder, create, create_id, define_thing, id, results};

const WRITERS: usize = 16;
/// What each writer does one after the other; each is looked for four times.
const LIVES: usize = 25;

/// Longer than this nothing may take that is allowed to lag.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many records are found with this value of a property.
async fn count(tenant: &Client, property: &str, value: &str) -> Value {
    let filter = json!({"property": property, "op": "eq", "value": value});
    search(tenant, "thing", json!({"filter": filter, "limit": 0, "count": true})).await["total"].clone()
}

async fn each_search_sees_what_was_acknowledged_before_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"mark": {"type": "string"}})).await;
    let (begun, done, stop) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let watcher = tokio::spawn(watch(tenant.clone(), Arc::clone(&begun), Arc::clone(&done), Arc::clone(&stop)));
    let writers = (0..WRITERS).map(|writer| {
        let (tenant, begun, done) = (tenant.clone(), Arc::clone(&begun), Arc::clone(&done));
        tokio::spawn(async move {
            for life in 0..LIVES {
                live(&tenant, &format!("{writer}-{life}"), &begun, &done).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let watched = watcher.await.unwrap();
    assert!(watched > 10, "searches ran beside the writers: {watched}");
    let all = json!({"limit": 0, "count": true, "filter": {"property": "name", "op": "eq", "value": "kept"}});
    assert_eq!(search(&tenant, "thing", all).await["total"], WRITERS * LIVES);
}

/// A record is made, changed and archived, and one that stays is made; each is at once looked for.
async fn live(tenant: &Tenant, mark: &str, begun: &AtomicU64, done: &AtomicU64) {
    let made = create_id(tenant, "thing", json!({"name": "made", "mark": mark})).await;
    assert_eq!(count(tenant, "mark", mark).await, 1, "{mark} was made");
    let changed = format!("{mark} changed");
    let change = json!({"properties": {"mark": changed}});
    tenant.patch(&format!("/records/thing/{made}"), &change).await.ok(200);
    let either = json!({"property": "mark", "op": "in", "value": [mark, changed]});
    let found = search(tenant, "thing", json!({"filter": either, "count": true})).await;
    assert_eq!((&found["total"], &found["results"][0]["properties"]["mark"]), (&json!(1), &json!(changed)));
    begun.fetch_add(1, Ordering::SeqCst);
    create(tenant, "thing", json!({"name": "kept", "mark": format!("{mark} kept")})).await;
    done.fetch_add(1, Ordering::SeqCst);
    let words = json!({"q": "kept", "limit": 0, "count": true, "filter": {"property": "mark", "op": "starts_with", "value": format!("{mark} ")}});
    assert_eq!(search(tenant, "thing", words).await["total"], 1, "{mark} was kept");
    tenant.delete(&format!("/records/thing/{made}")).await.ok(204);
    assert_eq!(count(tenant, "mark", &changed).await, 0, "{mark} was archived");
}

/// Counts again and again: never fewer than were acknowledged before, never more than were begun until then.
async fn watch(tenant: Tenant, begun: Arc<AtomicU64>, done: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> usize {
    let mut watched = 0;
    let mut sequence = 0;
    while !stop.load(Ordering::Relaxed) {
        let least = done.load(Ordering::SeqCst);
        let filter = json!({"property": "name", "op": "eq", "value": "kept"});
        let found = search(&tenant, "thing", json!({"filter": filter, "limit": 0, "count": true})).await;
        let (total, most) = (found["total"].as_u64().unwrap(), begun.load(Ordering::SeqCst));
        assert!((least..=most).contains(&total), "{total} is not between {least} and {most}");
        let seen: u64 = found["sequence"].as_str().unwrap().parse().unwrap();
        assert!(seen >= sequence, "{seen} after {sequence}");
        (watched, sequence) = (watched + 1, seen);
    }
    watched
}

async fn eventual_searches_do_not_wait_and_get_there(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"mark": {"type": "string"}})).await;
    assert_eq!(count(&tenant, "mark", "x").await, 0);
    for mark in ["a", "b", "c"] {
        create(&tenant, "thing", json!({"name": "One", "mark": mark})).await;
        let filter = json!({"property": "mark", "op": "eq", "value": mark});
        let query = json!({"filter": filter, "consistency": "eventual"});
        let began = Instant::now();
        while names(&tenant, "thing", query.clone()).await.is_empty() {
            assert!(began.elapsed() < PATIENCE, "{mark} is never found");
        }
        let strong = json!({"filter": query["filter"], "consistency": "strong"});
        assert_eq!(names(&tenant, "thing", strong).await, ["One"]);
    }
}

async fn a_position_that_is_not_reached_is_told_after_a_while(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let made = tenant.post("/records/thing", &json!({"properties": {"name": "One"}})).await;
    let reached = made.sequence().to_string();
    let found = tenant.post("/records/thing/search", &json!({})).header("trellis-sequence", &reached).await;
    assert_eq!(results(&found.ok(200)).len(), 1);
    assert!(found.sequence() >= made.sequence());
    assert!(found.json()["sequence"].as_str().unwrap().parse::<u64>().unwrap() >= made.sequence());
    let beyond = (made.sequence() + 1_000).to_string();
    for consistency in ["strong", "eventual"] {
        let began = Instant::now();
        let query = json!({"consistency": consistency});
        let request = tenant.post("/records/thing/search", &query).header("trellis-sequence", &beyond);
        request.await.problem(503, "unavailable");
        let took = began.elapsed();
        assert!((Duration::from_secs(4)..Duration::from_secs(20)).contains(&took), "{took:?}");
    }
    let listed = tenant.get("/records/thing?filter=name=='one'").header("trellis-sequence", &reached).await.ok(200);
    assert_eq!(results(&listed).len(), 1);
    tenant.post("/search", &json!({})).header("trellis-sequence", "x").await.problem(400, "bad_request");
}

async fn batches_transactions_and_imports_are_seen_with_their_reply(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"mark": {"type": "string"}})).await;
    let mut expected = 0;
    for round in 0..5 {
        let inputs: Vec<Value> =
            (0..300).map(|_| json!({"properties": {"name": "batch", "mark": format!("b{round}")}})).collect();
        let made = tenant.post("/records/thing/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
        expected += 300;
        assert_eq!(count(&tenant, "name", "batch").await, expected);
        let ids = results(&made).iter().map(|result| &result["record"]["id"]);
        let changes: Vec<Value> =
            ids.clone().map(|id| json!({"id": id, "properties": {"mark": format!("c{round}")}})).collect();
        tenant.post("/records/thing/batch/update", &json!({"inputs": changes, "atomic": true})).await.ok(200);
        assert_eq!(count(&tenant, "mark", &format!("b{round}")).await, 0);
        assert_eq!(count(&tenant, "mark", &format!("c{round}")).await, 300);
        let gone: Vec<Value> = ids.take(100).map(|id| json!({"op": "archive", "object": "thing", "id": id})).collect();
        tenant.post("/transactions", &json!({"operations": gone})).await.ok(200);
        expected -= 100;
        assert_eq!(count(&tenant, "name", "batch").await, expected);
    }
    let rows = format!("name,mark\n{}", "imported,i\n".repeat(2_000));
    let import = tenant.request(reqwest::Method::POST, "/imports?object=thing&format=csv");
    let job = id(&import.bytes("text/csv", rows).await.ok(202)["job"]);
    let began = Instant::now();
    while tenant.get(&format!("/jobs/{job}")).await.ok(200)["state"] != "done" {
        assert!(began.elapsed() < PATIENCE, "the import does not end");
    }
    assert_eq!(count(&tenant, "mark", "i").await, 2_000);
}

async fn new_definitions_are_asked_about_at_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let one = create_id(&tenant, "thing", json!({"name": "One"})).await;
    create(&tenant, "thing", json!({"name": "Two"})).await;
    for round in 0..5 {
        let name = format!("extra_{round}");
        let set = json!({"filter": {"property": name, "op": "gte", "value": 1}});
        let problem = tenant.post("/records/thing/search", &set).await.problem(422, "validation_failed");
        assert_eq!(problem.pointers(), ["/filter/property"]);
        tenant.post("/object-definitions/thing/properties", &json!({"name": name, "type": "integer"})).await.ok(201);
        assert!(names(&tenant, "thing", set.clone()).await.is_empty());
        let unset = json!({"filter": {"property": name, "op": "not_exists"}, "sort": [format!("-{name}")]});
        assert_eq!(names(&tenant, "thing", unset).await, ["One", "Two"]);
        let value = json!({"properties": {name.clone(): round + 1}});
        tenant.patch(&format!("/records/thing/{one}"), &value).await.ok(200);
        assert_eq!(names(&tenant, "thing", set.clone()).await, ["One"]);
        let path = format!("/object-definitions/thing/properties/{name}");
        tenant.delete(&path).await;
        tenant.post("/records/thing/search", &set).await.problem(422, "validation_failed");
        tenant.post(&format!("{path}/restore"), &json!({})).await.ok(200);
        assert_eq!(names(&tenant, "thing", set).await, ["One"], "what is brought back has its values");
    }
    let made = json!({"name": "novelty", "plural": "novelties", "display": "{{ title }}", "properties": {"title": {"type": "string"}}});
    tenant.post("/object-definitions", &made).await.ok(201);
    assert!(names(&tenant, "novelty", json!({})).await.is_empty());
    create(&tenant, "novelty", json!({"title": "New"})).await;
    assert_eq!(names(&tenant, "novelty", json!({"q": "new"})).await, ["New"]);
}

scenarios![
    each_search_sees_what_was_acknowledged_before_it,
    eventual_searches_do_not_wait_and_get_there,
    a_position_that_is_not_reached_is_told_after_a_while,
    batches_transactions_and_imports_are_seen_with_their_reply,
    new_definitions_are_asked_about_at_once,
];

#[tokio::test]
async fn another_server_of_the_same_database_sees_at_least_the_position_asked_for() {
    let server = builder(Store::Postgres).start().await;
    let database = server.database().unwrap();
    // A server that is given a database keeps it, and this one is shared.
    let other = builder(Store::Sqlite)
        .environment("TRELLIS_DATABASE_URL", database.url())
        .environment("TRELLIS_MIGRATION_URL", database.migration_url())
        .start()
        .await;
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"mark": {"type": "string"}})).await;
    let there = other.again(&tenant);
    let writers = (0..8).map(|writer| {
        let (tenant, there) = (tenant.clone(), there.clone());
        tokio::spawn(async move {
            for n in 0..25 {
                let mark = format!("{writer}-{n}");
                let body = json!({"properties": {"name": "One", "mark": mark}});
                let made = tenant.post("/records/thing", &body).await;
                made.ok(201);
                let filter = json!({"property": "mark", "op": "eq", "value": mark});
                let consistency = if n % 2 == 0 { "eventual" } else { "strong" };
                let query = json!({"filter": filter, "consistency": consistency});
                let request = there.post("/records/thing/search", &query);
                let found = request.header("trellis-sequence", made.sequence().to_string()).await;
                assert_eq!(results(&found.ok(200)).len(), 1, "{mark}, {consistency}");
                assert!(found.json()["sequence"].as_str().unwrap().parse::<u64>().unwrap() >= made.sequence());
                // Without a position, too: the database says how far the log is.
                let mark = format!("{mark} changed");
                let change = json!({"properties": {"mark": mark}});
                tenant.patch(&format!("/records/thing/{}", id(&made.json())), &change).await.ok(200);
                assert_eq!(count(&there, "mark", &mark).await, 1);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(search(&there, "thing", json!({"limit": 0, "count": true})).await["total"], 200);
    tenant.post("/object-definitions/thing/properties", &json!({"name": "extra", "type": "integer"})).await.ok(201);
    let extra = json!({"filter": {"property": "extra", "op": "exists"}});
    assert!(names(&there, "thing", extra).await.is_empty(), "definitions are current on every server");
}
