//! What is counted of one route.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::Method;
use metrics::{Counter, Histogram, Key, Label, Recorder};

use super::{METADATA, Metrics};

/// What bounds the requests of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Takes one of the places for requests, and has to be done in time.
    Ordinary,
    /// Lasts as long as it lasts; the handler takes one of the places for streams.
    Stream,
    /// For the machines that watch the server; always let in.
    Operational,
}

/// One route of the router.
#[derive(Debug)]
pub struct RouteEntry {
    pattern: String,
    policy: Policy,
    series: [[OnceLock<Series>; CLASSES.len()]; METHODS.len()],
}

#[derive(Debug)]
struct Series {
    total: Counter,
    duration: Histogram,
}

const METHODS: [&str; 8] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl RouteEntry {
    pub(super) fn new(pattern: String, policy: Policy) -> Self {
        Self { pattern, policy, series: Default::default() }
    }

    /// The route as it is written in the router, `/api/v1/records/{object}`.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// What bounds its requests.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Counts one request.
    pub fn count(&self, metrics: &Metrics, method: &Method, status: u16, duration: Duration) {
        let method = METHODS.iter().position(|name| method == name).unwrap_or(METHODS.len() - 1);
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        let Some(slot) = self.series.get(method).and_then(|classes| classes.get(class)) else { return };
        let series = slot.get_or_init(|| self.register(metrics.recorder(), METHODS[method], CLASSES[class]));
        series.total.increment(1);
        series.duration.record(duration);
    }

    fn register(&self, recorder: &dyn Recorder, method: &'static str, class: &'static str) -> Series {
        let labels = vec![
            Label::new("route", self.pattern.clone()),
            Label::from_static_parts("method", method),
            Label::from_static_parts("status", class),
        ];
        let total = recorder.register_counter(&Key::from_parts("http_requests_total", labels.clone()), &METADATA);
        let duration = Key::from_parts("http_request_duration_seconds", labels);
        Series { total, duration: recorder.register_histogram(&duration, &METADATA) }
    }
}
