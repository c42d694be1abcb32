//! Exports: how fast very many records become a file of each format, and what the server holds meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use throwaway_postgres::{Cluster, Settings};

use super::asker::Asker;
use super::product::builder;
use super::usage;
use crate::{Store, TestServer};

/// Records in one batch.
const BATCH: usize = 1_000;

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What is measured of exports.
#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// Records of the object
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
}

/// Measures each format, and prints a line for each.
pub(super) fn run(options: &ExportOptions, stores: &[Store], quick: bool, json: Option<&Path>) -> Result<()> {
    let records = if quick { options.records / 10 } else { options.records };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Vec::new();
    for store in stores {
        let cluster = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(Cluster::start(&Settings { shared_buffers_mib: 1024, ..Settings::default() })?),
        };
        let measured = runtime.block_on(async {
            let server = builder(*store, cluster.as_ref())?.start().await;
            measure(&server, records).await
        })?;
        figures.extend(measured.into_iter().map(|mut figure| {
            figure["store"] = store.name().into();
            figure
        }));
    }
    print(&figures);
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&figures)?;
        std::fs::write(path, text).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the lines are what the program is for")]
fn print(figures: &[Value]) {
    for figure in figures {
        let text = |key: &str| figure[key].as_str().unwrap_or_default();
        println!("{:<9} {}", text("store"), text("text"));
    }
}

async fn measure(server: &TestServer, records: usize) -> Result<Vec<Value>> {
    let tenant = server.tenant("generic").await;
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    load(&mut asker, records).await?;
    // A search waits until the index has seen everything, so that none of that is measured.
    asker.expect(200, "POST", "/records/person/search", &json!({"limit": 0, "count": true})).await?;
    let mut figures = Vec::new();
    let all = json!({"object": "person"});
    let sorted = json!({"object": "person", "sort": ["-amount"], "filter": {"property": "amount", "op": "exists"}});
    for (what, format, request) in [
        ("all", "csv", &all),
        ("filtered and sorted", "csv", &sorted),
        ("all", "ndjson", &all),
        ("all", "parquet", &all),
        ("all", "xlsx", &all),
    ] {
        let mut request = request.clone();
        request["format"] = format.into();
        figures.push(one(server, &mut asker, what, &request, records).await?);
    }
    Ok(figures)
}

async fn one(server: &TestServer, asker: &mut Asker, what: &str, request: &Value, records: usize) -> Result<Value> {
    let before = usage::of(server.pid()).resident_mib;
    let began = Instant::now();
    let job = asker.expect(202, "POST", "/exports", request).await?;
    let id = job["job"]["id"].as_str().context("a job's id")?.to_owned();
    let mut most = before;
    let job = loop {
        let job = asker.expect(200, "GET", &format!("/jobs/{id}"), &Value::Null).await?;
        most = most.max(usage::of(server.pid()).resident_mib);
        match job["state"].as_str() {
            Some("queued" | "running") => tokio::time::sleep(LOOK).await,
            Some("done") => break job,
            _ => bail!("the export came to nothing: {job}"),
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    if job["progress"]["records"] != records {
        bail!("not {records} records: {job}");
    }
    let rate = f64::from(u32::try_from(records)?) / seconds;
    let mib = f64::from(u32::try_from(job["file"]["bytes"].as_u64().unwrap_or_default() / 1024)?) / 1024.0;
    let format = request["format"].as_str().unwrap_or_default();
    let text = format!(
        "{records} records as {format}, {what}: {seconds:.1} s, {rate:.0} a second, {mib:.0} MiB; RSS {before:.0} MiB \
         before, {most:.0} at most"
    );
    Ok(json!({"text": text, "format": format, "what": what, "records": records, "seconds": seconds, "rate": rate,
        "file_mib": mib, "rss_before_mib": before, "rss_most_mib": most}))
}

async fn load(asker: &mut Asker, records: usize) -> Result<()> {
    let properties = json!({
        "first_name": {"type": "string"}, "last_name": {"type": "string"}, "mail": {"type": "email"},
        "amount": {"type": "money", "currency": "EUR"}, "score": {"type": "integer"}, "since": {"type": "date"},
        "seen_at": {"type": "datetime"}, "is_active": {"type": "boolean"},
        "kind": {"type": "enum", "options": ["lead", "customer", "partner"]}, "labels": {"type": "tags"},
        "note": {"type": "text"},
    });
    let body = json!({"name": "person", "plural": "persons", "display": "{{ first_name }} {{ last_name }}",
        "properties": properties});
    asker.expect(201, "POST", "/object-definitions", &body).await?;
    for first in (0..records).step_by(BATCH) {
        let input = |number: usize| {
            let kind = ["lead", "customer", "partner"][number % 3];
            json!({"properties": {
                "first_name": format!("First {}", number % 5_000), "last_name": format!("Last, \"{number}\""),
                "mail": format!("person{number}@example.com"), "amount": format!("{}.25", number * 7_919 % 100_000),
                "score": number % 1_000, "since": format!("20{:02}-{:02}-11", number % 26, number % 12 + 1),
                "seen_at": "2026-03-01T09:30:00Z", "is_active": number.is_multiple_of(2), "kind": kind,
                "labels": ["vip", "news"], "note": "Called twice, and will call again; prefers mornings.",
            }})
        };
        let inputs: Vec<Value> = (first..records.min(first + BATCH)).map(input).collect();
        asker.expect(207, "POST", "/records/person/batch/create", &json!({"inputs": inputs})).await?;
    }
    Ok(())
}
