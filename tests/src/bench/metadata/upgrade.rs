//! Very many tenants that are moved to another version of a pack, one after the other.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::asker::Asker;
use super::super::histogram::Latencies;
use super::report::Line;
use crate::{Tenant, TestServer};

/// Objects of the pack.
const OBJECTS: usize = 100;
/// Properties of each.
const PROPERTIES: usize = 10;
/// Tenants that are moved at the same time.
const AT_A_TIME: usize = 4;

pub(super) async fn measure(server: &TestServer, count: usize) -> Result<Vec<Line>> {
    let mut tenants = Vec::with_capacity(count);
    for _ in 0..count {
        tenants.push(server.tenant("generic").await);
    }
    let (installed, _) = move_all(server, &tenants, &pack("1.0.0", "")).await?;
    let (upgraded, each) = move_all(server, &tenants, &pack("1.1.0", ", label: Renamed")).await?;
    let text = format!(
        "{count} tenants with {OBJECTS} objects of {PROPERTIES} properties: installed in {:.1} s, moved to a version with \
         one property more and another label on each in {:.1} s; a tenant p50 {:.1} ms, longest {:.1}",
        installed.as_secs_f64(),
        upgraded.as_secs_f64(),
        each.percentile_ms(50.0),
        each.percentile_ms(100.0),
    );
    let values = json!({
        "tenants": count, "installed_s": installed.as_secs_f64(), "upgraded_s": upgraded.as_secs_f64(),
        "tenant_p50_ms": each.percentile_ms(50.0), "tenant_longest_ms": each.percentile_ms(100.0),
    });
    Ok(vec![Line { text, values }])
}

fn pack(version: &str, more: &str) -> String {
    let mut text = format!("pack: fleet\nversion: {version}\nobjects:\n");
    for object in 0..OBJECTS {
        // Writing to a string does not fail.
        let _ = write!(text, "  thing_{object}:\n    plural: things_{object}\n    properties:\n");
        for property in 0..PROPERTIES {
            let label = if property == 0 { more } else { "" };
            let _ = writeln!(text, "      p{property}: {{type: string{label}}}");
        }
        if !more.is_empty() {
            text.push_str("      added: {type: integer}\n");
        }
    }
    text
}

/// How long all took, and each.
async fn move_all(server: &TestServer, tenants: &[Tenant], source: &str) -> Result<(Duration, Latencies)> {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for share in tenants.chunks(tenants.len().div_ceil(AT_A_TIME)) {
        let mut askers = Vec::with_capacity(share.len());
        for tenant in share {
            askers.push(Asker::open(server, tenant.token().context("a token")?).await?);
        }
        let source = json!({"source": source});
        tasks.spawn(async move {
            let mut latencies = Latencies::new();
            for asker in &mut askers {
                let began = Instant::now();
                move_one(asker, &source).await?;
                latencies.record(began.elapsed());
            }
            Ok::<_, anyhow::Error>(latencies)
        });
    }
    let mut latencies = Latencies::new();
    while let Some(joined) = tasks.join_next().await {
        latencies.add(&joined.map_err(|error| anyhow!("a client died: {error}"))??);
    }
    Ok((began.elapsed(), latencies))
}

async fn move_one(asker: &mut Asker, source: &Value) -> Result<()> {
    let plan = asker.expect(200, "POST", "/packs/plan", source).await?;
    if plan["steps"].as_array().is_none_or(|steps| steps.len() < OBJECTS) {
        bail!("a plan with too few steps: {}", plan["summary"]);
    }
    let done = asker.expect(200, "POST", "/packs/apply", &json!({"plan": plan["plan"]})).await?;
    if done["changed"] != json!(true) {
        bail!("nothing was changed: {done}");
    }
    Ok(())
}
