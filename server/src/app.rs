//! Puts a server together, starts it and stops it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::connections::{self, Ends};
use crate::data_dir::DataDir;
use crate::extract::BodyBudget;
use crate::health::Readiness;
use crate::metrics::Metrics;
use crate::openapi::StaticDocument;
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
}

async fn start(config: &Config, routes: Routes) -> anyhow::Result<Running> {
    let listen = config.http.listen.as_str();
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on `{listen}`"))?;
    let address = listener.local_addr().context("the address listened on is unknown")?;
    let (service, state) = build(config, routes)?;
    let ends = Ends { stop: state.stop.clone(), halt: CancellationToken::new(), tasks: state.tasks.clone() };
    let accepting = tokio::spawn(connections::accept(listener, service, config.http.clone(), ends.clone()));
    tokio::spawn(tidy(state));
    Ok(Running { address, ends, accepting })
}

impl Running {
    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
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
        stopped
    }
}

/// The service and its state; also what tests call without a listener.
pub(crate) fn build(config: &Config, routes: Routes) -> anyhow::Result<(axum::Router, AppState)> {
    let data_dir = DataDir::open(&config.storage.data_dir)?;
    let (router, document, policies) = routes.split();
    let probed = data_dir.uploads().to_owned();
    let state = AppState::new(Shared {
        bodies: BodyBudget::new(config.http.max_buffered_bytes),
        requests: Arc::new(Semaphore::new(config.http.max_requests.min(Semaphore::MAX_PERMITS))),
        streams: Arc::new(Semaphore::new(config.http.max_streams.min(Semaphore::MAX_PERMITS))),
        metrics: Metrics::new(policies).context("metrics")?,
        readiness: Readiness::new(move || {
            let probed = probed.clone();
            async move { tokio::fs::metadata(&probed).await.map(drop).map_err(|error| error.to_string()) }
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
