//! What a value of a search covers of the numbers of the index, and the ranges that an operator makes of it.

use std::ops::RangeInclusive;

/// The numbers that a value stands for: one, those of a period, or none where it lies between two.
///
/// A value between two numbers, as 10.005 is in cents, has the one above as `first` and the one below as `last`, so
/// that each operator says of it what it says of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: i128,
    pub(crate) last: i128,
}

/// How a number is compared with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Within one of them.
    In,
    /// Before the first.
    Less,
    /// Not after the end of the first.
    LessOrEqual,
    /// After the end of the first.
    Greater,
    /// Not before the first.
    GreaterOrEqual,
    /// From the beginning of the first to the end of the last.
    Between,
}

impl Span {
    /// One number.
    pub(crate) fn of(number: i64) -> Self {
        Self { first: number.into(), last: number.into() }
    }
}

/// The numbers that compare with `spans` in this way: sorted ranges that do not touch.
pub(crate) fn ranges(comparison: Comparison, spans: &[Span]) -> Vec<RangeInclusive<i64>> {
    const LEAST: i128 = i64::MIN as i128;
    const MOST: i128 = i64::MAX as i128;
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Vec::new() };
    let bounds = match comparison {
        Comparison::In => spans.iter().map(|span| (span.first, span.last)).collect(),
        Comparison::Less => vec![(LEAST, first.first - 1)],
        Comparison::LessOrEqual => vec![(LEAST, first.last)],
        Comparison::Greater => vec![(first.last + 1, MOST)],
        Comparison::GreaterOrEqual => vec![(first.first, MOST)],
        Comparison::Between => vec![(first.first, last.last)],
    };
    join(bounds.into_iter().filter_map(|(from, to)| held(from, to)).collect())
}

/// The numbers that are in none of `ranges`, which are sorted and do not touch.
pub(crate) fn complement(ranges: &[RangeInclusive<i64>]) -> Vec<RangeInclusive<i64>> {
    let mut from = Some(i64::MIN);
    let mut left = Vec::with_capacity(ranges.len() + 1);
    for range in ranges {
        if let (Some(from), Some(to)) = (from, range.start().checked_sub(1))
            && from <= to
        {
            left.push(from..=to);
        }
        from = range.end().checked_add(1);
    }
    left.extend(from.map(|from| from..=i64::MAX));
    left
}

/// What 64 bits hold of a range; none where it is empty.
fn held(from: i128, to: i128) -> Option<RangeInclusive<i64>> {
    let from = if from < i64::MIN.into() { i64::MIN } else { i64::try_from(from).ok()? };
    let to = if to > i64::MAX.into() { i64::MAX } else { i64::try_from(to).ok()? };
    (from <= to).then_some(from..=to)
}

fn join(mut ranges: Vec<RangeInclusive<i64>>) -> Vec<RangeInclusive<i64>> {
    ranges.sort_unstable_by_key(|range| (*range.start(), *range.end()));
    let mut joined: Vec<RangeInclusive<i64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(before) if *range.start() <= before.end().saturating_add(1) => {
                *before = *before.start()..=*before.end().max(range.end());
            }
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers small enough to look at each, with values between them in halves.
    fn span_of_halves(halves: i64) -> Span {
        let (above, below) = (halves.div_euclid(2) + halves.rem_euclid(2), halves.div_euclid(2));
        Span { first: above.into(), last: below.into() }
    }

    fn holds(ranges: &[RangeInclusive<i64>], number: i64) -> bool {
        ranges.iter().any(|range| range.contains(&number))
    }

    #[test]
    fn what_64_bits_do_not_hold_is_beyond_every_number() {
        let beyond = Span { first: 10_i128.pow(19), last: 10_i128.pow(19) };
        assert_eq!(ranges(Comparison::Less, &[beyond]), [i64::MIN..=i64::MAX]);
        assert_eq!(ranges(Comparison::Greater, &[beyond]), []);
        assert_eq!(ranges(Comparison::In, &[beyond]), []);
        assert_eq!(ranges(Comparison::Greater, &[Span::of(i64::MAX)]), []);
        assert_eq!(ranges(Comparison::Less, &[Span::of(i64::MIN)]), []);
        assert_eq!(complement(&[]), [i64::MIN..=i64::MAX]);
        assert_eq!(complement(&[i64::MIN..=i64::MAX]), []);
        assert_eq!(complement(&[i64::MIN..=0, 5..=i64::MAX]), [1..=4]);
    }

    #[test]
    fn ranges_that_touch_are_joined() {
        let spans = [7, 3, 1, 2, 7].map(Span::of);
        assert_eq!(ranges(Comparison::In, &spans), [1..=3, 7..=7]);
        assert_eq!(ranges(Comparison::Between, &[Span::of(4), Span::of(3)]), []);
    }

    proptest! {
        #[test]
        fn ranges_hold_what_compares(halves in prop::collection::vec(-20_i64..20, 1..6), number in -12_i64..12) {
            let spans: Vec<_> = halves.iter().map(|half| span_of_halves(*half)).collect();
            let (first, last) = (halves[0], halves[halves.len() - 1]);
            let doubled = number * 2;
            for (comparison, expected) in [
                (Comparison::In, halves.contains(&doubled)),
                (Comparison::Less, doubled < first),
                (Comparison::LessOrEqual, doubled <= first),
                (Comparison::Greater, doubled > first),
                (Comparison::GreaterOrEqual, doubled >= first),
                (Comparison::Between, (first..=last).contains(&doubled)),
            ] {
                let found = ranges(comparison, &spans);
                prop_assert_eq!(holds(&found, number), expected, "{:?} {:?}", comparison, &found);
                prop_assert_eq!(holds(&complement(&found), number), !expected);
                prop_assert!(found.windows(2).all(|pair| *pair[0].end() + 1 < *pair[1].start()));
            }
        }
    }
}
