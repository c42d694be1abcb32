//! An engine on a database of its own, and the plain things that tests do with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use engine::exports::ExportBounds;
use engine::model::time::Timestamp;
use engine::records::{Done, Mode, Operation, RecordInput, Step, Target, View};
use engine::{Clock, Engine, EngineConfig, Error, NewTenant, NewToken, Origin, Session, StoreConfig};
use engine_store::Store;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A clock that only tests move.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn advance(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(START))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// 2026-01-02T03:04:05Z.
const START: i64 = 1_767_323_045_000_000;

/// An engine with one tenant.
pub(crate) struct Home {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    secret: String,
    folder: TempDir,
}

impl Home {
    pub(crate) async fn open() -> Self {
        Self::with_profile("generic").await
    }

    pub(crate) async fn with_profile(profile: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        let engine = open(&folder, &clock).await;
        Self::on(engine, clock, folder, profile).await
    }

    /// One whose jobs wait for ever.
    pub(crate) async fn without_workers() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        let engine = Engine::open_for_upkeep(engine_config(&folder, &clock)).await.expect("an engine");
        Self::on(engine, clock, folder, "generic").await
    }

    async fn on(engine: Engine, clock: Arc<ManualClock>, folder: TempDir, profile: &str) -> Self {
        let new = NewTenant { slug: "acme".to_owned(), profile: Some(profile.to_owned()), ..NewTenant::default() };
        let (_, secret) = engine.tenant_create(new, None).await.expect("a tenant");
        Self { engine, clock, secret, folder }
    }

    /// Another engine on the same database.
    pub(crate) async fn second_engine(&self) -> Engine {
        open(&self.folder, &self.clock).await
    }

    /// The store below, for what no session can bring about.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&config(&self.folder)).await.expect("a store")
    }

    /// A session of the tenant's owner.
    pub(crate) async fn session(&self) -> Session {
        self.session_on(&self.engine).await
    }

    pub(crate) async fn session_on(&self, engine: &Engine) -> Session {
        engine.session(&self.secret, origin()).await.expect("a session")
    }

    /// A session of a service with this role.
    pub(crate) async fn session_as(&self, role: &str) -> Session {
        let new = NewToken { name: role.to_owned(), role: Some(role.to_owned()), ..NewToken::default() };
        let made = self.session().await.token_create(new, None).await.expect("a token");
        self.engine.session(&made.value.1, origin()).await.expect("a session")
    }
}

async fn open(folder: &TempDir, clock: &Arc<ManualClock>) -> Engine {
    Engine::open(engine_config(folder, clock)).await.expect("an engine")
}

fn engine_config(folder: &TempDir, clock: &Arc<ManualClock>) -> EngineConfig {
    let store = config(folder);
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    // Each engine has indexes of its own.
    let index_dir = tempfile::tempdir_in(folder.path()).expect("a folder").keep();
    let exports = ExportBounds::within(folder.path());
    EngineConfig { store, index_dir, clock, packs: Vec::new(), exports, followers: Vec::new() }
}

fn config(folder: &TempDir) -> StoreConfig {
    StoreConfig::sqlite(&folder.path().join("test.db"))
}

fn origin() -> Origin {
    Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None }
}

/// A JSON object.
pub(crate) fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object is expected, not {value}") };
    map
}

/// Properties as a caller sends them.
pub(crate) fn input(properties: &Value) -> RecordInput {
    let properties = serde_json::from_value(properties.clone()).expect("properties");
    RecordInput { properties, ..RecordInput::default() }
}

/// Makes a record; its id.
pub(crate) async fn create(session: &mut Session, object: &str, properties: Value) -> String {
    let made = session.record_create(object, input(&properties)).await.expect("a record");
    made.value.record.expect("a record").id.to_string()
}

/// Makes many records in batches; their ids.
pub(crate) async fn create_many(
    session: &mut Session,
    object: &str,
    all: impl IntoIterator<Item = Value>,
) -> Vec<String> {
    let make = |properties| Operation::Create { object: object.to_owned(), input: input(&properties) };
    let steps: Vec<Step> = all.into_iter().map(|properties| Step::from(make(properties))).collect();
    let mut ids = Vec::with_capacity(steps.len());
    for batch in steps.chunks(1_000) {
        let done = session.execute(batch, Mode::Each, None).await.expect("a batch").value;
        ids.extend(done.into_iter().map(|done| done.expect("a record").record.expect("a record").id.to_string()));
    }
    ids
}

/// Changes a record.
pub(crate) async fn update(session: &mut Session, object: &str, id: &str, properties: Value) -> Result<Done, Error> {
    Ok(session.record_update(object, Target::id(id), input(&properties)).await?.value)
}

/// Archives a record.
pub(crate) async fn archive(session: &mut Session, object: &str, id: &str) {
    let (object, target) = (object.to_owned(), Target::id(id));
    session.perform(Operation::Archive { object, target, version: None }, None).await.expect("an archived record");
}

/// Links two records.
pub(crate) async fn associate(session: &mut Session, kind: &str, from: &str, to: &str, properties: Value) {
    let operation = Operation::Associate {
        kind: kind.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        label: None,
        properties: input(&properties).properties,
        replace: false,
    };
    session.perform(operation, None).await.expect("a link");
}

/// A record's properties.
pub(crate) async fn read(session: &mut Session, object: &str, id: &str) -> Value {
    let found = session.record_read(object, &Target::id(id), &View::default()).await.expect("a record");
    serde_json::from_str(found.record.properties.get()).expect("properties")
}

/// What an error says: its code, and pointer and code of each problem.
pub(crate) fn said(error: &Error) -> (&'static str, Vec<(String, &'static str)>) {
    let problems = error.problems.iter().map(|problem| (problem.pointer.clone(), problem.code));
    (error.code.as_str(), problems.collect())
}

/// The records in the way: pointer, count and samples of each problem.
pub(crate) fn in_the_way(error: &Error) -> Value {
    assert_eq!(error.code.as_str(), "records_in_the_way", "{error:?}");
    error.problems.iter().map(|problem| json!([problem.pointer, problem.count, problem.samples])).collect()
}
