//! All that an index holds, for whoever compares it with the store.

use engine_model::RecordId;
use engine_model::property::Storage;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, SegmentReader, TERMINATED};

use super::View;
use crate::document::LinkEnds;
use crate::error::Result;
use crate::fields;
use crate::schema::{kind_of_links, numbers_column, path};

impl View {
    /// Calls `visit` with the id and version of every record of an object, archived ones too, in no order.
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn each_record(&self, object: &str, mut visit: impl FnMut(RecordId, i64)) -> Result<()> {
        for segment in self.searcher.segment_readers() {
            let columns = segment.fast_fields();
            let ids = columns.u64("id")?;
            for is_archived in [false, true] {
                let versions = numbers_column(&path(object, "version", Storage::Scaled(0), is_archived));
                let Some(versions) = columns.column_opt::<i64>(&versions)? else { continue };
                for document in segment.doc_ids_alive() {
                    if let (Some(id), Some(version)) = (ids.first(document), versions.first(document)) {
                        visit(RecordId(id.cast_signed()), version);
                    }
                }
            }
        }
        Ok(())
    }

    /// Calls `visit` with every link of an association, in no order.
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn each_link(&self, association: &str, mut visit: impl FnMut(LinkEnds)) -> Result<()> {
        for segment in self.searcher.segment_readers() {
            let columns = segment.fast_fields();
            let (from, to) = (columns.u64("from")?, columns.u64("to")?);
            for document in documents_of_kind(segment, &kind_of_links(association))? {
                if let (Some(from), Some(to)) = (from.first(document), to.first(document)) {
                    let (from, to) = (RecordId(from.cast_signed()), RecordId(to.cast_signed()));
                    visit(LinkEnds { association: association.to_owned(), from, to });
                }
            }
        }
        Ok(())
    }
}

fn documents_of_kind(segment: &SegmentReader, kind: &str) -> Result<impl Iterator<Item = u32>> {
    let terms = segment.inverted_index(fields().kind)?;
    let mut postings = terms.read_postings(&fields().kind_term(kind), IndexRecordOption::Basic)?;
    let alive = segment.alive_bitset().cloned();
    let documents = std::iter::from_fn(move || {
        let postings = postings.as_mut()?;
        let document = postings.doc();
        postings.advance();
        (document != TERMINATED).then_some(document)
    });
    Ok(documents.filter(move |document| alive.as_ref().is_none_or(|alive| alive.is_alive(*document))))
}
