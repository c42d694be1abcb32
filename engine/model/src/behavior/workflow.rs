//! Workflows: what is done when something changes, or from time to time.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::Names;
use crate::association::AssociationDefinition;
use crate::name::did_you_mean;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Locale, Property, Storage, normalize_value};
use crate::query::is_relative_moment;
use crate::spec::{SpecReader, shape};

/// What happens to records and links by itself; whatever else has a dot in its name is a business event of a pack.
const EVENTS: [&str; 12] = [
    "record.created",
    "record.updated",
    "record.archived",
    "record.restored",
    "record.merged",
    "association.created",
    "association.removed",
    "stage.changed",
    "owner.claimed",
    "owner.released",
    "segment.joined",
    "segment.left",
];

/// What each event can be narrowed by.
const NARROWED: [(&str, &str); 5] = [
    ("changed", "record.updated"),
    ("pipeline", "stage.changed"),
    ("from", "stage.changed"),
    ("to", "stage.changed"),
    ("association", "association."),
];

/// Most actions of one workflow.
const MAX_ACTIONS: usize = 50;

/// What is done when something changes, or from time to time.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// When it begins.
    pub trigger: Trigger,
    /// What the record must meet; CEL.
    pub condition: Option<String>,
    /// What is done, in order.
    pub effects: Vec<Effect>,
}

/// When a workflow begins.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// Something happened.
    Event {
        /// `record.updated`, `stage.changed`, or a business event.
        event: String,
        /// The object whose record it happened to; any where there is none.
        object: Option<String>,
        /// Only changes of one of these properties.
        changed: Vec<String>,
        /// Only in this pipeline.
        pipeline: Option<String>,
        /// Only from this stage.
        from: Option<String>,
        /// Only to this stage.
        to: Option<String>,
        /// Only links of this association.
        association: Option<String>,
    },
    /// Time has passed.
    Every {
        /// Seconds between two runs.
        seconds: u64,
        /// The object whose records it looks at.
        object: Option<String>,
        /// Which of them, as in a search.
        filter: Option<Value>,
    },
}

/// One action of a workflow.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Makes a record of an object, linked with the one that set it off.
    Create {
        /// The object.
        object: String,
        /// Values, and templates over the record that set it off.
        properties: Map<String, Value>,
        /// The association of the link.
        link: Option<String>,
    },
    /// Changes the record that set it off.
    Update {
        /// Values, and templates over the record.
        properties: Map<String, Value>,
    },
    /// Archives the record that set it off.
    Archive,
}

impl Workflow {
    pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Self> {
        let trigger = match reader.value("when") {
            None => {
                reader.missing("when");
                None
            }
            Some(written) => {
                let at = reader.pointer_of("when");
                Trigger::read(written, &at, reader.problems())
            }
        };
        let condition = reader.string("if").map(str::to_owned);
        let is_listed = reader.value("do").is_some();
        let listed = reader.list("do").map_or(&[][..], Vec::as_slice);
        if !is_listed || listed.len() > MAX_ACTIONS {
            let code = if is_listed { "too_many" } else { "required" };
            reader.problem("do", code, format!("`do` lists what is done, at most {MAX_ACTIONS} actions"));
        }
        let pointer = reader.pointer_of("do");
        let actions = listed.iter().enumerate();
        let effects = actions
            .filter_map(|(index, written)| Effect::read(written, &format!("{pointer}/{index}"), reader.problems()));
        let effects = effects.collect();
        Some(Self { trigger: trigger?, condition, effects })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        let object = self.trigger.look_up(names);
        if let Some(condition) = &self.condition {
            match (object, self.trigger.object()) {
                (Some(object), _) => names.condition(object, condition, "/if"),
                (None, None) => {
                    names.problem("/if", "not_applicable", "say in `when` whose records these are: `object`")
                }
                (None, Some(_)) => {}
            }
        }
        for (index, effect) in self.effects.iter().enumerate() {
            effect.look_up(object, self.trigger.object().is_some(), &format!("/do/{index}"), names);
        }
    }
}

impl Trigger {
    fn object(&self) -> Option<&str> {
        match self {
            Self::Event { object, .. } | Self::Every { object, .. } => object.as_deref(),
        }
    }

