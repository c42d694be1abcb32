//! Ranks: texts that say where a record stands on a board, of which there is always one between two others.
//!
//! Putting a record between two others writes that record only. A rank is a whole number and a fraction, so that records
//! put at either end one after another have ranks of the same length; only what goes into the very same gap again and
//! again grows, by a character every five times. It ends with the id of its record, so that two records that are put at
//! the same place at once have different ranks.
//!
//! A record that nobody has placed stands where its id says, which is the order in which records were made.
//! Ranks consist of the digits `0` to `9` and `a` to `z`, and compare as plain texts.

use crate::RecordId;

/// The property that has a record's rank; objects with pipelines have it.
pub const RANK: &str = "rank";

/// Longest rank, in characters.
pub const LONGEST: usize = 500;

const DIGITS: &[u8; BASE] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const BASE: usize = 36;

/// The last character of every rank. None ends with `0`, since nothing would be between that and the rank without it.
const END: char = 'i';

/// Of the first characters, those up to this one begin a negative number, the others one from 0 on.
const NEGATIVE: usize = 17;

/// Most digits of a whole number.
const MOST_DIGITS: usize = 13;

/// The rank of a record that nobody has placed.
pub fn unplaced(record: RecordId) -> String {
    let mut rank = whole(record.0);
    rank.push(END);
    rank
}

/// A rank for a record that is put behind one that has the rank `after`, and before the one with the rank `before`;
/// none is the end of the board there. None where the two leave no room for one of [`LONGEST`] characters.
pub fn between(after: Option<&str>, before: Option<&str>, record: RecordId) -> Option<String> {
    // What has been moved meanwhile bounds nothing.
    let before = before.filter(|before| after.is_none_or(|after| after < *before));
    let is_between = |rank: &str| after.is_none_or(|after| after < rank) && before.is_none_or(|before| rank < before);
    let of_record = |stem: String| stem + &unplaced(record);
    let short = match (after.map(apart), before.map(apart)) {
        (None, None) => Some(whole(record.0)),
        (Some(Some((low, _))), None) => Some(whole(low.saturating_add(1))),
        (None, Some(Some((high, _)))) => Some(whole(high.saturating_sub(1))),
        (Some(Some((low, fraction))), Some(Some((high, _)))) => inside((low, fraction), high),
        // One of them is no rank of ours, as an import may bring.
        (Some(None), _) | (_, Some(None)) => None,
    };
    let rank = short.map(of_record).filter(|rank| is_between(rank));
    let rank = rank.unwrap_or_else(|| of_record(middle(after.unwrap_or_default(), before)));
    (rank.len() <= LONGEST).then_some(rank)
}

/// A text between two ranks with different numbers.
fn inside((low, fraction): (i64, &str), high: i64) -> Option<String> {
    match high.checked_sub(low)? {
        ..=0 => None,
        1 => Some(whole(low) + &middle(fraction, None)),
        room => Some(whole(low + room / 2)),
    }
}

/// A whole number as text: a character for its sign and length, then its digits, so that texts compare as numbers do.
fn whole(number: i64) -> String {
    let is_negative = number < 0;
    let mut rest = if is_negative { !number } else { number }.unsigned_abs();
    let mut digits = Vec::with_capacity(MOST_DIGITS);
    loop {
        let digit = usize::try_from(rest % BASE as u64).unwrap_or_default();
        digits.push(if is_negative { BASE - 1 - digit } else { digit });
        rest /= BASE as u64;
        if rest == 0 {
            break;
        }
    }
    let head = if is_negative { NEGATIVE + 1 - digits.len() } else { NEGATIVE + digits.len() };
    std::iter::once(head).chain(digits.into_iter().rev()).map(character).collect()
}

/// The whole number that a rank begins with, and the rest of it.
fn apart(rank: &str) -> Option<(i64, &str)> {
    let head = rank.bytes().next().and_then(value)?;
    let is_negative = head <= NEGATIVE;
    let length = if is_negative { NEGATIVE + 1 - head } else { head - NEGATIVE };
    let (digits, fraction) = (rank.get(1..=length)?, rank.get(length + 1..)?);
    let mut number: i64 = 0;
    for digit in digits.bytes() {
        let digit = value(digit)?;
        let digit = if is_negative { BASE - 1 - digit } else { digit };
        number = number.checked_mul(BASE as i64)?.checked_add(i64::try_from(digit).ok()?)?;
    }
    Some((if is_negative { !number } else { number }, fraction))
}

