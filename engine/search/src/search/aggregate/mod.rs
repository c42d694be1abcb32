//! Tables: groups and what is computed of them, exactly.
//!
//! Each segment is counted for itself, by the numbers that its values have there; then its groups are added to those
//! of the whole by their values. What does not fit into the query's memory is refused, never estimated.

mod calendar;
mod cells;
mod rows;
mod values;

use engine_model::query::{Aggregate, Table};
use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::budget::Budget;
use super::segment::Segment;
use crate::error::Result;
use cells::{Cells, Filling};
use values::{Value, Values};

/// Documents that are counted at a time.
const CHUNK: usize = 4_096;

/// One aggregate while it is counted.
pub(crate) struct Counting<'q> {
    aggregate: &'q Aggregate,
    groups: FxHashMap<Vec<Value>, u32>,
    cells: Vec<Cells>,
}

impl<'q> Counting<'q> {
    pub(crate) fn new(aggregate: &'q Aggregate) -> Self {
        let cells = aggregate.measures.iter().map(|(_, measure)| Cells::of(measure)).collect();
        Self { aggregate, groups: FxHashMap::default(), cells }
    }

    /// Adds the documents of one segment; `aggregate` is this one as the documents' object has it.
    pub(crate) fn add(
        &mut self,
        segment: &Segment<'_>,
        aggregate: &Aggregate,
        object: &str,
        is_archived: bool,
        documents: &Bits,
        budget: &Budget,
    ) -> Result<()> {
        let mut part = Part::open(segment, aggregate, object, is_archived, documents)?;
        documents.each_chunk(CHUNK, |chunk| part.take(chunk, budget))?;
        self.merge(part, budget)
    }

    fn merge(&mut self, part: Part, budget: &Budget) -> Result<()> {
        /// What a group's key and its place take, beside the texts.
        const KEY_BYTES: usize = 64;
        let keys = part.keys(budget)?;
        let mut groups = Vec::with_capacity(keys.len());
        for key in keys {
            let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
            let before = self.groups.len();
            groups.push(*self.groups.entry(key).or_insert(next));
            if self.groups.len() > before {
                let cells: usize = self.cells.iter().map(Cells::bytes_of_a_group).sum();
                budget.take_memory(KEY_BYTES * (1 + self.aggregate.groups.len()) + cells)?;
            }
        }
        for (cells, filling) in self.cells.iter_mut().zip(part.fillings) {
            cells.grow(self.groups.len());
            cells.merge(filling.finish()?, &groups, budget)?;
        }
        budget.give_back(part.bytes);
        Ok(())
    }

    /// The rows, ordered and cut.
    pub(crate) fn finish(mut self, budget: &Budget) -> Result<Table> {
        // Without groups there is one row, even of no records.
        if self.aggregate.groups.is_empty() && self.groups.is_empty() {
            self.groups.insert(Vec::new(), 0);
            self.cells.iter_mut().for_each(|cells| cells.grow(1));
        }
        let rows = rows::rows(self.aggregate, self.groups, self.cells, budget)?;
        Ok(Table { name: self.aggregate.name.clone(), rows })
    }
}

/// The groups of one segment.
struct Part {
    dimensions: Vec<Values>,
    fillings: Vec<Filling>,
    /// Groups by the numbers of their values; with one dimension, the place in `single` instead.
    groups: FxHashMap<Vec<u32>, u32>,
    single: Vec<u32>,
    /// The numbers of each group's values, one after another.
    keys: Vec<u32>,
    count: u32,
    bytes: usize,
}

/// No group yet.
const NO_GROUP: u32 = u32::MAX;

impl Part {
    fn open(
        segment: &Segment<'_>,
        aggregate: &Aggregate,
        object: &str,
        is_archived: bool,
        documents: &Bits,
    ) -> Result<Self> {
        let dimension = |group| Values::of_group(segment, group, object, is_archived, documents);
        let filling = |(_, measure): &(String, _)| Filling::open(segment, measure, is_archived, documents);
        Ok(Self {
            dimensions: aggregate.groups.iter().map(dimension).collect::<Result<_>>()?,
            fillings: aggregate.measures.iter().map(filling).collect::<Result<_>>()?,
            groups: FxHashMap::default(),
            single: Vec::new(),
            keys: Vec::new(),
            count: 0,
            bytes: 0,
        })
    }

