//! What a query may cost. Asked at every step that may take long or hold much, so that none takes the server down.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::error::{Result, SearchError};

/// Bounds of one query.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest time.
    pub time: Duration,
    /// Most memory held at a time for sets, groups and sorted values, in bytes.
    pub memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), memory_bytes: 256 * 1024 * 1024 }
    }
}

/// What is left of the bounds.
#[derive(Debug)]
pub(crate) struct Budget {
    ends_at: Instant,
    limits: Limits,
    used_bytes: Cell<usize>,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { ends_at: Instant::now() + limits.time, limits, used_bytes: Cell::new(0) }
    }

    /// Fails where the time is up.
    pub(crate) fn check_time(&self) -> Result<()> {
        if Instant::now() < self.ends_at {
            return Ok(());
        }
        let seconds = self.limits.time.as_secs_f32();
        Err(SearchError::TooCostly(format!(
            "the search was stopped after {seconds} s; narrow it by further filters, or ask for fewer aggregates"
        )))
    }

    /// Takes so many bytes for the rest of the query.
    pub(crate) fn take_memory(&self, bytes: usize) -> Result<()> {
        let used = self.used_bytes.get().saturating_add(bytes);
        self.used_bytes.set(used);
        if used <= self.limits.memory_bytes {
            return Ok(());
        }
        let most = self.limits.memory_bytes / (1024 * 1024);
        Err(SearchError::TooCostly(format!(
            "the search would hold more than {most} MiB; narrow it by further filters, or group by fewer values"
        )))
    }

    /// Gives bytes back.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.used_bytes.set(self.used_bytes.get().saturating_sub(bytes));
    }
}
