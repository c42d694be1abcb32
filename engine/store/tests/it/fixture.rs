//! A store of its own for each test, on either database, and the plain things that tests do with it.

use std::sync::atomic::{AtomicU64, Ordering};

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, TenantId};
use engine_store::change::{self, ChangeRow};
use engine_store::commit::{Committed, Outcome, Refusal, Unit};
use engine_store::record::{self, Key, RecordRow};
use engine_store::tenant::{self, TenantRow};
use engine_store::{Reader, Store, StoreConfig, StoreError};
use futures::FutureExt;
use futures::future::join_all;
use tempfile::TempDir;
use throwaway_postgres::Database;

use crate::build::unit;
use crate::raw::Raw;

/// An open store whose database goes with it.
pub(crate) struct Home {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    pub(crate) place: Place,
}

/// Where the data is.
pub(crate) enum Place {
    Folder(TempDir),
    Database(Database),
}

/// Slugs are unique, so each tenant gets a number.
static TENANTS: AtomicU64 = AtomicU64::new(1);

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Database(throwaway_postgres::database().unwrap())
    }

    pub(crate) fn config(&self) -> StoreConfig {
        match self {
            Self::Folder(folder) => StoreConfig::sqlite(&folder.path().join("test.db")),
            Self::Database(database) => postgres_config(database),
        }
    }

    /// A connection past row security.
    pub(crate) async fn raw(&self) -> Raw {
        match self {
            Self::Folder(folder) => Raw::sqlite(&folder.path().join("test.db")).await,
            Self::Database(database) => Raw::postgres(database.superuser_url()).await,
        }
    }
}

/// The server's role and the role that owns the schema, as the product is meant to be run.
pub(crate) fn postgres_config(database: &Database) -> StoreConfig {
    let migration_url = Some(database.migration_url().to_owned());
    StoreConfig { url: database.url().to_owned(), migration_url, connections: 8 }
}

impl Home {
    pub(crate) async fn sqlite() -> Self {
        Self::open(Place::sqlite()).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::open(Place::postgres()).await
    }

    pub(crate) async fn open(place: Place) -> Self {
        let config = place.config();
        let store = Store::open(&config).await.unwrap();
        Self { store, config, place }
    }

    pub(crate) async fn raw(&self) -> Raw {
        self.place.raw().await
    }

    /// A fresh tenant at metadata and access version 1.
    pub(crate) async fn tenant(&self) -> TenantId {
        let tx = tenant::create(&self.store, &settings(), Timestamp(1)).await.unwrap().expect("the slug is new");
        let tenant = tx.tenant();
        tx.commit().await.unwrap();
        tenant
    }

    pub(crate) async fn reader(&self, tenant: TenantId) -> Reader {
        self.store.read(tenant).await.unwrap()
    }

    pub(crate) async fn commit(&self, unit: impl Into<Unit>) -> Outcome {
        self.store.commit(unit.into()).await.unwrap()
    }

    /// Commits a unit of which nothing may be refused.
    pub(crate) async fn done(&self, unit: impl Into<Unit>) -> Committed {
        let committed = self.committed(unit).await;
        assert_eq!(committed.items.iter().find(|item| item.is_err()), None);
        committed
    }

    /// Commits a unit of which single items may be refused.
    pub(crate) async fn committed(&self, unit: impl Into<Unit>) -> Committed {
        committed(self.commit(unit).await)
    }

    /// Commits units that insert one record each.
    pub(crate) async fn insert(&self, unit: impl Into<Unit>) -> RecordId {
        self.done(unit).await.inserted[0].expect("an inserted record")
    }

    /// Commits units in one group, in this order, behind a transaction of `tenant`. On a runtime of one thread only.
    pub(crate) async fn send(&self, tenant: TenantId, units: Vec<Unit>) -> Vec<Result<Outcome, StoreError>> {
        let tx = self.store.begin(tenant).await.unwrap();
        // The lane takes this unit, whose key makes it wait for the transaction and whose version makes it write nothing;
        // what comes after it waits in the queue.
        let first = unit(tenant).metadata_version(0).key("first", "first");
        let mut first = Box::pin(self.store.commit(first.into()));
        assert!(first.as_mut().now_or_never().is_none());
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        let mut rest = Box::pin(join_all(units.into_iter().map(|unit| self.store.commit(unit))));
        assert!(rest.as_mut().now_or_never().is_none());
        tx.commit().await.unwrap();
        first.await.unwrap();
        rest.await
    }

    /// Commits units in one group, where none may fail.
    pub(crate) async fn group(&self, tenant: TenantId, units: Vec<Unit>) -> Vec<Outcome> {
        self.send(tenant, units).await.into_iter().map(Result::unwrap).collect()
    }

    pub(crate) async fn record(&self, tenant: TenantId, id: RecordId) -> Option<RecordRow> {
        record::get(&mut self.reader(tenant).await, &Key::Id(id)).await.unwrap().1
    }

    /// The whole log.
    pub(crate) async fn log(&self, tenant: TenantId) -> Vec<ChangeRow> {
        change::after(&mut self.reader(tenant).await, Sequence(0), 100_000).await.unwrap()
    }
}

pub(crate) fn committed(outcome: Outcome) -> Committed {
    match outcome {
        Outcome::Committed(committed) => committed,
        other => panic!("not committed: {other:?}"),
    }
}

/// What became of each item, whether or not it changed anything.
pub(crate) fn results(done: &Committed) -> Vec<Result<(), Vec<Refusal>>> {
    done.items.iter().map(|item| item.as_ref().map(|_| ()).map_err(Clone::clone)).collect()
}

pub(crate) fn settings() -> TenantRow {
    let number = TENANTS.fetch_add(1, Ordering::Relaxed);
    TenantRow {
        tenant_id: 0,
        slug: format!("tenant-{number}"),
        name: format!("Tenant {number}"),
        profile: "generic".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        currency: "EUR".to_owned(),
        country: "AT".to_owned(),
        capabilities: "{}".to_owned(),
        created_at: 1,
    }
}
