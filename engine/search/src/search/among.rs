//! Which of some records meet which conditions: the records first, by the terms of their ids, and then only their own
//! links and the records that those lead to. What it costs depends on them, hardly on how much the index holds.

use std::cell::RefCell;
use std::rc::Rc;

use engine_model::RecordId;
use engine_model::query::{Among, Direction, Filter, Linked, LinkedScope, Quantifier};
use rustc_hash::{FxHashMap, FxHashSet};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, Searcher, TERMINATED, Term};

use super::bits::Bits;
use super::budget::{Budget, Limits};
use super::filter::Condition;
use super::kept::Kept;
use super::linked::{Finder, LinkedIds};
use super::segment::Segment;
use crate::document::unsigned;
use crate::error::Result;
use crate::fields;
use crate::schema::{kind_of_links, kind_of_records};

/// Records that are looked up one by one; where there are more, all of their kind are gone through.
const FEW: usize = if cfg!(test) { 24 } else { 4_096 };

/// What a link takes in memory, roughly.
const LINK_BYTES: usize = 32;

/// For each condition the records that meet it, in the order of their ids.
pub(crate) fn among(searcher: &Searcher, kept: &Kept, asked: &Among, limits: Limits) -> Result<Vec<Vec<RecordId>>> {
    let budget = Budget::new(limits);
    let segments = Segment::all(searcher, kept)?;
    let records = asked.records.iter().map(|id| unsigned(*id)).collect();
    let records = Rc::new(Ids { way: String::new(), ids: records });
    let asker = Asker {
        finder: Finder { segments: &segments, budget: &budget },
        links: RefCell::default(),
        documents: RefCell::default(),
    };
    let mut found = Vec::with_capacity(asked.filters.len());
    for filter in &asked.filters {
        budget.check_time()?;
        let mut met = Vec::new();
        asker.each(filter, &records, &asked.object, |id| met.push(RecordId(id.cast_signed())))?;
        met.sort_unstable();
        found.push(met);
    }
    Ok(found)
}

/// Some ids, and by which way they were come to: what is known of those of one way is known for all conditions.
struct Ids {
    way: String,
    ids: FxHashSet<u64>,
}

/// Links of some records: which of them with which other.
struct Links {
    pairs: Vec<(u64, u64)>,
    others: Rc<Ids>,
}

struct Asker<'a> {
    finder: Finder<'a>,
    links: RefCell<FxHashMap<String, Rc<Links>>>,
    /// Living documents by way and kind, one set for each segment that has some.
    documents: RefCell<FxHashMap<String, Rc<Documents>>>,
}

type Documents = Vec<(usize, Bits)>;

