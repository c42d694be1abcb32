//! The effective definitions of one tenant: the fold of its layers, checked as a whole.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::association::{AssociationDefinition, Target};
use crate::behavior::{Behavior, Section};
use crate::computed::Computed;
use crate::layer::{CUSTOM, ENGINE, Folded, Layer, merge};
use crate::name::{Name, did_you_mean};
use crate::object::ObjectDefinition;
use crate::pipeline::Pipeline;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::Property;
use crate::rank::{LONGEST, RANK};

/// Where pipelines stand, by object and name.
pub(crate) type Pointers = IndexMap<(Name, Name), String>;

/// All definitions of a tenant, immutable.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Objects by name, archived ones included.
    pub objects: IndexMap<Name, ObjectDefinition>,
    /// Associations by name, archived ones included.
    pub associations: IndexMap<Name, AssociationDefinition>,
    /// Pipelines by object and name, archived ones included.
    pub pipelines: IndexMap<Name, IndexMap<Name, Pipeline>>,
    /// Named JSON Schema fragments.
    pub schemas: IndexMap<Name, Value>,
    /// Switches that some layer declares.
    pub capabilities: Vec<Name>,
    /// Views, reports, workflows and roles by section and name.
    pub behaviors: IndexMap<(Section, Name), Behavior>,
    /// Texts in other languages, by language.
    pub translations: IndexMap<String, Map<String, Value>>,
    /// Formulas and roll-ups, linked.
    pub computed: Computed,
    /// Objects that are declared and cannot stand.
    pub(crate) unread: BTreeSet<Name>,
}

impl Registry {
    /// Folds `layers`, lowest first, and checks the result; every problem points into the topmost layer concerned.
    pub fn fold(layers: &[impl Borrow<Layer>]) -> (Self, Problems) {
        let layers: Vec<&Layer> = layers.iter().map(Borrow::borrow).collect();
        let layers = layers.as_slice();
        let mut problems = Problems::new();
        let mut registry = Self::default();
        for layer in layers {
            for capability in &layer.capabilities {
                if !registry.capabilities.contains(capability) {
                    registry.capabilities.push(capability.clone());
                }
            }
            registry.schemas.extend(layer.schemas.clone());
        }
        let (pointers, faulty) = registry.read_pipelines(layers, &mut problems);
        registry.read_objects(layers, &mut problems);
        registry.read_associations(layers, &mut problems);
        registry.check_references(&pointers, &faulty, &mut problems);
        registry.link_computed(&mut problems);
        registry.check_moments(&pointers, &mut problems);
        registry.read_behaviors(layers, &mut problems);
        for (language, texts) in layers.iter().flat_map(|layer| &layer.translations) {
            merge(registry.translations.entry(language.clone()).or_default(), texts.clone());
        }
        (registry, problems)
    }

    /// Where each pipeline stands in the topmost layer that has it; and those that cannot stand, as far as they read, so
    /// that what they name is looked up all the same.
    fn read_pipelines(&mut self, layers: &[&Layer], problems: &mut Problems) -> (Pointers, Vec<Pipeline>) {
        let mut folded: IndexMap<&(Name, Name), Folded> = IndexMap::new();
        for layer in layers {
            for (key, spec) in &layer.pipelines {
                let pointer = layer.pipeline_pointer(key);
                let is_change = layer.changed.pipelines.contains(key);
                let present = folded.get(key).map(|present| present.layer.as_str());
                let known = folded.keys().filter(|known| known.0 == key.0).map(|known| known.1.as_str());
                let what = format!("`{}` has no pipeline `{}`{}", key.0, key.1, did_you_mean(&key.1, known));
                if !may_lay(layer, is_change, &key.1, present, &pointer, &what, problems) {
                    continue;
                }
                match folded.get_mut(key) {
                    Some(present) => present.add(&layer.name, spec.clone(), Some(pointer)),
                    None => drop(folded.insert(key, Folded::new(&layer.name, spec.clone(), pointer))),
                }
            }
        }
        let (mut pointers, mut faulty) = (IndexMap::new(), Vec::new());
        for (key, folded) in folded {
            let (object, name) = key;
            match Pipeline::read(object.clone(), name.clone(), &folded, problems) {
                Ok(pipeline) => drop(self.pipelines.entry(object.clone()).or_default().insert(name.clone(), pipeline)),
                Err(pipeline) => faulty.push(*pipeline),
            }
            pointers.insert(key.clone(), folded.pointer);
        }
        (pointers, faulty)
    }

