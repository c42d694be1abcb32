//! The engine: one database, the caches over it, and the way to a [`Session`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine_model::TenantId;
use engine_model::time::Timestamp;
use engine_store::commit::Origin;
use engine_store::{Store, StoreConfig, access};
use moka::future::Cache;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::caller::{Caller, Given};
use crate::clock::Clock;
use crate::definitions::catalog::{self, Catalog, CatalogCache};
use crate::definitions::shared::Shared;
use crate::error::{Error, ErrorCode, Result};
use crate::exports::ExportBounds;
use crate::followers::Follower;
use crate::index::Indexes;
use crate::lists::Lists;
use crate::pipelines::Visits;
use crate::records::locks::KeyedLocks;
use crate::rollups::Rollups;
use crate::session::{Credential, Session};
use crate::timeline::Timelines;
use crate::token::hash_secret;

/// How long what a token leads to is believed without a look at the store. Statements compare versions in between, so
/// this bounds only how long an ended token may still reach calls that read nothing.
const CALLER_LIFETIME: Duration = Duration::from_secs(2);

/// How long a plan waits to be applied.
const PLAN_LIFETIME: Duration = Duration::from_secs(3600);

/// Everything that the engine needs to know from outside.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where the data is.
    pub store: StoreConfig,
    /// Folder of the search indexes; this engine's own, also where several have one store.
    pub index_dir: PathBuf,
    /// Source of the present moment.
    pub clock: Arc<dyn Clock>,
    /// Further packs, each as its files: name and text.
    pub packs: Vec<Vec<(String, String)>>,
    /// What files of exports may take.
    pub exports: ExportBounds,
    /// What follows the change log, beside what the engine itself hangs on it.
    pub followers: Vec<Arc<dyn Follower>>,
}

/// An open engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalogs: CatalogCache,
    pub(crate) shared: Shared,
    pub(crate) callers: Cache<String, Arc<Caller>>,
    /// Last versions seen of each tenant: metadata and access.
    versions: Cache<TenantId, (i64, i64)>,
    /// Users known to exist, by tenant and access version.
    pub(crate) known_users: Cache<(TenantId, i64, i64), bool>,
    /// Assignment rules by tenant and access version.
    pub(crate) assignment_rules: Cache<(TenantId, i64), Arc<crate::assignment::Rules>>,
    pub(crate) spare_turns: crate::assignment::SpareTurns,
    pub(crate) packs: Vec<Vec<(String, String)>>,
    /// Plans that wait to be applied, by tenant and id.
    pub(crate) plans: Cache<(TenantId, String), Arc<crate::packs::KeptPlan>>,
    /// Turns at records that are being changed.
    pub(crate) locks: KeyedLocks,
    /// Turns at records that are being assessed.
    pub(crate) assessments: KeyedLocks,
    /// Turns of tenants at making records that may be refused as duplicates.
    pub(crate) creations: KeyedLocks,
    pub(crate) indexes: Indexes,
    pub(crate) rollups: crate::progress::Progress,
    pub(crate) lists: crate::lists::Known,
    /// Places for searches under way: more at a time would only slow each other down.
    pub(crate) searches: Arc<tokio::sync::Semaphore>,
    /// What files of exports may take.
    pub(crate) export_bounds: ExportBounds,
    /// Places for exports of tenants under way.
    pub(crate) exports: Arc<tokio::sync::Semaphore>,
    /// The place for a pack on its way over tenants.
    pub(crate) pack_runs: Arc<tokio::sync::Semaphore>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
    pub(crate) job_added: tokio::sync::Notify,
}

impl Engine {
    /// Opens the store and starts the background tasks.
    pub async fn open(mut config: EngineConfig) -> Result<Self> {
        let mut followers = std::mem::take(&mut config.followers);
        let engine = Self::idle(config).await?;
        followers.push(Arc::new(Rollups::new(&engine)));
        followers.push(Arc::new(Visits::new(&engine)));
        followers.push(Arc::new(Lists::new(&engine)));
        followers.push(Arc::new(Timelines::new(&engine)));
        engine_store::job::release_abandoned(engine.store()).await?;
        crate::jobs::start_worker(&engine);
        crate::followers::start(&engine, followers)?;
        crate::expiry::start(&engine);
        crate::lists::start(&engine);
        crate::index::start(&engine, true);
        Ok(engine)
    }

    /// Opens the store for the upkeep of its search indexes: nothing happens in the background but what is asked of
    /// them, and followers do not follow.
    pub async fn open_for_upkeep(config: EngineConfig) -> Result<Self> {
        let engine = Self::idle(config).await?;
        crate::index::start(&engine, false);
        Ok(engine)
    }

