//! Full text: which documents hold the words, and how well they match.
//!
//! A match is worth more in what the record is called than elsewhere, more for a whole word than for a beginning, and
//! more for a beginning than for a forgiven letter; that is all that counts, so that a record's rank depends on nothing
//! but itself, and pages stay where they are while others change.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use engine_model::query::{AskedNumber, Words, forgiven_letters};
use tantivy::query::{EnableScoring, FuzzyTermQuery, PhraseQuery, Query};
use tantivy::{DocSet as _, TERMINATED, Term};

use super::bits::Bits;
use super::budget::Budget;
use super::compared::add_values;
use super::segment::Segment;
use crate::error::Result;
use crate::fields;
use crate::schema::{called_path, endings_path, whole_words_path};

/// The documents that match, and where to look how well.
pub(crate) struct Matches {
    pub(crate) documents: Bits,
    /// For each word, number and phrase, what a match is worth, best first.
    worth: Vec<Vec<(i64, Bits)>>,
    /// The documents that are called so and nothing else.
    namesakes: Bits,
}

/// What it is worth to be called so and nothing else.
const NAMESAKE: i64 = 10;

impl Matches {
    /// One more word, number or phrase is asked for, found in these ways; whether any documents are left.
    fn narrow(&mut self, ways: Vec<(i64, Bits)>) -> bool {
        let mut found = Bits::none(self.documents.length());
        ways.iter().for_each(|(_, documents)| found.or(documents));
        self.documents.and(&found);
        self.worth.push(ways);
        !self.documents.is_empty()
    }

    /// How well a document matches.
    pub(crate) fn score(&self, document: u32) -> i64 {
        let best = |ways: &[(i64, Bits)]| {
            ways.iter().find(|(_, documents)| documents.contains(document)).map_or(0, |(worth, _)| *worth)
        };
        let namesake = if self.namesakes.contains(document) { NAMESAKE } else { 0 };
        self.worth.iter().map(|ways| best(ways)).sum::<i64>() + namesake
    }

    /// These documents by how well they match, best first: looking at sets instead of documents.
    pub(crate) fn levels(&self, documents: &Bits) -> Vec<(i64, Bits)> {
        let namesake = [(NAMESAKE, self.namesakes.clone())];
        let parts = self.worth.iter().map(Vec::as_slice).chain([namesake.as_slice()]);
        let mut levels = BTreeMap::from([(0, documents.clone())]);
        for ways in parts {
            let mut further: BTreeMap<i64, Bits> = BTreeMap::new();
            for (score, mut left) in levels {
                for (worth, found) in ways {
                    let mut met = left.clone();
                    met.and(found);
                    left.and_not(found);
                    add_level(&mut further, score + worth, met);
                }
                add_level(&mut further, score, left);
            }
            levels = further;
        }
        levels.into_iter().rev().collect()
    }
}

fn add_level(levels: &mut BTreeMap<i64, Bits>, score: i64, documents: Bits) {
    if documents.is_empty() {
        return;
    }
    match levels.entry(score) {
        Entry::Vacant(entry) => drop(entry.insert(documents)),
        Entry::Occupied(mut entry) => entry.get_mut().or(&documents),
    }
}

/// How a word is found, and what that is worth: in what the record is called, and elsewhere.
#[derive(Debug, Clone, Copy)]
enum Way {
    Whole,
    Beginning,
    Forgiven { distance: u8, is_prefix: bool },
}

impl Way {
    fn worth(self, is_name: bool) -> i64 {
        match (self, is_name) {
            (Self::Whole, true) => 16,
            (Self::Beginning, true) => 12,
            (Self::Whole, false) => 8,
            (Self::Beginning, false) => 6,
            (Self::Forgiven { .. }, true) => 4,
            (Self::Forgiven { .. }, false) => 2,
        }
    }
}

