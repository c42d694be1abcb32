//! The timeline of a record with very many entries, beside that of one with few: what a page of each costs.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::asker::Asker;
use super::super::histogram::Latencies;
use super::change::is;
use super::report::Line;
use crate::TestServer;

/// Records in one batch.
const BATCH: usize = 500;
/// Pages that are read of each.
const TURNS: usize = 200;
/// Entries of the record with few.
const FEW: usize = 10;

pub(super) async fn measure(server: &TestServer, entries: usize) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    let (few, many) = (with_entries(&mut asker, FEW).await?, with_entries(&mut asker, entries).await?);
    let began = Instant::now();
    asker.expect(200, "GET", &path(&few, ""), &Value::Null).await?;
    let drawn_up = began.elapsed().as_secs_f64();
    let first_of_few = pages(&mut asker, &few, false).await?;
    let first_of_many = pages(&mut asker, &many, false).await?;
    let deep_of_many = pages(&mut asker, &many, true).await?;
    let p50 = |latencies: &Latencies| latencies.percentile_ms(50.0);
    let text = format!(
        "pages of 10: first of {FEW} entries p50 {:.2} ms, first of {entries} p50 {:.2}, one after another of {entries} \
         p50 {:.2}; drawn up for the first time in {drawn_up:.1} s",
        p50(&first_of_few),
        p50(&first_of_many),
        p50(&deep_of_many)
    );
    let values = json!({"few_p50_ms": p50(&first_of_few), "many_p50_ms": p50(&first_of_many),
        "deep_p50_ms": p50(&deep_of_many), "drawn_up_s": drawn_up});
    Ok(vec![Line { text, values }])
}

/// A record with so many activities, each at a moment of its own.
async fn with_entries(asker: &mut Asker, entries: usize) -> Result<String> {
    let properties = json!({"properties": {"first_name": "Ada", "last_name": entries.to_string()}});
    let made = asker.expect(201, "POST", "/records/contact", &properties).await?;
    let record = made["id"].as_str().context("an id")?.to_owned();
    for first in (0..entries).step_by(BATCH) {
        let input = |number: usize| {
            let at =
                format!("2025-01-{:02}T{:02}:{:02}:{:02}Z", number % 28 + 1, number % 24, number % 60, number % 59);
            json!({"properties": {"activity_type": "call", "occurred_at": at, "metadata": {"subject": "Rings"}},
                "associations": [{"type": "activity_about", "to": record}]})
        };
        let inputs: Vec<Value> = (first..entries.min(first + BATCH)).map(input).collect();
        let reply = asker.expect(207, "POST", "/records/activity/batch/create", &json!({"inputs": inputs})).await?;
        let made = reply["results"].as_array().into_iter().flatten().filter(|result| result["status"] == 201).count();
        is(&json!(made), &json!(inputs.len()), "the number of activities")?;
    }
    Ok(record)
}

fn path(record: &str, cursor: &str) -> String {
    format!("/records/contact/{record}/timeline?kinds=activity&limit=10{cursor}")
}

/// The first page again and again, or one page after another.
async fn pages(asker: &mut Asker, record: &str, goes_on: bool) -> Result<Latencies> {
    let (mut latencies, mut cursor) = (Latencies::new(), String::new());
    for _ in 0..TURNS {
        let answer = asker.ask("GET", &path(record, &cursor), "").await?;
        is(&json!(answer.status), &json!(200), "a page")?;
        latencies.record(answer.took);
        if goes_on {
            let page: Value = serde_json::from_slice(answer.body)?;
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
    }
    Ok(latencies)
}
