//! Scores: which records are criteria, which are answers to them, and which play which part in one.

use indexmap::IndexMap;

use super::Names;
use crate::association::{AssociationDefinition, Target};
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, push_segment};
use crate::property::{Property, Storage};
use crate::spec::{SpecReader, named_entries, shape};

/// What says who answered a criterion.
pub const BY: [&str; 2] = ["person", "rule"];

/// What became of an answer that somebody looked at.
pub const REVIEWS: [&str; 3] = ["pending", "accepted", "rejected"];

/// How well records do by criteria, alone or each for another record.
#[derive(Debug, Clone)]
pub struct Score {
    /// What it says, for people.
    pub description: Option<String>,
    /// What is asked.
    pub criteria: Criteria,
    /// What was answered.
    pub assessments: Assessments,
    /// By object, the property of a subject that takes its total.
    pub totals: IndexMap<Name, Name>,
}

/// The records that are criteria.
#[derive(Debug, Clone)]
pub struct Criteria {
    /// Their object.
    pub object: String,
    /// The text with the expression that answers one.
    pub expression: Name,
    /// The number that says how much one counts.
    pub weight: Name,
    /// Whether one is in use; each is where there is no such property.
    pub active: Option<Name>,
    /// The association that leads to the record that one is asked for alone.
    pub counterpart: Option<Name>,
}

/// The records that are answers: one for each time that a criterion was answered, and one without a criterion for each
/// total.
#[derive(Debug, Clone)]
pub struct Assessments {
    /// Their object.
    pub object: String,
    /// The integer from 0 to 100; no value where a criterion has no answer.
    pub score: Name,
    /// The text that says why.
    pub rationale: Name,
    /// The datetime at which it was answered.
    pub at: Name,
    /// The enum that says whether a person answered, or a rule.
    pub by: Name,
    /// The user who did.
    pub user: Name,
    /// The enum that says what became of it.
    pub review: Name,
    /// The boolean that says whether it is the one that stands.
    pub current: Name,
    /// The unique string that says what it answers as long as it stands, so that two never do.
    pub key: Name,
    /// The association that leads to the criterion.
    pub criterion: Name,
    /// The association that leads to the record that was assessed.
    pub subject: Name,
    /// The association that leads to the record that it was assessed for.
    pub counterpart: Option<Name>,
}

impl Score {
    pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Self> {
        let description = reader.string("description").map(str::to_owned);
        let criteria = part(reader, "criteria").and_then(Criteria::read);
        let assessments = part(reader, "assessments").and_then(Assessments::read);
        let totals = read_totals(reader);
        let (criteria, assessments) = (criteria?, assessments?);
        let lacking = match (&criteria.counterpart, &assessments.counterpart) {
            (Some(_), None) => Some("assessments"),
            (None, Some(_)) => Some("criteria"),
            (Some(_), Some(_)) | (None, None) => None,
        };
        if let Some(part) = lacking {
            let pointer = push_segment(&reader.pointer_of(part), "for");
            let message = "criteria and assessments are both for another record, or neither is";
            reader.problems().push(Problem::new(pointer, "required", message));
        }
        Some(Self { description, criteria, assessments, totals })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        let criteria = names.object(&self.criteria.object, "/criteria/object");
        let assessments = names.object(&self.assessments.object, "/assessments/object");
        if let Some(object) = criteria {
            self.criteria.look_up(object, names);
        }
        let Some(object) = assessments else { return };
        self.assessments.look_up(object, names);
        self.look_up_links(object, criteria, names);
        if names.is_assessed_elsewhere(&self.assessments.object) {
            let message = format!("`{}` has the assessments of another score; each has its own", object.name);
            names.problem("/assessments/object", "taken", message);
        }
    }

