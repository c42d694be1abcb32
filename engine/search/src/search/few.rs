//! A few of the records that meet conditions: each narrows what the one before has left, until that is few.

use std::collections::BTreeSet;

use engine_model::RecordId;
use engine_model::query::{Few, Filter, TextTest};
use tantivy::Searcher;

use super::bits::Bits;
use super::budget::{Budget, Limits};
use super::kept::Kept;
use super::linked::Finder;
use super::segment::{Segment, text_at};
use crate::error::Result;
use crate::fields;
use crate::schema::{kind_of_records, path_of};
use crate::texts::is_long;

/// For each asked the ids that one of its questions at least has brought, lowest first.
pub(crate) fn few(searcher: &Searcher, kept: &Kept, asked: &[Few], limits: Limits) -> Result<Vec<Vec<RecordId>>> {
    let segments = Segment::all(searcher, kept)?;
    let answer = |asked: &Few| {
        let budget = Budget::new(limits);
        let kind = kind_of_records(&asked.object, false);
        let term = fields().kind_term(&kind);
        let mut within = Vec::with_capacity(segments.len());
        for segment in &segments {
            if segment.frequency(&term)? > 0 {
                within.push(segment);
            }
        }
        let finder = Finder { segments: &segments, budget: &budget };
        let mut ids = BTreeSet::new();
        for question in &asked.questions {
            for place in narrowed(&finder, (&within, &kind), &question.steps, asked.most)? {
                if place.passes(&question.texts)? {
                    ids.insert(place.id);
                }
            }
        }
        Ok(ids.into_iter().map(|id| RecordId(id.cast_signed())).collect())
    };
    asked.iter().map(answer).collect()
}

/// One in so many is what a condition is expected to leave: one that would not be enough is left out.
const LEAVES: usize = 32;

/// The condition to ask after the one at `at`, which has left so many; none where these are few, or it was the last.
fn next(at: usize, left: usize, most: usize, conditions: usize) -> Option<usize> {
    let (mut next, mut enough) = (at + 1, most);
    if left <= most || next >= conditions {
        return None;
    }
    while next + 1 < conditions && left / LEAVES > enough {
        (next, enough) = (next + 1, enough.saturating_mul(LEAVES));
    }
    Some(next)
}

/// A record that was found.
struct Place<'a> {
    id: u64,
    segment: &'a Segment<'a>,
    document: u32,
}

impl Place<'_> {
    /// Whether its texts pass every test.
    fn passes(&self, tests: &[TextTest]) -> Result<bool> {
        for test in tests {
            if !self.passes_one(test)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn passes_one(&self, test: &TextTest) -> Result<bool> {
        for field in &test.fields {
            let Some(column) = self.segment.texts(&path_of(field, false))? else { continue };
            for position in column.positions.all(self.document) {
                let text = text_at(&column.dictionary, position)?;
                if is_long(&text) || (test.passes)(&text) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// The records, all of a kind and in these segments, that a question's steps leave, in no order.
fn narrowed<'a>(
    finder: &Finder<'a>,
    (segments, kind): (&[&'a Segment<'a>], &str),
    steps: &[Filter],
    most: usize,
) -> Result<Vec<Place<'a>>> {
    // Which segments have some of the documents, and which.
    let mut left: Vec<(&'a Segment<'a>, Bits)> = Vec::new();
    let mut at = 0;
    while let Some(filter) = steps.get(at) {
        let condition = finder.compile(filter, false)?;
        let candidates = std::mem::take(&mut left);
        if at == 0 {
            for segment in segments {
                left.push((segment, condition.documents(segment, kind, finder.budget)?));
            }
        } else {
            for (segment, documents) in candidates {
                left.push((segment, condition.documents_among(documents, segment, finder.budget)?));
            }
        }
        left.retain(|(_, documents)| !documents.is_empty());
        let count = left.iter().map(|(_, documents)| documents.count() as usize).sum();
        let Some(next) = next(at, count, most, steps.len()) else { break };
        at = next;
    }
    let places_of = |(segment, documents): &(&'a Segment<'a>, Bits)| -> Vec<Place<'a>> {
        documents.iter().map(|document| Place { id: segment.id(document), segment, document }).collect()
    };
    let mut places: Vec<Place<'_>> = left.iter().flat_map(places_of).collect();
    if places.len() > most {
        places.select_nth_unstable_by_key(most, |place| place.id);
        places.truncate(most);
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn conditions_that_would_leave_too_many_are_left_out() {
        assert_eq!([0, 50].map(|left| next(0, left, 50, 4)), [None, None]);
        assert_eq!([51, 1_631].map(|left| next(0, left, 50, 4)), [Some(1), Some(1)]);
        assert_eq!([1_632, 50_000].map(|left| next(0, left, 50, 4)), [Some(2), Some(2)]);
        assert_eq!(next(0, 60_000, 50, 4), Some(3));
        // The last one is always there.
        assert_eq!([next(0, 60_000, 50, 2), next(1, 60_000, 50, 4), next(3, 60_000, 50, 4)], [Some(1), Some(3), None]);
    }
}