    fn take(&mut self, documents: &[u32], budget: &Budget) -> Result<()> {
        budget.check_time()?;
        let before = self.count;
        let (repeated, groups) = match self.dimensions.as_mut_slice() {
            [] => {
                self.count = 1;
                (None, vec![0; documents.len()])
            }
            [dimension] if !dimension.is_multiple() => {
                let mut numbers = Vec::with_capacity(documents.len());
                dimension.read(documents, &mut numbers);
                (None, self.groups_of_single(numbers))
            }
            _ => {
                let (repeated, groups) = self.groups_of_each(documents);
                (Some(repeated), groups)
            }
        };
        self.charge(before, budget)?;
        let documents = repeated.as_deref().unwrap_or(documents);
        self.fillings.iter_mut().try_for_each(|filling| filling.take(documents, &groups, budget))
    }

    /// Makes room for groups that were met for the first time.
    fn charge(&mut self, before: u32, budget: &Budget) -> Result<()> {
        let count = self.count as usize;
        let cells: usize = self.fillings.iter().map(|filling| filling.cells.bytes_of_a_group()).sum();
        let bytes = (self.count - before) as usize * (cells + 4 + 40 * self.dimensions.len());
        self.bytes += bytes;
        budget.take_memory(bytes)?;
        self.fillings.iter_mut().for_each(|filling| filling.cells.grow(count));
        Ok(())
    }

    fn groups_of_single(&mut self, mut numbers: Vec<u32>) -> Vec<u32> {
        let count = self.dimensions.first().map_or(0, Values::count);
        if self.single.len() < count {
            self.single.resize(count, NO_GROUP);
        }
        for number in &mut numbers {
            let group = &mut self.single[*number as usize];
            if *group == NO_GROUP {
                *group = self.count;
                self.count += 1;
                self.keys.push(*number);
            }
            *number = *group;
        }
        numbers
    }

    /// Documents, each as often as it has combinations of values, and the group of each.
    fn groups_of_each(&mut self, documents: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let (mut repeated, mut groups) = (Vec::with_capacity(documents.len()), Vec::with_capacity(documents.len()));
        let mut lists: Vec<Vec<u32>> = vec![Vec::new(); self.dimensions.len()];
        for document in documents {
            for (dimension, list) in self.dimensions.iter_mut().zip(&mut lists) {
                list.clear();
                dimension.read_all(*document, list);
            }
            let combinations: usize = lists.iter().map(Vec::len).product();
            for combination in 0..combinations {
                let mut rest = combination;
                let mut key = Vec::with_capacity(lists.len());
                for list in &lists {
                    key.push(list[rest % list.len()]);
                    rest /= list.len();
                }
                repeated.push(*document);
                groups.push(self.group_of(key));
            }
        }
        (repeated, groups)
    }

    fn group_of(&mut self, key: Vec<u32>) -> u32 {
        if let Some(group) = self.groups.get(&key) {
            return *group;
        }
        let group = self.count;
        self.count += 1;
        self.keys.extend(&key);
        self.groups.insert(key, group);
        group
    }

    /// The values of each group, in the order of their numbers.
    fn keys(&self, budget: &Budget) -> Result<Vec<Vec<Value>>> {
        let width = self.dimensions.len();
        if width == 0 {
            return Ok(vec![Vec::new(); self.count as usize]);
        }
        let mut keys: Vec<Vec<Value>> = vec![Vec::with_capacity(width); self.count as usize];
        for (at, dimension) in self.dimensions.iter().enumerate() {
            let column = || self.keys.iter().skip(at).step_by(width).copied();
            let mut numbers: Vec<u32> = column().collect();
            numbers.sort_unstable();
            numbers.dedup();
            let values = dimension.look_up_whole(&numbers, budget)?;
            for (key, number) in keys.iter_mut().zip(column()) {
                let value = numbers.binary_search(&number).ok().and_then(|at| values.get(at));
                key.push(value.cloned().unwrap_or(Value::Null));
            }
        }
        Ok(keys)
    }
}
