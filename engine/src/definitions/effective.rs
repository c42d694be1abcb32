//! Effective definitions: layers folded and compiled.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use engine_model::behavior::{ActivityType, Score, Section};
use engine_model::layer::{CUSTOM, Layer};
use engine_model::object::ObjectDefinition;
use engine_model::registry::Registry;
use engine_model::{Name, Problems};
use indexmap::IndexMap;
use jsonschema::Validator;
use serde_json::Value;

/// What a property takes, and the part of an object that is none, with what is compiled from it: measured on the
/// shipped packs.
const PROPERTY_BYTES: usize = 1_024;

/// What layers come to. It follows from them alone, so that tenants with the same layers have the same.
#[derive(Debug)]
pub struct Effective {
    /// The definitions.
    pub registry: Registry,
    /// The layers they were folded from, the tenant's own last.
    pub layers: Vec<Arc<Layer>>,
    /// What does not read in them. Whatever is stored was checked before, so a later release reads it more strictly.
    pub problems: Problems,
    validators: IndexMap<Name, OnceLock<Option<Validator>>>,
    /// The same of the details of activities, by their types.
    details: IndexMap<Name, OnceLock<Option<Validator>>>,
    /// By object, the scores whose criteria are its records.
    criteria: HashMap<String, Vec<Name>>,
    /// By object, the scores whose answers are its records.
    assessments: HashMap<String, Vec<Name>>,
}

impl Effective {
    /// Folds layers.
    pub fn fold(layers: Vec<Arc<Layer>>) -> Self {
        let (registry, problems) = Registry::fold(&layers);
        let validators = registry.objects.keys().map(|name| (name.clone(), OnceLock::new())).collect();
        let activities = registry.behaviors.keys().filter(|(section, _)| *section == Section::Activities);
        let details = activities.map(|(_, name)| (name.clone(), OnceLock::new())).collect();
        let mut criteria: HashMap<String, Vec<Name>> = HashMap::new();
        let mut assessments: HashMap<String, Vec<Name>> = HashMap::new();
        for behavior in registry.behaviors.values() {
            if let Some(score) = behavior.score() {
                criteria.entry(score.criteria.object.clone()).or_default().push(behavior.name.clone());
                assessments.entry(score.assessments.object.clone()).or_default().push(behavior.name.clone());
            }
        }
        Self { registry, layers, problems, validators, details, criteria, assessments }
    }

    /// The compiled JSON Schema of an object's records; compiled at its first use.
    pub fn validator(&self, object: &ObjectDefinition) -> Option<&Validator> {
        let slot = self.validators.get(object.name.as_str())?;
        slot.get_or_init(|| compile(&object.name, &self.registry.json_schema(object))).as_ref()
    }

    /// The same of the details of a type of activity.
    pub fn details_validator(&self, name: &str, activity: &ActivityType) -> Option<&Validator> {
        let slot = self.details.get(name)?;
        slot.get_or_init(|| compile(name, &self.registry.json_schema_of(name, activity.details.values()))).as_ref()
    }

    /// Bytes that this takes, about.
    pub(crate) fn bytes(&self) -> u32 {
        let parts = self.registry.objects.values().map(|object| object.properties.len() + 1).sum::<usize>();
        u32::try_from(parts.saturating_mul(PROPERTY_BYTES)).unwrap_or(u32::MAX)
    }

    /// The tenant's own layer.
    pub fn own_layer(&self) -> Option<&Layer> {
        self.layers.last().map(|layer| &**layer).filter(|layer| layer.name == CUSTOM)
    }

    /// The scores whose criteria are records of an object.
    pub(crate) fn scores_by(&self, object: &str) -> impl Iterator<Item = &Score> {
        self.scores(self.criteria.get(object)).map(|(_, score)| score)
    }

    /// The scores whose answers are records of an object, by name.
    pub(crate) fn scores_answered_by(&self, object: &str) -> impl Iterator<Item = (&Name, &Score)> {
        self.scores(self.assessments.get(object))
    }

    fn scores<'a>(&'a self, names: Option<&'a Vec<Name>>) -> impl Iterator<Item = (&'a Name, &'a Score)> {
        let score =
            |name: &'a Name| Some((name, self.registry.behaviors.get(&(Section::Scores, name.clone()))?.score()?));
        names.into_iter().flatten().filter_map(score)
    }

    /// The layers of packs, below the tenant's own.
    pub(crate) fn pack_layers(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.layers.iter().filter(|layer| layer.name != CUSTOM)
    }

    /// The definitions with another own layer, and what does not read in them that did before.
    pub(crate) fn with_own_layer(&self, own: Layer) -> (Registry, Problems) {
        let own = Arc::new(own);
        let layers: Vec<_> = self.pack_layers().cloned().chain([Arc::clone(&own)]).collect();
        let (registry, mut problems) = self.refold(&layers);
        let before = self.own_layer().map(|own| self.registry.check_groups(own)).unwrap_or_default();
        problems.extend(registry.check_groups(&own).into_iter().filter(|problem| !before.contains(problem)));
        (registry, problems)
    }

    /// What other layers come to, and what does not read in them that did before.
    pub(crate) fn refold(&self, layers: &[Arc<Layer>]) -> (Registry, Problems) {
        let (registry, mut problems) = Registry::fold(layers);
        problems.retain(|problem| !self.problems.iter().any(|before| before.says_the_same_as(problem)));
        (registry, problems)
    }
}

fn compile(name: &str, schema: &Value) -> Option<Validator> {
    match jsonschema::draft202012::options().should_validate_formats(false).build(schema) {
        Ok(validator) => Some(validator),
        Err(error) => {
            tracing::error!(definition = name, %error, "a definition's JSON Schema does not compile");
            None
        }
    }
}
