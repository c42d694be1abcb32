//! What people read, in other languages: `translations` of packs.
//!
//! ```yaml
//! translations:
//!   de:
//!     objects:
//!       permit:
//!         label: Genehmigung
//!         properties:
//!           number: Nummer                   # short for {label: Nummer}
//!           kind: {label: Art, options: {new: Neubau}}
//!     pipelines: {permit: {approval: {stages: {applied: Beantragt}}}}
//!     views: {open_permits: Offene Genehmigungen}
//! ```
//! A text stands alone where its definition has a label.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::behavior::Section;
use crate::layer::Layer;
use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems, push_segment};
use crate::registry::Registry;
use crate::spec::{SpecReader, shape};

/// A level of a translation: what may stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Language,
    /// Names of definitions, each leading to a level.
    Named(&'static str),
    Object,
    Property,
    Association,
    PipelinesOf,
    Pipeline,
    /// Something that has no texts but a label.
    Labelled,
}

impl Level {
    /// The texts at this level.
    fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Object => &["label", "plural_label", "description"],
            Self::Property => &["label", "description"],
            Self::Association => &["label", "inverse"],
            Self::Pipeline | Self::Labelled => &["label"],
            Self::Language | Self::Named(_) | Self::PipelinesOf => &[],
        }
    }

    /// The maps of names at this level.
    fn maps(self) -> &'static [&'static str] {
        match self {
            Self::Language => &[
                "objects",
                "associations",
                "pipelines",
                "views",
                "reports",
                "dashboards",
                "workflows",
                "activities",
                "scores",
                "roles",
            ],
            Self::Object => &["properties", "groups"],
            Self::Property => &["options"],
            Self::Association => &["labels", "properties"],
            Self::Pipeline => &["stages", "categories"],
            Self::Named(_) | Self::PipelinesOf | Self::Labelled => &[],
        }
    }

    /// What a name in one of those maps leads to.
    fn within(map: &str) -> Self {
        match map {
            "objects" => Self::Object,
            "associations" => Self::Association,
            "pipelines" => Self::PipelinesOf,
            "pipeline" => Self::Pipeline,
            "properties" => Self::Property,
            _ => Self::Labelled,
        }
    }
}

/// Reads the section `translations`.
pub(crate) fn read(reader: &mut SpecReader<'_>) -> IndexMap<String, Map<String, Value>> {
    let mut translations = IndexMap::new();
    let pointer = reader.pointer_of("translations");
    for (language, texts) in reader.map("translations").into_iter().flatten() {
        let at = push_segment(&pointer, language);
        if !is_language(language) {
            let message = format!("`{language}` is no language such as de, pt-BR or zh-Hant");
            reader.problems().push(Problem::new(at, "invalid", message));
            continue;
        }
        read_level(Level::Language, texts, &at, reader.problems());
        if let Some(texts) = texts.as_object() {
            translations.insert(language.clone(), texts.clone());
        }
    }
    translations
}

fn read_level(level: Level, value: &Value, at: &str, problems: &mut Problems) {
    let wrong = |problems: &mut Problems, at: &str, expected: &str, value: &Value| {
        let message = format!("{expected} is expected, not {}", shape(value));
        problems.push(Problem::new(at, "wrong_type", message));
    };
    let map = match (level, value) {
        (_, Value::Object(map)) => map,
        (
            Level::Object | Level::Property | Level::Association | Level::Pipeline | Level::Labelled,
            Value::String(_),
        ) => {
            return;
        }
        (Level::Language | Level::PipelinesOf | Level::Named(_), other) => {
            return wrong(problems, at, "an object", other);
        }
        (_, other) => return wrong(problems, at, "a text, or an object with `label`", other),
    };
    let next = match level {
        Level::Named(map) => Some(Level::within(map)),
        Level::PipelinesOf => Some(Level::Pipeline),
        _ => None,
    };
    for (key, value) in map {
        let at = push_segment(at, key);
        match next {
            Some(next) => read_level(next, value, &at, problems),
            None if level.texts().contains(&key.as_str()) => {
                if !value.is_string() {
                    wrong(problems, &at, "a text", value);
                }
            }
            None => match level.maps().iter().find(|map| *map == key) {
                Some(map) => read_level(Level::Named(map), value, &at, problems),
                None => {
                    let hint = did_you_mean(key, level.texts().iter().chain(level.maps()).copied());
                    problems.push(Problem::new(at, "unknown_key", format!("`{key}` is not known here{hint}")));
                }
            },
        }
    }
}

