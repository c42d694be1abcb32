//! What a behavior names, looked up among the definitions.

use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::{Behavior, Section};
use crate::TenantId;
use crate::access::{Reach, Rights};
use crate::association::AssociationDefinition;
use crate::expression::{Expression, Types, check_condition};
use crate::json::read_as_far;
use crate::name::{Name, did_you_mean};
use crate::object::{ObjectDefinition, SYSTEM_FIELDS};
use crate::problem::{Problem, Problems};
use crate::property::{Locale, Property};
use crate::query::{Filter, Mention, QueryText, ResolveContext, mentions, resolve};
use crate::registry::Registry;
use crate::template::Template;
use crate::time::Timestamp;

/// What has been looked up so far.
pub(crate) struct Names<'a> {
    registry: &'a Registry,
    /// With whose rights it is looked; what these do not show is as if it were not there.
    rights: Option<&'a Rights>,
    /// Where the behavior stands.
    base: String,
    pub(crate) named: Vec<Mention>,
    pub(crate) problems: Problems,
}

impl<'a> Names<'a> {
    pub(super) fn new(registry: &'a Registry, base: String) -> Self {
        Self { registry, rights: None, base, named: Vec::new(), problems: Problems::new() }
    }

    pub(super) fn seen_by(self, rights: &'a Rights) -> Self {
        Self { rights: Some(rights), ..self }
    }

    fn sees(&self, object: &ObjectDefinition, property: &Property) -> bool {
        self.rights.is_none_or(|rights| rights.reads(self.registry, object, property))
    }

