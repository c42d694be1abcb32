//! Searches: what each question costs over HTTP on a large tenant, how soon a write is found, and what the index takes.
//!
//! Every answer that can be known from a plain look at all contacts is compared with it first. The same questions are
//! put to PostgreSQL directly in the same run, and the figure that counts is the ratio of the two.

mod ask;
mod ground;
mod memory;
mod paging;
mod person;
mod question;
mod rebuild;
mod report;
mod rival;
mod sustained;
mod tenants;
mod truth;
mod visibility;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use throwaway_postgres::{Cluster, Settings};
use tokio::runtime::Runtime;

use super::asker;
use crate::Store;
use ask::Turns;
use ground::{Ground, Loaded};
use report::{Scene, SearchReport};
use rival::Rivals;
use tenants::Size;

/// What of searches is measured.
#[derive(Debug, Args)]
pub(crate) struct SearchOptions {
    /// Parts to measure, all unless some are named
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Contacts in the large tenant; several numbers are measured one after another [default: 100000]
    #[arg(long, value_delimiter = ',')]
    records: Vec<u64>,
    /// How long updates are sustained, in minutes
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
}

/// What can be measured alone. Filling the large tenant is always measured where one is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The same questions put to PostgreSQL directly
    Rival,
    /// Each question, again and again
    Questions,
    /// Pages of a sorted list to its end
    Paging,
    /// Memory with everything open, before and after a restart
    Memory,
    /// How soon a write is found, at 100 writes a second
    Visibility,
    /// 5,000 updates a second
    Sustained,
    /// The index made anew from the store
    Rebuild,
    /// 1,000 tenants of 1,000 contacts
    Tenants,
}

/// How much of everything.
#[derive(Debug, Clone, Copy)]
struct Amount {
    turns: Turns,
    visibility: Duration,
    sustained: Duration,
    tenants: Size,
}

impl SearchOptions {
    fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    /// Whether anything needs the large tenant.
    fn needs_ground(&self) -> bool {
        let without = [Part::Rival, Part::Tenants];
        self.parts.is_empty() || self.parts.iter().any(|part| !without.contains(part))
    }

    fn records(&self, quick: bool) -> Vec<u64> {
        match (self.records.as_slice(), quick) {
            ([], true) => vec![10_000],
            ([], false) => vec![100_000],
            (records, _) => records.to_vec(),
        }
    }

    fn amount(&self, quick: bool) -> Amount {
        let seconds = Duration::from_secs;
        if quick {
            Amount {
                turns: Turns { turns: 60, time: seconds(2) },
                visibility: seconds(5),
                sustained: seconds(10),
                tenants: Size { tenants: 60, records: 1_000, busy: 20, time: seconds(5) },
            }
        } else {
            Amount {
                turns: Turns { turns: 500, time: seconds(15) },
                visibility: seconds(30),
                sustained: seconds(60).mul_f64(self.minutes.max(0.0)),
                tenants: Size { tenants: 1_000, records: 1_000, busy: 50, time: seconds(30) },
            }
        }
    }
}

/// Measures what `options` names and prints the tables.
pub(super) fn run(options: &SearchOptions, stores: &[Store], quick: bool, json: Option<&Path>) -> Result<()> {
    // One thread: the client's processor time is the server's loss.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let amount = options.amount(quick);
    let mut report = SearchReport::new(quick);
    for records in options.records(quick) {
        let rivals = match options.has(Part::Rival) {
            true => measure_rival(&runtime, records, amount.turns, &mut report)?,
            false => Rivals::default(),
        };
        for store in stores.iter().filter(|_| options.needs_ground()) {
            let cluster = cluster(*store)?;
            let scene = Scene { store: *store, records };
            runtime.block_on(measure(options, amount, cluster.as_ref(), scene, &rivals, &mut report))?;
        }
    }
    for store in stores.iter().filter(|_| options.has(Part::Tenants)) {
        let cluster = cluster(*store)?;
        runtime.block_on(tenants::measure(*store, cluster.as_ref(), amount.tenants, &mut report))?;
    }
    report.print();
    match json {
        Some(path) => {
            std::fs::write(path, report.json()).with_context(|| format!("could not write {}", path.display()))
        }
        None => Ok(()),
    }
}

fn cluster(store: Store) -> Result<Option<Cluster>> {
    Ok(match store {
        Store::Sqlite => None,
        Store::Postgres => Some(Cluster::start(&Settings { shared_buffers_mib: 1024, ..Settings::default() })?),
    })
}

fn measure_rival(runtime: &Runtime, records: u64, turns: Turns, report: &mut SearchReport) -> Result<Rivals> {
    let scene = Scene { store: Store::Postgres, records };
    let filled = runtime.block_on(rival::measure(records, turns))?;
    for (name, bytes) in
        [("PostgreSQL alone, JSONB", filled.jsonb_bytes), ("PostgreSQL alone, typed", filled.typed_bytes)]
    {
        #[expect(clippy::cast_precision_loss, reason = "sizes and counts are far below 2^53")]
        let per_record = bytes as f64 / records as f64;
        report.figure(scene, &format!("{name}: on disk, a contact"), per_record, "bytes", None);
    }
    for wrong in &filled.wrong {
        report.problem(scene, &format!("PostgreSQL alone: {wrong}"));
    }
    Ok(filled.rivals)
}

/// Fills a large tenant and measures what needs one; first what changes nothing.
async fn measure(
    options: &SearchOptions,
    amount: Amount,
    cluster: Option<&Cluster>,
    scene: Scene,
    rivals: &Rivals,
    report: &mut SearchReport,
) -> Result<()> {
    let (mut ground, loaded) = Ground::fill(scene.store, cluster, scene.records).await?;
    tell_loaded(scene, &loaded, report);
    if options.has(Part::Questions) {
        ask::ask_all(&ground, scene, amount.turns, rivals, report).await?;
    }
    if options.has(Part::Paging) {
        paging::page_through(&ground, scene, report).await?;
    }
    if options.has(Part::Memory) {
        memory::measure(&mut ground, scene, report).await?;
    }
    if options.has(Part::Visibility) {
        visibility::measure(&ground, scene, amount.visibility, report).await?;
    }
    if options.has(Part::Sustained) {
        sustained::measure(&ground, scene, amount.sustained, report).await?;
    }
    if options.has(Part::Rebuild) {
        rebuild::measure(&mut ground, scene, report).await?;
    }
    Ok(())
}

fn tell_loaded(scene: Scene, loaded: &Loaded, report: &mut SearchReport) {
    #[expect(clippy::cast_precision_loss, reason = "a count of records is far below 2^53")]
    let records = scene.records as f64;
    let all = loaded.seconds + loaded.seen_after.as_secs_f64();
    report.figure(scene, "load: written", records / loaded.seconds, "records/s", None);
    report.figure(scene, "load: written and found", records / all, "records/s", None);
    report.figure(scene, "load: all found after the last answer", loaded.seen_after.as_secs_f64() * 1e3, "ms", None);
    report.figure(scene, "load: processor time a record", loaded.cpu_seconds * 1e6 / records, "us", None);
    report.figure(scene, "load: peak memory", loaded.peak_mib, "MiB", None);
    for (answer, times) in &loaded.others {
        report.problem(scene, &format!("load: {times} searches were answered: {answer}"));
    }
}
