//! Reads JSON into types and collects everything that is wrong with it, each with its place.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::elements::Elements;
use super::entries::{Entries, MAX_ENTRIES, Text};
use super::object::ObjectReader;
use crate::name::did_you_mean;
use crate::problem::{Problem, Problems, push_segment};

/// Most problems that one reply tells. A body of megabytes can have a million.
const MAX_PROBLEMS: usize = 1_000;
/// Comparing names costs more than anything else here, so only the first problems come with a suggestion.
const MAX_SUGGESTIONS: usize = 50;

/// A type that reads itself from JSON.
///
/// `None` means that a problem was noted; reading goes on with the rest, so that all problems are told at once.
pub trait FromJson<'a>: Sized {
    /// Reads `raw`, which is never null.
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self>;
}

/// Where reading stands and what it has found wrong.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    path: Vec<Segment<'a>>,
    problems: Problems,
}

/// One step of a pointer.
#[derive(Debug, Clone)]
pub(super) enum Segment<'a> {
    Key(Cow<'a, str>),
    Index(usize),
}

impl<'a> Reading<'a> {
    /// What was found wrong.
    pub fn into_problems(self) -> Problems {
        self.problems
    }

    /// Notes that the value being read is wrong.
    pub fn problem(&mut self, code: &'static str, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem::new(self.pointer(), code, message));
        }
    }

    /// Notes that a member of the object being read is wrong.
    pub fn problem_at(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        self.path.push(Segment::Key(Cow::Owned(name.to_owned())));
        self.problem(code, message);
        self.path.pop();
    }

    /// Notes that what was expected is not there.
    pub fn wrong_type(&mut self, expected: &str, raw: &RawValue) {
        self.problem("wrong_type", format!("{expected} is expected, not {}", shape(raw)));
    }

    /// Notes a member that nobody asked for and names the nearest that somebody did.
    pub(super) fn unknown(&mut self, name: &str, known: &[&'static str]) {
        let is_suggested = self.problems.len() < MAX_SUGGESTIONS;
        let hint = if is_suggested { did_you_mean(name, known.iter().copied()) } else { String::new() };
        self.problem_at(name, "unknown", format!("`{}` is not known here{hint}", Excerpt(name)));
    }

    /// Notes that a text names none of the choices that there are.
    pub fn no_choice(&mut self, text: &str, choices: impl Iterator<Item = &'static str> + Clone) {
        let hint = did_you_mean(text, choices.clone());
        let all = choices.map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
        self.problem("unknown", format!("`{}` is none of {all}{hint}", Excerpt(text)));
    }

    /// The members of an object.
    pub fn object<'r>(&'r mut self, raw: &'a RawValue) -> Option<ObjectReader<'a, 'r>> {
        let entries = self.entries(raw)?;
        Some(ObjectReader::new(self, entries))
    }

    /// The members of an object whose names are data, in order.
    pub fn members(&mut self, raw: &'a RawValue) -> Option<Vec<(Cow<'a, str>, &'a RawValue)>> {
        self.entries(raw).map(|entries| entries.members)
    }

    /// The elements of a list of at most `most`, read one by one.
    pub fn list<T: FromJson<'a>>(&mut self, raw: &'a RawValue, most: usize) -> Option<Vec<T>> {
        let mut is_whole = true;
        let list = self.each(raw, most, |element, reading| {
            let value = reading.value(element);
            is_whole &= value.is_some();
            value
        })?;
        is_whole.then_some(list)
    }

    /// What `read` makes of the elements of a list of at most `most`; those of which it makes nothing are left out, so
    /// that what else is wrong can still be told.
    pub fn each<T>(
        &mut self,
        raw: &'a RawValue,
        most: usize,
        mut read: impl FnMut(&'a RawValue, &mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let elements = self.elements(raw, most)?.into_iter().enumerate();
        let read = |(index, element)| self.at(Segment::Index(index), |reading| read(element, reading));
        Some(elements.filter_map(read).collect())
    }

    /// What `read` makes of the members of an object of at most `most` whose names are data; those of which it makes
    /// nothing are left out.
    pub fn each_member<T>(
        &mut self,
        raw: &'a RawValue,
        most: usize,
        mut read: impl FnMut(&str, &'a RawValue, &mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let members = self.members(raw)?;
        if members.len() > most {
            self.problem("too_many", format!("an object of at most {most} members is taken, not of {}", members.len()));
            return None;
        }
        let read = |(name, raw): (Cow<'a, str>, &'a RawValue)| {
            self.at_member(name.clone(), |reading| read(&name, raw, reading))
        };
        Some(members.into_iter().filter_map(read).collect())
    }

    /// The elements of a list of at most `most`, unread.
    pub fn elements(&mut self, raw: &'a RawValue, most: usize) -> Option<Vec<&'a RawValue>> {
        let Ok(elements) = serde_json::from_str::<Elements<'a>>(raw.get()) else {
            self.wrong_type("a list", raw);
            return None;
        };
        if elements.count > most {
            self.problem("too_many", format!("a list of at most {most} is taken, not of {}", elements.count));
            return None;
        }
        Some(elements.kept)
    }

    /// A value that must be there.
    pub fn value<T: FromJson<'a>>(&mut self, raw: &'a RawValue) -> Option<T> {
        if is_null(raw) {
            self.problem("required", "a value is expected, not null");
            return None;
        }
        T::from_json(raw, self)
    }

    /// Reads what stands under `name` in the object being read.
    pub fn at_member<R>(&mut self, name: Cow<'a, str>, read: impl FnOnce(&mut Self) -> R) -> R {
        self.at(Segment::Key(name), read)
    }

    /// Reads what stands at `segment` of the value being read.
    pub(super) fn at<R>(&mut self, segment: Segment<'a>, read: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(segment);
        let result = read(self);
        self.path.pop();
        result
    }

    /// A text; borrowed where it holds no escapes.
    pub(super) fn text(&mut self, raw: &'a RawValue) -> Option<Cow<'a, str>> {
        if !raw.get().starts_with('"') {
            self.wrong_type("a string", raw);
            return None;
        }
        match serde_json::from_str::<Text<'a>>(raw.get()) {
            Ok(Text(text)) if text.contains('\0') => {
                self.problem("invalid", "the character U+0000 cannot be stored");
                None
            }
            Ok(Text(text)) => Some(text),
            Err(_) => {
                self.problem("invalid", "the string has a broken escape");
                None
            }
        }
    }

    fn entries(&mut self, raw: &'a RawValue) -> Option<Entries<'a>> {
        if !raw.get().starts_with('{') {
            self.wrong_type("an object", raw);
            return None;
        }
        let Ok(entries) = serde_json::from_str::<Entries<'a>>(raw.get()) else {
            self.problem("invalid", "a member's name has a broken escape");
            return None;
        };
        if entries.count > MAX_ENTRIES {
            let count = entries.count;
            self.problem("too_many", format!("an object of at most {MAX_ENTRIES} members is taken, not of {count}"));
            return None;
        }
        for name in entries.repeated() {
            self.problem_at(name, "duplicate", format!("`{}` is given more than once", Excerpt(name)));
        }
        Some(entries)
    }

    /// RFC 6901 pointer of the value being read.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in &self.path {
            match segment {
                Segment::Key(name) => {
                    let name = Excerpt(name).to_string();
                    pointer = push_segment(&pointer, &name);
                }
                Segment::Index(index) => pointer.push_str(&format!("/{index}")),
            }
        }
        pointer
    }
}

/// A name for a message, cut where nobody would read on.
struct Excerpt<'a>(&'a str);

impl std::fmt::Display for Excerpt<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MOST: usize = 128;
        match self.0.char_indices().nth(MOST) {
            Some((end, _)) => write!(formatter, "{}…", self.0.get(..end).unwrap_or_default()),
            None => formatter.write_str(self.0),
        }
    }
}

pub(super) fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

fn shape(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}
