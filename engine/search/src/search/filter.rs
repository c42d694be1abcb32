//! Conditions: which documents of a segment meet them.
//!
//! A condition narrows a set of candidates. Where few are left, each is looked at; else the condition's own documents
//! are gathered and the two sets intersected, which costs about a nanosecond for each document that has the value.

use std::convert::Infallible;
use std::ops::{Bound, RangeInclusive};
use std::rc::Rc;
use std::sync::Arc;

use engine_model::RecordId;
use engine_model::property::Storage;
use engine_model::query::{Field, Filter, Test};
use tantivy::columnar::ColumnIndex;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, Term};

use super::bits::Bits;
use super::budget::Budget;
use super::column::{Firsts, ValueColumn};
use super::compared::{after_prefix, narrow_by_parts, narrow_by_texts};
use super::linked::LinkedIds;
use super::presence::Presence;
use super::segment::{Segment, add_postings, ordered};
use super::words::add_word;
use crate::document::unsigned;
use crate::error::Result;
use crate::fields;
use crate::schema::path_of;
use crate::texts::indexed_text;

/// A condition whose linked records have been looked up.
#[derive(Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Exists {
        path: String,
        is_number: bool,
    },
    Id(Vec<RangeInclusive<i64>>),
    Ids(Vec<RecordId>),
    Numbers {
        path: String,
        ranges: Vec<RangeInclusive<i64>>,
    },
    /// One of these, or all of them.
    Texts {
        terms: Vec<Term>,
        is_every: bool,
    },
    Between {
        path: String,
        from: Bound<String>,
        to: Bound<String>,
    },
    Words {
        path: String,
        words: Vec<String>,
    },
    Parts {
        path: String,
        parts: Vec<String>,
    },
    Linked(Arc<LinkedIds>),
}

/// Values of whatever is stored so stand among the numbers rather than the texts.
fn is_number(storage: Storage) -> bool {
    match storage {
        Storage::Scaled(_) | Storage::Date | Storage::Datetime | Storage::LongText | Storage::Opaque => true,
        Storage::Text | Storage::Option | Storage::TextList | Storage::Boolean => false,
    }
}

impl Condition {
    /// Compiles a filter; `linked` looks up linked records.
    pub(crate) fn compile(
        filter: &Filter,
        is_archived: bool,
        linked: &mut dyn FnMut(&engine_model::query::Linked) -> Result<LinkedIds>,
    ) -> Result<Self> {
        let mut list = |filters: &[Filter]| -> Result<Vec<Self>> {
            filters.iter().map(|filter| Self::compile(filter, is_archived, linked)).collect()
        };
        Ok(match filter {
            Filter::All(filters) => Self::all(list(filters)?),
            Filter::Any(filters) => Self::any(list(filters)?),
            Filter::Not(filter) => Self::Not(Box::new(Self::compile(filter, is_archived, linked)?)),
            Filter::Exists(field) if field.name.as_str() == "id" => Self::All(Vec::new()),
            Filter::Exists(field) => {
                Self::Exists { path: path_of(field, is_archived), is_number: is_number(field.storage) }
            }
            Filter::Is(field, test) => Self::of_test(field, test, is_archived),
            Filter::Ids(ids) => Self::Ids(ids.clone()),
            Filter::Listed(ids) if ids.len() <= FEW_IDS => Self::Ids(ids.to_vec()),
            Filter::Listed(ids) => Self::Linked(Arc::new(LinkedIds::of(ids.iter().map(|id| unsigned(*id)))?)),
            Filter::Linked(condition) => Self::Linked(Arc::new(linked(condition)?)),
        })
    }

    /// All of these, without those that say nothing.
    fn all(conditions: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(conditions.len());
        for condition in conditions {
            match condition {
                Self::All(conditions) => flat.extend(conditions),
                condition => flat.push(condition),
            }
        }
        single(flat).unwrap_or_else(Self::All)
    }

    fn any(conditions: Vec<Self>) -> Self {
        single(conditions).unwrap_or_else(Self::Any)
    }

