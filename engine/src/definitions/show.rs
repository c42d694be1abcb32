//! Definitions as they are answered: what a pack would have, with what the engine adds to it.

use engine_model::Name;
use engine_model::association::{AssociationDefinition, Target};
use engine_model::behavior::Behavior;
use engine_model::layer::CUSTOM;
use engine_model::object::ObjectDefinition;
use engine_model::pipeline::{Category, Pipeline, Stage};
use engine_model::property::Property;
use engine_model::registry::Registry;
use engine_model::rule::Rule;
use engine_model::time::Timestamp;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::DefinitionQuery;
use super::catalog::Catalog;

/// What is shown, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Showing<'a> {
    pub(crate) registry: &'a Registry,
    /// When a definition was archived that does not say so itself: a pack brought it so.
    pub(crate) since: Timestamp,
    /// Which properties of an object.
    pub(crate) properties: DefinitionQuery,
}

impl<'a> Showing<'a> {
    /// A tenant's definitions as they are.
    pub(crate) fn of(catalog: &'a Catalog) -> Self {
        let properties = DefinitionQuery { own_layer_only: false, archived: false };
        Self { registry: &catalog.effective.registry, since: Timestamp(catalog.tenant.created_at), properties }
    }

    /// The same with only those properties that are asked for.
    pub(crate) fn only(self, properties: DefinitionQuery) -> Self {
        Self { properties, ..self }
    }

    pub(crate) fn object(&self, object: &ObjectDefinition) -> Value {
        json!({
            "name": object.name,
            "label": object.label,
            "plural": object.plural,
            "plural_label": object.plural_label,
            "display": object.display.source(),
            "icon": object.icon,
            "description": object.description,
            "capability": object.capability,
            "features": object.features,
            "groups": object.groups,
            "properties": self.properties(&object.properties),
            "constraints": object.spec.get("constraints").cloned().unwrap_or_else(|| json!([])),
            "entry": object.spec.get("entry"),
            "layer": object.layer,
            "archived_at": self.archived_at(&object.spec, object.archived),
        })
    }

    /// A property by itself, with its name.
    pub(crate) fn property(&self, property: &Property) -> Value {
        let mut view = Map::new();
        view.insert("name".to_owned(), json!(property.name));
        view.extend(self.nested_property(property));
        view.insert("archived_at".to_owned(), self.archived_at(&property.spec, property.archived));
        Value::Object(view)
    }

    fn properties(&self, properties: &IndexMap<Name, Property>) -> Map<String, Value> {
        let shown = properties.values().filter(|property| self.properties.takes_property(property));
        shown.map(|property| (property.name.to_string(), Value::Object(self.nested_property(property)))).collect()
    }

    fn nested_property(&self, property: &Property) -> Map<String, Value> {
        let mut view = Map::new();
        view.insert("type".to_owned(), json!(property.kind.name()));
        view.insert("label".to_owned(), json!(property.label));
        let written = property.spec.iter().filter(|(key, value)| !value.is_null() && !is_own_key(key));
        view.extend(written.map(|(key, value)| (key.clone(), value.clone())));
        view.insert("layer".to_owned(), json!(property.layer));
        view.insert("operators".to_owned(), json!(property.kind.operators()));
        if property.archived {
            view.insert("archived_at".to_owned(), self.archived_at(&property.spec, true));
        }
        view
    }

    pub(crate) fn association(&self, association: &AssociationDefinition) -> Value {
        let to = match &association.to {
            Target::Any => json!("any"),
            Target::Objects(objects) => match objects.as_slice() {
                [only] => json!(only),
                many => json!(many),
            },
        };
        json!({
            "name": association.name,
            "from": association.from,
            "to": to,
            "label": association.label,
            "inverse": association.inverse,
            "cardinality": association.cardinality.as_str(),
            "labels": association.labels,
            "properties": self.properties(&association.properties),
            "layer": association.layer,
            "archived_at": self.archived_at(&association.spec, association.archived),
        })
    }

    pub(crate) fn pipeline(&self, pipeline: &Pipeline) -> Value {
        let default = self.registry.default_pipeline(&pipeline.object);
        json!({
            "name": pipeline.name,
            "object": pipeline.object,
            "label": pipeline.label,
            "default": default.is_some_and(|default| default.name == pipeline.name),
            "categories": pipeline.categories.iter().map(category).collect::<Map<_, _>>(),
            "stages": pipeline.stages.values().map(stage).collect::<Vec<_>>(),
            "transitions": pipeline.transitions,
            "defaults": pipeline.defaults,
            "layer": pipeline.layer,
            "archived_at": self.archived_at(&pipeline.spec, pipeline.archived),
        })
    }

    pub(crate) fn behavior(&self, behavior: &Behavior) -> Value {
        let mut view =
            Map::from_iter([("name".to_owned(), json!(behavior.name)), ("label".to_owned(), json!(behavior.label))]);
        let written = behavior.spec.iter().filter(|(key, value)| !value.is_null() && *key != "label");
        view.extend(written.map(|(key, value)| (key.clone(), value.clone())));
        view.insert("layer".to_owned(), json!(behavior.layer));
        Value::Object(view)
    }

    fn archived_at(&self, spec: &Map<String, Value>, is_archived: bool) -> Value {
        if !is_archived {
            return Value::Null;
        }
        spec.get("archived_at").filter(|at| at.is_string()).cloned().unwrap_or_else(|| json!(self.since))
    }
}

/// Keys of a specification that the view has in another form.
fn is_own_key(key: &str) -> bool {
    matches!(key, "type" | "label" | "archived" | "archived_at")
}

fn category((name, category): (&Name, &Category)) -> (String, Value) {
    (name.to_string(), json!({"label": category.label, "ended": category.has_ended}))
}

fn stage(stage: &Stage) -> Value {
    json!({
        "name": stage.name,
        "label": stage.label,
        "type": stage.category.as_str(),
        "probability": stage.probability,
        "requires": stage.requires,
        "rules": stage.rules.iter().map(rule).collect::<Vec<_>>(),
        "color": stage.color,
        "archived": stage.archived,
    })
}

fn rule(Rule { expression, message, at }: &Rule) -> Value {
    json!({"rule": expression.source(), "message": message, "at": at})
}

/// The layer in words.
pub(crate) fn layer_in_words(layer: &str) -> String {
    match layer {
        CUSTOM => "the tenant's own layer".to_owned(),
        engine_model::layer::ENGINE => "the engine".to_owned(),
        pack => format!("the pack `{pack}`"),
    }
}
