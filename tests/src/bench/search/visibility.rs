//! How long after its acknowledgement a write is found: writes at a steady rate, each followed by a search for what it
//! wrote.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::super::histogram::Latencies;
use super::asker::Asker;
use super::ground::Ground;
use super::question::is;
use super::report::{Scene, SearchReport, Target};

/// Writes a second.
const RATE: u32 = 100;
/// Who writes and searches, each at its own times.
const WRITERS: u32 = 16;
/// How long a write may stay out of sight before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of the writes.
#[derive(Debug)]
pub(super) struct Seen {
    /// From sending a write to its acknowledgement.
    pub(super) written: Latencies,
    /// From there to the reply of a search that has it.
    pub(super) visible: Latencies,
    /// Searches that answered without what was acknowledged before they began.
    pub(super) blind: u64,
    /// Replies other than 200.
    pub(super) errors: u64,
    /// Writes that no search has found.
    pub(super) lost: u64,
}

/// A write that was acknowledged, to be looked for.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) id: u64,
    pub(super) property: &'static str,
    pub(super) value: String,
    pub(super) at: Instant,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { written: Latencies::new(), visible: Latencies::new(), blind: 0, errors: 0, lost: 0 }
    }

    fn add(&mut self, other: &Self) {
        self.written.add(&other.written);
        self.visible.add(&other.visible);
        self.blind += other.blind;
        self.errors += other.errors;
        self.lost += other.lost;
    }

    /// Searches until `written` is found.
    pub(super) async fn look_for(&mut self, asker: &mut Asker, written: &Written) -> Result<()> {
        let filter = json!({"all": [
            is("id", "eq", json!(written.id.to_string())),
            is(written.property, "eq", json!(written.value)),
        ]});
        let body = json!({"filter": filter, "limit": 1}).to_string();
        while written.at.elapsed() < PATIENCE {
            let answer = asker.ask("POST", "/records/contact/search", &body).await?;
            if answer.status != 200 {
                self.errors += 1;
                continue;
            }
            let found: Value = serde_json::from_slice(answer.body)?;
            if found["results"].as_array().is_some_and(|results| !results.is_empty()) {
                self.visible.record(written.at.elapsed());
                return Ok(());
            }
            self.blind += 1;
        }
        self.lost += 1;
        Ok(())
    }

    /// Says what should not have happened.
    pub(super) fn tell(&self, scene: Scene, when: &str, report: &mut SearchReport) {
        if self.blind > 0 {
            let problem = format!("{when}: {} strong searches did not see what was acknowledged before", self.blind);
            report.problem(scene, &problem);
        }
        if self.errors > 0 {
            report.problem(scene, &format!("{when}: {} searches were refused", self.errors));
        }
        if self.lost > 0 {
            let seconds = PATIENCE.as_secs();
            report.problem(scene, &format!("{when}: {} writes were not found within {seconds} s", self.lost));
        }
    }
}

/// Writes and searches for `time`.
pub(super) async fn measure(ground: &Ground, scene: Scene, time: Duration, report: &mut SearchReport) -> Result<()> {
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let asker = ground.asker().await?;
        // Each writer has its own contacts, spread over all.
        let ids: Vec<u64> = ground.ids.iter().skip(number as usize).step_by(1_009).copied().collect();
        writers.spawn(write_until(asker, ids, number, began, time));
    }
    let mut seen = Seen::new();
    while let Some(joined) = writers.join_next().await {
        seen.add(&joined??);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of writes is far below 2^53")]
    let rate = seen.written.count() as f64 / began.elapsed().as_secs_f64();
    let mut tell = |name: &str, value, target| report.figure(scene, name, value, "ms", target);
    tell("visibility at 100 writes/s: acknowledgement, p50", seen.written.percentile_ms(50.0), None);
    tell("visibility at 100 writes/s: acknowledgement, p99", seen.written.percentile_ms(99.0), None);
    tell("visibility at 100 writes/s: found, p50", seen.visible.percentile_ms(50.0), Some(Target::AtMost(8.0)));
    tell("visibility at 100 writes/s: found, p99", seen.visible.percentile_ms(99.0), Some(Target::AtMost(40.0)));
    report.figure(scene, "visibility: rate", rate, "writes/s", None);
    seen.tell(scene, "visibility", report);
    Ok(())
}

/// Writes at this writer's times, and looks for each write.
async fn write_until(mut asker: Asker, ids: Vec<u64>, number: u32, began: Instant, time: Duration) -> Result<Seen> {
    let period = Duration::from_secs(1) * WRITERS / RATE;
    let mut ticks = tokio::time::interval_at((began + period * number / WRITERS).into(), period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut seen = Seen::new();
    for turn in 0_u64.. {
        ticks.tick().await;
        if began.elapsed() >= time {
            break;
        }
        let Some(id) = ids.get(usize::try_from(turn)? % ids.len().max(1)) else { break };
        let value = format!("seen-{number}-{turn}");
        let body = json!({"properties": {"source_id": value}}).to_string();
        let answer = asker.ask("PATCH", &format!("/records/contact/{id}"), &body).await?;
        if answer.status != 200 {
            bail!("a write answered {}: {}", answer.status, answer.excerpt());
        }
        seen.written.record(answer.took);
        let written = Written { id: *id, property: "source_id", value, at: Instant::now() };
        seen.look_for(&mut asker, &written).await?;
    }
    Ok(seen)
}
