//! Counters and histograms for Prometheus.
//!
//! Each server has its own, so that several can run in one process. Handles are made once for each series and kept,
//! because looking one up costs more than a read of a record may.

mod index;
mod process;
mod route;

use std::collections::HashMap;
use std::sync::Arc;

use metrics::{Key, KeyName, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusRecorder};

pub use route::{Policy, RouteEntry};

/// Upper bounds of the histogram's buckets, in seconds.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

static METADATA: Metadata<'static> = Metadata::new("server", Level::INFO, None);

/// What one server counts.
#[derive(Debug)]
pub struct Metrics {
    recorder: PrometheusRecorder,
    routes: HashMap<String, Arc<RouteEntry>>,
    unmatched: Arc<RouteEntry>,
}

impl Metrics {
    /// Metrics of a server with these routes.
    pub fn new(routes: impl IntoIterator<Item = (String, Policy)>) -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(BUCKETS)?.build_recorder();
        let describe =
            |name, text: &'static str| recorder.describe_counter(KeyName::from_const_str(name), None, text.into());
        describe("http_requests_total", "Requests by route, method and class of status.");
        describe("http_request_duration_seconds", "Time from a request's head to its answer's head.");
        describe("http_requests_in_flight", "Requests in work.");
        describe("http_streams_in_flight", "Streams and long polls that are open.");
        process::describe(&describe);
        index::describe(&describe);
        let entry = |path, policy| Arc::new(RouteEntry::new(path, policy));
        let routes = routes.into_iter().map(|(path, policy)| (path.clone(), entry(path, policy))).collect();
        Ok(Self { recorder, routes, unmatched: entry("unmatched".to_owned(), Policy::Ordinary) })
    }

    /// The route of that pattern; one for all paths that lead nowhere.
    pub fn route(&self, pattern: Option<&str>) -> &Arc<RouteEntry> {
        pattern.and_then(|pattern| self.routes.get(pattern)).unwrap_or(&self.unmatched)
    }

    /// Where series are registered.
    pub fn recorder(&self) -> &dyn Recorder {
        &self.recorder
    }

    /// Sets what is only known when somebody looks.
    pub fn set_gauge(&self, name: &'static str, value: f64) {
        self.recorder.register_gauge(&Key::from_static_name(name), &METADATA).set(value);
    }

    /// Sets a counter that is kept elsewhere and has no labels.
    pub fn set_counter(&self, name: &'static str, value: u64) {
        self.recorder.register_counter(&Key::from_static_name(name), &METADATA).absolute(value);
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self) -> String {
        process::measure(self);
        self.recorder.handle().render()
    }

    /// Sorts samples into buckets. Without it they would pile up until somebody looks.
    pub fn tidy(&self) {
        self.recorder.handle().run_upkeep();
    }
}