impl Asker<'_> {
    /// Calls `found` with those of the ids whose records are of the object and meet the filter.
    fn each(&self, filter: &Filter, ids: &Rc<Ids>, object: &str, mut found: impl FnMut(u64)) -> Result<()> {
        let documents = self.documents(ids, object)?;
        if documents.is_empty() {
            return Ok(());
        }
        let condition = Condition::compile(filter, false, &mut |linked| self.find(linked, ids))?;
        for (at, candidates) in documents.iter() {
            let Some(segment) = self.finder.segments.get(*at) else { continue };
            let met = condition.documents_among(candidates.clone(), segment, self.finder.budget)?;
            met.iter().for_each(|document| found(segment.id(document)));
        }
        Ok(())
    }

    /// Which of the ids meet a condition on linked records.
    fn find(&self, linked: &Linked, ids: &Rc<Ids>) -> Result<LinkedIds> {
        let links = self.links(linked, ids)?;
        let is_all = linked.quantifier == Quantifier::All;
        let mut met = FxHashSet::default();
        for LinkedScope { object, visible, filter } in &linked.others {
            let asked = if is_all { Filter::Not(Box::new(filter.clone())) } else { filter.clone() };
            let asked = Filter::All(vec![visible.clone(), asked]);
            self.each(&asked, &links.others, object, |id| {
                met.insert(id);
            })?;
        }
        let mut counts: FxHashMap<u64, i64> = FxHashMap::default();
        for (near, _) in links.pairs.iter().filter(|(_, far)| met.contains(far)) {
            *counts.entry(*near).or_default() += 1;
        }
        let count = |id: &u64| counts.get(id).copied().unwrap_or(0);
        let is_met = |id: &&u64| match &linked.quantifier {
            Quantifier::Any => count(id) > 0,
            Quantifier::None | Quantifier::All => count(id) == 0,
            Quantifier::Count(ranges) => ranges.iter().any(|range| range.contains(&count(id))),
        };
        LinkedIds::of(ids.ids.iter().filter(is_met).copied())
    }

    fn links(&self, linked: &Linked, ids: &Rc<Ids>) -> Result<Rc<Links>> {
        let is_out = linked.direction == Direction::Out;
        let way = format!("{}/{}{}", ids.way, if is_out { '>' } else { '<' }, linked.association);
        if let Some(known) = self.links.borrow().get(&way) {
            return Ok(Rc::clone(known));
        }
        let mut pairs = Vec::new();
        let mut take = |near: u64, far: u64| {
            self.finder.budget.take_memory(LINK_BYTES)?;
            pairs.push((near, far));
            Ok(())
        };
        match ids.ids.len() > FEW {
            true => self.finder.for_each_link(linked, |near, far| match ids.ids.contains(&near) {
                true => take(near, far),
                false => Ok(()),
            })?,
            false => {
                for segment in self.finder.segments {
                    self.each_link_of(segment, linked, ids, &mut take)?;
                }
            }
        }
        let others = Rc::new(Ids { way: way.clone(), ids: pairs.iter().map(|(_, far)| *far).collect() });
        let links = Rc::new(Links { pairs, others });
        self.links.borrow_mut().insert(way, Rc::clone(&links));
        Ok(links)
    }

    fn each_link_of(
        &self,
        segment: &Segment<'_>,
        linked: &Linked,
        ids: &Ids,
        take: &mut impl FnMut(u64, u64) -> Result<()>,
    ) -> Result<()> {
        let kind = kind_of_links(&linked.association);
        if segment.frequency(&fields().kind_term(&kind))? == 0 {
            return Ok(());
        }
        let (near, far) = match linked.direction {
            Direction::Out => (fields().from, "to"),
            Direction::In => (fields().to, "from"),
        };
        let of_kind = segment.documents_of_kind(&kind)?;
        let (terms, far) = (segment.terms(near)?, segment.end(far)?);
        for id in &ids.ids {
            self.finder.budget.check_time()?;
            let term = Term::from_field_u64(near, *id);
            let Some(mut postings) = terms.read_postings(&term, IndexRecordOption::Basic)? else { continue };
            let mut document = postings.doc();
            while document != TERMINATED {
                if of_kind.contains(document)
                    && segment.is_alive(document)
                    && let Some(other) = far.first(document)
                {
                    take(*id, other)?;
                }
                document = postings.advance();
            }
        }
        Ok(())
    }

    /// The living documents of the ids that are records of the object.
    fn documents(&self, ids: &Ids, object: &str) -> Result<Rc<Documents>> {
        let kind = kind_of_records(object, false);
        let key = format!("{} {kind}", ids.way);
        if let Some(known) = self.documents.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let mut documents = Documents::new();
        for (at, segment) in self.finder.segments.iter().enumerate() {
            if segment.frequency(&fields().kind_term(&kind))? == 0 {
                continue;
            }
            let found = self.documents_in(segment, ids, &kind)?;
            if !found.is_empty() {
                self.finder.budget.take_memory(Bits::bytes(found.length()))?;
                documents.push((at, found));
            }
        }
        let documents = Rc::new(documents);
        self.documents.borrow_mut().insert(key, Rc::clone(&documents));
        Ok(documents)
    }

    fn documents_in(&self, segment: &Segment<'_>, ids: &Ids, kind: &str) -> Result<Bits> {
        let of_kind = segment.documents_of_kind(kind)?;
        if ids.ids.len() > FEW {
            let mut found = of_kind;
            segment.keep_alive(&mut found);
            found.retain(|document| ids.ids.contains(&segment.id(document)));
            return Ok(found);
        }
        let (terms, mut found) = (segment.terms(fields().id)?, Bits::none(segment.length()));
        for id in &ids.ids {
            let term = Term::from_field_u64(fields().id, *id);
            let Some(mut postings) = terms.read_postings(&term, IndexRecordOption::Basic)? else { continue };
            let mut document = postings.doc();
            while document != TERMINATED {
                if of_kind.contains(document) && segment.is_alive(document) {
                    found.insert(document);
                }
                document = postings.advance();
            }
        }
        Ok(found)
    }
}
