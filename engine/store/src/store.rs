//! The store: readers, transactions and the group commit over one database.

use std::sync::Arc;

use engine_model::{Sequence, TenantId};
use sqlx::FromRow;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::commit::{Committer, Outcome, Unit};
use crate::connect::{StoreConfig, check_role};
use crate::connection::FromBoth;
use crate::error::{Result, StoreError};
use crate::growth::GrowthListener;
use crate::lease::Lease;
use crate::pool::{Pool, Scope};
use crate::sensitive::{NewRead, Recorder};
use crate::signal::Signals;
use crate::sql::{Arg, Sql, args};

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    readers: Arc<Pool>,
    /// SQLite has one writer; on PostgreSQL this is the same pool as the readers'.
    writers: Arc<Pool>,
    committer: Committer,
    recorder: Recorder,
    signals: Arc<Signals>,
    exchange: Vec<JoinHandle<()>>,
    is_postgres: bool,
}

impl Store {
    /// Opens the database, brings its schema up to date and refuses a role that would not be restrained.
    pub async fn open(config: &StoreConfig) -> Result<Self> {
        let target = config.target()?;
        // First, so that a role that is refused has not made a schema that the right role could not change.
        check_role(&target).await?;
        crate::migrate::migrate(config).await?;
        let is_postgres = target.is_postgres();
        let readers = Pool::new(target.clone(), config.connections.max(2));
        let writers = if is_postgres { Arc::clone(&readers) } else { Pool::new(target, 1) };
        let signals = Signals::new(is_postgres);
        let committer = Committer::start(&writers, &signals, is_postgres);
        let recorder = Recorder::start(&writers, is_postgres);
        let exchange = signals.exchange(config, &readers);
        let inner = Inner { readers, writers, committer, recorder, signals, exchange, is_postgres };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads of one tenant; each statement sees what was committed when it began.
    pub async fn read(&self, tenant: TenantId) -> Result<Reader> {
        Ok(Reader { lease: self.inner.readers.acquire(Scope::Tenant(tenant)).await?, tenant })
    }

    /// Reads of one tenant that all see the same moment, that of the first of them. Ends with [`Reader::end`]; as long
    /// as it lasts the database keeps what was there then, so it should not last.
    pub async fn snapshot(&self, tenant: TenantId) -> Result<Reader> {
        let mut reader = self.read(tenant).await?;
        reader.lease.begin_snapshot().await?;
        Ok(reader)
    }

    /// Sees the one token row with `hash`, whichever tenant it belongs to.
    pub(crate) async fn read_token(&self, hash: &str) -> Result<Lease> {
        self.inner.readers.acquire(Scope::Token(hash.to_owned())).await
    }

    /// Sees the list of tenants and of waiting jobs.
    pub(crate) async fn read_platform(&self) -> Result<Lease> {
        self.inner.readers.acquire(Scope::Platform).await
    }

    /// A connection that may write a single statement of its own.
    pub(crate) async fn write_lease(&self, scope: Scope) -> Result<Lease> {
        self.inner.writers.acquire(scope).await
    }

    /// Writes records: checked and applied together with whatever else is waiting, answered after the shared commit.
    pub async fn commit(&self, unit: Unit) -> Result<Outcome> {
        self.inner.committer.commit(unit).await
    }

    /// Writes down that sensitive values are about to be given, together with what other requests of this node give;
    /// durable once it returns.
    pub async fn record_sensitive(&self, tenant: TenantId, reads: Vec<NewRead>) -> Result<()> {
        self.inner.recorder.record(tenant, reads).await
    }

    /// A transaction of its own for definitions, users and the like; holds the tenant's lock until it ends.
    pub async fn begin(&self, tenant: TenantId) -> Result<Tx> {
        let mut lease = self.inner.writers.acquire(Scope::Tenant(tenant)).await?;
        lease.begin().await?;
        let mut reader = Reader { lease, tenant };
        let head = lock_head(&mut reader.lease, tenant).await?;
        Ok(Tx { reader, head, before: head, signals: Arc::clone(&self.inner.signals) })
    }

    /// A transaction that makes a tenant; [`Tx::enter`] then moves it into the tenant.
    pub(crate) async fn begin_platform(&self) -> Result<Tx> {
        let mut lease = self.inner.writers.acquire(Scope::Platform).await?;
        lease.begin().await?;
        let reader = Reader { lease, tenant: TenantId(0) };
        let signals = Arc::clone(&self.inner.signals);
        Ok(Tx { reader, head: Head::default(), before: Head::default(), signals })
    }

    /// A transaction of a tenant that has no head yet, whose rows are nobody's but the caller's.
    pub(crate) async fn begin_without_head(&self, tenant: TenantId) -> Result<Tx> {
        let mut lease = self.inner.writers.acquire(Scope::Tenant(tenant)).await?;
        lease.begin().await?;
        let signals = Arc::clone(&self.inner.signals);
        Ok(Tx { reader: Reader { lease, tenant }, head: Head::default(), before: Head::default(), signals })
    }

    /// A receiver that changes whenever the tenant's change log grows, on whichever node.
    pub fn subscribe(&self, tenant: TenantId) -> watch::Receiver<i64> {
        self.inner.signals.subscribe(tenant)
    }

    /// A receiver that changes whenever the change log of any tenant grows, on whichever node.
    pub fn subscribe_all(&self) -> watch::Receiver<u64> {
        self.inner.signals.subscribe_all()
    }

    /// Hears of every tenant whose change log grows, on whichever node.
    pub fn listen_to_growth(&self) -> GrowthListener {
        self.inner.signals.listen_to_growth()
    }

    /// Whether this is PostgreSQL rather than the embedded store.
    pub fn is_postgres(&self) -> bool {
        self.inner.is_postgres
    }

    /// Fails where the database cannot be reached.
    pub async fn ping(&self) -> Result<()> {
        self.read_platform().await?.fetch_optional::<(i64,)>(&PING, args![]).await.map(drop)
    }

    /// Finishes the writes that were accepted, then closes every connection.
    pub async fn close(&self) {
        self.inner.committer.close().await;
        self.inner.recorder.close().await;
        for task in &self.inner.exchange {
            task.abort();
        }
        self.inner.readers.close().await;
        if !self.inner.is_postgres {
            self.inner.writers.close().await;
        }
    }
}

const PING: Sql = Sql::each("select 1", "select 1::bigint");

/// A tenant's counters and versions, one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Head {
    /// Last position of the change log.
    pub last_sequence: i64,
    /// Last record id given out.
    pub last_record_id: i64,
    /// Counts changes of definitions and settings.
    pub metadata_version: i64,
    /// Counts changes of users, teams, roles and tokens.
    pub access_version: i64,
}

