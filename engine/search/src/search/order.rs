//! The order of hits: the best of each segment by what its columns hold, then the best of all by their values.
//!
//! Within a segment a key is a number that compares as the value does (a text is its position in the segment's sorted
//! dictionary); only what stays is brought to values that compare across segments.

use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

use engine_model::RecordId;
use engine_model::property::Storage;
use engine_model::query::{Field, Key, Place, SortKey};
use tantivy::columnar::StrColumn;

use super::best::{Best, Rank, Ranked, Ranks, Stretch};
use super::bits::Bits;
use super::blocks::BLOCK;
use super::budget::Budget;
use super::column::{Firsts, ValueColumn};
use super::segment::{Segment, TextColumn, exact_position_of, number_of, ordered, text_at};
use super::words::Matches;
use crate::error::Result;
use crate::schema::path_of;

const NULL: Rank = (true, 0);

/// Documents whose first keys are read at a time.
const CHUNK: usize = 4_096;

/// How one key is read from a segment.
enum Reading<'a> {
    Score(&'a Matches),
    Id {
        is_descending: bool,
    },
    Number {
        column: Option<Rc<ValueColumn>>,
        is_descending: bool,
    },
    Text {
        column: Option<Rc<TextColumn>>,
        is_descending: bool,
    },
    /// Of each position in the dictionary, the option's place among all.
    Option {
        column: Option<Rc<TextColumn>>,
        places: Vec<i64>,
        is_descending: bool,
    },
}

/// Reads the keys of one segment's documents.
pub(crate) struct KeyReader<'a> {
    segment: &'a Segment<'a>,
    readings: Vec<Reading<'a>>,
}

impl<'a> KeyReader<'a> {
    pub(crate) fn open(
        segment: &'a Segment<'a>,
        sort: &[SortKey],
        is_archived: bool,
        matches: Option<&'a Matches>,
    ) -> Result<Self> {
        let open = |key: &SortKey| match key {
            SortKey::Relevance => Ok(matches.map_or(Reading::Id { is_descending: false }, Reading::Score)),
            SortKey::Id { is_descending } => Ok(Reading::Id { is_descending: *is_descending }),
            SortKey::Value { field, is_descending } => {
                Self::open_value(segment, field, &path_of(field, is_archived), *is_descending)
            }
        };
        Ok(Self { segment, readings: sort.iter().map(open).collect::<Result<_>>()? })
    }

    fn open_value(segment: &Segment<'_>, field: &Field, path: &str, is_descending: bool) -> Result<Reading<'a>> {
        Ok(match field.storage {
            Storage::Option => {
                let column = segment.texts(path)?;
                let places = column.as_ref().map(|column| option_places(&column.dictionary, field)).transpose()?;
                Reading::Option { column, places: places.unwrap_or_default(), is_descending }
            }
            Storage::Text | Storage::TextList | Storage::Boolean => {
                Reading::Text { column: segment.texts(path)?, is_descending }
            }
            Storage::Scaled(_) | Storage::Date | Storage::Datetime | Storage::LongText | Storage::Opaque => {
                Reading::Number { column: segment.numbers(path)?, is_descending }
            }
        })
    }

    fn rank(&self, reading: &Reading<'_>, document: u32) -> Rank {
        let first = |column: Option<&ValueColumn>| column.and_then(|column| column.first(document));
        match reading {
            Reading::Score(matches) => (false, turned(ordered(matches.score(document)), true)),
            Reading::Id { is_descending } => (false, turned(self.segment.id(document), *is_descending)),
            Reading::Number { column, is_descending } => rank_of(first(column.as_deref()), *is_descending),
            Reading::Text { column, is_descending } => {
                let position = first(column.as_ref().map(|column| &*column.positions));
                rank_of(position.map(of_position), *is_descending)
            }
            Reading::Option { column, places, is_descending } => {
                let position = first(column.as_ref().map(|column| &*column.positions));
                rank_of(position.and_then(|at| place_of(places, at)).map(ordered), *is_descending)
            }
        }
    }

    /// What is read of many documents at a time: the key after the first `same`, or the id where there are no more.
    fn leading(&self, same: usize, documents: &Bits) -> Leading<'_> {
        let column = match self.readings.get(same) {
            Some(Reading::Number { column, .. }) => column.clone(),
            Some(Reading::Text { column, .. } | Reading::Option { column, .. }) => {
                column.as_ref().map(|column| Rc::clone(&column.positions))
            }
            Some(Reading::Score(_) | Reading::Id { .. }) | None => None,
        };
        Leading {
            reading: self.readings.get(same),
            firsts: column.map(|column| Firsts::of(column, documents)),
            ids: Vec::new(),
            ranks: Vec::new(),
        }
    }

