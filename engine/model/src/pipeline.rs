//! Pipelines: named state machines of an object, and their stages.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::expression::Types;
use crate::former::renamed;
use crate::layer::{ENGINE, Folded};
use crate::name::{Name, did_you_mean};
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Fault, Locale, Property, normalize_value};
use crate::rule::Rule;
use crate::spec::{SpecReader, named_entries};

/// A named state machine of an object.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Internal name, unique in its object.
    pub name: Name,
    /// The object whose records move through it.
    pub object: Name,
    /// What people read.
    pub label: String,
    /// New records start here unless told otherwise.
    pub is_default: bool,
    /// What being in a stage may mean beside what every pipeline knows, by name.
    pub categories: IndexMap<Name, Category>,
    /// Stages in order; at least one.
    pub stages: IndexMap<Name, Stage>,
    /// Allowed moves by the stage they start from; `None` allows every move.
    pub transitions: Option<IndexMap<Name, Vec<Name>>>,
    /// Values of new records that begin in it, where nothing else gives one; as written.
    pub defaults: IndexMap<Name, Value>,
    /// Layer that declared it.
    pub layer: String,
    /// No longer offered; records in it stay.
    pub archived: bool,
    /// The specification as written, folded over all layers.
    pub spec: Map<String, Value>,
}

/// One state of a pipeline.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Internal name, the value that records carry.
    pub name: Name,
    /// What people read.
    pub label: String,
    /// What being here means.
    pub category: StageCategory,
    /// Chance in percent that a record here is won.
    pub probability: Option<u8>,
    /// Properties that must have a value before a record enters.
    pub requires: Vec<Name>,
    /// What must be true of a record before it enters.
    pub rules: Vec<Rule>,
    /// A colour's name or code.
    pub color: Option<String>,
    /// Not entered any more.
    pub archived: bool,
}

/// What a pipeline of its own lets a stage mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// What people read.
    pub label: String,
    /// A record there has ended, neither won nor lost.
    pub has_ended: bool,
}

/// What being in a stage means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageCategory {
    /// Still moving.
    Open,
    /// Ended with success.
    Won,
    /// Ended without.
    Lost,
    /// Ended, neither won nor lost.
    Closed,
    /// One of the pipeline's own.
    Own {
        /// Its name.
        name: Name,
        /// A record there has ended, neither won nor lost.
        has_ended: bool,
    },
}

/// What stages of every pipeline may mean.
const CATEGORIES: [(&str, StageCategory); 4] = [
    ("open", StageCategory::Open),
    ("won", StageCategory::Won),
    ("lost", StageCategory::Lost),
    ("closed", StageCategory::Closed),
];

impl StageCategory {
    /// The word for it in definitions.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Closed => "closed",
            Self::Own { name, .. } => name,
        }
    }

    /// Whether a record there is on its way no more.
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Open => false,
            Self::Won | Self::Lost | Self::Closed => true,
            Self::Own { has_ended, .. } => *has_ended,
        }
    }
}

impl Stage {
    /// Chance in percent that a record here is won: what is said, else all of what is won and nothing of the rest.
    pub fn chance(&self) -> u8 {
        let unless_said = if self.category == StageCategory::Won { 100 } else { 0 };
        self.probability.unwrap_or(unless_said)
    }
}

impl Pipeline {
    /// Reads a folded specification; `Err` with what of it can be understood where it cannot stand.
    pub fn read(object: Name, name: Name, folded: &Folded, problems: &mut Problems) -> Result<Self, Box<Self>> {
        let before = problems.len();
        let mut reader = SpecReader::of_map(&folded.spec, &folded.pointer, problems);
        reader.value("object");
        reader.value("name");
        let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
        let is_default = reader.boolean("default").unwrap_or(false);
        let categories = read_categories(&mut reader);
        let stages = read_stages(&mut reader, &categories);
        let transitions = read_transitions(&mut reader, &stages);
        let defaults = read_defaults(&mut reader);
        let archived = reader.boolean("archived").unwrap_or(false);
        // Kept for whoever shows the definition.
        reader.string("archived_at");
        reader.finish();
        let is_whole = problems.len() == before;
        let layer = folded.layer.clone();
        let spec = folded.spec.clone();
        let read =
            Self { name, object, label, is_default, categories, stages, transitions, defaults, layer, archived, spec };
        if is_whole { Ok(read) } else { Err(Box::new(read)) }
    }

    /// Speaks of its object's properties by the names that they have now.
    pub(crate) fn rename(&mut self, properties: &IndexMap<Name, Property>) {
        let now = |name: &Name| renamed(properties, name).unwrap_or(name).clone();
        for stage in self.stages.values_mut() {
            stage.requires.iter_mut().for_each(|name| *name = now(name));
            stage.rules.iter_mut().for_each(|rule| rule.rename(properties));
        }
        if self.defaults.keys().any(|name| now(name) != *name) {
            self.defaults = self.defaults.drain(..).map(|(name, value)| (now(&name), value)).collect();
        }
    }

