//! What the engine says about its search indexes.

use engine::{IndexStatus, IndexWork};

use super::Metrics;

pub(super) fn describe(describe: &impl Fn(&'static str, &'static str)) {
    describe("search_index_open", "Search indexes that are open.");
    describe("search_index_writers", "Search indexes with an open writer.");
    describe("search_index_building", "Search indexes that are being made, or are about to be.");
    describe("search_index_documents", "Records and links in the open search indexes.");
    describe("search_index_disk_bytes", "Size of the open search indexes on disk.");
    describe("search_index_memory_bytes", "What of the open search indexes is in memory only.");
    describe("search_index_lag_changes", "Changes that cannot be found yet, of the tenant with most of them.");
    describe("search_index_lag_seconds", "How long changes have waited to be found, of the tenant with the oldest.");
    describe("search_index_changes_total", "Changes that search indexes have taken over.");
    for (name, _, text) in WORK {
        describe(name, text);
    }
    for (_, name, text) in WORK {
        describe(name, text);
    }
}

/// What is counted with its time: number, seconds, and what it is.
const WORK: [(&str, &str, &str); 4] = [
    ("search_index_turns_total", "search_index_turn_seconds_total", "Turns of search indexes at the change log."),
    ("search_index_commits_total", "search_index_commit_seconds_total", "Commits that made changes visible."),
    ("search_index_persists_total", "search_index_persist_seconds_total", "Times that an index was brought to disk."),
    ("search_index_builds_total", "search_index_build_seconds_total", "Search indexes that were made anew."),
];

impl Metrics {
    /// Sets what the search indexes are like now.
    pub fn set_index(&self, status: &IndexStatus) {
        let set = |name, value: u64| self.set_gauge(name, count(value));
        set("search_index_open", status.open);
        set("search_index_writers", status.writers);
        set("search_index_building", status.building);
        set("search_index_documents", status.documents);
        set("search_index_disk_bytes", status.disk_bytes);
        set("search_index_memory_bytes", status.memory_bytes);
        set("search_index_lag_changes", status.lag_changes);
        self.set_gauge("search_index_lag_seconds", status.lag.as_secs_f64());
        self.set_counter("search_index_changes_total", status.changes);
        let works = [status.turns, status.commits, status.persists, status.builds];
        for ((times_name, seconds_name, _), IndexWork { times, took }) in WORK.into_iter().zip(works) {
            self.set_counter(times_name, times);
            // A counter has whole numbers only.
            self.set_gauge(seconds_name, took.as_secs_f64());
        }
    }
}

/// A count as a gauge has it; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no count gets that far")]
fn count(value: u64) -> f64 {
    value as f64
}
