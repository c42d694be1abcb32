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

/// The words of a value of a property of type `kind`, ready to be indexed.
pub(crate) fn indexed_words(kind: &str, text: &str) -> String {
    let mut joined = String::with_capacity(text.len() + 16);
    let mut add = |word: &str| {
        if !word.is_empty() && word.len() <= LONGEST_WORD {
            if !joined.is_empty() {
                joined.push(SEPARATOR);
            }
            joined.push_str(word);
        }
    };
    match kind {
        "phone" => phone_words(text).for_each(|word| add(&word)),
        "email" | "url" | "domain" => {
            words(text).for_each(|word| add(&word));
            // An address is known by its parts too: `example` finds `ada@mail.example.com`.
            let folded = fold(text);
            add(&folded);
            folded.split(|character: char| !character.is_alphanumeric()).for_each(add);
        }
        _ => words(text).for_each(|word| add(&word)),
    }
    joined
}

/// A number in full, and without what people leave out when they write to somebody near.
fn phone_words(text: &str) -> impl Iterator<Item = String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let shorter = [10, 7].into_iter().filter_map({
        let digits = digits.clone();
        move |length| digits.len().checked_sub(length).filter(|cut| *cut > 0).and_then(|cut| digits.get(cut..)).map(str::to_owned)
    });
    std::iter::once(digits.clone()).chain(shorter)
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

    fn tokens(kind: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let joined = indexed_words(kind, text);
        let mut tokenizer = Words;
        let mut stream = tokenizer.token_stream(&joined);
        while stream.advance() {
            found.push(stream.token().text.clone());
        }
        found
    }

    #[test]
    fn words_pass_the_tokenizer_as_they_were_cut() {
        assert_eq!(tokens("string", "Émile's  GREAT-day"), ["emile's", "great", "day"]);
        assert_eq!(tokens("string", " – "), [""; 0]);
    }

    #[test]
    fn addresses_and_numbers_are_known_by_their_parts() {
        assert_eq!(
            tokens("email", "ada@mail.example.com"),
            ["ada", "mail.example.com", "ada@mail.example.com", "ada", "mail", "example", "com"]
        );
        assert_eq!(tokens("phone", "+16135550100"), ["16135550100", "6135550100", "5550100"]);
    }

    #[test]
    fn a_long_text_equals_only_itself() {
        let (one, other) = ("a".repeat(9_000), format!("{}b", "a".repeat(9_000)));
        assert_ne!(indexed_text(&one), indexed_text(&other));
        assert!(indexed_text(&one).len() <= LONGEST_TEXT && indexed_text(&one).starts_with("aaaa"));
        assert_eq!(indexed_text("short"), "short");
    }
}
