//! How words get into the index: they are cut by whoever builds the document, and only taken apart here.

use engine_model::query::{fold, words};
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

/// Name of the tokenizer in the schema.
pub(crate) const TOKENIZER: &str = "words";

/// Stands between words in a text that the tokenizer takes apart; no word holds it.
const SEPARATOR: char = '\u{1f}';

/// Longest word that is indexed, in bytes; what is longer is no word that anybody looks for.
const LONGEST_WORD: usize = 256;

/// Bytes of a text up to which it is indexed, and so ordered, as it is; a term has room for eight times as much.
const LONGEST_TEXT: usize = 8_192;

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
            found.endings = endings(&digits);
            found.endings.iter().chain([&digits]).for_each(|word| add(&mut found.whole, word));
        }
        "email" | "url" | "domain" => add_address(text, &mut found),
        _ => words(text).for_each(|word| add(&mut found.any, &word)),
    }
    found
}

fn add(joined: &mut String, word: &str) {
    if !word.is_empty() && word.len() <= LONGEST_WORD {
        if !joined.is_empty() {
            joined.push(SEPARATOR);
        }
        joined.push_str(word);
    }
}

/// An address is known by its parts too: `example` finds `ada@mail.example.com`.
fn add_address(text: &str, found: &mut IndexedWords) {
    let folded = fold(text);
    let mut parts: Vec<String> = words(text).collect();
    parts.extend(folded.split(|character: char| !character.is_alphanumeric()).map(str::to_owned));
    parts.sort_unstable();
    parts.dedup();
    for part in parts.iter().filter(|part| **part != folded) {
        let joined = if folded.starts_with(part.as_str()) { &mut found.whole } else { &mut found.any };
        add(joined, part);
    }
    add(&mut found.whole, &folded);
}

/// A number without what people leave out when they write to somebody near.
fn endings(digits: &str) -> Vec<String> {
    let ending =
        |length: usize| digits.len().checked_sub(length).filter(|cut| *cut > 0).and_then(|cut| digits.get(cut..));
    [10, 7].into_iter().filter_map(ending).map(str::to_owned).collect()
}

/// A text as it stands in the index: a long one as its beginning and a hash, so that it still equals only itself.
pub(crate) fn indexed_text(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= LONGEST_TEXT {
        return text.into();
    }
    format!("{}{SEPARATOR}{:016x}", beginning(text), hash(text)).into()
}

/// The part of a text that stands in the index as it is.
pub(crate) fn beginning(text: &str) -> &str {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    text.get(..text.floor_char_boundary(LONGEST_TEXT - 20)).unwrap_or(text)
}

/// FNV-1a: the same on every machine and in every release, which the standard library's hashes do not promise.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
        assert_eq!(tokens(&indexed_words("string", "Émile's  GREAT-day").any), ["emile's", "great", "day"]);
        assert_eq!(indexed_words("string", " – "), IndexedWords::default());
    }

    #[test]
    fn addresses_and_numbers_are_known_by_their_parts() {
        let address = indexed_words("email", "ada.b@mail.example.com");
        assert_eq!(tokens(&address.any), ["b", "com", "example", "mail", "mail.example.com"]);
        assert_eq!(tokens(&address.whole), ["ada", "ada.b", "ada.b@mail.example.com"]);
        let number = indexed_words("phone", "+16135550100");
        assert_eq!(tokens(&number.whole), ["6135550100", "5550100", "16135550100"]);
        assert_eq!((number.any.as_str(), number.endings.len()), ("", 2));
    }

    #[test]
    fn a_long_text_equals_only_itself() {
        let (one, other) = ("a".repeat(9_000), format!("{}b", "a".repeat(9_000)));
        assert_ne!(indexed_text(&one), indexed_text(&other));
        assert!(indexed_text(&one).len() <= LONGEST_TEXT && indexed_text(&one).starts_with("aaaa"));
        assert_eq!(indexed_text("short"), "short");
    }
}
