//! A store with an engine on it, tenants without packs, and what a step leaves.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::exports::ExportBounds;
use engine::{Engine, EngineConfig, ImportedTenant, Origin, Session, StoreConfig};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tempfile::TempDir;
use throwaway_postgres::Database;

use super::Step;
use super::definitions::Shot;
use super::reference::Reference;
use crate::support::ManualClock;

/// A tenant that has nothing, not even packs.
const EMPTY: &str = include_str!("../../../../tests/testdata/tenant-1.ndjson");

pub(super) struct Home {
    pub(super) engine: Engine,
    pub(super) clock: Arc<ManualClock>,
    tenants: AtomicU64,
    _folder: TempDir,
    _database: Option<Database>,
}

impl Home {
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = StoreConfig::sqlite(&folder.path().join("test.db"));
        Self::open(store, folder, None).await
    }

    pub(super) async fn postgres() -> Self {
        let database = throwaway_postgres::database().expect("a database");
        let migration_url = Some(database.migration_url().to_owned());
        let store = StoreConfig { url: database.url().to_owned(), migration_url, connections: 8 };
        Self::open(store, tempfile::tempdir().expect("a folder"), Some(database)).await
    }

    async fn open(store: StoreConfig, folder: TempDir, database: Option<Database>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let index_dir = folder.path().join("index");
        let (packs, followers) = (Vec::new(), Vec::new());
        let exports = ExportBounds::within(folder.path());
        let clock_of = Arc::<ManualClock>::clone(&clock);
        let config = EngineConfig { store, index_dir, clock: clock_of, packs, exports, followers };
        let engine = Engine::open(config).await.expect("an engine");
        Self { engine, clock, tenants: AtomicU64::new(0), _folder: folder, _database: database }
    }

    /// A session of the owner of a new tenant.
    pub(super) async fn tenant(&self) -> Session {
        let slug = format!("tenant-{}", self.tenants.fetch_add(1, Ordering::Relaxed));
        let new = ImportedTenant { slug, name: None };
        let (_, secret) =
            self.engine.tenant_import(Cursor::new(EMPTY.as_bytes().to_vec()), new).await.expect("a tenant");
        let origin = Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
        self.engine.session(&secret, origin).await.expect("a session")
    }
}

/// A tenant, and what should be there.
pub(super) struct World<'h> {
    pub(super) home: &'h Home,
    pub(super) session: Session,
    pub(super) reference: Reference,
    /// What was done.
    pub(super) told: Vec<String>,
}

impl<'h> World<'h> {
    pub(super) async fn new(home: &'h Home) -> Self {
        let session = home.tenant().await;
        Self { home, session, reference: Reference::default(), told: Vec::new() }
    }

    /// Does a step and looks at everything; what is wrong.
    pub(super) async fn take(&mut self, step: Step) -> Result<(), String> {
        self.home.clock.advance(1_000_000);
        let mut random = StdRng::seed_from_u64(step.seed);
        let before = Shot::of(&mut self.session).await;
        let outcome = self.perform(step.kind, &before, &mut random).await?;
        self.wait().await?;
        let after = Shot::of(&mut self.session).await;
        self.check(&before, &after, outcome, &mut random).await
    }

    /// Waits for the jobs.
    pub(super) async fn wait(&mut self) -> Result<(), String> {
        loop {
            let jobs = self.session.job_list(200, None).await.map_err(|error| format!("{error:?}"))?.results;
            if let Some(job) = jobs.iter().find(|job| job.state == engine::JobState::Failed) {
                return Err(format!("a job has failed: {job:?}"));
            }
            if jobs.iter().all(|job| job.state.has_ended()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
