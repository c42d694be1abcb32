//! A flood of updates that goes on: what becomes of visibility, of the index, and of memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::super::histogram::Latencies;
use super::super::usage::{self, Usage};
use super::asker::Asker;
use super::ground::Ground;
use super::person::{FIRST_SECOND, SECONDS, moment};
use super::report::{Scene, SearchReport, Target};
use super::visibility::{Seen, Written};

/// Updates a second.
const RATE: u32 = 5_000;
/// Updates in one request.
const BATCH: u32 = 100;
/// Who sends them, each at its own times.
const WRITERS: u32 = 8;
/// How often a search looks for what was acknowledged last.
const LOOK: Duration = Duration::from_millis(200);
/// How often memory and size are looked at.
const READ: Duration = Duration::from_secs(1);
/// Greater than the number of contacts and prime: strides of it visit each contact once before any twice.
const STRIDE: u64 = 2_000_003;

/// What all writers share.
#[derive(Debug)]
struct Flood {
    ids: Arc<Vec<u64>>,
    next: AtomicU64,
    /// The last update that was acknowledged.
    last: Mutex<Option<Written>>,
    began: Instant,
    time: Duration,
}

/// The server at one moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    usage: Usage,
    index_bytes: u64,
    /// Changes that cannot be found yet, as the server says.
    lag: f64,
}

/// Updates contacts for `time`.
pub(super) async fn measure(ground: &Ground, scene: Scene, time: Duration, report: &mut SearchReport) -> Result<()> {
    let flood = Arc::new(Flood {
        ids: Arc::clone(&ground.ids),
        next: AtomicU64::new(0),
        last: Mutex::default(),
        began: Instant::now(),
        time,
    });
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        writers.spawn(Arc::clone(&flood).write(ground.asker().await?, number));
    }
    let looking = tokio::spawn(Arc::clone(&flood).look(ground.asker().await?));
    let readings = flood.read(ground).await;
    let mut written = Latencies::new();
    while let Some(joined) = writers.join_next().await {
        written.add(&joined??);
    }
    let elapsed = flood.began.elapsed();
    let seen = looking.await??;
    tell_updates(scene, &written, elapsed, &seen, report);
    tell_readings(scene, &readings, report);
    Ok(())
}

fn tell_updates(scene: Scene, written: &Latencies, elapsed: Duration, seen: &Seen, report: &mut SearchReport) {
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
    let rate = (written.count() * u64::from(BATCH)) as f64 / elapsed.as_secs_f64();
    report.figure(scene, "sustained: time", elapsed.as_secs_f64(), "s", None);
    report.figure(scene, "sustained: rate", rate, "updates/s", Some(Target::AtLeast(f64::from(RATE))));
    let mut tell = |name: &str, value, target| report.figure(scene, name, value, "ms", target);
    tell("sustained: batch of 100, p50", written.percentile_ms(50.0), None);
    tell("sustained: batch of 100, p99", written.percentile_ms(99.0), None);
    tell("sustained: found, p50", seen.visible.percentile_ms(50.0), None);
    tell("sustained: found, p99", seen.visible.percentile_ms(99.0), Some(Target::AtMost(1_000.0)));
    tell("sustained: found, slowest", seen.visible.percentile_ms(100.0), Some(Target::AtMost(1_000.0)));
    seen.tell(scene, "sustained", report);
}

fn tell_readings(scene: Scene, readings: &[Reading], report: &mut SearchReport) {
    let stands = [("start", readings.first()), ("middle", readings.get(readings.len() / 2)), ("end", readings.last())];
    for (when, reading) in stands {
        let Some(reading) = reading else { continue };
        report.figure(scene, &format!("sustained: index at the {when}"), mib(reading.index_bytes), "MiB", None);
        let usage = reading.usage;
        report.figure(scene, &format!("sustained: memory at the {when}, RSS"), usage.resident_mib, "MiB", None);
        let name = format!("sustained: memory at the {when}, anonymous");
        report.figure(scene, &name, usage.anonymous_mib, "MiB", None);
    }
    let largest = readings.iter().map(|reading| reading.index_bytes).max().unwrap_or_default();
    report.figure(scene, "sustained: largest index", mib(largest), "MiB", None);
    let most = readings.iter().map(|reading| reading.usage.anonymous_mib).fold(0.0, f64::max);
    report.figure(scene, "sustained: most anonymous memory", most, "MiB", None);
    let furthest = readings.iter().map(|reading| reading.lag).fold(0.0, f64::max);
    report.figure(scene, "sustained: most changes that were waiting to be found", furthest, "changes", None);
}

fn mib(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    let mib = bytes as f64 / f64::from(1 << 20);
    mib
}

impl Flood {
    fn is_over(&self) -> bool {
        self.began.elapsed() >= self.time
    }

    /// Sends batches at this writer's times.
    async fn write(self: Arc<Self>, mut asker: Asker, number: u32) -> Result<Latencies> {
        let period = Duration::from_secs(1) * WRITERS * BATCH / RATE;
        let mut ticks = tokio::time::interval_at((self.began + period * number / WRITERS).into(), period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut latencies = Latencies::new();
        loop {
            ticks.tick().await;
            if self.is_over() {
                return Ok(latencies);
            }
            let (body, written) = self.batch();
            let answer = asker.ask("POST", "/records/contact/batch/update", &body).await?;
            if answer.status != 207 || answer.body.windows(7).any(|part| part == b"\"error\"") {
                bail!("updates answered {}: {}", answer.status, answer.excerpt());
            }
            latencies.record(answer.took);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Written { at: Instant::now(), ..written });
        }
    }

    /// The next updates as a request, and the last of them to be looked for.
    fn batch(&self) -> (String, Written) {
        let first = self.next.fetch_add(u64::from(BATCH), Ordering::Relaxed);
        let mut written = Written { id: 0, property: "lead_source", value: String::new(), at: self.began };
        let inputs = (first..first + u64::from(BATCH)).map(|turn| {
            let place = (turn * STRIDE) % self.ids.len() as u64;
            written.id = usize::try_from(place).ok().and_then(|place| self.ids.get(place)).copied().unwrap_or_default();
            written.value = format!("wave {turn}");
            let seconds = FIRST_SECOND + i64::try_from(turn * 7_919).unwrap_or_default() % SECONDS;
            format!(
                "{{\"id\":\"{}\",\"properties\":{{\"lead_source\":\"{}\",\"lead_score\":{},\"last_contacted_at\":\"{}\"}}}}",
                written.id,
                written.value,
                turn % 101,
                moment(seconds)
            )
        });
        let body = format!("{{\"inputs\":[{}]}}", inputs.collect::<Vec<_>>().join(","));
        (body, written)
    }

    /// Looks for what was acknowledged last, again and again.
    async fn look(self: Arc<Self>, mut asker: Asker) -> Result<Seen> {
        let mut seen = Seen::new();
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is_over() {
            ticks.tick().await;
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(written) = last {
                seen.look_for(&mut asker, &written).await?;
            }
        }
        Ok(seen)
    }

    /// Reads memory and size until it is over.
    async fn read(&self, ground: &Ground) -> Vec<Reading> {
        let mut readings = Vec::new();
        let mut ticks = tokio::time::interval(READ);
        while !self.is_over() {
            ticks.tick().await;
            let usage = usage::of(ground.server.pid());
            let index_bytes = usage::folder_bytes(&ground.index_folder());
            let lag = ground.server.metric("search_index_lag_changes").await.unwrap_or_default();
            readings.push(Reading { usage, index_bytes, lag });
        }
        readings
    }
}
