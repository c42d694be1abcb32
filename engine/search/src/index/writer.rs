//! The one writer of an index, as long as there is something to write.

use std::sync::Arc;

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, NoMergePolicy, PreparedCommit, UserOperation};
use tantivy::{IndexWriter, Term};

use super::queue::{Queue, Queued};
use crate::directory::WriteBehind;
use crate::document::{Edit, LinkEnds, link_document, unsigned};
use crate::error::Result;
use crate::fields;
use crate::schema::link_key;

/// How an index is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Few changes at a time, each soon to be seen: one thread, 15 MB, and merging as it goes.
    Steady,
    /// All that there is, to be seen at the end: two threads, 64 MB each, and merging only once done.
    Bulk,
}

/// An open writer, with threads.
pub(super) struct Writer {
    /// Goes first, so that merges that are under way come to nothing.
    way: Way,
    library: IndexWriter<Queued>,
    queue: Arc<Queue>,
}

/// The writer's way into the folder, closed with the writer.
struct Way(WriteBehind);

impl Drop for Way {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// Opens a writer at the last state. There must be no other.
    pub(super) fn open(directory: &WriteBehind, pace: Pace) -> Result<Self> {
        let way = Way(directory.for_writer()?);
        let index = super::open_library(way.0.clone())?;
        let (threads, arena) = match pace {
            Pace::Steady => (1, 15_000_000),
            Pace::Bulk => (2, 64_000_000),
        };
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(arena)
            .num_merge_threads(1)
            .build();
        let writer = Self { way, library: index.writer_with_options(options)?, queue: Arc::default() };
        writer.set_pace(pace);
        Ok(writer)
    }

    fn set_pace(&self, pace: Pace) {
        match pace {
            Pace::Bulk => self.library.set_merge_policy(Box::new(NoMergePolicy)),
            Pace::Steady => {
                let mut policy = LogMergePolicy::default();
                policy.set_min_num_segments(4);
                policy.set_min_layer_size(1_000);
                policy.set_del_docs_ratio_before_merge(0.3);
                self.library.set_merge_policy(Box::new(policy));
            }
        }
    }

    /// The way that has to be closed before another writer may be opened.
    pub(super) fn way(&self) -> WriteBehind {
        self.way.0.clone()
    }

    /// Hands edits over, in their order.
    pub(super) fn apply(&self, edits: Vec<Edit>) -> tantivy::Result<()> {
        for edit in edits {
            self.library.run(self.operations(edit))?;
        }
        Ok(())
    }

    fn operations(&self, edit: Edit) -> Vec<UserOperation<Queued>> {
        let fields = fields();
        let add = |document| UserOperation::Add(self.queue.place(document));
        let delete = |field, id| UserOperation::Delete(Term::from_field_u64(field, unsigned(id)));
        let unlink = |ends: &LinkEnds| {
            let key = link_key(&ends.association, ends.from.0, ends.to.0);
            UserOperation::Delete(Term::from_field_text(fields.link, &key))
        };
        match edit {
            Edit::Put(id, document) => vec![delete(fields.id, id), add(document.0)],
            Edit::Add(document) => vec![add(document.0)],
            Edit::Remove(id) => [fields.id, fields.from, fields.to].map(|field| delete(field, id)).into(),
            Edit::Link(ends) => vec![unlink(&ends), add(link_document(fields, &ends))],
            Edit::AddLink(ends) => vec![add(link_document(fields, &ends))],
            Edit::Unlink(ends) => vec![unlink(&ends)],
        }
    }

    /// Waits until all edits are indexed. They become part of the last state when what is returned is committed.
    pub(super) fn prepare(&mut self, payload: &str) -> tantivy::Result<PreparedCommit<'_, Queued>> {
        let mut prepared = self.library.prepare_commit()?;
        prepared.set_payload(payload);
        Ok(prepared)
    }

    /// Begins to merge what was not merged for the sake of speed.
    pub(super) fn settle(&mut self, payload: &str) -> tantivy::Result<u64> {
        self.set_pace(Pace::Steady);
        self.prepare(payload)?.commit()
    }

    /// Waits until nothing is left to be merged, and ends the writer's threads.
    pub(super) fn finish(self) -> tantivy::Result<()> {
        let Self { way, library, .. } = self;
        let result = library.wait_merging_threads();
        drop(way);
        result
    }
}
