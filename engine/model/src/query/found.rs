//! Where full text was found in a value, for whoever marks it.

use std::ops::Range;

use super::text::{forgiven_letters, phone_endings, word_places};
use super::typed::Words;

impl Words {
    /// Where the words stand in a value of a property of type `kind`, in order; no two places overlap.
    ///
    /// Of a phone number all is meant, since people write its digits as they like.
    pub fn places(&self, kind: &str, text: &str) -> Vec<Range<usize>> {
        if kind == "phone" {
            return self.place_of_number(text).into_iter().collect();
        }
        let found = word_places(text).filter(|(_, word)| self.find(word));
        let mut places: Vec<_> = found.map(|(place, _)| place).collect();
        // A character such as `½` may be several of the words.
        places.dedup_by(|next, before| next.start < before.end);
        places
    }

    fn place_of_number(&self, text: &str) -> Option<Range<usize>> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_asked = |number: &str| {
            let mut asked = self.numbers.iter().map(|asked| asked.digits.as_str());
            asked.any(|asked| if self.is_last_prefix { number.starts_with(asked) } else { number == asked })
        };
        let mut numbers = phone_endings(&digits).chain([digits.as_str()]);
        numbers.any(|number| is_asked(number) || self.find(number)).then_some(0..text.len())
    }

    /// Whether a word, folded, is one of those that are looked for.
    fn find(&self, word: &str) -> bool {
        let last = self.words.len().saturating_sub(1);
        let is_one = |(at, wanted): (usize, &String)| {
            let is_prefix = self.is_last_prefix && at == last;
            wanted == word
                || (is_prefix && word.starts_with(wanted.as_str()))
                || (self.is_fuzzy && is_near(wanted, word, is_prefix))
        };
        let of_numbers = self.numbers.iter().flat_map(|number| &number.words);
        self.words.iter().enumerate().any(is_one)
            || self.phrases.iter().flatten().chain(of_numbers).any(|wanted| wanted == word)
    }
}

/// Whether `word`, or where that is enough its beginning, differs from what is wanted by no more than is forgiven.
fn is_near(wanted: &str, word: &str, is_prefix: bool) -> bool {
    let most = usize::from(forgiven_letters(wanted));
    let wanted: Vec<char> = wanted.chars().collect();
    // What is longer by more than is forgiven is too far away, or does not matter for its beginning.
    let word: Vec<char> = word.chars().take(wanted.len() + most + 1).collect();
    if most == 0 || word.len() + most < wanted.len() {
        return false;
    }
    let distances = distances_to_beginnings(&wanted, &word);
    match is_prefix {
        true => distances.into_iter().any(|distance| distance <= most),
        false => distances.last().is_some_and(|distance| *distance <= most),
    }
}

/// How many letters are to be changed, left out, put in or swapped with the next to come from `wanted` to each beginning
/// of `word`, the shortest first.
fn distances_to_beginnings(wanted: &[char], word: &[char]) -> Vec<usize> {
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=word.len()).collect();
    for (row, letter) in wanted.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in word.iter().enumerate() {
            let changed = last[column] + usize::from(letter != other);
            let mut least = changed.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swapped = row > 0 && column > 0 && *letter == word[column - 1] && wanted[row - 1] == *other;
            if let (true, Some(swapped)) = (is_swapped, column.checked_sub(1).and_then(|at| before_last.get(at))) {
                least = least.min(swapped + 1);
            }
            next.push(least);
        }
        before_last = std::mem::replace(&mut last, next);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str], is_last_prefix: bool, is_fuzzy: bool) -> Words {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Words { words, is_last_prefix, is_fuzzy, ..Words::default() }
    }

    fn marked<'a>(words: &Words, kind: &str, text: &'a str) -> Vec<&'a str> {
        words.places(kind, text).into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn words_and_beginnings_are_found() {
        let asked = words(&["emile", "ada"], true, false);
        assert_eq!(marked(&asked, "string", "Émile and Adam"), ["Émile", "Adam"]);
        assert_eq!(marked(&words(&["ada"], false, false), "string", "Adam"), [""; 0]);
        let phrase = Words { phrases: vec![vec!["roof".to_owned(), "two".to_owned()]], ..Words::default() };
        assert_eq!(marked(&phrase, "string", "Roof two, roofs"), ["Roof", "two"]);
        assert_eq!(marked(&words(&["1", "2"], false, false), "string", "½ l, 2 l"), ["½", "2"]);
    }

    #[test]
    fn words_with_forgiven_letters_are_found() {
        for (asked, is_prefix, text, found) in [
            ("nedle", false, "a needle there", &["needle"][..]),
            ("nedle", true, "needles", &["needles"]),
            ("nedle", false, "needles", &[]),
            ("lovalase", false, "Lovelace", &["Lovelace"]),
            ("luvalase", false, "Lovelace", &[]),
            ("raso", false, "Rosa", &[]),
            ("orsa", false, "Rosa", &["Rosa"]),
            ("ros", false, "Rose", &[]),
            ("grosse", false, "Größe", &["Größe"]),
        ] {
            assert_eq!(marked(&words(&[asked], is_prefix, true), "string", text), found, "{asked} in {text}");
        }
    }

    #[test]
    fn addresses_are_found_by_their_parts_and_numbers_as_a_whole() {
        let address = "jane.doe@mail.example.org";
        for (asked, is_prefix, found) in [
            (&["example"][..], true, &["example"][..]),
            (&["exam"], true, &["example"]),
            (&["doe", "org"], false, &["doe", "org"]),
            (&["exam"], false, &[]),
        ] {
            assert_eq!(marked(&words(asked, is_prefix, false), "email", address), found, "{asked:?}");
        }
        let number = "+15035550177";
        for (asked, is_found) in
            [("5035550177", true), ("15035550177", true), ("5550177", true), ("503555", true), ("35550177", false)]
        {
            let found = marked(&words(&[asked], true, false), "phone", number);
            assert_eq!(found, if is_found { vec![number] } else { vec![] }, "{asked}");
        }
    }
}
