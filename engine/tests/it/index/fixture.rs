//! A database with a tenant, engines on it that come and go, and what their indexes hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use engine::exports::ExportBounds;
use engine::model::time::Timestamp;
use engine::model::{RecordId, Sequence, TenantId};
use engine::records::{Operation, Target};
use engine::{Clock, Engine, EngineConfig, ErrorCode, NewTenant, Origin, SearchView, Session, StoreConfig};
use engine_search::Entry;
use serde_json::json;
use tempfile::TempDir;
use throwaway_postgres::Database;

use crate::support::{create, map};

/// Longest that anything is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Makes two tests of each function, one for each store.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(crate::index::fixture::World::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(crate::index::fixture::World::postgres().await).await;
            }
        })*
    };
}
pub(super) use on_both;

/// Goes on by a millisecond whenever it is asked.
#[derive(Debug)]
struct Going(AtomicI64);

impl Clock for Going {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}

/// A database with a tenant that has the object `site` and the association `near`.
pub(super) struct World {
    store: StoreConfig,
    pub(super) folder: TempDir,
    _database: Option<Database>,
    pub(super) tenant: TenantId,
    secret: String,
}

/// What is known of a record: object, version and whether it is archived.
pub(super) type Records = BTreeMap<i64, (String, i64, bool)>;