    fn read_objects(&mut self, layers: &[&Layer], problems: &mut Problems) {
        let mut folded: IndexMap<&Name, Folded> = IndexMap::new();
        for layer in layers {
            for (name, spec) in &layer.objects {
                let pointer = push_segment("/objects", name);
                if let Some(present) = folded.get(name) {
                    let message = format!("`{name}` belongs to `{}`; add to it under `extend`", present.layer);
                    problems.push(Problem::new(pointer, "taken", message));
                    continue;
                }
                folded.insert(name, Folded::new(&layer.name, spec.clone(), pointer));
            }
            for (name, spec) in &layer.extend {
                let pointer = push_segment("/extend", name);
                match folded.get_mut(name) {
                    Some(present) => present.add(&layer.name, spec.clone(), Some(pointer)),
                    None => {
                        let hint = did_you_mean(name, folded.keys().map(|name| name.as_str()));
                        problems.push(Problem::new(pointer, "unknown", format!("there is no object `{name}`{hint}")));
                    }
                }
            }
        }
        for (name, mut folded) in folded {
            self.add_engine_properties(name, &mut folded);
            match ObjectDefinition::read(name.clone(), &folded, problems) {
                Some(object) => {
                    let pipelines = self.pipelines.get_mut(name).into_iter().flat_map(IndexMap::values_mut);
                    pipelines.for_each(|pipeline| pipeline.rename(&object.properties));
                    self.objects.insert(name.clone(), object);
                }
                None => drop(self.unread.insert(name.clone())),
            }
        }
    }

    /// Objects with pipelines carry `pipeline` and `stage`.
    fn add_engine_properties(&self, object: &Name, folded: &mut Folded) {
        let pipelines: Vec<_> = self.active_pipelines(object).collect();
        if pipelines.is_empty() {
            return;
        }
        let mut stages: IndexMap<&str, Value> = IndexMap::new();
        for stage in pipelines.iter().flat_map(|pipeline| pipeline.stages.values()) {
            stages.entry(stage.name.as_str()).or_insert_with(|| {
                let mut option = json!({"key": stage.name, "label": stage.label});
                if let Some(color) = &stage.color {
                    option["color"] = json!(color);
                }
                option
            });
        }
        let names: Vec<Value> =
            pipelines.iter().map(|pipeline| json!({"key": pipeline.name, "label": pipeline.label})).collect();
        let stages: Vec<Value> = stages.into_values().collect();
        let entry = folded.spec.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        let Some(properties) = entry.as_object_mut() else { return };
        let options = |label: &str, options: Vec<Value>| json!({"type": "enum", "label": label, "options": options});
        let mut own = vec![("pipeline", options("Pipeline", names)), ("stage", options("Stage", stages))];
        // An object that has a property of this name has had it before there were ranks, and keeps it.
        let is_free = properties.get(RANK).and_then(|written| written.get("type")).is_none_or(Value::is_null);
        own.extend(is_free.then(|| (RANK, rank_spec())));
        for (name, spec) in own {
            let written = properties.entry(name).or_insert_with(|| json!({}));
            // A layer may relabel them; what they hold is the pipelines' business.
            if let (Some(written), Value::Object(mut spec)) = (written.as_object_mut(), spec) {
                let is_relabelled =
                    |key: &str| !["type", "options", "pattern", "max_length", "read_only"].contains(&key);
                spec.extend(written.clone().into_iter().filter(|(key, _)| is_relabelled(key)));
                *written = spec;
            }
            folded.property_layers.insert(name.to_owned(), ENGINE.to_owned());
        }
    }

    fn read_associations(&mut self, layers: &[&Layer], problems: &mut Problems) {
        let mut folded: IndexMap<&Name, Folded> = IndexMap::new();
        for layer in layers {
            for (name, spec) in &layer.associations {
                let pointer = push_segment("/associations", name);
                let is_change = layer.changed.associations.contains(name);
                let present = folded.get(name).map(|present| present.layer.as_str());
                let known = folded.keys().map(|known| known.as_str());
                let what = format!("there is no association `{name}`{}", did_you_mean(name, known));
                if !may_lay(layer, is_change, name, present, &pointer, &what, problems) {
                    continue;
                }
                match folded.get_mut(name) {
                    Some(present) => present.add(&layer.name, spec.clone(), Some(pointer)),
                    None => drop(folded.insert(name, Folded::new(&layer.name, spec.clone(), pointer))),
                }
            }
        }
        for (name, folded) in folded {
            match AssociationDefinition::read(name.clone(), &folded, problems) {
                Some(association) => drop(self.associations.insert(name.clone(), association)),
                // What it names is looked at all the same, so that its author learns of everything at once.
                None => self.check_named_ends(&folded, problems),
            }
        }
    }