    /// Where links of assessments and criteria lead, and what of their subjects takes totals.
    fn look_up_links<'a>(
        &self,
        assessments: &'a ObjectDefinition,
        criteria: Option<&'a ObjectDefinition>,
        names: &mut Names<'a>,
    ) {
        let Assessments { criterion, subject, counterpart, .. } = &self.assessments;
        let criterion = leading(assessments, criterion, "/assessments/criterion", names);
        if let Some((association, object)) = criterion.zip(criteria)
            && !association.to.accepts(&object.name)
        {
            let message = format!("`{}` does not lead to `{}`", association.name, object.name);
            names.problem("/assessments/criterion", "not_applicable", message);
        }
        let subject = leading(assessments, subject, "/assessments/subject", names);
        let of_assessments =
            counterpart.as_ref().and_then(|name| leading(assessments, name, "/assessments/for", names));
        let of_criteria = self.criteria.counterpart.as_ref().zip(criteria);
        let of_criteria = of_criteria.and_then(|(name, object)| leading(object, name, "/criteria/for", names));
        if let Some((one, other)) = of_assessments.zip(of_criteria)
            && !leads_alike(&one.to, &other.to)
        {
            let message = format!("`{}` leads elsewhere than `{}`", other.name, one.name);
            names.problem("/criteria/for", "not_applicable", message);
        }
        for (object, property) in &self.totals {
            let at = push_segment("/totals", object);
            let Some(found) = names.object(object, &at) else { continue };
            if subject.is_some_and(|subject| !subject.to.accepts(object)) {
                names.problem(&at, "not_applicable", format!("records of `{object}` are not assessed by this score"));
            }
            optional(found, property, &at, "integer", names, |property| property.kind.name() == "integer");
        }
    }
}

impl Criteria {
    fn read(mut reader: SpecReader<'_>) -> Option<Self> {
        let object = required(&mut reader, "object");
        let (expression, weight) = (required(&mut reader, "expression"), required(&mut reader, "weight"));
        let (active, counterpart) = (reader.name("active"), reader.name("for"));
        reader.finish();
        Some(Self { object: object?.to_string(), expression: expression?, weight: weight?, active, counterpart })
    }

    fn look_up<'a>(&self, object: &'a ObjectDefinition, names: &mut Names<'a>) {
        let is_text = |property: &Property| matches!(property.kind.name(), "string" | "text");
        let is_number = |property: &Property| matches!(property.kind.storage(), Storage::Scaled(_));
        let is_switch = |property: &Property| property.kind.storage() == Storage::Boolean;
        typed(object, &self.expression, "/criteria/expression", "a string or a text", names, is_text);
        typed(object, &self.weight, "/criteria/weight", "a number", names, is_number);
        if let Some(active) = &self.active {
            typed(object, active, "/criteria/active", "boolean", names, is_switch);
        }
    }
}

impl Assessments {
    /// The properties that say what was answered.
    pub fn properties(&self) -> [&Name; 8] {
        let Self { score, rationale, at, by, user, review, current, key, .. } = self;
        [score, rationale, at, by, user, review, current, key]
    }

    /// The associations that say what was asked, and of which record.
    pub fn links(&self) -> impl Iterator<Item = &Name> {
        [Some(&self.criterion), Some(&self.subject), self.counterpart.as_ref()].into_iter().flatten()
    }

    fn read(mut reader: SpecReader<'_>) -> Option<Self> {
        let mut name = |key| required(&mut reader, key);
        let (object, score, rationale, at) = (name("object"), name("score"), name("rationale"), name("at"));
        let (by, user, review) = (name("by"), name("user"), name("review"));
        let (current, key, criterion, subject) = (name("current"), name("key"), name("criterion"), name("subject"));
        let counterpart = reader.name("for");
        reader.finish();
        Some(Self {
            object: object?.to_string(),
            score: score?,
            rationale: rationale?,
            at: at?,
            by: by?,
            user: user?,
            review: review?,
            current: current?,
            key: key?,
            criterion: criterion?,
            subject: subject?,
            counterpart,
        })
    }