    fn read(written: &Value, at: &str, problems: &mut Problems) -> Option<Self> {
        let mut reader = SpecReader::new(written, at, problems)?;
        let event = reader.string("event").map(str::to_owned);
        let every = reader.string("every").map(str::to_owned);
        let object = reader.string("object").map(str::to_owned);
        let filter = reader.value("filter").cloned();
        let changed = reader.strings("changed").unwrap_or_default().into_iter().map(str::to_owned).collect();
        let [pipeline, from, to, association] =
            ["pipeline", "from", "to", "association"].map(|key| reader.string(key).map(str::to_owned));
        for (key, of) in NARROWED {
            let is_given = reader.value(key).is_some();
            if is_given && !event.as_ref().is_some_and(|event| event.starts_with(of)) {
                reader.problem(key, "not_applicable", format!("only `{}` has `{key}`", of.trim_end_matches('.')));
            }
        }
        let trigger = match (event, every) {
            (Some(event), None) => {
                check_event(&event, &mut reader);
                if filter.is_some() {
                    reader.problem("filter", "not_applicable", "what the record must meet stands in `if`");
                }
                Some(Self::Event { event, object, changed, pipeline, from, to, association })
            }
            (None, Some(every)) => {
                let seconds = seconds(&every);
                if seconds.is_none() {
                    let message = format!("`{every}` is no time of at least a minute such as 15min, 6h, 1d or 1w");
                    reader.problem("every", "invalid", message);
                }
                if filter.is_some() && object.is_none() {
                    reader.problem("object", "required", "say whose records the filter asks: `object`");
                }
                seconds.map(|seconds| Self::Every { seconds, object, filter })
            }
            (Some(_), Some(_)) => {
                reader.problem("every", "not_applicable", "a workflow begins with an event or by the clock, not both");
                None
            }
            (None, None) => {
                if reader.value("event").is_none() && reader.value("every").is_none() {
                    reader.missing("event");
                }
                None
            }
        };
        reader.finish();
        trigger
    }

    /// The object whose records set it off.
    fn look_up<'a>(&self, names: &mut Names<'a>) -> Option<&'a ObjectDefinition> {
        let object = self.object().and_then(|object| names.object(object, "/when/object"));
        match self {
            Self::Every { filter, .. } => {
                if let (Some(object), Some(filter)) = (object, filter) {
                    let query = Map::from_iter([("filter".to_owned(), filter.clone())]);
                    names.query(object, query, &[("", "/when")]);
                }
            }
            Self::Event { changed, pipeline, from, to, association, .. } => {
                if let Some(association) = association {
                    names.association(association, "/when/association");
                }
                let object = object?;
                for (index, property) in changed.iter().enumerate() {
                    names.property(object, property, &format!("/when/changed/{index}"));
                }
                if let Some(pipeline) = pipeline {
                    names.pipeline(object, pipeline, "/when/pipeline");
                }
                for (key, stage) in [("from", from), ("to", to)] {
                    if let Some(stage) = stage {
                        names.stage(object, pipeline.as_deref(), stage, &format!("/when/{key}"));
                    }
                }
            }
        }
        object
    }
}

fn check_event(event: &str, reader: &mut SpecReader<'_>) {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let is_own = ["record.", "association.", "stage.", "owner.", "segment.", "metadata."]
        .iter()
        .any(|prefix| event.starts_with(prefix));
    let is_business_event = event.contains('.') && event.split('.').all(is_word) && event.len() <= 128;
    if !EVENTS.contains(&event) && (is_own || !is_business_event) {
        let message = format!("`{event}` is no event{}", did_you_mean(event, EVENTS));
        reader.problem("event", "unknown", message);
    }
}

/// The seconds of a time such as `15min`.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    u64::from_str(number).ok()?.checked_mul(unit).filter(|seconds| (60..=366 * 86_400).contains(seconds))
}

