//! Texts as they stand in an index to be compared, and the whole of those that are too long for that.
//!
//! The library's dictionaries hold entries of 64 KiB at most, and long ones cost time in every look at their neighbours.
//! Of a longer text the beginning stands there with a digest, so that it still equals only itself and is ordered by its
//! beginning; the rest stands beside in pieces, which are found by the digest.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// Bytes of a text up to which it stands in the index as it is.
const LONGEST: usize = 8_192;

/// Bytes of a piece of a longer one.
const PIECE: usize = 32_768;

/// Stands between the beginning of a text and its digest; below all that people write.
const MARK: char = '\u{1f}';

/// Characters of a digest: 128 bits.
const DIGEST: usize = 32;

/// A text as it stands in the index.
pub(crate) fn indexed_text(text: &str) -> Cow<'_, str> {
    match is_long(text) {
        true => format!("{}{MARK}{}", beginning(text), digest(text)).into(),
        false => text.into(),
    }
}

/// Whether a text, or what stands in the index for it, is longer than what stands there as it is.
pub(crate) fn is_long(text: &str) -> bool {
    text.len() > LONGEST
}

/// The part of a text that stands in the index as it is: no shorter than any text that is not long, so that comparing
/// with one of those never looks beyond.
pub(crate) fn beginning(text: &str) -> &str {
    text.get(..text.ceil_char_boundary(LONGEST)).unwrap_or(text)
}

/// What is beyond the beginning of a long text, in pieces that are sorted in their order and found by its digest.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    if !is_long(text) {
        return pieces;
    }
    let digest = digest(text);
    let mut rest = text.get(beginning(text).len()..).unwrap_or_default();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        pieces.push(format!("{digest}{:06x}{piece}", pieces.len()));
        rest = after;
    }
    pieces
}

/// The beginning of a long text and its digest, from what stands in the index for it.
pub(crate) fn parts_of(indexed: &str) -> Option<(&str, &str)> {
    is_long(indexed).then(|| indexed.rsplit_once(MARK)).flatten().filter(|(_, digest)| digest.len() == DIGEST)
}

/// The piece without what it is found by.
pub(crate) fn content_of(piece: &str) -> Option<&str> {
    piece.get(DIGEST + 6..)
}

/// 128 bits of SHA-256: the same on every machine and in every release, and nobody finds two texts that share them.
fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(DIGEST / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_equals_only_itself_and_is_whole_in_its_pieces() {
        let (one, other) = ("a€".repeat(40_000), format!("{}b", "a€".repeat(40_000)));
        assert_ne!(indexed_text(&one), indexed_text(&other));
        for text in [&one, &other] {
            let indexed = indexed_text(text);
            assert!(indexed.len() < LONGEST + 50);
            let (beginning, digest) = parts_of(&indexed).expect("a long text");
            let mut sorted = pieces(text);
            sorted.sort();
            let rest = sorted.iter().map(|piece| {
                assert!(piece.starts_with(digest) && piece.len() < 40_000);
                content_of(piece).expect("a piece")
            });
            assert_eq!(format!("{beginning}{}", rest.collect::<String>()), *text);
        }
        let longest = "a".repeat(LONGEST);
        assert_eq!((indexed_text(&longest), parts_of(&longest), pieces(&longest).len()), ((&longest).into(), None, 0));
    }
}