/// A text above `low` and below `high`, where there is one, which does not begin with it; nor does it end with `0`.
fn middle(low: &str, high: Option<&str>) -> String {
    let digit = |text: &str, at: usize| text.as_bytes().get(at).and_then(|byte| value(*byte));
    let (mut text, mut high, mut at) = (String::new(), high, 0);
    loop {
        let lowest = digit(low, at).unwrap_or(0);
        let highest = high.map_or(BASE, |high| digit(high, at).unwrap_or(BASE));
        if highest > lowest + 1 {
            text.push(character(lowest.midpoint(highest)));
            return text;
        }
        text.push(character(lowest));
        if highest != lowest {
            high = None;
        }
        at += 1;
    }
}

fn character(digit: usize) -> char {
    char::from(DIGITS.get(digit).copied().unwrap_or(b'z'))
}

fn value(byte: u8) -> Option<usize> {
    DIGITS.iter().position(|digit| *digit == byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(after: Option<&str>, before: Option<&str>, record: i64) -> String {
        between(after, before, RecordId(record)).expect("room")
    }

    #[test]
    fn numbers_compare_as_texts_and_are_read_back() {
        let numbers = [i64::MIN, -1_000_000, -37, -36, -2, -1, 0, 1, 35, 36, 37, 1_295, 1_296, 5_000_000, i64::MAX];
        for pair in numbers.windows(2) {
            assert!(whole(pair[0]) < whole(pair[1]), "{pair:?}");
        }
        for number in numbers {
            assert_eq!(apart(&(whole(number) + "i")), Some((number, "i")));
        }
        assert_eq!((unplaced(RecordId(1)), unplaced(RecordId(1_042))), ("i1i".to_owned(), "jsyi".to_owned()));
        assert_eq!((apart(""), apart("z1i"), apart("é"), apart("uzzzzzzzzzzzzzi")), (None, None, None, None));
    }

    #[test]
    fn two_at_the_same_place_have_different_ranks() {
        let (first, second) = (unplaced(RecordId(1)), unplaced(RecordId(2)));
        let (one, other) = (rank(Some(&first), Some(&second), 7), rank(Some(&first), Some(&second), 8));
        assert!(first < one && one < other && other < second, "{one} {other}");
        let third = rank(Some(&one), Some(&other), 9);
        assert!(one < third && third < other, "{third}");
    }

    #[test]
    fn moves_to_the_ends_do_not_make_ranks_longer() {
        let (mut top, mut bottom) = (unplaced(RecordId(9)), unplaced(RecordId(9)));
        for record in 10..5_000 {
            top = rank(None, Some(&top), record);
            bottom = rank(Some(&bottom), None, record);
        }
        assert!(top.len() <= 10 && bottom.len() <= 10, "{top} {bottom}");
    }

    #[test]
    fn a_gap_that_is_filled_again_and_again_is_full_at_last() {
        let (low, mut high, mut times) = (unplaced(RecordId(1)), unplaced(RecordId(2)), 0);
        while let Some(next) = between(Some(&low), Some(&high), RecordId(3 + times % 2)) {
            assert!(low < next && next < high && next.len() <= LONGEST);
            (high, times) = (next, times + 1);
        }
        assert!(times > 2_000, "{times}");
    }

    proptest! {
        /// Records that are put behind others, again and again, stand as in a plain list.
        #[test]
        fn ranks_stand_as_a_plain_list_does(
            records in 2_usize..30,
            moves in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..200),
        ) {
            let mut list: Vec<(String, i64)> =
                (1..=records as i64).map(|id| (unplaced(RecordId(id)), id)).collect();
            for (moved, to) in moves {
                let (_, id) = list.remove(moved.index(list.len()));
                let at = to.index(list.len() + 1);
                let after = at.checked_sub(1).and_then(|at| list.get(at)).map(|(rank, _)| rank.clone());
                let before = list.get(at).map(|(rank, _)| rank.clone());
                let rank = between(after.as_deref(), before.as_deref(), RecordId(id)).expect("room");
                prop_assert!(!rank.ends_with('0'));
                list.insert(at, (rank, id));
                prop_assert!(list.windows(2).all(|pair| pair[0].0 < pair[1].0), "{list:?}");
            }
        }

        /// Whatever stands in the two, what is between them is.
        #[test]
        fn what_is_between_any_two_is_between_them(one in "[0-9a-z]{0,12}[1-9a-z]", other in "[0-9a-z]{0,12}[1-9a-z]") {
            prop_assume!(one != other);
            let (low, high) = if one < other { (one, other) } else { (other, one) };
            let found = rank(Some(&low), Some(&high), 5);
            prop_assert!(low < found && found < high, "{low} {found} {high}");
        }
    }
}
