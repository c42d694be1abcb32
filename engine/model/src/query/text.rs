//! How texts are compared and cut into words: case and accents do not count.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// A text as searches compare it: full Unicode case folding, compatibility decomposition without marks, and the Latin
/// letters that do not decompose written as ASCII (`ł` as `l`, `ø` as `o`, `æ` as `ae`).
///
/// Folding twice is the same as folding once.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    let decomposed = text.nfkd().filter(|character| !is_combining_mark(*character));
    let mut buffer = [0; 4];
    // Some letters fold to ones that decompose, and some decompose to ones that fold.
    let lowered: String = caseless::default_case_fold_str(&decomposed.collect::<String>());
    for character in lowered.nfkd().filter(|character| !is_combining_mark(*character)) {
        folded.push_str(ascii(character).unwrap_or_else(|| character.encode_utf8(&mut buffer)));
    }
    folded
}

/// Words of a text, folded: what stands between characters that are neither letters nor digits. Scripts that are written
/// without spaces, such as Chinese, have each character as a word, by the boundaries of Unicode (UAX #29).
///
/// The text is folded first, so that words are cut alike however their letters are written: `H₂O` is one, as `h2o` is.
pub fn words(text: &str) -> impl Iterator<Item = String> + use<> {
    let folded = fold(text);
    let mut at = 0;
    std::iter::from_fn(move || {
        let place = next_word(&folded, at)?;
        at = place.end;
        folded.get(place).map(str::to_owned)
    })
}

/// [`words`], each with its place in the text. A character that folds to several words is the place of each.
pub(super) fn word_places(text: &str) -> impl Iterator<Item = (Range<usize>, String)> + use<> {
    let (folded, sources) = fold_with_places(text);
    let mut at = 0;
    std::iter::from_fn(move || {
        let word = next_word(&folded, at)?;
        at = word.end;
        let source = |at: usize| sources.get(sources.partition_point(|(start, _)| *start <= at).checked_sub(1)?);
        let (_, first) = source(word.start)?;
        let (_, last) = source(word.end - 1)?;
        Some((first.start..last.end, folded.get(word)?.to_owned()))
    })
}

/// The next word of a folded text at or behind a place.
fn next_word(folded: &str, from: usize) -> Option<Range<usize>> {
    let rest = folded.get(from..)?;
    let start = from + rest.find(is_of_word)?;
    let rest = folded.get(start..)?;
    let run = rest.split(|character| !is_of_word(character)).next()?;
    // No boundary of Unicode lies between letters and digits of ASCII.
    let length = if run.is_ascii() { run.len() } else { run.split_word_bounds().next()?.len() };
    Some(start..start + length)
}

/// Letters and digits, but for the letters that are apostrophes in all but name. Marks are gone from what is folded.
fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() && !matches!(character, 'ʻ' | 'ʼ')
}

/// A text folded, and where what was made of a character begins, with the character's own place; marks belong to what
/// is before them. Folding looks at one character at a time, once marks are gone.
fn fold_with_places(text: &str) -> (String, Vec<(usize, Range<usize>)>) {
    let mut folded = String::with_capacity(text.len());
    let mut sources: Vec<(usize, Range<usize>)> = Vec::new();
    for (start, character) in text.char_indices() {
        let place = start..start + character.len_utf8();
        let before = folded.len();
        match character.is_ascii() {
            true => folded.push(character.to_ascii_lowercase()),
            false => folded.push_str(&fold(character.encode_utf8(&mut [0; 4]))),
        }
        match sources.last_mut() {
            Some((_, last)) if folded.len() == before => last.end = place.end,
            _ if folded.len() == before => {}
            _ => sources.push((before, place)),
        }
    }
    (folded, sources)
}

/// The digits in a row, as phone numbers are found, where somebody may have written one.
pub fn asked_number(text: &str) -> Option<String> {
    /// Fewer digits are a number of another kind: a year, a price, a part of an address.
    const FEWEST_DIGITS: usize = 7;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = text.chars().all(|character| character.is_ascii_digit() || " +-()./".contains(character));
    // A date looks much like a number.
    let is_date = text.trim().len() == 10 && text.trim().split('-').count() == 3;
    // The zero before a national number is not part of it.
    (is_number && !is_date && digits.len() >= FEWEST_DIGITS).then(|| digits.trim_start_matches('0').to_owned())
}

/// Ends of a phone number as it is without what people leave out when they write to somebody near: the country, and
/// then the area.
pub fn phone_endings(digits: &str) -> impl Iterator<Item = &str> {
    let cuts = [10, 7].into_iter().filter_map(|length| digits.len().checked_sub(length));
    cuts.filter(|cut| *cut > 0).filter_map(|cut| digits.get(cut..))
}

/// How many letters of a word are forgiven, where some are.
pub fn forgiven_letters(word: &str) -> u8 {
    match word.chars().count() {
        0..4 => 0,
        4..8 => 1,
        // To look for what is like a longer one takes much memory.
        8..=256 => 2,
        _ => 0,
    }
}

