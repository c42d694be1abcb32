//! What machines ask: is the process alive, can it work, how is it doing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures::future::BoxFuture;
use utoipa::ToSchema;

use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

/// Longest that a probe waits for the store.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks whether the store can be reached. `Err` says what is in the way, for the log.
#[derive(Clone)]
pub struct Readiness(Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>);

impl Readiness {
    /// Readiness by asking `probe` each time.
    pub fn new<F>(probe: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(probe())))
    }

    async fn check(&self) -> Result<(), String> {
        let late = |_| format!("the store did not answer within {} s", PROBE_TIMEOUT.as_secs());
        tokio::time::timeout(PROBE_TIMEOUT, (self.0)()).await.map_err(late)?
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Readiness(…)")
    }
}

/// How the server is.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"status": "ready"}))]
pub(crate) struct Health {
    /// `alive` or `ready`.
    #[expect(dead_code, reason = "describes the answer, which is written as it is")]
    status: &'static str,
}

/// Whether the process runs.
#[utoipa::path(get, path = "/healthz", tag = "operations", security(()),
    responses((status = 200, description = "The process runs", body = Health)))]
pub(crate) async fn live() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"alive"}"#)
}

/// Whether requests can be done.
#[utoipa::path(get, path = "/readyz", tag = "operations", security(()),
    responses((status = 200, description = "Requests can be done", body = Health),
        (status = 503, description = "The store cannot be reached, or the server is stopping")))]
pub(crate) async fn ready(State(state): State<AppState>) -> ApiResult<impl IntoResponse> {
    if state.stop.is_cancelled() {
        return Err(ApiError::unavailable("the server is stopping"));
    }
    match state.readiness.check().await {
        Ok(()) => Ok(([(header::CONTENT_TYPE, "application/json")], r#"{"status":"ready"}"#)),
        Err(reason) => {
            tracing::warn!(reason, "the store cannot be reached");
            Err(ApiError::unavailable("the store cannot be reached"))
        }
    }
}

/// Counters and histograms in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", security(()),
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    let taken = |most: usize, left: usize| f64::from(u32::try_from(most.saturating_sub(left)).unwrap_or(u32::MAX));
    let requests = taken(state.http.max_requests, state.requests.available_permits());
    let streams = taken(state.http.max_streams, state.streams.available_permits());
    state.metrics.set_gauge("http_requests_in_flight", requests);
    state.metrics.set_gauge("http_streams_in_flight", streams);
    state.metrics.set_index(&state.engine.index_status());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics.render())
}
