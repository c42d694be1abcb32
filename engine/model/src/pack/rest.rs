//! What is left of a pack's document once what does not read is left out, so that the rest is checked all the same.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use super::concern::{OF_PIPELINES, is_within_any, mentions, places};
use crate::layer::Layer;
use crate::name::{InvalidName, Name};
use crate::problem::{Problem, Problems, escaped, push_segment, unescaped};

/// A document, and what was taken out of it.
pub(super) struct Rest {
    document: Map<String, Value>,
    /// Places of what was taken out, and of all that was wrong in it.
    cut: BTreeSet<String>,
    /// Names of what was taken out: whoever speaks of one makes no further mistake.
    missing: BTreeSet<String>,
    /// What has no name that could be one, by the name that it goes by meanwhile.
    unnamed: HashMap<String, String>,
    /// What is said of wrong names that the layer has not read.
    pub(super) wrong_names: Problems,
}

impl Rest {
    /// All of a document; what has a wrong name goes by another one.
    pub(super) fn of(document: &Map<String, Value>) -> Self {
        let mut rest = Self {
            document: document.clone(),
            cut: BTreeSet::new(),
            missing: BTreeSet::new(),
            unnamed: HashMap::new(),
            wrong_names: Problems::new(),
        };
        for section in named() {
            let Some(entries) = rest.document.get_mut(section).and_then(Value::as_object_mut) else { continue };
            let read = if section == "activities" { Name::event } else { Name::new };
            rename(entries, read, &mut rest.unnamed);
            for (name, entry) in entries.iter_mut().filter(|_| WITH_PROPERTIES.contains(&section)) {
                let Some(properties) = entry.get_mut("properties").and_then(Value::as_object_mut) else { continue };
                let at = format!("{}/properties", push_segment(&format!("/{section}"), name));
                let wrong = rename(properties, Name::new, &mut rest.unnamed).into_iter();
                rest.wrong_names.extend(wrong.map(|(name, error)| {
                    Problem::new(push_segment(&at, &name), "invalid_name", format!("`{name}`: {error}"))
                }));
            }
        }
        rest.missing.extend(rest.unnamed.values().cloned());
        rest
    }

    /// Its layer, if that is another one than the whole document's.
    pub(super) fn layer(&self, name: &str) -> Option<Layer> {
        if self.cut.is_empty() && self.unnamed.is_empty() {
            return None;
        }
        Some(Layer::read(name, &self.document, &mut Vec::new()))
    }

    /// Notes what does not come as far as into the layer.
    pub(super) fn note_lacking(&mut self, layer: &Layer) {
        let present: HashSet<String> = places(layer).map(|(place, _)| place).collect();
        for section in named() {
            let entries = self.document.get(section).and_then(Value::as_object).into_iter().flat_map(Map::keys);
            for name in entries {
                let place = push_segment(&format!("/{section}"), name);
                if !present.contains(&place) {
                    self.missing.insert(name.clone());
                    self.cut.insert(place);
                }
            }
        }
    }

    /// Whether nothing is missing, neither taken out nor unnamed.
    pub(super) fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.cut.is_empty()
    }

    /// Whether a problem comes of what was taken out.
    pub(super) fn explains(&self, problem: &Problem) -> bool {
        is_within_any(&problem.pointer, &self.cut) || mentions(problem).any(|name| self.missing.contains(name))
    }

    /// Takes out what is wrong at these places; where that is gone already, what it is missing in.
    pub(super) fn cut(&mut self, wrong: &BTreeSet<String>) {
        let mut now = BTreeSet::new();
        for pointer in wrong {
            if !is_within_any(pointer, &now) {
                now.extend(self.cut_one(pointer));
                self.cut.insert(pointer.clone());
            }
        }
        self.cut.extend(now);
    }

    /// The place of what was taken out.
    fn cut_one(&mut self, pointer: &str) -> Option<String> {
        let mut segments: Vec<String> = pointer.split('/').skip(1).map(unescaped).collect();
        // A list without one of its entries would have the others at wrong places, so it goes as a whole.
        if let Some(list) =
            (1..segments.len()).find(|end| self.find(&segments[..*end]).is_some_and(|found| found.is_array()))
        {
            segments.truncate(list);
        }
        while let Some(last) = segments.pop() {
            // Without all of its properties or stages nothing that is said of a definition can be looked at.
            if segments.len() == 2 && matches!(last.as_str(), "properties" | "stages") {
                continue;
            }
            let Some(holder) = self.find_mut(&segments) else { continue };
            if holder.shift_remove(&last).is_none() {
                continue;
            }
            let parent = segments.last().map_or("", String::as_str);
            if segments.len() == 1 || NAMING.contains(&parent) {
                self.missing.insert(last.clone());
            }
            if parent == "pipelines" && segments.len() == 1 {
                self.missing.extend(OF_PIPELINES.map(str::to_owned));
            }
            return Some(segments.iter().chain([&last]).fold(String::new(), |at, segment| push_segment(&at, segment)));
        }
        None
    }

    fn find(&self, segments: &[String]) -> Option<&Value> {
        let (first, rest) = segments.split_first()?;
        rest.iter().try_fold(self.document.get(first)?, |value, segment| value.get(segment.as_str()))
    }

    fn find_mut(&mut self, segments: &[String]) -> Option<&mut Map<String, Value>> {
        segments.iter().try_fold(&mut self.document, |map, segment| map.get_mut(segment.as_str())?.as_object_mut())
    }

    /// The problem as it is told: by the names that stand in the files.
    pub(super) fn by_its_names(&self, mut problem: Problem) -> Problem {
        if self.unnamed.is_empty() {
            return problem;
        }
        let named = |text: &str| self.unnamed.get(text).cloned();
        let segments = problem.pointer.split('/').map(|segment| match named(segment) {
            Some(name) => escaped(&name),
            None => segment.to_owned(),
        });
        problem.pointer = segments.collect::<Vec<_>>().join("/");
        let parts = problem.message.split('`').map(|part| named(part).unwrap_or_else(|| part.to_owned()));
        problem.message = parts.collect::<Vec<_>>().join("`");
        problem
    }
}

/// Keys of definitions whose entries have names of their own.
const NAMING: [&str; 7] = ["properties", "stages", "groups", "labels", "details", "categories", "options"];

/// Sections whose entries have names that definitions go by.
fn named() -> impl Iterator<Item = &'static str> {
    Layer::SECTIONS.into_iter().filter(|section| !["capabilities", "schemas", "translations"].contains(section))
}

const WITH_PROPERTIES: [&str; 3] = ["objects", "extend", "associations"];

/// What has a wrong name goes by another one; gives the wrong ones.
fn rename(
    entries: &mut Map<String, Value>,
    read: fn(&str) -> Result<Name, InvalidName>,
    unnamed: &mut HashMap<String, String>,
) -> Vec<(String, InvalidName)> {
    let mut wrong = Vec::new();
    if entries.keys().all(|key| read(key).is_ok()) {
        return wrong;
    }
    let renamed = std::mem::take(entries).into_iter().map(|(key, value)| match read(&key) {
        Ok(_) => (key, value),
        Err(error) => {
            let free = format!("unnamed_{}", unnamed.len());
            unnamed.insert(free.clone(), key.clone());
            wrong.push((key, error));
            (free, value)
        }
    });
    *entries = renamed.collect();
    wrong
}
