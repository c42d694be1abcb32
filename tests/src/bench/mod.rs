//! The benchmark: the release server under load over HTTP, and the bare cost of the same statements in the same run.
//!
//! Client, server and database share one machine, so the figure that counts is the ratio of the two.

mod asker;
mod bare;
mod contact;
mod export;
mod histogram;
mod load;
mod metadata;
mod product;
mod report;
mod search;
mod usage;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use throwaway_postgres::{Cluster, Settings};

use crate::Store;
use report::Report;

/// The argument with which the benchmark's own program is the server.
pub const SERVE: &str = "serve";

/// Command line of the benchmark.
#[derive(Debug, Parser)]
#[command(about = "Measures the release server over HTTP next to the bare cost of its statements")]
pub struct Options {
    #[command(subcommand)]
    what: Option<What>,
    /// Measure one store only
    #[arg(long, value_enum, global = true)]
    store: Option<StoreName>,
    /// Short runs and a tenth of the records: a look, not a measurement
    #[arg(long, global = true)]
    quick: bool,
    /// Also write the results as JSON
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
}

/// What is measured; writing and reading records unless something is named.
#[derive(Debug, Subcommand)]
enum What {
    /// Measures searches instead of writing and reading
    Search(search::SearchOptions),
    /// Measures changes of definitions, packs and what is computed instead
    Metadata(metadata::MetadataOptions),
    /// Measures exports instead
    Export(export::ExportOptions),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StoreName {
    Sqlite,
    Postgres,
}

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) warm_up: Duration,
    pub(crate) measure: Duration,
    pub(crate) records: usize,
}

impl Options {
    fn stores(&self) -> Vec<Store> {
        match self.store {
            Some(StoreName::Sqlite) => vec![Store::Sqlite],
            Some(StoreName::Postgres) => vec![Store::Postgres],
            None => vec![Store::Sqlite, Store::Postgres],
        }
    }

    fn effort(&self) -> Effort {
        if self.quick {
            Effort { warm_up: Duration::from_millis(300), measure: Duration::from_secs(1), records: 10_000 }
        } else {
            Effort { warm_up: Duration::from_secs(1), measure: Duration::from_secs(6), records: 100_000 }
        }
    }
}

/// Runs the benchmark and prints its table.
///
/// # Errors
/// When a server does not start, a case does not run, or the JSON file cannot be written.
pub fn run(options: &Options) -> Result<()> {
    if let Some(What::Search(search)) = &options.what {
        return search::run(search, &options.stores(), options.quick, options.json.as_deref());
    }
    if let Some(What::Metadata(metadata)) = &options.what {
        return metadata::run(metadata, &options.stores(), options.quick, options.json.as_deref());
    }
    if let Some(What::Export(export)) = &options.what {
        return export::run(export, &options.stores(), options.quick, options.json.as_deref());
    }
    let mut report = Report::new(options.quick);
    for store in options.stores() {
        measure(store, options.effort(), &mut report)?;
    }
    report.print();
    if let Some(path) = &options.json {
        std::fs::write(path, report.json()).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

fn measure(store: Store, effort: Effort, report: &mut Report) -> Result<()> {
    let cluster = match store {
        Store::Sqlite => None,
        Store::Postgres => Some(Cluster::start(&Settings { shared_buffers_mib: 1024, ..Settings::default() })?),
    };
    let mut bare = bare::Bare::open(store, cluster.as_ref())?;
    let mut product = product::Product::start(store, cluster.as_ref())?;
    report.begin(store, &product);
    for case in load::CASES {
        let bare = bare.run(case, effort)?;
        let product = product.run(case, effort)?;
        report.case(store, case, &bare, &product);
    }
    drop((bare, product));
    report.growth(store, &product::growth(store, cluster.as_ref(), effort)?);
    Ok(())
}
