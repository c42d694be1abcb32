//! A board of very many records: what a look at it costs, and a move on it.

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
/// Columns of the board.
const STAGES: usize = 8;
/// How often the board is looked at.
const TURNS: usize = 200;
/// Records that have been placed by hand.
const PLACED: usize = 100;

pub(super) async fn measure(server: &TestServer, records: usize) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    let properties = json!({"name": {"type": "string"}, "currency": {"type": "string"},
        "amount": {"type": "money", "currency_property": "currency"}});
    let body = json!({"name": "card", "plural": "cards", "properties": properties});
    asker.expect(201, "POST", "/object-definitions", &body).await?;
    let stages: Vec<Value> = (0..STAGES).map(|stage| json!({"name": format!("s{stage}")})).collect();
    asker.expect(201, "POST", "/pipelines/card", &json!({"name": "wall", "stages": stages})).await?;
    let mut ids = Vec::with_capacity(records);
    for first in (0..records).step_by(BATCH) {
        let input = |number: usize| {
            let currency = ["EUR", "USD", "GBP"][number % 3];
            json!({"properties": {"name": format!("Card {number}"), "amount": format!("{}.25", number % 1_000),
                "currency": currency, "stage": format!("s{}", number % STAGES)}})
        };
        let inputs: Vec<Value> = (first..records.min(first + BATCH)).map(input).collect();
        let reply = asker.expect(207, "POST", "/records/card/batch/create", &json!({"inputs": inputs})).await?;
        let made = reply["results"].as_array().into_iter().flatten();
        ids.extend(made.filter_map(|result| result["record"]["id"].as_str().map(str::to_owned)));
    }
    is(&json!(ids.len()), &json!(records), "the number of records")?;
    let mut moves = Latencies::new();
    for turn in 0..PLACED.min(records / 2) {
        let (id, stage) = (&ids[turn * 2], format!("s{}", turn % STAGES));
        let body = json!({"stage": stage, "after": null}).to_string();
        let answer = asker.ask("PUT", &format!("/records/card/{id}/stage"), &body).await?;
        is(&json!(answer.status), &json!(200), "a move")?;
        moves.record(answer.took);
    }
    let path = "/pipelines/card/wall/board";
    let whole = asker.expect(200, "GET", path, &Value::Null).await?;
    let counts = whole["columns"].as_array().into_iter().flatten().filter_map(|column| column["count"].as_u64());
    is(&json!(counts.sum::<u64>()), &json!(records), "the records on the board")?;
    let mut looks = Latencies::new();
    let began = Instant::now();
    for _ in 0..TURNS {
        let answer = asker.ask("GET", path, "").await?;
        is(&json!(answer.status), &json!(200), "a board")?;
        looks.record(answer.took);
    }
    let rate = f64::from(u32::try_from(TURNS)?) / began.elapsed().as_secs_f64();
    let (p50, p99) = (looks.percentile_ms(50.0), looks.percentile_ms(99.0));
    let (moved_p50, moved_p99) = (moves.percentile_ms(50.0), moves.percentile_ms(99.0));
    let text = format!(
        "{records} records in {STAGES} stages: board p50 {p50:.1} ms, p99 {p99:.1}, {rate:.0} a second; a move to the \
         top p50 {moved_p50:.1} ms, p99 {moved_p99:.1}"
    );
    let values = json!({"board_p50_ms": p50, "board_p99_ms": p99, "move_p50_ms": moved_p50, "move_p99_ms": moved_p99});
    Ok(vec![Line { text, values }])
}
