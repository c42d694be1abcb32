//! Between which ids the records of each block of a segment lie.
//!
//! Records that were made one after another stand so, and stay in runs when segments are merged. So the first records in
//! the order of ids are found in few blocks, though all have to be searched for them.

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use tantivy::columnar::ColumnValues;

/// Documents of a block; whole words of a set.
pub(crate) const BLOCK: u32 = 4_096;

/// The lowest and the highest id of the records of each block.
#[derive(Debug, Default)]
pub(crate) struct IdBlocks(Vec<Option<RangeInclusive<u64>>>);

impl IdBlocks {
    pub(crate) fn of(ids: &dyn ColumnValues<u64>, length: u32) -> Self {
        let mut read = Vec::new();
        let bounds = (0..length).step_by(BLOCK as usize).map(|start| {
            read.clear();
            read.resize(BLOCK.min(length - start) as usize, 0);
            ids.get_range(u64::from(start), &mut read);
            // Links have none.
            let records = || read.iter().copied().filter(|id| *id != 0);
            Some(records().min()?..=records().max()?)
        });
        Self(bounds.collect())
    }

    /// The places of blocks that have records, and their bounds: those with the first ids in order first.
    pub(crate) fn in_order(&self, is_descending: bool) -> Vec<(u32, RangeInclusive<u64>)> {
        let mut blocks: Vec<_> = (0..).zip(&self.0).filter_map(|(at, ids)| Some((at, ids.clone()?))).collect();
        match is_descending {
            false => blocks.sort_by_key(|(_, ids)| *ids.start()),
            true => blocks.sort_by_key(|(_, ids)| Reverse(*ids.end())),
        }
        blocks
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * size_of::<Option<RangeInclusive<u64>>>()
    }
}

#[cfg(test)]
mod tests {
    use tantivy::columnar::ColumnValues;

    use super::*;

    struct Ids(Vec<u64>);

    impl ColumnValues<u64> for Ids {
        fn get_val(&self, at: u32) -> u64 {
            self.0[at as usize]
        }

        fn min_value(&self) -> u64 {
            0
        }

        fn max_value(&self) -> u64 {
            u64::MAX
        }

        fn num_vals(&self) -> u32 {
            u32::try_from(self.0.len()).expect("a length")
        }
    }

    #[test]
    fn blocks_know_their_ids_and_come_in_order() {
        let block = |ids: RangeInclusive<u64>| ids.chain(std::iter::repeat(0)).take(BLOCK as usize);
        let ids: Vec<u64> = block(50..=90).chain(block(0..=0)).chain(block(1..=60)).chain([70, 0, 3]).collect();
        let blocks = IdBlocks::of(&Ids(ids.clone()), u32::try_from(ids.len()).expect("a length"));
        assert_eq!(blocks.in_order(false), [(2, 1..=60), (3, 3..=70), (0, 50..=90)]);
        assert_eq!(blocks.in_order(true), [(0, 50..=90), (3, 3..=70), (2, 1..=60)]);
        assert_eq!(IdBlocks::of(&Ids(Vec::new()), 0).in_order(false), []);
    }
}
