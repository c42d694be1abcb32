//! The order of hits: the best of each segment by what its columns hold, then the best of all by their values.
//!
//! Within a segment a key is a number that compares as the value does (a text is its position in the segment's sorted
//! dictionary); only what stays is brought to values that compare across segments.

use std::rc::Rc;

use engine_model::RecordId;
use engine_model::property::Storage;
use engine_model::query::{Field, Key, Place, SortKey};
use tantivy::columnar::StrColumn;

use super::bits::Bits;
use super::budget::Budget;
use super::column::{Firsts, ValueColumn};
use super::segment::{Segment, TextColumn, number_of, ordered, position_of, text_at};
use super::words::Matches;
use crate::error::Result;
use crate::schema::path_of;

/// A key within a segment: whether there is no value, then the value, turned round where the order descends. Records
/// without a value come last either way.
type Rank = (bool, u64);

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

/// A document among the best so far.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    ranks: Vec<Rank>,
    id: u64,
    document: u32,
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

    /// The first key's ranks of many documents.
    fn first_ranks(&self, documents: &[u32], firsts: Option<&mut Firsts>, ranks: &mut Vec<Rank>) {
        ranks.clear();
        ranks.resize(documents.len(), NULL);
        let Some(reading) = self.readings.first() else { return };
        let Some(firsts) = firsts else {
            let ranked = documents.iter().map(|document| self.rank(reading, *document));
            return ranks.iter_mut().zip(ranked).for_each(|(rank, ranked)| *rank = ranked);
        };
        match reading {
            Reading::Number { is_descending, .. } => {
                firsts.each(documents, |place, number| ranks[place] = rank_of(Some(number), *is_descending));
            }
            Reading::Text { is_descending, .. } => {
                firsts.each(documents, |place, at| ranks[place] = rank_of(Some(of_position(at)), *is_descending));
            }
            Reading::Option { places, is_descending, .. } => {
                let rank = |at| rank_of(place_of(places, at).map(ordered), *is_descending);
                firsts.each(documents, |place, at| ranks[place] = rank(at));
            }
            Reading::Score(_) | Reading::Id { .. } => {}
        }
    }

    /// Reads the first key's values, where it has a column.
    fn firsts(&self, documents: &Bits) -> Option<Firsts> {
        let column = match self.readings.first()? {
            Reading::Number { column, .. } => column.clone()?,
            Reading::Text { column, .. } | Reading::Option { column, .. } => column.as_ref()?.positions.clone(),
            Reading::Score(_) | Reading::Id { .. } => return None,
        };
        Some(Firsts::of(column, documents))
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
                self.add_best(&documents, Some(first), after.as_ref(), &mut best, budget)?;
                if best.is_full() {
                    break;
                }
            }
        } else {
            self.add_best(documents, None, after.as_ref(), &mut best, budget)?;
        }
        best.into_sorted().into_iter().map(|ranked| self.place(&ranked)).collect()
    }

    /// Puts those documents among the best that are; `same` is the rank of their first keys where all have the same.
    fn add_best(
        &self,
        documents: &Bits,
        same: Option<Rank>,
        after: Option<&(Vec<Rank>, u64)>,
        best: &mut Best,
        budget: &Budget,
    ) -> Result<()> {
        let (mut firsts, mut ranks, mut candidates) = (self.firsts(documents), Vec::new(), Vec::new());
        let is_after = |first: Rank| after.is_none_or(|(ranks, _)| ranks.first().is_none_or(|rank| first >= *rank));
        if same.is_some_and(|first| best.is_beyond(first) || !is_after(first)) {
            return Ok(());
        }
        documents.each_chunk(CHUNK, |chunk| {
            budget.check_time()?;
            match same {
                Some(first) => {
                    ranks.clear();
                    ranks.resize(chunk.len(), first);
                }
                None => self.first_ranks(chunk, firsts.as_mut(), &mut ranks),
            }
            let with_rank = ranks.iter().copied().zip(chunk.iter().copied());
            candidates.clear();
            candidates.extend(with_rank.filter(|(first, _)| !best.is_beyond(*first) && is_after(*first)));
            self.consider(&mut candidates, after, best);
            Ok(())
        })
    }

    /// Puts those among the best that are; each with the rank of its first key.
    fn consider(&self, candidates: &mut [(Rank, u32)], after: Option<&(Vec<Rank>, u64)>, best: &mut Best) {
        // Those that rank as the last of the page before may have been on it.
        let seen = after.and_then(|(ranks, _)| ranks.first());
        let mut unsure = 0;
        for at in 0..candidates.len() {
            if candidates.get(at).is_some_and(|(first, _)| Some(first) == seen) {
                candidates.swap(at, unsure);
                unsure += 1;
            }
        }
        // Where each is better than all before, as in the order of their making, only so many of a chunk matter.
        let sure = candidates.get_mut(unsure..).unwrap_or_default();
        let bound = best.most.checked_sub(1).filter(|last| *last < sure.len()).map(|last| {
            let (_, (bound, _), _) = sure.select_nth_unstable_by_key(last, |(first, _)| *first);
            *bound
        });
        let mut ranks = Vec::with_capacity(self.readings.len());
        for (first, document) in candidates.iter().filter(|(first, _)| bound.is_none_or(|bound| *first <= bound)) {
            let id = self.segment.id(*document);
            ranks.clear();
            ranks.extend(self.readings.first().map(|_| *first));
            ranks.extend(self.readings.iter().skip(1).map(|reading| self.rank(reading, *document)));
            if after.is_none_or(|(after, after_id)| (&ranks, id) > (after, *after_id)) {
                best.add(&ranks, id, *document);
            }
        }
    }

    /// A place as this segment would rank it; texts that it lacks rank between those around them.
    fn ranks_of(&self, place: &Place) -> Result<(Vec<Rank>, u64)> {
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
                            let (position, is_there) = position_of(&column.dictionary, text)?;
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

/// The best so many, found without sorting all.
struct Best {
    most: usize,
    kept: Vec<Ranked>,
    /// The worst that is still good enough; known once there are enough.
    bound: Option<(Vec<Rank>, u64)>,
}

impl Best {
    fn new(most: usize) -> Self {
        Self { most, kept: Vec::new(), bound: None }
    }

    /// Whether nothing with this first rank can be among the best.
    fn is_beyond(&self, first: Rank) -> bool {
        let bound = self.bound.as_ref().and_then(|(ranks, _)| ranks.first());
        self.most == 0 || bound.is_some_and(|bound| first > *bound)
    }

    /// Whether there are as many as are wanted.
    fn is_full(&self) -> bool {
        self.kept.len() >= self.most
    }

    fn add(&mut self, ranks: &[Rank], id: u64, document: u32) {
        if self.bound.as_ref().is_some_and(|(bound, bound_id)| (ranks, id) > (bound, *bound_id)) {
            return;
        }
        self.kept.push(Ranked { ranks: ranks.to_vec(), id, document });
        if self.kept.len() >= self.most.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() <= self.most {
            return;
        }
        if let Some(last) = self.most.checked_sub(1) {
            let (_, worst, _) = self.kept.select_nth_unstable(last);
            self.bound = Some((worst.ranks.clone(), worst.id));
        }
        self.kept.truncate(self.most);
    }

    fn into_sorted(mut self) -> Vec<Ranked> {
        self.cut();
        self.kept.sort_unstable();
        self.kept
    }
}