    fn check_named_ends(&self, folded: &Folded, problems: &mut Problems) {
        for key in ["from", "to"] {
            let names = match folded.spec.get(key) {
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                Some(Value::String(name)) => vec![name.as_str()],
                _ => Vec::new(),
            };
            for name in names.into_iter().filter(|name| *name != "any").filter_map(|name| Name::new(name).ok()) {
                self.check_object(&name, format!("{}/{key}", folded.pointer), problems);
            }
        }
    }

    /// What records stand on timelines by starts at them. One that reads badly is told where it stands.
    fn check_entry(&self, object: &ObjectDefinition, problems: &mut Problems) {
        let Some(entry) = object.entry.as_ref() else { return };
        let at = format!("{}/entry/about", object.pointer);
        match self.associations.get(&entry.about) {
            Some(association) if association.from == object.name => {}
            Some(association) => {
                let message = format!(
                    "`{}` starts at `{}`; an entry is linked by an association that starts at `{}`",
                    association.name, association.from, object.name
                );
                problems.push(Problem::new(at, "not_applicable", message));
            }
            None => {
                let own = self.associations.values().filter(|association| association.from == object.name);
                let hint = did_you_mean(&entry.about, own.map(|association| association.name.as_str()));
                problems.push(Problem::new(at, "unknown", format!("there is no association `{}`{hint}", entry.about)));
            }
        }
    }

    fn check_references(&self, pointers: &Pointers, faulty: &[Pipeline], problems: &mut Problems) {
        for association in self.associations.values() {
            let at = push_segment("/associations", &association.name);
            self.check_object(&association.from, format!("{at}/from"), problems);
            if let Target::Objects(objects) = &association.to {
                for object in objects {
                    self.check_object(object, format!("{at}/to"), problems);
                }
            }
        }
        for object in self.objects.values() {
            self.check_entry(object, problems);
        }
        for pipeline in self.pipelines.values().flat_map(IndexMap::values).chain(faulty) {
            let key = (pipeline.object.clone(), pipeline.name.clone());
            let at = pointers.get(&key).cloned().unwrap_or_default();
            self.check_object(&pipeline.object, format!("{at}/object"), problems);
            let Some(object) = self.objects.get(&pipeline.object) else { continue };
            pipeline.check_gates(object, &at, problems);
            pipeline.check_defaults(object, &at, problems);
        }
        let mut plurals: IndexMap<&str, &Name> = IndexMap::new();
        // What is archived is called by nobody, and needs no switch.
        for object in self.objects.values().filter(|object| !object.archived) {
            if let Some(other) = plurals.insert(&object.plural, &object.name) {
                let message = format!("`{}` is already the plural of `{other}`; choose another", object.plural);
                problems.push(Problem::new(format!("/objects/{}/plural", object.name), "taken", message));
            }
            if let Some(capability) = &object.capability
                && !self.capabilities.contains(capability)
            {
                let hint = did_you_mean(capability, self.capabilities.iter().map(Name::as_str));
                let message = format!("no pack declares the capability `{capability}`{hint}");
                problems.push(Problem::new(format!("/objects/{}/capability", object.name), "unknown", message));
            }
        }
    }

    fn check_object(&self, name: &Name, pointer: String, problems: &mut Problems) {
        // Why one that is declared cannot stand has been told.
        if !self.objects.contains_key(name) && !self.unread.contains(name) {
            let hint = did_you_mean(name, self.objects.keys().map(Name::as_str));
            problems.push(Problem::new(pointer, "unknown", format!("there is no object `{name}`{hint}")));
        }
    }

    /// The object's pipelines that are still offered, in order.
    pub fn active_pipelines(&self, object: &str) -> impl Iterator<Item = &Pipeline> {
        self.pipelines.get(object).into_iter().flat_map(IndexMap::values).filter(|pipeline| !pipeline.archived)
    }

    /// The pipeline where new records of the object start: the one marked so, else the first.
    pub fn default_pipeline(&self, object: &str) -> Option<&Pipeline> {
        self.active_pipelines(object)
            .find(|pipeline| pipeline.is_default)
            .or_else(|| self.active_pipelines(object).next())
    }

    /// Associations that lead from or to records of the object, unless archived.
    pub fn associations_of(&self, object: &str) -> impl Iterator<Item = &AssociationDefinition> {
        let object = object.to_owned();
        self.associations.values().filter(move |association| {
            !association.archived && (association.from.as_str() == object || association.to.accepts(&object))
        })
    }