    /// The best documents, at most `most`, that come after `after`; all of them where it is none.
    pub(crate) fn best(
        &self,
        documents: &Bits,
        most: usize,
        after: Option<&Place>,
        budget: &Budget,
    ) -> Result<Vec<Place>> {
        let after = after.map(|place| self.ranks_of(place)).transpose()?;
        let mut best = Best::new(most);
        if let Some(Reading::Score(matches)) = self.readings.first() {
            for (score, documents) in matches.levels(documents) {
                let first = rank_of(Some(ordered(score)), true);
                self.add_best(&documents, &[first], after.as_ref(), &mut best, budget)?;
                if best.is_full() {
                    break;
                }
            }
        } else {
            self.add_best(documents, &[], after.as_ref(), &mut best, budget)?;
        }
        best.into_sorted().into_iter().map(|ranked| self.place(&ranked)).collect()
    }

    /// Puts those documents among the best that are; `same` are the ranks of their first keys where all have the same.
    fn add_best(
        &self,
        documents: &Bits,
        same: &[Rank],
        after: Option<&Ranks>,
        best: &mut Best,
        budget: &Budget,
    ) -> Result<()> {
        let Stretch::From(first) = Stretch::after(after, same) else { return Ok(()) };
        let mut leading = self.leading(same.len(), documents);
        let is_by_id = leading.is_descending_by_id();
        let mut candidates = Vec::new();
        let mut take =
            |chunk: &[u32], best: &mut Best| {
                budget.check_time()?;
                let Stretch::From(last) = best.last(same) else { return Ok(()) };
                let ranks = leading.read(self, chunk).iter().copied().zip(chunk.iter().copied());
                candidates.clear();
                candidates.extend(ranks.filter(|(rank, _)| {
                    first.is_none_or(|first| *rank >= first) && last.is_none_or(|last| *rank <= last)
                }));
                self.consider(&mut candidates, same, after, first, best);
                Ok(())
            };
        match is_by_id {
            None => documents.each_chunk(CHUNK, |chunk| take(chunk, best)),
            Some(is_descending) => {
                let mut chunk = Vec::with_capacity(BLOCK as usize);
                self.each_block(is_descending, |ranks, words| {
                    match best.last(same) {
                        Stretch::From(last) if last.is_none_or(|last| *ranks.start() <= last) => {}
                        Stretch::From(_) | Stretch::Nothing => return Ok(false),
                    }
                    if first.is_none_or(|first| *ranks.end() >= first) {
                        chunk.clear();
                        documents.add_numbers(words, &mut chunk);
                        take(&chunk, best)?;
                    }
                    Ok(true)
                })
            }
        }
    }

    /// Calls `take` with the ranks between which the ids of a block are, and with the words of sets that stand for it;
    /// for one block after another in the order of ids, until it needs no more.
    fn each_block(
        &self,
        is_descending: bool,
        mut take: impl FnMut(RangeInclusive<Rank>, Range<u32>) -> Result<bool>,
    ) -> Result<()> {
        const WORDS: u32 = BLOCK / 64;
        let rank = |id: &u64| (false, turned(*id, is_descending));
        for (at, ids) in self.segment.id_blocks()?.in_order(is_descending) {
            let ranks = match is_descending {
                false => rank(ids.start())..=rank(ids.end()),
                true => rank(ids.end())..=rank(ids.start()),
            };
            if !take(ranks, at * WORDS..(at + 1) * WORDS)? {
                break;
            }
        }
        Ok(())
    }

