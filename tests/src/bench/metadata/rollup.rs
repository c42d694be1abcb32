//! A roll-up over very many records: what a write of one of them costs, with it and without.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::asker::Asker;
use super::super::histogram::Latencies;
use super::report::Line;
use crate::{Tenant, TestServer};

/// Records in one batch.
const BATCH: usize = 500;
/// Who writes at once in the second half.
const WRITERS: usize = 16;
/// How long a value may take to be right.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn measure(server: &TestServer, children: usize, writes: usize) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    let parent = define(&mut asker).await?;
    let ids = fill(&mut asker, &parent, children).await?;
    let mut without = Written::of(server, &tenant, &ids, (writes, 1), 0).await?;
    let mut without_many = Written::of(server, &tenant, &ids, (writes, WRITERS), 1).await?;
    for (name, function) in [("lines", "count"), ("total", "sum")] {
        let mut property = json!({"name": name, "type": "rollup", "association": "line_sheet", "function": function});
        if function == "sum" {
            property["property"] = json!("amount");
        }
        asker.expect(201, "POST", "/object-definitions/sheet/properties", &property).await?;
    }
    let began = Instant::now();
    wait_for(&mut asker, &parent, children, None).await?;
    let filled = began.elapsed();
    let with = Written::of(server, &tenant, &ids, (writes, 1), 2).await?;
    let with_many = Written::of(server, &tenant, &ids, (writes, WRITERS), 3).await?;
    // One more, and how long until the parent has it.
    let mut seen = Latencies::new();
    for turn in 0..20 {
        let body = json!({"properties": {"amount": format!("{}.00", 1_000 + turn)}});
        asker.expect(200, "PATCH", &format!("/records/line/{}", ids[0]), &body).await?;
        let began = Instant::now();
        let sum = sum_of(&mut asker).await?;
        wait_for(&mut asker, &parent, children, Some(&sum)).await?;
        seen.record(began.elapsed());
    }
    // Once more without it, since a store that has grown and a server that is warm are not what they were.
    for name in ["lines", "total"] {
        let path = format!("/object-definitions/sheet/properties/{name}");
        let answer = asker.ask("DELETE", &path, "").await?;
        if answer.status != 204 {
            bail!("archiving a roll-up was answered {}: {}", answer.status, answer.excerpt());
        }
    }
    without.add(&Written::of(server, &tenant, &ids, (writes, 1), 4).await?);
    without_many.add(&Written::of(server, &tenant, &ids, (writes, WRITERS), 5).await?);
    let ratio =
        |with: &Written, without: &Written| with.latencies.percentile_ms(50.0) / without.latencies.percentile_ms(50.0);
    let text = format!(
        "{children} records below one; filled after {:.1} s; a write of one of them p50 {:.2} ms without, {:.2} with it \
         (ratio {:.2}); {WRITERS} writers {:.0} a second without, {:.0} with it (ratio {:.2}); the sum read right after \
         a write: p50 {:.1} ms, longest {:.1}",
        filled.as_secs_f64(),
        without.latencies.percentile_ms(50.0),
        with.latencies.percentile_ms(50.0),
        ratio(&with, &without),
        without_many.rate(),
        with_many.rate(),
        without_many.rate() / with_many.rate(),
        seen.percentile_ms(50.0),
        seen.percentile_ms(100.0),
    );
    let values = json!({
        "children": children, "filled_s": filled.as_secs_f64(), "p50_ms_without": without.latencies.percentile_ms(50.0),
        "p50_ms_with": with.latencies.percentile_ms(50.0), "rate_without": without_many.rate(), "rate_with": with_many.rate(),
        "seen_p50_ms": seen.percentile_ms(50.0), "seen_longest_ms": seen.percentile_ms(100.0),
    });
    Ok(vec![Line { text, values }])
}