impl Effect {
    fn read(written: &Value, at: &str, problems: &mut Problems) -> Option<Self> {
        let mut reader = SpecReader::new(written, at, problems)?;
        let create = reader.string("create").map(str::to_owned);
        let [update, archive] = ["update", "archive"].map(|action| {
            let given = reader.string(action);
            if given.is_some_and(|target| target != "record") {
                let message = format!("only the record itself can be meant: write `{action}: record`");
                reader.problem(action, "unknown", message);
            }
            given.is_some()
        });
        let properties = reader.map("properties").cloned();
        let link = reader.string("link").map(str::to_owned);
        if link.is_some() && create.is_none() {
            reader.problem("link", "not_applicable", "only a record that is made is linked: `create`");
        }
        if archive && properties.is_some() {
            reader.problem("properties", "not_applicable", "what is archived is not changed: use `update` before it");
        }
        let properties = properties.unwrap_or_default();
        let effect = match (create, update, archive) {
            (Some(object), false, false) => Some(Self::Create { object, properties, link }),
            (None, true, false) => {
                if properties.is_empty() {
                    reader.problem("properties", "required", "`properties` says what changes");
                }
                Some(Self::Update { properties })
            }
            (None, false, true) => Some(Self::Archive),
            (None, false, false) => {
                let hint = written.as_object().into_iter().flat_map(Map::keys);
                let actions = ["create", "update", "archive"];
                let hint = hint.map(|key| did_you_mean(key, actions)).find(|hint| !hint.is_empty()).unwrap_or_default();
                let pointer = reader.pointer().to_owned();
                let message = format!("one of {} is expected{hint}", actions.join(", "));
                reader.problems().push(Problem::new(pointer, "required", message));
                None
            }
            _ => {
                let pointer = reader.pointer().to_owned();
                let message = "one action is expected, not several: make a list of them";
                reader.problems().push(Problem::new(pointer, "not_applicable", message));
                None
            }
        };
        reader.finish();
        effect
    }

    /// `is_named`: the workflow says whose records set it off, whether they exist or not.
    fn look_up<'a>(&self, source: Option<&'a ObjectDefinition>, is_named: bool, at: &str, names: &mut Names<'a>) {
        match self {
            Self::Create { object, properties, link } => {
                let made = names.object(object, &format!("{at}/create"));
                if let Some(made) = made {
                    check_values(made, source, properties, at, names);
                }
                let Some(link) = link else { return };
                let at = format!("{at}/link");
                let association = names.association(link, &at);
                if let (Some(association), Some(made), Some(source)) = (association, made, source)
                    && !joins(association, made, source)
                {
                    let message = format!("`{link}` does not link `{}` with `{}`", made.name, source.name);
                    names.problem(&at, "not_applicable", message);
                }
            }
            Self::Update { properties } => match source {
                Some(source) => check_values(source, Some(source), properties, at, names),
                None if is_named => {}
                None => names.problem(at, "not_applicable", "say in `when` whose records these are: `object`"),
            },
            Self::Archive if source.is_none() && !is_named => {
                names.problem(at, "not_applicable", "say in `when` whose records these are: `object`");
            }
            Self::Archive => {}
        }
    }
}

fn joins(association: &AssociationDefinition, one: &ObjectDefinition, other: &ObjectDefinition) -> bool {
    let leads = |from: &ObjectDefinition, to: &ObjectDefinition| {
        association.from == from.name && association.to.accepts(&to.name)
    };
    leads(one, other) || leads(other, one)
}

/// What properties of a record of `target` are set to.
fn check_values<'a>(
    target: &'a ObjectDefinition,
    source: Option<&'a ObjectDefinition>,
    properties: &Map<String, Value>,
    at: &str,
    names: &mut Names<'a>,
) {
    for (name, value) in properties {
        let at = push_segment(&format!("{at}/properties"), name);
        let Some(property) = names.property(target, name, &at) else { continue };
        if property.kind.is_computed() {
            names.problem(&at, "read_only", format!("`{name}` is computed; nobody writes it"));
            continue;
        }
        match value {
            Value::String(text) if text.contains("{{") || text.contains("{%") => names.template(source, text, &at),
            Value::String(text) if is_day(property) && is_relative_moment(text) => {}
            Value::Null => {}
            other => {
                let faults = normalize_value(property.kind.as_ref(), other, &Locale::default()).err();
                for fault in faults.into_iter().flatten() {
                    let at = format!("{at}{}", fault.pointer);
                    names.problem(&at, fault.code, format!("{} ({})", fault.message, shape(other)));
                }
            }
        }
    }
}

fn is_day(property: &Property) -> bool {
    matches!(property.kind.storage(), Storage::Date | Storage::Datetime)
}