    /// JSON Schema 2020-12 of the `properties` of a stored record.
    pub fn json_schema(&self, object: &ObjectDefinition) -> Value {
        self.json_schema_of(&object.label, object.properties.values())
    }

    /// The JSON Schema of a JSON object with values of these properties in normal form.
    pub fn json_schema_of<'p>(&self, title: &str, all: impl Iterator<Item = &'p Property>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for property in all.filter(|property| !property.archived) {
            let mut schema = property.kind.schema();
            if let Some(named) = property.kind.schema_reference().and_then(|name| self.schemas.get(name)) {
                schema = named.as_object().cloned().unwrap_or_default();
            }
            schema.insert("title".to_owned(), Value::from(property.label.as_str()));
            if let Some(description) = &property.description {
                schema.insert("description".to_owned(), Value::from(description.as_str()));
            }
            if property.required {
                required.push(Value::from(property.name.as_str()));
            }
            properties.insert(property.name.to_string(), Value::Object(schema));
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }
}

/// Where records stand on boards. Nobody writes it but whoever moves a record.
fn rank_spec() -> Value {
    let description = "Where the record stands on boards; records that nobody has placed come in the order of their \
                       making.";
    json!({"type": "string", "label": "Rank", "description": description, "read_only": true, "max_length": LONGEST,
        "pattern": "^[0-9a-z]*[1-9a-z]$"})
}

