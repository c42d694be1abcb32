//! Full text: words and phrases.

use super::super::ast::QueryText;
use super::super::text::{asked_number, words};
use super::super::typed::{AskedNumber, Words};
use crate::problem::{Problem, Problems, push_segment};

/// Characters of a text that words are taken from.
pub const MAX_TEXT: usize = 1_000;

/// Words of such a text; Chinese has one in each character.
pub const MAX_WORDS: usize = 128;

/// What the query's full text asks; no condition where it is blank. A text without any word finds nothing.
pub(super) fn full_text(text: &QueryText, problems: &mut Problems) -> Option<Words> {
    let written = text.q.as_deref().filter(|written| !written.trim().is_empty())?;
    if let Err((code, message)) = check_words(written, || words(written).take(MAX_WORDS + 1).count()) {
        problems.push(Problem::new(push_segment(&text.pointer, "q"), code, message));
        return None;
    }
    Some(parse(written, text.fuzzy))
}

/// Refuses texts that would cost too much to look for; `words` counts their words, up to one beyond what is allowed.
pub(super) fn check_size(text: &str, words: impl FnOnce() -> usize) -> Result<(), (&'static str, String)> {
    let length = text.chars().count();
    if length > MAX_TEXT {
        return Err(("too_long", format!("has {length} characters; at most {MAX_TEXT} are looked for")));
    }
    if words() > MAX_WORDS {
        return Err(("too_many", format!("has more than {MAX_WORDS} words; at most so many are looked for")));
    }
    Ok(())
}

/// Refuses patterns beside: taken for words they would find something else than was meant.
pub(super) fn check_words(text: &str, words: impl FnOnce() -> usize) -> Result<(), (&'static str, String)> {
    check_size(text, words)?;
    if is_pattern(text) {
        let message = "looks like a regular expression, and words are looked for: write them plainly, or ask with \
                       `starts_with` or `contains` for a part";
        return Err(("not_applicable", message.to_owned()));
    }
    Ok(())
}

/// Whether the text holds what only regular expressions hold.
fn is_pattern(text: &str) -> bool {
    let has_class = |text: &str| {
        text.split('\\').skip(1).any(|rest| rest.starts_with(['w', 'W', 'd', 'D', 's', 'S', 'b', 'B', '.', '/']))
    };
    let repeats_anything = [".*", ".+", "]+", "]*", ")*", "(?"].iter().any(|sign| text.contains(sign));
    let is_anchored = text.len() > 2 && text.starts_with('^') && text.ends_with('$');
    repeats_anything || is_anchored || has_class(text)
}

/// Words, and phrases in quotation marks; the last word may be the beginning of one. A mark without its pair is none.
fn parse(text: &str, is_fuzzy: bool) -> Words {
    let mut found = Words { is_fuzzy, ..Words::default() };
    let parts: Vec<&str> = text.split(['"', '“', '”']).collect();
    // Every second part stands between two marks, but for one that the text ends in.
    let is_phrase = |index: usize| index % 2 == 1 && index + 1 < parts.len();
    for (index, part) in parts.iter().enumerate() {
        let digits = asked_number(part).filter(|_| !is_phrase(index));
        let mut part: Vec<String> = words(part).collect();
        if part.is_empty() {
            continue;
        }
        match digits {
            Some(digits) => found.numbers.push(AskedNumber { digits, words: part }),
            None if is_phrase(index) && part.len() > 1 => found.phrases.push(part),
            None => found.words.append(&mut part),
        }
        found.is_last_prefix = !is_phrase(index);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_no_words() {
        for pattern in ["^ad.*", "ad[a-z]+", r"\d{3}", "^Ada$", "(?i)ada", r"a\.b", "(ab)*"] {
            let (code, message) = check_words(pattern, || 1).expect_err(pattern);
            assert_eq!(code, "not_applicable");
            assert!(message.starts_with("looks like a regular expression"), "{message}");
        }
        for text in ["C++", "US$", "what?", "5* hotel", "a|b", "(Ada)", "AT&T [old]", r"C:\temp", "^_^", "$5.00", "..."]
        {
            assert_eq!(check_words(text, || 1), Ok(()), "{text}");
        }
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_last_word_may_be_a_beginning_and_phrases_stand_in_marks() {
        for (text, words, phrases, is_last_prefix) in [
            ("Ada lov", &["ada", "lov"][..], &[][..], true),
            ("\"Ada Lovelace\"", &[], &[&["ada", "lovelace"][..]], false),
            ("first \"Roof, phase 2\" last", &["first", "last"], &[&["roof", "phase", "2"]], true),
            ("“Łódź”", &["lodz"], &[], false),
            ("5\" pipe", &["5", "pipe"], &[], true),
            ("\"a b\" \"c d", &["c", "d"], &[&["a", "b"]], true),
            ("\"\" – !", &[], &[], false),
        ] {
            let found = parse(text, true);
            assert_eq!(found.words, owned(words), "{text}");
            assert_eq!(found.phrases, phrases.iter().map(|phrase| owned(phrase)).collect::<Vec<_>>(), "{text}");
            assert_eq!((found.is_last_prefix, found.is_fuzzy), (is_last_prefix, true), "{text}");
            assert_eq!(found.numbers, [], "{text}");
        }
    }

    #[test]
    fn what_may_be_a_phone_number_keeps_its_words() {
        let found = parse("\"Ada Lovelace\" 192.168.1.10 ", false);
        let number = AskedNumber { digits: "192168110".to_owned(), words: owned(&["192", "168", "1", "10"]) };
        assert_eq!((found.words.len(), found.numbers, found.phrases.len()), (0, vec![number], 1));
        assert_eq!(parse("\"192.168.1.10\"", false).phrases, [owned(&["192", "168", "1", "10"])]);
    }
}