    /// Tells that something at `at`, a pointer within the behavior, is wrong.
    pub(super) fn problem(&mut self, at: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(format!("{}{at}", self.base), code, message));
    }

    /// The names of what packs define in a section.
    pub(super) fn behaviors(&self, section: Section) -> Vec<&'a str> {
        self.registry.behaviors.keys().filter(|key| key.0 == section).map(|key| key.1.as_str()).collect()
    }

    /// Whether an object has the assessments of more than one score.
    pub(super) fn is_assessed_elsewhere(&self, object: &str) -> bool {
        let scores = self.registry.behaviors.values().filter_map(Behavior::score);
        scores.filter(|score| score.assessments.object == object).nth(1).is_some()
    }

    fn put(&mut self, object: &Name, property: &Name, at: &str) {
        let pointer = format!("{}{at}", self.base);
        self.named.push(Mention { object: object.clone(), property: property.clone(), pointer });
    }

    /// The object of that name.
    pub(super) fn object(&mut self, name: &str, at: &str) -> Option<&'a ObjectDefinition> {
        let active = || self.registry.objects.values().filter(|object| !object.archived);
        let found = active().find(|object| object.name.as_str() == name);
        // Why one that is declared cannot stand has been told.
        if found.is_none() && !self.registry.unread.contains(name) {
            let what = match self.registry.objects.contains_key(name) {
                true => format!("the object `{name}` is archived"),
                false => format!(
                    "there is no object `{name}`{}",
                    did_you_mean(name, active().map(|object| object.name.as_str()))
                ),
            };
            self.problem(at, "unknown", what);
        }
        found
    }

    /// The association of that name.
    pub(super) fn association(&mut self, name: &str, at: &str) -> Option<&'a AssociationDefinition> {
        let active = || self.registry.associations.values().filter(|association| !association.archived);
        let found = active().find(|association| association.name.as_str() == name);
        if found.is_none() {
            let hint = did_you_mean(name, active().map(|association| association.name.as_str()));
            self.problem(at, "unknown", format!("there is no association `{name}`{hint}"));
        }
        found
    }

    /// The JSON Schema fragment of that name.
    pub(super) fn schema(&mut self, name: &str, at: &str) {
        if !self.registry.schemas.contains_key(name) {
            let hint = did_you_mean(name, self.registry.schemas.keys().map(Name::as_str));
            self.problem(at, "unknown", format!("there is no schema `{name}`{hint}"));
        }
    }

    /// The object's property of that name.
    pub(super) fn property(&mut self, object: &'a ObjectDefinition, name: &str, at: &str) -> Option<&'a Property> {
        let found = object.property_called(name).filter(|property| self.sees(object, property));
        match found {
            Some(property) => self.put(&object.name, &property.name, at),
            None => {
                let message = match object.properties.get(name).is_some_and(|property| property.archived) {
                    true => format!("`{}.{name}` is archived", object.name),
                    false => {
                        let hint = object.property_hint(name, |property| self.sees(object, property));
                        format!("`{name}` is no property of `{}`{hint}", object.name)
                    }
                };
                self.problem(at, "unknown", message);
            }
        }
        found
    }

    /// A property, or a field that every record has; the property, if it is one.
    pub(super) fn field(&mut self, object: &'a ObjectDefinition, name: &str, at: &str) -> Option<&'a Property> {
        if object.property_called(name).is_none() && SYSTEM_FIELDS.contains(&name) && name != "properties" {
            return None;
        }
        self.property(object, name, at)
    }

    /// The stage of that name in some pipeline of the object, or in this one.
    pub(super) fn stage(&mut self, object: &ObjectDefinition, pipeline: Option<&str>, name: &str, at: &str) {
        let pipelines = || {
            let all = self.registry.active_pipelines(&object.name);
            all.filter(|found| pipeline.is_none_or(|name| found.name.as_str() == name))
        };
        let stages = || pipelines().flat_map(|pipeline| pipeline.stages.keys()).map(Name::as_str);
        if !stages().any(|stage| stage == name) {
            let message = format!("`{}` has no stage `{name}`{}", object.name, did_you_mean(name, stages()));
            self.problem(at, "unknown", message);
        }
    }

    /// The object's pipeline of that name.
    pub(super) fn pipeline(&mut self, object: &ObjectDefinition, name: &str, at: &str) {
        let names = || self.registry.active_pipelines(&object.name).map(|pipeline| pipeline.name.as_str());
        if !names().any(|found| found == name) {
            let message = format!("`{}` has no pipeline `{name}`{}", object.name, did_you_mean(name, names()));
            self.problem(at, "unknown", message);
        }
    }

    /// A condition over a record.
    pub(super) fn condition(&mut self, object: &'a ObjectDefinition, source: &str, at: &str) {
        match Expression::compile(source) {
            Ok(expression) => {
                // What was renamed goes on under its old name, as in searches.
                let once = object.properties.values().flat_map(|property| property.former_names().map(Name::as_str));
                let types = Types::of(&object.properties).and(SYSTEM_FIELDS.iter().copied()).and(once);
                let pointer = format!("{}{at}", self.base);
                self.problems.extend(check_condition(&expression, &types).into_iter().map(|found| found.at(&pointer)));
                self.read_by(object, expression.names(), at);
            }
            Err(error) => self.problem(at, "invalid_expression", error.to_string()),
        }
    }

    /// A text with properties of a record in it.
    pub(super) fn template(&mut self, object: Option<&'a ObjectDefinition>, source: &str, at: &str) {
        match (Template::compile(source), object) {
            (Ok(template), Some(object)) => {
                for name in template.names() {
                    self.field(object, name, at);
                }
            }
            (Ok(_), None) => {}
            (Err(error), _) => self.problem(at, "invalid", error.message),
        }
    }

    fn read_by<'n>(&mut self, object: &ObjectDefinition, names: impl Iterator<Item = &'n str>, at: &str) {
        let properties: Vec<&Property> = names.filter_map(|name| object.property_called(name)).collect();
        properties.iter().for_each(|property| self.put(&object.name, &property.name, at));
    }

    /// A search of the object's records; `places` says where its members stand within the behavior.
    pub(super) fn query(&mut self, object: &'a ObjectDefinition, query: Map<String, Value>, places: &[(&str, &str)]) {
        let place = |pointer: &str| {
            let found = places.iter().find_map(|(from, to)| Some(format!("{to}{}", pointer.strip_prefix(from)?)));
            found.unwrap_or_else(|| pointer.to_owned())
        };
        let told = |names: &mut Self, problems: Problems| {
            let base = names.base.clone();
            names.problems.extend(
                problems
                    .into_iter()
                    .map(|problem| Problem { pointer: format!("{base}{}", place(&problem.pointer)), ..problem }),
            );
        };
        let raw = match serde_json::value::to_raw_value(&query) {
            Ok(raw) => raw,
            Err(error) => return self.problem("", "invalid", error.to_string()),
        };
        let (text, malformed) = read_as_far::<QueryText>(&raw);
        told(self, malformed);
        let Some(text) = text else { return };
        for mention in mentions(&text, object, self.registry) {
            self.put(&mention.object, &mention.property, &place(&mention.pointer));
        }
        let locale = Locale::default();
        let rights = self.rights;
        let may_read = |object: &str| rights.is_none_or(|rights| rights.grants(object).read != Reach::NONE);
        let may_see = |object: &ObjectDefinition, property: &Property| {
            rights.is_none_or(|rights| rights.reads(self.registry, object, property))
        };
        let context = ResolveContext {
            tenant: TenantId(0),
            registry: self.registry,
            now: Timestamp(0),
            zone: Tz::UTC,
            locale: &locale,
            readable: &|object| may_read(object).then(Filter::everything),
            may_see: &may_see,
            lists: None,
            formerly: None,
        };
        let resolved = resolve(&text, &[object], &context);
        if let Err(problems) = resolved {
            told(self, problems);
        }
    }
}
