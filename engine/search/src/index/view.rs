//! What is seen of an index.

use std::sync::Arc;

use engine_model::RecordId;
use engine_model::query::{Among, Answer, Few, Filter, Gathered, Gathering, Query};
use tantivy::Searcher;

use super::reading;
use crate::directory::{Samples, WriteBehind};
use crate::document::Reached;
use crate::error::Result;
use crate::search::{Kept, Limits, RecordSet, among, answer, few, gather, matching};

/// An index at one position, whatever happens to it meanwhile. Keeping one keeps the memory and disk of its position.
#[derive(Clone)]
pub struct View {
    reached: Arc<Reached>,
    pub(crate) searcher: Searcher,
    kept: Arc<Kept>,
    directory: WriteBehind,
    samples: Arc<[Arc<Samples>]>,
}

/// How much an index takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexSize {
    /// Bytes of files on disk.
    pub disk_bytes: u64,
    /// Bytes of files that are in memory only.
    pub memory_bytes: u64,
    /// Parts that each search goes through.
    pub segments: usize,
    /// Documents that can be found: records and links.
    pub documents: u64,
    /// Documents that cannot be found any more, and are still to be cleaned away.
    pub deleted: u64,
}

impl View {
    pub(super) fn new(reached: Arc<Reached>, searcher: Searcher, kept: Arc<Kept>, directory: WriteBehind) -> Self {
        let samples = directory.samples();
        Self { reached, searcher, kept, directory, samples }
    }

    /// Answers a query, within the limits or not at all.
    ///
    /// Takes its time: not for the threads that others wait for.
    ///
    /// # Errors
    /// [`SearchError::TooCostly`](crate::SearchError::TooCostly); [`SearchError::Damaged`](crate::SearchError::Damaged)
    /// where what is stored cannot be read.
    pub fn search(&self, query: &Query, limits: Limits) -> Result<Answer> {
        self.read(|| answer(&self.searcher, &self.kept, query, limits))
    }

    /// Gathers values of the records that are linked with others: one entry for each of them, in order.
    ///
    /// Takes its time: not for the threads that others wait for.
    ///
    /// # Errors
    /// As for [`View::search`].
    pub fn gather(&self, asked: &Gathering, limits: Limits) -> Result<Vec<Gathered>> {
        self.read(|| gather(&self.searcher, &self.kept, asked, limits))
    }

    /// Which of some records meet each of many conditions; what it costs depends on these records, hardly on how many
    /// others there are.
    ///
    /// Takes its time: not for the threads that others wait for.
    ///
    /// # Errors
    /// As for [`View::search`].
    pub fn among(&self, asked: &Among, limits: Limits) -> Result<Vec<Vec<RecordId>>> {
        self.read(|| among(&self.searcher, &self.kept, asked, limits))
    }

    /// For each asked a few records that meet its conditions; the limits hold for each.
    ///
    /// Takes its time: not for the threads that others wait for.
    ///
    /// # Errors
    /// As for [`View::search`].
    pub fn few(&self, asked: &[Few], limits: Limits) -> Result<Vec<Vec<RecordId>>> {
        self.read(|| few(&self.searcher, &self.kept, asked, limits))
    }

    /// All active records of an object that meet a condition.
    ///
    /// Takes its time: not for the threads that others wait for.
    ///
    /// # Errors
    /// As for [`View::search`].
    pub fn matching(&self, object: &str, filter: &Filter, limits: Limits) -> Result<RecordSet> {
        self.read(|| matching(&self.searcher, &self.kept, (object, filter), limits))
    }

    /// Reads files, unless one of them was overwritten.
    fn read<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        reading(|| {
            self.samples.iter().try_for_each(|samples| samples.check_next())?;
            read()
        })
    }

    /// [`Index::check_files`](crate::Index::check_files) of the index that this is a view of, while it is open.
    ///
    /// # Errors
    /// [`SearchError::Damaged`](crate::SearchError::Damaged) where a file is not as it was written.
    pub fn check_files(&self) -> Result<()> {
        self.directory.check_files()
    }

    /// Records and links that can be found.
    pub fn documents(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// How far the view reaches.
    pub fn reached(&self) -> &Reached {
        &self.reached
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("View").field("reached", &self.reached).finish_non_exhaustive()
    }
}
