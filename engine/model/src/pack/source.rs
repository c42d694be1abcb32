//! The files of a pack as one document.

use indexmap::IndexMap;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::place::{Children, LocatedProblem, Place, Places};
use super::yaml::{self, Budget, Document};
use crate::problem::push_segment;
use crate::spec::shape;

/// The file that is read first.
const FIRST: &str = "pack.yaml";

const MAX_FILES: usize = 500;
const MAX_FILE_BYTES: usize = 1024 * 1024;
const MAX_PACK_BYTES: usize = 8 * 1024 * 1024;

/// A pack's files, merged.
pub(super) struct Source {
    pub(super) document: Map<String, Value>,
    pub(super) places: Places,
    /// Every file could be read to its end.
    pub(super) is_whole: bool,
}

/// Reads `files`, each a name and a text: `pack.yaml` first, then by name.
///
/// Files add to each other's sections, entry by entry; what two files give is a mistake that names both places.
pub(super) fn read(files: &[(String, String)], problems: &mut Vec<LocatedProblem>) -> Source {
    let mut ordered: Vec<&(String, String)> = files.iter().collect();
    ordered.sort_by_key(|(name, _)| (name != FIRST, name));
    let first = ordered.first().map_or(FIRST, |(name, _)| name);
    let places = Places { key: None, value: Place::start_of(first), children: Children::Map(IndexMap::new()) };
    let mut source = Source { document: Map::new(), places, is_whole: true };
    if let Some(problem) = check_amount(&ordered, first) {
        problems.push(problem);
        source.is_whole = false;
        return source;
    }
    let mut budget = Budget::default();
    let mut before = None;
    for (name, text) in ordered {
        let is_repeated = before.replace(name) == Some(name);
        let document = match check_file(name, text, is_repeated) {
            Some(problem) => {
                problems.push(problem);
                None
            }
            None => yaml::parse(name, text, &mut budget, problems),
        };
        match document {
            Some(document) => source.add(document, problems),
            None => source.is_whole = false,
        }
    }
    source
}

fn check_amount(files: &[&(String, String)], first: &str) -> Option<LocatedProblem> {
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let message = if files.is_empty() {
        format!("a pack has a file `{FIRST}`")
    } else if files.len() > MAX_FILES {
        format!("{} files; a pack has at most {MAX_FILES}", files.len())
    } else if bytes > MAX_PACK_BYTES {
        format!("{bytes} bytes; a pack has at most {MAX_PACK_BYTES}")
    } else {
        return None;
    };
    let code = if files.is_empty() { "required" } else { "too_large" };
    Some(LocatedProblem::at(Place::start_of(first), code, message))
}

fn check_file(name: &str, text: &str, is_repeated: bool) -> Option<LocatedProblem> {
    let (code, message) = if is_repeated {
        ("duplicate_file", "a file with this name is already there".to_owned())
    } else if name.contains(['/', '\\']) || !name.ends_with(".yaml") {
        ("invalid_file", "a pack has files named `*.yaml`, all at the top of its folder".to_owned())
    } else if text.len() > MAX_FILE_BYTES {
        ("too_large", format!("{} bytes; a file has at most {MAX_FILE_BYTES}", text.len()))
    } else {
        return None;
    };
    Some(LocatedProblem::at(Place::start_of(name), code, message))
}

impl Source {
    fn add(&mut self, file: Document, problems: &mut Vec<LocatedProblem>) {
        let place = file.places.value;
        let (sections, places) = match (file.value, file.places.children) {
            (Value::Object(sections), Children::Map(places)) => (sections, places),
            (Value::Null, _) => return,
            (other, _) => {
                let message = format!("a pack's file is a map with sections such as `objects`, not {}", shape(&other));
                problems.push(LocatedProblem::at(place, "wrong_type", message));
                return;
            }
        };
        let Children::Map(merged) = &mut self.places.children else { return };
        for ((section, value), (_, places)) in sections.into_iter().zip(places) {
            add_section(&mut self.document, merged, section, value, places, problems);
        }
    }
}

fn add_section(
    document: &mut Map<String, Value>,
    merged: &mut IndexMap<String, Places>,
    section: String,
    value: Value,
    places: Places,
    problems: &mut Vec<LocatedProblem>,
) {
    let pointer = push_segment("", &section);
    match (document.entry(section.as_str()), merged.get_mut(&section)) {
        (Entry::Occupied(mut present), Some(present_places)) => match (present.get_mut(), value) {
            (Value::Object(entries), Value::Object(added)) => {
                add_entries(entries, present_places, added, places, &pointer, problems);
            }
            _ => problems.push(given_twice(pointer, &section, &places, present_places)),
        },
        (vacant, _) => {
            vacant.or_insert(value);
            merged.insert(section, places);
        }
    }
}

