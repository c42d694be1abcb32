//! Values of the records that are linked with each of many: the links of those many first, by the terms of their ends,
//! then the records at the other end.

use engine_model::RecordId;
use engine_model::query::{Direction, Filter, Gathered, GatheredScope, Gathering};
use rustc_hash::FxHashMap;
use tantivy::schema::{Field as IndexField, IndexRecordOption};
use tantivy::{DocSet as _, Searcher, TERMINATED, Term};

use super::budget::{Budget, Limits};
use super::column::ValueColumn;
use super::filter::Condition;
use super::kept::Kept;
use super::linked::Finder;
use super::segment::{Segment, number_of};
use crate::document::unsigned;
use crate::error::Result;
use crate::fields;
use crate::schema::{kind_of_links, kind_of_records, path_of};

/// Linked records are looked up one by one where they are at most one in so many of all documents.
const FEW: u64 = 64;

/// What a link takes in memory, roughly.
const LINK_BYTES: usize = 48;

/// For each linked record, the positions of those that it is linked with.
type Linked = FxHashMap<u64, Vec<u32>>;

/// Gathers what is asked, one entry for each record, in order.
pub(crate) fn gather(searcher: &Searcher, kept: &Kept, asked: &Gathering, limits: Limits) -> Result<Vec<Gathered>> {
    let budget = Budget::new(limits);
    let segments = Segment::all(searcher, kept)?;
    let mut linked = Linked::default();
    for segment in &segments {
        add_links(segment, asked, &budget, &mut linked)?;
    }
    let mut gathered = vec![Gathered::default(); asked.records.len()];
    if linked.is_empty() {
        return Ok(gathered);
    }
    let documents: u64 = segments.iter().map(|segment| u64::from(segment.length())).sum();
    let is_few = linked.len() as u64 <= documents / FEW;
    let finder = Finder { segments: &segments, budget: &budget };
    for scope in &asked.others {
        let condition = finder.compile(&filter_of(scope, is_few.then_some(&linked)), false)?;
        for segment in &segments {
            add_values(segment, scope, &condition, &linked, &budget, &mut gathered)?;
        }
    }
    Ok(gathered)
}

/// What a linked record must meet to count.
fn filter_of(scope: &GatheredScope, few: Option<&Linked>) -> Filter {
    let ids = few.map(|linked| Filter::Ids(linked.keys().map(|id| RecordId(id.cast_signed())).collect()));
    let exists = scope.field.clone().map(Filter::Exists);
    Filter::All(ids.into_iter().chain(exists).chain([scope.filter.clone()]).collect())
}

/// The ends of a link: where the records in question stand, and the other.
fn ends(direction: Direction) -> (IndexField, &'static str) {
    match direction {
        Direction::Out => (fields().from, "to"),
        Direction::In => (fields().to, "from"),
    }
}

fn add_links(segment: &Segment<'_>, asked: &Gathering, budget: &Budget, linked: &mut Linked) -> Result<()> {
    let kind = kind_of_links(&asked.association);
    if segment.frequency(&fields().kind_term(&kind))? == 0 {
        return Ok(());
    }
    let links = segment.documents_of_kind(&kind)?;
    let (near, far) = ends(asked.direction);
    let (terms, far) = (segment.terms(near)?, segment.end(far)?);
    let alive = segment.reader.alive_bitset();
    let is_there = |document: u32| links.contains(document) && alive.is_none_or(|alive| alive.is_alive(document));
    for (position, record) in (0_u32..).zip(&asked.records) {
        budget.check_time()?;
        let term = Term::from_field_u64(near, unsigned(*record));
        let Some(mut postings) = terms.read_postings(&term, IndexRecordOption::Basic)? else { continue };
        let mut document = postings.doc();
        while document != TERMINATED {
            if let Some(other) = far.first(document).filter(|_| is_there(document)) {
                budget.take_memory(LINK_BYTES)?;
                linked.entry(other).or_default().push(position);
            }
            document = postings.advance();
        }
    }
    Ok(())
}

fn add_values(
    segment: &Segment<'_>,
    scope: &GatheredScope,
    condition: &Condition,
    linked: &Linked,
    budget: &Budget,
    gathered: &mut [Gathered],
) -> Result<()> {
    let kind = kind_of_records(&scope.object, false);
    if segment.frequency(&fields().kind_term(&kind))? == 0 {
        return Ok(());
    }
    let documents = condition.documents(segment, &kind, budget)?;
    let numbers = match &scope.field {
        Some(field) => segment.numbers(&path_of(field, false))?,
        None => None,
    };
    for document in documents.iter() {
        let id = segment.id(document);
        let Some(positions) = linked.get(&id) else { continue };
        let value = numbers.as_deref().and_then(|column: &ValueColumn| column.first(document)).map(number_of);
        for position in positions {
            if let Some(gathered) = gathered.get_mut(*position as usize) {
                gathered.add(RecordId(id.cast_signed()), value);
            }
        }
    }
    Ok(())
}