impl World {
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = StoreConfig::sqlite(&folder.path().join("test.db"));
        Self::new(folder, store, None).await
    }

    pub(super) async fn postgres() -> Self {
        let database = throwaway_postgres::database().expect("a database");
        let migration_url = Some(database.migration_url().to_owned());
        let store = StoreConfig { url: database.url().to_owned(), migration_url, connections: 8 };
        Self::new(tempfile::tempdir().expect("a folder"), store, Some(database)).await
    }

    async fn new(folder: TempDir, store: StoreConfig, database: Option<Database>) -> Self {
        let mut world = Self { store, folder, _database: database, tenant: TenantId(0), secret: String::new() };
        let engine = world.open("making").await;
        (world.tenant, world.secret) = world.add_tenant(&engine, "acme").await;
        engine.close().await;
        world
    }

    /// A tenant with the object and the association; its id and its owner's token.
    pub(super) async fn add_tenant(&self, engine: &Engine, slug: &str) -> (TenantId, String) {
        let new = NewTenant { slug: slug.to_owned(), ..NewTenant::default() };
        let (tenant, secret) = engine.tenant_create(new, None).await.expect("a tenant");
        let mut session = session(engine, &secret).await;
        let site = json!({"name": "site", "properties": {
            "name": {"type": "string"}, "size": {"type": "decimal", "scale": 1},
        }});
        session.object_define(map(site), None).await.expect("an object");
        let near = json!({"name": "near", "from": "site", "to": "site", "cardinality": "many_to_many"});
        session.association_define(map(near), None).await.expect("an association");
        (tenant.id, secret)
    }

    /// An engine whose indexes stand in a folder of this name.
    pub(super) async fn open(&self, name: &str) -> Engine {
        Engine::open(self.config(name)).await.expect("an engine")
    }

    /// The same, but no log is followed before somebody asks.
    pub(super) async fn open_asked_only(&self, name: &str) -> Engine {
        Engine::open_for_upkeep(self.config(name)).await.expect("an engine")
    }

    pub(super) fn config(&self, name: &str) -> EngineConfig {
        let clock = Arc::new(Going(AtomicI64::new(1_767_323_045_000_000)));
        let (store, index_dir) = (self.store.clone(), self.index_dir(name));
        let exports = ExportBounds::within(&index_dir);
        EngineConfig { store, index_dir, clock, packs: Vec::new(), exports, followers: Vec::new() }
    }

    pub(super) fn index_dir(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Folders of the tenant's index, one for each generation.
    pub(super) fn generations(&self, name: &str) -> Vec<String> {
        let folder = self.index_dir(name).join(self.tenant.to_string());
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub(super) async fn session(&self, engine: &Engine) -> Session {
        session(engine, &self.secret).await
    }

    /// The records that the index holds once it has all that was written by now.
    pub(super) async fn indexed(&self, engine: &Engine) -> Records {
        records(&reached(engine, self.tenant, head(&self.session(engine).await).await).await)
    }

    /// Fails unless the index holds what the store has, and all of it.
    pub(super) async fn assert_same(&self, engine: &Engine) {
        let check = engine.index_check(self.tenant).await.expect("a check");
        assert_eq!((check.count, check.differences), (0, Vec::new()));
    }
}

pub(super) async fn session(engine: &Engine, secret: &str) -> Session {
    let origin = Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
    engine.session(secret, origin).await.expect("a session")
}

/// Where the log stands.
pub(super) async fn head(session: &Session) -> Sequence {
    session.log_position().await.expect("a position")
}

/// The index once it has reached a position, also where it has to be made first.
pub(super) async fn reached(engine: &Engine, tenant: TenantId, position: Sequence) -> SearchView {
    let reached = async {
        loop {
            match engine.search_view(tenant, position).await {
                Ok(view) => return view,
                Err(error) => assert_eq!(error.code, ErrorCode::Unavailable, "{error:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("in time")
}

/// The index once nothing is left to be filled, which goes on with what is written.
pub(super) async fn filled(engine: &Engine, session: &mut Session, tenant: TenantId) -> SearchView {
    let filled = async {
        loop {
            new_site(session, "more").await;
            let view = reached(engine, tenant, head(session).await).await;
            if view.filling().next().is_none() {
                return view;
            }
        }
    };
    tokio::time::timeout(PATIENCE, filled).await.expect("in time")
}

/// The records that an index holds, each once.
pub(super) fn records(view: &SearchView) -> Records {
    let mut records = Records::new();
    let visit = |entry: Entry<'_>| {
        let known = (entry.object.to_owned(), entry.version.expect("a version"), entry.is_archived);
        assert_eq!(records.insert(entry.id.0, known), None, "record {} is there twice", entry.id);
    };
    view.each_entry(&(RecordId(1)..=RecordId(i64::MAX)), visit).expect("entries");
    records
}

/// The links that an index holds, each once.
pub(super) fn links(view: &SearchView) -> Vec<(i64, i64)> {
    let mut links = Vec::new();
    let all = RecordId(1)..=RecordId(i64::MAX);
    view.each_link_from(&all, |ends| links.push((ends.from.0, ends.to.0))).expect("links");
    links.sort_unstable();
    links
}

pub(super) fn site(version: i64, is_archived: bool) -> (String, i64, bool) {
    ("site".to_owned(), version, is_archived)
}

/// Makes a site; its id.
pub(super) async fn new_site(session: &mut Session, name: &str) -> String {
    create(session, "site", json!({"name": name, "size": "1.5"})).await
}

/// Makes some sites; their ids.
pub(super) async fn new_sites(session: &mut Session, count: usize) -> Vec<String> {
    let sites = (0..count).map(|number| json!({"name": format!("site {number}"), "size": number}));
    crate::support::create_many(session, "site", sites).await
}

pub(super) async fn restore(session: &mut Session, id: &str) {
    perform(session, Operation::Restore { object: "site".to_owned(), target: Target::id(id) }).await;
}

pub(super) async fn purge(session: &mut Session, id: &str) {
    perform(session, Operation::Purge { object: "site".to_owned(), target: Target::id(id) }).await;
}

pub(super) async fn unlink(session: &mut Session, from: &str, to: &str) {
    let (kind, from, to) = ("near".to_owned(), from.to_owned(), to.to_owned());
    perform(session, Operation::Dissociate { kind, from, to }).await;
}

async fn perform(session: &mut Session, operation: Operation) {
    session.perform(operation, None).await.expect("done");
}

/// Copies a folder with all that is in it, as a crash leaves it.
pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            // What is removed meanwhile was not needed.
            false => drop(std::fs::copy(&from, &to)),
        }
    }
}