    fn of_test(field: &Field, test: &Test, is_archived: bool) -> Self {
        let path = path_of(field, is_archived);
        let terms = |texts: &[String]| -> Vec<Term> {
            texts.iter().map(|text| fields().text_term(&path, &indexed_text(text))).collect()
        };
        match test {
            // Every value holds all of nothing.
            Test::HasAll(asked) | Test::Words(asked) if asked.is_empty() => {
                Self::Exists { path, is_number: is_number(field.storage) }
            }
            Test::Numbers(ranges) if field.name.as_str() == "id" => Self::Id(ranges.clone()),
            Test::Numbers(ranges) => Self::Numbers { path, ranges: ranges.clone() },
            Test::Texts(texts) => Self::Texts { terms: terms(texts), is_every: false },
            Test::HasAll(texts) => Self::Texts { terms: terms(texts), is_every: true },
            Test::Between(from, to) => Self::Between { path, from: from.clone(), to: to.clone() },
            Test::StartsWith(text) => {
                let to = after_prefix(text).map_or(Bound::Unbounded, Bound::Excluded);
                Self::Between { path, from: Bound::Included(text.clone()), to }
            }
            Test::Words(words) => Self::Words { path, words: words.clone() },
            Test::Parts(parts) => Self::Parts { path, parts: parts.clone() },
        }
    }

    /// Whether only documents of the paths' own object can meet it.
    fn implies_object(&self) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().any(Self::implies_object),
            Self::Any(conditions) => conditions.iter().all(Self::implies_object),
            Self::Exists { .. }
            | Self::Numbers { .. }
            | Self::Texts { .. }
            | Self::Between { .. }
            | Self::Words { .. }
            | Self::Parts { .. } => true,
            Self::Not(_) | Self::Id(_) | Self::Ids(_) | Self::Linked(_) => false,
        }
    }

    /// The living documents of a kind that meet it.
    pub(crate) fn documents(&self, segment: &Segment<'_>, kind: &str, budget: &Budget) -> Result<Bits> {
        let all = if self.implies_object() { Bits::all(segment.length()) } else { segment.documents_of_kind(kind)? };
        self.documents_among(all, segment, budget)
    }

    /// The living ones of these documents, all of one kind, that meet it.
    pub(crate) fn documents_among(&self, mut bits: Bits, segment: &Segment<'_>, budget: &Budget) -> Result<Bits> {
        self.narrow(segment, &mut bits, budget)?;
        segment.keep_alive(&mut bits);
        Ok(bits)
    }

    /// Takes out the documents that do not meet it.
    fn narrow(&self, segment: &Segment<'_>, bits: &mut Bits, budget: &Budget) -> Result<()> {
        budget.check_time()?;
        match self {
            Self::All(conditions) => narrow_by_all(conditions, segment, bits, budget),
            Self::Any(conditions) => {
                let mut met = Bits::none(bits.length());
                for condition in conditions {
                    let mut candidates = bits.clone();
                    candidates.and_not(&met);
                    condition.narrow(segment, &mut candidates, budget)?;
                    met.or(&candidates);
                }
                *bits = met;
                Ok(())
            }
            Self::Not(condition) => {
                let mut met = bits.clone();
                condition.narrow(segment, &mut met, budget)?;
                bits.and_not(&met);
                Ok(())
            }
            Self::Exists { path, is_number } => {
                match is_number {
                    true => narrow_by_presence(segment.numbers(path)?.as_deref(), bits),
                    false => narrow_by_presence(segment.texts(path)?.as_ref().map(|column| &*column.positions), bits),
                }
                Ok(())
            }
            Self::Id(ranges) => {
                bits.retain(|document| is_within(ranges, i64::try_from(segment.id(document)).unwrap_or(i64::MAX)));
                Ok(())
            }
            Self::Ids(ids) => narrow_by_ids(ids, segment, bits),
            Self::Numbers { path, ranges } => {
                let column = segment.numbers(path)?;
                narrow_by_ranges(column.as_ref(), ranges, bits);
                Ok(())
            }
            Self::Texts { terms, is_every: true } => {
                terms.iter().try_for_each(|term| keep_documents_of(term, segment, bits))
            }
            Self::Texts { terms, is_every: false } => narrow_by_terms(terms, segment, bits),
            Self::Between { path, from, to } => narrow_by_texts(segment, path, (from, to), bits, budget),
            Self::Words { path, words } => narrow_by_words(segment, path, words, bits),
            Self::Parts { path, parts } => narrow_by_parts(segment, path, parts, bits, budget),
            Self::Linked(linked) => {
                bits.retain(|document| linked.contains(segment.id(document)));
                Ok(())
            }
        }
    }

    /// What it takes to find its documents, roughly; cheap and narrow ones go first.
    fn cost(&self, segment: &Segment<'_>) -> Result<u64> {
        let all = u64::from(segment.length());
        Ok(match self {
            Self::Ids(ids) => ids.len() as u64,
            Self::Texts { terms, is_every } => {
                let mut frequencies = Vec::with_capacity(terms.len());
                for term in terms.iter().take(MOST_ASKED) {
                    frequencies.push(u64::from(segment.frequency(term)?));
                }
                if *is_every { frequencies.into_iter().min().unwrap_or(all) } else { frequencies.into_iter().sum() }
            }
            Self::Words { path, words } => {
                let mut lowest = all;
                for word in words.iter().take(MOST_ASKED) {
                    lowest = lowest.min(u64::from(segment.frequency(&fields().word_term(path, word))?));
                }
                lowest
            }
            Self::Between { .. } | Self::Numbers { .. } | Self::Id(_) => all / 2,
            Self::Exists { .. } => all,
            Self::Linked(_) => all + 1,
            Self::All(conditions) => conditions
                .iter()
                .map(|condition| condition.cost(segment))
                .try_fold(all, |lowest, cost| Ok::<_, crate::SearchError>(lowest.min(cost?)))?,
            Self::Any(conditions) => {
                conditions.iter().map(|condition| condition.cost(segment)).sum::<Result<u64>>()?.min(all + 2)
            }
            Self::Not(_) => all + 3,
            Self::Parts { .. } => all.saturating_mul(8),
        })
    }
}

