//! Counts a request and writes its one line, also when the caller went away before the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};

use crate::metrics::{Policy, RouteEntry};
use crate::state::AppState;

/// What a request is summed up as when its caller did not wait for the answer. No status of HTTP; proxies log it so.
const GONE: u16 = 499;

/// The request as it will be summed up. Dropped inside the request's span.
pub(super) struct Summary {
    state: AppState,
    route: Arc<RouteEntry>,
    method: Method,
    began: Instant,
    status: u16,
}

impl Summary {
    pub(super) fn begin(state: AppState, route: Arc<RouteEntry>, method: Method) -> Self {
        Self { state, route, method, began: Instant::now(), status: GONE }
    }

    /// The head of the answer is ready.
    pub(super) fn end(mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    fn log(&self, duration: Duration) {
        let (method, route, status) = (self.method.as_str(), self.route.pattern(), self.status);
        let duration_ms = f64::from(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)) / 1000.0;
        match self.route.policy() {
            // Probes come every few seconds and tell nobody anything.
            Policy::Operational => tracing::debug!(method, route, status, duration_ms, "{method} {route} {status}"),
            Policy::Ordinary | Policy::Stream => {
                tracing::info!(method, route, status, duration_ms, "{method} {route} {status}");
            }
        }
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        let duration = self.began.elapsed();
        self.route.count(&self.state.metrics, &self.method, self.status, duration);
        self.log(duration);
    }
}
