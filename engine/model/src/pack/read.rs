//! A pack as a whole: its head and its layer of definitions.

use std::collections::BTreeSet;

use semver::{Version, VersionReq};
use serde_json::{Map, Value};

use super::concern::{is_within_any, misses_any, property_at, speaks_of_pipelines, unread};
use super::place::{LocatedProblem, Place, Places};
use super::rest::Rest;
use super::source::{self, Source};
use super::yaml::MAX_PROBLEMS;
use crate::layer::{CUSTOM, ENGINE, Layer};
use crate::name::Name;
use crate::problem::{Problem, Problems};
use crate::registry::Registry;
use crate::spec::{SpecReader, named_entries};

/// How often what does not read is left out, and the rest is looked at. What is wrong in a property takes the property
/// with it, and then what needs it.
const ROUNDS: usize = 6;

/// A versioned bundle of definitions.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Internal name, unique among packs.
    pub name: Name,
    /// Its version; the same version never has other contents.
    pub version: Version,
    /// What people read.
    pub label: String,
    /// Packs that it builds on, each with the versions that will do.
    pub requires: Vec<(Name, VersionReq)>,
    /// Switches that it declares.
    pub capabilities: Vec<Name>,
    /// Its definitions.
    pub layer: Layer,
    /// All of it as one document, as written.
    pub document: Map<String, Value>,
    places: Places,
}

impl Pack {
    /// Reads a pack from its files, each a name and a text; `Err` has every mistake of form, at least one.
    ///
    /// What the definitions mean is checked by [`Pack::check`], since it depends on the layers below.
    pub fn read(files: &[(String, String)]) -> Result<Self, Vec<LocatedProblem>> {
        match Self::read_what_stands(files) {
            (Some(pack), problems) if problems.is_empty() => Ok(pack),
            (_, mut problems) => {
                limit(&mut problems);
                Err(problems)
            }
        }
    }

    /// Reads a pack and checks it on top of what `below` gives for it: every mistake there is, of form and of meaning.
    pub fn read_and_check(
        files: &[(String, String)],
        below: impl FnOnce(&Self) -> Vec<Layer>,
    ) -> Result<Self, Vec<LocatedProblem>> {
        let (pack, mut problems) = Self::read_what_stands(files);
        if let Some(pack) = &pack {
            problems.extend(pack.check_all(&below(pack)));
        }
        limit(&mut problems);
        match pack {
            Some(pack) if problems.is_empty() => Ok(pack),
            _ => Err(problems),
        }
    }

    /// What is wrong with the pack's definitions when they are laid on `below`, lowest layer first.
    pub fn check(&self, below: &[Layer]) -> Vec<LocatedProblem> {
        let mut problems = self.check_all(below);
        limit(&mut problems);
        problems
    }

    /// What does not read is told and left out, so that the rest is looked at as well.
    fn check_all(&self, below: &[Layer]) -> Vec<LocatedProblem> {
        let (lower, before) = Registry::fold(below);
        let mut rest = Rest::of(&self.document);
        let mut told = std::mem::take(&mut rest.wrong_names);
        let mut first = Problems::new();
        for round in 1..=ROUNDS {
            let left = rest.layer(&self.name);
            let layer = left.as_ref().unwrap_or(&self.layer);
            if round == 1 {
                rest.note_lacking(layer);
            }
            let (registry, mut found) = fold_on(below, layer);
            found.extend(lower.check_types(layer));
            // What was wrong below is not this pack's doing.
            found.retain(|problem| !before.iter().any(|before| before.says_the_same_as(problem)));
            // Of a pack that reads to its last key nothing explains anything away.
            if round == 1 && rest.is_whole() {
                first.clone_from(&found);
            }
            let unread = unread(layer, &registry);
            if unread.is_empty() || round == ROUNDS {
                found.retain(|problem| !rest.explains(problem));
                told.extend(found);
                break;
            }
            // The stages of a pipeline that does not read are not there yet, and what speaks of one waits.
            let has_stages = !unread.iter().any(|place| place.starts_with("/pipelines/"));
            found.retain(|problem| {
                is_within_any(&problem.pointer, &unread) && (has_stages || !speaks_of_pipelines(problem))
            });
            let wrong: BTreeSet<String> = found.iter().map(|problem| problem.pointer.clone()).collect();
            let properties = wrong.iter().filter_map(|pointer| property_at(pointer)).collect();
            let found = found.into_iter().filter(|problem| !misses_any(problem, &properties));
            told.extend(found.filter(|problem| !rest.explains(problem)));
            rest.cut(&wrong);
        }
        let told = if told.is_empty() { first } else { told };
        told.into_iter().map(|problem| self.places.located(rest.by_its_names(problem))).collect()
    }

    /// Where to look for what `pointer` means, or for the nearest thing around it that the pack has.
    pub fn locate(&self, pointer: &str) -> Place {
        self.places.locate(pointer).clone()
    }

