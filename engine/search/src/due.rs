//! Documents whose values depend on the time, and when each is to be built again.

use engine_model::RecordId;
use engine_model::time::Timestamp;
use tantivy::SegmentReader;
use tantivy::columnar::Column;

use crate::View;
use crate::error::Result;
use crate::index::reading;
use crate::schema::{DUE, numbers_column};

impl View {
    /// Records that are to be built again at `now`, at most so many, in no order.
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        reading(|| {
            self.each_due(&mut |id, due| {
                if due <= now && found.len() < limit {
                    found.push(id);
                }
            })
        })?;
        Ok(found)
    }

    /// When the first of all records is to be built again; none where that is never.
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>> {
        let mut next: Option<Timestamp> = None;
        reading(|| self.each_due(&mut |_, due| next = Some(next.map_or(due, |next| next.min(due)))))?;
        Ok(next)
    }

    fn each_due(&self, visit: &mut dyn FnMut(RecordId, Timestamp)) -> Result<()> {
        for segment in self.searcher.segment_readers() {
            let Some(dues) = dues(segment)? else { continue };
            let ids = segment.fast_fields().u64("id")?;
            for document in segment.doc_ids_alive() {
                if let (Some(due), Some(id)) = (dues.first(document), ids.first(document)) {
                    visit(RecordId(id.cast_signed()), Timestamp(due));
                }
            }
        }
        Ok(())
    }
}

fn dues(segment: &SegmentReader) -> Result<Option<Column<i64>>> {
    Ok(segment.fast_fields().column_opt::<i64>(&numbers_column(DUE))?)
}