/// Latin letters, folded, that have no decomposition; after the table of Lucene's `ASCIIFoldingFilter`.
fn ascii(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' => "ss",
        'æ' | 'ǽ' => "ae",
        'œ' => "oe",
        'ø' | 'ɔ' | 'ɵ' => "o",
        'đ' | 'ð' | 'ɖ' | 'ɗ' | 'ƌ' => "d",
        'þ' => "th",
        'ł' | 'ƚ' | 'ɫ' | 'ɬ' | 'ⱡ' => "l",
        'ħ' | 'ɦ' | 'ⱨ' => "h",
        'ı' | 'ɨ' => "i",
        'ĸ' => "q",
        'ŋ' | 'ɲ' | 'ɳ' | 'ƞ' => "n",
        'ŧ' | 'ƭ' | 'ʈ' | 'ⱦ' => "t",
        'ƀ' | 'ɓ' | 'ƃ' => "b",
        'ƈ' | 'ɕ' | 'ȼ' => "c",
        'ɇ' | 'ə' | 'ɛ' | 'ǝ' => "e",
        'ƒ' => "f",
        'ǥ' | 'ɠ' | 'ɡ' => "g",
        'ɉ' | 'ʝ' => "j",
        'ƙ' | 'ⱪ' => "k",
        'ɱ' => "m",
        'ƥ' => "p",
        'ɋ' => "q",
        'ɍ' | 'ɽ' => "r",
        'ȿ' | 'ʂ' => "s",
        'ʉ' | 'ʊ' => "u",
        'ʋ' | 'ⱱ' => "v",
        'ⱳ' => "w",
        'ƴ' | 'ɏ' => "y",
        'ƶ' | 'ʐ' | 'ɀ' | 'ȥ' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_accents_and_special_letters_do_not_count() {
        for (text, folded) in [
            ("Émile ZOLA", "emile zola"),
            ("Łódź", "lodz"),
            ("SMØRREBRØD", "smorrebrod"),
            ("Straße", "strasse"),
            ("ﬁn Ⅷ", "fin viii"),
            ("ΌΣΟΣ", "οσοσ"),
            ("Æsir þórr", "aesir thorr"),
            ("İstanbul ırmak", "istanbul irmak"),
            ("Ｔｏｋｙｏ", "tokyo"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    fn found(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(
            found("Ada's e-mail: ADA@example.com, Größe 3.5"),
            ["ada", "s", "e", "mail", "ada", "example", "com", "grosse", "3", "5"]
        );
        assert_eq!(found("snake_case_name foo.bar"), ["snake", "case", "name", "foo", "bar"]);
        for name in ["O'Brien", "O’Brien", "OʼBrien", "o`brien", "O´Brien"] {
            assert_eq!(found(name), ["o", "brien"], "{name}");
        }
        assert_eq!(found("🎉 !!! * – \u{301}"), [""; 0]);
    }

    #[test]
    fn a_text_is_folded_before_it_is_cut() {
        assert_eq!(found("H₂O x² ½ ﬁn №5"), ["h2o", "x2", "1", "2", "fin", "no5"]);
        assert_eq!(found("e\u{301}te\u{301}"), ["ete"]);
    }

    #[test]
    fn scripts_without_spaces_have_a_word_for_each_character() {
        assert_eq!(found("東京tokyo2020"), ["東", "京", "tokyo2020"]);
        assert_eq!(found("ひらカタカナ"), ["ひ", "ら", "カタカナ"]);
        assert_eq!(found("Привет мир"), ["привет", "мир"]);
    }

    #[test]
    fn words_have_places() {
        let places =
            |text: &'static str| -> Vec<_> { word_places(text).map(|(place, word)| (&text[place], word)).collect() };
        let owned = |found: &[(&'static str, &str)]| -> Vec<_> {
            found.iter().map(|(place, word)| (*place, (*word).to_owned())).collect()
        };
        assert_eq!(places("Für Ada!"), owned(&[("Für", "fur"), ("Ada", "ada")]));
        assert_eq!(places("(e\u{301}t\u{301})"), owned(&[("e\u{301}t\u{301}", "et")]));
        assert_eq!(places("H₂O, ½"), owned(&[("H₂O", "h2o"), ("½", "1"), ("½", "2")]));
    }

    #[test]
    fn a_phone_number_is_asked_for_by_its_digits() {
        let asked = |text| asked_number(text).unwrap_or_default();
        assert_eq!(asked("(613) 555-0100"), "6135550100");
        assert_eq!(asked("+44 20 7946 0958"), "442079460958");
        assert_eq!(asked("020 7946 0958"), "2079460958");
        for text in ["2026-01-31", "12 34", "Ada 6135550100"] {
            assert_eq!(asked_number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_are_those_of_the_words(text in "\\PC{0,40}") {
            prop_assert_eq!(fold_with_places(&text).0, fold(&text));
            let placed: Vec<String> = word_places(&text).map(|(_, word)| word).collect();
            prop_assert_eq!(&placed, &words(&text).collect::<Vec<_>>());
            prop_assert!(word_places(&text).all(|(place, _)| text.get(place).is_some_and(|part| !part.is_empty())));
        }

        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