    /// Gives a problem, whose pointer leads into the pack as one document, its place.
    pub fn located(&self, problem: Problem) -> LocatedProblem {
        self.places.located(problem)
    }

    /// `None` where too much is missing for a check of the definitions to say anything true.
    fn read_what_stands(files: &[(String, String)]) -> (Option<Self>, Vec<LocatedProblem>) {
        let mut located = Vec::new();
        let Source { document, places, is_whole } = source::read(files, &mut located);
        let mut problems = Problems::new();
        let pack = Self::of_document(document, &places, &mut problems);
        located.extend(problems.into_iter().map(|problem| places.located(problem)));
        if !is_whole {
            // A file that could not be read may have had what is missing now.
            located.retain(|problem| problem.code != "required" || !["/pack", "/version"].contains(&&*problem.pointer));
        }
        (pack.filter(|_| is_whole), located)
    }

    fn of_document(document: Map<String, Value>, places: &Places, problems: &mut Problems) -> Option<Self> {
        let mut reader = SpecReader::of_map(&document, "", problems);
        let name = read_name(&mut reader);
        let version = read_version(&mut reader);
        let label = reader.string("label").map(str::to_owned);
        let requires = read_requires(&mut reader);
        for key in Layer::SECTIONS {
            reader.value(key);
        }
        reader.finish();
        let layer = Layer::read(name.as_ref().map_or("", Name::as_str), &document, problems);
        // A mistake in the name or version stands in the way of the pack, but of no further check.
        let name = name.or_else(|| Name::new("unnamed").ok())?;
        let version = version.unwrap_or(Version::new(0, 0, 0));
        let label = label.unwrap_or_else(|| name.to_label());
        let (capabilities, places) = (layer.capabilities.clone(), places.clone());
        Some(Self { name, version, label, requires, capabilities, layer, document, places })
    }
}

/// What a layer comes to on top of others, and what is wrong with it.
fn fold_on(below: &[Layer], layer: &Layer) -> (Registry, Problems) {
    let layers: Vec<&Layer> = below.iter().chain([layer]).collect();
    let (registry, mut found) = Registry::fold(&layers);
    found.extend(registry.check_behaviors(Some(layer)));
    found.extend(registry.check_translations(layer));
    found.extend(registry.check_groups(layer));
    found.extend(registry.check_defaults(layer));
    found.extend(registry.check_fragments(layer));
    found.extend(registry.check_former(layer));
    (registry, found)
}

fn read_name(reader: &mut SpecReader<'_>) -> Option<Name> {
    if reader.value("pack").is_none() {
        reader.missing("pack");
        return None;
    }
    let name = reader.name("pack")?;
    if [CUSTOM, ENGINE].contains(&name.as_str()) {
        reader.problem("pack", "reserved", format!("`{name}` is a name of the engine's own; choose another"));
        return None;
    }
    Some(name)
}

fn read_version(reader: &mut SpecReader<'_>) -> Option<Version> {
    let written = match reader.value("version") {
        None => {
            reader.missing("version");
            return None;
        }
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let version = Version::parse(&written);
    version
        .map_err(|error| {
            let message = format!("`{written}` is no version such as 1.2.0: {error}");
            reader.problem("version", "invalid", message);
        })
        .ok()
}

fn read_requires(reader: &mut SpecReader<'_>) -> Vec<(Name, VersionReq)> {
    let Some(map) = reader.map("requires") else { return Vec::new() };
    let pointer = reader.pointer_of("requires");
    let mut requires = Vec::with_capacity(map.len());
    for (name, value, at) in named_entries(map, &pointer, reader.problems()) {
        let parsed = value.as_str().map_or_else(
            || Err("a string is expected".to_owned()),
            |text| VersionReq::parse(text).map_err(|error| error.to_string()),
        );
        match parsed {
            Ok(versions) => requires.push((name, versions)),
            Err(error) => {
                let message = format!("`{name}` needs a range of versions such as ^1.0: {error}");
                reader.problems().push(Problem::new(at, "invalid", message));
            }
        }
    }
    requires
}

/// Sorts problems as one reads files, and cuts a list that nobody would read to its end.
fn limit(problems: &mut Vec<LocatedProblem>) {
    problems.sort_by(|a, b| {
        let key = |problem: &LocatedProblem| (problem.place.line, problem.place.column);
        a.place.file.cmp(&b.place.file).then_with(|| key(a).cmp(&key(b)))
    });
    problems.dedup();
    let untold = problems.len().saturating_sub(MAX_PROBLEMS);
    if let Some(first) = problems.get(MAX_PROBLEMS).filter(|_| untold > 0) {
        let more = LocatedProblem::at(first.place.clone(), "too_many", format!("{untold} more mistakes from here on"));
        problems.truncate(MAX_PROBLEMS);
        problems.push(more);
    }
}