    fn look_up<'a>(&self, object: &'a ObjectDefinition, names: &mut Names<'a>) {
        let of_kind = |kind: &'static str| move |property: &Property| property.kind.name() == kind;
        let at = |key: &str| push_segment("/assessments", key);
        let is_long = |property: &Property| property.kind.storage() == Storage::LongText;
        optional(object, &self.score, &at("score"), "integer", names, of_kind("integer"));
        typed(object, &self.rationale, &at("rationale"), "text", names, is_long);
        typed(object, &self.at, &at("at"), "datetime", names, of_kind("datetime"));
        optional(object, &self.user, &at("user"), "user", names, of_kind("user"));
        typed(object, &self.current, &at("current"), "boolean", names, of_kind("boolean"));
        for (key, name, options) in [("by", &self.by, &BY[..]), ("review", &self.review, &REVIEWS)] {
            let found = typed(object, name, &at(key), "enum", names, of_kind("enum"));
            let has = |property: &Property, option: &str| {
                property.kind.options().iter().any(|known| known.key == option && !known.archived)
            };
            let lacking = options.iter().find(|option| found.is_some_and(|property| !has(property, option)));
            if let Some(option) = lacking {
                let message = format!("`{name}` needs the options {}; `{option}` is missing", options.join(", "));
                names.problem(&at(key), "not_applicable", message);
            }
        }
        let key = optional(object, &self.key, &at("key"), "string", names, of_kind("string"));
        if key.is_some_and(|property| !property.unique) {
            let message = format!("`{}` must be unique, so that two answers to the same never both stand", self.key);
            names.problem(&at("key"), "not_applicable", message);
        }
    }
}

/// The members of a part.
fn part<'r>(reader: &'r mut SpecReader<'_>, key: &'static str) -> Option<SpecReader<'r>> {
    if reader.value(key).is_none() {
        reader.missing(key);
    }
    let map = reader.map(key)?;
    let at = reader.pointer_of(key);
    Some(SpecReader::of_map(map, &at, reader.problems()))
}

fn required(reader: &mut SpecReader<'_>, key: &'static str) -> Option<Name> {
    if reader.value(key).is_none() {
        reader.missing(key);
    }
    reader.name(key)
}

fn read_totals(reader: &mut SpecReader<'_>) -> IndexMap<Name, Name> {
    let Some(map) = reader.map("totals") else { return IndexMap::new() };
    let pointer = reader.pointer_of("totals");
    let mut totals = IndexMap::new();
    for (object, value, at) in named_entries(map, &pointer, reader.problems()) {
        let property = match value.as_str() {
            Some(text) => Name::new(text).map_err(|error| ("invalid_name", error.to_string())),
            None => Err(("wrong_type", format!("the name of a property is expected, not {}", shape(value)))),
        };
        match property {
            Ok(property) => drop(totals.insert(object, property)),
            Err((code, message)) => reader.problems().push(Problem::new(at, code, message)),
        }
    }
    totals
}

/// A property of the type that its part takes.
fn typed<'a>(
    object: &'a ObjectDefinition,
    name: &str,
    at: &str,
    wanted: &str,
    names: &mut Names<'a>,
    takes: impl Fn(&Property) -> bool,
) -> Option<&'a Property> {
    let property = names.property(object, name, at)?;
    if takes(property) {
        return Some(property);
    }
    let message = format!("`{name}` is of type {}; this takes {wanted}", property.kind.name());
    names.problem(at, "not_applicable", message);
    None
}

/// The same of one that the score leaves without a value at times.
fn optional<'a>(
    object: &'a ObjectDefinition,
    name: &str,
    at: &str,
    wanted: &str,
    names: &mut Names<'a>,
    takes: impl Fn(&Property) -> bool,
) -> Option<&'a Property> {
    let property = typed(object, name, at, wanted, names, takes)?;
    if property.required {
        let message = format!("`{name}` cannot be required: the score leaves it without a value at times");
        names.problem(at, "not_applicable", message);
    }
    Some(property)
}

/// An association whose links start at records of the object.
fn leading<'a>(
    object: &ObjectDefinition,
    name: &str,
    at: &str,
    names: &mut Names<'a>,
) -> Option<&'a AssociationDefinition> {
    let association = names.association(name, at)?;
    if association.from == object.name {
        return Some(association);
    }
    let message = format!("`{name}` leads from `{}`, and not from `{}`", association.from, object.name);
    names.problem(at, "not_applicable", message);
    None
}

fn leads_alike(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (Target::Any, Target::Any) => true,
        (Target::Objects(one), Target::Objects(other)) => {
            one.iter().all(|name| other.contains(name)) && other.iter().all(|name| one.contains(name))
        }
        (Target::Any, Target::Objects(_)) | (Target::Objects(_), Target::Any) => false,
    }
}
