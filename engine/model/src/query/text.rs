//! How texts are compared and cut into words: case and accents do not count.

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

/// Words of a text by the boundaries of Unicode (UAX #29), folded.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(fold)
}

/// [`words`], each with its place in the text.
pub(super) fn word_places(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, String)> + '_ {
    text.unicode_word_indices().map(|(start, word)| (start..start + word.len(), fold(word)))
}

/// The words that are looked for where somebody writes `text`: those of the text, or where it is a phone number its
/// digits in a row, as numbers are found.
pub fn asked_words(text: &str) -> Vec<String> {
    /// Fewer digits are a number of another kind: a year, a price, a part of an address.
    const FEWEST_DIGITS: usize = 7;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = text.chars().all(|character| character.is_ascii_digit() || " +-()./".contains(character));
    // A date looks much like a number.
    let is_date = text.trim().len() == 10 && text.trim().split('-').count() == 3;
    if is_number && !is_date && digits.len() >= FEWEST_DIGITS {
        // The zero before a national number is not part of it.
        return vec![digits.trim_start_matches('0').to_owned()];
    }
    words(text).collect()
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

    #[test]
    fn words_are_those_of_unicode() {
        let found: Vec<String> = words("Ada's e-mail: ADA@example.com, Größe 3.5").collect();
        assert_eq!(found, ["ada's", "e", "mail", "ada", "example.com", "grosse", "3.5"]);
    }

    #[test]
    fn words_have_places() {
        let text = "Für Ada!";
        let found: Vec<_> = word_places(text).map(|(place, word)| (&text[place], word)).collect();
        assert_eq!(found, [("Für", "fur".to_owned()), ("Ada", "ada".to_owned())]);
    }

    #[test]
    fn a_phone_number_is_asked_for_by_its_digits() {
        assert_eq!(asked_words("(613) 555-0100"), ["6135550100"]);
        assert_eq!(asked_words("+44 20 7946 0958"), ["442079460958"]);
        assert_eq!(asked_words("020 7946 0958"), ["2079460958"]);
        assert_eq!(asked_words("2026-01-31"), ["2026", "01", "31"]);
        assert_eq!(asked_words("12 34"), ["12", "34"]);
        assert_eq!(asked_words("Ada 6135550100"), ["ada", "6135550100"]);
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
