//! `kill -9` during concurrent writes, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{all_records, changes_after, define, id, results, sequence};

const ROUNDS: usize = 6;
const WRITERS: usize = 8;
/// Members of one family are made by one transaction.
const FAMILY: usize = 3;

/// What a writer knows for sure: the server said so before it was killed.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Record id by its unique name.
    created: BTreeMap<String, String>,
    /// The last value that was written to the record of each writer.
    counted: BTreeMap<String, u64>,
}

async fn acknowledged_writes_survive_and_nothing_is_half_there(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    define(
        &tenant,
        json!({
            "name": "member", "label": "Member", "plural": "members", "display": "{{ name }}",
            "properties": {
                "name": {"type": "string", "label": "Name", "required": true, "unique": true},
                "family": {"type": "string", "label": "Family"},
                "count": {"type": "integer", "label": "Count"},
            },
        }),
    )
    .await;
    let mut known = Acknowledged::default();
    for round in 0..ROUNDS {
        let tenant = server.again(&tenant);
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                tokio::spawn(write(tenant.clone(), format!("{round}-{writer}"), Arc::clone(&stop), Arc::clone(&done)))
            })
            .collect();
        // Not by the clock alone: each round kills in the middle of another number of writes.
        while done.load(Ordering::Relaxed) < 20 + 17 * round {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            let acknowledged = writer.await.unwrap();
            known.created.extend(acknowledged.created);
            known.counted.extend(acknowledged.counted);
        }
        server.start().await;
        check(&server.again(&tenant), &known).await;
    }
}

/// Writes until the server is gone: families by transaction, batches, and patches of one record.
async fn write(
    tenant: impl std::ops::Deref<Target = Client>,
    name: String,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
) -> Acknowledged {
    let mut known = Acknowledged::default();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let family = format!("{name}-{n}");
        let members: Vec<String> = (0..FAMILY).map(|member| format!("{family}-{member}")).collect();
        let request = if n % 2 == 0 {
            let operations: Vec<Value> = members.iter().map(|name| json!({"op": "create", "object": "member", "properties": {"name": name, "family": family, "count": 0}})).collect();
            tenant.post("/transactions", &json!({"operations": operations}))
        } else {
            let inputs: Vec<Value> = members
                .iter()
                .map(|name| json!({"properties": {"name": name, "family": family, "count": 0}}))
                .collect();
            tenant.post("/records/member/batch/create", &json!({"inputs": inputs, "atomic": true}))
        };
        let Ok(reply) = request.send().await else { break };
        let body = reply.ok(200);
        for (name, result) in members.iter().zip(results(&body)) {
            known.created.insert(name.clone(), id(&result["record"]));
        }
        done.fetch_add(1, Ordering::Relaxed);
        let first = &known.created[&members[0]];
        for count in 1..=3_u64 {
            let patch = tenant.patch(&format!("/records/member/{first}"), &json!({"properties": {"count": count}}));
            let Ok(reply) = patch.send().await else { return known };
            assert_eq!(reply.ok(200)["version"], count + 1);
            known.counted.insert(members[0].clone(), count);
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
    known
}

async fn check(tenant: &Client, known: &Acknowledged) {
    let records = all_records(tenant, "member").await;
    let by_name: BTreeMap<&str, &Value> =
        records.iter().map(|record| (record["properties"]["name"].as_str().unwrap(), record)).collect();
    assert_eq!(by_name.len(), records.len(), "no record is there twice");
    for (name, id) in &known.created {
        let record = by_name.get(name.as_str()).unwrap_or_else(|| panic!("{name} was acknowledged and is lost"));
        assert_eq!(record["id"], *id, "{name}");
    }
    for (name, count) in &known.counted {
        let stored = by_name[name.as_str()]["properties"]["count"].as_u64().unwrap();
        // One more may have been written without the answer arriving.
        assert!(stored == *count || stored == count + 1, "{name} counts {stored}, {count} was acknowledged");
    }
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &records {
        *families.entry(record["properties"]["family"].as_str().unwrap()).or_default() += 1;
    }
    assert!(families.values().all(|members| *members == FAMILY), "half a transaction is there: {families:?}");
    check_log(tenant, &records).await;
    // A value that a lost write had claimed is free, and a stored one is taken.
    let taken = json!({"properties": {"name": records[0]["properties"]["name"]}});
    tenant.post("/records/member", &taken).await.problem(409, "conflict");
}

/// The log tells each record's story from its creation to what is stored, each step once.
async fn check_log(tenant: &Client, records: &[Value]) {
    let changes = changes_after(tenant, 0).await;
    assert!(changes.is_sorted_by(|one, next| sequence(one) < sequence(next)));
    let mut story: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for change in changes.iter().filter(|change| change["object"] == "member") {
        let id = change["record_id"].as_str().unwrap().to_owned();
        match change["kind"].as_str().unwrap() {
            "record.created" => assert_eq!(story.insert(id.clone(), (1, 0)), None, "{id} was made twice"),
            "record.updated" => {
                let (version, count) = story.get_mut(&id).expect("made before it was changed");
                assert_eq!(change["changes"]["count"], json!([*count, *count + 1]), "{id}");
                (*version, *count) = (*version + 1, *count + 1);
            }
            _ => {}
        }
    }
    let told: BTreeSet<&str> = story.keys().map(String::as_str).collect();
    let stored: BTreeSet<&str> = records.iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(told, stored);
    for record in records {
        let told = story[record["id"].as_str().unwrap()];
        assert_eq!((&record["version"], &record["properties"]["count"]), (&json!(told.0), &json!(told.1)));
    }
}

async fn sigterm_finishes_what_has_begun(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (tenant, stop) = (tenant.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut names = Vec::new();
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("{writer}-{n}");
                    let request = tenant.post("/records/company", &json!({"properties": {"name": name}}));
                    match request.send().await {
                        Ok(reply) if reply.status == 201 => names.push(name),
                        Ok(reply) => assert_eq!(reply.status, 503, "{}", reply.text),
                        Err(_) => break,
                    }
                }
                names
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let status = server.terminate().await;
    stop.store(true, Ordering::Relaxed);
    assert!(status.success(), "{status}");
    let mut acknowledged = BTreeSet::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    server.start().await;
    let records = all_records(&server.again(&tenant), "company").await;
    let stored: BTreeSet<String> =
        records.iter().map(|record| record["display_name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(stored, acknowledged, "what was written was answered, and what was answered was written");
}

scenarios![acknowledged_writes_survive_and_nothing_is_half_there, sigterm_finishes_what_has_begun];