/// Finds the documents in which every word, number and phrase stands under one of the paths, the first of which is what the
/// record is called.
pub(crate) fn find(segment: &Segment<'_>, paths: &[String], words: &Words, budget: &Budget) -> Result<Matches> {
    let mut matches = Matches {
        // A text without any word is found nowhere.
        documents: if words.is_empty() { Bits::none(segment.length()) } else { Bits::all(segment.length()) },
        worth: Vec::with_capacity(words.words.len() + words.numbers.len() + words.phrases.len()),
        namesakes: find_namesakes(segment, paths, words)?,
    };
    let last = words.words.len().saturating_sub(1);
    for phrase in &words.phrases {
        if !matches.narrow(find_phrase(segment, paths, phrase, budget)?) {
            return Ok(matches);
        }
    }
    for number in &words.numbers {
        if !matches.narrow(find_number(segment, paths, number, words.is_last_prefix, budget)?) {
            return Ok(matches);
        }
    }
    for (at, word) in words.words.iter().enumerate() {
        let ways = ways_of(word, words.is_last_prefix && at == last, words.is_fuzzy);
        if !matches.narrow(find_word(segment, paths, word, &ways, budget)?) {
            return Ok(matches);
        }
    }
    Ok(matches)
}

fn find_namesakes(segment: &Segment<'_>, paths: &[String], words: &Words) -> Result<Bits> {
    let mut namesakes = Bits::none(segment.length());
    if let Some(path) = paths.first() {
        let of_numbers = words.numbers.iter().flat_map(|number| &number.words);
        let called = words.words.iter().chain(of_numbers).map(String::as_str).collect::<Vec<_>>().join(" ");
        for path in [path, &called_path(path)] {
            segment.add_documents_of(&fields().text_term(path, &called), &mut namesakes)?;
        }
    }
    Ok(namesakes)
}

fn ways_of(word: &str, is_prefix: bool, is_fuzzy: bool) -> Vec<Way> {
    let mut ways = vec![Way::Whole];
    if is_prefix {
        ways.push(Way::Beginning);
    }
    let distance = if is_fuzzy { forgiven_letters(word) } else { 0 };
    if distance > 0 {
        ways.push(Way::Forgiven { distance, is_prefix });
    }
    ways
}

fn find_word(
    segment: &Segment<'_>,
    paths: &[String],
    word: &str,
    ways: &[Way],
    budget: &Budget,
) -> Result<Vec<(i64, Bits)>> {
    let mut found = Found::default();
    for (path, is_name) in named(paths) {
        for way in ways {
            budget.check_time()?;
            let bits = found.worth(way.worth(is_name), segment, budget)?;
            match *way {
                Way::Whole => add_word(segment, path, word, bits)?,
                Way::Beginning => add_beginnings(segment, path, word, bits)?,
                Way::Forgiven { distance, is_prefix } => {
                    for path in [path.as_str(), &whole_words_path(path)] {
                        let term = fields().word_term(path, word);
                        let query = match is_prefix {
                            true => FuzzyTermQuery::new_prefix(term, distance, true),
                            false => FuzzyTermQuery::new(term, distance, true),
                        };
                        add_matches(segment, &query, bits)?;
                    }
                }
            }
        }
    }
    Ok(found.best_first())
}

/// The digits as one word, or where it is no phone number all words of it.
fn find_number(
    segment: &Segment<'_>,
    paths: &[String],
    number: &AskedNumber,
    is_prefix: bool,
    budget: &Budget,
) -> Result<Vec<(i64, Bits)>> {
    let mut found =
        Found(find_word(segment, paths, &number.digits, &ways_of(&number.digits, is_prefix, false), budget)?);
    let last = number.words.len().saturating_sub(1);
    let mut all = Bits::all(segment.length());
    for (at, word) in number.words.iter().enumerate() {
        let mut any = Bits::none(segment.length());
        let ways = ways_of(word, is_prefix && at == last, false);
        find_word(segment, paths, word, &ways, budget)?.iter().for_each(|(_, documents)| any.or(documents));
        all.and(&any);
    }
    found.worth(Way::Beginning.worth(false), segment, budget)?.or(&all);
    Ok(found.best_first())
}