    /// Opens the store; nothing happens in the background.
    pub(crate) async fn idle(config: EngineConfig) -> Result<Self> {
        let store = Store::open(&config.store).await?;
        let exports = crate::tenants::export_places(config.store.connections);
        let inner = Inner {
            store,
            clock: config.clock,
            catalogs: catalog::cache(),
            shared: Shared::new(),
            callers: Cache::builder().max_capacity(50_000).time_to_live(CALLER_LIFETIME).build(),
            versions: Cache::builder().max_capacity(50_000).build(),
            known_users: Cache::builder().max_capacity(100_000).build(),
            assignment_rules: Cache::builder().max_capacity(10_000).build(),
            spare_turns: crate::assignment::SpareTurns::default(),
            packs: config.packs,
            plans: Cache::builder().max_capacity(100).time_to_live(PLAN_LIFETIME).build(),
            locks: KeyedLocks::default(),
            assessments: KeyedLocks::default(),
            creations: KeyedLocks::default(),
            indexes: Indexes::new(config.index_dir),
            rollups: crate::progress::Progress::default(),
            lists: crate::lists::Known::default(),
            searches: Arc::new(tokio::sync::Semaphore::new(crate::query::places())),
            export_bounds: config.exports,
            exports: Arc::new(tokio::sync::Semaphore::new(exports)),
            pack_runs: Arc::new(tokio::sync::Semaphore::new(1)),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            job_added: tokio::sync::Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The store below, for the engine's own modules.
    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Fails where the database cannot be reached.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store().ping().await?)
    }

    /// Whether the store is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.store().is_postgres()
    }

    /// A session for the holder of a bearer token.
    pub async fn session(&self, secret: &str, origin: Origin) -> Result<Session> {
        let hash = hash_secret(secret);
        let caller = match self.inner.callers.get(&hash).await {
            Some(caller) => caller,
            None => self.load_caller(&hash).await?,
        };
        if caller.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(Error::new(ErrorCode::Unauthenticated, "the token has expired; ask for a new one"));
        }
        let catalog = self.catalog(caller.tenant).await?;
        let is_current = caller.roles_version.is_none_or(|version| version >= catalog.version);
        let caller = if is_current { caller } else { self.load_caller(&hash).await? };
        Ok(Session::new(self.clone(), Credential::Token(hash), caller, catalog, origin))
    }

    /// Reads what a token's hash leads to.
    pub(crate) async fn load_caller(&self, hash: &str) -> Result<Arc<Caller>> {
        let unknown = || Error::new(ErrorCode::Unauthenticated, "the token is not known or has been revoked");
        let owner = access::token_owner(self.store(), hash).await?;
        let Some((tenant, token)) = owner else {
            self.inner.callers.invalidate(hash).await;
            return Err(unknown());
        };
        let mut reader = self.store().read(tenant).await?;
        // The version is read first: what is read after it can only be newer, never older.
        let head = reader.head().await?;
        self.saw_versions(tenant, head.metadata_version, head.access_version).await;
        let token = access::token(&mut reader, token).await?.ok_or_else(unknown)?;
        let given = Given {
            user: engine_model::UserId(token.user_id),
            token: engine_model::TokenId(token.id),
            role: token.role,
            scopes: serde_json::from_str(&token.scopes).map_err(Error::internal)?,
            expires_at: token.expires_at.map(Timestamp),
        };
        let caller = Caller::read(self, reader, given, head.access_version).await?.ok_or_else(unknown)?;
        let caller = Arc::new(caller);
        self.inner.callers.insert(hash.to_owned(), Arc::clone(&caller)).await;
        Ok(caller)
    }

    /// Keeps the newest versions that any statement has seen of a tenant.
    pub(crate) async fn saw_versions(&self, tenant: TenantId, metadata: i64, access: i64) {
        let known = self.inner.versions.get(&tenant).await;
        if known.is_none_or(|known| known.0 < metadata || known.1 < access) {
            let newest = known.map_or((metadata, access), |known| (known.0.max(metadata), known.1.max(access)));
            self.inner.versions.insert(tenant, newest).await;
        }
    }

    /// The tenant's definitions at the newest version that this node has seen.
    pub(crate) async fn catalog(&self, tenant: TenantId) -> Result<Arc<Catalog>> {
        if let Some((version, _)) = self.inner.versions.get(&tenant).await
            && let Some((catalog, _)) = self.inner.catalogs.get(&(tenant.0, version)).await
        {
            return Ok(catalog);
        }
        let mut reader = self.store().read(tenant).await?;
        let (catalog, bytes) = Catalog::load(&mut reader, &self.inner.shared).await?;
        let catalog = Arc::new(catalog);
        self.inner.catalogs.insert((tenant.0, catalog.version), (Arc::clone(&catalog), bytes)).await;
        self.saw_versions(tenant, catalog.version, 0).await;
        Ok(catalog)
    }

    /// Finishes what has begun in the background, then closes the store.
    pub async fn close(&self) {
        self.inner.stopping.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.store().close().await;
    }

    /// A signal that the engine is about to close; streams end by it.
    pub fn stopping(&self) -> CancellationToken {
        self.inner.stopping.clone()
    }
}
