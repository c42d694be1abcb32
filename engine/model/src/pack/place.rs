//! Where things stand in a pack's files, and what is wrong there.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use crate::name::Name;
use crate::problem::{Problem, unescaped};

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name inside the pack.
    pub file: Arc<str>,
    /// Counts from 1.
    pub line: usize,
    /// In characters, counts from 1.
    pub column: usize,
}

impl Place {
    /// The beginning of a file.
    pub fn start_of(file: &str) -> Self {
        Self { file: file.into(), line: 1, column: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One mistake in a pack's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedProblem {
    /// Where to look.
    pub place: Place,
    /// RFC 6901 pointer into the pack as one document; empty for a file or the whole.
    pub pointer: String,
    /// Stable word that programs may rely on.
    pub code: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl LocatedProblem {
    /// A problem of a file that has no pointer.
    pub fn at(place: Place, code: &'static str, message: impl Into<String>) -> Self {
        Self { place, pointer: String::new(), code, message: message.into() }
    }
}

impl fmt::Display for LocatedProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// Written flat: `{file, line, column, pointer, code, message}`.
impl Serialize for LocatedProblem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'a> {
            file: &'a str,
            line: usize,
            column: usize,
            pointer: &'a str,
            code: &'static str,
            message: &'a str,
        }
        let Place { file, line, column } = &self.place;
        let (line, column, code) = (*line, *column, self.code);
        Flat { file, line, column, pointer: &self.pointer, code, message: &self.message }.serialize(serializer)
    }
}

/// The places of a document's values, in the document's own shape.
#[derive(Debug, Clone)]
pub struct Places {
    /// Where the key stands, for an entry of a map.
    pub(super) key: Option<Place>,
    /// Where the value begins.
    pub(super) value: Place,
    pub(super) children: Children,
}

/// What is inside a value.
#[derive(Debug, Clone)]
pub(super) enum Children {
    None,
    Map(IndexMap<String, Places>),
    List(Vec<Places>),
}

impl Places {
    /// Where to look for what `pointer` means: the value, or the nearest one around it that exists.
    ///
    /// A map or list is looked for at its key, since its first line is the next one more often than not.
    pub fn locate(&self, pointer: &str) -> &Place {
        let (found, is_whole) = self.walk(pointer);
        match (&found.children, &found.key) {
            (Children::None, _) if is_whole => &found.value,
            (_, Some(key)) => key,
            (_, None) => &found.value,
        }
    }

    /// Where the key stands that `pointer` ends with, or the nearest thing around it.
    pub fn locate_key(&self, pointer: &str) -> &Place {
        let (found, _) = self.walk(pointer);
        found.key.as_ref().unwrap_or(&found.value)
    }

    /// Gives a problem its place.
    pub fn located(&self, problem: Problem) -> LocatedProblem {
        let last = problem.pointer.rsplit('/').next().unwrap_or_default();
        // These speak of the key itself and not of what it holds.
        let is_about_key = match problem.code {
            "unknown_key" => true,
            "invalid_name" => Name::new(last).is_err(),
            _ => false,
        };
        let place =
            if is_about_key { self.locate_key(&problem.pointer) } else { self.locate(&problem.pointer) }.clone();
        LocatedProblem { place, pointer: problem.pointer, code: problem.code, message: problem.message }
    }

    /// The deepest value on the way to `pointer`, and whether it is the one meant.
    fn walk(&self, pointer: &str) -> (&Self, bool) {
        let mut here = self;
        for segment in pointer.split('/').skip(1) {
            let segment = unescaped(segment);
            let next = match &here.children {
                Children::None => None,
                Children::Map(entries) => entries.get(&segment),
                Children::List(items) => segment.parse().ok().and_then(|index: usize| items.get(index)),
            };
            match next {
                Some(next) => here = next,
                None => return (here, false),
            }
        }
        (here, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::yaml;

    fn places(text: &str) -> Places {
        let mut problems = Vec::new();
        let document = yaml::parse("a.yaml", text, &mut yaml::Budget::default(), &mut problems);
        assert_eq!(problems, []);
        document.expect("a document").places
    }

    #[test]
    fn a_value_is_located_and_what_is_missing_is_looked_for_around_it() {
        let places = places("objects:\n  permit:\n    label:  Permit\n    list: [1, {a/b: 2}]\n");
        let line_and_column = |pointer: &str| {
            let place = places.locate(pointer);
            (place.line, place.column)
        };
        assert_eq!(line_and_column(""), (1, 1));
        assert_eq!(line_and_column("/objects/permit"), (2, 3));
        assert_eq!(line_and_column("/objects/permit/label"), (3, 13));
        assert_eq!(line_and_column("/objects/permit/properties/cost/type"), (2, 3));
        assert_eq!(line_and_column("/objects/permit/label/x"), (3, 5));
        assert_eq!(line_and_column("/objects/permit/list/0"), (4, 12));
        assert_eq!(line_and_column("/objects/permit/list/1/a~1b"), (4, 21));
        assert_eq!(line_and_column("/objects/permit/list/7"), (4, 5));
        assert_eq!(places.locate_key("/objects/permit/label"), &Place { file: "a.yaml".into(), line: 3, column: 5 });
    }

    #[test]
    fn a_problem_reads_as_compilers_write_it() {
        let problem = Problem::new("/objects/permit/label", "wrong_type", "a string is expected");
        let located = places("objects:\n  permit:\n    label: 1\n").located(problem);
        assert_eq!(located.to_string(), "a.yaml:3:12: a string is expected");
        assert_eq!(
            serde_json::to_value(&located).expect("JSON"),
            serde_json::json!({"file": "a.yaml", "line": 3, "column": 12, "pointer": "/objects/permit/label",
                "code": "wrong_type", "message": "a string is expected"})
        );
    }
}