impl Head {
    /// Last position of the change log.
    pub fn sequence(&self) -> Sequence {
        Sequence(self.last_sequence)
    }
}

const LOCK_HEAD: Sql = Sql::each(
    "select last_sequence, last_record_id, metadata_version, access_version from tenant_head where tenant_id = $1",
    "select last_sequence, last_record_id, metadata_version, access_version from tenant_head where tenant_id = $1 \
     for update",
);

const READ_HEAD: Sql = Sql::same(
    "select last_sequence, last_record_id, metadata_version, access_version from tenant_head where tenant_id = $1",
);

const SAVE_HEAD: Sql = Sql::same(
    "update tenant_head set last_sequence = $2, last_record_id = $3, metadata_version = $4, access_version = $5 \
     where tenant_id = $1",
);

/// Takes the tenant's lock; on SQLite the open transaction is the lock.
pub(crate) async fn lock_head(lease: &mut Lease, tenant: TenantId) -> Result<Head> {
    let head = lease.fetch_optional(&LOCK_HEAD, args![tenant]).await?;
    head.ok_or_else(|| no_head(tenant))
}

pub(crate) fn no_head(tenant: TenantId) -> StoreError {
    StoreError::Damaged(format!("tenant {tenant} has no head"))
}

/// Reads of one tenant.
#[derive(Debug)]
pub struct Reader {
    lease: Lease,
    tenant: TenantId,
}

impl Reader {
    /// The tenant that this reads.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The tenant's counters and versions.
    pub async fn head(&mut self) -> Result<Head> {
        let tenant = self.tenant;
        let head = self.fetch_optional(&READ_HEAD, args![tenant]).await?;
        head.ok_or_else(|| no_head(tenant))
    }

    /// Lets go of the moment that [`Store::snapshot`] has held.
    pub async fn end(mut self) -> Result<()> {
        self.lease.commit().await
    }

    pub(crate) async fn fetch_all<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<Vec<T>> {
        self.lease.fetch_all(sql, args).await
    }

    pub(crate) async fn fetch_optional<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<Option<T>> {
        self.lease.fetch_optional(sql, args).await
    }
}

/// A transaction of one tenant, under the tenant's lock. Dropped without [`Tx::commit`] it changes nothing.
#[derive(Debug)]
pub struct Tx {
    reader: Reader,
    /// The tenant's counters and versions as this transaction leaves them.
    pub head: Head,
    before: Head,
    signals: Arc<Signals>,
}

impl Tx {
    /// Reads inside the transaction.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// The tenant that this writes.
    pub fn tenant(&self) -> TenantId {
        self.reader.tenant
    }

    /// Goes on as a transaction of the tenant that was just made; the connection sees its rows already.
    pub(crate) async fn enter(&mut self, tenant: TenantId) -> Result<()> {
        self.reader.tenant = tenant;
        self.head = lock_head(&mut self.reader.lease, tenant).await?;
        self.before = self.head;
        Ok(())
    }

    pub(crate) async fn execute(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<u64> {
        self.reader.lease.execute(sql, args).await
    }

    /// Makes everything done since the beginning visible at once.
    pub async fn commit(mut self) -> Result<Head> {
        let (tenant, head) = (self.reader.tenant, self.head);
        if head != self.before {
            let arguments =
                args![tenant, head.last_sequence, head.last_record_id, head.metadata_version, head.access_version];
            self.execute(&SAVE_HEAD, arguments).await?;
        }
        self.reader.lease.commit().await?;
        if head.last_sequence > self.before.last_sequence {
            self.signals.publish(tenant, head.last_sequence);
        }
        Ok(head)
    }
}