fn find_phrase(
    segment: &Segment<'_>,
    paths: &[String],
    phrase: &[String],
    budget: &Budget,
) -> Result<Vec<(i64, Bits)>> {
    let mut found = Found::default();
    for (path, is_name) in named(paths) {
        budget.check_time()?;
        let length = i64::try_from(phrase.len()).unwrap_or(1);
        let bits = found.worth(Way::Whole.worth(is_name) * length, segment, budget)?;
        match phrase {
            [word] => add_word(segment, path, word, bits)?,
            words => {
                for path in [path, &whole_words_path(path)] {
                    if has_words(segment, path)? {
                        let terms: Vec<Term> = words.iter().map(|word| fields().word_term(path, word)).collect();
                        add_matches(segment, &PhraseQuery::new(terms), bits)?;
                    }
                }
            }
        }
    }
    Ok(found.best_first())
}

fn named(paths: &[String]) -> impl Iterator<Item = (&String, bool)> {
    paths.iter().enumerate().map(|(at, path)| (path, at == 0))
}

/// Documents by what their match is worth.
#[derive(Default)]
struct Found(Vec<(i64, Bits)>);

impl Found {
    fn worth(&mut self, worth: i64, segment: &Segment<'_>, budget: &Budget) -> Result<&mut Bits> {
        let at = match self.0.iter().position(|(known, _)| *known == worth) {
            Some(at) => at,
            None => {
                budget.take_memory(Bits::bytes(segment.length()))?;
                self.0.push((worth, Bits::none(segment.length())));
                self.0.len() - 1
            }
        };
        Ok(&mut self.0[at].1)
    }

    fn best_first(mut self) -> Vec<(i64, Bits)> {
        self.0.sort_by_key(|(worth, _)| -worth);
        self.0
    }
}

/// Adds the documents that have a word under a path.
pub(crate) fn add_word(segment: &Segment<'_>, path: &str, word: &str, bits: &mut Bits) -> Result<()> {
    for path in [path, &whole_words_path(path)] {
        if has_words(segment, path)? {
            segment.add_documents_of(&fields().word_term(path, word), bits)?;
        }
    }
    Ok(())
}

/// Adds the documents that have a word with this beginning under a path.
fn add_beginnings(segment: &Segment<'_>, path: &str, beginning: &str, bits: &mut Bits) -> Result<()> {
    if has_words(segment, path)? {
        add_words_of_dictionary(segment, path, beginning, bits)?;
    }
    if has_words(segment, &whole_words_path(path))? {
        add_values(segment, path, beginning, bits)?;
    }
    let endings = endings_path(path);
    if segment.texts(&endings)?.is_some() {
        add_values(segment, path, &format!("+{beginning}"), bits)?;
        add_values(segment, &endings, beginning, bits)?;
    }
    Ok(())
}

/// Adds the documents of all words of the dictionary that begin so.
fn add_words_of_dictionary(segment: &Segment<'_>, path: &str, beginning: &str, bits: &mut Bits) -> Result<()> {
    let first = fields().word_term(path, beginning);
    let first = first.serialized_value_bytes();
    let mut end = first.to_vec();
    // No word holds this byte, which UTF-8 does not use.
    end.push(0xff);
    segment.add_documents_between(fields().words, first, &end, bits)
}

/// Whether any document has words under a path.
fn has_words(segment: &Segment<'_>, path: &str) -> Result<bool> {
    segment.fact(&format!("words {path}"), || {
        let terms = segment.terms(fields().words)?;
        let first = fields().word_term(path, "");
        let first = first.serialized_value_bytes();
        let mut stream = terms.terms().range().ge(first).into_stream()?;
        Ok(stream.advance() && stream.key().starts_with(first))
    })
}

/// Adds the documents that one of the library's own queries finds.
fn add_matches(segment: &Segment<'_>, query: &dyn Query, bits: &mut Bits) -> Result<()> {
    let scoring = EnableScoring::disabled_from_schema(segment.reader.schema());
    let weight = query.weight(scoring)?;
    let mut documents = weight.scorer(segment.reader, 1.0)?;
    let mut document = documents.doc();
    while document != TERMINATED {
        bits.insert(document);
        document = documents.advance();
    }
    Ok(())
}
