//! A follower that asks the test what to answer, and the database that it follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::exports::ExportBounds;
use engine::model::TenantId;
use engine::model::time::Timestamp;
use engine::{
    Clock, Engine, EngineConfig, Error, ErrorCode, Follower, Following, NewTenant, Origin, Result, Session, StoreConfig,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

use crate::support::input;

/// How long anything that will happen may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A follower that asks the test what to answer.
#[derive(Debug)]
struct Asking {
    name: &'static str,
    calls: mpsc::UnboundedSender<Call>,
}

impl Follower for Asking {
    fn name(&self) -> &'static str {
        self.name
    }

    fn follow<'a>(&'a self, tenant: TenantId, changes: &'a [Following]) -> BoxFuture<'a, Result<()>> {
        let (answer, answered) = oneshot::channel();
        let sequences = changes.iter().map(|change| change.sequence).collect();
        self.calls.send(Call { tenant, sequences, answer }).expect("a test that listens");
        async { answered.await.expect("a call that is dropped is a panic of the follower") }.boxed()
    }
}

/// A call of a follower, which goes on until it is answered.
#[derive(Debug)]
pub(super) struct Call {
    tenant: TenantId,
    sequences: Vec<i64>,
    answer: oneshot::Sender<Result<()>>,
}

impl Call {
    pub(super) fn told(&self) -> (TenantId, Vec<i64>) {
        (self.tenant, self.sequences.clone())
    }

    pub(super) fn take_over(self) -> (TenantId, Vec<i64>) {
        let told = self.told();
        self.answer.send(Ok(())).expect("a follower that waits");
        told
    }

    pub(super) fn fail(self) -> (TenantId, Vec<i64>) {
        let told = self.told();
        let error = Error::new(ErrorCode::Unavailable, "not now");
        self.answer.send(Err(error)).expect("a follower that waits");
        told
    }
}

/// The calls of one follower.
pub(super) struct Calls(mpsc::UnboundedReceiver<Call>);

impl Calls {
    pub(super) async fn next(&mut self) -> Call {
        tokio::time::timeout(PATIENCE, self.0.recv()).await.expect("a call in time").expect("a follower")
    }

    /// Takes over whatever comes until these logs have been told, each in order and nothing twice.
    pub(super) async fn take_over(&mut self, logs: &BTreeMap<TenantId, Vec<i64>>) {
        let mut told: BTreeMap<TenantId, Vec<i64>> = BTreeMap::new();
        while told.values().map(Vec::len).sum::<usize>() < logs.values().map(Vec::len).sum() {
            let (tenant, sequences) = self.next().await.take_over();
            told.entry(tenant).or_default().extend(sequences);
        }
        assert_eq!(told, *logs);
    }

    pub(super) fn assert_silent(&mut self) {
        assert_eq!(self.0.try_recv().map(|call| call.told()), Err(mpsc::error::TryRecvError::Empty));
    }

    /// The engine is closed, and there were no further calls.
    pub(super) async fn end(mut self) {
        let last = tokio::time::timeout(PATIENCE, self.0.recv()).await.expect("the end in time");
        assert_eq!(last.map(|call| call.told()), None);
    }
}

pub(super) fn follower(name: &'static str) -> (Arc<dyn Follower>, Calls) {
    let (calls, received) = mpsc::unbounded_channel();
    (Arc::new(Asking { name, calls }), Calls(received))
}

#[derive(Debug)]
struct StandingStill;

impl Clock for StandingStill {
    fn now(&self) -> Timestamp {
        Timestamp(1_767_323_045_000_000)
    }
}

/// A database on which engines are opened and closed.
pub(super) struct Database(TempDir);

impl Database {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(super) async fn open(&self, followers: impl IntoIterator<Item = Arc<dyn Follower>>) -> Engine {
        Engine::open(self.config(followers)).await.expect("an engine")
    }

    pub(super) fn config(&self, followers: impl IntoIterator<Item = Arc<dyn Follower>>) -> EngineConfig {
        let store = StoreConfig::sqlite(&self.0.path().join("test.db"));
        let followers = followers.into_iter().collect();
        let index_dir = self.0.path().join("index");
        let exports = ExportBounds::within(self.0.path());
        EngineConfig { store, index_dir, clock: Arc::new(StandingStill), packs: Vec::new(), exports, followers }
    }
}

/// A tenant and its owner's token.
pub(super) struct Acme {
    pub(super) id: TenantId,
    secret: String,
}

/// Tenants with one change each, and their logs.
pub(super) async fn tenants<const COUNT: usize>(engine: &Engine) -> ([Acme; COUNT], BTreeMap<TenantId, Vec<i64>>) {
    let mut tenants = Vec::new();
    let mut logs = BTreeMap::new();
    for number in 0..COUNT {
        let acme = Acme::new(engine, &format!("acme-{number}")).await;
        logs.insert(acme.id, vec![acme.write(engine).await]);
        tenants.push(acme);
    }
    (tenants.try_into().map_err(drop).expect("as many as asked for"), logs)
}

impl Acme {
    pub(super) async fn new(engine: &Engine, slug: &str) -> Self {
        let new = NewTenant { slug: slug.to_owned(), ..NewTenant::default() };
        let (tenant, secret) = engine.tenant_create(new, None).await.expect("a tenant");
        Self { id: tenant.id, secret }
    }

    pub(super) async fn session(&self, engine: &Engine) -> Session {
        let origin = Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
        engine.session(&self.secret, origin).await.expect("a session")
    }

    /// Appends one change; its sequence.
    pub(super) async fn write(&self, engine: &Engine) -> i64 {
        let mut session = self.session(engine).await;
        let made = session.record_create("company", input(&json!({"name": "Acme"}))).await.expect("a record");
        made.sequence.0
    }
}
