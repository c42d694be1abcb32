//! Duplicates among very many records: what a check costs, what it adds to making a record, and how fast a scan is.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::asker::Asker;
use super::super::histogram::Latencies;
use super::super::usage;
use super::change::is;
use super::report::Line;
use crate::TestServer;

/// Records in one batch.
const BATCH: usize = 500;
/// Checks of each kind, and records that are made.
const TURNS: usize = 300;
/// How long a scan is watched.
const WATCHED: Duration = Duration::from_secs(20);

const GIVEN: [&str; 20] = [
    "Ada", "Amara", "Boris", "Chen", "Chidi", "Dmitri", "Elena", "Fatima", "Goran", "Hana", "Ines", "Jonas", "Kofi",
    "Lena", "Mateo", "Nadia", "Olu", "Priya", "Rosa", "Tariq",
];

pub(super) async fn measure(server: &TestServer, records: usize) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    for first in (0..records).step_by(BATCH) {
        let inputs: Vec<Value> =
            (first..records.min(first + BATCH)).map(|number| json!({"properties": person(number)})).collect();
        let reply = asker.expect(207, "POST", "/records/contact/batch/create", &json!({"inputs": inputs})).await?;
        let made = reply["results"].as_array().into_iter().flatten().filter(|result| result["status"] == 201).count();
        is(&json!(made), &json!(inputs.len()), "the number of contacts")?;
    }
    // Whoever checks first waits for the index.
    asker.expect(200, "POST", "/duplicates/contact/check", &json!({"properties": person(1)})).await?;
    usage::rests(server.pid()).await;
    let there = checks(&mut asker, |turn| person(turn * 997 % records), 1).await?;
    let nobody = checks(&mut asker, |turn| person(records + turn * 3), 0).await?;
    let plain = creations(&mut asker, records, Pace::AtOnce).await?;
    let rules = |on_create: &str| {
        json!([{"properties": ["email"], "on_create": on_create}, {"properties": [["phone", "mobile"]], "on_create": on_create},
            {"properties": ["first_name", "last_name"], "similar": true, "on_create": on_create}])
    };
    let body = json!({"features": {"duplicates": rules("warn")}});
    asker.expect(200, "PATCH", "/object-definitions/contact", &body).await?;
    let warned = creations(&mut asker, records + TURNS, Pace::Seen).await?;
    let hurried = creations(&mut asker, records + 2 * TURNS, Pace::AtOnce).await?;
    let rate = scanned(&mut asker).await?;
    let p = |latencies: &Latencies| (latencies.percentile_ms(50.0), latencies.percentile_ms(99.0));
    let ((there50, there99), (nobody50, nobody99)) = (p(&there), p(&nobody));
    let ((plain50, plain99), (warned50, warned99), (hurried50, hurried99)) = (p(&plain), p(&warned), p(&hurried));
    let text = format!(
        "{records} contacts: a check by address, number and similar name of one that is there p50 {there50:.2} ms, p99 \
         {there99:.2}, of nobody p50 {nobody50:.2}, p99 {nobody99:.2}; one made p50 {plain50:.2} ms, p99 {plain99:.2}, \
         where rules warn p50 {warned50:.2}, p99 {warned99:.2}, right after another one p50 {hurried50:.2}, p99 \
         {hurried99:.2}; a scan {rate:.0} records/s"
    );
    let values = json!({"check_p50_ms": there50, "check_p99_ms": there99, "check_none_p50_ms": nobody50,
        "check_none_p99_ms": nobody99, "create_p50_ms": plain50, "create_p99_ms": plain99, "warned_p50_ms": warned50,
        "warned_p99_ms": warned99, "hurried_p50_ms": hurried50, "hurried_p99_ms": hurried99, "scan_per_s": rate});
    Ok(vec![Line { text, values }])
}

/// People, each with an address and a number of their own; some share a family's name.
fn person(number: usize) -> Value {
    let name = format!("{}{}", syllables(number / 20), syllables(number / 7_001));
    json!({"first_name": GIVEN[number % GIVEN.len()], "last_name": name, "email": format!("p{number}@mail{}.example", number % 5_000),
        "phone": format!("+1613{:07}", 2_000_000 + number % 7_999_999)})
}

/// A name out of a number, which begins with one of sixteen syllables.
fn syllables(mut number: usize) -> String {
    const PARTS: [&str; 16] =
        ["ba", "co", "di", "fer", "gal", "hin", "jor", "ka", "lem", "mon", "nu", "pri", "ro", "sta", "tu", "vel"];
    let mut name = PARTS[number % PARTS.len()].to_owned();
    while number >= PARTS.len() {
        number /= PARTS.len();
        name.push_str(PARTS[number % PARTS.len()]);
    }
    name
}

async fn checks(asker: &mut Asker, of: impl Fn(usize) -> Value, least: usize) -> Result<Latencies> {
    let mut latencies = Latencies::new();
    for turn in 0..TURNS {
        let body = json!({"properties": of(turn)}).to_string();
        let answer = asker.ask("POST", "/duplicates/contact/check", &body).await?;
        is(&json!(answer.status), &json!(200), "a check")?;
        latencies.record(answer.took);
        let found: Value = serde_json::from_slice(answer.body)?;
        let sure = found["results"].as_array().into_iter().flatten().filter(|one| one["score"].as_u64() >= Some(90));
        is(&json!(sure.count().min(1)), &json!(least), "whether somebody is the same for sure")?;
    }
    Ok(latencies)
}

/// When the next record is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Right after the one before.
    AtOnce,
    /// Once the index has seen the one before.
    Seen,
}

async fn creations(asker: &mut Asker, first: usize, pace: Pace) -> Result<Latencies> {
    let mut latencies = Latencies::new();
    for turn in 0..TURNS {
        if pace == Pace::Seen {
            asker
                .expect(200, "POST", "/duplicates/contact/check", &json!({"properties": {"email": "x@y.example"}}))
                .await?;
        }
        let body = json!({"properties": person(first + turn)}).to_string();
        let answer = asker.ask("POST", "/records/contact", &body).await?;
        is(&json!(answer.status), &json!(201), "a record that is made")?;
        latencies.record(answer.took);
    }
    Ok(latencies)
}

/// Records that a scan compares in a second.
async fn scanned(asker: &mut Asker) -> Result<f64> {
    let began = Instant::now();
    let reply = asker.expect(202, "POST", "/duplicates/contact/scan", &Value::Null).await?;
    let job = reply["job"]["id"].as_str().context("a job")?.to_owned();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let job = asker.expect(200, "GET", &format!("/jobs/{job}"), &Value::Null).await?;
        let took = began.elapsed();
        let done = job["progress"]["done"].as_f64().unwrap_or_default();
        anyhow::ensure!(job["state"] != "failed", "the scan has failed: {job}");
        if job["state"] == "done" || took > WATCHED && done > 0.0 {
            return Ok(done / took.as_secs_f64());
        }
    }
}