/// The only condition; all of them where there is not one.
fn single(mut conditions: Vec<Condition>) -> std::result::Result<Condition, Vec<Condition>> {
    match conditions.pop() {
        Some(condition) if conditions.is_empty() => Ok(condition),
        last => {
            conditions.extend(last);
            Err(conditions)
        }
    }
}

/// Ids that are looked up one by one; where there are more, each document is asked for its id.
const FEW_IDS: usize = 64;

/// Terms of one condition whose frequencies are asked for to order conditions.
const MOST_ASKED: usize = 20;

/// Candidates are looked at one by one where they are at most one in so many.
const FEW: u32 = 32;

/// The same where many values are read at a time.
pub(super) const FEWER: u32 = 3;

/// Candidates whose values are read at a time.
const CHUNK: usize = 4_096;

fn is_few(bits: &Bits) -> bool {
    bits.count() <= bits.length() / FEW
}

fn is_within(ranges: &[RangeInclusive<i64>], number: i64) -> bool {
    ranges.iter().any(|range| range.contains(&number))
}

fn narrow_by_all(conditions: &[Condition], segment: &Segment<'_>, bits: &mut Bits, budget: &Budget) -> Result<()> {
    let mut ordered = Vec::with_capacity(conditions.len());
    for condition in conditions {
        ordered.push((condition.cost(segment)?, condition));
    }
    ordered.sort_by_key(|(cost, _)| *cost);
    for (_, condition) in ordered {
        condition.narrow(segment, bits, budget)?;
        if bits.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

fn narrow_by_presence(column: Option<&ValueColumn>, bits: &mut Bits) {
    match column {
        Some(column) => match (column.presence(), column.index()) {
            (Some(presence), _) => bits.and(presence.bits()),
            (None, ColumnIndex::Full) => {}
            (None, index) if is_few(bits) => bits.retain(|document| index.has_value(document)),
            (None, index) => bits.and(Presence::of(index, bits.length()).bits()),
        },
        None => *bits = Bits::none(bits.length()),
    }
}

fn narrow_by_ids(ids: &[RecordId], segment: &Segment<'_>, bits: &mut Bits) -> Result<()> {
    let terms: Vec<Term> = ids.iter().map(|id| Term::from_field_u64(fields().id, unsigned(*id))).collect();
    narrow_by_terms(&terms, segment, bits)
}

/// Keeps documents that have one of the terms.
fn narrow_by_terms(terms: &[Term], segment: &Segment<'_>, bits: &mut Bits) -> Result<()> {
    if let [term] = terms {
        return keep_documents_of(term, segment, bits);
    }
    let mut found = Bits::none(bits.length());
    for term in terms {
        segment.add_documents_of(term, &mut found)?;
    }
    bits.and(&found);
    Ok(())
}

/// [`narrow_by_terms`] for one term.
fn keep_documents_of(term: &Term, segment: &Segment<'_>, bits: &mut Bits) -> Result<()> {
    let terms = segment.terms(term.field())?;
    let Some(info) = terms.get_term_info(term)? else {
        *bits = Bits::none(bits.length());
        return Ok(());
    };
    let is_few = is_few(bits);
    let list = match is_few {
        true => segment.known_list(term.field(), &info),
        false => segment.long_list(term.field(), &terms, &info)?,
    };
    if let Some(documents) = list {
        bits.and(&documents);
        return Ok(());
    }
    if !is_few {
        let mut found = Bits::none(bits.length());
        add_postings(&mut terms.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)?, &mut found);
        bits.and(&found);
        return Ok(());
    }
    // From one candidate to the next along the term's documents.
    let mut postings = terms.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
    let mut at = postings.doc();
    bits.retain(|document| {
        if at < document {
            at = postings.seek(document);
        }
        at == document
    });
    Ok(())
}

fn narrow_by_ranges(column: Option<&Rc<ValueColumn>>, ranges: &[RangeInclusive<i64>], bits: &mut Bits) {
    let Some(column) = column else {
        *bits = Bits::none(bits.length());
        return;
    };
    let ranges: Vec<_> = ranges.iter().map(|range| ordered(*range.start())..=ordered(*range.end())).collect();
    let (lowest, highest) = column.bounds();
    let meets_all = ranges.iter().any(|range| range.contains(&lowest) && range.contains(&highest));
    if meets_all {
        return narrow_by_presence(Some(column), bits);
    }
    let mut found = Bits::none(bits.length());
    if bits.count() <= bits.length() / FEWER {
        match ranges.as_slice() {
            [range] => keep_within(column, bits, is_in(range), &mut found),
            ranges => {
                keep_within(column, bits, |number| ranges.iter().any(|range| range.contains(&number)), &mut found);
            }
        }
        *bits = found;
        return;
    }
    for range in ranges.iter().filter(|range| *range.start() <= highest && *range.end() >= lowest) {
        column.add_range(range, &mut found);
    }
    bits.and(&found);
}

/// Whether a number is in the range, by a single comparison.
pub(super) fn is_in(range: &RangeInclusive<u64>) -> impl Fn(u64) -> bool {
    let (start, width) = (*range.start(), range.end().checked_sub(*range.start()));
    move |number| width.is_some_and(|width| number.wrapping_sub(start) <= width)
}

/// Adds those of the candidates whose value is wanted.
pub(super) fn keep_within(column: &Rc<ValueColumn>, bits: &Bits, is_wanted: impl Fn(u64) -> bool, found: &mut Bits) {
    if column.is_multiple() {
        return bits
            .iter()
            .filter(|document| column.all(*document).any(&is_wanted))
            .for_each(|document| found.insert(document));
    }
    let mut firsts = Firsts::of(column.clone(), bits);
    let mut wanted = Vec::new();
    let kept = bits.each_chunk::<Infallible>(CHUNK, |chunk| {
        wanted.resize(chunk.len(), 0);
        // Written for each, and taken only where it is wanted: which are cannot be foreseen.
        let mut count = 0;
        firsts.each(chunk, |place, value| {
            if let (Some(to), Some(document)) = (wanted.get_mut(count), chunk.get(place)) {
                *to = *document;
            }
            count += usize::from(is_wanted(value));
        });
        wanted.iter().take(count).for_each(|document| found.insert(*document));
        Ok(())
    });
    match kept {
        Ok(()) => {}
    }
}

fn narrow_by_words(segment: &Segment<'_>, path: &str, words: &[String], bits: &mut Bits) -> Result<()> {
    for word in words {
        let mut found = Bits::none(bits.length());
        add_word(segment, path, word, &mut found)?;
        bits.and(&found);
    }
    Ok(())
}
