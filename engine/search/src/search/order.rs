//! The order of hits: the best of each segment by what its columns hold, then the best of all by their values.
//!
//! Within a segment a key is a number that compares as the value does (a text is its position in the segment's sorted
//! dictionary); only what stays is brought to values that compare across segments.

use engine_model::RecordId;
use engine_model::property::Storage;
use engine_model::query::{Field, Key, Place, SortKey};
use tantivy::columnar::{Column, StrColumn};

use super::budget::Budget;
use super::segment::{Segment, position_of, text_at};
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
    Id { is_descending: bool },
    Number { column: Option<Column<i64>>, is_descending: bool },
    Text { column: Option<StrColumn>, is_descending: bool },
    Option { column: Option<StrColumn>, positions: Vec<i64>, is_descending: bool },
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
                let positions = column.as_ref().map(|column| option_positions(column, field)).transpose()?;
                Reading::Option { column, positions: positions.unwrap_or_default(), is_descending }
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
        match reading {
            Reading::Score(matches) => (false, turned(ordered(matches.score(document)), true)),
            Reading::Id { is_descending } => (false, turned(self.segment.id(document), *is_descending)),
            Reading::Number { column, is_descending } => column
                .as_ref()
                .and_then(|column| column.first(document))
                .map_or(NULL, |number| (false, turned(ordered(number), *is_descending))),
            Reading::Text { column, is_descending } => column
                .as_ref()
                .and_then(|column| column.ords().first(document))
                .map_or(NULL, |position| (false, turned(of_position(position), *is_descending))),
            Reading::Option { column, positions, is_descending } => column
                .as_ref()
                .and_then(|column| column.ords().first(document))
                .and_then(|at| positions.get(usize::try_from(at).ok()?))
                .map_or(NULL, |position| (false, turned(ordered(*position), *is_descending))),
        }
    }

    /// The first key's ranks of many documents.
    fn first_ranks(&self, documents: &[u32], ranks: &mut Vec<Rank>) {
        ranks.clear();
        let ranked =
            |value: Option<u64>, is_descending: bool| value.map_or(NULL, |value| (false, turned(value, is_descending)));
        match self.readings.first() {
            Some(Reading::Number { column: Some(column), is_descending }) => {
                let mut numbers = vec![None; documents.len()];
                column.first_vals(documents, &mut numbers);
                ranks.extend(numbers.into_iter().map(|number| ranked(number.map(ordered), *is_descending)));
            }
            Some(Reading::Text { column: Some(column), is_descending }) => {
                let mut positions = vec![None; documents.len()];
                column.ords().first_vals(documents, &mut positions);
                ranks.extend(positions.into_iter().map(|at| ranked(at.map(of_position), *is_descending)));
            }
            Some(reading) => ranks.extend(documents.iter().map(|document| self.rank(reading, *document))),
            None => ranks.resize(documents.len(), NULL),
        }
    }

    /// The best documents, at most `most`, that come after `after`; all of them where it is none.
    pub(crate) fn best(
        &self,
        documents: impl Iterator<Item = u32>,
        most: usize,
        after: Option<&Place>,
        budget: &Budget,
    ) -> Result<Vec<Place>> {
        let after = after.map(|place| self.ranks_of(place)).transpose()?;
        let mut best = Best::new(most);
        let mut documents = documents.peekable();
        let (mut chunk, mut firsts) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
        while documents.peek().is_some() {
            budget.check_time()?;
            chunk.clear();
            chunk.extend(documents.by_ref().take(CHUNK));
            self.first_ranks(&chunk, &mut firsts);
            for (document, first) in chunk.iter().zip(&firsts) {
                self.consider(*document, *first, after.as_ref(), &mut best);
            }
        }
        best.into_sorted().into_iter().map(|ranked| self.place(&ranked)).collect()
    }

    fn consider(&self, document: u32, first: Rank, after: Option<&(Vec<Rank>, u64)>, best: &mut Best) {
        let is_before = after.is_some_and(|(ranks, _)| ranks.first().is_some_and(|rank| first < *rank));
        if is_before || best.is_beyond(first) {
            return;
        }
        let id = self.segment.id(document);
        let rest = self.readings.iter().skip(1).map(|reading| self.rank(reading, document));
        let ranks: Vec<Rank> = self.readings.first().map(|_| first).into_iter().chain(rest).collect();
        if after.is_none_or(|(after, after_id)| (&ranks, id) > (after, *after_id)) {
            best.add(Ranked { ranks, id, document });
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
                            let (position, is_there) = position_of(column, text)?;
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
                    column.as_ref().and_then(|column| column.first(document)).map_or(Key::Null, Key::Number)
                }
                Reading::Text { column, .. } => {
                    let column = column.as_ref();
                    match column.and_then(|column| Some((column, column.ords().first(document)?))) {
                        Some((column, position)) => Key::Text(text_at(column, position)?),
                        None => Key::Null,
                    }
                }
                Reading::Option { column, positions, .. } => column
                    .as_ref()
                    .and_then(|column| column.ords().first(document))
                    .and_then(|at| positions.get(usize::try_from(at).ok()?))
                    .map_or(Key::Null, |position| Key::Number(*position)),
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

/// For each text of a column, the option's place among all; unknown ones come after.
fn option_positions(column: &StrColumn, field: &Field) -> Result<Vec<i64>> {
    let mut positions = Vec::with_capacity(column.num_terms());
    let mut texts = column.dictionary().stream()?;
    while texts.advance() {
        let place = field.options.iter().position(|option| option.as_bytes() == texts.key());
        positions.push(i64::try_from(place.unwrap_or(field.options.len())).unwrap_or(i64::MAX));
    }
    Ok(positions)
}

/// A signed number as an unsigned one in the same order.
fn ordered(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
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
    /// The first rank of the worst that is still good enough; known once there are enough.
    bound: Option<Rank>,
}

impl Best {
    fn new(most: usize) -> Self {
        Self { most, kept: Vec::new(), bound: None }
    }

    /// Whether nothing with this first rank can be among the best.
    fn is_beyond(&self, first: Rank) -> bool {
        self.most == 0 || self.bound.is_some_and(|bound| first > bound)
    }

    fn add(&mut self, ranked: Ranked) {
        self.kept.push(ranked);
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
            self.bound = worst.ranks.first().copied();
        }
        self.kept.truncate(self.most);
    }

    fn into_sorted(mut self) -> Vec<Ranked> {
        self.cut();
        self.kept.sort_unstable();
        self.kept
    }
}
