//! Conditions on texts as they are compared: which of a segment's dictionary meet them.

use std::ops::{Bound, RangeBounds as _, RangeInclusive};

use rustc_hash::FxHashSet;
use tantivy::columnar::StrColumn;

use super::bits::Bits;
use super::budget::Budget;
use super::filter::{FEWER, is_in, keep_within};
use super::segment::{Segment, exact_position_of, position_of, text_at, whole_text};
use crate::error::Result;
use crate::fields;
use crate::texts::{beginning, is_long};

/// Candidates that can be looked at in the time that it takes to find the documents of a text of the dictionary, about.
const TEXT: u64 = if cfg!(test) { 4 } else { 64 };

/// Keeps documents with a text between two.
pub(super) fn narrow_by_texts(
    segment: &Segment<'_>,
    path: &str,
    bounds: (&Bound<String>, &Bound<String>),
    bits: &mut Bits,
    budget: &Budget,
) -> Result<()> {
    let column = segment.texts(path)?;
    let (from, to) = (around(bounds.0, false), around(bounds.1, true));
    let positions =
        column.as_ref().map(|column| positions_between(&column.dictionary, &from, &to)).transpose()?.flatten();
    let (Some(column), Some(positions)) = (column, positions) else {
        *bits = Bits::none(segment.length());
        return Ok(());
    };
    let others = positions_beyond(segment, path, bounds, &column.dictionary, budget)?;
    let mut found = Bits::none(segment.length());
    let is_between = is_in(&positions);
    if !others.is_empty() {
        let is_wanted = |position| is_between(position) && !others.contains(&position);
        keep_within(&column.positions, bits, is_wanted, &mut found);
        *bits = found;
        return Ok(());
    }
    let count = bits.count();
    if (positions.end() - positions.start() + 1).saturating_mul(TEXT) < u64::from(count) {
        add_texts_between(segment, path, (&from, &to), &mut found)?;
        bits.and(&found);
        return Ok(());
    }
    if count <= bits.length() / FEWER {
        keep_within(&column.positions, bits, is_between, &mut found);
        *bits = found;
        return Ok(());
    }
    column.positions.add_range(&positions, &mut found);
    bits.and(&found);
    Ok(())
}

/// Adds the documents of all texts of the dictionary between two.
fn add_texts_between(
    segment: &Segment<'_>,
    path: &str,
    bounds: (&Bound<String>, &Bound<String>),
    bits: &mut Bits,
) -> Result<()> {
    let term = |text: &str, ending: &[u8]| [fields().text_term(path, text).serialized_value_bytes(), ending].concat();
    let from = match bounds.0 {
        Bound::Included(text) => term(text, &[]),
        Bound::Excluded(text) => term(text, &[0]),
        Bound::Unbounded => term("", &[]),
    };
    let to = match bounds.1 {
        Bound::Included(text) => term(text, &[0]),
        Bound::Excluded(text) => term(text, &[]),
        // No text holds this byte, which UTF-8 does not use.
        Bound::Unbounded => term("", &[0xff]),
    };
    segment.add_documents_between(fields().texts, &from, &to, bits)
}

/// A bound as far as it can be seen in what stands in the index: of a long one the beginning, with all texts that have it.
fn around(bound: &Bound<String>, is_upper: bool) -> Bound<String> {
    match bound {
        Bound::Included(text) | Bound::Excluded(text) if is_long(text) => match is_upper {
            true => after_prefix(beginning(text)).map_or(Bound::Unbounded, Bound::Excluded),
            false => Bound::Included(beginning(text).to_owned()),
        },
        bound => bound.clone(),
    }
}

/// Positions of texts that begin as long bounds do, and are not between them: these are compared as a whole.
fn positions_beyond(
    segment: &Segment<'_>,
    path: &str,
    bounds: (&Bound<String>, &Bound<String>),
    column: &StrColumn,
    budget: &Budget,
) -> Result<FxHashSet<u64>> {
    let mut beyond = FxHashSet::default();
    for bound in [bounds.0, bounds.1] {
        let (Bound::Included(text) | Bound::Excluded(text)) = bound else { continue };
        if !is_long(text) {
            continue;
        }
        let pieces = segment.pieces(path)?;
        let alike = positions_between(column, &around(bound, false), &around(bound, true))?;
        for position in alike.into_iter().flatten() {
            budget.check_time()?;
            let text = whole_text(&text_at(column, position)?, pieces.as_deref())?;
            if !(bounds.0.as_ref(), bounds.1.as_ref()).contains(&text) {
                beyond.insert(position);
            }
        }
    }
    Ok(beyond)
}

/// Positions in a dictionary of the texts between two; none where there are none.
fn positions_between(
    column: &StrColumn,
    from: &Bound<String>,
    to: &Bound<String>,
) -> Result<Option<RangeInclusive<u64>>> {
    let after = |text: &str| exact_position_of(column, text).map(|(position, is_there)| position + u64::from(is_there));
    let begin = match from {
        Bound::Included(text) => position_of(column, text)?,
        Bound::Excluded(text) => after(text)?,
        Bound::Unbounded => 0,
    };
    let end = match to {
        Bound::Included(text) => after(text)?,
        Bound::Excluded(text) => position_of(column, text)?,
        Bound::Unbounded => column.num_terms() as u64,
    };
    Ok(end.checked_sub(1).filter(|last| *last >= begin).map(|last| begin..=last))
}

/// Adds the documents that have a text with this beginning under a path.
pub(crate) fn add_values(segment: &Segment<'_>, path: &str, beginning: &str, bits: &mut Bits) -> Result<()> {
    let Some(column) = segment.texts(path)? else { return Ok(()) };
    let to = after_prefix(beginning).map_or(Bound::Unbounded, Bound::Excluded);
    if let Some(positions) = positions_between(&column.dictionary, &Bound::Included(beginning.to_owned()), &to)? {
        column.positions.add_range(&positions, bits);
    }
    Ok(())
}

/// Texts of a dictionary that are looked at between two looks at the time.
const CHECKED: u32 = 1 << 16;

/// Keeps documents with a text that holds all parts. Reads the dictionary rather than the documents: a text that many share is looked at once.
pub(super) fn narrow_by_parts(
    segment: &Segment<'_>,
    path: &str,
    parts: &[String],
    bits: &mut Bits,
    budget: &Budget,
) -> Result<()> {
    let Some(column) = segment.texts(path)? else {
        *bits = Bits::none(bits.length());
        return Ok(());
    };
    let pieces = segment.pieces(path)?;
    let has_all = |text: &str| parts.iter().all(|part| text.contains(part.as_str()));
    let mut matching = Bits::none(u32::try_from(column.dictionary.num_terms()).unwrap_or(u32::MAX));
    let mut texts = column.dictionary.dictionary().stream()?;
    let mut position = 0_u32;
    while texts.advance() {
        if position.is_multiple_of(CHECKED) {
            budget.check_time()?;
        }
        let text = std::str::from_utf8(texts.key()).unwrap_or_default();
        let has_all = match is_long(text) {
            true => {
                budget.check_time()?;
                has_all(&whole_text(text, pieces.as_deref())?)
            }
            false => has_all(text),
        };
        if has_all {
            matching.insert(position);
        }
        position = position.saturating_add(1);
    }
    bits.retain(|document| column.positions.all(document).any(|position| matching.contains_id(position)));
    Ok(())
}

/// The lowest text above all that begin with the prefix; none where there is none.
pub(super) fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_prefix_ends_before_the_next() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