    /// What its stages ask for that records of the object cannot have; `pointer` is its own.
    pub(crate) fn check_gates(&self, object: &ObjectDefinition, pointer: &str, problems: &mut Problems) {
        let types = Types::of(&object.properties);
        for stage in self.stages.values() {
            let at = format!("{pointer}/stages/{}", stage.name);
            let mut check_known = |name: &Name, key: String| {
                if !object.properties.contains_key(name.as_str()) {
                    let hint = object.property_hint(name, |_| true);
                    let message = format!("`{name}` is no property of `{}`{hint}", object.name);
                    problems.push(Problem::new(format!("{at}/{key}"), "unknown", message));
                }
            };
            stage.requires.iter().for_each(|name| check_known(name, "requires".to_owned()));
            for (index, rule) in stage.rules.iter().enumerate() {
                rule.at.iter().for_each(|name| check_known(name, format!("rules/{index}/at")));
            }
            let rules = stage.rules.iter().enumerate();
            problems.extend(rules.flat_map(|(index, rule)| rule.check(&types, &format!("{at}/rules/{index}"))));
        }
    }

    /// What its defaults give that no record of the object can have; `pointer` is its own.
    pub(crate) fn check_defaults(&self, object: &ObjectDefinition, pointer: &str, problems: &mut Problems) {
        for (name, value) in &self.defaults {
            let at = push_segment(&format!("{pointer}/defaults"), name);
            let Some(property) = object.properties.get(name) else {
                let hint = object.property_hint(name, |_| true);
                let message = format!("`{name}` is no property of `{}`{hint}", object.name);
                problems.push(Problem::new(at, "unknown", message));
                continue;
            };
            if property.kind.is_computed() || property.layer == ENGINE {
                let message = format!("the engine itself gives `{name}` its value");
                problems.push(Problem::new(at, "not_applicable", message));
                continue;
            }
            if let Err(faults) = normalize_value(property.kind.as_ref(), value, &Locale::default()) {
                let told = |fault: Fault| Problem::new(format!("{at}{}", fault.pointer), fault.code, fault.message);
                problems.extend(faults.into_iter().map(told));
            }
        }
    }

    /// The stage where new records start.
    pub fn first_stage(&self) -> Option<&Stage> {
        self.stages.values().find(|stage| !stage.archived)
    }

    /// Whether a record may come into one of its stages from another pipeline: where moves are restricted, only where new
    /// records start, since elsewhere it would have come past them.
    pub fn may_be_entered_at(&self, stage: &str) -> bool {
        self.transitions.is_none() || self.first_stage().is_some_and(|first| first.name.as_str() == stage)
    }

    /// The stages that a record may move to from one, in order.
    pub fn next_stages(&self, from: &str) -> impl Iterator<Item = &Stage> {
        let is_next =
            move |stage: &&Stage| !stage.archived && stage.name.as_str() != from && self.allows(from, &stage.name);
        self.stages.values().filter(is_next)
    }

    /// Whether a record may move from one stage to another.
    pub fn allows(&self, from: &str, to: &str) -> bool {
        match &self.transitions {
            None => true,
            Some(transitions) => transitions.get(from).is_some_and(|next| next.iter().any(|name| name.as_str() == to)),
        }
    }
}

fn read_categories(reader: &mut SpecReader<'_>) -> IndexMap<Name, Category> {
    let mut categories = IndexMap::new();
    let Some(map) = reader.map("categories") else { return categories };
    let pointer = reader.pointer_of("categories");
    for (name, spec, at) in named_entries(map, &pointer, reader.problems()) {
        if CATEGORIES.iter().any(|(known, _)| *known == name.as_str()) {
            let message = format!("`{name}` is a category of every pipeline; choose another name");
            reader.problems().push(Problem::new(at, "reserved", message));
            continue;
        }
        let category = match spec {
            Value::String(label) => Some(Category { label: label.clone(), has_ended: false }),
            spec => read_category(&name, spec, &at, reader.problems()),
        };
        categories.extend(category.map(|category| (name, category)));
    }
    categories
}

fn read_category(name: &Name, spec: &Value, at: &str, problems: &mut Problems) -> Option<Category> {
    let mut reader = SpecReader::new(spec, at, problems)?;
    let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
    let has_ended = reader.boolean("ended").unwrap_or(false);
    reader.finish();
    Some(Category { label, has_ended })
}

/// What it names, and of which type that is, is checked with the object.
fn read_defaults(reader: &mut SpecReader<'_>) -> IndexMap<Name, Value> {
    let Some(map) = reader.map("defaults") else { return IndexMap::new() };
    let pointer = reader.pointer_of("defaults");
    let entries = named_entries(map, &pointer, reader.problems()).into_iter();
    entries.filter(|(_, value, _)| !value.is_null()).map(|(name, value, _)| (name, value.clone())).collect()
}

