//! Answers: a query against one snapshot of an index.
//!
//! Conditions become sets of documents, segment by segment, and everything else reads those: the count, the best hits
//! in order, the tables. Nothing is estimated or capped; what would cost too much is refused.

mod aggregate;
mod among;
mod best;
mod bits;
mod blocks;
mod budget;
mod column;
mod compared;
mod few;
mod filter;
mod gather;
mod kept;
mod linked;
mod matching;
mod order;
mod presence;
mod segment;
#[cfg(test)]
mod tests;
mod words;

use engine_model::query::{Answer, Hit, Query, Scope, SortKey};
use tantivy::Searcher;

pub(crate) use among::among;
pub use budget::Limits;
pub(crate) use few::few;
pub(crate) use gather::gather;
pub(crate) use kept::Kept;
pub use matching::RecordSet;
pub(crate) use matching::matching;

use crate::error::Result;
use crate::fields;
use crate::schema::{kind_of_records, path_of};
use aggregate::Counting;
use bits::Bits;
use budget::Budget;
use filter::Condition;
use linked::Finder;
use order::{KeyReader, compare};
use segment::Segment;
use words::Matches;

/// Answers a query from a snapshot.
pub(crate) fn answer(searcher: &Searcher, kept: &Kept, query: &Query, limits: Limits) -> Result<Answer> {
    let budget = Budget::new(limits);
    let segments = Segment::all(searcher, kept)?;
    let finder = Finder { segments: &segments, budget: &budget };
    let mut gathered = Gathered::new(query);
    for (at, scope) in query.scopes.iter().enumerate() {
        let search = ScopeSearch::new(query, at, scope, &finder)?;
        for segment in &segments {
            search.gather(segment, &budget, &mut gathered)?;
        }
    }
    gathered.finish(query, &budget)
}

/// What has been found so far.
struct Gathered<'q> {
    hits: Vec<Hit>,
    total: u64,
    countings: Vec<Counting<'q>>,
}

/// The search of one object's records.
struct ScopeSearch<'q> {
    query: &'q Query,
    at: usize,
    scope: &'q Scope,
    sort: Vec<SortKey>,
    condition: Condition,
    kind: String,
    /// Where full text is looked for.
    paths: Vec<String>,
}

impl<'q> ScopeSearch<'q> {
    fn new(query: &'q Query, at: usize, scope: &'q Scope, finder: &Finder<'_>) -> Result<Self> {
        Ok(Self {
            query,
            at,
            scope,
            sort: sort_of(scope),
            condition: finder.compile(&scope.filter, query.archived)?,
            kind: kind_of_records(&scope.object, query.archived),
            paths: scope.searched.iter().map(|field| path_of(field, query.archived)).collect(),
        })
    }

    fn gather(&self, segment: &Segment<'_>, budget: &Budget, gathered: &mut Gathered<'q>) -> Result<()> {
        // Looking for words asks for many terms, of which none would be there.
        if segment.frequency(&fields().kind_term(&self.kind))? == 0 {
            return Ok(());
        }
        let (documents, matches) = self.documents(segment, budget)?;
        if documents.is_empty() {
            return Ok(());
        }
        gathered.total += u64::from(documents.count());
        self.gather_hits(segment, &documents, matches.as_ref(), budget, gathered)?;
        for (counting, aggregate) in gathered.countings.iter_mut().zip(&self.scope.aggregates) {
            counting.add(segment, aggregate, &self.scope.object, self.query.archived, &documents, budget)?;
        }
        Ok(())
    }

    fn documents(&self, segment: &Segment<'_>, budget: &Budget) -> Result<(Bits, Option<Matches>)> {
        let Some(words) = &self.query.words else {
            return Ok((self.condition.documents(segment, &self.kind, budget)?, None));
        };
        let mut matches = words::find(segment, &self.paths, words, budget)?;
        let found = std::mem::replace(&mut matches.documents, Bits::none(0));
        Ok((self.condition.documents_among(found, segment, budget)?, Some(matches)))
    }

    fn gather_hits(
        &self,
        segment: &Segment<'_>,
        documents: &Bits,
        matches: Option<&Matches>,
        budget: &Budget,
        gathered: &mut Gathered<'q>,
    ) -> Result<()> {
        if self.query.limit == 0 {
            return Ok(());
        }
        let keys = KeyReader::open(segment, &self.sort, self.query.archived, matches)?;
        // One more than wanted tells whether there is more.
        let best = keys.best(documents, self.query.limit + 1, self.query.after.as_ref(), budget)?;
        gathered.hits.extend(best.into_iter().map(|place| Hit { place, scope: self.at }));
        Ok(())
    }
}

/// The order asked for; by id where none is.
fn sort_of(scope: &Scope) -> Vec<SortKey> {
    if scope.sort.is_empty() { vec![SortKey::Id { is_descending: false }] } else { scope.sort.clone() }
}

impl<'q> Gathered<'q> {
    fn new(query: &'q Query) -> Self {
        let aggregates = query.scopes.first().map(|scope| scope.aggregates.as_slice()).unwrap_or_default();
        Self { hits: Vec::new(), total: 0, countings: aggregates.iter().map(Counting::new).collect() }
    }

    fn finish(mut self, query: &Query, budget: &Budget) -> Result<Answer> {
        if let Some(scope) = query.scopes.first() {
            let sort = sort_of(scope);
            self.hits.sort_by(|one, other| compare(&sort, &one.place, &other.place));
        }
        let has_more = self.hits.len() > query.limit && query.limit > 0;
        self.hits.truncate(query.limit);
        let tables = self.countings.into_iter().map(|counting| counting.finish(budget)).collect::<Result<_>>()?;
        Ok(Answer { hits: self.hits, total: query.count.then_some(self.total), tables, has_more })
    }
}
