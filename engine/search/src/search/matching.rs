//! All records that meet a condition, as a set of ids.

use engine_model::RecordId;
use engine_model::query::Filter;
use tantivy::Searcher;

use super::bits::Bits;
use super::budget::{Budget, Limits};
use super::kept::Kept;
use super::linked::Finder;
use super::segment::Segment;
use crate::error::Result;
use crate::schema::kind_of_records;

/// Records, one bit for each id that there is.
#[derive(Debug, Clone)]
pub struct RecordSet(Bits);

impl RecordSet {
    /// Whether the record is among them.
    pub fn contains(&self, record: RecordId) -> bool {
        u64::try_from(record.0).is_ok_and(|id| self.0.contains_id(id))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.count().into()
    }

    /// Those with ids above this one, lowest first.
    pub fn after(&self, record: RecordId) -> impl Iterator<Item = RecordId> + '_ {
        let from = u32::try_from(record.0.saturating_add(1).max(0)).unwrap_or(u32::MAX);
        self.0.iter_from(from).map(|id| RecordId(id.into()))
    }
}

/// The active records of an object that meet the filter.
pub(crate) fn matching(
    searcher: &Searcher,
    kept: &Kept,
    (object, filter): (&str, &Filter),
    limits: Limits,
) -> Result<RecordSet> {
    let budget = Budget::new(limits);
    let segments = Segment::all(searcher, kept)?;
    let finder = Finder { segments: &segments, budget: &budget };
    let condition = finder.compile(filter, false)?;
    let mut found = finder.no_ids()?;
    let kind = kind_of_records(object, false);
    for segment in &segments {
        for document in condition.documents(segment, &kind, &budget)?.iter() {
            found.insert_id(segment.id(document));
        }
    }
    Ok(RecordSet(found))
}
