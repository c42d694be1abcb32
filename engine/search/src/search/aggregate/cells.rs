//! What is computed of groups: one cell for each group and measure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use engine_model::query::{Field, Measure};
use rustc_hash::{FxHashMap, FxHashSet};

use super::values::{Value, Values};
use crate::error::Result;
use crate::schema::path_of;
use crate::search::bits::Bits;
use crate::search::budget::Budget;
use crate::search::column::Firsts;
use crate::search::segment::{Segment, number_of};

/// The cells of one measure, by group.
#[derive(Debug)]
pub(crate) enum Cells {
    Count(Vec<u64>),
    /// Sums and how many values went into them.
    Sum(Vec<(i128, u64)>),
    Extreme {
        cells: Vec<Option<i64>>,
        is_max: bool,
    },
    /// Groups and hashes of values; wide enough for two values never to meet.
    Distinct {
        values: FxHashSet<(u32, u128)>,
        groups: usize,
    },
    /// Every value.
    Percentiles(Vec<Vec<i64>>),
}

impl Cells {
    pub(crate) fn of(measure: &Measure) -> Self {
        match measure {
            Measure::Count => Self::Count(Vec::new()),
            Measure::CountDistinct(_) => Self::Distinct { values: FxHashSet::default(), groups: 0 },
            Measure::Sum(_) | Measure::Avg(_) => Self::Sum(Vec::new()),
            Measure::Min(_) => Self::Extreme { cells: Vec::new(), is_max: false },
            Measure::Max(_) => Self::Extreme { cells: Vec::new(), is_max: true },
            Measure::Percentiles(..) => Self::Percentiles(Vec::new()),
        }
    }

    /// Bytes that a group takes, roughly; those of values apart.
    pub(crate) fn bytes_of_a_group(&self) -> usize {
        match self {
            Self::Count(_) => 8,
            Self::Sum(_) => 32,
            Self::Extreme { .. } => 16,
            Self::Distinct { .. } => 0,
            Self::Percentiles(_) => 24,
        }
    }

    /// Makes room for so many groups.
    pub(crate) fn grow(&mut self, groups: usize) {
        match self {
            Self::Count(cells) => grow(cells, groups, 0),
            Self::Sum(cells) => grow(cells, groups, (0, 0)),
            Self::Extreme { cells, .. } => grow(cells, groups, None),
            Self::Distinct { groups: known, .. } => *known = groups.max(*known),
            Self::Percentiles(cells) => grow(cells, groups, Vec::new()),
        }
    }

    /// Adds what another part found; `groups` says which group here each one there is.
    pub(crate) fn merge(&mut self, other: Self, groups: &[u32], budget: &Budget) -> Result<()> {
        let targets = groups.iter().map(|group| *group as usize);
        match (self, other) {
            (Self::Count(cells), Self::Count(others)) => {
                for (target, other) in targets.zip(others) {
                    cells[target] += other;
                }
            }
            (Self::Sum(cells), Self::Sum(others)) => {
                for (target, (sum, count)) in targets.zip(others) {
                    cells[target].0 += sum;
                    cells[target].1 += count;
                }
            }
            (Self::Extreme { cells, is_max }, Self::Extreme { cells: others, .. }) => {
                for (target, other) in targets.zip(others) {
                    cells[target] = further(cells[target], other, *is_max);
                }
            }
            (Self::Distinct { values, .. }, Self::Distinct { values: others, .. }) => {
                budget.take_memory(others.len() * BYTES_OF_A_HASH)?;
                let moved = |(group, hash)| Some((*groups.get(group as usize)?, hash));
                values.extend(others.into_iter().filter_map(moved));
            }
            (Self::Percentiles(cells), Self::Percentiles(others)) => {
                for (target, mut other) in targets.zip(others) {
                    cells[target].append(&mut other);
                }
            }
            // Both parts were made for the same measure.
            _ => {}
        }
        Ok(())
    }
}

/// A hash with its place in a set.
const BYTES_OF_A_HASH: usize = 40;

fn grow<T: Clone>(cells: &mut Vec<T>, groups: usize, empty: T) {
    if cells.len() < groups {
        cells.resize(groups, empty);
    }
}

