//! Latencies of many clients in one distribution.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Anything slower counts as this slow.
const SLOWEST_MICROS: u64 = 60_000_000;

/// Latencies in microseconds, to three digits.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        Self(Histogram::new_with_bounds(1, SLOWEST_MICROS, 3).expect("the bounds are in order"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(SLOWEST_MICROS));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that `percent` of all stayed below, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a latency in microseconds is far below 2^53")]
        let micros = self.0.value_at_percentile(percent) as f64;
        micros / 1000.0
    }
}