async fn define(asker: &mut Asker) -> Result<String> {
    let sheet = json!({"name": "sheet", "plural": "sheets", "properties": {"name": {"type": "string"}}});
    asker.expect(201, "POST", "/object-definitions", &sheet).await?;
    let line = json!({"name": "line", "plural": "lines", "properties": {
        "name": {"type": "string"}, "amount": {"type": "money", "currency": "EUR"}}});
    asker.expect(201, "POST", "/object-definitions", &line).await?;
    let association = json!({"name": "line_sheet", "from": "line", "to": "sheet", "cardinality": "many_to_one"});
    asker.expect(201, "POST", "/association-definitions", &association).await?;
    let parent = asker.expect(201, "POST", "/records/sheet", &json!({"properties": {"name": "All"}})).await?;
    Ok(parent["id"].as_str().context("an id")?.to_owned())
}

async fn fill(asker: &mut Asker, parent: &str, children: usize) -> Result<Vec<String>> {
    let mut ids = Vec::with_capacity(children);
    while ids.len() < children {
        let input = |number: usize| {
            json!({"properties": {"name": format!("Line {number}"), "amount": format!("{number}.25")},
                "associations": [{"type": "line_sheet", "to": parent}]})
        };
        let many = BATCH.min(children - ids.len());
        let inputs: Vec<Value> = (0..many).map(|at| input(ids.len() + at)).collect();
        let reply = asker.expect(207, "POST", "/records/line/batch/create", &json!({"inputs": inputs})).await?;
        for result in reply["results"].as_array().context("results")? {
            let id = result["record"]["id"].as_str();
            ids.push(id.with_context(|| format!("a line was refused: {result}"))?.to_owned());
        }
    }
    Ok(ids)
}

/// The sum of all amounts, as a search has it.
async fn sum_of(asker: &mut Asker) -> Result<Value> {
    let query = json!({"limit": 0, "aggregate": {"all": {"measures": {"s": {"sum": "amount"}}}}});
    let found = asker.expect(200, "POST", "/records/line/search", &query).await?;
    Ok(found["aggregates"]["all"][0]["s"].clone())
}

/// Reads the parent until it has what it should have.
async fn wait_for(asker: &mut Asker, parent: &str, children: usize, sum: Option<&Value>) -> Result<()> {
    let (began, path) = (Instant::now(), format!("/records/sheet/{parent}"));
    let sum = match sum {
        Some(sum) => sum.clone(),
        None => sum_of(asker).await?,
    };
    loop {
        let found = asker.expect(200, "GET", &path, &Value::Null).await?;
        let is_right = found["properties"]["lines"] == json!(children) && found["properties"]["total"] == sum;
        if is_right {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!("the roll-up stays at {}, not {children} and {sum}", found["properties"]);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What writers saw.
struct Written {
    latencies: Latencies,
    took: Duration,
}

impl Written {
    /// So many writes by each of so many writers. Each `pass` writes other values, since what changes nothing is no write.
    async fn of(
        server: &TestServer,
        tenant: &Tenant,
        ids: &[String],
        (writes, writers): (usize, usize),
        pass: usize,
    ) -> Result<Self> {
        let mut tasks = JoinSet::new();
        let began = Instant::now();
        for writer in 0..writers {
            let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
            let own: Vec<String> = ids.iter().skip(writer * 97).step_by(211).take(writes).cloned().collect();
            tasks.spawn(async move {
                let mut latencies = Latencies::new();
                for (turn, id) in own.iter().cycle().take(writes).enumerate() {
                    let body =
                        json!({"properties": {"amount": format!("{turn}.{pass}{:01}", writer % 10)}}).to_string();
                    let answer = asker.ask("PATCH", &format!("/records/line/{id}"), &body).await?;
                    if answer.status != 200 {
                        bail!("a write was answered {}: {}", answer.status, answer.excerpt());
                    }
                    latencies.record(answer.took);
                }
                Ok(latencies)
            });
        }
        let mut latencies = Latencies::new();
        while let Some(joined) = tasks.join_next().await {
            latencies.add(&joined.map_err(|error| anyhow!("a writer died: {error}"))??);
        }
        Ok(Self { latencies, took: began.elapsed() })
    }

    fn add(&mut self, other: &Self) {
        self.latencies.add(&other.latencies);
        self.took += other.took;
    }

    /// Writes a second.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
    fn rate(&self) -> f64 {
        self.latencies.count() as f64 / self.took.as_secs_f64()
    }
}
