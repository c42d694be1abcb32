//! Exports: records and reports as files.

mod again;
mod formats;
mod life;
mod refusals;
mod rights;
mod sources;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::Client;

use crate::fixture::{create_id, define};

const PATIENCE: Duration = Duration::from_secs(60);

/// Begins an export; the job's id.
async fn begin(caller: &Client, request: &Value) -> String {
    let reply = caller.post("/exports", request).await.ok(202);
    assert_eq!(reply["job"]["kind"], "export", "{reply}");
    reply["job"]["id"].as_str().unwrap().to_owned()
}

/// The job once it has ended.
async fn ended(caller: &Client, id: &str) -> Value {
    let began = Instant::now();
    loop {
        let job = caller.get(&format!("/jobs/{id}")).await.ok(200);
        if !["queued", "running"].contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        assert!(began.elapsed() < PATIENCE, "{job}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Exports something; the job and its file.
async fn export(caller: &Client, request: &Value) -> (Value, Vec<u8>) {
    let job = ended(caller, &begin(caller, request).await).await;
    assert_eq!(job["state"], "done", "{job}");
    let file = fetch(caller, job["id"].as_str().unwrap()).await;
    (job, file)
}

async fn fetch(caller: &Client, id: &str) -> Vec<u8> {
    let reply = caller.get(&format!("/jobs/{id}/file")).stream().await.unwrap();
    assert_eq!(reply.status(), 200);
    let announced = reply.content_length();
    let file = reply.bytes().await.unwrap().to_vec();
    assert_eq!(announced, Some(file.len() as u64));
    file
}

/// The rows of a CSV file by the names of its columns.
fn csv_rows(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(file);
    let rows = reader.deserialize().map(|row| row.unwrap_or_else(|error| panic!("{error}")));
    rows.collect()
}

/// The columns of a CSV file, in order.
fn csv_columns(file: &[u8]) -> Vec<String> {
    csv::Reader::from_reader(file).headers().unwrap().iter().map(str::to_owned).collect()
}

/// The lines of an NDJSON file.
fn lines(file: &[u8]) -> Vec<Value> {
    std::str::from_utf8(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The cells of one column of a CSV file.
fn column(file: &[u8], name: &str) -> Vec<String> {
    csv_rows(file).into_iter().map(|row| row[name].clone()).collect()
}

/// Defines `sample`, which has a property of every type that can be written.
async fn define_sample(tenant: &Client) {
    let properties = json!({
        "name": {"type": "string", "required": true, "searchable": true, "label": "The name"},
        "story": {"type": "text"},
        "count": {"type": "integer"},
        "amount": {"type": "money", "currency": "EUR"},
        "exact": {"type": "decimal", "scale": 6},
        "share": {"type": "percent", "scale": 2},
        "is_open": {"type": "boolean"},
        "day": {"type": "date"},
        "at": {"type": "datetime"},
        "stage_of_life": {"type": "enum", "options": ["new", "old"]},
        "colors": {"type": "multi_enum", "options": ["red", "green", "blue"]},
        "labels": {"type": "tags"},
        "mail": {"type": "email"},
        "call": {"type": "phone"},
        "site": {"type": "url"},
        "place": {"type": "geo"},
        "extra": {"type": "json"},
        "number": {"type": "auto_number", "pattern": "S-{0000}"},
        "double": {"type": "formula", "formula": "count * 2", "result": "integer"},
    });
    define(tenant, json!({"name": "sample", "plural": "samples", "display": "{{ name }}", "properties": properties}))
        .await;
}

/// Records at the ends of what values can be.
fn hostile_samples() -> Vec<Value> {
    vec![
        json!({"name": "a,\"b\"\r\nc;d\té 😀 ' _x000D_", "story": "x".repeat(200_000), "count": i64::MAX / 2,
            "amount": "9999999999999999.99", "exact": "-999999999999.999999", "share": "12.50", "is_open": true,
            "day": "0001-01-01", "at": "0001-01-01T00:00:00Z", "stage_of_life": "new", "colors": ["red", "blue"],
            "labels": ["vip", "b c", "x:y"], "mail": "ada@example.com", "call": "+44 20 7946 0958",
            "site": "https://example.com/a?b=c,d", "place": {"lat": -52.52, "lon": 13.405},
            "extra": {"a": [1, "x;y", null], "b": "\"quoted\""}}),
        json!({"name": "=1+cmd|' /C calc'!A0", "story": "-1\n+2\n@x", "count": -4, "amount": "-0.00", "exact": "0.000001",
            "is_open": false, "day": "9999-12-31", "at": "9999-12-31T23:59:59.999999Z", "labels": ["a;b", "[c"],
            "place": {"lat": 0, "lon": -180}, "extra": "text"}),
        json!({"name": "bare"}),
        json!({"name": "empty", "story": "", "count": 0, "amount": "0", "labels": [], "colors": [], "extra": []}),
    ]
}

async fn samples(tenant: &Client) -> Vec<String> {
    define_sample(tenant).await;
    let mut ids = Vec::new();
    for properties in hostile_samples() {
        ids.push(create_id(tenant, "sample", properties).await);
    }
    ids
}

/// Makes so many `thing`s, each with a number.
async fn many_things(tenant: &Client, many: usize) {
    crate::fixture::define_thing(tenant, json!({"number": {"type": "integer"}, "note": {"type": "string"}})).await;
    let numbers: Vec<usize> = (0..many).collect();
    for batch in numbers.chunks(1_000) {
        let input = |number: &usize| json!({"properties": {"name": format!("thing {number}"), "number": number, "note": "x".repeat(100)}});
        let inputs: Vec<Value> = batch.iter().map(input).collect();
        tenant.post("/records/thing/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    }
}
