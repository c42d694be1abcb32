//! Conditions on linked records: the records at the other end first, then the links, then who stands at this end.

use std::ops::RangeInclusive;

use engine_model::query::{Direction, Filter, Linked, LinkedScope, Quantifier};
use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::budget::Budget;
use super::filter::Condition;
use super::segment::Segment;
use crate::error::Result;
use crate::schema::{kind_of_links, kind_of_records};

/// Links whose ends are read at a time.
const CHUNK: usize = 4_096;

/// The ids of the records that meet a condition on linked records, or of those that do not.
#[derive(Debug)]
pub(crate) struct LinkedIds {
    ids: Bits,
    is_complement: bool,
}

impl LinkedIds {
    /// These ids.
    pub(crate) fn of(ids: impl Iterator<Item = u64>) -> Result<Self> {
        let ids: Vec<u64> = ids.collect();
        let mut bits = Bits::of_ids(ids.iter().copied().max().unwrap_or(0))?;
        ids.iter().for_each(|id| bits.insert_id(*id));
        Ok(Self { ids: bits, is_complement: false })
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.ids.contains_id(id) != self.is_complement
    }
}

/// Finds who meets conditions on linked records.
pub(crate) struct Finder<'a> {
    pub(crate) segments: &'a [Segment<'a>],
    pub(crate) budget: &'a Budget,
}

impl Finder<'_> {
    /// A filter with its conditions on linked records looked up.
    pub(crate) fn compile(&self, filter: &Filter, is_archived: bool) -> Result<Condition> {
        Condition::compile(filter, is_archived, &mut |linked| self.find(linked))
    }

    fn find(&self, linked: &Linked) -> Result<LinkedIds> {
        let is_all = linked.quantifier == Quantifier::All;
        let mut others = self.no_ids()?;
        for scope in &linked.others {
            self.add_records(scope, is_all, &mut others)?;
        }
        let found = match &linked.quantifier {
            Quantifier::Any => LinkedIds { ids: self.with_a_link_to(linked, &others)?, is_complement: false },
            // Every one meets it where none is found that does not.
            Quantifier::None | Quantifier::All => {
                LinkedIds { ids: self.with_a_link_to(linked, &others)?, is_complement: true }
            }
            Quantifier::Count(ranges) => self.by_count(linked, &others, ranges)?,
        };
        Ok(found)
    }

    /// Kept until the query ends, as are the sets made of it.
    pub(super) fn no_ids(&self) -> Result<Bits> {
        let highest = self.segments.iter().map(|segment| segment.ids.max_value()).max().unwrap_or(0);
        let ids = Bits::of_ids(highest)?;
        self.budget.take_memory(Bits::bytes(ids.length()))?;
        Ok(ids)
    }

    /// Adds the records that can be seen and meet the condition, or where `is_inverted` those that do not.
    fn add_records(&self, scope: &LinkedScope, is_inverted: bool, ids: &mut Bits) -> Result<()> {
        let asked = match is_inverted {
            true => Filter::Not(Box::new(scope.filter.clone())),
            false => scope.filter.clone(),
        };
        let condition = self.compile(&Filter::All(vec![scope.visible.clone(), asked]), false)?;
        let kind = kind_of_records(&scope.object, false);
        for segment in self.segments {
            for document in condition.documents(segment, &kind, self.budget)?.iter() {
                ids.insert_id(segment.id(document));
            }
        }
        Ok(())
    }

    fn with_a_link_to(&self, linked: &Linked, others: &Bits) -> Result<Bits> {
        let mut found = self.no_ids()?;
        self.for_each_link(linked, |near, far| {
            if others.contains_id(far) {
                found.insert_id(near);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn by_count(&self, linked: &Linked, others: &Bits, ranges: &[RangeInclusive<i64>]) -> Result<LinkedIds> {
        /// What an entry of the map takes.
        const ENTRY_BYTES: usize = 24;
        let mut counts: FxHashMap<u64, i64> = FxHashMap::default();
        self.for_each_link(linked, |near, far| {
            if others.contains_id(far) {
                let count = counts.entry(near).or_default();
                if *count == 0 {
                    self.budget.take_memory(ENTRY_BYTES)?;
                }
                *count += 1;
            }
            Ok(())
        })?;
        let is_wanted = |count: i64| ranges.iter().any(|range| range.contains(&count));
        // Where none is a number that is wanted, everybody is who has no unwanted number.
        let is_complement = is_wanted(0);
        let mut ids = self.no_ids()?;
        counts.iter().filter(|(_, count)| is_wanted(**count) != is_complement).for_each(|(id, _)| ids.insert_id(*id));
        self.budget.give_back(counts.len() * ENTRY_BYTES);
        Ok(LinkedIds { ids, is_complement })
    }

    /// Every link of the association, seen from the record that the condition is about.
    pub(super) fn for_each_link(&self, linked: &Linked, mut found: impl FnMut(u64, u64) -> Result<()>) -> Result<()> {
        let kind = kind_of_links(&linked.association);
        let (near, far) = match linked.direction {
            Direction::Out => ("from", "to"),
            Direction::In => ("to", "from"),
        };
        for segment in self.segments {
            self.budget.check_time()?;
            let mut links = segment.documents_of_kind(&kind)?;
            segment.keep_alive(&mut links);
            if links.is_empty() {
                continue;
            }
            let (mut near, mut far) = (segment.ends(near, &links)?, segment.ends(far, &links)?);
            let mut ends = Vec::with_capacity(CHUNK);
            links.each_chunk(CHUNK, |chunk| {
                ends.clear();
                ends.resize(chunk.len(), (0, 0));
                near.each(chunk, |place, near| ends[place].0 = near);
                far.each(chunk, |place, far| ends[place].1 = far);
                ends.iter().try_for_each(|(near, far)| found(*near, *far))
            })?;
        }
        Ok(())
    }
}