/// Whether a layer may say something of an association or a pipeline: it is its own, or it is another's and said to be
/// changed. `present` is the layer that has it; `unknown` is said where none has.
pub(crate) fn may_lay(
    layer: &Layer,
    is_change: bool,
    name: &str,
    present: Option<&str>,
    pointer: &str,
    unknown: &str,
    problems: &mut Problems,
) -> bool {
    let (code, message) = match present {
        // The tenant's own layer changes whatever is there.
        _ if layer.name == CUSTOM => return true,
        None if is_change => ("unknown", unknown.to_owned()),
        Some(owner) if !is_change && owner != layer.name => (
            "taken",
            format!("`{name}` belongs to `{owner}`; write `extend: true` to change it, or name yours otherwise"),
        ),
        None | Some(_) => return true,
    };
    problems.push(Problem::new(pointer, code, message));
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::tests::layer;

    fn fold(document: Value) -> (Registry, Vec<(String, &'static str)>) {
        let (registry, problems) = Registry::fold(&[layer("core", &document)]);
        (registry, problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect())
    }

    #[test]
    fn an_object_with_a_pipeline_gets_pipeline_and_stage() {
        let (registry, problems) = fold(json!({
            "objects": {"deal": {"properties": {"name": {"type": "string", "required": true}}}},
            "pipelines": {"sales": {"object": "deal", "stages": {"open": {}, "won": {"type": "won", "requires": ["name"]}},
                "transitions": {"open": ["won"]}}},
        }));
        assert_eq!(problems, []);
        let deal = &registry.objects["deal"];
        assert_eq!(deal.properties.keys().map(Name::as_str).collect::<Vec<_>>(), ["name", "pipeline", "stage", "rank"]);
        assert_eq!(deal.rank().map(|rank| rank.read_only), Some(true));
        assert_eq!(deal.properties["stage"].layer, ENGINE);
        assert_eq!(deal.plural, "deals");
        let sales = registry.default_pipeline("deal").expect("a pipeline");
        assert_eq!(sales.first_stage().map(|stage| stage.name.as_str()), Some("open"));
        assert!(sales.allows("open", "won") && !sales.allows("won", "open"));
    }

    #[test]
    fn an_object_that_cannot_stand_is_told_once() {
        let (_, problems) = fold(json!({
            "objects": {"visit": {"lable": "Visit"}, "site": {}},
            "associations": {"visit_site": {"from": "visit", "to": "site"}, "visit_yard": {"from": "visit", "to": "yard"}},
            "pipelines": {"course": {"object": "visit", "stages": {"open": {}}}},
            "views": {"all": {"object": "visit", "columns": ["name"]}},
        }));
        let expected = [("/objects/visit/lable", "unknown_key"), ("/associations/visit_yard/to", "unknown")];
        assert_eq!(problems, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn what_records_are_called_shows_nothing_sensitive() {
        let secret = json!({"type": "string", "sensitive": true});
        let (registry, problems) = fold(json!({"objects": {
            "patient": {"display": "{{ name }} {{ ssn }}", "properties": {"name": {"type": "string"}, "ssn": secret}},
            "chart": {"display": "{% if name %}{{ name }}{% endif %}", "properties": {"name": secret}},
            "visit": {"properties": {"name": secret}},
            "ward": {"display": "Ward", "properties": {"name": secret}},
        }}));
        let places = ["/objects/patient/display", "/objects/chart/display", "/objects/visit/display"];
        assert_eq!(problems, places.map(|place| (place.to_owned(), "sensitive")));
        // Those that are stored already are kept, so that nobody loses their records.
        assert_eq!(registry.objects.len(), 4);
    }

    #[test]
    fn a_property_that_records_are_called_by_does_not_become_sensitive() {
        let below = layer("core", &json!({"objects": {"site": {"properties": {"name": {"type": "string"}}}}}));
        let above = layer("own", &json!({"extend": {"site": {"properties": {"name": {"sensitive": true}}}}}));
        let (_, problems) = Registry::fold(&[below, above]);
        assert_eq!((problems.len(), problems[0].pointer.as_str()), (1, "/extend/site/display"));
        assert!(problems[0].message.starts_with("without `display` records are called by `name`"), "{problems:?}");
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let (_, problems) = fold(json!({
            "objects": {
                "permit": {"plural": "users", "colour": 1, "properties": {"a": {"type": "strng"}, "id": {"type": "string"}, "b": {}}},
                "site": {"display": "{{ nmae }}", "properties": {"name": {"type": "string"}},
                    "constraints": [{"unique": ["nmae"]}, {"rule": "nam == 1"}, {}]},
            },
            "associations": {"permit_site": {"from": "permits", "to": ["site"], "cardinality": "many"}},
        }));
        assert_eq!(
            problems,
            [
                ("/objects/permit/plural".to_owned(), "reserved"),
                ("/objects/permit/properties/a/type".to_owned(), "unknown_type"),
                ("/objects/permit/properties/id".to_owned(), "reserved"),
                ("/objects/permit/properties/b/type".to_owned(), "required"),
                ("/objects/permit/colour".to_owned(), "unknown_key"),
                ("/objects/site/display".to_owned(), "unknown"),
                ("/objects/site/constraints/0/unique".to_owned(), "unknown"),
                ("/objects/site/constraints/1/rule".to_owned(), "unknown"),
                ("/objects/site/constraints/2".to_owned(), "invalid"),
                ("/associations/permit_site/cardinality".to_owned(), "unknown"),
                ("/associations/permit_site/from".to_owned(), "unknown"),
            ]
        );
    }

    #[test]
    fn what_belongs_to_another_pack_is_changed_only_where_that_is_said() {
        let crm = layer(
            "crm",
            &json!({"objects": {"deal": {"properties": {"name": {"type": "string"}}}},
                "associations": {"deal_deal": {"from": "deal", "to": "deal"}},
                "pipelines": {"sales": {"object": "deal", "stages": {"open": "Open"}}}}),
        );
        let other = json!({"objects": {"deal": {}}, "associations": {"deal_deal": {"label": "Linked"}},
            "pipelines": {"mine": {"name": "sales", "object": "deal", "stages": {"won": "Won"}}}});
        let places = |problems: Problems| -> Vec<_> {
            problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
        };
        let (registry, problems) = Registry::fold(&[crm.clone(), layer("other", &other)]);
        let taken = ["/pipelines/mine", "/objects/deal", "/associations/deal_deal"];
        assert_eq!(places(problems), taken.map(|place| (place.to_owned(), "taken")));
        assert_eq!(registry.pipelines["deal"]["sales"].stages.len(), 1);
        // The tenant's own layer need not say so.
        let own = json!({"associations": {"deal_deal": {"label": "Linked"}}});
        let (registry, problems) = Registry::fold(&[crm.clone(), layer(CUSTOM, &own)]);
        assert_eq!((problems, registry.associations["deal_deal"].label.as_str()), (vec![], "Linked"));
        let change = json!({"associations": {"deal_deal": {"extend": true, "label": "Linked"},
            "deal_del": {"extend": true}}, "pipelines": {
            "mine": {"name": "sales", "object": "deal", "extend": true, "stages": {"won": "Won"}},
            "salse": {"object": "deal", "extend": true}}});
        let (registry, problems) = Registry::fold(&[crm, layer("other", &change)]);
        assert_eq!(registry.pipelines["deal"]["sales"].stages.len(), 2);
        assert_eq!(registry.pipelines["deal"]["sales"].layer, "crm");
        assert!(problems[0].message.ends_with("did you mean `sales`?"), "{problems:?}");
        assert_eq!(
            places(problems),
            [("/pipelines/salse".to_owned(), "unknown"), ("/associations/deal_del".to_owned(), "unknown")]
        );
    }
}
