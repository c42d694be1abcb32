//! Definitions: what changing them costs those who write meanwhile, upgrades of many tenants, wide objects, and
//! roll-ups over many records, boards and lists.

mod access;
mod board;
mod change;
mod duplicates;
mod lists;
mod report;
mod rollup;
mod timeline;
mod upgrade;
mod wide;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use throwaway_postgres::{Cluster, Settings};

use super::product::builder;
use crate::{Store, TestServer};
use report::MetadataReport;

/// What of definitions is measured.
#[derive(Debug, Args)]
pub(crate) struct MetadataOptions {
    /// Parts to measure, all unless some are named
    #[arg(value_enum)]
    parts: Vec<Part>,
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Definitions changed again and again under 500 writes a second
    Change,
    /// 1,000 tenants of 100 objects moved to another version of a pack
    Upgrade,
    /// An object with 2,000 properties
    Wide,
    /// A roll-up over 100,000 records
    Rollup,
    /// A board of 100,000 records in 8 stages
    Board,
    /// 1,000 lists kept at 200 changes a second
    Lists,
    /// The timeline of a record with 100,000 entries
    Timeline,
    /// Duplicates among 1,000,000 contacts
    Duplicates,
    /// What rules of access, and the log of sensitive reads, cost a search
    Access,
}

/// How much of everything.
#[derive(Debug, Clone, Copy)]
struct Amount {
    change: Duration,
    tenants: usize,
    properties: usize,
    children: usize,
    writes: usize,
    lists: usize,
    contacts: usize,
}

impl Amount {
    fn of(quick: bool) -> Self {
        if quick {
            Self {
                change: Duration::from_secs(5),
                tenants: 20,
                properties: 200,
                children: 5_000,
                writes: 100,
                lists: 100,
                contacts: 5_000,
            }
        } else {
            Self {
                change: Duration::from_secs(30),
                tenants: 1_000,
                properties: 2_000,
                children: 100_000,
                writes: 500,
                lists: 1_000,
                contacts: 1_000_000,
            }
        }
    }
}

/// Measures what `options` names and prints the lines.
pub(super) fn run(options: &MetadataOptions, stores: &[Store], quick: bool, json: Option<&Path>) -> Result<()> {
    let (amount, mut report) = (Amount::of(quick), MetadataReport::new(quick));
    let has = |part: Part| options.parts.is_empty() || options.parts.contains(&part);
    // One thread: the client's processor time is the server's loss.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for store in stores {
        let cluster = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(Cluster::start(&Settings { shared_buffers_mib: 1024, ..Settings::default() })?),
        };
        // A server of its own for each, so that none pays for the one before.
        let start = || -> Result<TestServer> { Ok(runtime.block_on(builder(*store, cluster.as_ref())?.start())) };
        if has(Part::Change) {
            let server = start()?;
            report.add(*store, "change", runtime.block_on(change::measure(&server, amount.change))?);
        }
        if has(Part::Wide) {
            let server = start()?;
            report.add(*store, "wide", runtime.block_on(wide::measure(&server, amount.properties))?);
        }
        if has(Part::Rollup) {
            let server = start()?;
            report.add(*store, "rollup", runtime.block_on(rollup::measure(&server, amount.children, amount.writes))?);
        }
        if has(Part::Board) {
            let server = start()?;
            report.add(*store, "board", runtime.block_on(board::measure(&server, amount.children))?);
        }
        if has(Part::Lists) {
            // Each list has about a quarter of the records, and all are filled first.
            let (server, lists, records) = (start()?, amount.lists, amount.children / 10);
            report.add(*store, "lists", runtime.block_on(lists::measure(&server, lists, records, amount.change))?);
        }
        if has(Part::Timeline) {
            let server = start()?;
            report.add(*store, "timeline", runtime.block_on(timeline::measure(&server, amount.children))?);
        }
        if has(Part::Duplicates) {
            let server = start()?;
            report.add(*store, "duplicates", runtime.block_on(duplicates::measure(&server, amount.contacts))?);
        }
        if has(Part::Access) {
            let server = start()?;
            report.add(*store, "access", runtime.block_on(access::measure(&server, amount.children))?);
        }
        if has(Part::Upgrade) {
            let server = start()?;
            report.add(*store, "upgrade", runtime.block_on(upgrade::measure(&server, amount.tenants))?);
        }
    }
    report.print();
    if let Some(path) = json {
        std::fs::write(path, report.json()).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}