fn read_stages(reader: &mut SpecReader<'_>, categories: &IndexMap<Name, Category>) -> IndexMap<Name, Stage> {
    let mut stages = IndexMap::new();
    let Some(written) = reader.value("stages") else {
        reader.missing("stages");
        return stages;
    };
    let pointer = reader.pointer_of("stages");
    // The admin API gives stages as a list of objects with `name`; packs write a map in order.
    let listed: Map<String, Value> = match written {
        Value::Object(map) => map.clone(),
        Value::Array(list) => {
            list.iter().filter_map(|stage| Some((stage.get("name")?.as_str()?.to_owned(), stage.clone()))).collect()
        }
        _ => Map::new(),
    };
    if listed.is_empty() || written.as_array().is_some_and(|list| list.len() != listed.len()) {
        reader.problem("stages", "invalid", "at least one stage is expected, each with a name of its own");
        return stages;
    }
    for (name, spec, at) in named_entries(&listed, &pointer, reader.problems()) {
        if let Some(stage) = read_stage(name.clone(), spec, categories, &at, reader.problems()) {
            stages.insert(name, stage);
        }
    }
    stages
}

fn read_stage(
    name: Name,
    spec: &Value,
    categories: &IndexMap<Name, Category>,
    at: &str,
    problems: &mut Problems,
) -> Option<Stage> {
    if let Value::String(label) = spec {
        let (label, category) = (label.clone(), StageCategory::Open);
        let (requires, rules) = (Vec::new(), Vec::new());
        return Some(Stage { name, label, category, probability: None, requires, rules, color: None, archived: false });
    }
    let mut reader = SpecReader::new(spec, at, problems)?;
    reader.value("name");
    let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
    let category = read_type(&mut reader, categories);
    let probability = reader.count("probability");
    if probability.is_some_and(|percent| percent > 100) {
        reader.problem("probability", "too_large", "a probability is a percentage from 0 to 100");
    }
    let requires = reader.names("requires").unwrap_or_default();
    let rules = read_rules(&mut reader);
    let color = reader.string("color").map(str::to_owned);
    let archived = reader.boolean("archived").unwrap_or(false);
    reader.finish();
    let probability = probability.and_then(|percent| u8::try_from(percent).ok());
    Some(Stage { name, label, category, probability, requires, rules, color, archived })
}

fn read_type(reader: &mut SpecReader<'_>, categories: &IndexMap<Name, Category>) -> StageCategory {
    let Some(text) = reader.string("type") else { return StageCategory::Open };
    if let Some((_, category)) = CATEGORIES.into_iter().find(|(name, _)| *name == text) {
        return category;
    }
    if let Some((name, category)) = categories.get_key_value(text) {
        return StageCategory::Own { name: name.clone(), has_ended: category.has_ended };
    }
    let known: Vec<&str> =
        CATEGORIES.iter().map(|(name, _)| *name).chain(categories.keys().map(Name::as_str)).collect();
    let hint = did_you_mean(text, known.iter().copied());
    reader.problem("type", "unknown", format!("`{text}` is none of {}{hint}", known.join(", ")));
    StageCategory::Open
}

fn read_rules(reader: &mut SpecReader<'_>) -> Vec<Rule> {
    let list = reader.list("rules").map(Vec::as_slice).unwrap_or_default();
    let pointer = reader.pointer_of("rules");
    let mut rules = Vec::with_capacity(list.len());
    for (index, spec) in list.iter().enumerate() {
        let Some(mut reader) = SpecReader::new(spec, &format!("{pointer}/{index}"), reader.problems()) else {
            continue;
        };
        if spec.get("rule").is_none_or(Value::is_null) {
            reader.missing("rule");
        }
        rules.extend(Rule::read(&mut reader, "the record may not enter this stage yet"));
        reader.finish();
    }
    rules
}

fn read_transitions(reader: &mut SpecReader<'_>, stages: &IndexMap<Name, Stage>) -> Option<IndexMap<Name, Vec<Name>>> {
    let map = reader.map("transitions")?;
    let pointer = reader.pointer_of("transitions");
    let mut transitions = IndexMap::new();
    for (from, next, at) in named_entries(map, &pointer, reader.problems()) {
        let unknown = |stage: &Name, at: &str| {
            let hint = did_you_mean(stage, stages.keys().map(Name::as_str));
            let message = format!("`{stage}` is no stage of this pipeline{hint}");
            (!stages.contains_key(stage.as_str())).then(|| Problem::new(at, "unknown", message))
        };
        let no_list = |at: &str| Problem::new(at, "wrong_type", format!("`{from}` leads to a list of stages"));
        let mut targets = Vec::new();
        for (index, to) in next.as_array().into_iter().flatten().enumerate() {
            let at = format!("{at}/{index}");
            match to.as_str().map(Name::new) {
                Some(Ok(to)) => {
                    reader.problems().extend(unknown(&to, &at));
                    targets.push(to);
                }
                _ => reader.problems().push(no_list(&at)),
            }
        }
        if !next.is_array() {
            reader.problems().push(no_list(&at));
        }
        reader.problems().extend(unknown(&from, &at));
        transitions.insert(from, targets);
    }
    Some(transitions)
}