/// Whether a text is a language as BCP 47 writes it, with a script and a region at most.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_letters = |part: &str, lengths: std::ops::RangeInclusive<usize>, upper: fn(usize) -> bool| {
        let is_cased = |(index, byte): (usize, u8)| match upper(index) {
            true => byte.is_ascii_uppercase(),
            false => byte.is_ascii_lowercase(),
        };
        lengths.contains(&part.len()) && part.bytes().enumerate().all(is_cased)
    };
    let is_region = |part: &str| {
        is_letters(part, 2..=2, |_| true) || part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_script = |part: &str| is_letters(part, 4..=4, |index| index == 0);
    let has_language = parts.next().is_some_and(|part| is_letters(part, 2..=3, |_| false));
    has_language
        && match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => true,
            (Some(part), None, _) => is_script(part) || is_region(part),
            (Some(script), Some(region), None) => is_script(script) && is_region(region),
            (Some(_), Some(_), Some(_)) => false,
        }
}

impl Registry {
    /// What the translations of a layer name that is not there.
    pub fn check_translations(&self, layer: &Layer) -> Problems {
        let mut problems = Problems::new();
        for (language, texts) in &layer.translations {
            let at = push_segment("/translations", language);
            for (map, names) in texts {
                let at = push_segment(&at, map);
                for (name, texts) in names.as_object().into_iter().flatten() {
                    self.check_translated(map, name, texts, &push_segment(&at, name), &mut problems);
                }
            }
        }
        problems
    }

    fn check_translated(&self, map: &str, name: &str, texts: &Value, at: &str, problems: &mut Problems) {
        let mut tell = |at: &str, what: &str, name: &str, known: Vec<&str>| {
            let message = format!("there is no {what} `{name}`{}", did_you_mean(name, known));
            problems.push(Problem::new(at, "unknown", message));
        };
        match map {
            "objects" => match self.objects.get(name) {
                None => tell(at, "object", name, names_of(&self.objects)),
                Some(object) => {
                    for (property, texts, at) in under(texts, "properties", at) {
                        match object.properties.get(property) {
                            None => tell(&at, "property", property, names_of(&object.properties)),
                            Some(found) => {
                                let options: Vec<&str> =
                                    found.kind.options().iter().map(|option| option.key.as_str()).collect();
                                let unknown = under(texts, "options", &at);
                                for (option, _, at) in unknown.filter(|(option, ..)| !options.contains(option)) {
                                    tell(&at, "option", option, options.clone());
                                }
                            }
                        }
                    }
                    let groups: Vec<&str> = object.groups.keys().map(String::as_str).collect();
                    for (group, _, at) in under(texts, "groups", at).filter(|(group, ..)| !groups.contains(group)) {
                        tell(&at, "group", group, groups.clone());
                    }
                }
            },
            "associations" => match self.associations.get(name) {
                None => tell(at, "association", name, names_of(&self.associations)),
                Some(association) => {
                    let unknown = under(texts, "properties", at);
                    for (property, _, at) in unknown.filter(|found| !association.properties.contains_key(found.0)) {
                        tell(&at, "property", property, names_of(&association.properties));
                    }
                }
            },
            "pipelines" => {
                let pipelines = self.pipelines.get(name);
                for (pipeline, texts) in texts.as_object().into_iter().flatten() {
                    let at = push_segment(at, pipeline);
                    match pipelines.and_then(|all| all.get(pipeline.as_str())) {
                        None => tell(&at, "pipeline", pipeline, pipelines.map(names_of).unwrap_or_default()),
                        Some(found) => {
                            let unknown = under(texts, "stages", &at);
                            for (stage, _, at) in unknown.filter(|(stage, ..)| !found.stages.contains_key(*stage)) {
                                tell(&at, "stage", stage, names_of(&found.stages));
                            }
                            let unknown = under(texts, "categories", &at);
                            for (category, _, at) in unknown.filter(|one| !found.categories.contains_key(one.0)) {
                                tell(&at, "category", category, names_of(&found.categories));
                            }
                        }
                    }
                }
            }
            _ => {
                let section = Section::ALL.into_iter().find(|section| section.as_str() == map);
                let known = self.behaviors.keys().filter(|key| Some(key.0) == section).map(|key| key.1.as_str());
                let known: Vec<&str> = known.collect();
                if let Some(section) = section.filter(|_| !known.contains(&name)) {
                    tell(at, section.kind(), name, known);
                }
            }
        }
    }

    /// The texts of a language, the nearest first: those of `de-AT`, then those of `de`.
    pub fn texts(&self, language: &str) -> Texts<'_> {
        let mut found = Vec::new();
        let mut rest = Some(language);
        while let Some(tag) = rest {
            found.extend(
                self.translations.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag)).map(|(_, texts)| texts),
            );
            rest = tag.rsplit_once('-').map(|(shorter, _)| shorter);
        }
        Texts { found }
    }
}

/// The texts of one language.
#[derive(Debug, Clone)]
pub struct Texts<'a> {
    found: Vec<&'a Map<String, Value>>,
}

