//! The bare cost: the product's own statements on the product's own schema, through sqlx, with nothing around them.
//!
//! What waits together is written together, as the product does it: without group commit the comparison would flatter
//! the product.

mod group;
mod postgres;
mod sqlite;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result};
use tempfile::TempDir;
use throwaway_postgres::{Cluster, Database};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::contact::{self, Form};
use super::load::{self, Action, Case, Client, Outcome};
use super::{Effort, contact::email};
use crate::Store;
use group::Groups;

/// The tenant whose rows these are.
const TENANT: i64 = 1;

/// A contact as it is written: a record, its unique value, its change.
#[derive(Debug)]
struct Contact {
    uid: Uuid,
    properties: String,
    display_name: String,
    email: String,
    changes: String,
    request_id: String,
    at: i64,
}

impl Contact {
    fn new(number: u64) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            uid: Uuid::now_v7(),
            properties: contact::properties(number, Form::Value),
            display_name: contact::display_name(number),
            email: email(number),
            changes: contact::properties(number, Form::Change),
            request_id: Uuid::now_v7().to_string(),
            at: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
        }
    }
}

/// Reads contacts of one database.
#[derive(Debug, Clone)]
enum Reader {
    Sqlite(sqlx::SqlitePool),
    Postgres(sqlx::PgPool),
}

/// A fresh database of one store, ready for every case.
#[derive(Debug)]
pub(crate) struct Bare {
    reader: Reader,
    groups: Groups,
    next: Arc<AtomicU64>,
    runtime: Runtime,
    // Last: the files go when nothing uses them any more.
    _home: Home,
}

#[derive(Debug)]
enum Home {
    Folder { _folder: TempDir },
    Database { _database: Database },
}

impl Bare {
    pub(crate) fn open(store: Store, cluster: Option<&Cluster>) -> Result<Self> {
        // As many workers as the server has, which is the number of cores.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (reader, groups, home) = match (store, cluster) {
            (Store::Sqlite, _) => {
                let folder = tempfile::tempdir()?;
                let opened = runtime.block_on(sqlite::open(&folder.path().join("bare.db")))?;
                let groups = runtime.block_on(async { Groups::start(opened.writer) });
                (Reader::Sqlite(opened.readers), groups, Home::Folder { _folder: folder })
            }
            (Store::Postgres, cluster) => {
                let database = cluster.context("PostgreSQL runs")?.database()?;
                let opened = runtime.block_on(postgres::open(&database))?;
                let groups = runtime.block_on(async { Groups::start(opened.writer) });
                (Reader::Postgres(opened.readers), groups, Home::Database { _database: database })
            }
        };
        Ok(Self { reader, groups, next: Arc::default(), runtime, _home: home })
    }

    pub(crate) fn run(&mut self, case: Case, effort: Effort) -> Result<Outcome> {
        let action = case.action;
        match action {
            Action::Create | Action::CreateBatch => {
                let creator =
                    || Creator { groups: self.groups.clone(), next: Arc::clone(&self.next), count: action.records() };
                let clients = (0..case.clients).map(|_| creator()).collect();
                self.runtime.block_on(load::run(clients, action, effort))
            }
            Action::Read => {
                let written = self.groups.written();
                let lookup = |index| Lookup { reader: self.reader.clone(), ids: Ids::new(index, written) };
                let clients = (0..case.clients as u64).map(lookup).collect();
                self.runtime.block_on(load::run(clients, action, effort))
            }
        }
    }
}

struct Creator {
    groups: Groups,
    next: Arc<AtomicU64>,
    count: u64,
}

impl Client for Creator {
    async fn call(&mut self) -> Result<bool> {
        let first = self.next.fetch_add(self.count, Ordering::Relaxed);
        let contacts = (first..first + self.count).map(Contact::new).collect();
        self.groups.write(contacts).await?;
        Ok(true)
    }
}

struct Lookup {
    reader: Reader,
    ids: Ids,
}

impl Client for Lookup {
    async fn call(&mut self) -> Result<bool> {
        let id = self.ids.next();
        match &self.reader {
            Reader::Sqlite(pool) => sqlite::read(pool, id).await,
            Reader::Postgres(pool) => postgres::read(pool, id).await,
        }
    }
}

/// Ids of written records in no order.
struct Ids {
    state: u64,
    written: u64,
}

impl Ids {
    fn new(seed: u64, written: u64) -> Self {
        Self { state: seed, written: written.max(1) }
    }

    fn next(&mut self) -> i64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.state >> 33) % self.written + 1).unwrap_or(1)
    }
}

/// The text of every migration of `dialect`, in order.
fn migrations(dialect: &str) -> Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(dialect);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display())))
        .collect()
}
