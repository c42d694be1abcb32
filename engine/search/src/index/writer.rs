//! The one writer of an index, as long as there is something to write.

use std::sync::Arc;

use tantivy::indexer::{IndexWriterOptions, NoMergePolicy, PreparedCommit, UserOperation};
use tantivy::schema::TantivyDocument;
use tantivy::{IndexWriter, Term};

use super::erasing::Erasing;
use super::merging::{AT_A_TIME, Merges, Rule};
use super::queue::{Queue, Queued};
use super::small::{Elsewhere, Newest, are_independent, write};
use crate::directory::WriteBehind;
use crate::document::{Edit, LinkEnds, link_document, unsigned};
use crate::error::Result;
use crate::fields;
use crate::schema::link_key;

/// Edits of one commit that are written at once when it comes; more go to the library's thread as they come.
const FEW: usize = 256;

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
    pace: Pace,
    /// Edits that nobody has seen yet.
    waiting: Vec<Edit>,
    /// Whether the library has edits that are not committed.
    is_library_busy: bool,
    newest: Newest,
    merges: Merges,
    erasing: Erasing,
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
            .num_merge_threads(AT_A_TIME)
            .build();
        let library = index.writer_with_options(options)?;
        // The library would not say what it merges.
        library.set_merge_policy(Box::new(NoMergePolicy));
        // The library gives the first operation of a writer the number of the last commit, and a merge that begins before
        // the next takes it for a part of that: some segments count it in, others do not. So nothing gets this number.
        library.run(Vec::new())?;
        Ok(Self {
            newest: Newest::new(library.new_segment().id()),
            way,
            library,
            queue: Arc::default(),
            pace,
            waiting: Vec::new(),
            is_library_busy: false,
            merges: Merges::default(),
            erasing: Erasing::default(),
        })
    }

    /// The way that has to be closed before another writer may be opened.
    pub(super) fn way(&self) -> WriteBehind {
        self.way.0.clone()
    }

    /// Whether there are edits that are not committed.
    pub(super) fn has_edits(&self) -> bool {
        self.is_library_busy || !self.waiting.is_empty()
    }

    /// Takes edits, in their order.
    pub(super) fn apply(&mut self, edits: Vec<Edit>) -> tantivy::Result<()> {
        self.waiting.extend(edits);
        if self.is_library_busy || self.waiting.len() > FEW || self.pace == Pace::Bulk {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Lets the library's threads go through what waits.
    fn hand_over(&mut self) -> tantivy::Result<()> {
        self.is_library_busy = true;
        for edit in std::mem::take(&mut self.waiting) {
            let (terms, document) = parts(edit);
            let document = document.map(|document| UserOperation::Add(self.queue.place(document)));
            let operations: Vec<_> = terms.into_iter().map(UserOperation::Delete).chain(document).collect();
            self.library.run(operations)?;
        }
        Ok(())
    }

    /// Makes a segment of what waits.
    fn add_segment(&mut self) -> tantivy::Result<()> {
        let (terms, documents): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting).into_iter().map(parts).unzip();
        self.is_library_busy = true;
        let segment = self.library.new_segment();
        self.newest.set(segment.id());
        let documents: Vec<_> = documents.into_iter().flatten().collect();
        let written = if documents.is_empty() { None } else { Some(write(segment, documents)?) };
        for term in terms.into_iter().flatten() {
            self.library.delete_query(Box::new(Elsewhere::new(term, self.newest.clone())))?;
        }
        written.map_or(Ok(()), |segment| self.library.add_segment(segment.meta().clone()))
    }

    /// Has all edits indexed. They become part of the last state when what is returned is committed.
    pub(super) fn prepare(&mut self, payload: &str) -> tantivy::Result<PreparedCommit<'_, Queued>> {
        if !self.is_library_busy && are_independent(&self.waiting) {
            self.add_segment()?;
        } else {
            self.hand_over()?;
        }
        let mut prepared = self.library.prepare_commit()?;
        prepared.set_payload(payload);
        self.is_library_busy = false;
        Ok(prepared)
    }

    /// Begins to merge what is to be merged of the last state.
    pub(super) fn merge(&mut self, rule: Rule) -> Result<()> {
        if self.pace == Pace::Steady {
            self.merges.begin(&mut self.library, &self.way.0.manifest()?.segments, rule, &mut self.erasing);
        }
        Ok(())
    }

    /// Has every segment written anew that has something deleted by now; whether that is done.
    pub(super) fn erase(&mut self) -> Result<bool> {
        // What those have made is among the segments then.
        self.merges.end_ended(&mut self.erasing);
        if self.erasing.begin(&self.way.0.manifest()?.segments) {
            self.merges.may_carry();
        }
        self.merge(Rule::BUSY)?;
        Ok(self.erasing.end(&self.way.0.manifest()?.segments, self.merges.carry()))
    }

    /// Has files removed that nobody needs any more.
    pub(super) fn collect_garbage(&self) -> Result<()> {
        self.library.garbage_collect_files().wait()?;
        Ok(())
    }

    /// Waits until nothing is left to be merged, and ends the writer's threads.
    pub(super) fn finish(mut self) -> Result<()> {
        loop {
            self.merge(Rule::IDLE)?;
            match self.merges.wait(&mut self.erasing) {
                Some(ended) => ended?,
                None => return Ok(()),
            }
        }
    }
}

/// What an edit takes away, and what it adds after that.
fn parts(edit: Edit) -> (Vec<Term>, Option<TantivyDocument>) {
    let fields = fields();
    let of = |field, id| Term::from_field_u64(field, unsigned(id));
    let of_link =
        |ends: &LinkEnds| Term::from_field_text(fields.link, &link_key(&ends.association, ends.from.0, ends.to.0));
    match edit {
        Edit::Put(id, document) => (vec![of(fields.id, id)], Some(document.0)),
        Edit::Add(document) => (Vec::new(), Some(document.0)),
        Edit::Remove(id) => ([fields.id, fields.from, fields.to].map(|field| of(field, id)).into(), None),
        Edit::Link(ends) => (vec![of_link(&ends)], Some(link_document(fields, &ends))),
        Edit::AddLink(ends) => (Vec::new(), Some(link_document(fields, &ends))),
        Edit::Unlink(ends) => (vec![of_link(&ends)], None),
    }
}
