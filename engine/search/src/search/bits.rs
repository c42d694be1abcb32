//! A set of documents of one segment, or of ids: one bit each.

use std::ops::Range;

use crate::error::SearchError;

/// A set of numbers below a length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    length: u32,
}

/// Longest set: half a gigabyte of ids would be a damaged index.
const LONGEST: u64 = 1 << 31;

impl Bits {
    /// The empty set.
    pub(crate) fn none(length: u32) -> Self {
        Self { words: vec![0; words_of(length)], length }
    }

    /// The set of all numbers below the length.
    pub(crate) fn all(length: u32) -> Self {
        let mut bits = Self { words: vec![u64::MAX; words_of(length)], length };
        bits.cut();
        bits
    }

    /// The empty set of ids up to the highest there is.
    pub(crate) fn of_ids(highest: u64) -> Result<Self, SearchError> {
        let length = highest.checked_add(1).filter(|length| *length <= LONGEST);
        let length = length.ok_or_else(|| SearchError::Damaged(format!("an id of {highest} is beyond what can be")))?;
        Ok(Self::none(u32::try_from(length).unwrap_or(u32::MAX)))
    }

    /// 64 numbers each, lowest first, the lowest in the lowest bit.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Adds a number; those beyond the length are left out.
    pub(crate) fn insert(&mut self, number: u32) {
        if let Some(word) = self.words.get_mut((number >> 6) as usize) {
            *word |= 1 << (number & 63);
        }
    }

    /// Whether the number is in it.
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.words.get((number >> 6) as usize).is_some_and(|word| word >> (number & 63) & 1 == 1)
    }

    /// Whether the id is in it.
    pub(crate) fn contains_id(&self, id: u64) -> bool {
        u32::try_from(id).is_ok_and(|id| self.contains(id))
    }

    /// Adds an id.
    pub(crate) fn insert_id(&mut self, id: u64) {
        if let Ok(id) = u32::try_from(id) {
            self.insert(id);
        }
    }

    /// Keeps what is in the other too.
    pub(crate) fn and(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Takes out what is in the other.
    pub(crate) fn and_not(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// Whether the other has all of them.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(word, other)| word & !other == 0)
    }

    /// Adds what is in the other.
    pub(crate) fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Keeps the numbers for which `keep` holds.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (at, word) in (0_u32..).zip(&mut self.words) {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                if !keep(at << 6 | bit) {
                    *word &= !(1 << bit);
                }
                rest &= rest - 1;
            }
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Calls `take` with the numbers, lowest first, so many at a time or a few more; until it fails.
    pub(crate) fn each_chunk<E>(&self, most: usize, mut take: impl FnMut(&[u32]) -> Result<(), E>) -> Result<(), E> {
        let mut chunk = Vec::with_capacity(most + 64);
        for (at, word) in (0_u32..).zip(&self.words) {
            add_numbers(at, *word, &mut chunk);
            if chunk.len() >= most {
                take(&chunk)?;
                chunk.clear();
            }
        }
        if chunk.is_empty() { Ok(()) } else { take(&chunk) }
    }

    /// Adds the numbers within these words to a list.
    pub(crate) fn add_numbers(&self, words: Range<u32>, list: &mut Vec<u32>) {
        let within = self.words.get(words.start as usize..).unwrap_or_default();
        words.zip(within).for_each(|(at, word)| add_numbers(at, *word, list));
    }

    /// The numbers below this can be in it.
    pub(crate) fn length(&self) -> u32 {
        self.length
    }

    /// The numbers, lowest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.iter_from(0)
    }

    /// The numbers that are at least `first`, lowest first.
    pub(crate) fn iter_from(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        let (from, within) = (first >> 6, first & 63);
        (from..).zip(self.words.get(from as usize..).unwrap_or_default()).flat_map(move |(at, word)| {
            let mut rest = if at == from { *word & (u64::MAX << within) } else { *word };
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at << 6 | bit)
            })
        })
    }

    /// Bytes that a set of this length takes.
    pub(crate) fn bytes(length: u32) -> usize {
        words_of(length) * 8
    }

    fn cut(&mut self) {
        let beyond = self.length & 63;
        if beyond != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << beyond) - 1;
        }
    }
}

/// The numbers of a word, the lowest of which is 64 times its place.
fn add_numbers(at: u32, word: u64, list: &mut Vec<u32>) {
    if word == u64::MAX {
        return list.extend(at << 6..(at << 6) + 64);
    }
    let mut rest = word;
    while rest != 0 {
        list.push(at << 6 | rest.trailing_zeros());
        rest &= rest - 1;
    }
}

fn words_of(length: u32) -> usize {
    length.div_ceil(64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn bits(length: u32, numbers: &BTreeSet<u32>) -> Bits {
        let mut bits = Bits::none(length);
        numbers.iter().for_each(|number| bits.insert(*number));
        bits
    }

    proptest! {
        #[test]
        fn sets_are_sets(length in 1_u32..300, one: BTreeSet<u8>, other: BTreeSet<u8>) {
            let within = |set: BTreeSet<u8>| -> BTreeSet<u32> { set.into_iter().map(u32::from).filter(|n| *n < length).collect() };
            let (one, other) = (within(one), within(other));
            let (first, second) = (bits(length, &one), bits(length, &other));
            prop_assert_eq!(first.iter().collect::<BTreeSet<_>>(), one.clone());
            prop_assert_eq!(first.count() as usize, one.len());
            for from in [0, 1, 63, 64, 100, length] {
                let rest: Vec<u32> = one.iter().copied().filter(|number| *number >= from).collect();
                prop_assert_eq!(first.iter_from(from).collect::<Vec<_>>(), rest);
            }
            let mut chunks = Vec::new();
            first.each_chunk::<()>(70, |chunk| { chunks.extend_from_slice(chunk); Ok(()) }).expect("taken");
            prop_assert_eq!(chunks, first.iter().collect::<Vec<_>>());
            let mut numbers = Vec::new();
            first.add_numbers(1..3, &mut numbers);
            prop_assert_eq!(numbers, first.iter().filter(|number| (64..192).contains(number)).collect::<Vec<_>>());
            let mut both = first.clone();
            both.and(&second);
            prop_assert_eq!(both, bits(length, &(&one & &other)));
            prop_assert_eq!(first.is_within(&second), one.is_subset(&other));
            let mut either = first.clone();
            either.or(&second);
            prop_assert_eq!(either, bits(length, &(&one | &other)));
            let mut rest = first.clone();
            rest.and_not(&second);
            prop_assert_eq!(rest, bits(length, &(&one - &other)));
            let mut kept = first.clone();
            kept.retain(|number| other.contains(&number));
            prop_assert_eq!(kept, bits(length, &(&one & &other)));
            let all = Bits::all(length);
            prop_assert_eq!(all.count(), length);
            prop_assert!(all.contains(length - 1) && !all.contains(length) && !all.is_empty());
        }
    }
}
