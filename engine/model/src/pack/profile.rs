//! Profiles: named choices of packs and capabilities for a tenant.

use serde_json::Value;

use super::place::LocatedProblem;
use super::yaml::{self, Budget};
use crate::name::Name;
use crate::problem::Problems;
use crate::spec::{SpecReader, named_entries};

/// What a tenant begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Internal name, `generic`.
    pub name: Name,
    /// What people read.
    pub label: String,
    /// Packs in the order in which they are laid on each other; at least one.
    pub packs: Vec<Name>,
    /// Switches that are on.
    pub capabilities: Vec<Name>,
}

/// Reads a profiles file; `Err` has every mistake, at least one.
pub fn read_profiles(file: &str, text: &str) -> Result<Vec<Profile>, Vec<LocatedProblem>> {
    let mut located = Vec::new();
    let Some(document) = yaml::parse(file, text, &mut Budget::default(), &mut located) else { return Err(located) };
    let mut problems = Problems::new();
    let profiles = read_document(&document.value, &mut problems);
    located.extend(problems.into_iter().map(|problem| document.places.located(problem)));
    if located.is_empty() { Ok(profiles) } else { Err(located) }
}

fn read_document(document: &Value, problems: &mut Problems) -> Vec<Profile> {
    let Some(mut reader) = SpecReader::new(document, "", problems) else { return Vec::new() };
    let Some(map) = reader.map("profiles") else {
        if document.get("profiles").is_none_or(Value::is_null) {
            reader.missing("profiles");
        }
        reader.finish();
        return Vec::new();
    };
    let entries = named_entries(map, "/profiles", reader.problems());
    let read = |(name, spec, at): (Name, &Value, String)| read_profile(name, spec, &at, reader.problems());
    let profiles = entries.into_iter().filter_map(read).collect();
    reader.finish();
    profiles
}

fn read_profile(name: Name, spec: &Value, at: &str, problems: &mut Problems) -> Option<Profile> {
    let mut reader = SpecReader::new(spec, at, problems)?;
    let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
    let packs = reader.names("packs");
    if packs.as_ref().is_some_and(Vec::is_empty) || spec.get("packs").is_none_or(Value::is_null) {
        reader.missing("packs");
    }
    let capabilities = reader.names("capabilities").unwrap_or_default();
    reader.finish();
    Some(Profile { name, label, packs: packs?, capabilities })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_read_in_order() {
        let text = "profiles:\n  generic: {packs: [core, crm], capabilities: [tasks]}\n  plain: {label: Bare, packs: [core]}\n";
        let profiles = read_profiles("profiles.yaml", text).expect("profiles");
        let name = |text: &str| Name::new(text).unwrap();
        assert_eq!(
            profiles,
            [
                Profile {
                    name: name("generic"),
                    label: "Generic".to_owned(),
                    packs: vec![name("core"), name("crm")],
                    capabilities: vec![name("tasks")],
                },
                Profile {
                    name: name("plain"),
                    label: "Bare".to_owned(),
                    packs: vec![name("core")],
                    capabilities: vec![]
                },
            ]
        );
    }

    #[test]
    fn every_mistake_has_its_place() {
        let text = "profiles:\n  Big: {}\n  a: {packs: []}\n  b: {pack: [core]}\n  c: 1\nmore: 2\n";
        let shown: Vec<_> = read_profiles("p.yaml", text).unwrap_err().iter().map(ToString::to_string).collect();
        let starts = [
            "p.yaml:2:3: `Big`",
            "p.yaml:3:7: `packs` is required",
            "p.yaml:4:3: `packs` is required",
            "p.yaml:4:7: `pack` is not known here; did you mean `packs`?",
            "p.yaml:5:6: an object",
            "p.yaml:6:1: `more`",
        ];
        assert_eq!(shown.len(), starts.len(), "{shown:?}");
        for (shown, start) in shown.iter().zip(starts) {
            assert!(shown.starts_with(start), "{shown}");
        }
        assert_eq!(
            read_profiles("p.yaml", "").unwrap_err()[0].to_string(),
            "p.yaml:1:1: an object is expected, not null"
        );
    }
}
