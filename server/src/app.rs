//! Puts a server together, starts it and stops it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::exports::ExportBounds;
use engine::{Engine, EngineConfig, StoreConfig};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::connections::{self, Ends};
use crate::data_dir::DataDir;
use crate::extract::BodyBudget;
use crate::first_tenant::{self, FirstTenant};
use crate::health::Readiness;
use crate::metrics::Metrics;
use crate::openapi::StaticDocument;
use crate::operator::{OperatorFile, random_token};
use crate::packs_dir;
use crate::router;
use crate::routes::Routes;
use crate::state::{AppState, Shared};

/// Longest that requests in work are waited for.
const GRACE: Duration = Duration::from_secs(25);
/// How often samples are sorted into buckets.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A server that accepts connections. Dropping it leaves it running; [`stop`](Self::stop) it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    ends: Ends,
    accepting: JoinHandle<()>,
    engine: Engine,
    first_tenant: Option<FirstTenant>,
    operator_file: OperatorFile,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Everything that had begun was finished.
    Finished,
    /// Some requests took longer than the server waits and were cut off.
    CutOff,
}

impl Server {
    /// Opens everything, listens, and returns once connections are accepted.
    pub async fn start(config: &Config) -> anyhow::Result<Running> {
        start(config, router::routes()).await
    }

    /// The same without making a first tenant.
    pub async fn start_as_is(config: &Config) -> anyhow::Result<Running> {
        Opened::open(config, open_engine(config)).await?.accept(config, router::routes(), None)
    }

    /// The same for the upkeep of its search indexes: nothing is done by itself.
    pub async fn start_for_upkeep(config: &Config) -> anyhow::Result<Running> {
        Opened::open(config, open_engine_for_upkeep(config)).await?.accept(config, router::routes(), None)
    }
}

async fn start(config: &Config, routes: Routes) -> anyhow::Result<Running> {
    let opened = Opened::open(config, open_engine(config)).await?;
    let first_tenant = first_tenant::ensure(&opened.engine, &config.tenants).await?;
    opened.accept(config, routes, first_tenant)
}

/// What a server needs, before it accepts connections.
struct Opened {
    listener: TcpListener,
    address: SocketAddr,
    data_dir: DataDir,
    engine: Engine,
}

impl Opened {
    async fn open(config: &Config, engine: impl Future<Output = anyhow::Result<Engine>>) -> anyhow::Result<Self> {
        let listen = config.http.listen.as_str();
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on `{listen}`"))?;
        let address = listener.local_addr().context("the address listened on is unknown")?;
        let data_dir = DataDir::open(&config.storage.data_dir)?;
        let engine = engine.await?;
        Ok(Self { listener, address, data_dir, engine })
    }

    fn accept(self, config: &Config, routes: Routes, first_tenant: Option<FirstTenant>) -> anyhow::Result<Running> {
        let Self { listener, address, data_dir, engine } = self;
        let (service, state) = build(config, routes, data_dir, engine.clone())?;
        let operator_file = OperatorFile::write(state.data_dir.folder(), address, &state.operator_token)?;
        let ends = Ends { stop: state.stop.clone(), halt: CancellationToken::new(), tasks: state.tasks.clone() };
        let accepting = tokio::spawn(connections::accept(listener, service, config.http.clone(), ends.clone()));
        tokio::spawn(tidy(state));
        Ok(Running { address, ends, accepting, engine, first_tenant, operator_file })
    }
}

impl Running {
    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The tenant that this start made, if the store was empty.
    pub fn first_tenant(&self) -> Option<&FirstTenant> {
        self.first_tenant.as_ref()
    }

    /// Accepts nothing more, tells streams to end, finishes what has begun, and cuts off what takes too long.
    pub async fn stop(self) -> Stopped {
        self.stop_within(GRACE).await
    }

    async fn stop_within(self, grace: Duration) -> Stopped {
        self.ends.stop.cancel();
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the listener did not end as it should");
        }
        self.ends.tasks.close();
        let stopped = match tokio::time::timeout(grace, self.ends.tasks.wait()).await {
            Ok(()) => Stopped::Finished,
            Err(_) => {
                tracing::warn!("{} requests or streams are cut off", self.ends.tasks.len());
                Stopped::CutOff
            }
        };
        self.ends.halt.cancel();
        drop(self.operator_file);
        self.engine.close().await;
        stopped
    }
}

pub(crate) async fn open_engine(config: &Config) -> anyhow::Result<Engine> {
    Engine::open(engine_config(config)?).await.map_err(in_words)
}

/// The engine for the upkeep of its search indexes, which does nothing by itself.
pub(crate) async fn open_engine_for_upkeep(config: &Config) -> anyhow::Result<Engine> {
    Engine::open_for_upkeep(engine_config(config)?).await.map_err(in_words)
}

fn engine_config(config: &Config) -> anyhow::Result<EngineConfig> {
    let storage = &config.storage;
    let url = storage.database_url.expose().to_owned();
    let connections = if url.starts_with("sqlite:") { storage.readers } else { storage.connections };
    let migration_url = storage.migration_url.as_ref().map(|url| url.expose().to_owned());
    let store = StoreConfig { url, migration_url, connections };
    let packs = packs_dir::read(&storage.packs_dirs)?;
    let index_dir = storage.data_dir.join("index");
    let scratch_dir = storage.data_dir.join("uploads");
    let exports = ExportBounds { max_bytes: storage.max_export_bytes, scratch_dir };
    Ok(EngineConfig { store, index_dir, clock: Arc::new(SystemClock), packs, exports, followers: Vec::new() })
}

fn in_words(error: engine::Error) -> anyhow::Error {
    match error.source {
        // What the store refuses, it refuses with words for the operator.
        Some(source) => anyhow::anyhow!("the store cannot be opened: {source}"),
        None => anyhow::Error::new(error),
    }
}

/// The service and its state; also what tests call without a listener.
pub(crate) fn build(
    config: &Config,
    routes: Routes,
    data_dir: DataDir,
    engine: Engine,
) -> anyhow::Result<(axum::Router, AppState)> {
    let (router, document, policies) = routes.split();
    let (probed, reached) = (data_dir.uploads().to_owned(), engine.clone());
    let state = AppState::new(Shared {
        engine,
        platform_token: config.tenants.platform_token.clone(),
        operator_token: random_token()?,
        bodies: BodyBudget::new(config.http.max_buffered_bytes),
        requests: Arc::new(Semaphore::new(config.http.max_requests.min(Semaphore::MAX_PERMITS))),
        streams: Arc::new(Semaphore::new(config.http.max_streams.min(Semaphore::MAX_PERMITS))),
        metrics: Metrics::new(policies).context("metrics")?,
        readiness: Readiness::new(move || {
            let (probed, reached) = (probed.clone(), reached.clone());
            async move {
                tokio::fs::metadata(&probed).await.map(drop).map_err(|error| error.to_string())?;
                reached.ping().await.map_err(|error| error.to_string())
            }
        }),
        document: StaticDocument::new(&document).context("the API's description")?,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        http: config.http.clone(),
        data_dir,
    });
    Ok((router::service(router, state.clone()), state))
}

async fn tidy(state: AppState) {
    let mut ticks = tokio::time::interval(TIDY_EVERY);
    while state.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        state.metrics.tidy();
    }
}

#[cfg(test)]
mod tests;