fn add_entries(
    entries: &mut Map<String, Value>,
    entry_places: &mut Places,
    added: Map<String, Value>,
    added_places: Places,
    pointer: &str,
    problems: &mut Vec<LocatedProblem>,
) {
    let (Children::Map(places), Children::Map(added_places)) = (&mut entry_places.children, added_places.children)
    else {
        return;
    };
    for ((name, value), (_, place)) in added.into_iter().zip(added_places) {
        if let Some(present) = places.get(&name) {
            problems.push(given_twice(push_segment(pointer, &name), &name, &place, present));
            continue;
        }
        entries.insert(name.clone(), value);
        places.insert(name, place);
    }
}

fn given_twice(pointer: String, name: &str, second: &Places, first: &Places) -> LocatedProblem {
    let place_of = |places: &Places| places.key.clone().unwrap_or_else(|| places.value.clone());
    let message = format!("`{name}` is already given at {}; keep one of the two", place_of(first));
    LocatedProblem { place: place_of(second), pointer, code: "duplicate_key", message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn merge(given: &[(&str, &str)]) -> (Source, Vec<String>) {
        let mut problems = Vec::new();
        let source = read(&files(given), &mut problems);
        (source, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn files_add_to_each_others_sections_in_order() {
        let (source, problems) = merge(&[
            ("b.yaml", "objects: {site: {label: Site}}\nviews: {all: {}}\n"),
            ("a.yaml", "objects:\n  permit: {label: Permit}\n"),
            ("pack.yaml", "pack: tiny\nobjects: {crane: {}}\n"),
            ("empty.yaml", "# nothing yet\n"),
        ]);
        assert_eq!(problems, [""; 0]);
        assert!(source.is_whole);
        assert_eq!(
            serde_json::to_string(&source.document).unwrap(),
            r#"{"pack":"tiny","objects":{"crane":{},"permit":{"label":"Permit"},"site":{"label":"Site"}},"views":{"all":{}}}"#
        );
        assert_eq!(source.places.locate("/objects/permit/label").to_string(), "a.yaml:2:19");
        assert_eq!(source.places.locate("/version").to_string(), "pack.yaml:1:1");
    }

    #[test]
    fn what_two_files_give_names_both_places() {
        let (source, problems) = merge(&[
            ("pack.yaml", "pack: tiny\nobjects:\n  permit: {label: One}\n"),
            ("permit.yaml", "pack: tiny\nobjects:\n\n  permit: {label: Two}\n  site: {}\n"),
            ("site.yaml", "objects: [1]\n"),
        ]);
        assert_eq!(
            problems,
            [
                "permit.yaml:1:1: `pack` is already given at pack.yaml:1:1; keep one of the two",
                "permit.yaml:4:3: `permit` is already given at pack.yaml:3:3; keep one of the two",
                "site.yaml:1:1: `objects` is already given at pack.yaml:2:1; keep one of the two",
            ]
        );
        assert_eq!(source.document["objects"], json!({"permit": {"label": "One"}, "site": {}}));
    }

    #[test]
    fn a_file_that_cannot_be_read_hides_no_mistake_of_another() {
        let (source, problems) = merge(&[
            ("pack.yaml", "pack: [tiny\n"),
            ("a.yaml", "- objects\n"),
            ("b.yaml", "a: 1\na: 2\n"),
            ("c.yml", "a: 1\n"),
            ("d/e.yaml", "a: 1\n"),
            ("b.yaml", ""),
        ]);
        assert!(!source.is_whole);
        let starts = [
            "pack.yaml:2:1: not YAML",
            "a.yaml:1:1: a pack's file",
            "b.yaml:2:1: `a` is",
            "b.yaml:1:1: a file",
            "c.yml:1:1: a pack has",
            "d/e.yaml:1:1: a pack has",
        ];
        assert_eq!(problems.len(), starts.len(), "{problems:?}");
        for (problem, start) in problems.iter().zip(starts) {
            assert!(problem.starts_with(start), "{problem}");
        }
    }

    #[test]
    fn amounts_are_limited() {
        let large = "#".repeat(MAX_FILE_BYTES + 1);
        assert!(merge(&[("pack.yaml", &large)]).1[0].contains("a file has at most 1048576"));
        assert_eq!(merge(&[]).1, ["pack.yaml:1:1: a pack has a file `pack.yaml`"]);
        let mut problems = Vec::new();
        let many: Vec<_> = (0..=MAX_FILES).map(|index| (format!("{index:03}.yaml"), String::new())).collect();
        read(&many, &mut problems);
        assert_eq!(problems[0].to_string(), "000.yaml:1:1: 501 files; a pack has at most 500");
        let heavy: Vec<_> = (0..9).map(|index| (format!("{index}.yaml"), "#".repeat(MAX_FILE_BYTES))).collect();
        problems.clear();
        read(&heavy, &mut problems);
        assert!(problems[0].message.contains("a pack has at most 8388608"));
    }
}
