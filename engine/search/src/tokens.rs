//! How words get into the index: they are cut by whoever builds the document, and only taken apart here.

use engine_model::query::{fold, phone_endings, words};
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

/// Name of the tokenizer in the schema.
pub(crate) const TOKENIZER: &str = "words";

/// Stands between words in a text that the tokenizer takes apart; no word holds it.
const SEPARATOR: char = '\u{1f}';

/// Bytes of a word up to which it is indexed as it is, which no word of a query exceeds: that has 1,000 characters, and
/// none is folded to more than 20 bytes of a word.
const LONGEST_WORD: usize = 20_000;

/// Ends what is indexed of a longer word, its beginning. No word holds it, so that none is taken for that one.
const CUT: char = '\u{1e}';

/// The tokenizers that every index has.
pub(crate) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    manager.register(TOKENIZER, TextAnalyzer::from(Words));
    manager
}

/// The words of a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexedWords {
    /// Those that are looked for by their beginnings too, ready to be indexed.
    pub(crate) any: String,
    /// Those that are looked for as a whole only.
    pub(crate) whole: String,
    /// Ends of a phone number, which are looked for by their beginnings.
    pub(crate) endings: Vec<String>,
}

/// The words of a value of a property of type `kind`.
pub(crate) fn indexed_words(kind: &str, text: &str) -> IndexedWords {
    let mut found = IndexedWords::default();
    match kind {
        "phone" => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            found.endings = phone_endings(&digits).map(str::to_owned).collect();
            found.endings.iter().chain([&digits]).for_each(|word| add(&mut found.whole, word));
        }
        "email" | "url" | "domain" => add_address(text, &mut found),
        _ => words(text).for_each(|word| add(&mut found.any, &word)),
    }
    found
}

fn add(joined: &mut String, word: &str) {
    if word.is_empty() {
        return;
    }
    if !joined.is_empty() {
        joined.push(SEPARATOR);
    }
    if word.len() <= LONGEST_WORD {
        return joined.push_str(word);
    }
    joined.push_str(word.get(..word.floor_char_boundary(LONGEST_WORD)).unwrap_or(word));
    joined.push(CUT);
}

/// An address is known by its parts: `example` finds `ada@mail.example.com`. They stand in their order among those that
/// are looked for as a whole; whoever types the beginning of the first types that of the address.
fn add_address(text: &str, found: &mut IndexedWords) {
    let folded = fold(text);
    for part in words(text) {
        add(&mut found.whole, &part);
        if !folded.starts_with(part.as_str()) {
            add(&mut found.any, &part);
        }
    }
}

#[derive(Clone)]
struct Words;

struct Parts<'a> {
    rest: Option<&'a str>,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = Parts<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Parts<'a> {
        Parts { rest: Some(text).filter(|text| !text.is_empty()), token: Token::default() }
    }
}

impl TokenStream for Parts<'_> {
    fn advance(&mut self) -> bool {
        let Some(rest) = self.rest else { return false };
        let (word, rest) = match rest.split_once(SEPARATOR) {
            Some((word, rest)) => (word, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        self.token.position = self.token.position.wrapping_add(1);
        self.token.text.clear();
        self.token.text.push_str(word);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(joined: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut tokenizer = Words;
        let mut stream = tokenizer.token_stream(joined);
        while stream.advance() {
            found.push(stream.token().text.clone());
        }
        found
    }

    #[test]
    fn words_pass_the_tokenizer_as_they_were_cut() {
        assert_eq!(tokens(&indexed_words("string", "Émile's  GREAT-day").any), ["emile", "s", "great", "day"]);
        assert_eq!(indexed_words("string", " – "), IndexedWords::default());
    }

    #[test]
    fn addresses_and_numbers_are_known_by_their_parts() {
        let address = indexed_words("email", "ada.b@mail.example.com");
        assert_eq!(tokens(&address.any), ["b", "mail", "example", "com"]);
        assert_eq!(tokens(&address.whole), ["ada", "b", "mail", "example", "com"]);
        let number = indexed_words("phone", "+16135550100");
        assert_eq!(tokens(&number.whole), ["6135550100", "5550100", "16135550100"]);
        assert_eq!((number.any.as_str(), number.endings.len()), ("", 2));
    }

    #[test]
    fn every_word_of_a_query_is_shorter_than_a_word_that_is_cut() {
        use engine_model::query::resolve::MAX_TEXT;
        let longest = |character: char| words(character.encode_utf8(&mut [0; 4])).map(|word| word.len()).max();
        let longest = (char::MIN..=char::MAX).filter_map(longest).max().expect("a letter");
        assert!(longest * MAX_TEXT <= LONGEST_WORD, "{longest}");
        let long = "a".repeat(LONGEST_WORD + 1);
        let cut = tokens(&indexed_words("text", &long).any);
        assert_eq!(cut, [format!("{}{CUT}", "a".repeat(LONGEST_WORD))]);
    }
}