fn further(one: Option<i64>, other: Option<i64>, is_max: bool) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) if is_max => Some(one.max(other)),
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Fills the cells of one measure from one segment.
pub(crate) struct Filling {
    pub(crate) cells: Cells,
    source: Source,
}

/// Where a measure's values come from.
enum Source {
    Records,
    Numbers(Option<Firsts>),
    /// Values with the groups in which they were met.
    Values {
        values: Values,
        met: FxHashSet<u64>,
    },
}

impl Filling {
    pub(crate) fn open(segment: &Segment<'_>, measure: &Measure, is_archived: bool, documents: &Bits) -> Result<Self> {
        let numbers = |field: &Field| -> Result<Source> {
            let column = match field.name.as_str() {
                "id" => Some(segment.ordered_ids()?),
                _ => segment.numbers(&path_of(field, is_archived))?,
            };
            Ok(Source::Numbers(column.map(|column| Firsts::of(column, documents))))
        };
        let source = match measure {
            Measure::Count => Source::Records,
            Measure::CountDistinct(field) => {
                let values = Values::of_field(segment, field, is_archived, documents)?;
                Source::Values { values, met: FxHashSet::default() }
            }
            Measure::Sum(field)
            | Measure::Avg(field)
            | Measure::Min(field)
            | Measure::Max(field)
            | Measure::Percentiles(field, _) => numbers(field)?,
        };
        Ok(Self { cells: Cells::of(measure), source })
    }

    /// Takes documents with the group of each; a document that is in several groups comes several times.
    pub(crate) fn take(&mut self, documents: &[u32], groups: &[u32], budget: &Budget) -> Result<()> {
        match (&mut self.source, &mut self.cells) {
            (Source::Records, Cells::Count(cells)) => groups.iter().for_each(|group| cells[*group as usize] += 1),
            (Source::Numbers(Some(numbers)), cells) => match cells {
                Cells::Sum(cells) => numbers.each(documents, |place, value| {
                    let (sum, count) = &mut cells[groups[place] as usize];
                    *sum += i128::from(number_of(value));
                    *count += 1;
                }),
                Cells::Extreme { cells, is_max } => numbers.each(documents, |place, value| {
                    let cell = &mut cells[groups[place] as usize];
                    *cell = further(*cell, Some(number_of(value)), *is_max);
                }),
                Cells::Percentiles(cells) => {
                    budget.take_memory(documents.len() * 8)?;
                    numbers.each(documents, |place, value| {
                        cells[groups[place] as usize].push(number_of(value));
                    });
                }
                // These do not read numbers.
                Cells::Count(_) | Cells::Distinct { .. } => {}
            },
            (Source::Values { values, met }, _) => {
                let before = met.len();
                let null = values.null();
                let mut found = Vec::new();
                for (document, group) in documents.iter().zip(groups) {
                    found.clear();
                    values.read_all(*document, &mut found);
                    let present = found.iter().filter(|value| Some(**value) != null);
                    met.extend(present.map(|value| u64::from(*group) << 32 | u64::from(*value)));
                }
                budget.take_memory((met.len() - before) * 16)?;
            }
            (Source::Records | Source::Numbers(_), _) => {}
        }
        Ok(())
    }

    /// The cells, with what values were met.
    pub(crate) fn finish(self) -> Result<Cells> {
        let Self { mut cells, source } = self;
        if let (Source::Values { values, met }, Cells::Distinct { values: hashes, .. }) = (source, &mut cells) {
            let mut numbers: Vec<u32> = met.iter().map(|entry| *entry as u32).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let hashed = values.look_up(&numbers)?.into_iter().map(|value| hash(&value));
            let by_number: FxHashMap<u32, u128> = numbers.iter().copied().zip(hashed).collect();
            let entries =
                met.into_iter().filter_map(|entry| Some(((entry >> 32) as u32, *by_number.get(&(entry as u32))?)));
            hashes.extend(entries);
        }
        Ok(cells)
    }
}

/// 128 bits: among a million values two of them meet with a chance of 1 to 10^26.
fn hash(value: &Value) -> u128 {
    let part = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        value.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    part(0) << 64 | part(1)
}
