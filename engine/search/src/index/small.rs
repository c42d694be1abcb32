//! A few documents as a segment of their own, without the library's threads.
//!
//! Those reserve tables of many megabytes and walk through them for each segment, however few documents it has, which
//! is most of what a commit of one document would cost.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use tantivy::index::{Segment, SegmentId};
use tantivy::indexer::{AddOperation, SegmentWriter};
use tantivy::query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, TermQuery, Weight};
use tantivy::schema::{IndexRecordOption, TantivyDocument, Value};
use tantivy::{DocId, Score, SegmentReader, Term};

use crate::document::{Edit, LinkEnds, unsigned};
use crate::fields;

/// Bytes that tables are made for at first; they grow with what comes.
const TABLES: usize = 1 << 20;

/// Whether edits come to the same if all that they take away goes first, and all that they add comes then.
pub(super) fn are_independent(edits: &[Edit]) -> bool {
    let mut added = Added::default();
    edits.iter().all(|edit| added.take(edit))
}

/// What the edits so far have added.
#[derive(Default)]
struct Added<'a> {
    records: HashSet<u64>,
    /// Where links start or lead.
    ends: HashSet<u64>,
    links: HashSet<&'a LinkEnds>,
}

impl<'a> Added<'a> {
    /// Notes what an edit adds. Whether it takes away nothing of what is noted.
    fn take(&mut self, edit: &'a Edit) -> bool {
        match edit {
            Edit::Put(id, _) => self.records.insert(unsigned(*id)),
            Edit::Add(document) => {
                let id = document.0.get_first(fields().id).and_then(|id| id.as_u64());
                self.records.extend(id);
                true
            }
            Edit::Remove(id) => !self.records.contains(&unsigned(*id)) && !self.ends.contains(&unsigned(*id)),
            Edit::Link(ends) => {
                let is_new = !self.links.contains(ends);
                self.link(ends);
                is_new
            }
            Edit::AddLink(ends) => {
                self.link(ends);
                true
            }
            Edit::Unlink(ends) => !self.links.contains(ends),
        }
    }

    fn link(&mut self, ends: &'a LinkEnds) {
        self.ends.extend([unsigned(ends.from), unsigned(ends.to)]);
        self.links.insert(ends);
    }
}

/// Writes documents into a new segment.
pub(super) fn write(segment: Segment, documents: Vec<TantivyDocument>) -> tantivy::Result<Segment> {
    let mut writer = SegmentWriter::for_segment(TABLES, segment.clone())?;
    for document in documents {
        writer.add_document(AddOperation { opstamp: 0, document })?;
    }
    let count = writer.max_doc();
    writer.finalize()?;
    let segment = segment.with_max_doc(count);
    segment.meta().untrack_temp_docstore();
    Ok(segment)
}

/// The segment that was added last.
#[derive(Debug, Clone)]
pub(super) struct Newest(Arc<RwLock<SegmentId>>);

/// The documents of a term, but for those of the newest segment.
///
/// The library tells a segment that is added all that is to be deleted in the same commit, and what no segment was there
/// to be told before. All of that is older than the segment.
#[derive(Debug, Clone)]
pub(super) struct Elsewhere {
    term: TermQuery,
    newest: Newest,
}

struct ElsewhereWeight {
    term: Box<dyn Weight>,
    newest: Newest,
}

impl Newest {
    pub(super) fn new(segment: SegmentId) -> Self {
        Self(Arc::new(RwLock::new(segment)))
    }

    /// From now on it is another, and what is deleted is deleted from the former ones too.
    pub(super) fn set(&self, segment: SegmentId) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = segment;
    }

    fn is(&self, segment: SegmentId) -> bool {
        *self.0.read().unwrap_or_else(PoisonError::into_inner) == segment
    }
}

impl Elsewhere {
    pub(super) fn new(term: Term, newest: Newest) -> Self {
        Self { term: TermQuery::new(term, IndexRecordOption::Basic), newest }
    }
}

impl Query for Elsewhere {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(ElsewhereWeight { term: self.term.weight(scoring)?, newest: self.newest.clone() }))
    }
}

impl Weight for ElsewhereWeight {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        if self.newest.is(segment.segment_id()) { Ok(Box::new(EmptyScorer)) } else { self.term.scorer(segment, boost) }
    }

    fn explain(&self, segment: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        self.term.explain(segment, document)
    }
}

#[cfg(test)]
mod tests {
    use engine_model::RecordId;

    use super::*;
    use crate::document::Document;

    fn record(id: u64) -> Document {
        let mut document = TantivyDocument::default();
        document.add_u64(fields().id, id);
        Document(document)
    }

    fn put(id: i64) -> Edit {
        Edit::Put(RecordId(id), record(unsigned(RecordId(id))))
    }

    fn ends(from: i64, to: i64) -> LinkEnds {
        LinkEnds { association: "knows".to_owned(), from: RecordId(from), to: RecordId(to) }
    }

    #[test]
    fn edits_of_different_records_and_links_are_independent() {
        let edits = [
            Edit::Remove(RecordId(1)),
            put(1),
            put(2),
            Edit::Add(record(3)),
            Edit::Unlink(ends(1, 2)),
            Edit::Link(ends(1, 2)),
            Edit::Link(ends(2, 1)),
            Edit::AddLink(ends(2, 3)),
        ];
        assert!(are_independent(&edits));
    }

    #[test]
    fn edits_that_undo_others_are_not() {
        assert!(!are_independent(&[put(1), put(2), put(1)]));
        assert!(!are_independent(&[Edit::Add(record(1)), put(1)]));
        assert!(!are_independent(&[put(1), Edit::Remove(RecordId(1))]));
        assert!(!are_independent(&[Edit::Add(record(1)), Edit::Remove(RecordId(1))]));
        assert!(!are_independent(&[Edit::Link(ends(1, 2)), Edit::Link(ends(1, 2))]));
        assert!(!are_independent(&[Edit::AddLink(ends(1, 2)), Edit::Unlink(ends(1, 2))]));
        assert!(!are_independent(&[Edit::Link(ends(1, 2)), Edit::Remove(RecordId(1))]));
        assert!(!are_independent(&[Edit::AddLink(ends(1, 2)), Edit::Remove(RecordId(2))]));
    }
}