    /// Puts those among the best that are; each with the rank of its leading key. Those with the rank `seen` may have
    /// been on the page before.
    fn consider(
        &self,
        candidates: &mut [(Rank, u32)],
        same: &[Rank],
        after: Option<&Ranks>,
        seen: Option<Rank>,
        best: &mut Best,
    ) {
        let mut unsure = 0;
        for at in 0..candidates.len() {
            if candidates.get(at).is_some_and(|(rank, _)| Some(*rank) == seen) {
                candidates.swap(at, unsure);
                unsure += 1;
            }
        }
        // Where each is better than all before, as in the order of their making, only so many of a chunk matter.
        let sure = candidates.get_mut(unsure..).unwrap_or_default();
        let bound = best.most().checked_sub(1).filter(|last| *last < sure.len()).map(|last| {
            let (_, (bound, _), _) = sure.select_nth_unstable_by_key(last, |(rank, _)| *rank);
            *bound
        });
        let mut ranks = Vec::with_capacity(self.readings.len());
        for (rank, document) in candidates.iter().filter(|(rank, _)| bound.is_none_or(|bound| *rank <= bound)) {
            let id = self.segment.id(*document);
            ranks.clear();
            ranks.extend_from_slice(same);
            ranks.extend(self.readings.get(same.len()).map(|_| *rank));
            ranks.extend(self.readings.iter().skip(same.len() + 1).map(|reading| self.rank(reading, *document)));
            if after.is_none_or(|(after, after_id)| (&ranks, id) > (after, *after_id)) {
                best.add(&ranks, id, *document);
            }
        }
    }

    /// A place as this segment would rank it; texts that it lacks rank between those around them.
    fn ranks_of(&self, place: &Place) -> Result<Ranks> {
        let mut ranks = Vec::with_capacity(self.readings.len());
        for (reading, key) in self.readings.iter().zip(&place.keys) {
            ranks.push(match (reading, key) {
                (_, Key::Null) => NULL,
                (Reading::Score(_), Key::Number(score)) => (false, turned(ordered(*score), true)),
                (Reading::Id { is_descending }, Key::Number(id)) => {
                    (false, turned(u64::try_from(*id).unwrap_or_default(), *is_descending))
                }
                (
                    Reading::Number { is_descending, .. } | Reading::Option { is_descending, .. },
                    Key::Number(number),
                ) => (false, turned(ordered(*number), *is_descending)),
                (Reading::Text { column, is_descending }, Key::Text(text)) => {
                    let position = match column {
                        Some(column) => {
                            let (position, is_there) = exact_position_of(&column.dictionary, text)?;
                            if is_there { of_position(position) } else { before_position(position) }
                        }
                        // No document here has a text, so any rank will do.
                        None => 0,
                    };
                    (false, turned(position, *is_descending))
                }
                // A place of another order, which nobody who reads cursors lets through.
                (_, Key::Number(_) | Key::Text(_)) => NULL,
            });
        }
        Ok((ranks, u64::try_from(place.id.0).unwrap_or_default()))
    }

    fn place(&self, ranked: &Ranked) -> Result<Place> {
        let key = |reading: &Reading<'_>| -> Result<Key> {
            let document = ranked.document;
            Ok(match reading {
                Reading::Score(matches) => Key::Number(matches.score(document)),
                Reading::Id { .. } => Key::Number(i64::try_from(ranked.id).unwrap_or(i64::MAX)),
                Reading::Number { column, .. } => {
                    let value = column.as_ref().and_then(|column| column.first(document));
                    value.map_or(Key::Null, |value| Key::Number(number_of(value)))
                }
                Reading::Text { column, .. } => {
                    let column = column.as_ref();
                    match column.and_then(|column| Some((column, column.positions.first(document)?))) {
                        Some((column, position)) => Key::Text(text_at(&column.dictionary, position)?),
                        None => Key::Null,
                    }
                }
                Reading::Option { column, places, .. } => {
                    let position = column.as_ref().and_then(|column| column.positions.first(document));
                    position.and_then(|at| place_of(places, at)).map_or(Key::Null, Key::Number)
                }
            })
        };
        let keys = self.readings.iter().map(key).collect::<Result<_>>()?;
        Ok(Place { keys, id: RecordId(i64::try_from(ranked.id).unwrap_or_default()) })
    }
}

/// Reads one key of many documents at a time: the first in which they may differ.
struct Leading<'a> {
    /// None where that is the id.
    reading: Option<&'a Reading<'a>>,
    /// Its values, where it has a column.
    firsts: Option<Firsts>,
    ids: Vec<u64>,
    ranks: Vec<Rank>,
}

