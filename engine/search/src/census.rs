//! Which records and links an index holds, whatever became of their definitions: for whoever compares it with the
//! store.

use std::ops::RangeInclusive;

use engine_model::RecordId;
use engine_model::property::Storage;
use tantivy::postings::SegmentPostings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, SegmentReader, TERMINATED};

use crate::document::LinkEnds;
use crate::error::Result;
use crate::index::reading;
use crate::schema::{numbers_column, system_path};
use crate::{View, fields};

/// A record as an index holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The record.
    pub id: RecordId,
    /// Its object's name.
    pub object: &'a str,
    /// Its version; none where the index has lost it.
    pub version: Option<i64>,
    /// Whether it is archived.
    pub is_archived: bool,
}

impl View {
    /// Calls `visit` with every record whose id is among `ids`, in no order; more than once where it is held more than
    /// once. Goes through all that the index holds.
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn each_entry(&self, ids: &RangeInclusive<RecordId>, mut visit: impl FnMut(Entry<'_>)) -> Result<()> {
        reading(|| self.visit_entries(ids, &mut visit))
    }

    fn visit_entries(&self, ids: &RangeInclusive<RecordId>, visit: &mut dyn FnMut(Entry<'_>)) -> Result<()> {
        for segment in self.searcher.segment_readers() {
            let record_ids = segment.fast_fields().u64("id")?;
            each_kind(segment, |kind, postings| {
                let Some((object, is_archived)) = records_of(kind) else { return Ok(()) };
                let column = numbers_column(&system_path(object, "version", Storage::Scaled(0), is_archived));
                let versions = segment.fast_fields().column_opt::<i64>(&column)?;
                each_alive(segment, postings, |document| {
                    let id = record_ids.first(document).map(|id| RecordId(id.cast_signed()));
                    if let Some(id) = id.filter(|id| ids.contains(id)) {
                        let version = versions.as_ref().and_then(|versions| versions.first(document));
                        visit(Entry { id, object, version, is_archived });
                    }
                });
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Calls `visit` with every link that starts at a record whose id is among `ids`, in no order; more than once where
    /// it is held more than once. Goes through all that the index holds.
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn each_link_from(&self, ids: &RangeInclusive<RecordId>, mut visit: impl FnMut(LinkEnds)) -> Result<()> {
        reading(|| self.visit_links(ids, &mut visit))
    }

    fn visit_links(&self, ids: &RangeInclusive<RecordId>, visit: &mut dyn FnMut(LinkEnds)) -> Result<()> {
        for segment in self.searcher.segment_readers() {
            let (from, to) = (segment.fast_fields().u64("from")?, segment.fast_fields().u64("to")?);
            each_kind(segment, |kind, postings| {
                let Some(association) = kind.strip_prefix('@') else { return Ok(()) };
                each_alive(segment, postings, |document| {
                    if let (Some(from), Some(to)) = (from.first(document), to.first(document)) {
                        let (from, to) = (RecordId(from.cast_signed()), RecordId(to.cast_signed()));
                        if ids.contains(&from) {
                            visit(LinkEnds { association: association.to_owned(), from, to });
                        }
                    }
                });
                Ok(())
            })?;
        }
        Ok(())
    }

    /// An id that no record and no end of a link in the index is above; 0 where there are none.
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn highest_id(&self) -> Result<RecordId> {
        reading(|| {
            let mut highest = 0;
            for segment in self.searcher.segment_readers() {
                for field in ["id", "from", "to"] {
                    highest = highest.max(segment.fast_fields().u64(field)?.max_value());
                }
            }
            Ok(RecordId(highest.cast_signed()))
        })
    }
}

/// Calls `visit` with every kind of documents in a segment, and with the documents.
fn each_kind(segment: &SegmentReader, mut visit: impl FnMut(&str, SegmentPostings) -> Result<()>) -> Result<()> {
    let kinds = segment.inverted_index(fields().kind)?;
    let mut stream = kinds.terms().stream()?;
    while stream.advance() {
        let postings = kinds.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
        if let Ok(kind) = std::str::from_utf8(stream.key()) {
            visit(kind, postings)?;
        }
    }
    Ok(())
}

/// Calls `visit` with those of the documents that can be found.
fn each_alive(segment: &SegmentReader, mut postings: SegmentPostings, mut visit: impl FnMut(u32)) {
    let alive = segment.alive_bitset();
    let mut document = postings.doc();
    while document != TERMINATED {
        if alive.is_none_or(|alive| alive.is_alive(document)) {
            visit(document);
        }
        document = postings.advance();
    }
}

/// Which records are of a kind, the other way round than [`kind_of_records`](crate::schema::kind_of_records): of which
/// object, and whether archived. None where links are of it.
fn records_of(kind: &str) -> Option<(&str, bool)> {
    if kind.starts_with('@') {
        return None;
    }
    Some(kind.strip_suffix('-').map_or((kind, false), |object| (object, true)))
}

#[cfg(test)]
mod tests {
    use engine_model::time::Timestamp;
    use engine_model::{Properties, Sequence};

    use super::*;
    use crate::schema::{kind_of_links, kind_of_records};
    use crate::{Document, Edit, Index, Pace, Reached, RecordState};

    fn record(id: i64, object: &str, version: i64, is_archived: bool) -> Edit {
        let state = RecordState {
            id: RecordId(id),
            uid: "",
            object,
            definition: None,
            properties: &Properties::new(),
            display_name: "",
            owner: None,
            team: None,
            version,
            created_at: Timestamp(0),
            created_by: None,
            updated_at: Timestamp(0),
            updated_by: None,
            archived_at: is_archived.then_some(Timestamp(0)),
            former: &[],
            due: None,
        };
        Edit::Put(RecordId(id), Document::of(&state))
    }

    fn commit(index: &Index, edits: Vec<Edit>) -> View {
        index.apply(edits).expect("applied");
        index.commit(Reached { sequence: Sequence(1), at: Timestamp(0), notes: String::new() }).expect("committed");
        index.view()
    }

    fn entries(view: &View, ids: RangeInclusive<i64>) -> Vec<(i64, String, Option<i64>, bool)> {
        let mut found = Vec::new();
        let ids = RecordId(*ids.start())..=RecordId(*ids.end());
        let visit =
            |entry: Entry<'_>| found.push((entry.id.0, entry.object.to_owned(), entry.version, entry.is_archived));
        view.each_entry(&ids, visit).expect("entries");
        found.sort();
        found
    }

    fn links(view: &View, ids: RangeInclusive<i64>) -> Vec<LinkEnds> {
        let mut found = Vec::new();
        let ids = RecordId(*ids.start())..=RecordId(*ids.end());
        view.each_link_from(&ids, |ends| found.push(ends)).expect("links");
        found
    }

    #[test]
    fn every_record_and_link_is_told_whatever_its_kind() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::create(folder.path(), Pace::Steady).expect("an index");
        let view = index.view();
        assert_eq!((entries(&view, 1..=9), view.highest_id().expect("an id")), (vec![], RecordId(0)));
        let ends = LinkEnds { association: "knows".to_owned(), from: RecordId(1), to: RecordId(7) };
        commit(&index, vec![record(1, "contact", 1, false), record(2, "deal", 3, true), record(3, "deal", 1, false)]);
        let view =
            commit(&index, vec![record(1, "contact", 2, true), Edit::Remove(RecordId(3)), Edit::Link(ends.clone())]);
        let contact = (1, "contact".to_owned(), Some(2), true);
        let deal = (2, "deal".to_owned(), Some(3), true);
        assert_eq!(entries(&view, 1..=9), [contact, deal.clone()]);
        assert_eq!(entries(&view, 2..=2), [deal]);
        assert_eq!(view.highest_id().expect("an id"), RecordId(7));
        assert_eq!((links(&view, 1..=1), links(&view, 2..=9)), (vec![ends], vec![]));
    }

    #[test]
    fn kinds_are_told_apart() {
        for is_archived in [false, true] {
            assert_eq!(records_of(&kind_of_records("deal", is_archived)), Some(("deal", is_archived)));
        }
        assert_eq!(records_of(&kind_of_links("knows")), None);
    }
}
