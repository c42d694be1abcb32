//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;

use engine::Engine;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{HttpConfig, Secret};
use crate::data_dir::DataDir;
use crate::extract::BodyBudget;
use crate::health::Readiness;
use crate::metrics::Metrics;
use crate::openapi::StaticDocument;

/// Shared by all requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

/// What is shared.
#[derive(Debug)]
pub struct Shared {
    /// The engine.
    pub engine: Engine,
    /// Bearer token that manages tenants.
    pub platform_token: Option<Secret>,
    /// The same for commands on this machine, which find it in the data folder.
    pub operator_token: Secret,
    /// Bounds of what is taken.
    pub http: HttpConfig,
    /// The server's own folder.
    pub data_dir: DataDir,
    /// Memory for bodies.
    pub bodies: BodyBudget,
    /// Places for requests in work.
    pub requests: Arc<Semaphore>,
    /// Places for streams and long polls.
    pub streams: Arc<Semaphore>,
    /// Counters and histograms.
    pub metrics: Metrics,
    /// Whether the store can be reached.
    pub readiness: Readiness,
    /// The OpenAPI document of what every tenant has.
    pub document: StaticDocument,
    /// Cancelled when the server stops; streams end then.
    pub stop: CancellationToken,
    /// What the server waits for before it ends.
    pub tasks: TaskTracker,
}

impl AppState {
    /// State of one server.
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