impl Leading<'_> {
    /// Where it is the id, whether the highest comes first.
    fn is_descending_by_id(&self) -> Option<bool> {
        match self.reading {
            None => Some(false),
            Some(Reading::Id { is_descending }) => Some(*is_descending),
            Some(_) => None,
        }
    }

    /// The ranks of these documents.
    fn read(&mut self, keys: &KeyReader<'_>, documents: &[u32]) -> &[Rank] {
        let Self { reading, firsts, ids, ranks } = self;
        ranks.clear();
        ranks.resize(documents.len(), NULL);
        match *reading {
            Some(Reading::Number { is_descending, .. }) => {
                rank_firsts(firsts.as_mut(), documents, ranks, |number| rank_of(Some(number), *is_descending));
            }
            Some(Reading::Text { is_descending, .. }) => {
                rank_firsts(firsts.as_mut(), documents, ranks, |at| rank_of(Some(of_position(at)), *is_descending));
            }
            Some(Reading::Option { places, is_descending, .. }) => {
                let rank = |at| rank_of(place_of(places, at).map(ordered), *is_descending);
                rank_firsts(firsts.as_mut(), documents, ranks, rank);
            }
            Some(reading @ Reading::Score(_)) => {
                let ranked = documents.iter().map(|document| keys.rank(reading, *document));
                ranks.iter_mut().zip(ranked).for_each(|(rank, ranked)| *rank = ranked);
            }
            Some(Reading::Id { .. }) | None => {
                let is_descending = matches!(reading, Some(Reading::Id { is_descending: true }));
                ids.clear();
                ids.resize(documents.len(), 0);
                keys.segment.ids.values.get_vals(documents, ids);
                ranks.iter_mut().zip(&*ids).for_each(|(rank, id)| *rank = (false, turned(*id, is_descending)));
            }
        }
        ranks
    }
}

/// The ranks of those of the documents that have a value.
fn rank_firsts(firsts: Option<&mut Firsts>, documents: &[u32], ranks: &mut [Rank], rank: impl Fn(u64) -> Rank) {
    if let Some(firsts) = firsts {
        firsts.each(documents, |place, value| ranks[place] = rank(value));
    }
}

/// Compares two places in the order asked for.
pub(crate) fn compare(sort: &[SortKey], one: &Place, other: &Place) -> std::cmp::Ordering {
    let keys = sort.iter().zip(one.keys.iter().zip(&other.keys)).map(|(key, (one, other))| {
        let is_descending = match key {
            SortKey::Relevance => true,
            SortKey::Id { is_descending } | SortKey::Value { is_descending, .. } => *is_descending,
        };
        match (one, other) {
            (Key::Null, Key::Null) => std::cmp::Ordering::Equal,
            (Key::Null, _) => std::cmp::Ordering::Greater,
            (_, Key::Null) => std::cmp::Ordering::Less,
            _ if is_descending => compare_values(other, one),
            _ => compare_values(one, other),
        }
    });
    keys.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(one.id.cmp(&other.id))
}

fn compare_values(one: &Key, other: &Key) -> std::cmp::Ordering {
    match (one, other) {
        (Key::Number(one), Key::Number(other)) => one.cmp(other),
        (Key::Text(one), Key::Text(other)) => one.cmp(other),
        // Keys of one order are all of one form.
        (Key::Null | Key::Number(_) | Key::Text(_), _) => std::cmp::Ordering::Equal,
    }
}

fn rank_of(value: Option<u64>, is_descending: bool) -> Rank {
    value.map_or(NULL, |value| (false, turned(value, is_descending)))
}

fn place_of(places: &[i64], position: u64) -> Option<i64> {
    places.get(usize::try_from(position).ok()?).copied()
}

/// For each text of a column, the option's place among all; unknown ones come after.
fn option_places(column: &StrColumn, field: &Field) -> Result<Vec<i64>> {
    let mut positions = Vec::with_capacity(column.num_terms());
    let mut texts = column.dictionary().stream()?;
    while texts.advance() {
        let place = field.options.iter().position(|option| option.as_bytes() == texts.key());
        positions.push(i64::try_from(place.unwrap_or(field.options.len())).unwrap_or(i64::MAX));
    }
    Ok(positions)
}

fn turned(rank: u64, is_descending: bool) -> u64 {
    if is_descending { !rank } else { rank }
}

/// Texts rank by odd numbers, so that there is room between them for texts of other segments.
fn of_position(position: u64) -> u64 {
    position * 2 + 1
}

fn before_position(position: u64) -> u64 {
    position * 2
}
