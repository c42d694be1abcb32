//! The machine's clock, for the engine.

use engine::Clock;
use engine::model::time::Timestamp;

/// The machine's clock.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    /// The one place that reads the clock; everything below is passed it.
    fn now(&self) -> Timestamp {
        Timestamp(chrono::Utc::now().timestamp_micros())
    }
}
