//! Definitions that are changed while 500 records a second are written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::super::asker::Asker;
use super::super::contact::{self, Form};
use super::super::histogram::Latencies;
use super::report::Line;
use crate::{Tenant, TestServer};

/// Records a second.
const RATE: u32 = 500;
/// Who writes them, each at its own times.
const WRITERS: u32 = 16;
/// Between two changes of definitions.
const EVERY: Duration = Duration::from_millis(500);

/// What writers saw.
struct Seen {
    latencies: Latencies,
    errors: u64,
}

pub(super) async fn measure(server: &TestServer, time: Duration) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let next = Arc::new(AtomicU64::new(0));
    let calm = write(server, &tenant, &next, time).await?;
    let (changed, busy) = tokio::join!(change(server, &tenant, time), write(server, &tenant, &next, time));
    let (changed, busy) = (changed?, busy?);
    let [p50, p99, most] = [50.0, 99.0, 100.0].map(|percent| busy.latencies.percentile_ms(percent));
    let [calm_p50, calm_p99, calm_most] = [50.0, 99.0, 100.0].map(|percent| calm.latencies.percentile_ms(percent));
    let text = format!(
        "{RATE} creations a second for {:.0} s with {} changes of definitions: p50 {p50:.1} ms, p99 {p99:.1}, longest \
         {most:.1}, {} errors; without: {calm_p50:.1}, {calm_p99:.1}, {calm_most:.1}, {} errors; a change p50 {:.1} ms, \
         longest {:.1}",
        time.as_secs_f64(),
        changed.count(),
        busy.errors,
        calm.errors,
        changed.percentile_ms(50.0),
        changed.percentile_ms(100.0),
    );
    let values = json!({
        "p50_ms": p50, "p99_ms": p99, "longest_ms": most, "errors": busy.errors, "changes": changed.count(),
        "calm_p50_ms": calm_p50, "calm_p99_ms": calm_p99, "calm_longest_ms": calm_most,
        "change_p50_ms": changed.percentile_ms(50.0), "change_longest_ms": changed.percentile_ms(100.0),
    });
    Ok(vec![Line { text, values }])
}

async fn change(server: &TestServer, tenant: &Tenant, time: Duration) -> Result<Latencies> {
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    let (until, mut latencies) = (Instant::now() + time, Latencies::new());
    for number in 0.. {
        if Instant::now() >= until {
            break;
        }
        let property = json!({"name": format!("p{number}"), "type": "integer", "label": format!("P {number}")});
        let body = property.to_string();
        let answer = asker.ask("POST", "/object-definitions/contact/properties", &body).await?;
        if answer.status != 201 {
            return Err(anyhow!("a property was answered {}: {}", answer.status, answer.excerpt()));
        }
        latencies.record(answer.took);
        tokio::time::sleep(EVERY).await;
    }
    Ok(latencies)
}

async fn write(server: &TestServer, tenant: &Tenant, next: &Arc<AtomicU64>, time: Duration) -> Result<Seen> {
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let asker = Asker::open(server, tenant.token().context("a token")?).await?;
        writers.spawn(write_at_a_rate(asker, Arc::clone(next), Instant::now() + time));
    }
    let mut seen = Seen { latencies: Latencies::new(), errors: 0 };
    while let Some(joined) = writers.join_next().await {
        let share = joined.map_err(|error| anyhow!("a writer died: {error}"))??;
        seen.latencies.add(&share.latencies);
        seen.errors += share.errors;
    }
    Ok(seen)
}

async fn write_at_a_rate(mut asker: Asker, next: Arc<AtomicU64>, until: Instant) -> Result<Seen> {
    let mut seen = Seen { latencies: Latencies::new(), errors: 0 };
    let mut ticks = tokio::time::interval(Duration::from_secs(1) * WRITERS / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while Instant::now() < until {
        // From when it was due, so that what waits in a queue counts.
        let due = ticks.tick().await;
        let number = next.fetch_add(1, Ordering::Relaxed);
        let body = format!("{{\"properties\":{}}}", contact::properties(number, Form::Value));
        let status = asker.ask("POST", "/records/contact", &body).await?.status;
        if status == 201 {
            seen.latencies.record(due.elapsed());
        } else {
            seen.errors += 1;
        }
    }
    Ok(seen)
}

/// Makes sure that a value is what the server says it is.
pub(super) fn is(found: &Value, expected: &Value, what: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(anyhow!("{what} is {found}, not {expected}"))
}