impl<'a> Texts<'a> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The text at a path such as `objects`, `permit`, `label`.
    pub fn get(&self, path: &[&str]) -> Option<&'a str> {
        self.found.iter().find_map(|texts| {
            let (first, rest) = path.split_first()?;
            let mut value = texts.get(*first)?;
            for (index, key) in rest.iter().enumerate() {
                // A text alone is a label.
                if value.is_string() {
                    return value.as_str().filter(|_| *key == "label" && index + 1 == rest.len());
                }
                value = value.get(*key)?;
            }
            value.as_str()
        })
    }
}

fn names_of<T>(map: &IndexMap<Name, T>) -> Vec<&str> {
    map.keys().map(Name::as_str).collect()
}

/// The entries of a map of names within a level, with their places.
fn under<'a>(texts: &'a Value, map: &'a str, at: &str) -> impl Iterator<Item = (&'a str, &'a Value, String)> {
    let at = push_segment(at, map);
    let entries = texts.get(map).and_then(Value::as_object).into_iter().flatten();
    entries.map(move |(name, texts)| (name.as_str(), texts, push_segment(&at, name)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layer::tests::layer;

    fn below() -> Layer {
        layer(
            "crm",
            &json!({
                "objects": {"deal": {"groups": {"money": {}}, "properties": {"name": {"type": "string"},
                    "kind": {"type": "enum", "options": ["new"]}}}},
                "associations": {"deal_deal": {"from": "deal", "to": "deal"}},
                "pipelines": {"sales": {"object": "deal", "stages": {"open": {}}}},
                "views": {"all": {"object": "deal"}},
            }),
        )
    }

    #[test]
    fn the_nearest_language_has_the_first_word() {
        let texts = json!({"translations": {
            "de": {"objects": {"deal": {"label": "Geschäft", "properties": {"name": "Name", "kind": {"options": {"new": "Neu"}}}}},
                "pipelines": {"deal": {"sales": {"stages": {"open": "Offen"}}}}, "views": {"all": "Alle"}},
            "de-AT": {"objects": {"deal": {"label": "Gschäft"}}},
        }});
        let own = layer("own", &texts);
        let (registry, problems) = Registry::fold(&[below(), own.clone()]);
        assert_eq!((problems, registry.check_translations(&own)), (vec![], vec![]));
        let texts = registry.texts("de-at");
        assert_eq!(texts.get(&["objects", "deal", "label"]), Some("Gschäft"));
        assert_eq!(texts.get(&["objects", "deal", "properties", "name", "label"]), Some("Name"));
        assert_eq!(texts.get(&["objects", "deal", "properties", "name", "description"]), None);
        assert_eq!(texts.get(&["objects", "deal", "properties", "kind", "options", "new", "label"]), Some("Neu"));
        assert_eq!(texts.get(&["pipelines", "deal", "sales", "stages", "open", "label"]), Some("Offen"));
        assert_eq!(registry.texts("de").get(&["objects", "deal", "label"]), Some("Geschäft"));
        assert_eq!(registry.texts("de").get(&["views", "all", "label"]), Some("Alle"));
        assert!(registry.texts("fr").is_empty());
    }

    #[test]
    fn what_is_not_there_cannot_be_translated() {
        let mut problems = Problems::new();
        let document = json!({"translations": {
            "german": {}, "de_DE": {},
            "de": {"objects": {"dael": "x", "deal": {"lable": "x", "label": 1, "properties": {"nmae": "x",
                "kind": {"options": {"old": "x"}}}, "groups": {"cost": "x"}}}, "object": {},
                "associations": {"deal_dael": "x"}, "pipelines": {"deal": {"sale": "x", "sales": {"stages": {"opne": "x"}}}},
                "views": {"al": "x"}},
        }});
        let own = Layer::read("own", document.as_object().expect("an object"), &mut problems);
        let places = |problems: Problems| -> Vec<(String, &'static str)> {
            problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
        };
        let told = |all: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
            all.iter().map(|(pointer, code)| (format!("/translations/{pointer}"), *code)).collect()
        };
        assert_eq!(
            places(problems),
            told(&[
                ("german", "invalid"),
                ("de_DE", "invalid"),
                ("de/objects/deal/lable", "unknown_key"),
                ("de/objects/deal/label", "wrong_type"),
                ("de/object", "unknown_key"),
            ])
        );
        let (registry, _) = Registry::fold(&[below(), own.clone()]);
        assert_eq!(
            places(registry.check_translations(&own)),
            told(&[
                ("de/objects/dael", "unknown"),
                ("de/objects/deal/properties/nmae", "unknown"),
                ("de/objects/deal/properties/kind/options/old", "unknown"),
                ("de/objects/deal/groups/cost", "unknown"),
                ("de/associations/deal_dael", "unknown"),
                ("de/pipelines/deal/sale", "unknown"),
                ("de/pipelines/deal/sales/stages/opne", "unknown"),
                ("de/views/al", "unknown"),
            ])
        );
    }
}
